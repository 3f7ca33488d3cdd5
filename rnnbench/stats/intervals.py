"""Means, their spread, and intervals, from a few numbers.

A value that is not finite makes an interval None: failed runs are left out by the caller, who
counts them, and never here.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_MAX_DRAWN = 2_000_000  # values in memory at once while resampling


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both included; bounded where an end was moved to what is possible."""

    low: float
    high: float
    is_bounded: bool = False

    def contains(self, value: float) -> bool:
        """Whether the value lies inside or on an end; NaN lies nowhere."""
        return self.low <= value <= self.high

    def mirrored(self) -> Interval:
        """That of the negative: of b - a where this is of a - b."""
        return Interval(-self.high, -self.low, self.is_bounded)

    def bounded(self, low: float, high: float) -> Interval:
        """What of it lies between two values that its quantity cannot pass: it covers as much."""
        if low <= self.low and self.high <= high:
            return self
        return Interval(max(self.low, low), min(self.high, high), is_bounded=True)


@dataclass(frozen=True, slots=True)
class MeanSd:
    """A mean and the sample standard deviation (n - 1) around it; NaN where n is too small."""

    mean: float
    sd: float
    n: int


def mean_sd(values: Sequence[float]) -> MeanSd:
    """Mean and standard deviation; NaN in, NaN out."""
    n = len(values)
    mean = statistics.fmean(values) if n else math.nan
    # statistics.stdev raises where a value is not finite.
    sd = statistics.stdev(values) if n > 1 and math.isfinite(mean) else math.nan
    return MeanSd(mean, sd, n)


def t_interval(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """The interval of the mean by Student's t; equal values give one of no width.

    Returns:
        None below two values, or if one is not finite.

    Source: Student (1908), Biometrika 6:1-25.
    """
    found = mean_sd(values)
    if not math.isfinite(found.sd):
        return None
    half = t_quantile(level, found.n - 1) * found.sd / math.sqrt(found.n)
    return Interval(found.mean - half, found.mean + half)


def prediction_interval(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """Where one new value of the same kind falls: mean ± t · sd · sqrt(1 + 1/n).

    Returns:
        None below two values, or if one is not finite.
    """
    found = mean_sd(values)
    if not math.isfinite(found.sd):
        return None
    half = t_quantile(level, found.n - 1) * found.sd * math.sqrt(1 + 1 / found.n)
    return Interval(found.mean - half, found.mean + half)


def bootstrap_interval(
    values: Sequence[float],
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    n_resamples: int = 9_999,
) -> Interval | None:
    """The percentile bootstrap interval of the mean.

    It is too narrow at small n, so it stands beside `t_interval`, never alone. The corrected form
    (BCa) would estimate a skewness from the same handful of values.

    Returns:
        None below two values, if one is not finite, or if all are equal.

    Source: Efron (1979), The Annals of Statistics 7:1-26.
    """
    if len(values) < 2 or not all(map(math.isfinite, values)) or min(values) == max(values):
        return None
    import numpy as np
    from scipy.stats import bootstrap

    found = bootstrap(
        (np.asarray(values, dtype=np.float64),),
        np.mean,
        n_resamples=n_resamples,
        batch=max(1, _MAX_DRAWN // len(values)),
        vectorized=True,
        confidence_level=level,
        method="percentile",
        rng=rng,
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def interquartile_mean(values: Sequence[float]) -> float | None:
    """The mean of the middle half: a quarter of the values, rounded down, is cut at each end.

    Returns:
        None below five values, or if one is not finite.

    Source: Agarwal et al. (2021), NeurIPS 34, https://arxiv.org/abs/2108.13264.
    """
    if len(values) < 5 or not all(map(math.isfinite, values)):
        return None
    from scipy.stats import trim_mean

    return float(trim_mean(values, 0.25))


def t_quantile(level: float, df: float) -> float:
    """How many standard errors an interval of this level reaches to either side."""
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + level) / 2))
