"""Verdicts at several looks: what was found stands, and later looks have less to spend."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rnnbench.compare.pairs import Scores, compare_sections
from rnnbench.compare.rows import PairRow

STEPS = (0.0001, -0.0002, 0.0003, -0.0004, 0.0005, -0.0006, 0.0007, -0.0008)


def apart(*points: float) -> Scores:
    """LSTM is so many points better than GRU, seed by seed."""
    gru = {seed: 0.7 + STEPS[seed % 8] for seed in range(len(points))}
    lstm = {seed: gru[seed] + each / 100 for seed, each in enumerate(points)}
    return {"lstm": lstm, "gru": gru}


def rising(low: float, high: float, n: int) -> list[float]:
    """So many points from low to high, all different."""
    return [low + (high - low) * place / (n - 1) for place in range(n)]


def look(*seen: Sequence[float], margin: float = 0.005, first: int = 1) -> PairRow:
    """The row after these looks, each the points of its runs."""
    *earlier, last = [[("", apart(*points))] for points in seen]
    (row,) = compare_sections(last, margin=margin, is_paired=True, earlier=earlier, look=first)
    return row


CLEAR = rising(1.0, 2.0, 6)


def test_what_the_first_look_found_stands() -> None:
    """Six of six decide at 4.75 % and eight of eight do not at 0.125 %: 2^-7 is 0.78 %."""
    row = look(CLEAR, rising(1.0, 2.0, 8))
    assert (row.n_a, row.p) == (8, 2**-7)
    assert (row.verdict, row.size, row.look) == ("better", "beyond", 1)


def test_it_stands_too_where_the_new_runs_make_it_doubtful() -> None:
    doubtful = [*CLEAR, *rising(-3.1, 3.0, 14)]
    assert look(doubtful).verdict == "undetermined"
    assert (look(CLEAR, doubtful).verdict, look(CLEAR, doubtful).look) == ("better", 1)


# One of so many is on the other side, with the smallest difference: p = 4 / 2^n.
@pytest.mark.parametrize(("n", "verdict"), [(11, "undetermined"), (12, "better")])
def test_the_second_look_has_an_eighth_of_a_per_cent(n: int, verdict: str) -> None:
    first = [-0.1, *rising(1.0, 2.0, 5)]
    row = look(first, [-0.1, *rising(1.0, 2.0, n - 1)])
    assert look(first).verdict == "undetermined"
    assert row.p == 4 / 2**n
    assert (row.verdict, row.look) == (verdict, 2)


def test_a_third_look_has_less_again() -> None:
    """4 / 2^12 is 0.098 %, and the third look has 0.042 %."""
    first, last = [-0.1, *rising(1.0, 2.0, 5)], [-0.1, *rising(1.0, 2.0, 11)]
    assert look(first, last).verdict == "better"
    assert look(first, first, last).verdict == "undetermined"


def test_looks_that_contradict_each_other_leave_the_pair_open() -> None:
    row = look(CLEAR, [*CLEAR, *rising(-9.0, -3.0, 24)])
    assert look(CLEAR).verdict == "better"
    assert (row.verdict, row.size) == ("undetermined", None)


def test_the_size_may_be_found_later_than_the_difference() -> None:
    first, later = rising(0.2, 1.4, 6), rising(0.6, 1.4, 20)
    assert (look(first).verdict, look(first).size) == ("better", "about")
    row = look(first, later)
    assert (row.verdict, row.size, row.look) == ("better", "beyond", 1)


def test_a_size_that_was_found_stands_where_a_later_look_finds_none() -> None:
    row = look(CLEAR, [*CLEAR, *rising(0.1, 0.4, 4)])
    assert (row.verdict, row.size) == ("better", "beyond")


def test_equivalence_stands_like_a_difference() -> None:
    level = [0.1, -0.1, 0.2, -0.2, 0.05, -0.05, 0.15, -0.15]
    row = look(level, [*level, 0.3, -0.3])
    assert look(level, [*level, 0.3, -0.3]).p_within == pytest.approx(1.1 * 2**-10)
    assert (row.verdict, row.look) == ("equivalent", 1)
    wide = [*level, 4.0, -4.0, 5.0, -5.0]
    assert (look(wide).verdict, look(level, wide).verdict) == ("undetermined", "equivalent")


def test_what_was_equivalent_and_is_found_better_is_better_within_the_margin() -> None:
    level = [0.1, -0.1, 0.2, -0.2, 0.05, -0.05, 0.15, -0.15]
    later = [*level, *rising(0.3, 1.0, 24)]
    row = look(level, later)
    assert (look(level).verdict, look(later).size) == ("equivalent", "about")
    assert (row.verdict, row.size, row.look) == ("better", "within", 2)


def test_sizes_that_contradict_each_other_are_about_the_margin() -> None:
    level = [0.1, -0.1, 0.2, -0.2, 0.05, -0.05, 0.15, -0.15]
    row = look(level, [*level, *rising(1.0, 3.0, 30)])
    assert (row.verdict, row.size) == ("better", "about")


def test_what_only_described_at_the_first_look_is_decided_at_the_second() -> None:
    row = look(rising(1.0, 2.0, 5), rising(1.0, 2.0, 11))
    assert (row.verdict, row.look) == ("better", 2)


def test_a_pair_that_earlier_looks_did_not_have_is_decided_by_this_one() -> None:
    runs = apart(*rising(1.0, 2.0, 11))
    rnn = {seed: 0.5 + STEPS[seed % 8] for seed in range(11)}
    rows = compare_sections(
        [("", {**runs, "rnn": rnn})],
        margin=0.005,
        is_paired=True,
        earlier=[[("", apart(*CLEAR))]],
    )
    assert [(row.b, row.verdict, row.look) for row in rows] == [
        ("gru", "better", 1),
        ("rnn", "undetermined", None),  # three pairs at 0.125 % take 13 seeds
        ("rnn", "undetermined", None),
    ]


def test_the_looks_are_counted_from_the_one_that_is_named() -> None:
    row = look(CLEAR, first=2)
    assert (row.verdict, row.n_needed, row.is_judged) == ("undetermined", 11, False)


def test_one_look_is_the_first() -> None:
    assert look(CLEAR).look == 1
    assert look(rising(1.0, 2.0, 5)).look is None  # it could give no verdict
