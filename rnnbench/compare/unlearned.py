"""How often training came to nothing: counted and compared by itself, apart from the scores."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

from rnnbench.compare.rows import ArmRow, in_section
from rnnbench.compare.verdicts import level_of_look
from rnnbench.page.blocks import Block, Paragraph, Subheading
from rnnbench.page.tables import Column, Table, by_section
from rnnbench.page.texts import count, p_value, per_cent, within
from rnnbench.stats.comparisons import holm
from rnnbench.stats.intervals import Interval
from rnnbench.stats.shares import fisher_p, share_interval

FloorName: TypeAlias = Literal["accuracy", "recall, weighted", "recall, by macro-F1"]
"""By what a run is held to have learned; the last where runs are compared by macro-F1."""

_RECALL = ("its mean recall of the classes in validation", "one over their number")
_FLOORS: Mapping[FloorName, tuple[str, str, str]] = {
    "accuracy": ("", "its validation accuracy", "what naming the commonest class scores"),
    "recall, weighted": ("with class weights, ", *_RECALL),
    "recall, by macro-F1": ("where that was kept, ", *_RECALL),
}
"""Of which runs; what one must have above what, and 1.645 standard errors."""
BY_ACCURACY: frozenset[FloorName] = frozenset({"accuracy"})
"""Of runs that are compared by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlearnedRow:
    """How many runs of an arm diverged or did not learn.

    Args:
        n: runs trained to their end, of which `n_unlearned` came to nothing.
        interval: Clopper and Pearson's 95 % interval of the share in very many runs.
    """

    section: str
    arm: str
    n: int
    n_unlearned: int
    interval: Interval

    @property
    def words(self) -> str:
        """`3 of 10 (7 to 65 %)`; of none `0 of 10 (up to 31 %)`."""
        low, high = (f"{100 * end:.0f}" for end in (self.interval.low, self.interval.high))
        reach = f"up to {high} %" if not self.n_unlearned else f"{low} to {high} %"
        return f"{self.n_unlearned:,} of {self.n:,} ({reach})"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlearnedPair:
    """Two arms by how many of their runs came to nothing.

    Args:
        p_holm: of Fisher's exact test, two-sided, adjusted over the pairs.
    """

    section: str
    a: UnlearnedRow
    b: UnlearnedRow
    p_holm: float


def tell_unlearned(arms: Iterable[ArmRow], look: int | None) -> list[str]:
    """Where training came to nothing, and whether one arm does so more often than another.

    Args:
        look: its number; None where the report gives no verdicts.
    """
    rows = _count(arms)
    sentences = [
        f"{in_section(row.section, row.arm)}: {row.words} of the runs did not learn or diverged; "
        "scores are compared among those that learned."
        for row in rows
        if row.n_unlearned
    ]
    for pair in _compare(rows) if look is not None else ():
        assert look is not None
        if pair.p_holm <= level_of_look(look):
            more, less = sorted((pair.a, pair.b), key=lambda row: -row.n_unlearned / row.n)
            sentences.append(
                f"{in_section(more.section, more.arm)} fails to learn more often than {less.arm}."
            )
    return sentences


def unlearned_blocks(
    arms: Sequence[ArmRow],
    sections: Sequence[str],
    floors: Collection[FloorName] = BY_ACCURACY,
) -> Iterator[Block | None]:
    """The count of each arm, and the comparison of arms where there is anything to compare.

    Args:
        floors: by what the runs were held to have learned.
    """
    rows = _count(arms)
    if not rows:
        return
    if not any(row.n_unlearned for row in rows):
        smallest = min(rows, key=lambda row: row.n)
        yield Paragraph(
            f"Every run learned: {_floor(floors, 'lies')}. In the smallest arm"
            f" {smallest.words} did not."
        )
        return
    yield Subheading("Runs that did not learn")
    yield Paragraph(
        f"A run did not learn if it diverged, or if {_floor(floors, 'is not')}."
        " Scores are compared among runs that learned. Intervals: Clopper and Pearson's; p:"
        " Fisher's exact test under Holm."
    )
    columns: list[Column[UnlearnedRow]] = [
        Column("arm", lambda row: row.arm, is_number=False),
        Column("runs", lambda row: count(row.n)),
        Column("did not learn", lambda row: count(row.n_unlearned)),
        Column("share (%)", lambda row: per_cent(row.n_unlearned / row.n)),
        Column("95 % interval (%)", lambda row: within(row.interval, per_cent)),
    ]
    yield Table("Runs that did not learn", "architectures", columns, by_section(rows, sections))
    pairs: list[Column[UnlearnedPair]] = [
        Column("A and B", lambda row: f"{row.a.arm} and {row.b.arm}", is_number=False),
        Column("A", lambda row: row.a.words),
        Column("B", lambda row: row.b.words),
        Column("Holm p", lambda row: p_value(row.p_holm)),
    ]
    found = _compare(rows)
    if found:
        yield Table(
            "Which arm fails to learn more often",
            "architectures",
            pairs,
            by_section(found, sections),
        )


def _floor(floors: Collection[FloorName], verb: str) -> str:
    """`its validation accuracy lies above what naming the commonest class scores, plus …`."""
    told = [
        (of_which, f"{what} {verb} above {least}, plus 1.645 standard errors")
        for name, (of_which, what, least) in _FLOORS.items()
        if name in floors
    ]
    (_, first), *others = told
    return "".join([first, *(f" or, {of_which}{words}" for of_which, words in others)])


def _count(arms: Iterable[ArmRow]) -> list[UnlearnedRow]:
    """A row for each arm with a run that was trained to its end."""
    return [
        UnlearnedRow(
            section=arm.section,
            arm=arm.arm,
            n=arm.n_trained,
            n_unlearned=arm.n_lost,
            interval=share_interval(arm.n_lost, arm.n_trained),
        )
        for arm in arms
        if arm.n_trained and not arm.is_baseline
    ]


def _compare(rows: Sequence[UnlearnedRow]) -> list[UnlearnedPair]:
    """Every pair of arms of a section of which one has a run that came to nothing."""
    pairs = [
        (a, b)
        for a, b in combinations(rows, 2)
        if a.section == b.section and a.n_unlearned + b.n_unlearned
    ]
    p_values = [fisher_p(a.n_unlearned, a.n, b.n_unlearned, b.n) for a, b in pairs]
    return [
        UnlearnedPair(section=a.section, a=a, b=b, p_holm=1.0 if p is None else p)
        for (a, b), p in zip(pairs, holm(p_values), strict=True)
    ]
