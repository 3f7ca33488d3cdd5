"""The processes that measure, each in its turn."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from rnnbench.execution.devices import find_gpus
from rnnbench.execution.environment import worker_environment
from rnnbench.execution.process import Child, how_it_ended, spawn
from rnnbench.timing.arms import Arm, DeviceKind
from rnnbench.timing.measure import READY, Blocks, Outcomes, answer_with_samples

MOST_SECONDS = 900.0
"""A process that takes longer to prepare, or to measure, is given up."""
MOST_AT_ONCE = 8
"""So many processes of a GPU prepare at once; each holds a context and its arms there."""
CORES_OF_MANY = 4
"""With fewer, they prepare one by one all the same."""
CORES_TO_SHARE = 8
"""From so many cores up, CPU arms and GPU arms are measured at once, on half of them each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A process to come.

    Args:
        arms: what it measures together, of one back end and device.
        number: its number in the session, from 0 up.
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


def cores_of(device: str, devices: Set[str]) -> tuple[int, ...]:
    """The cores of a device's processes where these devices are measured; empty for all."""
    cores = _cores()
    if len(devices) < 2 or len(cores) < CORES_TO_SHARE:
        return ()
    half = len(cores) // 2
    return cores[:half] if device == "cpu" else cores[half:]


def measure_turns(turns: Sequence[Turn], blocks: Blocks, log: Path) -> Iterator[Outcomes]:
    """What each process found, in the order in which they end.

    Of those that share their cores one measures at a time, and while it does none prepares.
    """
    places: dict[tuple[int, ...], _Place] = {}
    for turn in turns:
        places.setdefault(turn.cores, _Place(blocks, log)).to_come.append(turn)
    try:
        while True:
            for place in places.values():
                place.go_on()
            at_work = {pipe: place for place in places.values() for pipe in place.at_work}
            if not at_work:
                return
            until = min(place.at_work[pipe].until for pipe, place in at_work.items())
            heard = set(wait(list(at_work), max(0.0, until - time.monotonic())))
            late = {p for p, place in at_work.items() if place.at_work[p].until < time.monotonic()}
            for pipe in heard | late:
                if outcomes := at_work[pipe].hear(pipe):
                    yield outcomes
    finally:
        for place in places.values():
            place.end()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """A turn that has begun; on the monotonic clock, until when it may take."""

    turn: Turn
    child: Child
    until: float


class _Place:
    """Cores, and the processes that share them.

    Attributes:
        at_work: by their pipes, those that prepare, or the one that measures.
        ready: those that have prepared.
    """

    def __init__(self, blocks: Blocks, log: Path) -> None:
        self.to_come: list[Turn] = []
        self.at_work: dict[Any, _Process] = {}  # Any: the parent's end of a pipe
        self.ready: list[_Process] = []
        self._blocks = blocks
        self._log = log

    def go_on(self) -> None:
        """Let the next one measure, or the next ones prepare, unless some are at work."""
        if self.at_work:
            return
        if self.ready:
            process = self.ready.pop(0)
            with suppress(OSError):  # it died while it waited; what it sends tells
                process.child.pipe.send(READY)
            self.at_work[process.child.pipe] = replace(process, until=_deadline())
            return
        for turn in self._take():
            arguments = (turn.arms, turn.number, turn.looks, self._blocks, turn.cores)
            child = _start(answer_with_samples, turn.arms[0], *arguments, log=self._log)
            self.at_work[child.pipe] = _Process(turn=turn, child=child, until=_deadline())

    def hear(self, pipe: Any) -> Outcomes:  # Any: see `at_work`
        """What the process has to say; nothing yet from one that is ready now."""
        process = self.at_work.pop(pipe)
        answer = _hear(process.child, seconds=0)
        if answer == READY:
            self.ready.append(process)
            return {}
        process.child.end()
        is_sentence = isinstance(answer, str)
        outcomes: Outcomes = dict.fromkeys(process.turn.arms, answer) if is_sentence else answer
        self._leave_out({arm for arm, outcome in outcomes.items() if isinstance(outcome, str)})
        return outcomes

    def end(self) -> None:
        """End them all."""
        for process in (*self.at_work.values(), *self.ready):
            process.child.end()

    def _leave_out(self, failed: Set[Arm]) -> None:
        """Take arms from the turns to come, and turns that are left without any."""
        kept = [
            replace(turn, arms=tuple(arm for arm in turn.arms if arm not in failed))
            for turn in self.to_come
        ]
        self.to_come = [turn for turn in kept if turn.arms]

    def _take(self) -> list[Turn]:
        """The next ones to prepare: on many cores several of a GPU, else one.

        Those of the CPU would take each other's cores: PyTorch's threads wait at full speed.
        """
        taken = self.to_come[:1]
        if taken and taken[0].device == "gpu" and len(taken[0].cores or _cores()) >= CORES_OF_MANY:
            taken = list(takewhile(lambda turn: turn.device == "gpu", self.to_come[:MOST_AT_ONCE]))
        self.to_come = self.to_come[len(taken) :]
        return taken


def call_in_fresh_process(
    target: Callable[..., None], arm: Arm, *arguments: object, log: Path
) -> Any:  # Any: what the target sends
    """What `target` sends from a process of the arm's own; a sentence where there is nothing."""
    child = _start(target, arm, arm, *arguments, log=log)
    try:
        return _hear(child)
    finally:
        child.end()


def _start(target: Callable[..., None], arm: Arm, *arguments: object, log: Path) -> Child:
    gpu = find_gpus()[0] if arm.device == "gpu" else None
    environment = worker_environment(arm.backend, gpu, one_thread=False)
    return spawn(target, *arguments, environment=environment, log=log)


def _hear(child: Child, seconds: float = MOST_SECONDS) -> Any:  # Any: what it sends
    """What the process sends; a sentence where nothing comes."""
    try:
        if not child.pipe.poll(seconds):
            return f"it was not done after {MOST_SECONDS / 60:.0f} minutes"
        return child.pipe.recv()
    except (EOFError, OSError):
        child.process.join()
        return how_it_ended(child)


def _deadline() -> float:
    return time.monotonic() + MOST_SECONDS


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
