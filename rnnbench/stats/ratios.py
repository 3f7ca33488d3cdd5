"""Medians, their spread, and ratios, from a few measured times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnbench.stats.intervals import Interval

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class MedianIqr:
    """A median, and the quartiles around it."""

    median: float
    quartiles: Interval
    n: int

    @property
    def spread(self) -> float:
        """The interquartile range as a fraction of the median."""
        return (self.quartiles.high - self.quartiles.low) / self.median


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two times; the interval is None where there is nothing to take one from."""

    value: float
    interval: Interval | None


def median_iqr(values: Sequence[float]) -> MedianIqr | None:
    """Median and quartiles, linear between values; None without values or if one is not finite.

    Source: Hyndman and Fan (1996), The American Statistician 50:361-365, type 7.
    """
    if not values or not all(map(math.isfinite, values)):
        return None
    import numpy as np

    low, middle, high = np.percentile(np.asarray(values, dtype=np.float64), [25, 50, 75])
    return MedianIqr(float(middle), Interval(float(low), float(high)), len(values))


def median_ratio(
    a: Sequence[float],
    b: Sequence[float],
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    n_resamples: int = 9_999,
) -> Ratio | None:
    """Median of a over median of b, with a percentile bootstrap interval.

    Both sides are resampled, independently. With five values a side it covers the true ratio less
    often than its level says; the report names the number of values beside it.

    Returns:
        None where a side has no values or one that is not finite and above 0.

    Source: Efron (1979), The Annals of Statistics 7:1-26.
    """
    if not (are_times(a) and are_times(b)):
        return None
    import numpy as np

    first, second = (np.asarray(values, dtype=np.float64) for values in (a, b))
    value = float(np.median(first) / np.median(second))
    if min(len(a), len(b)) < 2:
        return Ratio(value, None)
    drawn = [
        np.median(rng.choice(values, (n_resamples, len(values))), axis=1)
        for values in (first, second)
    ]
    tail = 50 * (1 - level)
    low, high = np.percentile(drawn[0] / drawn[1], [tail, 100 - tail])
    return Ratio(value, Interval(float(low), float(high)))


def unpaired_ratio(a: Sequence[float], b: Sequence[float], *, level: float = 0.95) -> Ratio | None:
    """The ratio of a to b, geometric means of times that nothing pairs, with Welch's interval.

    Returns:
        None where a side has no times or one that is not finite and above 0.

    Source: Welch (1947), Biometrika 34:28-35, on logarithms.
    """
    if not (are_times(a) and are_times(b)):
        return None
    import numpy as np
    from scipy import stats

    first, second = np.log(a), np.log(b)
    value = float(np.exp(first.mean() - second.mean()))
    if min(len(a), len(b)) < 2:
        return Ratio(value, None)
    if not (first.std() or second.std()):
        return Ratio(value, Interval(value, value))
    found = stats.ttest_ind(first, second, equal_var=False).confidence_interval(level)
    return Ratio(value, Interval(math.exp(found.low), math.exp(found.high)))


def are_times(values: Sequence[float]) -> bool:
    """Whether there are some, all finite and above 0."""
    return len(values) > 0 and all(math.isfinite(value) and value > 0 for value in values)
