"""Which share of the runs scores above each score, and how sure that share is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnbench.stats.shares import share_intervals


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """A step function that falls from 1 to 0, and the band around it.

    `shares[0]` holds below `scores[0]`; `shares[i]` from `scores[i - 1]`, included, up to
    `scores[i]`, not included; the last one, 0, from the highest score on.

    Args:
        scores: float64 `(n_steps,)`, the distinct scores, rising, in their own unit.
        shares: float64 `(n_steps + 1,)`, from 1 to 0.
        low, high: float64 `(n_steps + 1,)`, the band's ends where `shares` holds.
    """

    scores: NDArray[np.float64]
    shares: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def performance_profile(scores: Sequence[float], level: float = 0.95) -> Profile | None:
    """The share of runs that score above each score, with a pointwise band.

    At a score that is named beforehand the number of runs above it is binomial, and the band is
    Clopper and Pearson's interval for its share: it holds the true share with a probability of at
    least `level`, whatever the scores' distribution, if runs are independent. That is so for each
    score by itself; the whole curve leaves the band more often.

    Returns:
        None without a score, or if one is not finite.

    Source: Agarwal et al. (2021), NeurIPS 34, arXiv:2108.13264, for the profile (their band is a
    bootstrap's); Clopper and Pearson (1934), Biometrika 26:404-413, for the band.
    """
    if not scores or not all(map(math.isfinite, scores)):
        return None
    distinct, counts = np.unique(np.asarray(scores, dtype=np.float64), return_counts=True)
    n = len(scores)
    n_above = n - np.concatenate([[0], np.cumsum(counts)])
    low, high = share_intervals(n_above, n, level)
    return Profile(scores=distinct, shares=n_above / n, low=low, high=high)
