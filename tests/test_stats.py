"""Means, standard deviations and seed counts, against numbers worked by hand."""

from __future__ import annotations

import math

import pytest

from rnnbench.stats import mean_sd, seeds_for_verdicts


def test_mean_and_sample_standard_deviation() -> None:
    found = mean_sd([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])
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


# 2^(1 - n) <= 0.05 / pairs
@pytest.mark.parametrize(("n_pairs", "n_seeds"), [(1, 6), (3, 7), (6, 8), (10, 9), (28, 11)])
def test_the_fewest_seeds_that_can_decide(n_pairs: int, n_seeds: int) -> None:
    assert seeds_for_verdicts(n_pairs) == n_seeds
    assert 2.0 ** (1 - n_seeds) <= 0.05 / n_pairs < 2.0 ** (2 - n_seeds)


def test_a_power_of_two_needs_no_seed_more() -> None:
    assert seeds_for_verdicts(1, level=0.25) == 3
