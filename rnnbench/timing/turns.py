"""Groups of arms have their turns, in processes that hold them."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import cycle, takewhile
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, TypeAlias

from rnnbench.execution.devices import find_gpus
from rnnbench.execution.environment import worker_environment
from rnnbench.execution.process import KILLED, Child, how_it_ended, spawn
from rnnbench.timing.arms import Arm, DeviceKind
from rnnbench.timing.measure import OUT_OF_MEMORY, Blocks, answer_requests
from rnnbench.timing.rounds import Outcomes, Wanted, measure_group
from rnnbench.timing.samples import Sample

EVERYTHING = Wanted()
Owner: TypeAlias = tuple[object, ...]
Seat: TypeAlias = tuple[Owner, int, int]
"""Whose a process is, which of those that prepare at once, and which of the two of a group."""

MOST_SECONDS = 900.0
"""A process that takes longer to prepare, or to measure, is given up."""
MOST_AT_ONCE = 8
"""So many processes prepare at once; on a GPU each holds a context and its arms there."""
CORES_OF_MANY = 4
"""With fewer, a GPU's prepare one by one all the same."""
SPINNING = ("torch",)
"""Back ends whose threads wait at full speed: two processes would take each other's cores."""
CORES_TO_SHARE = 8
"""From so many cores up, CPU arms and GPU arms are measured at once, on half of them each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Arms that are to be measured together, once.

    Args:
        arms: of one back end and device.
        number: the repeat's, from 0 up in a session.
        looks: whether it finds out which operations run.
        cores: those that it may use; empty for all.
    """

    arms: tuple[Arm, ...]
    number: int
    looks: bool
    cores: tuple[int, ...] = ()

    @property
    def device(self) -> DeviceKind:
        """Where its arms run."""
        return self.arms[0].device

    @property
    def owner(self) -> Owner:
        """Equal for turns that the same processes take: on a CPU those of a repeat and back end.

        So a back end is started once a repeat, or once a core. On a GPU each turn has its own.
        """
        arm = self.arms[0]
        return (self.number, arm.backend) if arm.device == "cpu" else (self.number, *arm.group)


def cores_of(device: str, devices: Set[str]) -> tuple[int, ...]:
    """The cores of a device's processes where these devices are measured; empty for all."""
    cores = _cores()
    if len(devices) < 2 or len(cores) < CORES_TO_SHARE:
        return ()
    half = len(cores) // 2
    return cores[:half] if device == "cpu" else cores[half:]


def measure_turns(
    turns: Sequence[Turn], blocks: Blocks, log: Path, wanted: Wanted = EVERYTHING
) -> Iterator[Outcomes]:
    """What each turn found, in the order in which they end.

    Of those that share their cores one measures at a time, and while it does none prepares.
    """
    places: dict[tuple[int, ...], _Place] = {}
    for turn in turns:
        place = places.setdefault(turn.cores, _Place(blocks, log, wanted))
        place.to_come.append(turn)
    found: Queue[Outcomes | BaseException | None] = Queue()
    threads = [
        Thread(target=place.follow, args=(found.put,), daemon=True) for place in places.values()
    ]
    try:
        for thread in threads:
            thread.start()
        n_left = len(threads)
        while n_left:
            outcomes = found.get()
            if isinstance(outcomes, BaseException):
                raise outcomes
            if outcomes is None:
                n_left -= 1
            else:
                yield outcomes
    finally:
        for place in places.values():
            place.stop()
        for thread in threads:
            thread.join()


class Holder:
    """A process that holds arms, and this end of the pipe to it."""

    def __init__(self, child: Child, seat: Seat) -> None:
        self.child = child
        self.seat = seat
        self.lost = ""

    def ask(self, name: str, arm: Arm, *arguments: object) -> Any:  # Any: see `answer_requests`
        """What it answers; a sentence where it cannot, or is gone."""
        if self.lost:
            return self.lost
        with suppress(OSError):  # it died; what is heard tells
            self.child.pipe.send((name, arm, *arguments))
        answer, is_lost = _hear(self.child)
        if is_lost:
            self.lost = answer
            self.child.end()
        return answer


@dataclass(frozen=True, slots=True)
class Member:
    """An arm, and the process that holds it."""

    arm: Arm
    holder: Holder

    def ask(self, name: str) -> Any:  # Any: see `answer_requests`
        """What the process answers."""
        return self.holder.ask(name, self.arm)


class _Place:
    """Cores, and the turns that share them."""

    def __init__(self, blocks: Blocks, log: Path, wanted: Wanted) -> None:
        self.to_come: list[Turn] = []
        self._blocks = blocks
        self._log = log
        self._wanted = wanted
        self._holders: list[Holder] = []
        self._divided: set[tuple[object, ...]] = set()
        self._is_over = False

    def follow(self, tell: Callable[[Outcomes | BaseException | None], None]) -> None:
        """Carry out every turn, and tell what came out; None at the end."""
        try:
            for outcomes in self._carry_out():
                tell(outcomes)
        except BaseException as err:  # raised where it is heard
            tell(err)
        finally:
            self._end_all_but(None)
        tell(None)

    def stop(self) -> None:
        """Have `follow` come to its end soon: whoever asks a process hears that it is gone."""
        self._is_over = True
        for holder in list(self._holders):
            holder.child.process.kill()

    def _carry_out(self) -> Iterator[Outcomes]:
        while self.to_come and self._goes_on:
            turns = self._take()
            self._end_all_but(turns[0].owner)
            with ThreadPoolExecutor(len(turns)) as pool:
                prepared = list(pool.map(self._prepare, turns, range(len(turns))))
            for slot, (turn, (held, failed)) in enumerate(zip(turns, prepared, strict=True)):
                if not self._goes_on:
                    break
                outcomes = failed | measure_group(
                    held, turn.number, looks=turn.looks, blocks=self._blocks, wanted=self._wanted
                )
                self._leave(turn, slot)
                self._leave_out({arm for arm, each in outcomes.items() if isinstance(each, str)})
                yield outcomes

    @property
    def _goes_on(self) -> bool:
        return not self._is_over and time.monotonic() < self._wanted.until

    def _prepare(self, turn: Turn, slot: int) -> tuple[dict[Arm, Member], Outcomes]:
        """The process of each arm, and why others have none: one holds all, or two do.

        Two where memory was wanting, or the system ended the one: these take turns then.
        """
        group = turn.arms[0].group
        if group not in self._divided:
            held, failed = self._hold(turn, [(turn.owner, slot, 0)])
            wants_memory = any(map(_wants_memory, failed.values()))
            if len(turn.arms) < 2 or not wants_memory or self._is_over:
                return held, failed
            self._divided.add(group)
            self._end([holder for holder in self._holders if holder.seat[:2] == (turn.owner, slot)])
        return self._hold(turn, [(turn.owner, slot, n) for n in range(2)])

    def _hold(self, turn: Turn, seats: Sequence[Seat]) -> tuple[dict[Arm, Member], Outcomes]:
        holders = [self._find_holder(turn, seat) for seat in seats]
        held: dict[Arm, Member] = {}
        failed: Outcomes = {}
        order = random.Random(turn.number).sample(turn.arms, len(turn.arms))
        for arm, holder in zip(order, cycle(holders), strict=False):
            looks = turn.looks and not arm.is_control
            answer = holder.ask("prepare", arm, turn.number, looks)
            if answer is None:
                held[arm] = Member(arm, holder)
            else:
                failed[arm] = answer
        failed |= {arm: each.holder.lost for arm, each in held.items() if each.holder.lost}
        return {arm: each for arm, each in held.items() if arm not in failed}, failed

    def _find_holder(self, turn: Turn, seat: Seat) -> Holder:
        """The process that has the seat, or a fresh one."""
        for holder in self._holders:
            if holder.seat == seat and not holder.lost:
                return holder
        child = _start(answer_requests, turn.arms[0], self._blocks, turn.cores, log=self._log)
        holder = Holder(child, seat)
        self._holders.append(holder)
        if self._is_over:  # `stop` may have come too early for it
            child.process.kill()
        return holder

    def _leave(self, turn: Turn, slot: int) -> None:
        """A CPU's process goes on to other arms of its back end; a GPU's ends."""
        mine = [holder for holder in self._holders if holder.seat[:2] == (turn.owner, slot)]
        if turn.device == "gpu":
            self._end(mine)
        else:
            for holder in mine:
                holder.ask("release", turn.arms[0])

    def _end_all_but(self, owner: Owner | None) -> None:
        self._end([holder for holder in self._holders if holder.seat[0] != owner])

    def _end(self, holders: Sequence[Holder]) -> None:
        for holder in holders:
            holder.child.end()
            self._holders.remove(holder)

    def _leave_out(self, failed: Set[Arm]) -> None:
        """Take arms from the turns to come, and turns that are left without any."""
        kept = [
            replace(turn, arms=tuple(arm for arm in turn.arms if arm not in failed))
            for turn in self.to_come
        ]
        self.to_come = [turn for turn in kept if turn.arms]

    def _take(self) -> list[Turn]:
        """The next ones to prepare: of a GPU several at once, of a CPU one a core."""
        first = self.to_come[0]
        n_cores = len(first.cores or _cores())
        if first.device == "gpu":
            most = MOST_AT_ONCE if n_cores >= CORES_OF_MANY else 1
            taken = list(takewhile(lambda turn: turn.device == "gpu", self.to_come[:most]))
        else:
            most = 1 if first.arms[0].backend in SPINNING else min(MOST_AT_ONCE, max(1, n_cores))
            taken = list(takewhile(lambda turn: turn.owner == first.owner, self.to_come[:most]))
        self.to_come = self.to_come[len(taken) :]
        return taken


def _wants_memory(why: Sample | str) -> bool:
    return isinstance(why, str) and (why.startswith(OUT_OF_MEMORY) or KILLED in why)


def call_in_fresh_process(
    target: Callable[..., None], arm: Arm, *arguments: object, log: Path
) -> Any:  # Any: what the target sends
    """What `target` sends from a process of the arm's own; a sentence where there is nothing."""
    child = _start(target, arm, arm, *arguments, log=log)
    try:
        return _hear(child)[0]
    finally:
        child.end()


def _start(target: Callable[..., None], arm: Arm, *arguments: object, log: Path) -> Child:
    gpu = find_gpus()[0] if arm.device == "gpu" else None
    environment = worker_environment(arm.backend, gpu, one_thread=False)
    return spawn(target, *arguments, environment=environment, log=log)


def _hear(child: Child) -> tuple[Any, bool]:  # Any: what it sends
    """What the process sends, or a sentence where nothing comes; whether it is lost."""
    try:
        if not child.pipe.poll(MOST_SECONDS):
            return f"it was not done after {MOST_SECONDS / 60:.0f} minutes", True
        return child.pipe.recv(), False
    except (EOFError, OSError):
        child.process.join()
        return how_it_ended(child), True


def _cores() -> tuple[int, ...]:
    """Those that this process may use, two threads of one core side by side.

    None where the operating system cannot say.
    """
    if not hasattr(os, "sched_getaffinity"):
        return ()
    return tuple(sorted(os.sched_getaffinity(0), key=lambda core: (_first_thread(core), core)))


def _first_thread(core: int) -> int:
    """The first of the threads that share the physical core; the thread itself if unknown."""
    try:
        listed = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
        return int(re.split(r"[,-]", listed.read_text("ascii"))[0])
    except (OSError, ValueError):
        return core
