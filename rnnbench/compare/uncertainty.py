"""Where the uncertainty comes from: the seeds, the test reviews, and a single run's luck."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, median
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnbench.compare.pairs import PairRuns, Scores, pair_runs
from rnnbench.compare.reach import FEWEST_RUNS
from rnnbench.compare.rows import ArmUncertainty, PairRow, PairUncertainty
from rnnbench.compare.verdicts import Answers, adjust, ask, decide, level_of_look
from rnnbench.stats.crossed import (
    CrossedErrors,
    ResampledMeans,
    ReviewWeights,
    estimate_errors,
    estimate_errors_apart,
    resample_reviews,
)
from rnnbench.stats.intervals import Interval, mean_sd, t_quantile
from rnnbench.stats.ranks import OneSided, student
from rnnbench.stats.seeds import reversal_probability, seeds_needed

Judged: TypeAlias = Callable[[str], Mapping[int, NDArray[Any]]]
"""Of an arm, by seed, what the run's best model made of each test review, `(n_reviews,)`: whether
it was right (bool), or the class that it named (int8). Runs without predictions are missing; an arm
with such a run gets no bootstrap over reviews.
"""

Resample: TypeAlias = Callable[[NDArray[Any], ReviewWeights], ResampledMeans]
"""Of an array of such rows, one a seed, each seed's score over each draw of the reviews.
"""

_FAR = 5


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """A row for each arm and for each pair of arms, in the order of the arms."""

    arms: tuple[ArmUncertainty, ...] = ()
    pairs: tuple[PairUncertainty, ...] = ()


def measure_uncertainty(
    section: str,
    scores: Scores,
    judged: Judged,
    weights: ReviewWeights | None,
    pairs: Iterable[PairRow],
    *,
    n_family: int,
    look: int = 1,
    seed: int = 0,
    resample: Resample = resample_reviews,
) -> Uncertainty:
    """The rows of one section.

    Args:
        judged: each arm is asked for once.
        weights: one draw for the whole report; None where no arm has predictions.
        pairs: of the section, compared.
        n_family: tests in the family, for the number of seeds needed.
        look: the number of the look at which more seeds would be judged.
        seed: of the seeds' draws.
        resample: how a run is scored on a draw of the reviews.
    """
    resampled = {arm: _resample(scores[arm], judged(arm), weights, resample) for arm in scores}
    return Uncertainty(
        tuple(_describe_arm(section, arm, scores[arm], resampled[arm], seed) for arm in scores),
        tuple(_describe_pair(pair, scores, resampled, n_family, look, seed) for pair in pairs),
    )


def judge_new_reviews(
    rows: Sequence[PairUncertainty], pairs: Sequence[PairRow], look: int
) -> tuple[PairUncertainty, ...]:
    """The rows with a verdict for other test reviews as well as other seeds.

    The rule is that of the pairs; the test is Student's, of the difference of the means against
    its two-way standard error, with the degrees of freedom of the seeds. Only what the pair's own
    verdict says too is said of other reviews.
    """
    of_pair = {(pair.section, pair.a, pair.b): pair for pair in pairs}
    judged = [(row, of_pair[row.section, row.a, row.b]) for row in rows]
    adjusted = adjust([_ask_both(row, pair) for row, pair in judged])
    return tuple(
        _with_verdict(row, pair, answers, level_of_look(look))
        for (row, pair), answers in zip(judged, adjusted, strict=True)
    )


def _with_verdict(
    row: PairUncertainty, pair: PairRow, answers: Answers | None, level: float
) -> PairUncertainty:
    row = replace(row, p_new_reviews=None if answers is None else answers.p)
    if not pair.is_judged:
        return row
    verdict, size = decide(answers, level)
    # The means tell nothing of collapses that did not happen: what ranks do not show is not said.
    if verdict != pair.verdict and not (verdict == "equivalent" and pair.size == "within"):
        return row
    if size is not None and size != pair.size:
        size = "about"
    return replace(row, new_reviews=verdict, new_reviews_size=size)


def _ask_both(row: PairUncertainty, pair: PairRow) -> Answers | None:
    difference, error, df = pair.difference, row.both_se, _df_of(pair)
    if difference is None or error is None or df < 1:
        return None
    if error == difference == 0:  # alike in every review, so that others do not tell them apart
        return ask(lambda bound: OneSided(float(bound >= 0), float(bound <= 0)), pair.margin)
    if error == 0:
        return None
    return ask(student(difference, error, df), pair.margin)


def _df_of(pair: PairRow) -> int:
    """Degrees of freedom of a difference: those of the arm with fewer seeds."""
    return min(pair.n_a, pair.n_b) - 1


_Resampled: TypeAlias = Mapping[str, ResampledMeans | None]
"""By arm a row for each of its scores, in their order; None without predictions."""


def _describe_arm(
    section: str,
    arm: str,
    scores: Mapping[int, float],
    resampled: ResampledMeans | None,
    seed: int,
) -> ArmUncertainty:
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
        both_interval=_both_interval(fmean(finite.values()), errors.both_se, len(finite) - 1, 0.0)
        if finite
        else None,
    )


def _describe_pair(
    pair: PairRow, scores: Scores, resampled: _Resampled, n_family: int, look: int, seed: int
) -> PairUncertainty:
    """Over the runs that enter the pair's comparison."""
    runs = pair_runs(scores[pair.a], scores[pair.b], is_paired=pair.is_paired)
    errors = _pair_errors(pair, runs, scores, resampled, seed)
    told = _single_seed_stories(runs)
    return PairUncertainty(
        section=pair.section,
        a=pair.a,
        b=pair.b,
        seed_se=errors.seed_se,
        review_se=errors.review_se,
        both_se=errors.both_se,
        both_interval=_both_interval(pair.difference, errors.both_se, _df_of(pair), -1.0),
        opposite=reversal_probability(runs.a, runs.b),
        opposite_interval=_opposite_interval(pair),
        n_opposite_seeds=sum(told) if told else None,
        n_seeds=len(told),
        seeds_needed=seeds_needed(
            _sd_of_differences(runs), pair.margin, n_family, level=level_of_look(look)
        )
        if runs.has_spread and not pair.is_too_coarse
        else None,
    )


def _both_interval(
    mean: float | None, error: float | None, df: int, least: float
) -> Interval | None:
    """By Student's t: of new seeds and new reviews, bounded to `least` and 1."""
    if mean is None or error is None or df < 1:
        return None
    half = t_quantile(0.95, df) * error
    return Interval(mean - half, mean + half).bounded(least, 1.0)


def _opposite_interval(pair: PairRow) -> Interval | None:
    """That of P(a > b), turned where the mean of a is the higher one."""
    interval = pair.probability_interval
    if interval is None or not pair.difference or pair.difference < 0:
        return interval if pair.difference else None
    return Interval(1 - interval.high, 1 - interval.low)


def _resample(
    scores: Mapping[int, float],
    judged: Mapping[int, NDArray[Any]],
    weights: ReviewWeights | None,
    resample: Resample,
) -> ResampledMeans | None:
    if weights is None or not scores or not scores.keys() <= judged.keys():
        return None
    return resample(np.stack([judged[seed] for seed in scores]), weights)


def _rows_of(
    scores: Mapping[int, float], seeds: tuple[int, ...], resampled: ResampledMeans
) -> ResampledMeans:
    rows = {seed: row for row, seed in enumerate(scores)}
    return resampled.take([rows[seed] for seed in seeds])


def _pair_errors(
    pair: PairRow, runs: PairRuns, scores: Scores, resampled: _Resampled, seed: int
) -> CrossedErrors:
    first, second = resampled[pair.a], resampled[pair.b]
    if first is None or second is None or not runs.fewest:
        return CrossedErrors()
    a = _rows_of(scores[pair.a], runs.seeds_a, first)
    b = _rows_of(scores[pair.b], runs.seeds_b, second)
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
    """Between seeds; of unpaired runs as if the arms were independent.

    NaN below two runs, and where a few runs far from the others make it: the signed-rank test
    counts those as a few runs, and needs no more seeds for them.
    """
    samples = [runs.differences] if runs.is_paired else [runs.a, runs.b]
    if any(map(_has_far_runs, samples)):
        return math.nan
    return math.hypot(*(mean_sd(sample).sd for sample in samples))


def _has_far_runs(sample: Sequence[float]) -> bool:
    """Whether the SD is more than five times what the middle half shows; of ten normal values it
    is in one case of a thousand, of six in eight. Of fewer nothing is said.
    """
    if len(sample) < FEWEST_RUNS:
        return False
    middle = median(sample)
    usual = median(abs(value - middle) for value in sample) / NormalDist().inv_cdf(0.75)
    return mean_sd(sample).sd > _FAR * usual > 0
