"""The arms of a group take turns, round by round, in the process or the two that hold them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from rnnbench.execution.environment import processes_at_work
from rnnbench.stats.turns import Turns, worst_error
from rnnbench.timing.arms import Arm
from rnnbench.timing.measure import Blocks
from rnnbench.timing.samples import Sample

ERROR_SHARE = 2.2
"""A process goes on until its ratios' errors are the precision asked for over this. More rounds
cost time, and fewer cost processes: of simulated studies those with this share end soonest."""
MOST_PAUSE = 0.5
"""Seconds that the wall clock may gain on the one that stands still while a machine sleeps."""
MOST_STRETCH = 10.0
"""So many times as long as it mostly lasts, and a second longer, a round was interrupted."""

TRAINING = ("settle", "train")
"""What every arm has blocks of."""

K = TypeVar("K", bound=Hashable)
Outcomes: TypeAlias = dict[Arm, Sample | str]
"""Of each arm its sample, or the sentence that says why there is none."""


class Held(Protocol):
    """An arm in a process that holds it, of whichever interpreter."""

    @property
    def arm(self) -> Arm:
        """What it is."""

    def ask(self, name: str) -> Any:  # Any: see `answer_requests`
        """What the process answers; a sentence where it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """When enough has been measured.

    Args:
        precision: how far above its ratio the widest interval may reach: 0.05 for 5 %.
        until: on the monotonic clock, when to stop all the same.
    """

    precision: float = 0.05
    until: float = math.inf


def measure_group(
    held: Mapping[K, Held], number: int, *, looks: bool, blocks: Blocks, wanted: Wanted
) -> dict[K, Sample | str]:
    """What arms took that have been prepared, or why not; one of them has its turn at a time.

    Args:
        held: by whatever tells them apart: the same arm of two installations may be among them.
        number: the repeat's, from 0 up.
        looks: also time evaluation and prediction.
    """
    load = processes_at_work(n_looks=3)
    rounds = _Rounds(held, random.Random(number))
    for _ in range(2):
        rounds.take("settle")
    for _ in range(blocks.warm_up_rounds):
        rounds.take("train")
    began, n_taken = time.monotonic(), 0
    while not rounds.is_enough(n_taken, time.monotonic() - began, blocks, wanted):
        rounds.take("train", keep=True)
        n_taken += 1
    for name in ("evaluate", "predict"):
        for _ in range(blocks.forward_rounds if looks else 0):
            rounds.take(name, keep=True)
    return rounds.give_samples(number, load)


def is_precise_enough(times: Sequence[Sequence[float]], precision: float) -> bool:
    """Whether one process's rounds tell the ratios of its arms well enough.

    Args:
        times: of each arm, a value a round.
    """
    logs = Turns.of([times]).logs
    return not logs or worst_error(logs[0]) <= math.log1p(precision) / ERROR_SHARE


class _Rounds(Generic[K]):
    """Rounds of blocks, and what they took."""

    def __init__(self, held: Mapping[K, Held], order: random.Random) -> None:
        self._held = held
        self._order = order
        self._failed: dict[K, str] = {}
        self._ms: dict[str, list[dict[K, float]]] = {"train": [], "evaluate": [], "predict": []}
        self._seconds: list[float] = []

    @property
    def _keys(self) -> list[K]:
        """Of those that go on."""
        return [key for key in self._held if key not in self._failed]

    def take(self, name: str, *, keep: bool = False) -> None:
        """A block of every arm, in random order; a round in which the machine paused is dropped."""
        began, gained = time.monotonic(), _wall_gain()
        ms: dict[K, float] = {}
        keys = [key for key in self._keys if name in TRAINING or self._held[key].arm.has_forward]
        for key in self._order.sample(keys, len(keys)):
            answer = self._held[key].ask(name)
            if isinstance(answer, str):
                self._failed[key] = answer
            elif answer is not None:
                ms[key] = float(f"{answer:.5g}")  # more digits than the clock knows
        seconds = time.monotonic() - began
        if keep and not self._paused(seconds, abs(_wall_gain() - gained)):
            self._seconds.append(seconds)
            self._ms[name].append(ms)

    def is_enough(self, n_taken: int, seconds: float, blocks: Blocks, wanted: Wanted) -> bool:
        """Whether the rounds of training tell the ratios well enough."""
        if not self._keys:
            return True
        if n_taken < blocks.rounds:
            return False
        if seconds >= blocks.most_seconds or time.monotonic() >= wanted.until:
            return True
        times = [self._times("train", key) for key in self._keys]
        return is_precise_enough(times, wanted.precision)

    def give_samples(self, number: int, load: float) -> dict[K, Sample | str]:
        """What the rounds came to."""
        outcomes: dict[K, Sample | str] = dict(self._failed)
        for key in self._keys:
            sample = self._held[key].ask("describe")
            if isinstance(sample, Sample):
                sample = replace(
                    sample,
                    train_ms=self._times("train", key),
                    evaluate_ms=self._times("evaluate", key),
                    predict_ms=self._times("predict", key),
                    process=number,
                    load=load,
                )
                if not sample.train_ms:
                    sample = replace(sample, problem="the machine paused in every round")
            outcomes[key] = sample
        return outcomes

    def _times(self, name: str, key: K) -> tuple[float, ...]:
        """Milliseconds a step, of every round."""
        return tuple(ms[key] for ms in self._ms[name] if key in ms)

    def _paused(self, seconds: float, gained: float) -> bool:
        """Whether the machine slept, or stood still, during a round."""
        usual = median(self._seconds) if self._seconds else math.inf
        return gained > MOST_PAUSE or seconds > max(MOST_STRETCH * usual, usual + 1)


def _wall_gain() -> float:
    """How far the wall clock is ahead of the monotonic one, which stops while a machine sleeps."""
    return time.time() - time.monotonic()
