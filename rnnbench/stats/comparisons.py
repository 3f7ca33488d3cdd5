"""Two samples against each other: tests, intervals of the difference, who beats whom.

As in `intervals`, a value that is not finite makes an estimate None.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnbench.stats.intervals import Interval, mean_sd, t_interval, t_quantile

EXACT_UP_TO = 14
"""Pairs up to which all 2^n signs are tried; above, signs are drawn."""

_MAX_TRIED = 1 << 21  # values in memory at once
_MAX_DRAWN = 1 << 17  # bytes of signs at once
_MAX_EXACT_RANKS = 2_500  # n_a * n_b; the count of all rankings takes its square in time


@dataclass(frozen=True, slots=True)
class Improvement:
    """The probability that one value of a exceeds one of b, and its interval."""

    probability: float
    interval: Interval


def sign_flip_p_values(
    samples: Sequence[Sequence[float]], *, seed: int = 0, n_resamples: int = 99_999
) -> list[float | None]:
    """Two-sided p of the paired sign-flip permutation test on the mean, of each sample by itself.

    Exact up to 14 differences: the share of all 2^n assignments of signs whose mean is at least as
    far from 0. Above, over `n_resamples` assignments drawn from the seed, and the observed one.
    All samples at once are quicker than one by one.

    Returns:
        Of each sample: None below two differences, or if one is not finite; 1 if all are 0.

    Source: Fisher (1935), The Design of Experiments, section 21; Phipson and Smyth (2010),
    Statistical Applications in Genetics and Molecular Biology 9:39, for the drawn one.
    """
    places: dict[int, list[int]] = {}
    for place, sample in enumerate(samples):
        if len(sample) > 1 and all(map(math.isfinite, sample)):
            places.setdefault(len(sample), []).append(place)
    found: list[float | None] = [None] * len(samples)
    for n, same_size in places.items():
        values = np.array([samples[place] for place in same_size], dtype=np.float64)
        largest = np.abs(values).max(axis=1, keepdims=True)
        values /= np.where(largest > 0, largest, 1)
        if n <= EXACT_UP_TO:
            p_values = _try_all_signs(values)
        else:
            p_values = [_draw_signs(row, seed, n_resamples) for row in values]
        for place, p in zip(same_size, p_values, strict=True):
            found[place] = p
    return found


def mann_whitney_p(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Two-sided p of Mann and Whitney's test; exact without ties up to 50 against 50.

    With ties, or above, by the normal approximation with corrections for ties and continuity.

    Returns:
        None if either is empty, or a value is not finite.

    Source: Mann and Whitney (1947), The Annals of Mathematical Statistics 18:50-60.
    """
    if not _are_finite(a, b):
        return None
    from scipy.stats import mannwhitneyu

    has_ties = len({*a, *b}) < len(a) + len(b)
    is_exact = not has_ties and len(a) * len(b) <= _MAX_EXACT_RANKS
    return float(mannwhitneyu(a, b, method="exact" if is_exact else "asymptotic").pvalue)


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


def _try_all_signs(values: NDArray[np.float64]) -> list[float]:
    """The exact p of each row of `values`, float64 `(n_samples, n)`."""
    from scipy.stats import permutation_test

    n = values.shape[1]
    n_rows = max(1, _MAX_TRIED >> n)
    p_values: list[float] = []
    for start in range(0, len(values), n_rows):
        rows = values[start : start + n_rows]
        found = permutation_test(
            (rows,),
            _rounded_mean,
            permutation_type="samples",
            vectorized=True,
            n_resamples=math.inf,
            batch=max(1, _MAX_TRIED // rows.size),
            axis=-1,
        )
        p_values += found.pvalue.tolist()
    return p_values


def _rounded_mean(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    # The same mean, added up in another order, differs in its last bits; it has to count as equal.
    return np.asarray(np.round(values.mean(axis=axis), 12))


def _draw_signs(values: NDArray[np.float64], seed: int, n_resamples: int) -> float:
    """The p of one sample, float64 `(n,)`, over drawn signs: a byte holds eight.

    SciPy draws a permutation of two indices for every sign, which takes 100 times as long.
    """
    rng = np.random.default_rng(seed)
    n_bytes = -(-len(values) // 8)
    eights = np.pad(values, (0, 8 * n_bytes - len(values))).reshape(n_bytes, 8)
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    sums_of_byte = eights @ (1.0 - 2.0 * bits.T)  # (n_bytes, 256)
    bound = abs(values.sum()) - 1e-12 * len(values)
    n_rows = max(1, _MAX_DRAWN // n_bytes)
    n_extreme = 0
    for start in range(0, n_resamples, n_rows):
        size = (min(n_rows, n_resamples - start), n_bytes)
        drawn = rng.integers(256, size=size, dtype=np.uint8)
        sums = sums_of_byte[np.arange(n_bytes), drawn].sum(axis=1)
        n_extreme += int(np.count_nonzero(np.abs(sums) >= bound))
    return (n_extreme + 1) / (n_resamples + 1)


def _are_finite(a: Sequence[float], b: Sequence[float]) -> bool:
    return bool(len(a) and len(b)) and all(map(math.isfinite, [*a, *b]))
