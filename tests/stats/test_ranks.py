"""Rank tests against brute force and against SciPy; estimates and intervals by hand."""

from __future__ import annotations

import math
import statistics
from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from rnnbench.stats.intervals import Interval
from rnnbench.stats.ranks import (
    EXACT_UP_TO,
    FINE_UP_TO,
    signed_rank,
    two_samples,
    typical_difference,
    typical_gap,
    typical_interval,
    walsh_outside,
)

NOT_FINITE = [[], [math.nan, 0.1], [0.1, math.inf, 0.2]]


def signed_rank_by_hand(differences: list[float]) -> tuple[float, float]:
    """Over all signs of the ranks, equal sums by their squares; a zero has a rank, and no sign."""
    ranks = [float(rank) for rank in stats.rankdata(np.abs(differences))]
    of_signs = [r for r, d in zip(ranks, differences, strict=True) if d]

    def place(positive: list[float]) -> tuple[float, float]:
        return sum(positive), sum(rank**2 for rank in positive)

    seen = place([r for r, d in zip(ranks, differences, strict=True) if d > 0])
    places = [
        place([r for r, is_positive in zip(of_signs, signs, strict=True) if is_positive])
        for signs in product((False, True), repeat=len(of_signs))
    ]
    above = statistics.fmean(found >= seen for found in places)
    return above, statistics.fmean(found <= seen for found in places)


@pytest.mark.parametrize("n", [FINE_UP_TO + 1, 20, 45])
@pytest.mark.parametrize("seed", range(3))
def test_signed_rank_is_scipys_exact_one_without_ties(n: int, seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.3, 1, n)
    for bound in (0.0, 0.5, -0.5):
        found = signed_rank(differences.tolist(), bound)
        assert found is not None
        for side, p in (("greater", found.above), ("less", found.below)):
            theirs = stats.wilcoxon(differences - bound, alternative=side, method="exact").pvalue
            assert p == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 6, 9, FINE_UP_TO])
@pytest.mark.parametrize("seed", range(3))
def test_signed_rank_of_few_lies_between_two_of_scipys(n: int, seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.3, 1, n)
    found = signed_rank(differences.tolist())
    assert found is not None
    for side, p in (("greater", found.above), ("less", found.below)):
        theirs = stats.wilcoxon(differences, alternative=side, method="exact").pvalue
        equal = stats.wilcoxon(differences, alternative="two-sided", method="exact").statistic
        ranks = [sum(c) for k in range(n + 1) for c in combinations(range(1, n + 1), k)]
        assert theirs - ranks.count(equal) / 2**n < p <= theirs + 1e-12


@pytest.mark.parametrize("seed", range(12))
def test_signed_rank_with_ties_and_zeros_is_the_share_of_all_signs(seed: int) -> None:
    whole = np.random.default_rng(seed).integers(-3, 5, 9).tolist()
    found = signed_rank([d / 25_000 for d in whole])
    assert found is not None
    assert (found.above, found.below) == pytest.approx(signed_rank_by_hand(whole))


@pytest.mark.parametrize("seed", range(4))
def test_signed_rank_at_a_bound_is_that_of_moved_differences(seed: int) -> None:
    whole = np.random.default_rng(seed).integers(-200, 300, 8).tolist()
    found = signed_rank([d / 25_000 for d in whole], 125 / 25_000)
    assert found is not None
    by_hand = signed_rank_by_hand([d - 125 for d in whole])
    assert (found.above, found.below) == pytest.approx(by_hand)


def test_rounding_parts_no_ties() -> None:
    # 0.3 - 0.2 and 0.2 - 0.1 are no equal floats.
    found = signed_rank([0.3 - 0.2, 0.2 - 0.1, 0.1, -0.1])
    assert found == signed_rank([1.0, 1.0, 1.0, -1.0])


def test_signed_rank_turns_round_with_its_arms() -> None:
    differences = [0.003, -0.001, 0.004, 0.002, 0.0005, -0.002]
    one, other = signed_rank(differences, 0.001), signed_rank([-d for d in differences], -0.001)
    assert one is not None
    assert other is not None
    assert (one.above, one.below) == (other.below, other.above)
    assert one.two_sided == other.two_sided


@pytest.mark.parametrize(("n", "p"), [(2, 0.5), (6, 0.03125), (8, 0.0078125), (14, 2.0**-13)])
def test_smallest_two_sided_p(n: int, p: float) -> None:
    found = signed_rank(np.random.default_rng(n).uniform(0.001, 0.01, n).tolist())
    assert found is not None
    assert found.two_sided == pytest.approx(p)


def test_a_far_run_counts_as_one_run() -> None:
    differences = [0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, -0.008]
    assert signed_rank(differences) == signed_rank([*differences[:-1], -0.5])


def test_differences_that_equal_the_bound_say_nothing() -> None:
    found = signed_rank([0.005] * 6, 0.005)
    assert found is not None
    assert (found.above, found.below, found.two_sided) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_the_approximation_above_is_close(seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.2, 1, EXACT_UP_TO + 5)
    found = signed_rank(differences.tolist())
    assert found is not None
    theirs = stats.wilcoxon(differences, alternative="greater", method="exact").pvalue
    assert found.above == pytest.approx(theirs, abs=0.002)


@pytest.mark.parametrize("differences", NOT_FINITE, ids=str)
def test_no_signed_rank_without_numbers(differences: list[float]) -> None:
    assert signed_rank(differences) is None
    assert typical_difference(differences) is None
    assert typical_interval(differences) is None


def test_hodges_lehmann_by_hand() -> None:
    # 1, 2, 6 and the means 1.5, 3.5, 4: the median of six is (2 + 3.5) / 2.
    assert typical_difference([1.0, 2.0, 6.0]) == pytest.approx(2.75)
    assert typical_difference([0.7]) == 0.7
    # The differences of one of each: -1, 0, 1, 2, 3, 4.
    assert typical_gap([3.0, 4.0, 6.0], [2.0, 4.0]) == pytest.approx(1.5)
    assert typical_gap([], [1.0]) is typical_gap([1.0, math.nan], [1.0]) is None


@pytest.mark.parametrize("n", [6, 7, 12, 30])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_interval_holds_the_bounds_that_the_test_does_not_reject(n: int, level: float) -> None:
    differences = np.random.default_rng(n).normal(0.3, 1, n).tolist()
    found = typical_interval(differences, level)
    if found is None:
        assert 2.0 ** (1 - n) > 1 - level
        return
    for bound, is_inside in (
        (found.low - 1e-6, False),
        (found.low + 1e-6, True),
        (found.high - 1e-6, True),
        (found.high + 1e-6, False),
    ):
        tested = signed_rank(differences, bound)
        assert tested is not None
        # Of few differences the test tells more apart than the interval does.
        if not is_inside or n > FINE_UP_TO:
            assert (tested.two_sided > 1 - level) is is_inside


def test_the_interval_of_six_is_from_least_to_largest_and_of_five_there_is_none() -> None:
    differences = [0.3, -0.2, 0.1, 0.5, 0.4, 0.7]
    assert typical_interval(differences) == Interval(-0.2, 0.7)
    assert typical_interval(differences[:5]) is None


# Critical values of the smaller rank sum, two-sided 5 %, as every table prints them.
@pytest.mark.parametrize(("n", "critical"), [(6, 0), (8, 3), (10, 8), (20, 52), (30, 137)])
def test_means_of_two_outside_the_interval_are_the_tabled_critical_value(
    n: int, critical: int
) -> None:
    assert walsh_outside(n, 0.05) == critical


def test_the_approximation_leaves_nearly_as_many_outside() -> None:
    n = EXACT_UP_TO + 10
    found = walsh_outside(n, 0.05)
    assert found is not None
    # By the exact distribution of the rank sum: the chance that a coin gives found or less.
    chances = np.zeros(n * (n + 1) // 2 + 1)
    chances[0] = 1.0
    for rank in range(1, n + 1):
        chances[rank:] += chances[:-rank].copy()
    below = chances.cumsum() / 2.0**n
    assert below[found] == pytest.approx(0.025, abs=0.0005)


def welch(a: list[float], b: list[float], side: str) -> float:
    return float(stats.ttest_ind(a, b, equal_var=False, alternative=side).pvalue)


def brunner_munzel(a: list[float], b: list[float]) -> float:
    """The statistic, as Brunner and Munzel print it; as far as can be without any spread."""
    n_a, n_b = len(a), len(b)
    ranks = stats.rankdata([*a, *b])
    own_a, own_b = stats.rankdata(a), stats.rankdata(b)
    mean_a, mean_b = ranks[:n_a].mean(), ranks[n_a:].mean()
    s_a = sum((ranks[:n_a] - own_a - mean_a + (n_a + 1) / 2) ** 2) / (n_a - 1)
    s_b = sum((ranks[n_a:] - own_b - mean_b + (n_b + 1) / 2) ** 2) / (n_b - 1)
    spread = math.sqrt(n_a * s_a + n_b * s_b)
    if spread < 1e-9:
        return math.copysign(math.inf, mean_a - mean_b) if mean_a != mean_b else 0.0
    return float(n_a * n_b * (mean_a - mean_b) / (n_a + n_b) / spread)


def brunner_munzel_by_hand(a: list[float], b: list[float]) -> tuple[float, float]:
    """Over all divisions of the values."""
    values = [*a, *b]
    seen = brunner_munzel(a, b)
    drawn = [
        brunner_munzel(
            [values[i] for i in chosen], [v for i, v in enumerate(values) if i not in chosen]
        )
        for chosen in combinations(range(len(values)), len(a))
    ]
    above = statistics.fmean(t >= seen - 1e-9 for t in drawn)
    return above, statistics.fmean(t <= seen + 1e-9 for t in drawn)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("is_tied", [False, True], ids=["apart", "tied"])
def test_two_samples_is_the_larger_of_welch_and_all_permutations(seed: int, is_tied: bool) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.6, 1, 4), rng.normal(0, 3, 6)
    if is_tied:
        a, b = np.round(a), np.round(b)
    first, second = a.tolist(), b.tolist()
    found = two_samples(first, second)
    assert found is not None
    above, below = brunner_munzel_by_hand(first, second)
    assert found.above == pytest.approx(max(above, welch(first, second, "greater")))
    assert found.below == pytest.approx(max(below, welch(first, second, "less")))


@pytest.mark.parametrize("seed", range(4))
def test_many_runs_come_close_to_scipys_brunner_munzel_and_welch(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.6, 1, 30).tolist(), rng.normal(0, 2, 40).tolist()
    found = two_samples(a, b)
    assert found is not None
    theirs = stats.brunnermunzel(a, b, alternative="greater").pvalue
    assert found.above == pytest.approx(max(theirs, welch(a, b, "greater")), abs=0.01)


def test_two_samples_at_a_bound_is_that_of_moved_values() -> None:
    a, b = [0.83, 0.82, 0.85, 0.81, 0.84], [0.80, 0.79, 0.81, 0.78, 0.82, 0.80]
    assert two_samples(a, b, 0.01) == two_samples([x - 0.01 for x in a], b)
    one, other = (
        two_samples([100 * x for x in a], [100 * x for x in b], 1.0),
        two_samples(a, b, 0.01),
    )
    assert one is not None
    assert other is not None
    # 0.82 - 0.01 and 0.81 tie, whatever the floats say.
    assert (one.above, one.below) == pytest.approx((other.above, other.below))


def test_two_samples_turn_round_with_their_arms() -> None:
    a, b = [0.83, 0.82, 0.85, 0.81], [0.80, 0.79, 0.81, 0.78, 0.82]
    one, other = two_samples(a, b, 0.01), two_samples(b, a, -0.01)
    assert one is not None
    assert other is not None
    assert (one.above, one.below) == pytest.approx((other.below, other.above))


def test_a_few_collapsed_runs_are_no_difference_of_all() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(0.8, 0.002, 20)
    b = a + 0.0002
    b[::4] -= 0.25
    found = two_samples(a.tolist(), b.tolist())
    assert found is not None
    assert welch(a.tolist(), b.tolist(), "greater") < 0.03 < found.above


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([0.8], [0.7, 0.6]),
        ([], [0.7, 0.6]),
        ([0.8, math.nan], [0.7, 0.6]),
        ([0.8, 0.9], [math.inf, 0.6]),
        ([0.8, 0.8, 0.8], [0.7, 0.7, 0.7]),
    ],
    ids=["one", "none", "nan", "inf", "no spread"],
)
def test_no_two_samples_without_numbers_or_spread(a: list[float], b: list[float]) -> None:
    assert two_samples(a, b) is None


def test_no_side_is_above_the_other_where_all_values_tie_but_one() -> None:
    found = two_samples([0.8, 0.8, 0.8], [0.8, 0.8, 0.7])
    assert found is not None
    assert found.two_sided > 0.3


def test_drawn_permutations_never_give_zero_and_repeat_themselves() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(100, 1, 15).tolist(), [*rng.normal(0, 1, 14).tolist(), 100.0]
    found = two_samples(a, b)
    assert found is not None
    assert found.above >= 1 / 20_000
    assert found == two_samples(a, b)


def test_of_samples_apart_the_permutations_need_not_be_drawn() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(100, 1, 15).tolist(), rng.normal(0, 1, 15).tolist()
    found = two_samples(a, b)
    assert found is not None
    assert (found.above, found.below) == (1 / math.comb(30, 15), 1.0)
