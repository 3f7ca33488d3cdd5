"""Where the uncertainty comes from, in rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from rnnbench.compare.pairs import compare_sections
from rnnbench.compare.rows import PairUncertainty
from rnnbench.compare.uncertainty import Uncertainty, measure_uncertainty
from rnnbench.stats.crossed import ReviewWeights, draw_review_weights
from rnnbench.stats.seeds import seeds_for_verdicts, seeds_needed

N_REVIEWS = 400


@pytest.fixture(scope="module")
def weights() -> ReviewWeights:
    return draw_review_weights(N_REVIEWS, np.random.default_rng(0), n_resamples=1_000)


def judge(seeds: range, ease: float, stream: int) -> dict[int, NDArray[np.bool_]]:
    """By seed, which reviews it judged right; the same reviews are hard for all."""
    rng = np.random.default_rng(stream)
    reviews = np.random.default_rng(99).normal(ease, 1.5, size=N_REVIEWS)
    return {seed: reviews + rng.normal(size=N_REVIEWS) + rng.normal(0, 0.1) > 0 for seed in seeds}


def score(correct: Mapping[int, NDArray[np.bool_]]) -> dict[int, float]:
    return {seed: float(right.mean()) for seed, right in correct.items()}


def measure(
    scores: Mapping[str, Mapping[int, float]],
    correct: Mapping[str, Mapping[int, NDArray[np.bool_]]],
    weights: ReviewWeights | None,
    *,
    is_paired: bool = True,
    n_test: int | None = None,
) -> Uncertainty:
    pairs = compare_sections(
        [("s", scores)], margin=0.005, is_paired=is_paired, n_test={"s": n_test}
    )
    return measure_uncertainty(
        "s", scores, lambda arm: correct.get(arm, {}), weights, pairs, n_family=6
    )


def measure_pair(
    a: dict[int, float], b: dict[int, float], *, is_paired: bool = True
) -> PairUncertainty:
    (row,) = measure({"a": a, "b": b}, {}, None, is_paired=is_paired).pairs
    return row


def test_rows_come_in_the_order_of_the_arms(weights: ReviewWeights) -> None:
    correct = {name: judge(range(4), 1.0, i) for i, name in enumerate("cab")}
    found = measure({name: score(correct[name]) for name in "cab"}, correct, weights)
    assert [row.arm for row in found.arms] == ["c", "a", "b"]
    assert [(row.a, row.b) for row in found.pairs] == [("c", "a"), ("c", "b"), ("a", "b")]
    assert {row.section for row in found.arms + found.pairs} == {"s"}


def test_an_arms_errors_are_those_of_its_runs(weights: ReviewWeights) -> None:
    correct = {"lstm": judge(range(6), 1.0, 0)}
    scores = score(correct["lstm"])
    (row,) = measure({"lstm": scores}, correct, weights).arms
    values = np.array(list(scores.values()))
    assert (row.n, row.n_reviews) == (6, N_REVIEWS)
    assert row.seed_sd == pytest.approx(values.std(ddof=1))
    assert row.seed_se == pytest.approx(values.std(ddof=1) / 6**0.5, rel=0.1)
    assert row.both_se is not None
    assert row.review_se is not None
    assert row.both_se > row.review_se > 0
    half = 2.5706 * row.both_se  # t of 5 degrees of freedom
    assert row.both_interval is not None
    assert row.both_interval.low == pytest.approx(values.mean() - half, abs=1e-6)
    assert row.both_interval.high == pytest.approx(values.mean() + half, abs=1e-6)


def test_a_run_far_from_the_others_leaves_the_seeds_needed_open() -> None:
    lstm = {seed: 0.8 + 0.001 * (seed % 4) for seed in range(10)}
    gru = {seed: 0.79 + 0.0013 * (seed % 3) for seed in range(10)}
    assert measure_pair(lstm, gru).seeds_needed is not None
    assert measure_pair(lstm, {**gru, 3: 0.53}).seeds_needed is None
    assert measure_pair(lstm, {**gru, 3: 0.53}, is_paired=False).seeds_needed is None


def test_without_predictions_only_the_spread_of_seeds_is_known() -> None:
    (row,) = measure({"lstm": {0: 0.8, 1: 0.82}}, {}, None).arms
    assert row.seed_sd == pytest.approx(0.02 / 2**0.5)
    assert row.n_reviews is row.seed_se is row.review_se is row.both_se is None


def test_one_missing_prediction_leaves_its_arm_out(weights: ReviewWeights) -> None:
    correct = {name: judge(range(3), 1.0, i) for i, name in enumerate("ab")}
    scores = {name: score(correct[name]) for name in "ab"}
    del correct["b"][1]
    found = measure(scores, correct, weights)
    assert [row.both_se is None for row in found.arms] == [False, True]
    assert found.pairs[0].both_se is None
    assert found.pairs[0].opposite is not None


def test_one_seed_knows_the_reviews_error_only(weights: ReviewWeights) -> None:
    correct = {name: judge(range(1), 1.0, i) for i, name in enumerate("ab")}
    found = measure({name: score(correct[name]) for name in "ab"}, correct, weights)
    assert found.arms[0].seed_sd is found.arms[0].seed_se is found.arms[0].both_se is None
    assert found.arms[0].review_se is not None
    assert found.pairs[0].review_se is not None
    assert found.pairs[0].opposite is found.pairs[0].seeds_needed is None
    assert (found.pairs[0].n_opposite_seeds, found.pairs[0].n_seeds) == (0, 1)


def test_no_runs_make_an_empty_row(weights: ReviewWeights) -> None:
    found = measure({"a": {}, "b": {0: 0.8}}, {}, weights)
    assert (found.arms[0].n, found.arms[0].seed_sd) == (0, None)
    assert (found.pairs[0].n_opposite_seeds, found.pairs[0].n_seeds) == (None, 0)


def test_pairs_share_the_luck_of_the_reviews(weights: ReviewWeights) -> None:
    correct = {name: judge(range(6), 1.0, i) for i, name in enumerate("ab")}
    scores = {name: score(correct[name]) for name in "ab"}
    found = measure(scores, correct, weights)
    of_arms = [row.review_se or math.nan for row in found.arms]
    assert found.pairs[0].review_se is not None
    assert found.pairs[0].review_se < 0.8 * math.hypot(*of_arms)


def test_only_common_seeds_enter_a_pair(weights: ReviewWeights) -> None:
    a, b = judge(range(6), 1.0, 0), judge(range(2, 8), 1.1, 1)
    both = measure({"a": score(a), "b": score(b)}, {"a": a, "b": b}, weights).pairs[0]
    part = ({s: a[s] for s in range(2, 6)}, {s: b[s] for s in range(2, 6)})
    cut = measure(
        {"a": score(part[0]), "b": score(part[1])}, dict(zip("ab", part, strict=True)), weights
    ).pairs[0]
    assert both == cut
    assert both.n_seeds == 4


def test_unpaired_arms_may_have_other_seeds(weights: ReviewWeights) -> None:
    a, b = judge(range(4), 1.0, 0), judge(range(10, 16), 1.1, 1)
    scores = {"a": score(a), "b": score(b)}
    (row,) = measure(scores, {"a": a, "b": b}, weights, is_paired=False).pairs
    sds = [np.std(list(values.values()), ddof=1) for values in scores.values()]
    assert row.seed_se == pytest.approx(math.hypot(sds[0] / 2, sds[1] / 6**0.5), rel=0.1)
    assert row.seeds_needed == seeds_needed(math.hypot(*sds), 0.005, 6, level=0.0475)
    assert (row.n_opposite_seeds, row.n_seeds) == (None, 0)


def test_single_seeds_that_tell_the_opposite_are_counted() -> None:
    row = measure_pair({0: 0.80, 1: 0.82, 2: 0.81}, {0: 0.81, 1: 0.80, 2: 0.81})
    assert (row.n_opposite_seeds, row.n_seeds) == (1, 3)
    # 0.80 loses to 0.81 twice and ties once; 0.81 ties twice
    assert row.opposite == pytest.approx((2 + 0.5 + 1) / 9)


def test_seeds_needed_come_from_the_margin_and_not_from_the_difference() -> None:
    near = measure_pair({0: 0.80, 1: 0.82, 2: 0.81}, {0: 0.80, 1: 0.80, 2: 0.80})
    far = measure_pair({0: 0.90, 1: 0.92, 2: 0.91}, {0: 0.80, 1: 0.80, 2: 0.80})
    assert near.seeds_needed == far.seeds_needed == seeds_needed(0.01, 0.005, 6, level=0.0475)


def test_equal_differences_need_the_fewest_seeds() -> None:
    row = measure_pair({0: 0.75, 1: 0.875}, {0: 0.5, 1: 0.625})
    assert row.seeds_needed == seeds_for_verdicts(6, 0.0475)


def test_runs_that_all_score_the_same_do_not_tell_how_many_are_needed() -> None:
    assert measure_pair({0: 0.75, 1: 0.75}, {0: 0.5, 1: 0.5}).seeds_needed is None


@pytest.mark.parametrize(("n_test", "is_told"), [(199, False), (200, True), (None, True)])
def test_no_seeds_are_enough_for_too_few_test_texts(n_test: int | None, is_told: bool) -> None:
    scores = {"a": {0: 0.80, 1: 0.82}, "b": {0: 0.80, 1: 0.80}}
    (row,) = measure(scores, {}, None, n_test=n_test).pairs
    assert (row.seeds_needed is not None) == is_told


def test_nan_counts_as_no_run(weights: ReviewWeights) -> None:
    correct = {name: judge(range(5), 1.0, i) for i, name in enumerate("ab")}
    scores = {name: score(correct[name]) for name in "ab"}
    without = {name: {s: v for s, v in scores[name].items() if s != 2} for name in "ab"}
    holed = {"a": {**scores["a"], 2: math.nan}, "b": scores["b"]}
    found, expected = (measure(case, correct, weights) for case in (holed, without))
    assert found.arms[0] == expected.arms[0]
    assert found.pairs == expected.pairs


def test_the_rows_repeat_themselves(weights: ReviewWeights) -> None:
    correct = {name: judge(range(4), 1.0, i) for i, name in enumerate("ab")}
    scores = {name: score(correct[name]) for name in "ab"}
    assert measure(scores, correct, weights) == measure(scores, correct, weights)


def test_a_lazy_mapping_is_asked_once_an_arm(weights: ReviewWeights) -> None:
    class Lazy(Mapping[str, dict[int, NDArray[np.bool_]]]):
        def __init__(self) -> None:
            self.asked: list[str] = []

        def __getitem__(self, arm: str) -> dict[int, NDArray[np.bool_]]:
            self.asked.append(arm)
            return judge(range(3), 1.0, ord(arm))

        def __iter__(self) -> Iterator[str]:
            return iter("abc")

        def __len__(self) -> int:
            return 3

    lazy = Lazy()
    found = measure({arm: {0: 0.8, 1: 0.81, 2: 0.79} for arm in "abc"}, lazy, weights)
    assert lazy.asked == ["a", "b", "c"]
    assert all(row.both_se is not None for row in found.pairs)
