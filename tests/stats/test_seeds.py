"""Seeds that a verdict needs, and what one seed would have told."""

from __future__ import annotations

import csv
import math
import statistics
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from rnnbench.compare.verdicts import level_of_look
from rnnbench.stats.seeds import (
    _detectable_effect,
    detectable_difference,
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


def power_by_simulation(n: int, effect: float, level: float, n_samples: int = 4_000) -> float:
    """How often SciPy's exact test finds a normal difference, and on its own side."""
    rng = np.random.default_rng([n, round(1e6 * effect)])
    drawn = rng.normal(effect, 1, (n_samples, n))
    found = stats.wilcoxon(drawn, axis=1, method="exact")
    # SciPy's statistic is the smaller rank sum; the side is that of the ranks.
    above = (stats.rankdata(np.abs(drawn), axis=1) * np.sign(drawn)).sum(axis=1) > 0
    return float(np.mean((found.pvalue <= level) & above))


@pytest.mark.parametrize(("n", "n_tests"), [(6, 1), (7, 3), (10, 6), (12, 10), (20, 6), (40, 1)])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.9])
def test_the_detectable_difference_is_found_with_the_power_asked_for(
    n: int, n_tests: int, power: float
) -> None:
    difference = detectable_difference(0.01, n, n_tests, power=power)
    assert difference is not None
    found = power_by_simulation(n, difference / 0.01, 0.05 / n_tests)
    assert found == pytest.approx(power, abs=0.03)


@pytest.mark.parametrize("n", [41, 60, 90])
def test_above_forty_seeds_the_approximation_holds(n: int) -> None:
    difference = detectable_difference(0.01, n, 6)
    assert difference is not None
    found = power_by_simulation(n, difference / 0.01, 0.05 / 6, n_samples=2_000)
    assert found == pytest.approx(0.8, abs=0.04)


def test_nothing_jumps_where_the_approximation_begins() -> None:
    for n_tests in (1, 6, 45):
        at_40, at_41 = (_detectable_effect(n, 0.0475 / n_tests, 0.8) for n in (40, 41))
        assert at_41 == pytest.approx(at_40 * math.sqrt(40 / 41), rel=0.03)


# At 9 seeds and 10 pairs (2^-8 <= 0.005 < 2^-7) only nine equal signs decide: Φ(d)^9 is the power.
@pytest.mark.parametrize(("n", "n_tests"), [(6, 1), (9, 10), (8, 6)])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_with_the_fewest_seeds_all_signs_have_to_be_equal(
    n: int, n_tests: int, power: float
) -> None:
    difference = detectable_difference(1.0, n, n_tests, power=power)
    assert difference is not None
    assert difference == pytest.approx(stats.norm.ppf(power ** (1 / n)), rel=0.015)


FEW, MANY = 1, 6  # tests; each number of seeds and tests is simulated once, which takes a moment


def random_questions(n: int) -> list[tuple[float, int, int]]:
    """Spread, seeds and tests."""
    rng = np.random.default_rng(0)
    return list(
        zip(
            (10 ** rng.uniform(-4, -1.5, n)).tolist(),
            rng.integers(8, 120, n).tolist(),
            rng.choice([FEW, MANY], n).tolist(),
            strict=True,
        )
    )


def test_more_spread_and_more_tests_never_need_fewer_seeds() -> None:
    for sd, _, n_tests in random_questions(1_000):
        needed = seeds_needed(sd, 0.005, n_tests)
        wider = seeds_needed(1.1 * sd, 0.005, n_tests)
        more = seeds_needed(sd, 0.005, MANY)
        assert needed is not None
        assert wider is not None
        assert more is not None
        assert needed <= wider, (sd, n_tests)
        assert needed <= more, (sd, n_tests)


def test_more_seeds_never_find_less() -> None:
    for sd, n, n_tests in random_questions(1_000):
        found = detectable_difference(sd, n, n_tests)
        if found is None:
            assert 2.0 ** (1 - n) > 0.05 / n_tests
            continue
        more = detectable_difference(sd, n + 1, n_tests)
        stricter = detectable_difference(sd, n, MANY)
        assert more is not None
        assert more <= found, (sd, n, n_tests)
        assert stricter is None or stricter >= found, (sd, n, n_tests)


def test_seeds_needed_is_the_inverse_of_the_detectable_difference() -> None:
    for sd, n, n_tests in random_questions(1_000):
        difference = detectable_difference(sd, n, n_tests)
        if difference is None:
            continue
        enough = seeds_needed(sd, difference * (1 + 1e-9), n_tests)
        assert enough is not None
        assert enough <= n, (sd, n, n_tests)
        needed = seeds_needed(sd, 0.005, n_tests)
        assert needed is not None
        found = detectable_difference(sd, needed, n_tests)
        assert found is not None
        assert found <= 0.005
        fewer = detectable_difference(sd, needed - 1, n_tests)
        assert fewer is None or fewer > 0.005, (sd, needed, n_tests)


# Cohen's tables (1988): by the t test d = 0.5 needs 34 pairs, d = 0.8 needs 15, d = 0.2 needs 199;
# ranks need π / 3 times as many, or one or two more.
@pytest.mark.parametrize(("effect", "n"), [(0.5, 34), (0.8, 15), (0.2, 199)])
def test_a_little_more_than_the_textbook_numbers_of_pairs(effect: float, n: int) -> None:
    found = seeds_needed(0.01, 0.01 * effect, 1)
    assert found is not None
    assert n <= found <= math.ceil(math.pi / 3 * n) + 1


@pytest.mark.parametrize(("sd", "n_tests"), [(0.004, 1), (0.004, 6), (0.007, 3), (0.0025, 6)])
def test_simulated_power_is_what_was_asked_for_and_one_seed_fewer_would_not_do(
    sd: float, n_tests: int
) -> None:
    n = seeds_needed(sd, 0.005, n_tests)
    assert n is not None
    assert power_by_simulation(n, 0.005 / sd, 0.05 / n_tests, 8_000) >= 0.8 - 0.015
    fewest = seeds_for_verdicts(n_tests)
    assert n == fewest or power_by_simulation(n - 1, 0.005 / sd, 0.05 / n_tests, 8_000) < 0.815


@pytest.mark.parametrize("sd", [0.0, 1e-9, 1e-4, 0.0002])
def test_never_fewer_than_a_verdict_needs(sd: float) -> None:
    assert seeds_needed(sd, 0.005, 6) == 8


def test_a_wide_spread_needs_many_and_an_absurd_one_no_number() -> None:
    n = seeds_needed(0.5, 0.005, 1)
    # (1.96 + 0.8416)² · 100², and π / 3 times that
    assert n == pytest.approx(78_490 * math.pi / 3, rel=1e-3)
    assert seeds_needed(1e3, 0.005, 1) is None


@pytest.mark.parametrize(("sd", "margin"), [(math.nan, 0.005), (0.01, 0.0), (math.inf, 0.005)])
def test_no_number_without_spread_or_margin(sd: float, margin: float) -> None:
    assert seeds_needed(sd, margin, 6) is None


@pytest.mark.parametrize(
    ("study", "look"),
    [
        ("textbook", 2),
        ("textbook-h200", 2),
        ("frozen-order", 2),
        ("tuned", 2),
        ("units-dropout", 1),
    ],
)
def test_committed_reports_say_how_many_seeds_are_needed(study: str, look: int) -> None:
    """At the look after theirs; units-dropout, with three seeds, was none."""
    seeds, pairs = (
        list(csv.DictReader((RESULTS / study / "tables" / name).read_text("utf-8").splitlines()))
        for name in ("seeds.csv", "uncertainty_pairs.csv")
    )
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in seeds:
        scores[row["section"], row["arm"]].append(float(row["test_accuracy"]))
    for row in pairs:
        a, b = scores[row["section"], row["a"]], scores[row["section"], row["b"]]
        differences = [x - y for x, y in zip(a, b, strict=True)]
        sd, middle = statistics.stdev(differences), statistics.median(differences)
        found = seeds_needed(sd, 0.005, len(pairs), level=level_of_look(look))
        if row["seeds_needed"]:
            assert found == int(row["seeds_needed"]), row
        else:  # one run far from the others makes the spread
            assert sd > 5 * 1.4826 * statistics.median(abs(value - middle) for value in differences)


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
