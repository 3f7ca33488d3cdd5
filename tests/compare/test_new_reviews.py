"""The verdict for other test reviews as well: t against the two-way standard error."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rnnbench.compare.pairs import Scores, compare_sections
from rnnbench.compare.rows import PairRow, PairUncertainty
from rnnbench.compare.uncertainty import judge_new_reviews

STEPS = (0.001, -0.001, 0.002, -0.002, 0.003, -0.003, 0.004, -0.004)
SE = 0.01


def apart(difference: float, n: int = 8) -> Scores:
    """Two arms whose means differ by so much."""
    gru = {seed: 0.7 + STEPS[seed % 8] for seed in range(n)}
    return {
        "lstm": {seed: gru[seed] + difference + STEPS[-1 - seed % 8] / 10 for seed in range(n)},
        "gru": gru,
    }


def measured(pair: PairRow, both_se: float | None = SE) -> PairUncertainty:
    return PairUncertainty(
        section=pair.section,
        a=pair.a,
        b=pair.b,
        seed_se=None,
        review_se=None,
        both_se=both_se,
        both_interval=None,
        opposite=None,
        n_opposite_seeds=None,
        n_seeds=8,
        seeds_needed=None,
    )


def judge(
    *differences: float,
    both_se: float | None = SE,
    margin: float = 0.005,
    look: int = 1,
    n: int = 8,
) -> tuple[PairUncertainty, ...]:
    """A section with one pair for each of the differences."""
    sections = [(f"{place}", apart(each, n)) for place, each in enumerate(differences)]
    pairs = compare_sections(sections, margin=margin, is_paired=True)
    return judge_new_reviews([measured(pair, both_se) for pair in pairs], pairs, look)


def test_arms_alike_in_every_review_are_equivalent_on_others_too() -> None:
    scores = apart(0.0)
    alike = {"lstm": scores["gru"], "gru": scores["gru"]}
    (pair,) = compare_sections([("", alike)], margin=0.005, is_paired=True)
    (row,) = judge_new_reviews([measured(pair, 0.0)], [pair], 1)
    assert (pair.verdict, row.new_reviews, row.holds(pair)) == ("equivalent", "equivalent", True)
    (row,) = judge_new_reviews([measured(pair, 0.0)], [replace(pair, difference=0.1)], 1)
    assert (row.p_new_reviews, row.new_reviews) == (None, "undetermined")


def test_at_a_look_that_is_not_spent_nothing_is_said_of_other_reviews() -> None:
    """Eight seeds found it; nine, where the second look takes eleven, decide nothing more."""
    nine = [("", apart(0.05, 9))]
    (pair,) = compare_sections(nine, margin=0.005, is_paired=True, earlier=[[("", apart(0.05))]])
    assert (pair.verdict, pair.is_carried, pair.is_judged) == ("better", True, False)
    (row,) = judge_new_reviews([measured(pair, 0.001)], [pair], 2)
    assert (row.new_reviews, row.p_new_reviews) == ("undetermined", pytest.approx(0, abs=1e-8))


# Student's t with 7 degrees of freedom: 1.895, 2.365, 2.998 and 3.499 for 10, 5, 2 and 1 %.
@pytest.mark.parametrize(
    ("difference", "p", "verdict"),
    [
        (0.018946, 0.10, "undetermined"),
        (0.023646, 0.05, "undetermined"),  # the first look has 4.75 %
        (0.029980, 0.02, "better"),
        (-0.029980, 0.02, "worse"),
    ],
)
def test_p_is_that_of_t_against_the_two_way_error(
    difference: float, p: float, verdict: str
) -> None:
    (row,) = judge(difference)
    assert row.p_new_reviews == pytest.approx(p, rel=2e-3)
    assert row.new_reviews == verdict


def test_what_the_seeds_alone_show_may_be_open_on_other_reviews() -> None:
    pairs = compare_sections([("", apart(0.015))], margin=0.005, is_paired=True)
    (row,) = judge_new_reviews([measured(pairs[0])], pairs, 1)
    assert (pairs[0].verdict, row.new_reviews) == ("better", "undetermined")


# 0.035 lies 2.998 errors above 0.00502, and 3.499 above 0.
@pytest.mark.parametrize(
    ("difference", "margin", "size"),
    [(0.034995, 0.005, "beyond"), (0.034995, 0.02, "about"), (0.034995, 0.06, "within")],
)
def test_the_size_is_decided_by_the_same_rule(difference: float, margin: float, size: str) -> None:
    (row,) = judge(difference, margin=margin)
    assert (row.new_reviews, row.new_reviews_size) == ("better", size)
    assert row.new_reviews_words == f"better, {size} the margin"


def test_no_difference_and_a_small_error_are_equivalent() -> None:
    """5 points of margin are five errors away: t(7) = 5 has a one-sided p of 0.08 %."""
    (row,) = judge(0.0, margin=0.05)
    assert (row.new_reviews, row.new_reviews_size) == ("equivalent", None)
    assert row.new_reviews_words == "equivalent"


def test_the_pairs_of_all_sections_are_one_family() -> None:
    """Of 2 % and 1 %, the smaller counts twice, and the larger no less."""
    first, second = judge(0.029980, 0.034995)
    assert first.p_new_reviews == pytest.approx(0.02, rel=2e-3)
    assert second.p_new_reviews == pytest.approx(0.02, rel=2e-3)
    crowd = judge(0.029980, 0.034995, *[0.0] * 3)
    assert crowd[0].p_new_reviews == pytest.approx(4 * 0.02, rel=2e-3)
    assert crowd[1].p_new_reviews == pytest.approx(5 * 0.01, rel=3e-3)
    assert {row.new_reviews for row in crowd[:2]} == {"undetermined"}


def test_a_pair_without_an_error_is_no_test_of_the_family() -> None:
    pairs = compare_sections(
        [("a", apart(0.029980)), ("b", apart(0.029980))], margin=0.005, is_paired=True
    )
    rows = [measured(pairs[0]), measured(pairs[1], None)]
    first, second = judge_new_reviews(rows, pairs, 1)
    assert first.p_new_reviews == pytest.approx(0.02, rel=2e-3)
    assert (second.p_new_reviews, second.new_reviews) == (None, "undetermined")
    assert second.new_reviews_words == "not measured"


@pytest.mark.parametrize("both_se", [None, 0.0], ids=["not measured", "no error at all"])
def test_without_an_error_nothing_is_decided(both_se: float | None) -> None:
    (row,) = judge(0.05, both_se=both_se)
    assert (row.p_new_reviews, row.new_reviews) == (None, "undetermined")


def test_a_second_look_has_less_to_spend() -> None:
    assert judge(0.034995, look=1)[0].new_reviews == "better"
    assert judge(0.034995, look=2)[0].new_reviews == "undetermined"


def test_five_runs_have_a_p_and_no_verdict() -> None:
    (row,) = judge(0.08, n=5)
    assert row.p_new_reviews is not None
    assert row.p_new_reviews < 0.01
    assert row.new_reviews == "undetermined"


def test_the_smaller_arm_gives_the_degrees_of_freedom() -> None:
    """t(5) = 2.571 for 5 %: six runs against eight."""
    (pair,) = compare_sections([("", apart(0.0))], margin=0.005, is_paired=False)
    pair = replace(pair, n_a=8, n_b=6, difference=0.025706)
    (row,) = judge_new_reviews([measured(pair)], [pair], 1)
    assert row.p_new_reviews == pytest.approx(0.05, rel=1e-3)


def test_no_rows_make_no_rows() -> None:
    assert judge_new_reviews([], [], 1) == ()
