"""Every pair of arms against each other: luck or not, large or not, and one verdict."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from statistics import fmean
from typing import TypeAlias

from rnnbench.compare.reach import is_too_coarse, seeds_to_decide
from rnnbench.compare.rows import PairRow
from rnnbench.compare.verdicts import Answers, Size, adjust, ask, decide, level_of_look
from rnnbench.stats.comparisons import (
    correlation,
    paired_interval,
    probability_of_improvement,
    welch_interval,
)
from rnnbench.stats.ranks import (
    OneSided,
    signed_rank,
    two_samples,
    typical_difference,
    typical_gap,
    typical_interval,
)

Scores: TypeAlias = Mapping[str, Mapping[int, float]]
"""What runs are compared by, a fraction, by arm and seed; a score that is not finite is no run."""

Sections: TypeAlias = Iterable[tuple[str, Scores]]
"""Each section's heading and scores."""


@dataclass(frozen=True, slots=True)
class _PairPlace:
    """Which pair it is, and how many texts are behind each score."""

    section: str
    a: str
    b: str
    n_test: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRuns:
    """The runs of two arms that enter their comparison.

    Args:
        a, b: scores, in the order of the seeds.
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
    sections: Sections,
    *,
    margin: float,
    is_paired: bool,
    n_test: Mapping[str, int | None],
    earlier: Sequence[Sections] = (),
    look: int = 1,
) -> list[PairRow]:
    """`compare_sections` of accuracies, of which no difference passes 1.

    Args:
        n_test: by section, the texts behind each score; None where unknown.
    """
    rows = compare_sections(
        sections, margin=margin, is_paired=is_paired, n_test=n_test, earlier=earlier, look=look
    )
    return [
        row
        if row.difference_interval is None
        else replace(row, difference_interval=row.difference_interval.bounded(-1.0, 1.0))
        for row in rows
    ]


def compare_sections(
    sections: Sections,
    *,
    margin: float,
    is_paired: bool,
    n_test: Mapping[str, int | None] | None = None,
    earlier: Sequence[Sections] = (),
    look: int = 1,
) -> list[PairRow]:
    """A row for each pair of arms within each section; all sections are one family of tests.

    Args:
        sections: each section's heading and scores.
        margin: the practical margin that the study declared, as a fraction.
        is_paired: whether runs of the same seed share what the seed decides.
        n_test: by section, the texts behind each score; None where they are no counts of texts.
        earlier: the same as it was at each earlier look at which verdicts were given: what was
            found then stands, and this look has the level that is left for it.
        look: the number of the first of these looks, or else of this one.
    """
    looks = [
        _look(seen, number, margin=margin, is_paired=is_paired, n_test=n_test)
        for number, seen in enumerate((*earlier, sections), start=look)
    ]
    before = [{(row.section, row.a, row.b): row for row in rows} for rows in looks[:-1]]
    return [
        _carry(row, [rows[key] for rows in before if (key := (row.section, row.a, row.b)) in rows])
        for row in looks[-1]
    ]


def _look(
    sections: Sections,
    number: int,
    *,
    margin: float,
    is_paired: bool,
    n_test: Mapping[str, int | None] | None,
) -> list[PairRow]:
    """The rows of one look, by its own runs and at its own level."""
    found = [
        (_PairPlace(section, a, b, n_test[section] if n_test else None), runs)
        for section, scores in sections
        for a, b in combinations(scores, 2)
        for runs in (pair_runs(scores[a], scores[b], is_paired=is_paired),)
    ]
    asked = [ask(partial(_test, runs), margin) for _, runs in found]
    n_family = sum(answers is not None for answers in asked)
    return [
        _decide(_describe(place, runs, raw, adjusted, margin, n_family, number), adjusted, number)
        for (place, runs), raw, adjusted in zip(found, asked, adjust(asked), strict=True)
    ]


def _carry(row: PairRow, before: Sequence[PairRow]) -> PairRow:
    """The row with what earlier looks found; what contradicts itself is open."""
    if all(found.is_descriptive_only for found in before):
        return row
    looks = [*before, row]
    row = replace(row, is_descriptive_only=False)
    told = [found for found in looks if found.verdict in ("better", "worse")]
    level = [found for found in looks if found.verdict == "equivalent"]
    if len({found.verdict for found in told}) > 1 or _turned(row, told):
        return replace(row, verdict="undetermined", size=None)
    if told:
        sizes: set[Size | None] = {found.size for found in told} - {"about"}
        sizes |= {"within"} if level else set()
        size = sizes.pop() if len(sizes) == 1 else "about"
        row = replace(row, size=size)
    first, *_ = (*told, *level, row)
    return replace(row, verdict=first.verdict, look=first.look, is_carried=first in before)


def _turned(row: PairRow, told: Sequence[PairRow]) -> bool:
    """Whether the difference has the other sign by now than when it was found."""
    if not told or row.typical is None:
        return False
    return row.typical * (1 if told[0].verdict == "better" else -1) < 0


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


def _test(runs: PairRuns, bound: float) -> OneSided | None:
    """The test of the pair's difference against a bound."""
    if runs.fewest < 2:
        return None
    if runs.is_paired:
        return signed_rank(runs.differences, bound)
    return two_samples(runs.a, runs.b, bound)


def _describe(
    place: _PairPlace,
    runs: PairRuns,
    raw: Answers | None,
    adjusted: Answers | None,
    margin: float,
    n_family: int,
    look: int,
) -> PairRow:
    needed = seeds_to_decide(max(n_family, 1), is_paired=runs.is_paired, look=look)
    compare_means = paired_interval if runs.is_paired else welch_interval
    improvement = probability_of_improvement(runs.a, runs.b) if runs.fewest > 1 else None
    return PairRow(
        section=place.section,
        a=place.a,
        b=place.b,
        n_a=len(runs.a),
        n_b=len(runs.b),
        is_paired=runs.is_paired,
        correlation=correlation(runs.a, runs.b) if runs.is_paired else None,
        difference=fmean(runs.a) - fmean(runs.b) if runs.fewest else None,
        difference_interval=compare_means(runs.a, runs.b),
        typical=_typical(runs),
        typical_interval=typical_interval(runs.differences) if runs.fewest > 1 else None,
        probability=None if improvement is None else improvement.probability,
        probability_interval=None if improvement is None else improvement.interval,
        p=None if raw is None else raw.p,
        p_holm=None if adjusted is None else adjusted.p,
        p_beyond=None if adjusted is None else adjusted.p_beyond,
        p_within=None if adjusted is None else adjusted.p_within,
        p_not_lower=None if adjusted is None else adjusted.p_not_lower,
        p_not_higher=None if adjusted is None else adjusted.p_not_higher,
        n_family=n_family,
        margin=margin,
        n_needed=needed,
        is_descriptive_only=runs.fewest < needed or is_too_coarse(place.n_test, margin),
        is_without_spread=not runs.has_spread,
        n_test=place.n_test,
    )


def _typical(runs: PairRuns) -> float | None:
    if runs.is_paired:
        return typical_difference(runs.differences)
    return typical_gap(runs.a, runs.b)


def _decide(row: PairRow, adjusted: Answers | None, look: int) -> PairRow:
    if row.is_descriptive_only or row.is_without_spread:
        return row
    verdict, size = decide(adjusted, level_of_look(look))
    return replace(row, verdict=verdict, size=size, look=look)
