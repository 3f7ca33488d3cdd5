"""The arms of a group take turns, round by round, in the process or the two that hold them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Protocol, TypeAlias

from rnnbench.execution.environment import processes_at_work
from rnnbench.stats.turns import Turns, worst_error
from rnnbench.timing.arms import Arm
from rnnbench.timing.measure import Blocks
from rnnbench.timing.sessions import Sample

ERROR_SHARE = 2.2
"""A process goes on until its ratios' errors are the precision asked for over this. More rounds
cost time, and fewer cost processes: of simulated studies those with this share end soonest."""
MOST_PAUSE = 0.5
"""Seconds that the wall clock may gain on the one that stands still while a machine sleeps."""
MOST_STRETCH = 10.0
"""So many times as long as it mostly lasts, and a second longer, a round was interrupted."""

TRAINING = ("settle", "train")
"""What every arm has blocks of."""

Outcomes: TypeAlias = dict[Arm, Sample | str]
"""Of each arm its sample, or the sentence that says why there is none."""


class Holds(Protocol):
    """A process that holds arms, of whichever interpreter."""

    def ask(self, name: str, arm: Arm, *arguments: object) -> Any:  # Any: see `answer_requests`
        """What it answers; a sentence where it cannot."""


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
    holders: Mapping[Arm, Holds], number: int, *, looks: bool, blocks: Blocks, wanted: Wanted
) -> Outcomes:
    """What arms took that have been prepared; between the blocks nothing else is at work.

    Args:
        holders: of each arm the process that holds it; of several, one has its turn at a time.
        number: the repeat's, from 0 up.
        looks: also time evaluation and prediction.
    """
    load = processes_at_work(n_looks=3)
    rounds = _Rounds(holders, random.Random(number))
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


class _Rounds:
    """Rounds of blocks, and what they took."""

    def __init__(self, holders: Mapping[Arm, Holds], order: random.Random) -> None:
        self._holders = holders
        self._order = order
        self._failed: dict[Arm, str] = {}
        self._ms: dict[str, list[dict[Arm, float]]] = {"train": [], "evaluate": [], "predict": []}
        self._seconds: list[float] = []

    @property
    def _arms(self) -> list[Arm]:
        """Those that go on."""
        return [arm for arm in self._holders if arm not in self._failed]

    def take(self, name: str, *, keep: bool = False) -> None:
        """A block of every arm, in random order; a round in which the machine paused is dropped."""
        began, gained = time.monotonic(), _wall_gain()
        ms: dict[Arm, float] = {}
        arms = [arm for arm in self._arms if name in TRAINING or arm.has_forward]
        for arm in self._order.sample(arms, len(arms)):
            answer = self._holders[arm].ask(name, arm)
            if isinstance(answer, str):
                self._failed[arm] = answer
            elif answer is not None:
                ms[arm] = answer
        seconds = time.monotonic() - began
        if keep and not self._paused(seconds, abs(_wall_gain() - gained)):
            self._seconds.append(seconds)
            self._ms[name].append(ms)

    def is_enough(self, n_taken: int, seconds: float, blocks: Blocks, wanted: Wanted) -> bool:
        """Whether the rounds of training tell the ratios well enough."""
        if not self._arms:
            return True
        if n_taken < blocks.rounds:
            return False
        if seconds >= blocks.most_seconds or time.monotonic() >= wanted.until:
            return True
        found = Turns.of([[self._times("train", arm) for arm in self._arms]])
        target = math.log1p(wanted.precision) / ERROR_SHARE
        return not found.logs or worst_error(found.logs[0]) <= target

    def give_samples(self, number: int, load: float) -> Outcomes:
        """What the rounds came to."""
        outcomes: Outcomes = dict(self._failed)
        for arm in self._arms:
            sample = self._holders[arm].ask("describe", arm)
            if isinstance(sample, Sample):
                sample = replace(
                    sample,
                    train_ms=self._times("train", arm),
                    evaluate_ms=self._times("evaluate", arm),
                    predict_ms=self._times("predict", arm),
                    process=number,
                    load=load,
                )
                if not sample.train_ms:
                    sample = replace(sample, problem="the machine paused in every round")
            outcomes[arm] = sample
        return outcomes

    def _times(self, name: str, arm: Arm) -> tuple[float, ...]:
        """Milliseconds a step, of every round; five digits tell more than the clock knows."""
        return tuple(float(f"{ms[arm]:.5g}") for ms in self._ms[name] if arm in ms)

    def _paused(self, seconds: float, gained: float) -> bool:
        """Whether the machine slept, or stood still, during a round."""
        usual = median(self._seconds) if self._seconds else math.inf
        return gained > MOST_PAUSE or seconds > max(MOST_STRETCH * usual, usual + 1)


def _wall_gain() -> float:
    """How far the wall clock is ahead of the monotonic one, which stops while a machine sleeps."""
    return time.time() - time.monotonic()
