"""Seeds and test reviews both drawn anew: how often the verdict for new reviews is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rnnbench.compare.pairs import compare_sections
from rnnbench.compare.uncertainty import judge_new_reviews, measure_uncertainty
from rnnbench.stats.crossed import draw_review_weights
from truth.rates import QUESTIONS, Rate, is_false, rate_of

N_REVIEWS = 2_000
REVIEWS_MARGIN = 0.01
"""Wider than elsewhere: with 2,000 reviews half a point could never be called equivalent."""

_EASE_SD = 1.5
_TASTE_SD = 0.3
_SEED_SD = 0.04
_COLLAPSE_CHANCE = 0.1
_COLLAPSED = 0.55


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCase:
    """Two arms judge the same reviews.

    Args:
        difference: of the accuracies over all seeds and reviews there could be.
        does_collapse: one run in ten of the first arm gets 55 % right whatever the review.
    """

    name: str
    n_seeds: int
    difference: float
    does_collapse: bool = False


def review_cases() -> Iterator[ReviewCase]:
    """Equal, exactly the margin apart, and equal although one arm collapses."""
    for n in (10, 30):
        yield ReviewCase(name="no difference", n_seeds=n, difference=0.0)
        yield ReviewCase(name="exactly at the margin", n_seeds=n, difference=REVIEWS_MARGIN)
        yield ReviewCase(name="equal means", n_seeds=n, difference=0.0, does_collapse=True)


def measure_reviews(case: ReviewCase, n_studies: int, seed: Sequence[int]) -> dict[str, Rate]:
    """Of each question, the studies in which the verdict for new reviews is false, of the means."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    counts = dict.fromkeys(QUESTIONS, 0)
    for _ in range(n_studies):
        correct = {
            arm: dict(enumerate(judged))
            for arm, judged in zip("ab", _judge_reviews(case, rng), strict=True)
        }
        scores = {
            arm: {seed: float(right.mean()) for seed, right in judged.items()}
            for arm, judged in correct.items()
        }
        rows = compare_sections([("", scores)], margin=REVIEWS_MARGIN, is_paired=True)
        weights = draw_review_weights(N_REVIEWS, rng)
        found = measure_uncertainty("", scores, correct.__getitem__, weights, rows, n_family=1)
        (row,) = judge_new_reviews(found.pairs, rows, 1)
        for name in QUESTIONS:
            counts[name] += is_false(
                name, row.new_reviews, row.new_reviews_size, case.difference, REVIEWS_MARGIN
            )
    return {name: rate_of(n, n_studies) for name, n in counts.items()}


def _judge_reviews(case: ReviewCase, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Bool `(2, n_seeds, N_REVIEWS)`: which reviews each run judges right.

    A review is hard for all, harder for one arm than for the other whatever the seed, and a seed
    moves all reviews a little.
    """
    sd = math.sqrt(_EASE_SD**2 + _TASTE_SD**2 + _SEED_SD**2 + 1)
    ease = rng.normal(0, _EASE_SD, (1, 1, N_REVIEWS))
    taste = rng.normal(0, _TASTE_SD, (2, 1, N_REVIEWS))
    luck = rng.normal(0, _SEED_SD, (2, case.n_seeds, 1))
    noise = rng.standard_normal((2, case.n_seeds, N_REVIEWS))
    wanted = np.array([0.8 + case.difference / 2, 0.8 - case.difference / 2])
    if case.does_collapse:
        wanted[0] = (wanted[0] - _COLLAPSE_CHANCE * _COLLAPSED) / (1 - _COLLAPSE_CHANCE)
    right: NDArray[np.bool_] = ease + taste + luck + noise > -sd * ndtri(wanted)[:, None, None]
    if case.does_collapse:
        collapsed = rng.random(case.n_seeds) < _COLLAPSE_CHANCE
        right[0, collapsed] = rng.random((int(collapsed.sum()), N_REVIEWS)) < _COLLAPSED
    return right
