"""How many seeds a verdict needs, and what a single one would have told."""

import bisect
import itertools
import math
import statistics
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

from rnnbench.stats.comparisons import win_share
from rnnbench.stats.intervals import t_quantile
from rnnbench.stats.ranks import walsh_outside

MOST_SEEDS = 1_000_000

_SIMULATED_UP_TO = 40
"""Seeds up to which the power of the signed-rank test is simulated; above, an approximation."""

_N_SAMPLES = 20_000


def seeds_for_verdicts(n_pairs: int, level: float = 0.05, *, is_paired: bool = True) -> int:
    """The fewest seeds with which an exact test can reach `level` under Holm.

    With n pairs of runs the smallest two-sided p of the signed-rank test is 2^(1 - n), with n runs
    against n that of a permutation test is 2 / C(2n, n); the most extreme of `n_pairs` comparisons
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

    By the signed-rank test of normal differences at `level / n_tests`. The margin is the declared
    one: with the observed difference in its place the answer would only restate the p value
    (Hoenig and Heisey 2001, The American Statistician 55:19-24).

    Args:
        sd_of_differences: between seeds; 0 needs the fewest that can decide at all.

    Returns:
        None if the spread is not a number, the margin is not above 0, or a million do not suffice.
    """
    if not (math.isfinite(sd_of_differences) and margin > 0):
        return None
    strict = level / max(1, n_tests)
    fewest = max(2, seeds_for_verdicts(1, strict))
    if sd_of_differences == 0:
        return fewest
    effect = margin / sd_of_differences

    def is_enough(n: int) -> bool:
        return _detectable_effect(n, strict, power) <= effect

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
    strict = level / max(1, n_tests)
    if n_seeds < max(2, seeds_for_verdicts(1, strict)):
        return None
    return _detectable_effect(n_seeds, strict, power) * sd_of_differences


def _detectable_effect(n: int, level: float, power: float) -> float:
    """The normal difference, in standard deviations, that the signed-rank test at `level` finds.

    The test finds a sample as soon as its mean of two of place `walsh_outside` lies above 0, so
    that the quantile of that mean over samples is the difference that is found so often: over
    20,000 samples of a fixed seed, which makes it right within one per cent. Above 40 seeds by an
    approximation to the noncentral t test, which asks for 3 / π of the seeds. That the test may
    also find the opposite is left out.

    Args:
        n: paired seeds, enough that the test can reach `level`.

    Source: Hodges and Lehmann (1956), The Annals of Mathematical Statistics 27:324-335, for 3 / π;
    Johnson and Welch (1940), Biometrika 31:362-389, for the noncentral t.
    """
    if n > _SIMULATED_UP_TO:
        critical, z = t_quantile(1 - level, n - 1), NormalDist().inv_cdf(power)
        reach = critical + z * math.sqrt(1 + critical**2 / (2 * (n - 1)))
        return reach * math.sqrt(math.pi / 3 / n)
    return float(-_place_of_power(n, walsh_outside(n, level) or 0, power))


@lru_cache(maxsize=256)
def _place_of_power(n: int, n_outside: int, power: float) -> float:
    """Above which the share `power` of samples of n normal values has the mean at that place."""
    import numpy as np

    values = np.random.default_rng(n).standard_normal((_N_SAMPLES, n))
    first, second = np.triu_indices(n)
    places = [
        np.partition((part[:, first] + part[:, second]) / 2, n_outside, axis=1)[:, n_outside]
        for part in np.array_split(values, 20)
    ]
    return float(np.quantile(np.concatenate(places), 1 - power))


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
