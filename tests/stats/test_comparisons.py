"""Intervals of a difference, who beats whom, and Holm, by hand and against SciPy."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from scipy import stats

from rnnbench.stats.comparisons import (
    correlation,
    holm,
    paired_interval,
    probability_of_improvement,
    welch_interval,
    win_share,
)
from rnnbench.stats.intervals import Interval


@pytest.mark.parametrize("a", [[], [math.nan, 1.0]], ids=str)
def test_no_unpaired_estimate_without_numbers(a: list[float]) -> None:
    b = [1.0, 2.0]
    assert win_share(a, b) is win_share(b, a) is None
    assert probability_of_improvement(a, b) is None
    assert welch_interval(a, b) is welch_interval(b, a) is None


def test_holm_by_hand() -> None:
    # 3 · 0.01, then 2 · 0.03, then 1 · 0.04, which may not fall below the one before.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


def test_holm_stops_at_one() -> None:
    assert holm([0.6, 0.9]) == [1.0, 1.0]


def test_holm_leaves_out_what_is_not_a_test() -> None:
    assert holm([None, 0.01, math.nan, 0.02]) == [None, 0.02, None, 0.02]
    assert holm([None]) == [None]
    assert holm([]) == []


def test_holm_of_one_test_changes_nothing() -> None:
    assert holm([0.03125]) == [0.03125]


def test_paired_interval_is_scipys() -> None:
    a, b = [0.81, 0.80, 0.82, 0.79], [0.80, 0.80, 0.80, 0.80]
    theirs = stats.ttest_rel(a, b).confidence_interval()
    found = paired_interval(a, b)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_welch_interval_is_scipys() -> None:
    a, b = [0.81, 0.80, 0.82, 0.79, 0.83], [0.80, 0.801, 0.799]
    theirs = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    found = welch_interval(a, b, level=0.9)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_welch_by_hand() -> None:
    # means 2 and 6, variances 1 and 4 over 3: df = (5/3)² / (1/18 + 16/18) = 50/17, t = 3.2191
    found = welch_interval([1.0, 2.0, 3.0], [4.0, 6.0, 8.0])
    assert found is not None
    half = stats.t.ppf(0.975, 50 / 17) * math.sqrt(5 / 3)
    assert (found.low, found.high) == pytest.approx((-4 - half, -4 + half))


def test_intervals_of_one_run_and_of_no_spread() -> None:
    assert paired_interval([0.8], [0.7]) is None
    assert welch_interval([0.8], [0.7, 0.7]) is None
    assert welch_interval([0.5, 0.5], [0.25, 0.25]) == Interval(0.25, 0.25)
    assert paired_interval([0.5, 0.5], [0.25, 0.25]) == Interval(0.25, 0.25)


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_interval([0.8, 0.7], [0.8])


def test_correlation_by_hand() -> None:
    assert correlation([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]) == pytest.approx(1.0)
    # deviations (-1, 0, 1) and (-1, 2, -1)
    assert correlation([1.0, 2.0, 3.0], [0.0, 3.0, 0.0]) == pytest.approx(0.0)


@pytest.mark.parametrize("b", [[0.8] * 3, [0.1, math.nan, 0.3]], ids=str)
def test_no_correlation_of_a_constant_or_nan(b: list[float]) -> None:
    assert correlation([0.1, 0.2, 0.3], b) is None


def test_no_correlation_of_two_pairs() -> None:
    assert correlation([0.1, 0.2], [0.2, 0.1]) is None


def test_win_share_counts_ties_half() -> None:
    assert win_share([2.0, 3.0], [1.0, 2.0, 4.0]) == (1.5 + 2) / 6
    assert win_share([0.8], [0.8]) == 0.5


def test_win_share_is_u_over_the_number_of_pairs() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(9, size=30).tolist(), rng.integers(11, size=20).tolist()
    assert win_share(a, b) == pytest.approx(stats.mannwhitneyu(a, b).statistic / 600)


def test_improvement_interval_of_one_run_each_by_hand() -> None:
    # N* = 0: 1 - θ = z · sqrt(θ (1 - θ)), so θ = 1 / (1 + z²)
    found = probability_of_improvement([0.81], [0.80])
    assert found is not None
    z = statistics.NormalDist().inv_cdf(0.975)
    assert found.probability == found.interval.high == 1.0
    assert found.interval.low == pytest.approx(1 / (1 + z**2))


def test_improvement_interval_keeps_its_width_where_every_run_wins() -> None:
    found = probability_of_improvement([6.0, 7.0, 8.0, 9.0], [1.0, 2.0, 3.0])
    assert found is not None
    assert found.probability == 1.0
    assert 0.3 < found.interval.low < 0.7


@pytest.mark.parametrize("seed", range(4))
def test_improvement_interval_is_where_the_score_stays_below_z(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.5, 1, 7).tolist(), rng.normal(0, 1, 9).tolist()
    found = probability_of_improvement(a, b)
    assert found is not None
    theta = np.linspace(1e-6, 1 - 1e-6, 200_001)
    # Hanley and McNeil as they print it, with both sizes replaced by their mean.
    q1, q2, extra = theta / (2 - theta), 2 * theta**2 / (1 + theta), (7 + 9) / 2 - 1
    spread = theta * (1 - theta) + extra * (q1 - theta**2) + extra * (q2 - theta**2)
    inside = theta[abs(found.probability - theta) <= 1.959964 * np.sqrt(spread / 63)]
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (inside[0], inside[-1]), abs=2e-5
    )


def test_improvement_turns_round_with_its_arms() -> None:
    a, b = [0.80, 0.81, 0.83], [0.79, 0.81, 0.82, 0.80]
    one, other = probability_of_improvement(a, b), probability_of_improvement(b, a)
    assert one is not None
    assert other is not None
    assert one.probability == pytest.approx(1 - other.probability)
    assert one.interval.low == pytest.approx(1 - other.interval.high)


def test_improvement_of_equal_values_is_a_coin() -> None:
    found = probability_of_improvement([0.8] * 6, [0.8] * 6)
    assert found is not None
    assert found.probability == 0.5
    assert found.interval.low == pytest.approx(1 - found.interval.high)
