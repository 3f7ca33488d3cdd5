"""Estimates from a few numbers: arrays in, numbers out."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MeanSd", "mean_sd", "seeds_for_verdicts"]


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


def seeds_for_verdicts(n_pairs: int, level: float = 0.05) -> int:
    """The fewest paired seeds with which an exact sign-flip test can reach `level` under Holm.

    With n pairs of runs the smallest two-sided p is 2^(1 - n); the most extreme of `n_pairs`
    comparisons needs `level / n_pairs` (Holm 1979, the first step).
    """
    return math.ceil(1 - math.log2(level / n_pairs))
