"""Numbers, verdicts and names as the report writes them."""

from __future__ import annotations

import math

import pytest
from made_reports import make_pair

from rnnbench.compare.verdicts import Size, Verdict
from rnnbench.page.texts import (
    brief_per_cent,
    chance,
    count,
    fine_duration,
    measured_value,
    number,
    p_value,
    per_cent,
    plain,
    published_value,
    short,
    signed_points,
    with_interval,
    with_sd,
    within,
)
from rnnbench.stats.intervals import Interval


def test_an_interval_says_that_it_was_bounded() -> None:
    assert within(Interval(0.9, 1.1).bounded(0, 1), per_cent) == "[90.00, 100.00] (bounded)"


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_not_a_number_is_a_dash(value: float | None) -> None:
    writers = (number, count, per_cent, signed_points, chance, p_value, fine_duration)
    assert [write(value) for write in writers] == ["–"] * len(writers)


def test_numbers_have_their_digits_and_a_real_minus() -> None:
    assert (number(8809.456, 1), number(-0.5), number(-0.001)) == ("8,809.5", "−0.50", "0.00")
    assert (count(8809), per_cent(0.80304), per_cent(0.803, 1)) == ("8,809", "80.30", "80.3")


def test_a_difference_has_its_sign_unless_it_is_nothing() -> None:
    assert [signed_points(x) for x in (0.0048, -0.0048, 0.0, -0.00001)] == [
        "+0.48",
        "−0.48",
        "0.00",
        "0.00",
    ]


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0, "< 0.001"), (0.00099, "< 0.001"), (0.00195, "0.002"), (0.3125, "0.312"), (1, "1.000")],
)
def test_small_p_values_are_bounded(p: float, text: str) -> None:
    assert p_value(p) == text


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0, "0 %"), (0.004, "< 1 %"), (0.234, "23 %"), (0.996, "> 99 %"), (1, "100 %")],
)
def test_only_what_is_certain_is_written_as_certain(probability: float, text: str) -> None:
    assert chance(probability) == text


def test_an_interval_is_written_in_the_unit_of_its_value() -> None:
    interval = Interval(0.0025, 0.007)
    assert with_interval(0.0048, interval, signed_points) == "+0.48 [+0.25, +0.70]"
    assert within(Interval(0.8, 0.81), per_cent) == "[80.00, 81.00]"


def test_half_an_interval_is_none() -> None:
    broken = Interval(math.nan, math.nan)
    assert within(broken, per_cent) == within(None, per_cent) == "–"
    assert with_interval(0.0048, broken, signed_points) == "+0.48"


def test_a_single_value_has_no_spread() -> None:
    assert with_sd(0.803, 0.0021, per_cent) == "80.30 ± 0.21"
    assert with_sd(0.803, None, per_cent) == with_sd(0.803, math.nan, per_cent) == "80.30"
    assert with_sd(None, None, per_cent) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0.4 s"), (45.2, "45 s"), (60, "1 min"), (732.4, "12 min 12 s"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert fine_duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(80.34, "80.3"), (99.96, "99.96"), (100.0, "100.0"), (99.94, "99.9")]
)
def test_less_than_all_is_not_written_as_all(value: float, text: str) -> None:
    assert brief_per_cent(value) == text


@pytest.mark.parametrize(
    ("verdict", "size", "is_descriptive_only", "words"),
    [
        ("better", "within", False, "better, within the margin"),
        ("better", "about", False, "better, about the margin"),
        ("worse", "beyond", False, "worse, beyond the margin"),
        ("equivalent", None, False, "equivalent"),
        ("undetermined", None, False, "undetermined"),
        ("undetermined", None, True, "undetermined (descriptive only)"),
    ],
)
def test_verdicts_in_words(
    verdict: Verdict, size: Size | None, is_descriptive_only: bool, words: str
) -> None:
    row = make_pair(verdict=verdict, size=size, is_descriptive_only=is_descriptive_only)
    assert row.verdict_words == words


@pytest.mark.parametrize(
    ("summary", "value", "text"),
    [
        ("best val_loss", 0.4368, "0.4368"),
        ("its val_accuracy", 0.7848, "78.48 %"),
        ("best epoch", 49.0, "49"),
        ("test loss", 0.4, "0.4000"),
        ("test accuracy", None, "–"),
    ],
)
def test_published_numbers_have_the_unit_of_their_summary(
    summary: str, value: float | None, text: str
) -> None:
    assert published_value(summary, value) == text


def test_epochs_of_ours_have_a_decimal_because_they_are_means() -> None:
    assert [measured_value("best epoch", value) for value in (41.25, 38.0)] == ["41.2", "38.0"]


def test_a_label_is_one_short_line_that_can_be_printed() -> None:
    assert plain("a\n\tb\x00\x1bc  d") == r"a b\x00\x1bc d"
    assert short("x" * 50, 10) == "x" * 9 + "…"
    assert short("lstm", 10) == "lstm"
