"""Shares of runs: how far a count reaches, and whether two counts differ."""

import numpy as np
from numpy.typing import NDArray

from rnnbench.stats.intervals import Interval


def share_interval(n_yes: int, n: int, level: float = 0.95) -> Interval:
    """The exact interval of a share of which `n_yes` of n were seen.

    Raises:
        ValueError: n is 0, or below `n_yes`.
    """
    if not 0 <= n_yes <= n or n == 0:
        raise ValueError(f"{n_yes} of {n} is not a share")
    low, high = share_intervals(np.array([n_yes]), n, level)
    return Interval(float(low[0]), float(high[0]))


def share_intervals(
    n_yes: NDArray[np.int64], n: int, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends for each of several counts of n: the shares at which it, or a farther one, is rare.

    Source: Clopper and Pearson (1934), Biometrika 26:404-413.
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low, high = np.zeros(len(n_yes)), np.ones(len(n_yes))
    some, not_all = n_yes > 0, n_yes < n
    low[some] = betaincinv(n_yes[some], n - n_yes[some] + 1, tail)
    high[not_all] = betaincinv(n_yes[not_all] + 1, n - n_yes[not_all], 1 - tail)
    return low, high


def fisher_p(n_yes_a: int, n_a: int, n_yes_b: int, n_b: int) -> float:
    """Two-sided p of Fisher's exact test of two shares.

    Source: Fisher (1935), Journal of the Royal Statistical Society 98:39-82.
    """
    from scipy.stats import fisher_exact

    return float(fisher_exact([[n_yes_a, n_a - n_yes_a], [n_yes_b, n_b - n_yes_b]]).pvalue)
