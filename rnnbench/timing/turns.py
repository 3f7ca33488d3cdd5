"""The processes that measure, each in its turn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from rnnbench.execution.devices import find_gpus
from rnnbench.execution.environment import worker_environment
from rnnbench.execution.process import Child, how_it_ended, spawn
from rnnbench.timing.arms import Arm
from rnnbench.timing.measure import READY, Blocks, Outcomes, answer_with_samples

MOST_SECONDS = 900.0
"""A process that takes longer to prepare, or to measure, is given up."""
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
            for pipe in wait(list(at_work), MOST_SECONDS) or list(at_work):
                outcomes = at_work[pipe].hear(pipe)
                if outcomes:
                    yield outcomes
    finally:
        for place in places.values():
            place.end()


class _Place:
    """Cores, and the processes that share them.

    Attributes:
        at_work: by their pipes, those that prepare, or the one that measures.
        ready: those that have prepared.
    """

    def __init__(self, blocks: Blocks, log: Path) -> None:
        self.to_come: list[Turn] = []
        self.at_work: dict[Any, tuple[Turn, Child]] = {}  # Any: the parent's end of a pipe
        self.ready: list[tuple[Turn, Child]] = []
        self._blocks = blocks
        self._log = log

    def go_on(self) -> None:
        """Let the next one measure, or the next ones prepare, unless some are at work."""
        if self.at_work:
            return
        if self.ready:
            turn, child = self.ready.pop(0)
            with suppress(OSError):  # it died while it waited; what it sends tells
                child.pipe.send(READY)
            self.at_work[child.pipe] = turn, child
            return
        for turn in self._take():
            arguments = (turn.arms, turn.number, turn.looks, self._blocks, turn.cores)
            child = _start(answer_with_samples, turn.arms[0], *arguments, log=self._log)
            self.at_work[child.pipe] = turn, child

    def hear(self, pipe: Any) -> Outcomes:  # Any: see `at_work`
        """What the process has to say; nothing yet from one that is ready now."""
        turn, child = self.at_work.pop(pipe)
        answer = _hear(child, seconds=0)
        if answer == READY:
            self.ready.append((turn, child))
            return {}
        child.end()
        return answer if isinstance(answer, dict) else dict.fromkeys(turn.arms, answer)

    def end(self) -> None:
        """End them all."""
        for _, child in (*self.at_work.values(), *self.ready):
            child.end()

    def _take(self) -> list[Turn]:
        """The next ones to prepare: on many cores several of a GPU's, of the CPU's one.

        Those of the CPU would take each other's cores: PyTorch's threads wait at full speed.
        """
        if not self.to_come:
            return []
        n_cores = len(self.to_come[0].cores or _cores())
        is_many = self.to_come[0].arms[0].device == "gpu" and n_cores >= CORES_TO_SHARE // 2
        n = n_cores if is_many else 1
        taken, self.to_come = self.to_come[:n], self.to_come[n:]
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


def _cores() -> tuple[int, ...]:
    """Those that this process may use; none where the operating system cannot say."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()
