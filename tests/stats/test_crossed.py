"""The two-way bootstrap, against variances worked out and against brute force."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from rnnbench.stats.crossed import (
    ResampledMeans,
    ReviewWeights,
    crossed_interval,
    draw_review_weights,
    estimate_errors,
    estimate_errors_apart,
    resample_f1,
    resample_reviews,
)

N_RESAMPLES = 4_000


def judge(n_seeds: int, n_reviews: int, seed: int = 0, gain: float = 0.0) -> NDArray[np.bool_]:
    """bool `(n_seeds, n_reviews)`: easy and hard reviews, better and worse seeds."""
    rng = np.random.default_rng(seed)
    ease = np.random.default_rng(99).normal(1.2, 1.5, size=n_reviews)
    skill = rng.normal(gain, 0.15, size=(n_seeds, 1))
    return ease + skill + rng.normal(size=(n_seeds, n_reviews)) > 0


def resample(correct: NDArray[np.bool_], n_resamples: int = N_RESAMPLES) -> ResampledMeans:
    weights = draw_review_weights(
        correct.shape[1], np.random.default_rng(1), n_resamples=n_resamples
    )
    return resample_reviews(correct, weights)


def limits(x: NDArray[np.float64]) -> tuple[float, float, float]:
    """Standard errors that the bootstrap tends to: of seeds, of reviews, of both.

    Both: the two variances and that of the cells, SS / (n (n - 1) m (m - 1)).
    """
    n, m = x.shape
    of_seeds = x.mean(axis=1).var(ddof=1) / n
    of_reviews = x.mean(axis=0).var(ddof=1) / m
    rest = x - x.mean(axis=0) - x.mean(axis=1, keepdims=True) + x.mean()
    of_cells = (rest**2).sum() / (n * (n - 1) * m * (m - 1))
    both = of_seeds + of_reviews + of_cells
    return float(of_seeds**0.5), float(of_reviews**0.5), float(both**0.5)


@pytest.mark.parametrize(("n_seeds", "n_reviews"), [(2, 500), (10, 500), (40, 60)])
def test_standard_errors_are_the_analytic_ones(n_seeds: int, n_reviews: int) -> None:
    correct = judge(n_seeds, n_reviews)
    found = estimate_errors(resample(correct), np.random.default_rng(2))
    expected = limits(correct.astype(float))
    assert (found.seed_se, found.review_se, found.both_se) == pytest.approx(expected, rel=0.05)


def test_errors_of_a_paired_difference_are_those_of_the_differences() -> None:
    a, b = judge(10, 500), judge(10, 500, seed=5, gain=0.2)
    differences = a.astype(np.int8) - b.astype(np.int8)
    found = estimate_errors(resample(a).minus(resample(b)), np.random.default_rng(2))
    direct = estimate_errors(resample(differences), np.random.default_rng(2))
    assert found.both_se == pytest.approx(direct.both_se, rel=1e-4)
    expected = limits(differences.astype(float))
    assert (found.seed_se, found.review_se, found.both_se) == pytest.approx(expected, rel=0.05)


def test_unpaired_seeds_add_their_variances_and_share_the_reviews() -> None:
    a, b = judge(6, 400), judge(9, 400, seed=5, gain=0.2)
    found = estimate_errors_apart(resample(a), resample(b), np.random.default_rng(2))
    se_a, se_b = limits(a.astype(float))[0], limits(b.astype(float))[0]
    of_reviews = (a.mean(axis=0) - b.mean(axis=0)).std(ddof=1) / 400**0.5
    assert found.seed_se == pytest.approx(np.hypot(se_a, se_b), rel=0.05)
    assert found.review_se == pytest.approx(of_reviews, rel=0.05)


def test_resampled_means_are_the_weighted_means() -> None:
    correct = judge(3, 10_000)  # several blocks
    weights = draw_review_weights(10_000, np.random.default_rng(1), n_resamples=5)
    found = resample_reviews(correct, weights)
    by_hand = [[np.repeat(row, count).mean() for count in weights.counts] for row in correct]
    assert found.resampled == pytest.approx(np.array(by_hand), abs=1e-6)
    assert found.means == pytest.approx(correct.mean(axis=1))


def test_each_draw_takes_one_review_fewer_and_all_alike() -> None:
    counts = draw_review_weights(50, np.random.default_rng(0), n_resamples=20_000).counts
    assert (counts.sum(axis=1) == 49).all()
    assert counts.mean(axis=0) == pytest.approx(np.full(50, 0.98), abs=0.04)


def test_one_seed_says_nothing_of_other_seeds() -> None:
    correct = judge(1, 500)
    found = estimate_errors(resample(correct), np.random.default_rng(2))
    p = correct.mean()
    assert found.seed_se is found.both_se is None
    assert found.review_se == pytest.approx((p * (1 - p) / 499) ** 0.5, rel=0.05)
    pair = estimate_errors_apart(
        resample(correct), resample(judge(4, 500)), np.random.default_rng(0)
    )
    assert pair.seed_se is pair.both_se is None


def test_equal_seeds_have_no_seed_error() -> None:
    correct = np.repeat(judge(1, 500), 5, axis=0)
    found = estimate_errors(resample(correct), np.random.default_rng(2))
    assert found.seed_se == pytest.approx(0.0, abs=1e-12)
    assert found.both_se == pytest.approx(found.review_se, rel=1e-5)


def test_the_same_generator_gives_the_same_errors() -> None:
    means = resample(judge(5, 200), 200)
    assert estimate_errors(means, np.random.default_rng(3)) == estimate_errors(
        means, np.random.default_rng(3)
    )


def test_seeds_are_taken_by_their_rows() -> None:
    correct = judge(5, 200)
    weights = draw_review_weights(200, np.random.default_rng(0), n_resamples=9)
    part = resample_reviews(correct, weights).take([3, 1])
    assert (part.resampled == resample_reviews(correct[[3, 1]], weights).resampled).all()
    assert (part.means == correct[[3, 1]].mean(axis=1)).all()


def test_weights_of_another_test_half_are_refused() -> None:
    with pytest.raises(ValueError, match="300 reviews were scored, but weights drawn for 200"):
        resample_reviews(
            judge(2, 300), draw_review_weights(200, np.random.default_rng(0), n_resamples=9)
        )


def test_full_size_is_quick_and_small() -> None:
    rng = np.random.default_rng(0)
    correct = rng.random((10, 25_000)) < 0.8
    began = time.process_time()
    weights = draw_review_weights(25_000, rng)
    estimate_errors(resample_reviews(correct, weights), rng)
    assert time.process_time() - began < 3  # 0.3 s on a machine that does nothing else


def test_many_seeds_fit_in_memory() -> None:
    correct = np.ones((2_500, 25_000), dtype=np.bool_)
    weights = ReviewWeights(np.ones((100, 25_000), dtype=np.uint8))
    tracemalloc.start()
    resample_reviews(correct, weights)
    peak_mib = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    assert peak_mib < 150


def test_an_interval_of_both_is_worked_out_by_hand() -> None:
    """Means of seeds 0.5 and 0.75: variance 1/32, over 2 is 1/64; of texts 1, 1, 0.5 and 0: 11/48,
    over 4 is 11/192. Satterthwaite: (14/192)² / ((3/192)² / 1 + (11/192)² / 3) = 3.97.
    """
    values = np.array([[1, 1, 0, 0], [1, 1, 1, 0]], dtype=np.int8)
    found = crossed_interval(values)
    assert found is not None
    half = 2.7843 * (14 / 192) ** 0.5  # Student's t at 97.5 % with 3.97 degrees of freedom
    assert (found.low, found.high) == pytest.approx((0.625 - half, 0.625 + half), abs=1e-3)


def test_one_seed_has_the_interval_of_its_texts() -> None:
    found = crossed_interval(np.array([[1, 0, 1, 1, 0]], dtype=np.int8))
    assert found is not None
    assert found.low == pytest.approx(0.6 - 2.7764 * (0.3 / 5) ** 0.5, abs=1e-4)


def test_values_that_are_all_alike_have_no_width() -> None:
    found = crossed_interval(np.zeros((3, 10), dtype=np.int8))
    assert found is not None
    assert (found.low, found.high) == (0, 0)
    assert crossed_interval(np.zeros((0, 10), dtype=np.int8)) is None
    assert crossed_interval(np.zeros((3, 1), dtype=np.int8)) is None


def test_an_interval_of_both_holds_the_truth_as_often_as_it_says() -> None:
    """Five seeds and 60 texts; the truth is the mean over very many of both."""
    truth = judge(400, 20_000, seed=7).mean()
    hits = 0
    for trial in range(300):
        rng = np.random.default_rng(trial)
        ease = rng.normal(1.2, 1.5, size=60)
        skill = rng.normal(0.0, 0.15, size=(5, 1))
        values = (ease + skill + rng.normal(size=(5, 60)) > 0).astype(np.int8)
        found = crossed_interval(values)
        assert found is not None
        hits += found.contains(float(truth))
    assert hits >= 0.92 * 300


def test_macro_f1_over_a_draw_is_that_of_the_drawn_reviews() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, 50).astype(np.int8)
    predicted = rng.integers(0, 4, (2, 50)).astype(np.int8)  # the fourth is in no review
    weights = draw_review_weights(50, rng, n_resamples=20)
    found = resample_f1(labels, predicted, weights)
    for seed in range(2):
        whole = f1_score(labels, predicted[seed], average="macro")
        assert found.means[seed] == pytest.approx(whole)
        for draw, counts in enumerate(weights.counts):
            drawn = np.repeat(np.arange(50), counts)
            expected = f1_score(labels[drawn], predicted[seed, drawn], average="macro")
            assert found.resampled[seed, draw] == pytest.approx(expected, abs=1e-6)
