"""The decision rule by itself: three questions, Holm over each, the level of a look."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from rnnbench.compare.verdicts import (
    LEVEL,
    Answers,
    Size,
    Verdict,
    adjust,
    ask,
    decide,
    level_of_look,
    words_of,
)
from rnnbench.stats.ranks import signed_rank

MARGIN = 0.5


def asked(differences: Sequence[float], margin: float = MARGIN) -> Answers:
    found = ask(partial(signed_rank, differences), margin)
    assert found is not None
    return found


def answers(p: float = 1.0, beyond: float = 1.0, within: float = 1.0) -> Answers:
    return Answers(
        is_above=True, p=p, p_beyond=beyond, p_within=within, p_not_lower=1.0, p_not_higher=1.0
    )


def test_the_levels_of_the_first_looks() -> None:
    assert level_of_look(1) == pytest.approx(0.0475)
    assert level_of_look(2) == pytest.approx(0.00125)
    assert level_of_look(3) == pytest.approx(0.0025 / 6)


@pytest.mark.parametrize("n_looks", [1, 2, 10, 10_000])
def test_all_looks_together_spend_no_more_than_the_level(n_looks: int) -> None:
    assert sum(level_of_look(number) for number in range(1, n_looks + 1)) < LEVEL


def test_each_look_has_something_left_and_less_than_the_one_before() -> None:
    levels = [level_of_look(number) for number in range(1, 50)]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] > 0


def test_the_three_questions_of_six_differences_by_hand() -> None:
    """Against 2.5 the ranks of 1 to 6 are 3.5, 1.5, 1.5, 3.5, 5 and 6, the first two negative.

    Of the 64 signs, 10 have negative ranks that add up to less than 5, or to 5 with no larger
    squares than these two; what is asked of the margin from inside counts 1.1 times.
    """
    found = asked([1, 2, 3, 4, 5, 6], margin=2.5)
    assert found == Answers(
        is_above=True,
        p=2 / 64,
        p_beyond=2 * 10 / 64,
        p_within=1.1 * 58 / 64,
        p_not_lower=1.1 * 1 / 64,
        p_not_higher=1.1 * 58 / 64,
    )


def test_the_questions_turn_round_with_the_arms() -> None:
    one, other = asked([1, 2, 3, 4, 5, 6], margin=2.5), asked([-1, -2, -3, -4, -5, -6], margin=2.5)
    assert (one.is_above, other.is_above) == (True, False)
    assert (one.p, one.p_beyond, one.p_within) == (other.p, other.p_beyond, other.p_within)
    assert (one.p_not_lower, one.p_not_higher) == (other.p_not_higher, other.p_not_lower)


def test_without_a_test_there_is_nothing_to_ask() -> None:
    assert ask(lambda _: None, MARGIN) is None
    assert decide(None, 0.05) == ("undetermined", None)


CLEAR = [0.8, 0.9, 1.0, 1.1, 1.2, 0.85, 0.95, 1.05, 1.15, 1.25]
SMALL = [difference - 0.8 for difference in CLEAR]  # 0.0 to 0.45
NEAR = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]
NONE = [0.2, -0.2, 0.1, -0.1, 0.3, -0.3, 0.15, -0.15, 0.05, -0.05]
WIDE = [20 * difference for difference in NONE]


@pytest.mark.parametrize(
    ("differences", "verdict", "size"),
    [
        (CLEAR, "better", "beyond"),
        (SMALL, "better", "within"),
        (NEAR, "better", "about"),
        (NONE, "equivalent", None),
        (WIDE, "undetermined", None),
    ],
    ids=["beyond", "within", "about", "equivalent", "undetermined"],
)
def test_each_verdict_of_ten_differences(
    differences: list[float], verdict: Verdict, size: Size | None
) -> None:
    assert decide(asked(differences), level_of_look(1)) == (verdict, size)
    turned = {"better": "worse"}.get(verdict, verdict)
    assert decide(asked([-value for value in differences]), level_of_look(1)) == (turned, size)


def test_an_estimate_beyond_the_margin_is_not_shown_to_lie_beyond_it() -> None:
    """The ten differences lie around 0.65, four of them at 0.5 or below."""
    found = asked(NEAR)
    assert sum(NEAR) / len(NEAR) > MARGIN
    assert found.p < 0.01
    assert found.p_beyond > LEVEL


def test_a_p_at_the_level_is_enough() -> None:
    assert decide(answers(p=0.0475), 0.0475)[0] == "better"
    assert decide(answers(p=0.0476), 0.0475)[0] == "undetermined"
    assert decide(answers(within=0.0475), 0.0475)[0] == "equivalent"
    assert decide(answers(p=0.01, beyond=0.0475), 0.0475)[1] == "beyond"


def test_the_size_without_the_difference_is_no_verdict() -> None:
    assert decide(answers(p=0.2, beyond=0.01), 0.0475) == ("undetermined", None)


def test_each_question_is_adjusted_by_itself() -> None:
    family = [answers(0.01, 0.02, 0.9), None, answers(0.04, 0.5, 0.001), answers(0.03, 0.01, 0.1)]
    first, none, second, third = adjust(family)
    assert first is not None
    assert second is not None
    assert third is not None
    assert none is None
    # Three tests: the smallest p counts three times, the next twice, and none less than before.
    assert [first.p, second.p, third.p] == pytest.approx([0.03, 0.06, 0.06])
    assert [first.p_beyond, second.p_beyond, third.p_beyond] == pytest.approx([0.04, 0.5, 0.03])
    assert [first.p_within, second.p_within, third.p_within] == pytest.approx([0.9, 0.003, 0.2])


def test_a_family_of_one_is_not_adjusted() -> None:
    alone = answers(0.01, 0.02, 0.9)
    assert adjust([alone, None]) == [alone, None]
    assert adjust([]) == []


def test_the_direction_is_no_question_and_stays() -> None:
    below = asked([-value for value in CLEAR])
    (found, _) = adjust([below, asked(CLEAR)])
    assert found is not None
    assert not found.is_above


@pytest.mark.parametrize(
    ("verdict", "size", "words"),
    [
        ("better", "beyond", "better, beyond the margin"),
        ("worse", "about", "worse, about the margin"),
        ("equivalent", None, "equivalent"),
    ],
)
def test_a_verdict_in_words(verdict: Verdict, size: Size | None, words: str) -> None:
    assert words_of(verdict, size) == words
