"""How many seeds a verdict needs, and what a single one would have told."""

import bisect
import itertools
import math
import statistics
from collections.abc import Sequence

from rnnbench.stats.comparisons import win_share
from rnnbench.stats.intervals import t_quantile

MOST_SEEDS = 1_000_000

_N_POINTS = 400  # more change nothing in the tenth decimal, from six pairs on


def seeds_for_verdicts(n_pairs: int, level: float = 0.05, *, is_paired: bool = True) -> int:
    """The fewest seeds with which an exact test can reach `level` under Holm.

    With n pairs of runs the smallest two-sided p of the sign-flip test is 2^(1 - n), with n runs
    against n that of Mann and Whitney's is 2 / C(2n, n); the most extreme of `n_pairs` comparisons
    needs `level / n_pairs` (Holm 1979, the first step).
    """
    if is_paired:
        return math.ceil(1 - math.log2(level / n_pairs))
    return next(n for n in itertools.count(1) if 2 / math.comb(2 * n, n) <= level / n_pairs)


def seeds_needed(
    sd_of_differences: float,
    margin: float,
    n_tests: int,
    *,
    power: float = 0.8,
    level: float = 0.05,
) -> int | None:
    """The fewest paired seeds that find a true difference of `margin` with this power.

    By the paired t test at `level / n_tests`, and never fewer than `seeds_for_verdicts`; with just
    so many, equal signs of all differences have to be as likely too, for the sign-flip test, which
    gives the verdict, asks for them. The margin is the declared one: with the observed difference
    in its place the answer would only restate the p value (Hoenig and Heisey 2001, The American
    Statistician 55:19-24).

    Args:
        sd_of_differences: between seeds; 0 needs the fewest that can decide at all.

    Returns:
        None if the spread is not a number, the margin is not above 0, or a million do not suffice.
    """
    if not (math.isfinite(sd_of_differences) and margin > 0):
        return None
    fewest = max(2, seeds_for_verdicts(max(1, n_tests), level))
    if sd_of_differences == 0:
        return fewest

    def is_enough(n: int) -> bool:
        return _verdict_power(n, margin / sd_of_differences, level / max(1, n_tests)) >= power

    low, high = fewest, fewest
    while not is_enough(high):
        if high >= MOST_SEEDS:
            return None
        low, high = high + 1, min(2 * high, MOST_SEEDS)
    return low + bisect.bisect_left(range(low, high), True, key=is_enough)


def detectable_difference(
    sd_of_differences: float,
    n_seeds: int,
    n_tests: int,
    *,
    power: float = 0.8,
    level: float = 0.05,
) -> float | None:
    """The smallest true difference that so many paired seeds find with this power.

    As `seeds_needed` reckons, whose inverse it is.

    Returns:
        None if so few seeds can decide nothing at all, or the spread is not a number.
    """
    if not math.isfinite(sd_of_differences) or sd_of_differences <= 0:
        return None
    if n_seeds < max(2, seeds_for_verdicts(max(1, n_tests), level)):
        return None
    low, high = 0.0, 1.0
    while _verdict_power(n_seeds, high, level / max(1, n_tests)) < power:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        enough = _verdict_power(n_seeds, middle, level / max(1, n_tests)) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high * sd_of_differences


def _verdict_power(n: int, effect: float, level: float) -> float:
    """The t test's, and no more than the chance of n equal signs where only they reach `level`."""
    of_t_test = paired_power(n, effect, level)
    if 2.0 ** (2 - n) <= level:
        return of_t_test
    positive = statistics.NormalDist().cdf(effect)
    return min(of_t_test, positive**n + (1 - positive) ** n)


def paired_power(n: int, effect: float, level: float) -> float:
    """Power of the two-sided paired t test; `effect` is in standard deviations of a difference.

    The mean, over the sample's standard deviation, of the power at each of its values. SciPy's own
    noncentral t distribution (`nctdtr`, `stats.nct`) says NaN to a third of what is asked here.
    """
    import numpy as np
    from scipy.special import ndtr

    df = n - 1
    # Within nine standard deviations of 1; the sample's, as a multiple of the true one.
    reach = 9 / math.sqrt(2 * df)
    low = max(1 - reach, 0.0)
    sd = low + (1 + reach - low) * (np.arange(_N_POINTS) + 0.5) / _N_POINTS
    log_density = (df - 1) * np.log(sd) - df * sd**2 / 2
    density = np.exp(log_density - log_density.max())
    critical, shift = t_quantile(1 - level, df) * sd, effect * math.sqrt(n)
    power = ndtr(shift - critical) + ndtr(-shift - critical)
    return float(density @ power / density.sum())


def reversal_probability(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The chance that one value of each orders a and b against their means.

    Over all combinations of a value of a and one of b, a tie counting half.

    Returns:
        None below two values on either side, if one is not finite, or if the means are equal.
    """
    share = win_share(a, b)
    if share is None or min(len(a), len(b)) < 2:
        return None
    difference = statistics.fmean(a) - statistics.fmean(b)
    if difference == 0:
        return None
    return 1 - share if difference > 0 else share
