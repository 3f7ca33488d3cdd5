"""Tests of a difference against any bound, with the estimates and intervals that fit them.

By ranks a run far from the others counts as one run, however far it lies, so a network that now and
then collapses neither hides a difference nor makes one up, as it does in tests of means.

As in `intervals`, a value that is not finite makes an estimate None.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import combinations, islice
from statistics import NormalDist, median
from typing import TYPE_CHECKING

from rnnbench.stats.intervals import Interval, mean_sd

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT_UP_TO = 60
"""Pairs up to which the signed-rank test counts all 2^n signs; above, the normal approximation."""

FINE_UP_TO = 12
"""Pairs up to which equal sums of ranks are told apart."""

_DIGITS = 12  # of a difference; scores are counts of texts, and equal ones differ by rounding
_MOST_ARRANGED = 20_000
_N_DRAWN = 19_999
_UNSPREAD = 1e9  # above every statistic of samples that overlap


@dataclass(frozen=True, slots=True)
class OneSided:
    """Two one-sided p values against a bound.

    Args:
        above: of the hypothesis that the difference is the bound or less.
        below: of the hypothesis that it is the bound or more.
    """

    above: float
    below: float

    @property
    def two_sided(self) -> float:
        """Of the hypothesis that the difference is the bound."""
        return min(1.0, 2 * min(self.above, self.below))


def signed_rank(differences: Sequence[float], bound: float = 0.0) -> OneSided | None:
    """Wilcoxon's signed-rank test of paired differences against a bound.

    It assumes that the differences lie symmetrically around the typical one; where they do not, it
    is off by little (docs/results/how-often-wrong.md). Exact up to `EXACT_UP_TO` pairs, ties and
    zeros included (Pratt's way with zeros): every sign of each rank is as likely as the other.
    Up to `FINE_UP_TO` pairs, where few sums of ranks are possible, equal ones are told apart by the
    sum of the squared ranks, which is as exact and finds more.

    Returns:
        None without a difference, or if one is not finite; 1 and 1 if all equal the bound.

    Source: Wilcoxon (1945), Biometrics Bulletin 1:80-83; Pratt (1959), Journal of the American
    Statistical Association 54:655-667.
    """
    if not differences or not all(map(math.isfinite, differences)):
        return None
    moved = [round(value - bound, _DIGITS) for value in differences]
    doubled = _doubled_ranks([abs(value) for value in moved])
    signed = sorted((rank, value > 0) for rank, value in zip(doubled, moved, strict=True) if value)
    if not signed:
        return OneSided(1.0, 1.0)
    ranks = tuple(rank for rank, _ in signed)
    positive = tuple(rank for rank, is_positive in signed if is_positive)
    if len(ranks) <= FINE_UP_TO:
        return _try_all_signs(ranks, positive)
    return OneSided(_tail(ranks, sum(ranks) - sum(positive)), _tail(ranks, sum(positive)))


def typical_difference(differences: Sequence[float]) -> float | None:
    """The Hodges-Lehmann estimate: the median of the means of every two, each with itself too.

    Returns:
        None without a difference, or if one is not finite.

    Source: Hodges and Lehmann (1963), The Annals of Mathematical Statistics 34:598-611.
    """
    if not differences or not all(map(math.isfinite, differences)):
        return None
    import numpy as np

    return float(np.median(_walsh(differences)))


def typical_interval(differences: Sequence[float], level: float = 0.95) -> Interval | None:
    """The interval of the typical difference: the bounds that the signed-rank test keeps.

    Of few differences `signed_rank` itself, which tells equal sums apart, rejects a little more.

    Returns:
        None where so few differences exclude nothing (five at 95 %), or if one is not finite.
    """
    if not differences or not all(map(math.isfinite, differences)):
        return None
    n_outside = walsh_outside(len(differences), 1 - level)
    if n_outside is None:
        return None
    import numpy as np

    ordered = np.sort(_walsh(differences))
    return Interval(float(ordered[n_outside]), float(ordered[-1 - n_outside]))


def walsh_outside(n: int, level: float) -> int | None:
    """How many of the sorted means of two of n differences lie outside an interval, at each end.

    It is the largest sum of negative ranks, without ties, that the signed-rank test rejects at
    `level`, two-sided. None where it rejects none.
    """
    ranks = tuple(range(2, 2 * n + 1, 2))
    if n > EXACT_UP_TO:
        z = NormalDist().inv_cdf(1 - level / 2)
        return max(0, math.floor((_mean(ranks) - z * _sd(ranks)) / 2 - 0.5))
    if 2.0 ** (1 - n) > level:
        return None
    import numpy as np

    share = _cumulated(ranks)[::2]  # sums of doubled ranks are even
    return int(np.searchsorted(share, level / 2 + 1e-15, side="right")) - 1


def two_samples(a: Sequence[float], b: Sequence[float], bound: float = 0.0) -> OneSided | None:
    """Unpaired runs: Welch's test of the means and Brunner and Munzel's of the ranks, the larger p.

    Welch's alone takes a few collapsed runs for a difference of all, Brunner and Munzel's is off
    where the smaller sample spreads more; what both reject holds for the mean and for most runs.

    Returns:
        None with fewer than two values on a side, if one is not finite, or if neither side spreads.

    Source: Welch (1947), Biometrika 34:28-35; Brunner and Munzel (2000), Biometrical Journal
    42:17-25, over permutations as in Neubert and Brunner (2007), Computational Statistics & Data
    Analysis 51:5192-5204.
    """
    if min(len(a), len(b)) < 2 or not all(map(math.isfinite, [*a, *b])):
        return None
    moved = [round(value - bound, _DIGITS) for value in a]
    of_means = _welch(moved, b)
    if of_means is None:
        return None
    of_ranks = _brunner_munzel(moved, [round(value, _DIGITS) for value in b])
    return OneSided(max(of_means.above, of_ranks.above), max(of_means.below, of_ranks.below))


def student(difference: float, error: float, df: float) -> Callable[[float], OneSided]:
    """Student's test of a difference with this standard error, above 0, against any bound."""
    from scipy.special import stdtr

    def test(bound: float) -> OneSided:
        t = (difference - bound) / error
        return OneSided(float(stdtr(df, -t)), float(stdtr(df, t)))

    return test


def typical_gap(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The Hodges-Lehmann estimate of unpaired runs: the median of all differences of one of each.

    Returns:
        None if either is empty, or a value is not finite.
    """
    if not (a and b) or not all(map(math.isfinite, [*a, *b])):
        return None
    return median(x - y for x in a for y in b)


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each, from 1 up, ties sharing their mean: whole numbers.

    For a handful of values SciPy's `rankdata` takes twenty times as long.
    """
    ordered = sorted(values)
    return [bisect_left(ordered, value) + bisect_right(ordered, value) + 1 for value in values]


def _try_all_signs(ranks: tuple[int, ...], positive: Sequence[int]) -> OneSided:
    """Over all signs of the ranks: by their sum, and where it is equal by that of their squares."""
    sums = _all_sums(ranks)
    observed = sum(map(partial(_weight, sum(ranks)), positive))
    return OneSided(float((sums >= observed).mean()), float((sums <= observed).mean()))


@lru_cache(maxsize=512)
def _all_sums(ranks: tuple[int, ...]) -> NDArray[np.int64]:
    """Int64 `(2^n,)`: the weights of those ranks that are positive, for each choice of signs."""
    import numpy as np

    sums = np.zeros(1, dtype=np.int64)
    for rank in ranks:
        sums = np.concatenate([sums, sums + _weight(sum(ranks), rank)])
    return sums


def _weight(total: int, rank: int) -> int:
    """A rank and its square in one number: no sum of squares comes up to `total` squared + 1."""
    return rank * (total**2 + 1) + rank**2


def _tail(ranks: tuple[int, ...], observed: int) -> float:
    """The chance that the ranks that come out negative add up to `observed` or less."""
    if len(ranks) > EXACT_UP_TO:
        return NormalDist().cdf((observed + 1 - _mean(ranks)) / _sd(ranks))
    return float(min(1.0, _cumulated(ranks)[observed]))


def _mean(ranks: Sequence[int]) -> float:
    return sum(ranks) / 2


def _sd(ranks: Sequence[int]) -> float:
    return math.sqrt(sum(rank * rank for rank in ranks)) / 2


@lru_cache(maxsize=512)
def _cumulated(ranks: tuple[int, ...]) -> NDArray[np.float64]:
    """Float64 `(sum + 1,)`: the chance of a sum of 0, 1, … or less of ranks that a coin chooses."""
    import numpy as np

    chances = np.zeros(sum(ranks) + 1)
    chances[0] = 1.0
    for rank in ranks:
        moved = np.zeros_like(chances)
        moved[rank:] = chances[: len(chances) - rank]
        chances = (chances + moved) / 2
    return np.cumsum(chances)


def _walsh(differences: Sequence[float]) -> NDArray[np.float64]:
    """Float64 `(n (n + 1) / 2,)`: the means of every two, each with itself too."""
    import numpy as np

    values = np.asarray(differences, dtype=np.float64)
    first, second = np.triu_indices(len(values))
    means: NDArray[np.float64] = (values[first] + values[second]) / 2
    return means


def _welch(a: Sequence[float], b: Sequence[float]) -> OneSided | None:
    first, second = mean_sd(a), mean_sd(b)
    var_a, var_b = first.sd**2 / first.n, second.sd**2 / second.n
    if var_a + var_b == 0:
        return None
    df = (var_a + var_b) ** 2 / (var_a**2 / (first.n - 1) + var_b**2 / (second.n - 1))
    return student(first.mean - second.mean, math.sqrt(var_a + var_b), df)(0.0)


def _brunner_munzel(a: Sequence[float], b: Sequence[float]) -> OneSided:
    """Over all divisions of the values, or so many drawn and the observed one."""
    import numpy as np

    n_a, pooled = len(a), _doubled_ranks([*a, *b])
    drawn = _arranged(tuple(sorted(pooled)), n_a)
    observed = _studentised(np.array([pooled], dtype=np.float64), n_a)[0]
    n_own = 0 if math.comb(len(pooled), n_a) <= _MOST_ARRANGED else 1
    n_above = int(np.count_nonzero(drawn >= observed - 1e-9))
    n_below = int(np.count_nonzero(drawn <= observed + 1e-9))
    total = len(drawn) + n_own
    above, below = (n_above + n_own) / total, (n_below + n_own) / total
    if abs(observed) < _UNSPREAD:
        return OneSided(above, below)
    # Every value of one side lies above all of the other: of all divisions only this one does.
    least = 1 / math.comb(len(pooled), n_a)
    return OneSided(least, 1.0) if observed > 0 else OneSided(1.0, least)


@lru_cache(maxsize=64)
def _arranged(ranks: tuple[int, ...], n_a: int) -> NDArray[np.float64]:
    """Brunner and Munzel's statistic over divisions of the ranks into n_a and the rest."""
    import numpy as np

    n = len(ranks)
    values = np.array(ranks, dtype=np.float64)
    if math.comb(n, n_a) > _MOST_ARRANGED:
        rng = np.random.default_rng(0)
        return _studentised(rng.permuted(np.tile(values, (_N_DRAWN, 1)), axis=1), n_a)
    chosen = np.array(list(islice(combinations(range(n), n_a), _MOST_ARRANGED)))
    of_a = np.zeros((len(chosen), n), dtype=bool)
    np.put_along_axis(of_a, chosen, True, axis=1)
    places = np.argsort(~of_a, axis=1, kind="stable")
    return _studentised(values[places], n_a)


def _studentised(values: NDArray[np.float64], n_a: int) -> NDArray[np.float64]:
    """The statistic of each row, float64 `(n_rows, n)` → `(n_rows,)`; the first n_a are a's.

    Where no value of one side lies among those of the other it has no spread: as far as can be.
    """
    import numpy as np
    from scipy.stats import rankdata

    n_b = values.shape[1] - n_a
    ranks = rankdata(values, axis=1)
    beaten_by_a = ranks[:, :n_a] - rankdata(values[:, :n_a], axis=1)
    beaten_by_b = ranks[:, n_a:] - rankdata(values[:, n_a:], axis=1)
    lead = beaten_by_a.mean(axis=1) / n_b - 0.5
    variance = beaten_by_a.var(axis=1, ddof=1) / (n_a * n_b**2)
    variance += beaten_by_b.var(axis=1, ddof=1) / (n_b * n_a**2)
    has_spread = variance > 1e-12
    found: NDArray[np.float64] = np.sign(lead) * _UNSPREAD
    found[has_spread] = lead[has_spread] / np.sqrt(variance[has_spread])
    return found
