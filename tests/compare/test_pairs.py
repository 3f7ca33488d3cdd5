"""Pairs of arms: which runs enter, which test, which verdict."""

from __future__ import annotations

import math

import pytest

from rnnbench.compare.pairs import Scores, compare_accuracies, compare_sections, pair_runs
from rnnbench.compare.rows import PairRow
from rnnbench.stats.intervals import Interval

NOISE = (0.0004, -0.0006, 0.0001, 0.0008, -0.0003, 0.0005, -0.0007, 0.0002)


def runs(mean: float, n: int = 8, first: int = 0, sign: int = 1) -> dict[int, float]:
    """n runs around a mean, by seed."""
    return {first + i: mean + sign * NOISE[i % 8] for i in range(n)}


def compare(scores: Scores, *, margin: float = 0.005, is_paired: bool = True) -> list[PairRow]:
    return compare_sections([("", scores)], margin=margin, is_paired=is_paired)


def one(scores: Scores, *, margin: float = 0.005, is_paired: bool = True) -> PairRow:
    (row,) = compare(scores, margin=margin, is_paired=is_paired)
    return row


@pytest.mark.parametrize("is_paired", [True, False])
def test_a_point_is_better_and_beyond_the_margin(is_paired: bool) -> None:
    row = one({"lstm": runs(0.81), "gru": runs(0.80, sign=-1)}, is_paired=is_paired)
    assert (row.verdict, row.size, row.is_paired) == ("better", "beyond", is_paired)
    assert row.difference == pytest.approx(0.0101)
    assert row.probability == 1.0


def test_the_arm_that_loses_is_worse() -> None:
    row = one({"gru": runs(0.80, sign=-1), "lstm": runs(0.81)})
    assert (row.a, row.b, row.verdict) == ("gru", "lstm", "worse")
    assert row.difference is not None
    assert row.difference < 0


def test_a_sure_small_difference_is_better_within_the_margin() -> None:
    row = one({"lstm": runs(0.803), "gru": runs(0.80)})
    assert (row.verdict, row.size) == ("better", "within")
    assert row.typical_interval is not None
    assert -0.005 < row.typical_interval.low <= row.typical_interval.high < 0.005


def test_a_difference_as_good_as_none_is_equivalent() -> None:
    row = one({"lstm": runs(0.80), "gru": runs(0.80, sign=-1)})
    assert (row.verdict, row.size) == ("equivalent", None)


@pytest.mark.parametrize("is_paired", [True, False])
@pytest.mark.parametrize("other", [0.98, 0.983, 0.9])
def test_runs_that_all_score_the_same_get_no_verdict(is_paired: bool, other: float) -> None:
    scores = {"lstm": dict.fromkeys(range(8), 0.98), "gru": dict.fromkeys(range(8), other)}
    row = one(scores, is_paired=is_paired)
    assert (row.verdict, row.is_without_spread) == ("undetermined", True)
    assert row.verdict_words == "undetermined (no spread)"


def test_equal_runs_that_differ_from_seed_to_seed_are_equivalent() -> None:
    row = one({"fleet": runs(0.80), "keras": runs(0.80)})
    assert (row.verdict, row.is_without_spread) == ("equivalent", False)


def test_one_test_text_that_outweighs_the_margin_leaves_no_verdict() -> None:
    scores = {"lstm": runs(0.9), "gru": runs(0.8, sign=-1)}
    for n_test, verdict in ((199, "undetermined"), (200, "better")):
        (row,) = compare_accuracies(
            [("", scores)], margin=0.005, is_paired=True, n_test={"": n_test}
        )
        assert (row.verdict, row.is_descriptive_only) == (verdict, n_test < 200)


def test_a_difference_of_accuracies_is_bounded() -> None:
    scores = {"lstm": {0: 0.9, 1: 0.5}, "gru": {0: 0.5, 1: 0.9}}
    (row,) = compare_accuracies([("", scores)], margin=0.005, is_paired=True, n_test={"": None})
    assert row.difference_interval == Interval(-1.0, 1.0, is_bounded=True)


def test_wide_spread_is_undetermined() -> None:
    wide = {seed: 0.80 + 30 * noise for seed, noise in enumerate(NOISE)}
    row = one({"lstm": wide, "gru": runs(0.80, sign=-1)})
    assert (row.verdict, row.size) == ("undetermined", None)


@pytest.mark.parametrize("is_paired", [True, False])
def test_five_runs_only_describe(is_paired: bool) -> None:
    row = one({"lstm": runs(0.90, 5), "gru": runs(0.80, 5)}, is_paired=is_paired)
    assert row.is_descriptive_only
    assert row.verdict == "undetermined"
    assert row.p == pytest.approx(0.0625 if is_paired else 2 / 252)
    assert row.difference_interval is not None


def test_six_runs_decide_one_pair() -> None:
    row = one({"lstm": runs(0.81, 6), "gru": runs(0.80, 6, sign=-1)})
    assert not row.is_descriptive_only
    assert (row.p, row.p_holm, row.verdict) == (0.03125, 0.03125, "better")


# Six pairs: 6 · 2^-6 > 0.0475 at 7 seeds, 6 · 2^-7 = 0.0469 at 8.
@pytest.mark.parametrize(("n", "verdict"), [(7, "undetermined"), (8, "better")])
def test_six_pairs_need_eight_seeds(n: int, verdict: str) -> None:
    scores = {name: runs(0.84 - 0.01 * i, n) for i, name in enumerate("abcd")}
    rows = compare(scores)
    assert [(row.a, row.b) for row in rows] == [
        ("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")
    ]  # fmt: skip
    assert {row.verdict for row in rows} == {verdict}
    assert {row.n_family for row in rows} == {6}


def test_sections_are_one_family_and_are_not_mixed() -> None:
    scores = {"lstm": runs(0.81, 6), "gru": runs(0.80, 6, sign=-1)}
    rows = compare_sections([("50", scores), ("100", scores)], margin=0.005, is_paired=True)
    assert [(row.section, row.a, row.b) for row in rows] == [
        ("50", "lstm", "gru"),
        ("100", "lstm", "gru"),
    ]
    assert [(row.p, row.p_holm, row.n_family) for row in rows] == [(0.03125, 0.0625, 2)] * 2
    assert {row.verdict for row in rows} == {"undetermined"}


def test_a_pair_without_a_test_does_not_count_in_the_family() -> None:
    rows = compare({"lstm": runs(0.81, 6), "gru": runs(0.80, 6), "single": runs(0.80, 1)})
    assert [row.n_family for row in rows] == [1, 1, 1]
    assert rows[0].verdict == "better"


def test_one_run_each_has_a_difference_and_nothing_else() -> None:
    row = one({"lstm": {0: 0.81}, "gru": {0: 0.80}})
    assert row.difference == pytest.approx(0.01)
    assert (row.n_a, row.n_b, row.is_paired) == (1, 1, True)
    assert row.p is row.p_holm is row.probability is row.difference_interval is None
    assert row.verdict == "undetermined"


def test_one_run_against_many_has_a_difference_and_nothing_else() -> None:
    row = one({"lstm": {0: 0.81}, "gru": runs(0.80)})
    assert (row.n_a, row.n_b, row.is_paired) == (1, 8, False)
    assert row.difference is not None
    assert row.p is row.difference_interval is None


def test_an_arm_without_runs_has_no_difference() -> None:
    row = one({"lstm": runs(0.81), "gru": {}})
    assert (row.n_a, row.n_b, row.difference, row.p) == (8, 0, None, None)
    assert row.verdict == "undetermined"


@pytest.mark.parametrize("names", [[], ["lstm"]], ids=["none", "one"])
def test_one_arm_makes_no_pair(names: list[str]) -> None:
    assert compare({name: runs(0.8) for name in names}) == []


def test_only_common_seeds_are_paired() -> None:
    row = one({"lstm": runs(0.81, 8), "gru": runs(0.80, 8, first=2)})
    assert (row.n_a, row.n_b, row.is_paired) == (6, 6, True)


def test_too_few_common_seeds_are_compared_unpaired() -> None:
    row = one({"lstm": runs(0.81, 8), "gru": runs(0.80, 7, first=7)})
    assert (row.n_a, row.n_b, row.is_paired, row.correlation) == (8, 7, False, None)
    assert row.verdict == "better"


def test_pairs_stand_in_the_order_of_their_seeds() -> None:
    found = pair_runs({2: 0.3, 0: 0.1, 1: 0.2}, {1: 0.5, 2: 0.6}, is_paired=True)
    assert (found.a, found.b, found.seeds_a) == ((0.2, 0.3), (0.5, 0.6), (1, 2))


def test_nan_counts_as_no_run() -> None:
    row = one({"lstm": {**runs(0.81), 3: math.nan}, "gru": runs(0.80)})
    assert (row.n_a, row.n_b) == (7, 7)
    assert row.difference == pytest.approx(0.01)


def test_equal_differences_are_no_stumbling_block() -> None:
    row = one({"lstm": dict.fromkeys(range(8), 0.75), "gru": dict.fromkeys(range(8), 0.5)})
    assert row.difference_interval == Interval(0.25, 0.25)
    assert (row.p, row.correlation, row.verdict) == (2 * 2**-8, None, "undetermined")


def test_the_same_scores_are_equivalent() -> None:
    row = one({"lstm": runs(0.8), "lstm again": runs(0.8)})
    assert (row.difference, row.p, row.verdict) == (0.0, 1.0, "equivalent")
    assert row.correlation == pytest.approx(1.0)
    assert row.probability == 0.5


@pytest.mark.parametrize("is_paired", [True, False])
def test_only_an_interval_inside_the_margin_is_equivalent(is_paired: bool) -> None:
    same = dict.fromkeys(range(8), 0.5)
    alternating = {seed: 0.5 + 0.005 * (-1) ** seed for seed in range(8)}
    # The interval is ± 0.0045.
    for margin, verdict in ((0.004, "undetermined"), (0.02, "equivalent")):
        row = one({"a": same, "b": alternating}, margin=margin, is_paired=is_paired)
        assert row.verdict == verdict


def collapsed(n: int) -> dict[str, dict[int, float]]:
    """LSTM is a point better than GRU, but in its last run, which is 25 points down."""
    lstm = {seed: 0.81 + seed / 10_000 for seed in range(n)}
    return {"lstm": lstm | {n - 1: 0.55}, "gru": dict.fromkeys(range(n), 0.80)}


# The run that lost has the largest rank, n: of the 2^n signs 43 give 10 or less with ten pairs, and
# 70 give 12 or less with twelve.
@pytest.mark.parametrize(
    ("n", "p", "verdict"), [(10, 86 / 2**10, "undetermined"), (12, 140 / 2**12, "better")]
)
def test_with_enough_seeds_a_run_that_collapsed_hides_no_difference(
    n: int, p: float, verdict: str
) -> None:
    row = one(collapsed(n))
    assert (row.p, row.verdict) == (pytest.approx(p), verdict)


def test_a_run_that_collapsed_moves_the_mean_and_not_the_typical_difference() -> None:
    row = one(collapsed(12))
    assert row.difference is not None
    assert row.difference_interval is not None
    assert row.difference < 0
    assert row.difference_interval.contains(0)
    assert row.typical == pytest.approx(0.01, abs=0.002)
    assert row.typical_interval is not None
    assert row.typical_interval.low > 0


def test_a_run_that_collapsed_makes_up_no_difference() -> None:
    row = one({"lstm": runs(0.80, 12) | {11: 0.55}, "gru": runs(0.80, 12, sign=-1)})
    assert row.verdict in ("equivalent", "undetermined")


def test_unpaired_runs_need_the_means_and_the_ranks() -> None:
    """All but one run of `high` beat every run of `low`, but the means show nothing."""
    low = {seed: 0.80 + seed / 10_000 for seed in range(12)}
    high = {seed: 0.81 + seed / 10_000 for seed in range(11)} | {11: 0.1}
    row = one({"low": low, "high": high}, is_paired=False)
    assert row.probability is not None
    assert row.probability < 0.1
    assert row.verdict == "undetermined"


def test_a_point_estimate_beyond_the_margin_is_about_it_while_the_interval_holds_it() -> None:
    gru = dict.fromkeys(range(10), 0.80)
    lstm = {seed: 0.802 + seed / 1000 for seed in range(10)}  # 0.2 to 1.1 points better
    row = one({"lstm": lstm, "gru": gru})
    assert (row.verdict, row.size) == ("better", "about")
    assert row.typical == pytest.approx(0.0065)
    assert row.typical_interval is not None
    assert row.typical_interval.contains(0.005)


def test_one_arm_without_spread_is_compared_like_any_other() -> None:
    row = one({"lstm": runs(0.81), "gru": dict.fromkeys(range(8), 0.80)})
    assert (row.verdict, row.is_without_spread) == ("better", False)


def test_many_runs_repeat_their_drawn_p() -> None:
    scores = {"a": runs(0.8002, 40), "b": runs(0.8, 40, sign=-1)}
    alone = one(scores, is_paired=False)
    assert alone == one(scores, is_paired=False)
    assert compare({**scores, "c": runs(0.7, 40)}, is_paired=False)[0].p == alone.p


def test_seeds_that_only_one_arm_has_change_nothing() -> None:
    lstm, gru = runs(0.81), runs(0.80, sign=-1)
    more = one({"lstm": {**lstm, 20: 0.1, 21: 0.2}, "gru": {**gru, 30: 0.99}})
    assert more == one({"lstm": lstm, "gru": gru})


def test_scores_that_are_all_nan_are_no_runs() -> None:
    row = one({"lstm": dict.fromkeys(range(8), math.nan), "gru": runs(0.80)})
    assert (row.n_a, row.n_b, row.difference, row.p) == (0, 8, None, None)
    assert row.verdict == "undetermined"
