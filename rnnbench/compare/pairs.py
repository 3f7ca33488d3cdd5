"""Every pair of arms against each other: luck or not, large or not, and one verdict."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean
from typing import TypeAlias

from rnnbench.compare.reach import FEWEST_RUNS, LEVEL, is_too_coarse
from rnnbench.compare.rows import PairRow, Verdict
from rnnbench.stats.comparisons import (
    correlation,
    holm,
    mann_whitney_p,
    paired_interval,
    probability_of_improvement,
    sign_flip_p_values,
    welch_interval,
)

Scores: TypeAlias = Mapping[str, Mapping[int, float]]
"""Test accuracy, a fraction, by arm and seed; a score that is not finite counts as no run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRuns:
    """The runs of two arms that enter their comparison.

    Args:
        a, b: test accuracies, in the order of the seeds.
        seeds_a, seeds_b: the runs' seeds, ascending; the same ones where paired.
    """

    a: tuple[float, ...]
    b: tuple[float, ...]
    seeds_a: tuple[int, ...]
    seeds_b: tuple[int, ...]
    is_paired: bool

    @property
    def fewest(self) -> int:
        """Runs of the arm that has fewer."""
        return min(len(self.a), len(self.b))

    @property
    def has_spread(self) -> bool:
        """Whether the runs of at least one arm differ: else its seeds count as one."""
        return len({*self.a}) > 1 or len({*self.b}) > 1

    @property
    def differences(self) -> tuple[float, ...]:
        """a minus b, seed by seed; none where unpaired."""
        pairs = zip(self.a, self.b, strict=True) if self.is_paired else ()
        return tuple(x - y for x, y in pairs)


def compare_accuracies(
    sections: Iterable[tuple[str, Scores]],
    *,
    margin: float,
    is_paired: bool,
    n_test: Mapping[str, int | None],
) -> list[PairRow]:
    """`compare_sections` of accuracies, of which no difference passes 1.

    Args:
        n_test: by section, the texts behind each score; None where unknown.
    """
    rows = compare_sections(sections, margin=margin, is_paired=is_paired, n_test=n_test)
    return [
        row
        if row.difference_interval is None
        else replace(row, difference_interval=row.difference_interval.bounded(-1.0, 1.0))
        for row in rows
    ]


def compare_sections(
    sections: Iterable[tuple[str, Scores]],
    *,
    margin: float,
    is_paired: bool,
    n_test: Mapping[str, int | None] | None = None,
    seed: int = 0,
) -> list[PairRow]:
    """A row for each pair of arms within each section; all sections are one family of tests.

    Args:
        sections: each section's heading and scores.
        margin: the practical margin that the study declared, as a fraction.
        is_paired: whether runs of the same seed share what the seed decides.
        n_test: by section, the texts behind each score; None where they are no counts of texts.
        seed: of the signs that are drawn where there are too many pairs to try all.
    """
    rows = [
        row
        for section, scores in sections
        for row in compare_arms(
            section,
            scores,
            margin=margin,
            is_paired=is_paired,
            n_test=n_test[section] if n_test else None,
            seed=seed,
        )
    ]
    return _adjust_family(rows)


def compare_arms(
    section: str,
    scores: Scores,
    *,
    margin: float,
    is_paired: bool,
    n_test: int | None = None,
    seed: int = 0,
) -> list[PairRow]:
    """A row for each pair, in the order of the arms, before the family is known.

    `p_holm` and `n_family` are not filled, and every verdict is undetermined: `_adjust_family`
    does both.
    """
    pairs = list(combinations(scores, 2))
    runs = [pair_runs(scores[a], scores[b], is_paired=is_paired) for a, b in pairs]
    return [
        _describe(section, pair, of_pair, p, margin, n_test)
        for pair, of_pair, p in zip(pairs, runs, _test(runs, seed), strict=True)
    ]


def _adjust_family(rows: Sequence[PairRow]) -> list[PairRow]:
    """The rows with Holm's adjustment over all of them, and their verdicts."""
    n_family = sum(row.p is not None for row in rows)
    return [
        _decide(replace(row, p_holm=p_holm, n_family=n_family))
        for row, p_holm in zip(rows, holm([row.p for row in rows]), strict=True)
    ]


def pair_runs(
    scores_a: Mapping[int, float], scores_b: Mapping[int, float], *, is_paired: bool
) -> PairRuns:
    """The runs that enter: those of common seeds if paired, else all.

    Where a paired study has fewer than two seeds in common, but more runs than that, its runs are
    compared unpaired.
    """
    a = {seed: score for seed, score in sorted(scores_a.items()) if math.isfinite(score)}
    b = {seed: score for seed, score in sorted(scores_b.items()) if math.isfinite(score)}
    common = [seed for seed in a if seed in b]
    paired = is_paired and len(common) >= min(2, max(len(a), len(b)))
    seeds_a, seeds_b = (common, common) if paired else (list(a), list(b))
    return PairRuns(
        a=tuple(a[seed] for seed in seeds_a),
        b=tuple(b[seed] for seed in seeds_b),
        seeds_a=tuple(seeds_a),
        seeds_b=tuple(seeds_b),
        is_paired=paired,
    )


def _test(runs: Sequence[PairRuns], seed: int) -> list[float | None]:
    flips = sign_flip_p_values([pair.differences for pair in runs], seed=seed)
    return [
        flip if pair.is_paired or pair.fewest < 2 else mann_whitney_p(pair.a, pair.b)
        for pair, flip in zip(runs, flips, strict=True)
    ]


def _describe(
    section: str,
    arms: tuple[str, str],
    runs: PairRuns,
    p: float | None,
    margin: float,
    n_test: int | None,
) -> PairRow:
    compare_means = paired_interval if runs.is_paired else welch_interval
    improvement = probability_of_improvement(runs.a, runs.b) if runs.fewest > 1 else None
    return PairRow(
        section=section,
        a=arms[0],
        b=arms[1],
        n_a=len(runs.a),
        n_b=len(runs.b),
        is_paired=runs.is_paired,
        correlation=correlation(runs.a, runs.b) if runs.is_paired else None,
        difference=fmean(runs.a) - fmean(runs.b) if runs.fewest else None,
        difference_interval=compare_means(runs.a, runs.b),
        probability=None if improvement is None else improvement.probability,
        probability_interval=None if improvement is None else improvement.interval,
        p=p,
        margin=margin,
        is_descriptive_only=runs.fewest < FEWEST_RUNS or is_too_coarse(n_test, margin),
        is_without_spread=not runs.has_spread,
        n_test=n_test,
    )


def _decide(row: PairRow) -> PairRow:
    verdict = _verdict(row)
    if verdict == "undetermined" or row.difference is None:
        return row
    return replace(row, verdict=verdict, is_beyond_margin=abs(row.difference) > row.margin)


def _verdict(row: PairRow) -> Verdict:
    if row.is_descriptive_only or row.is_without_spread or row.difference is None:
        return "undetermined"
    if row.p_holm is not None and row.p_holm <= LEVEL:
        # Mann and Whitney compare ranks: one far outlier can turn the means the other way.
        if row.difference * ((row.probability or 0) - 0.5) <= 0 and not row.is_paired:
            return "undetermined"
        return "better" if row.difference > 0 else "worse"
    interval = row.difference_interval
    if interval is not None and interval.is_within(row.margin):
        return "equivalent"
    return "undetermined"
