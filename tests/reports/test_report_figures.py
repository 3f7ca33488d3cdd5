"""What each figure shows, and that it can be drawn: also with odd names and few numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from made_reports import EMPTY, HOSTILE, changed, make_pair, make_report, make_responses

from rnnbench.compare.figures import (
    find_errors,
    find_improvements,
    find_pairs,
    find_scores,
    picture_errors,
    picture_improvements,
    picture_pairs,
    picture_scores,
)
from rnnbench.compare.learning import find_learning, mean_losses, picture_learning
from rnnbench.compare.profiles import picture_profiles
from rnnbench.compare.responses import find_responses, picture_responses
from rnnbench.compare.rows import Curve
from rnnbench.compare.uncertainty import Uncertainty
from rnnbench.page.drawing import Picture, limits_around, write_png, write_svg
from rnnbench.published.page import find_comparisons, picture_comparisons
from rnnbench.reports.compose import Report
from rnnbench.stats.intervals import Interval

Drawings = dict[str, tuple[Picture, str]]
PICTURES: dict[str, Callable[[Report], Picture | None]] = {
    "scores": lambda report: picture_scores(report.comparison),
    "profile": lambda report: picture_profiles(report.comparison),
    "responses": lambda report: picture_responses(report.comparison.responses),
    "pairs": lambda report: picture_pairs(report.comparison.pairs, ("",)),
    "improvement": lambda report: picture_improvements(report.comparison.pairs, ("",)),
    "uncertainty": lambda report: picture_errors(report.comparison),
    "curves": lambda report: picture_learning(
        report.comparison.curves, report.published.curves_for
    ),
    "published": lambda report: picture_comparisons(report.published.rows),
}


@pytest.fixture(scope="module")
def report() -> Report:
    return changed(make_report(), responses=make_responses())


@pytest.fixture(scope="module")
def drawn(report: Report) -> Drawings:
    """Each figure and its SVG, drawn once: the tests that look at them share it."""
    pictures = {name: draw(name, report) for name in PICTURES}
    return {name: (picture, write_svg(picture)) for name, picture in pictures.items()}


def draw(name: str, report: Report) -> Picture:
    picture = PICTURES[name](report)
    assert picture is not None
    assert picture.name == name
    return picture


def test_scores_show_every_seed_of_every_arm_in_per_cent(report: Report) -> None:
    (panel,) = find_scores(report.comparison)
    assert [line.name for line in panel.lines] == ["lstm", "lstm-dropout", "lstm-stacked", "gru"]
    assert panel.lines[3].dots == tuple(
        100 * row.test_accuracy for row in report.comparison.seeds if row.arm == "gru"
    )
    assert panel.baselines == (("bag of words", 82.12),)
    assert panel.lines[0].interval is not None
    assert panel.lines[0].interval.low < panel.lines[0].mean < panel.lines[0].interval.high


def test_scores_have_a_panel_for_each_section_in_the_reports_order() -> None:
    found = make_report(sections=("short", "long"), n_seeds=2, n_epochs=3).comparison
    backwards = replace(found, arms=found.arms[::-1])
    assert [panel.heading for panel in find_scores(backwards)] == ["short", "long"]


def test_an_arm_without_a_finished_run_has_no_line(report: Report) -> None:
    first, *others = report.comparison.arms
    arms = (replace(first, n=0, test_accuracy=None), *others)
    (panel,) = find_scores(replace(report.comparison, arms=arms))
    assert [line.name for line in panel.lines] == ["lstm-dropout", "lstm-stacked", "gru"]


def test_the_alt_text_counts_the_runs_behind_the_mean(report: Report) -> None:
    """A run that did not learn is a dot, and no part of the mean."""
    first, *others = report.comparison.arms
    arms = (replace(first, n=7, n_unlearned=3), *others)
    picture = picture_scores(replace(report.comparison, arms=arms))
    assert picture is not None
    assert "lstm 80.3 % (7 seeds), lstm-dropout 80.4 % (10 seeds)" in picture.alt


def test_the_axis_of_accuracies_ends_at_a_hundred_per_cent(report: Report) -> None:
    arms = tuple(replace(row, test_accuracy=1.0) for row in report.comparison.arms)
    picture = picture_scores(replace(report.comparison, arms=arms))
    assert picture is not None
    low, high = picture.figure.axes[-1].get_xlim()
    assert low < 100 < high < 100 + 0.03 * (high - low)


def test_a_line_of_one_value_is_said_once() -> None:
    rows = [row for row in make_responses() if row.architecture == "lstm" and row.value == 4]
    picture = picture_responses(rows[:1])
    assert picture is not None
    assert picture.alt == "Mean test accuracy. lstm with dropout=0.0: 79.7 % at units 4."


def test_pairs_are_in_points_with_their_verdict_in_words() -> None:
    (panel,) = find_pairs((make_pair(0.0048), make_pair(0.012, size="beyond")), ("",))
    assert [line.mean for line in panel.lines] == pytest.approx([0.49, 1.21])
    assert panel.lines[0].interval is not None
    assert panel.lines[0].interval.low == pytest.approx(0.26)
    assert panel.lines[1].words == "+1.21  better, beyond the margin"


def test_where_a_pair_has_no_typical_interval_the_figure_is_of_the_means() -> None:
    pairs = make_pair(0.0048), make_pair(0.012, a="rnn", is_paired=False)
    (panel,) = find_pairs(pairs, ("",))
    assert [line.mean for line in panel.lines] == pytest.approx([0.48, 1.2])
    picture = picture_pairs(pairs, ("",))
    assert picture is not None
    assert picture.title == "Differences of the means of test accuracy, first arm minus second"


def test_improvements_are_from_0_to_1_with_the_interval_in_words() -> None:
    pair = make_pair(-0.012, verdict="worse")
    unknown = replace(make_pair(a="rnn"), probability=None, probability_interval=None)
    (panel,) = find_improvements((pair, unknown), ("",))
    (line,) = panel.lines
    assert (line.label, line.mean, line.words) == ("lstm > gru", 0.93, "0.93 [0.78, 1.00]")
    assert line.interval == Interval(0.78, 1.0)
    assert line.colour == find_pairs((pair,), ("",))[0].lines[0].colour


def test_without_any_probability_there_is_no_figure_of_improvements() -> None:
    unknown = replace(make_pair(), probability=None, probability_interval=None)
    assert picture_improvements((unknown,), ("",)) is None


def test_the_axis_of_improvements_is_the_same_whatever_was_found(drawn: Drawings) -> None:
    picture, _ = drawn["improvement"]
    assert picture.figure.axes[0].get_xlim() == (-0.02, 1.02)


def test_the_alt_text_of_many_improvements_counts_them() -> None:
    pairs = tuple(replace(make_pair(), b=f"gru-{n}") for n in range(8))
    low = replace(make_pair(), probability=0.1, probability_interval=Interval(0.01, 0.4))
    picture = picture_improvements((*pairs, low), ("",))
    assert picture is not None
    assert picture.alt.endswith("9 pairs: from 0.10 to 0.93; 8 intervals lie above 0.5, 1 below.")


def test_the_mean_curve_goes_on_while_half_of_the_seeds_run() -> None:
    runs = [np.full((length, 2), value) for length, value in ((4, 1.0), (3, 2.0), (2, 6.0))]
    assert mean_losses(runs)[:, 0].tolist() == [3.0, 3.0, 1.5]


@pytest.mark.parametrize(("lengths", "n_epochs"), [((5, 2), 5), ((5,), 5), ((9, 4, 4, 1), 4)])
def test_how_long_the_mean_curve_is(lengths: tuple[int, ...], n_epochs: int) -> None:
    assert len(mean_losses([np.zeros((length, 2)) for length in lengths])) == n_epochs


def test_a_loss_that_is_no_number_is_left_out_of_its_epochs_mean() -> None:
    runs = [np.array([[1.0, math.nan]]), np.array([[3.0, math.inf]])]
    (mean,) = mean_losses(runs).tolist()
    assert mean[0] == 2.0
    assert math.isnan(mean[1])


def test_curves_are_losses_with_the_published_run_of_the_same_architecture(
    report: Report,
) -> None:
    panels = find_learning(report.comparison.curves, report.published.curves_for)
    assert [panel.arm for panel in panels] == ["lstm", "lstm-dropout", "lstm-stacked", "gru"]
    (source, losses), *others = panels[0].published
    assert (source, others) == ("notes-2025", [])
    assert losses.shape == (52,)
    np.testing.assert_array_equal(losses, report.published.curves[0].history[:, 2])


def test_a_published_run_is_shown_only_where_it_is_compared_with(report: Report) -> None:
    """Of frozen batches, and not of another learning rate."""
    row = replace(report.published.rows[-1], section="gru", architecture="gru", order="frozen")
    curves = tuple(
        Curve(section=section, arm="order=frozen", seed=0, history=np.ones((2, 4)))
        for section in ("gru", "gru · learning_rate=0.01")
    )
    panels = find_learning(curves, replace(report.published, rows=(row,)).curves_for)
    assert [[len(losses) for _, losses in panel.published] for panel in panels] == [[100], []]


def test_responses_are_lines_by_rising_value() -> None:
    rows = make_responses()
    panels = find_responses(rows[::-1])
    assert list(panels) == [("units", "gru"), ("units", "lstm")]
    lines = panels["units", "gru"]
    assert list(lines) == ["dropout=0.3", "dropout=0.0"]
    assert [row.value for row in lines["dropout=0.3"]] == [4, 8, 16, 32]


def test_notes_of_different_years_have_panels_of_their_own(report: Report) -> None:
    rows = report.published.rows[:2]
    other = tuple(replace(row, source="notes-2022") for row in rows)
    assert list(find_comparisons((*rows, *other))) == [
        ("notes-2025", "best val_loss"),
        ("notes-2025", "its val_accuracy"),
        ("notes-2022", "best val_loss"),
        ("notes-2022", "its val_accuracy"),
    ]


def test_published_values_are_grouped_by_summary_in_its_unit(report: Report) -> None:
    panels = find_comparisons(report.published.rows)
    axes = draw("published", report).figure.axes
    units = [panel.get_xlabel() for panel in axes if panel.get_visible()]
    assert dict(zip((summary for _, summary in panels), units, strict=True)) == {
        "best val_loss": "binary cross-entropy",
        "its val_accuracy": "accuracy (%)",
        "best epoch": "epoch",
        "test accuracy": "accuracy (%)",
    }
    (line,) = panels["notes-2025", "test accuracy"]
    assert (line.name, line.single, line.is_inside) == ("lstm-stacked", 78.48, False)


def test_errors_are_in_points_and_what_is_unknown_is_none(report: Report) -> None:
    first = replace(report.comparison.uncertainty.arms[0], review_se=None, both_se=math.nan)
    (panel,) = find_errors(replace(report.comparison, uncertainty=Uncertainty((first,))))
    assert tuple(error for _, error, _ in panel.lines[0].bars) == (
        pytest.approx(100 * (first.seed_se or 0)),
        None,
        None,
    )


@pytest.mark.parametrize("name", PICTURES)
def test_where_there_is_nothing_there_is_no_figure(name: str) -> None:
    assert PICTURES[name](EMPTY) is None


@pytest.mark.parametrize("name", PICTURES)
def test_a_figure_has_words_for_who_does_not_see_it(name: str, drawn: Drawings) -> None:
    picture, _ = drawn[name]
    assert picture.alt.endswith(".")
    assert any(character.isdigit() for character in picture.alt)
    assert len(picture.alt) < 1000


def test_alt_texts_say_the_main_numbers(drawn: Drawings) -> None:
    scores, _ = drawn["scores"]
    assert "lstm 80.3 % (10 seeds)" in scores.alt
    assert "baseline bag of words 82.1 %" in scores.alt
    pair = changed(EMPTY, pairs=(make_pair(0.0048),))
    assert "lstm minus gru +0.49 points, better, about the margin" in draw("pairs", pair).alt
    assert "lstm above gru 0.93 [0.78, 1.00]" in draw("improvement", pair).alt


@pytest.mark.parametrize("name", PICTURES)
def test_an_svg_holds_text_in_the_pages_colours_and_nothing_to_fetch(
    name: str, drawn: Drawings
) -> None:
    picture, svg = drawn[name]
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == picture.alt
    assert any(element.tag == "text" for element in root.iter())
    assert "var(--ink)" in svg
    assert "http" not in svg
    assert "font-family" not in svg
    assert "<style" not in svg


def test_identifiers_of_two_figures_never_meet(drawn: Drawings) -> None:
    identifiers = [
        element.attrib["id"]
        for _, svg in drawn.values()
        for element in ElementTree.fromstring(svg).iter()
        if "id" in element.attrib
    ]
    assert identifiers
    assert len(set(identifiers)) == len(identifiers)


@pytest.mark.parametrize("name", PICTURES)
def test_a_drawing_is_the_same_each_time(name: str, report: Report, drawn: Drawings) -> None:
    assert write_svg(draw(name, report)) == drawn[name][1]


@pytest.mark.parametrize(
    "strange",
    [f'{HOSTILE}"onload="alert(1)', "$\\frac{$ \x00\x1b\n 모델" + "x" * 300],
    ids=["hostile", "formula, control, hangul, long"],
)
def test_odd_names_are_drawn_as_text(strange: str) -> None:
    report = make_report(arms=("lstm", "gru"), n_seeds=2, n_epochs=2, hostile=strange)
    for picture in changed(report, sections=(strange,)).page().pictures:
        svg = write_svg(picture)
        assert "<script" not in svg
        assert "<svg" in svg
        assert write_png(picture.figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("n_seeds", [1, 2])
def test_few_seeds_are_drawn_too(n_seeds: int) -> None:
    report = make_report(arms=("lstm",), n_seeds=n_seeds, n_epochs=1)
    for name in ("scores", "curves"):
        assert write_svg(draw(name, report))


def test_an_interval_much_wider_than_all_else_does_not_set_the_axis() -> None:
    limits = limits_around([79.0, 81.0], [Interval(30.0, 130.0)])
    assert 76 < limits.low < 77.1
    assert 82.9 < limits.high < 84


def test_an_axis_around_a_single_value_has_width() -> None:
    limits = limits_around([10.0, 10.0], [Interval(10.0, 10.0)])
    assert (limits.low, limits.high) == pytest.approx((9.8, 10.2))


def test_an_axis_ends_around_the_intervals_that_fit() -> None:
    limits = limits_around([79.0, 81.0], [Interval(78.5, 81.5), None, Interval(math.nan, math.nan)])
    assert limits.low == pytest.approx(78.38)
    assert limits.high == pytest.approx(81.62)


@pytest.mark.campaign
def test_ten_thousand_runs_are_drawn_in_fifteen_seconds_of_cpu_time() -> None:
    arms = tuple(f"arm-{index}" for index in range(50))
    report = make_report(arms=arms, n_seeds=200, n_epochs=60)
    started = time.process_time()
    small = changed(report, pairs=report.comparison.pairs[:100])
    size = sum(len(write_svg(picture)) for picture in small.page().pictures)
    assert time.process_time() - started < 15
    assert size < 6_000_000
