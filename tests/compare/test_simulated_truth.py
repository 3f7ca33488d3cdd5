"""Simulated studies: drawn as described, counted by their truth; the page is the JSON's."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
MODULES = ("simulated_truth", "truth.scenarios", "truth.rates", "truth.power", "truth.reviews")


@pytest.fixture(scope="module")
def truth() -> Iterator[Any]:
    """The benchmark's modules, each under its last name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        found: dict[str, ModuleType] = {
            name.rpartition(".")[2]: importlib.import_module(name)
            for name in (*MODULES, "truth.page")
        }
        yield SimpleNamespace(**found)


def scenario(truth: Any, **given: Any) -> Any:
    standard = {
        "group": "no difference",
        "name": "",
        "typical": (0.0, 0.0),
        "n_seeds": (10, 10),
        "sds": (0.0018, 0.0018),
    }
    return truth.scenarios.Scenario(**standard | given)


def typical_by_draws(truth: Any, described: Any) -> float:
    """The median of the means of two drawn differences, or of one where unpaired."""
    a, b = map(np.array, truth.scenarios.draw_scores(described, np.random.default_rng(0)))
    differences = a - b
    if not described.is_paired:
        return float(np.median(differences))
    first, second = np.split(differences, 2)
    return float(np.median((first + second) / 2))


@pytest.mark.parametrize("is_paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize(("chance", "drop"), [(0.05, 0.05), (0.1, 0.25), (0.2, 0.01)])
def test_an_arm_that_collapses_keeps_its_typical_difference(
    truth: Any, chance: float, drop: float, is_paired: bool
) -> None:
    described = scenario(
        truth,
        typical=(0.005, 0.0),
        n_seeds=(400_000, 400_000),
        sds=(0.002, 0.001),
        correlation=0.3,
        collapse=truth.scenarios.Collapse(chance, drop),
        is_paired=is_paired,
    )
    assert typical_by_draws(truth, described) == pytest.approx(0.005, abs=3e-5)


def test_equal_means_are_equal(truth: Any) -> None:
    described = next(one for one in truth.scenarios.scenarios() if one.group == "means")
    n = 1_000_000
    many = scenario(truth, typical=described.typical, collapse=described.collapse, n_seeds=(n, n))
    a, b = truth.scenarios.draw_scores(many, np.random.default_rng(0))
    assert np.mean(a) == pytest.approx(np.mean(b), abs=3e-4)
    assert np.median(a) > np.median(b) + 0.02


def test_drawn_scores_have_the_spread_that_was_asked_for(truth: Any) -> None:
    described = scenario(
        truth, sds=(0.002, 0.004), n_seeds=(4_000, 4_000), correlation=0.5, n_reviews=25_000
    )
    values = np.array(truth.scenarios.draw_scores(described, np.random.default_rng(0)))
    assert values.std(axis=1) == pytest.approx([0.002, 0.004], rel=0.05)
    assert np.corrcoef(values)[0, 1] == pytest.approx(0.5, abs=0.05)
    assert np.round(values * 25_000) == pytest.approx(values * 25_000, abs=1e-6)


# What is said, the true difference in points, and whether that is false.
@pytest.mark.parametrize(
    ("verdict", "size", "points", "false"),
    [
        ("better", "about", 0.0, {"difference"}),
        ("worse", "about", 0.0, {"difference"}),
        ("better", "about", 0.1, set()),
        ("worse", "beyond", 0.7, {"difference", "beyond"}),
        ("worse", "beyond", -0.7, set()),
        ("better", "beyond", 0.5, {"beyond"}),
        ("better", "within", 0.5, {"within"}),
        ("better", "within", 0.4, set()),
        ("equivalent", None, -0.5, {"within"}),
        ("equivalent", None, 0.4, set()),
        ("undetermined", None, 0.0, set()),
    ],
)
def test_what_is_false_follows_from_the_truth(
    truth: Any, verdict: Any, size: Any, points: float, false: set[str]
) -> None:
    found = {
        question
        for question in truth.rates.QUESTIONS
        if truth.rates.is_false(question, verdict, size, points / 100)
    }
    assert found == false


def test_rates_stay_near_five_percent_or_below(truth: Any) -> None:
    equal = scenario(truth, typical=(0.0,) * 4, n_seeds=(10,) * 4, sds=(0.0018,) * 4)
    assert truth.rates.measure_rates(equal, 150, (0,))["difference"].is_met
    apart = scenario(truth, typical=(0.005, 0.0))
    rates = truth.rates.measure_rates(apart, 300, (0,))
    assert all(rate.is_met for rate in rates.values())


def test_every_look_is_told_and_the_report_of_all_at_last(truth: Any) -> None:
    described = scenario(truth, n_seeds=(10, 10), looks=(6, 8))
    scores = truth.scenarios.draw_scores(described, np.random.default_rng(0))
    told = list(truth.rates.watch_study(described, scores))
    assert [rows[0].n_a for rows in told] == [6, 8, 10, 10]


def test_the_plan_adds_what_the_report_asks_for_and_no_more(truth: Any) -> None:
    described = scenario(
        truth, typical=(0.02, 0.0), n_seeds=(60, 60), looks=(6,), follows_plan=True
    )
    decided = truth.scenarios.draw_scores(described, np.random.default_rng(0))
    assert [rows[0].n_a for rows in truth.rates.watch_study(described, decided)] == [6, 6]
    wide = scenario(truth, n_seeds=(60, 60), sds=(0.004, 0.004), looks=(6,), follows_plan=True)
    scores = truth.scenarios.draw_scores(wide, np.random.default_rng(1))
    n = [rows[0].n_a for rows in truth.rates.watch_study(wide, scores)]
    assert n[0] == 6 < n[1] <= 60
    assert n == sorted(n)


def test_half_a_point_is_found_by_ten_seeds(truth: Any) -> None:
    case = truth.power.PowerCase(n_seeds=10, difference=0.005)
    found = truth.power.measure_power(case, 100, (0,))
    assert found.rule.share > 0.85
    assert found.lost < 0.1


def test_new_reviews_are_seldom_told_a_difference_that_is_none(truth: Any) -> None:
    case = truth.reviews.ReviewCase(name="", n_seeds=10, difference=0.0)
    assert truth.reviews.measure_reviews(case, 30, (0,))["difference"].is_met


def test_rate_has_its_clopper_pearson_interval(truth: Any) -> None:
    rate = truth.rates.rate_of(0, 20)
    # 1 - 0.025^(1/20)
    assert (rate.low, rate.high) == pytest.approx((0.0, 1 - 0.025 ** (1 / 20)))
    assert rate.is_met
    assert not truth.rates.rate_of(10, 20).is_met


def test_fewer_studies_where_one_takes_longer(truth: Any) -> None:
    jobs = list(truth.simulated_truth.jobs_of(100))
    assert {job.kind for job in jobs} == {"rates", "reviews", "power"}
    assert all(math.isfinite(job.cost) for job in jobs)
    cell = jobs[0].measure.func(*jobs[0].measure.args[:1], 3, 0)
    assert cell["n_studies"] == 3
    assert json.loads(json.dumps(cell)) == cell


def test_the_page_is_what_the_json_gives(truth: Any) -> None:
    result = json.loads((ROOT / "benchmarks/results/simulated_truth.json").read_text("utf-8"))
    page = (ROOT / "docs/results/how-often-wrong.md").read_text("utf-8")
    assert page == truth.page.write_page(result)
