"""Seeds that a verdict needs, and what one seed would have told."""

from __future__ import annotations

import csv
import math
import statistics
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, special, stats

from rnnbench.stats.seeds import (
    detectable_difference,
    paired_power,
    reversal_probability,
    seeds_for_verdicts,
    seeds_needed,
)

RESULTS = Path(__file__).parents[2] / "docs" / "results"


# 2^(1 - n) <= 0.05 / pairs
@pytest.mark.parametrize(("n_pairs", "n_seeds"), [(1, 6), (3, 7), (6, 8), (10, 9), (28, 11)])
def test_the_fewest_seeds_that_can_decide(n_pairs: int, n_seeds: int) -> None:
    assert seeds_for_verdicts(n_pairs) == n_seeds
    assert 2.0 ** (1 - n_seeds) <= 0.05 / n_pairs < 2.0 ** (2 - n_seeds)


def test_unpaired_runs_need_fewer() -> None:
    # 2 / C(8, 4) = 0.029, 2 / C(10, 5) = 0.0079
    assert seeds_for_verdicts(1, is_paired=False) == 4
    assert seeds_for_verdicts(6, is_paired=False) == 5


def test_a_power_of_two_needs_no_seed_more() -> None:
    assert seeds_for_verdicts(1, level=0.25) == 3


def power_by_hand(n: int, effect: float, level: float) -> float:
    """Power of the paired t test, integrated over the sample's spread: `stats.nct` answers NaN."""
    df, shift = n - 1, effect * math.sqrt(n)
    critical = stats.t.ppf(1 - level / 2, df)

    def rejected(chi: float) -> float:
        bound = critical * chi / math.sqrt(df)
        tails = special.ndtr(shift - bound) + special.ndtr(-shift - bound)
        return float(tails * 2 * chi ** (df - 1) * math.exp(-(chi**2) / 2 - log_constant))

    log_constant = (df / 2) * math.log(2) + math.lgamma(df / 2)
    return float(integrate.quad(rejected, 0, math.sqrt(df) + 9, epsabs=1e-12)[0])


@pytest.mark.parametrize(("n", "n_tests"), [(6, 1), (7, 3), (10, 10), (40, 1)])
@pytest.mark.parametrize("effect", [0.05, 0.7, 1.5, 3.0])
def test_power_is_what_integration_gives(n: int, n_tests: int, effect: float) -> None:
    level = 0.05 / n_tests
    assert paired_power(n, effect, level) == pytest.approx(
        power_by_hand(n, effect, level), abs=1e-9
    )


# SciPy's noncentral t is NaN on the way to 10 of these 60: they came out as up to 33 instead of 9.
def test_a_wider_spread_never_needs_fewer_seeds() -> None:
    needed = [seeds_needed(0.0001 * step, 0.005, 10) for step in range(1, 61)]
    assert None not in needed
    assert needed == sorted(needed)


def test_the_detectable_difference_is_found_with_the_power_asked_for() -> None:
    for n_seeds in range(10, 40):
        difference = detectable_difference(0.01, n_seeds, 10)
        assert difference is not None
        assert paired_power(n_seeds, difference / 0.01, 0.005) == pytest.approx(0.8, abs=1e-9)


# At 9 seeds and 10 pairs (2^-8 <= 0.005 < 2^-7) only nine equal signs decide.
def test_with_the_fewest_seeds_all_signs_have_to_be_equal() -> None:
    assert seeds_needed(0.003055, 0.005, 10) == 10
    difference = detectable_difference(0.003055, 9, 10)
    assert difference == pytest.approx(0.003055 * stats.norm.ppf(0.8 ** (1 / 9)))
    assert difference is not None
    drawn = np.random.default_rng(0).normal([[0.005], [difference]], 0.003055, (9, 20_000, 2, 1))
    positive = (drawn[..., 0] > 0).sum(axis=0)
    found = ((positive == 0) | (positive == 9)).mean(axis=0)
    assert found == pytest.approx([0.625, 0.8], abs=0.015)


# Cohen's tables (1988) and every power calculator: d = 0.5 needs 34 pairs, d = 0.8 needs 15.
@pytest.mark.parametrize(("effect", "n"), [(0.5, 34), (0.8, 15), (0.2, 199)])
def test_textbook_numbers_of_pairs(effect: float, n: int) -> None:
    assert seeds_needed(0.01, 0.01 * effect, 1) == n


@pytest.mark.parametrize("n_tests", [1, 6, 10])
@pytest.mark.parametrize("sd", [0.004, 0.007, 0.02])
def test_one_seed_fewer_would_not_do(sd: float, n_tests: int) -> None:
    n = seeds_needed(sd, 0.005, n_tests)
    assert n is not None
    assert power_by_hand(n, 0.005 / sd, 0.05 / n_tests) >= 0.8
    fewest = seeds_for_verdicts(n_tests)
    assert n == fewest or power_by_hand(n - 1, 0.005 / sd, 0.05 / n_tests) < 0.8


def test_simulated_power_is_what_was_asked_for() -> None:
    n = seeds_needed(0.01, 0.008, 1, power=0.8)
    assert n == 15
    drawn = np.random.default_rng(0).normal(0.008, 0.01, size=(4_000, 15))
    found = stats.ttest_1samp(drawn, 0, axis=1).pvalue <= 0.05
    assert found.mean() == pytest.approx(0.81, abs=0.03)


@pytest.mark.parametrize("sd", [0.0, 1e-9, 1e-4, 0.0002])
def test_never_fewer_than_a_verdict_needs(sd: float) -> None:
    assert seeds_needed(sd, 0.005, 6) == 8


def test_a_wide_spread_needs_many_and_an_absurd_one_no_number() -> None:
    n = seeds_needed(0.5, 0.005, 1)
    # (1.96 + 0.8416)² · 100²
    assert n == pytest.approx(78_490, rel=1e-3)
    assert seeds_needed(1e3, 0.005, 1) is None


@pytest.mark.parametrize(("sd", "margin"), [(math.nan, 0.005), (0.01, 0.0), (math.inf, 0.005)])
def test_no_number_without_spread_or_margin(sd: float, margin: float) -> None:
    assert seeds_needed(sd, margin, 6) is None


@pytest.mark.parametrize("study", ["frozen-order", "textbook", "tuned", "units-dropout"])
def test_committed_reports_say_how_many_seeds_are_needed(study: str) -> None:
    seeds, pairs = (
        list(csv.DictReader((RESULTS / study / "tables" / name).read_text("utf-8").splitlines()))
        for name in ("seeds.csv", "uncertainty_pairs.csv")
    )
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in seeds:
        scores[row["section"], row["arm"]].append(float(row["test_accuracy"]))
    for row in pairs:
        a, b = scores[row["section"], row["a"]], scores[row["section"], row["b"]]
        sd = statistics.stdev(x - y for x, y in zip(a, b, strict=True))
        assert seeds_needed(sd, 0.005, len(pairs)) == int(row["seeds_needed"]), row


def opposite_by_hand(a: list[float], b: list[float]) -> float:
    sign = math.copysign(1, sum(a) / len(a) - sum(b) / len(b))
    told = [sign * (x - y) for x in a for y in b]
    return statistics.fmean(0.5 if d == 0 else float(d < 0) for d in told)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([0.80, 0.82, 0.84], [0.79, 0.81, 0.80]),
        ([0.79, 0.81, 0.80], [0.80, 0.82, 0.84]),
        ([0.80, 0.80, 0.85], [0.80, 0.81]),
        ([0.9, 0.8], [0.1, 0.2, 0.3]),
    ],
)
def test_reversal_counts_every_combination(a: list[float], b: list[float]) -> None:
    assert reversal_probability(a, b) == pytest.approx(opposite_by_hand(a, b))


@pytest.mark.parametrize("b", [[0.8], [], [0.7, math.nan], [0.8, 0.9]], ids=str)
def test_no_reversal_of_single_runs_nan_or_equal_means(b: list[float]) -> None:
    assert reversal_probability([0.9, 0.8], b) is None
