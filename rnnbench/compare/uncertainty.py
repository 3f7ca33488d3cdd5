"""Where the uncertainty comes from: the seeds, the test reviews, and a single run's luck."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnbench.compare.pairs import PairRuns, Scores, pair_runs
from rnnbench.compare.reach import is_too_coarse
from rnnbench.compare.rows import ArmUncertainty, PairUncertainty
from rnnbench.stats.crossed import (
    CrossedErrors,
    ResampledMeans,
    ReviewWeights,
    estimate_errors,
    estimate_errors_apart,
    resample_reviews,
)
from rnnbench.stats.intervals import mean_sd
from rnnbench.stats.seeds import opposite_story, seeds_needed

__all__ = ["Correct", "Uncertainty", "arm_uncertainty", "measure_uncertainty", "pair_uncertainty"]

Correct: TypeAlias = Mapping[str, Mapping[int, NDArray[np.bool_]]]
"""By arm and seed: bool `(n_reviews,)`, whether the run's best model judged each test review right.
Runs without predictions are missing; an arm with such a run gets no bootstrap over reviews."""


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """A row for each arm and for each pair of arms, in the order of the arms."""

    arms: tuple[ArmUncertainty, ...]
    pairs: tuple[PairUncertainty, ...]


def measure_uncertainty(
    section: str,
    scores: Scores,
    correct: Correct,
    weights: ReviewWeights | None,
    *,
    margin: float,
    n_family: int,
    is_paired: bool,
    n_test: int | None,
    seed: int = 0,
) -> Uncertainty:
    """The rows of one section.

    Args:
        correct: each arm is asked for once, so that a lazy mapping holds one arm at a time.
        weights: one draw for the whole report; None where no arm has predictions.
        margin: the practical margin that the study declared, as a fraction.
        n_family: tests in the family, for the number of seeds needed.
        n_test: texts behind each score; None where unknown.
        seed: of the seeds' draws.
    """
    resampled = {arm: _resample(scores[arm], correct.get(arm, {}), weights) for arm in scores}
    arms = [arm_uncertainty(section, arm, scores[arm], resampled[arm], seed=seed) for arm in scores]
    pairs = [
        pair_uncertainty(
            section,
            (a, b),
            (scores[a], scores[b]),
            (resampled[a], resampled[b]),
            margin=margin,
            n_family=n_family,
            is_paired=is_paired,
            n_test=n_test,
            seed=seed,
        )
        for a, b in combinations(scores, 2)
    ]
    return Uncertainty(tuple(arms), tuple(pairs))


def arm_uncertainty(
    section: str,
    arm: str,
    scores: Mapping[int, float],
    resampled: ResampledMeans | None,
    *,
    seed: int = 0,
) -> ArmUncertainty:
    """One arm's row.

    Args:
        scores: test accuracy, a fraction, by seed.
        resampled: a row for each of the scores, in their order; None without predictions.
        seed: of the seeds' draws.
    """
    finite = {key: score for key, score in scores.items() if math.isfinite(score)}
    sd = mean_sd(list(finite.values())).sd
    errors = CrossedErrors()
    if resampled is not None and finite:
        rows = _rows_of(scores, tuple(finite), resampled)
        errors = estimate_errors(rows, np.random.default_rng(seed))
    return ArmUncertainty(
        section=section,
        arm=arm,
        n=len(finite),
        n_reviews=None if resampled is None else resampled.n_reviews,
        seed_sd=sd if math.isfinite(sd) else None,
        seed_se=errors.seed_se,
        review_se=errors.review_se,
        both_se=errors.both_se,
        both_interval=errors.both_interval,
    )


def pair_uncertainty(
    section: str,
    arms: tuple[str, str],
    scores: tuple[Mapping[int, float], Mapping[int, float]],
    resampled: tuple[ResampledMeans | None, ResampledMeans | None],
    *,
    margin: float,
    n_family: int,
    is_paired: bool,
    n_test: int | None,
    seed: int = 0,
) -> PairUncertainty:
    """One pair's row, over the runs that enter the pair's comparison.

    Args:
        scores, resampled: of both arms, as in `arm_uncertainty`.
        margin, n_family, is_paired, n_test: as in `measure_uncertainty`.
        seed: of the seeds' draws.
    """
    runs = pair_runs(*scores, is_paired=is_paired)
    errors = _pair_errors(runs, scores, resampled, seed)
    told = _single_seed_stories(runs)
    return PairUncertainty(
        section=section,
        a=arms[0],
        b=arms[1],
        seed_se=errors.seed_se,
        review_se=errors.review_se,
        both_se=errors.both_se,
        both_interval=errors.both_interval,
        opposite=opposite_story(runs.a, runs.b),
        n_opposite_seeds=sum(told) if told else None,
        n_seeds=len(told),
        seeds_needed=seeds_needed(_sd_of_differences(runs), margin, n_family)
        if runs.has_spread and not is_too_coarse(n_test, margin)
        else None,
    )


def _resample(
    scores: Mapping[int, float],
    correct: Mapping[int, NDArray[np.bool_]],
    weights: ReviewWeights | None,
) -> ResampledMeans | None:
    if weights is None or not scores or not scores.keys() <= correct.keys():
        return None
    return resample_reviews(np.stack([correct[seed] for seed in scores]), weights)


def _rows_of(
    scores: Mapping[int, float], seeds: tuple[int, ...], resampled: ResampledMeans
) -> ResampledMeans:
    rows = {seed: row for row, seed in enumerate(scores)}
    return resampled.take([rows[seed] for seed in seeds])


def _pair_errors(
    runs: PairRuns,
    scores: tuple[Mapping[int, float], Mapping[int, float]],
    resampled: tuple[ResampledMeans | None, ResampledMeans | None],
    seed: int,
) -> CrossedErrors:
    first, second = resampled
    if first is None or second is None or not runs.fewest:
        return CrossedErrors()
    a = _rows_of(scores[0], runs.seeds_a, first)
    b = _rows_of(scores[1], runs.seeds_b, second)
    rng = np.random.default_rng(seed)
    return estimate_errors(a.minus(b), rng) if runs.is_paired else estimate_errors_apart(a, b, rng)


def _single_seed_stories(runs: PairRuns) -> list[bool]:
    """For each common seed, whether it alone orders the arms against their means."""
    if not runs.fewest:
        return []
    difference = fmean(runs.a) - fmean(runs.b)
    of_a = dict(zip(runs.seeds_a, runs.a, strict=True))
    of_b = dict(zip(runs.seeds_b, runs.b, strict=True))
    return [(of_a[seed] - of_b[seed]) * difference < 0 for seed in of_a if seed in of_b]


def _sd_of_differences(runs: PairRuns) -> float:
    """Between seeds; of unpaired runs as if the arms were independent; NaN below two runs."""
    if runs.is_paired:
        return mean_sd(runs.differences).sd
    return math.hypot(mean_sd(runs.a).sd, mean_sd(runs.b).sd)
