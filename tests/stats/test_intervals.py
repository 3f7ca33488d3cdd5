"""Means, spreads and intervals, against numbers worked by hand and SciPy's own classes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from rnnbench.stats.intervals import (
    Interval,
    bootstrap_interval,
    interquartile_mean,
    mean_sd,
    prediction_interval,
    t_interval,
    t_quantile,
)

EIGHT = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]


def bootstrap(values: list[float]) -> Interval | None:
    return bootstrap_interval(values, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("interval", "bounded"),
    [
        (Interval(0.7, 1.2), Interval(0.7, 1.0, is_bounded=True)),
        (Interval(-0.1, 1.2), Interval(0.0, 1.0, is_bounded=True)),
        (Interval(0.0, 1.0), Interval(0.0, 1.0)),
        (Interval(1.0, 1.0), Interval(1.0, 1.0)),
    ],
    ids=["above", "both", "on the ends", "no width"],
)
def test_an_interval_ends_at_what_is_possible(interval: Interval, bounded: Interval) -> None:
    assert interval.bounded(0.0, 1.0) == bounded


def test_mean_and_sample_standard_deviation() -> None:
    found = mean_sd(EIGHT)
    assert found.mean == 5.0
    assert found.sd == pytest.approx(math.sqrt(32 / 7))
    assert found.n == 8


def test_one_value_has_a_mean_and_no_spread() -> None:
    found = mean_sd([0.8])
    assert (found.mean, found.n) == (0.8, 1)
    assert math.isnan(found.sd)


def test_no_value_has_neither() -> None:
    found = mean_sd([])
    assert math.isnan(found.mean)
    assert math.isnan(found.sd)
    assert found.n == 0


def test_equal_values_have_no_spread() -> None:
    assert mean_sd([0.1, 0.1, 0.1]).sd == 0.0


def test_nan_in_gives_nan_out() -> None:
    found = mean_sd([0.5, math.nan, 0.7])
    assert math.isnan(found.mean)
    assert math.isnan(found.sd)


# From the printed table of Student's t.
@pytest.mark.parametrize(("df", "t"), [(1, 12.706), (2, 4.303), (9, 2.262), (30, 2.042)])
def test_t_quantile_is_the_tables(df: int, t: float) -> None:
    assert t_quantile(0.95, df) == pytest.approx(t, abs=5e-4)


def test_t_interval_by_hand() -> None:
    # mean 2, sd 1, t(2) = 4.3027: 2 ± 4.3027 / sqrt(3)
    found = t_interval([1.0, 2.0, 3.0])
    assert found is not None
    assert (found.low, found.high) == pytest.approx((-0.4841, 4.4841), abs=1e-4)


def test_t_interval_is_scipys() -> None:
    found = t_interval(EIGHT, level=0.9)
    theirs = stats.ttest_1samp(EIGHT, 0).confidence_interval(0.9)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_prediction_interval_by_hand() -> None:
    # 2 ± 4.3027 · sqrt(1 + 1/3)
    found = prediction_interval([1.0, 2.0, 3.0])
    assert found is not None
    assert (found.low, found.high) == pytest.approx((2 - 4.9683, 2 + 4.9683), abs=1e-4)


def test_prediction_interval_holds_the_next_value_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    inside = [
        found.contains(rng.normal())
        for _ in range(2_000)
        if (found := prediction_interval(rng.normal(size=4).tolist()))
    ]
    assert statistics.fmean(inside) == pytest.approx(0.95, abs=0.015)


def test_bootstrap_interval_is_the_middle_of_the_resampled_means() -> None:
    found = bootstrap(EIGHT)
    rng = np.random.default_rng(1)
    means = [statistics.fmean(rng.choice(EIGHT, 8)) for _ in range(20_000)]
    assert found is not None
    assert (found.low, found.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.13)


def test_bootstrap_of_two_values_spans_them() -> None:
    assert bootstrap([0.79, 0.81]) == Interval(0.79, 0.81)


def test_bootstrap_repeats_itself() -> None:
    assert bootstrap(EIGHT) == bootstrap(EIGHT)


def test_interquartile_mean_cuts_a_quarter_at_each_end() -> None:
    assert interquartile_mean([1.0, 2.0, 3.0, 4.0, 100.0]) == 3.0
    assert interquartile_mean(EIGHT) == 4.5  # of 4, 4, 5, 5


def test_interquartile_mean_needs_five_values() -> None:
    assert interquartile_mean([1.0, 2.0, 3.0, 4.0]) is None


@pytest.mark.parametrize("values", [[], [0.8], [0.8, math.nan], [0.8, math.inf]], ids=str)
@pytest.mark.parametrize("estimate", [t_interval, prediction_interval, bootstrap])
def test_no_interval_below_two_numbers(
    estimate: Callable[[list[float]], Interval | None], values: list[float]
) -> None:
    assert estimate(values) is None


def test_no_interquartile_mean_with_nan() -> None:
    assert interquartile_mean([1.0, 2.0, 3.0, 4.0, math.nan]) is None


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert t_interval([0.75] * 3) == prediction_interval([0.75] * 3) == Interval(0.75, 0.75)


def test_resamples_of_equal_values_say_nothing() -> None:
    assert bootstrap([0.75] * 3) is None


def test_interval_contains_its_ends_and_no_nan() -> None:
    assert Interval(0.0, 1.0).contains(0.0)
    assert Interval(0.0, 1.0).contains(1.0)
    assert not Interval(0.0, 1.0).contains(math.nan)
    assert not Interval(math.nan, math.nan).contains(0.5)
