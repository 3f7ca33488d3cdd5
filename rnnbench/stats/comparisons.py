"""Two samples against each other: intervals of the difference of means, who beats whom, Holm.

As in `intervals`, a value that is not finite makes an estimate None.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rnnbench.stats.intervals import Interval, mean_sd, t_interval, t_quantile


@dataclass(frozen=True, slots=True)
class Improvement:
    """The probability that one value of a exceeds one of b, and its interval."""

    probability: float
    interval: Interval


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Each p adjusted for the number of tests, so that all stay below a level together.

    A p that is None or NaN stays None and does not count as a test.

    Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70.
    """
    known = sorted(
        (p, place) for place, p in enumerate(p_values) if p is not None and not math.isnan(p)
    )
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        adjusted[place] = largest
    return adjusted


def paired_interval(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Interval | None:
    """The interval of mean(a) - mean(b) by Student's t on the differences; None below two.

    Raises:
        ValueError: a and b differ in length.
    """
    return t_interval([x - y for x, y in zip(a, b, strict=True)], level)


def welch_interval(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Interval | None:
    """The interval of mean(a) - mean(b) of independent samples whose spreads may differ.

    Returns:
        None if either has fewer than two values, or one is not finite; no width if neither spreads.

    Source: Welch (1947), Biometrika 34:28-35.
    """
    first, second = mean_sd(a), mean_sd(b)
    if not (math.isfinite(first.sd) and math.isfinite(second.sd)):
        return None
    difference = first.mean - second.mean
    var_a, var_b = first.sd**2 / first.n, second.sd**2 / second.n
    if var_a + var_b == 0:
        return Interval(difference, difference)
    df = (var_a + var_b) ** 2 / (var_a**2 / (first.n - 1) + var_b**2 / (second.n - 1))
    half = t_quantile(level, df) * math.sqrt(var_a + var_b)
    return Interval(difference - half, difference + half)


def correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Pearson's r; None below three pairs, if a side is constant or a value is not finite.

    Raises:
        ValueError: a and b differ in length.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values cannot be paired with {len(b)}")
    if len(a) < 3 or not _are_finite(a, b) or min(a) == max(a) or min(b) == max(b):
        return None
    return statistics.correlation(a, b)


def win_share(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The share of all pairs (x of a, y of b) with x > y, a tie counting half: U / (n_a · n_b).

    Returns:
        None if either is empty, or a value is not finite.
    """
    if not _are_finite(a, b):
        return None
    ordered = np.sort(np.asarray(b, dtype=np.float64))
    below = np.searchsorted(ordered, a, side="left").sum()
    below_or_equal = np.searchsorted(ordered, a, side="right").sum()
    return float(below + below_or_equal) / (2 * len(a) * len(b))


def probability_of_improvement(
    a: Sequence[float], b: Sequence[float], level: float = 0.95
) -> Improvement | None:
    """P(one value of a > one of b), a tie counting half, with Newcombe's interval (method 5).

    The interval solves |estimate - θ| = z · se(θ) with Hanley and McNeil's standard error at θ, so
    that it keeps its width where every a beats every b and a bootstrap would say [1, 1]. It takes
    a and b for independent samples.

    Returns:
        None if either is empty, or a value is not finite.

    Source: Newcombe (2006), Statistics in Medicine 25:559-573; Hanley and McNeil (1982), Radiology
    143:29-36.
    """
    estimate = win_share(a, b)
    if estimate is None:
        return None
    z = statistics.NormalDist().inv_cdf((1 + level) / 2)
    n_star = (len(a) + len(b)) / 2 - 1

    def excess(theta: float) -> float:
        """How far θ lies outside z standard errors; its root is an end of the interval."""
        shape = 1 + n_star * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        variance = theta * (1 - theta) * shape / (len(a) * len(b))
        return abs(estimate - theta) - z * math.sqrt(max(variance, 0.0))

    # At an estimate of 0 or 1 the estimate itself is a root too, and not the one that is meant.
    low = _root(excess, 0.0, estimate - 1e-12) if estimate > 0 else 0.0
    high = _root(excess, estimate + 1e-12, 1.0) if estimate < 1 else 1.0
    return Improvement(estimate, Interval(low, high))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high))


def _are_finite(a: Sequence[float], b: Sequence[float]) -> bool:
    return bool(len(a) and len(b)) and all(map(math.isfinite, [*a, *b]))
