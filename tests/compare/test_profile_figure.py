"""What the figure of performance profiles shows, and that bad input is drawn or left out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from made_reports import make_report

from rnnbench.compare.comparison import Comparison
from rnnbench.compare.profiles import find_profiles, picture_profiles
from rnnbench.page.drawing import Picture, write_png, write_svg

Scores = Mapping[str, Sequence[float]]
NEAR = (0.800, 0.801, 0.802, 0.803, 0.804)
ODD: dict[str, Scores] = {
    "all equal": {"gru": [0.8] * 5},
    "0 and 1": {"gru": [0.0, 1.0], "lstm": [0.0, 0.0], "rnn": [1.0, 1.0]},
    "two runs": {"gru": [0.5, 0.8]},
    "far on both sides": {"gru": [*NEAR, 0.5, 0.99], "lstm": [*NEAR, 0.4, 0.6, 0.98]},
}


def compared(scores: Scores, sections: tuple[str, ...] = ("",)) -> Comparison:
    """Arms with these test accuracies, in each of the sections."""
    found = make_report(arms=tuple(scores), sections=sections, n_seeds=1, n_epochs=1).comparison
    seeds = tuple(
        replace(found.seeds[0], section=section, arm=arm, seed=seed, test_accuracy=score)
        for section in sections
        for arm, runs in scores.items()
        for seed, score in enumerate(runs)
    )
    return replace(found, seeds=seeds)


def drawn(comparison: Comparison) -> Picture:
    picture = picture_profiles(comparison)
    assert picture is not None
    assert write_svg(picture)
    assert write_png(picture.figure).startswith(b"\x89PNG")
    return picture


def test_a_curve_is_in_per_cent_and_falls_at_each_run() -> None:
    (panel,) = find_profiles(compared({"gru": [0.5, 0.25, 0.75, 0.5]}))
    (arm,) = panel.arms
    assert arm.scores == (25.0, 50.0, 50.0, 75.0)
    assert arm.profile.scores.tolist() == [25.0, 50.0, 75.0]
    assert arm.profile.shares.tolist() == [1.0, 0.75, 0.25, 0.0]


def test_arms_below_two_finished_runs_and_baselines_have_no_curve() -> None:
    comparison = compared({"none": [], "one": [0.8], "two": [0.8, 0.9]})
    assert any(row.is_baseline for row in comparison.arms)
    assert [arm.arm for panel in find_profiles(comparison) for arm in panel.arms] == ["two"]


@pytest.mark.parametrize("scores", [{"gru": []}, {"gru": [0.8], "lstm": [0.7]}], ids=str)
def test_without_two_runs_of_any_arm_there_is_no_figure(scores: Scores) -> None:
    assert picture_profiles(compared(scores)) is None


def test_sections_have_panels_in_the_reports_order_and_an_empty_one_has_none() -> None:
    comparison = compared({"gru": [0.8, 0.9]}, sections=("short", "long", "empty"))
    seeds = tuple(row for row in comparison.seeds if row.section != "empty")
    found = find_profiles(replace(comparison, arms=comparison.arms[::-1], seeds=seeds))
    assert [panel.heading for panel in found] == ["short", "long"]


@pytest.mark.parametrize("scores", ODD.values(), ids=ODD)
def test_odd_scores_are_drawn(scores: Scores) -> None:
    assert "pointwise" in drawn(compared(scores)).caption


def test_the_axis_is_around_the_runs_that_lie_together() -> None:
    picture = drawn(compared({"gru": [*NEAR, 0.5], "lstm": NEAR}))
    low, high = picture.figure.axes[0].get_xlim()
    assert 79.9 < low < 80.0
    assert 80.4 < high < 80.5
    assert "outside the picture" in picture.caption
    assert "gru, 1 of 6 runs, 50.0 %" in write_svg(picture)


def test_without_runs_far_away_nothing_lies_outside() -> None:
    assert "outside" not in drawn(compared({"gru": [0.5, 0.8]})).caption


def test_the_alt_text_says_where_the_runs_lie() -> None:
    picture = drawn(compared({"lstm": [0.79, 0.80, 0.81], "gru": [0.5, 0.8, 0.82]}))
    assert picture.alt == (
        "Test accuracy of the runs: lstm 3 runs, 79.0 to 81.0 %, median 80.0 %;"
        " gru 3 runs, 50.0 to 82.0 %, median 80.0 %."
    )


def test_of_many_arms_the_alt_text_names_those_with_the_lowest_runs() -> None:
    fine = {f"fine-{n}": NEAR for n in range(8)}
    picture = drawn(compared({**fine, "collapsed": [*NEAR, 0.5]}))
    assert "9 arms; those whose lowest run lies farthest below the median: coll" in picture.alt


def test_as_many_arms_and_panels_as_can_be_told_apart_are_shown_and_the_rest_counted() -> None:
    arms = {f"arm-{n}": NEAR for n in range(40)}
    picture = drawn(compared(arms, sections=tuple(f"section {n}" for n in range(7))))
    assert len(picture.figure.axes) == 6
    assert "At most 6 arms a panel are shown, 36 of 280" in picture.caption
    assert "The first 6 of 7 panels are shown." in picture.caption


def test_a_thousand_seeds_of_forty_arms_take_less_than_a_second_of_cpu_time() -> None:
    rng = np.random.default_rng(0)
    comparison = compared({f"arm-{n}": rng.normal(0.8, 0.003, 1_000).tolist() for n in range(40)})
    drawn(compared({"gru": NEAR}))  # matplotlib's import is paid here
    started = time.process_time()
    picture = picture_profiles(comparison)
    assert picture is not None
    size = len(write_svg(picture))
    assert time.process_time() - started < 1
    assert size < 500_000
