"""How sure a mean over seeds and test reviews is, of seeds, of reviews, and of both.

The two-way bootstrap: seeds and reviews are drawn anew, each for itself, and a cell counts as often
as its seed times its review was drawn. Where n things are drawn anew, n - 1 are taken, which makes
the variance of the mean of n things come out right (s²/n) also where n is small.

Reviews are drawn once a report (`ReviewWeights`) and shared by all arms, as all arms are scored on
the same reviews; so the difference of two arms is the difference of their resampled means.

Source: Owen (2007), The Annals of Applied Statistics 1:386-411, "The pigeonhole bootstrap": errs,
if at all, towards too wide (it counts the noise of single cells three times); Rao and Wu (1988),
Journal of the American Statistical Association 83:231-241, for n - 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnbench.stats.confusions import count_confusions, mean_f1
from rnnbench.stats.intervals import Interval, t_quantile

_BLOCK = 4_096  # reviews turned into float32 at once: 40 MB at 2,500 seeds
_MAX_DRAWN = 1_000_000  # draws in memory at once


@dataclass(frozen=True, slots=True, eq=False)
class ReviewWeights:
    """How often each review was drawn.

    Args:
        counts: uint8 `(n_resamples, n_reviews)`; a row adds up to `n_reviews - 1`.
    """

    counts: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class ResampledMeans:
    """Each seed's mean over the reviews, as measured and over each draw of reviews.

    Args:
        means: float64 `(n_seeds,)`.
        resampled: float32 `(n_seeds, n_resamples)`.
        n_reviews: reviews behind each mean.
    """

    means: NDArray[np.float64]
    resampled: NDArray[np.float32]
    n_reviews: int

    def take(self, rows: list[int]) -> ResampledMeans:
        """Those of some seeds, by their rows."""
        return ResampledMeans(self.means[rows], self.resampled[rows], self.n_reviews)

    def minus(self, other: ResampledMeans) -> ResampledMeans:
        """The differences seed by seed; both must have the same seeds and review weights."""
        return ResampledMeans(
            self.means - other.means, self.resampled - other.resampled, self.n_reviews
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossedErrors:
    """Standard errors of a mean if other seeds, other reviews, or both had been drawn.

    Args:
        seed_se, both_se: None with one seed, which says nothing of others.
    """

    seed_se: float | None = None
    review_se: float | None = None
    both_se: float | None = None


def draw_review_weights(
    n_reviews: int, rng: np.random.Generator, *, n_resamples: int = 1_000
) -> ReviewWeights:
    """The draws of reviews that all arms of a report share; 25 MB for 25,000 reviews."""
    return ReviewWeights(_draw_counts(n_reviews, n_resamples, rng))


def resample_reviews(
    correct: NDArray[np.bool_] | NDArray[np.uint8] | NDArray[np.int8], weights: ReviewWeights
) -> ResampledMeans:
    """Each seed's mean over each draw of the reviews.

    Args:
        correct: `(n_seeds, n_reviews)`, 0 or 1, or the difference of two such.

    Raises:
        ValueError: the weights are of another number of reviews.
    """
    n_seeds, n_reviews = correct.shape
    n_resamples, n_weighted = weights.counts.shape
    if n_reviews != n_weighted:
        raise ValueError(f"{n_reviews} reviews were scored, but weights drawn for {n_weighted}")
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no types

    # Whole numbers below 2^24: float32 adds them without error.
    sums = np.zeros((n_seeds, n_resamples), dtype=np.float32)
    # The product's threads wait for each other by spinning: 10 seeds took 5 s beside a training
    # on the same cores, and 0.05 s with one thread.
    with threadpool_limits(limits=1, user_api="blas"):
        for start in range(0, n_reviews, _BLOCK):
            block = slice(start, start + _BLOCK)
            counts = weights.counts[:, block].astype(np.float32)
            sums += correct[:, block].astype(np.float32) @ counts.T
    sums /= n_reviews - 1
    return ResampledMeans(correct.mean(axis=1, dtype=np.float64), sums, n_reviews)


def resample_f1(
    labels: NDArray[np.int8], predicted: NDArray[np.int8], weights: ReviewWeights
) -> ResampledMeans:
    """Each seed's macro-F1 as measured (`means`) and over each draw of the reviews.

    Args:
        labels: `(n_reviews,)`.
        predicted: `(n_seeds, n_reviews)`.
    """
    classes = np.union1d(labels, predicted)
    truth = _one_hot(labels, classes)
    there = _count_drawn(truth, weights)
    means, resampled = [], []
    for row in predicted:
        named = _one_hot(row, classes)
        hits, given = _count_drawn(truth * named, weights), _count_drawn(named, weights)
        resampled.append(_mean_f1(hits, there + given))
        means.append(mean_f1(count_confusions(labels, row)))
    return ResampledMeans(
        np.array(means), np.stack(resampled).astype(np.float32), predicted.shape[1]
    )


def _one_hot(given: NDArray[np.int8], classes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """bool `(n_classes, n_reviews)`."""
    chosen: NDArray[np.bool_] = classes[:, None] == given
    return chosen


def _count_drawn(chosen: NDArray[np.bool_], weights: ReviewWeights) -> NDArray[np.float64]:
    """How many of the chosen reviews of each row were drawn: `(n_classes, n_resamples)`."""
    drawn = resample_reviews(chosen, weights)
    return drawn.resampled.astype(np.float64) * (drawn.n_reviews - 1)


def _mean_f1(hits: NDArray[np.float64], both: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the classes that are there or were named, `(n_resamples,)`."""
    seen = both > 0
    f1 = 2 * hits / np.where(seen, both, 1)
    means: NDArray[np.float64] = f1.sum(axis=0) / seen.sum(axis=0)
    return means


def estimate_errors(means: ResampledMeans, rng: np.random.Generator) -> CrossedErrors:
    """Standard errors of the mean over seeds; of differences where `means` are differences."""
    return _summarise(_draw_means(means, rng))


def crossed_interval(
    values: NDArray[np.int8] | NDArray[np.float64], level: float = 0.95
) -> Interval | None:
    """The interval of a mean over seeds and texts: of other seeds and of other texts.

    By Student's t, with the variances of the seeds' means and of the texts' added up, which counts
    twice what they have in common, and Satterthwaite's degrees of freedom. Of a single seed it is
    the interval for other texts alone.

    Args:
        values: `(n_seeds, n_texts)`, such as whether each run was right less whether another was.

    Returns:
        None below two texts or without a seed.

    Source: Satterthwaite (1946), Biometrics Bulletin 2:110-114.
    """
    n_seeds, n_texts = values.shape
    if n_seeds < 1 or n_texts < 2:
        return None
    parts = [(float(values.mean(axis=0).var(ddof=1)) / n_texts, n_texts - 1)]
    if n_seeds > 1:
        parts.append((float(values.mean(axis=1).var(ddof=1)) / n_seeds, n_seeds - 1))
    mean, variance = float(values.mean()), sum(part for part, _ in parts)
    if variance == 0:
        return Interval(mean, mean)
    df = variance**2 / sum(part**2 / n for part, n in parts)
    half = t_quantile(level, df) * math.sqrt(variance)
    return Interval(mean - half, mean + half)


def estimate_errors_apart(
    a: ResampledMeans, b: ResampledMeans, rng: np.random.Generator
) -> CrossedErrors:
    """Standard errors of mean(a) - mean(b) where seeds are not paired; reviews are shared."""
    first, second = _draw_means(a, rng), _draw_means(b, rng)
    difference = _DrawnMeans(
        seed=_subtract(first.seed, second.seed),
        review=first.review - second.review,
        both=_subtract(first.both, second.both),
    )
    return _summarise(difference)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _DrawnMeans:
    """The mean over seeds, float64 `(n_resamples,)`, with new seeds, new reviews, or both."""

    seed: NDArray[np.float64] | None
    review: NDArray[np.float64]
    both: NDArray[np.float64] | None


def _draw_means(means: ResampledMeans, rng: np.random.Generator) -> _DrawnMeans:
    n_seeds, n_resamples = means.resampled.shape
    review = means.resampled.mean(axis=0, dtype=np.float64)
    if n_seeds < 2:
        return _DrawnMeans(seed=None, review=review, both=None)
    weights = _draw_counts(n_seeds, n_resamples, rng) / (n_seeds - 1)
    both = np.einsum("bs,sb->b", weights, means.resampled)
    return _DrawnMeans(seed=weights @ means.means, review=review, both=both)


def _subtract(
    a: NDArray[np.float64] | None, b: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    return None if a is None or b is None else a - b


def _draw_counts(n: int, n_resamples: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """uint8 `(n_resamples, n)`: how often each of n things is among n - 1 drawn of them."""
    counts = np.empty((n_resamples, n), dtype=np.uint8)
    n_rows = max(1, _MAX_DRAWN // n)
    for start in range(0, n_resamples, n_rows):
        rows = counts[start : start + n_rows]
        drawn = rng.integers(n, size=(len(rows), n - 1)) + n * np.arange(len(rows))[:, None]
        rows[:] = np.bincount(drawn.ravel(), minlength=rows.size).reshape(rows.shape)
    return counts


def _summarise(drawn: _DrawnMeans) -> CrossedErrors:
    return CrossedErrors(
        seed_se=None if drawn.seed is None else float(drawn.seed.std(ddof=1)),
        review_se=float(drawn.review.std(ddof=1)),
        both_se=None if drawn.both is None else float(drawn.both.std(ddof=1)),
    )
