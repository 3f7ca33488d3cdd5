"""Ratios of times that were measured in turns: rounds within processes, processes as clusters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from rnnbench.stats.intervals import Interval
from rnnbench.stats.ratios import Ratio, are_times

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRIMMED = 0.25
"""Of the rounds, at either end: what is left is the interquartile mean."""
FEWEST_DEGREES = 4
"""Of freedom, before an interval may be called narrow enough."""


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """Arms that took turns in each of several processes.

    Args:
        logs: of each process float64 `(n_rounds, n_arms)`: logarithms of times; the arms of a row
            were measured one right after the other.
    """

    logs: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, blocks: Sequence[Sequence[Sequence[float]]]) -> Turns:
        """Of each process and arm the times of its rounds; cut to the rounds that all arms have.

        A process without a round, or with a time that is not finite and above 0, is left out.
        """
        import numpy as np

        logs = []
        for arms in blocks:
            n = min(map(len, arms), default=0)
            if n and all(are_times(each[:n]) for each in arms):
                logs.append(np.log(np.array([each[:n] for each in arms]).T))
        return cls(tuple(logs))

    @property
    def degrees(self) -> int:
        """Of freedom of the differences between processes, over all arms."""
        n_arms = self.logs[0].shape[1] if self.logs else 0
        return max(0, n_arms - 1) * max(0, len(self.logs) - 1)

    def ratio(self, a: int, b: int, *, level: float = 0.95) -> Ratio | None:
        """The time of one arm over another's, with an interval.

        In logarithms: within each round an arm is held against the mean of all arms there, so that
        what slows the machine for longer than a round cancels; a process counts with the
        interquartile mean over its rounds; the ratio is the mean over processes. Differences add
        up, so that ratios from arm to arm multiply to the whole.

        The interval is Student's, in a design of processes (blocks) and arms. Its variance is the
        largest of three: the residual that all arms share, that of this pair alone, and what the
        rounds within the processes explain by themselves. It is meant for arms that are about as
        uneven from process to process: where one is much less even than the others, its ratios have
        an interval that is too narrow (docs/method.md, 'Timing', says by how much).

        Returns:
            None without a process; without an interval from a single one.

        Source: Montgomery (2017), Design and Analysis of Experiments, section 4.1 (randomized
        complete blocks); Tukey and McLaughlin (1963), Sankhya A 25:331-352 (error of a trimmed
        mean).
        """
        if not self.logs:
            return None
        effects = self._effects()
        value = math.exp(float((effects[:, a] - effects[:, b]).mean()))
        half = self._half_width(effects, a, b, level)
        if half is None:
            return Ratio(value, None)
        return Ratio(value, Interval(value * math.exp(-half), value * math.exp(half)))

    @property
    def precision(self) -> float:
        """How far the widest interval of any two arms reaches above its ratio: 0.05 for 5 %.

        Infinite while the degrees of freedom are too few.
        """
        if self.degrees < FEWEST_DEGREES:
            return math.inf
        effects = self._effects()
        pairs = combinations(range(effects.shape[1]), 2)
        return max(math.expm1(self._half_width(effects, *pair, 0.95) or 0.0) for pair in pairs)

    def _effects(self) -> NDArray[np.float64]:
        """Of each process and arm; `(n_processes, n_arms)`."""
        import numpy as np
        from scipy.stats import trim_mean

        within = (each - each.mean(axis=1, keepdims=True) for each in self.logs)
        found = np.array([trim_mean(each, TRIMMED, axis=0) for each in within])
        return np.asarray(found - found.mean(axis=1, keepdims=True))  # trimming has moved it

    def _half_width(
        self, effects: NDArray[np.float64], a: int, b: int, level: float
    ) -> float | None:
        if self.degrees == 0:
            return None
        from scipy import stats

        n = len(effects)
        rest = effects - effects.mean(axis=0)
        shared = 2 * float((rest**2).sum()) / self.degrees
        own = float((effects[:, a] - effects[:, b]).var(ddof=1))
        within = sum(error_of_difference(each, a, b) ** 2 for each in self.logs) / n
        quantile = float(stats.t.ppf((1 + level) / 2, self.degrees))
        return quantile * math.sqrt(max(shared, own, within) / n)


def worst_error(logs: NDArray[np.float64]) -> float:
    """The largest standard error of a difference between arms of one process; `(rounds, arms)`."""
    pairs = combinations(range(logs.shape[1]), 2)
    return max((error_of_difference(logs, *pair) for pair in pairs), default=0.0)


def error_of_difference(logs: NDArray[np.float64], a: int, b: int) -> float:
    """The standard error of the interquartile mean over the rounds; 0 for a single round."""
    import numpy as np

    found = np.sort(logs[:, a] - logs[:, b])
    n = len(found)
    if n < 2:
        return 0.0
    cut = int(TRIMMED * n)
    winsorized = np.clip(found, found[cut], found[n - cut - 1])
    return float(winsorized.std(ddof=1)) / ((1 - 2 * cut / n) * math.sqrt(n))
