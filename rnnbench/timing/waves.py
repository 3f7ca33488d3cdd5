"""The processes that measure: a large machine prepares several at once, then each has its turn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
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


def most_at_once() -> int:
    """How many processes are prepared at the same time; one on a small machine."""
    n_cores = len(_cores())
    return n_cores if n_cores >= CORES_TO_SHARE else 1


def cores_of(device: str, devices: Set[str]) -> tuple[int, ...]:
    """The cores of a device's processes where these devices are measured; empty for all."""
    cores = _cores()
    if len(devices) < 2 or len(cores) < CORES_TO_SHARE:
        return ()
    half = len(cores) // 2
    return cores[:half] if device == "cpu" else cores[half:]


def measure_wave(turns: Sequence[Turn], blocks: Blocks, log: Path) -> Iterator[Outcomes]:
    """What each process found, in the order in which they end.

    Measuring begins once all are prepared; of a device's processes one measures at a time.
    """
    children: list[tuple[Turn, Child]] = []
    try:
        for turn in turns:
            arguments = (turn.arms, turn.number, turn.looks, blocks, turn.cores)
            child = _start(answer_with_samples, turn.arms[0], *arguments, log=log)
            children.append((turn, child))
        ready: dict[str, list[tuple[Turn, Child]]] = {}
        for turn, child in children:
            answer = _hear(child)
            if answer == READY:
                ready.setdefault(turn.arms[0].device, []).append((turn, child))
            else:
                yield dict.fromkeys(turn.arms, answer)
        yield from _measure_in_turns(ready)
    finally:
        for _, child in children:
            child.end()


def call_in_fresh_process(
    target: Callable[..., None], arm: Arm, *arguments: object, log: Path
) -> Any:  # Any: what the target sends
    """What `target` sends from a process of the arm's own; a sentence where there is nothing."""
    child = _start(target, arm, arm, *arguments, log=log)
    try:
        return _hear(child)
    finally:
        child.end()


def _measure_in_turns(
    waiting: Mapping[str, list[tuple[Turn, Child]]],
) -> Iterator[Outcomes]:
    """One process of each device at a time."""
    at_work: dict[Any, tuple[str, Turn, Child]] = {}  # Any: the parent's end of a pipe
    while True:
        busy = {device for device, _, _ in at_work.values()}
        for device, queue in waiting.items():
            if queue and device not in busy:
                turn, child = queue.pop(0)
                with suppress(OSError):  # it died while it waited; what it sends tells
                    child.pipe.send(READY)
                at_work[child.pipe] = device, turn, child
        if not at_work:
            return
        for pipe in wait(list(at_work), MOST_SECONDS) or list(at_work):
            _, turn, child = at_work.pop(pipe)
            answer = _hear(child, seconds=0)
            child.end()
            yield answer if isinstance(answer, dict) else dict.fromkeys(turn.arms, answer)


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
