"""What runs and test texts can decide."""

from __future__ import annotations

import pytest

from rnnbench.compare.reach import describe_reach, seeds_to_decide


def reach(
    n_runs: int,
    n_pairs: int = 1,
    n_test: int | None = 400,
    margin: float = 0.005,
    has_spread: bool = True,
) -> str:
    found = describe_reach(
        [0, n_runs, n_runs],
        n_pairs=n_pairs,
        is_paired=True,
        has_spread=has_spread,
        n_test=n_test,
        margin=margin,
    )
    return found or "all"


@pytest.mark.parametrize(
    ("n_runs", "n_pairs", "words"),
    [
        (5, 1, "Descriptive only: 5 seeds in the smallest arm."),
        (5, 3, "A verdict on each of 3 pairs takes 7, because no test could reach its level"),
        (6, 1, "all"),
        (6, 3, "Descriptive only: 6 seeds in the smallest arm."),
        (7, 3, "all"),
        (1, 0, "all"),
    ],
)
def test_few_seeds_allow_few_verdicts(n_runs: int, n_pairs: int, words: str) -> None:
    assert words in reach(n_runs, n_pairs)


def test_one_arm_with_few_seeds_leaves_the_others_their_verdicts() -> None:
    found = describe_reach(
        [10, 3, 10], n_pairs=3, is_paired=True, has_spread=True, n_test=None, margin=0.005
    )
    assert found is not None
    assert found.startswith("Some pairs are descriptive only: 3 seeds in the smallest arm.")


# One text of 200 is half a point.
@pytest.mark.parametrize(
    ("n_test", "margin", "is_enough"),
    [(12, 0.005, False), (199, 0.005, False), (200, 0.005, True), (50, 0.02, True)],
)
def test_a_test_text_must_not_weigh_more_than_the_margin(
    n_test: int, margin: float, is_enough: bool
) -> None:
    assert (reach(10, n_test=n_test, margin=margin) == "all") == is_enough


def test_what_one_of_few_test_texts_weighs_is_said() -> None:
    assert reach(8, n_test=12) == (
        "Too few test texts: one is 8 points of accuracy, more than the margin of 0.5. "
        "No verdict is given below 200 test texts."
    )


@pytest.mark.parametrize(
    ("n_test", "margin", "words"),
    [
        (190, 0.005, "one is 0.53 points of accuracy, more than the margin of 0.5."),
        (199, 0.005, "one is 0.503 points of accuracy, more than the margin of 0.5."),
        (33, 0.03, "one is 3.03 points of accuracy, more than the margin of 3."),
    ],
)
def test_what_a_text_weighs_reads_as_more_than_the_margin(
    n_test: int, margin: float, words: str
) -> None:
    assert words in reach(8, n_test=n_test, margin=margin)


def test_arms_of_runs_that_all_score_the_same_get_no_verdict() -> None:
    assert reach(8, has_spread=False).startswith("No spread: every run of some arms scored the")


def test_unpaired_runs_decide_sooner() -> None:
    # 2 / C(12, 6) = 0.0022, enough for 23 pairs; signs of six pairs reach 0.031, enough for one.
    assert seeds_to_decide(6, is_paired=False) == 6
    assert seeds_to_decide(6, is_paired=True) == 8
