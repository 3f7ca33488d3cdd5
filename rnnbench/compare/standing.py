"""Where a study stands: which look at its verdicts this is, what was planned, what was changed.

Source: Armitage, McPherson and Rowe (1969), Journal of the Royal Statistical Society A 132:235-244,
for what repeated looks at one level cost; the levels are those of `compare.verdicts`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from rnnbench.compare.reach import seeds_to_decide
from rnnbench.compare.rows import PairRow, Withheld, in_section
from rnnbench.compare.sections import Arm, Section
from rnnbench.compare.verdicts import level_of_look
from rnnbench.looks import Look, declared_value, earlier_looks
from rnnbench.output.amounts import ordinal, plain, plural, some

_MOST_TOLD = 3
_DECLARED = {
    "margin_points": "practical margin, in points,",
    "contrast": "contrast",
    "pairing": "pairing",
    "metric": "metric",
}


@dataclass(frozen=True, slots=True)
class Interim:
    """That planned runs are missing: of the arm furthest behind, how many seeds are there."""

    n_there: int
    n_planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was looked at before, and what is still to come.

    Args:
        looks: every look on record, the latest last; the last may be this one.
        earlier: those before this one.
        seen: of each earlier one, the runs of now that it had already, and compared as now.
        late: the arms that the first look did not have, by section and name.
        is_kept: whether the look that this is can be kept.
        interim: None where all that was planned is there, or nobody planned.
    """

    looks: tuple[Look, ...] = ()
    earlier: tuple[Look, ...] = ()
    seen: tuple[frozenset[str], ...] = ()
    late: frozenset[tuple[str, str]] = frozenset()
    is_kept: bool = True
    interim: Interim | None = None

    @property
    def number(self) -> int:
        """Which look this is."""
        return len(self.earlier) + 1

    @property
    def following(self) -> int:
        """Which look the next would be, once this one is spent."""
        return max(self.number, len(self.looks)) + 1

    @property
    def withheld(self) -> Withheld:
        """Why no verdict is given, whatever the runs say."""
        if self.interim is not None:
            return "interim"
        return "" if self.is_kept else "look not on record"


NEVER_LOOKED_AT = Standing()


def find_standing(
    scores: Mapping[str, float | None],
    sections: Sequence[Section],
    looks: Sequence[Look],
    planned: Collection[str] | None,
    declaration: Mapping[str, Any],  # Any: JSON values
    *,
    is_kept: bool = True,
) -> Standing:
    """Where a study stands.

    Args:
        scores: the test accuracy of every run that is over, by fingerprint.
        looks: see `looks_that_count`.
        planned: a run, by its fingerprint, of each section that is planned; None where no plan was
            declared.
        declaration: what verdicts go by now (`Declaration.rule`).
        is_kept: whether the look that this is can be kept.
    """
    earlier = earlier_looks(looks, scores, declaration)
    return Standing(
        looks=tuple(looks),
        earlier=earlier,
        seen=tuple(
            look.seen(scores) if look.declaration == declaration else frozenset()
            for look in earlier
        ),
        late=frozenset(_late_arms(sections, looks[0])) if looks else frozenset(),
        is_kept=is_kept,
        interim=None if planned is None else _find_interim(sections, planned),
    )


def looks_that_count(
    own: Iterable[Look], elsewhere: Iterable[Look], sections: Sequence[Section], contrast: str
) -> list[Look]:
    """The looks at these questions, the latest last: those of the study, and some of other ones.

    A look of another study counts where it compared across the same contrast, and had runs of both
    arms in half of the pairs of this one: the same runs under another name are no new study.
    """
    pairs = [pair for section in sections for pair in combinations(section.arms, 2)]
    found: list[Look] = []
    counted = [
        look
        for look in elsewhere
        if look.declaration["contrast"] == contrast
        and pairs
        and 2 * sum(all(_had(look, arm) for arm in pair) for pair in pairs) >= len(pairs)
    ]
    for look in sorted([*own, *counted], key=lambda look: look.looked_at):
        if not any(map(look.is_like, found)):
            found.append(look)
    return found


def mark_pairs(
    pairs: Sequence[PairRow],
    standing: Standing,
    declaration: Mapping[str, Any],  # Any: JSON values
) -> list[PairRow]:
    """The rows with what they owe to the plan and to earlier looks.

    Args:
        declaration: what verdicts go by now (`Declaration.rule`).
    """
    if standing.withheld:
        return without_verdicts(pairs, standing.withheld)
    is_changed = any(dict(look.declaration) != declaration for look in standing.looks)
    return [
        replace(row, is_declared_late=is_changed or not standing.late.isdisjoint(_arms_of(row)))
        for row in pairs
    ]


def without_verdicts(pairs: Sequence[PairRow], why: Withheld) -> list[PairRow]:
    """The rows where none is given."""
    undecided: dict[str, Any] = {"verdict": "undetermined", "size": None, "look": None}
    undecided |= {"is_carried": False, "is_descriptive_only": True, "withheld": why}
    return [replace(row, **undecided) for row in pairs]


def tell_changes(
    pairs: Sequence[PairRow],
    standing: Standing,
    declaration: Mapping[str, Any],  # Any: JSON values
) -> Iterator[str]:
    """A sentence on each thing that was declared otherwise at a look."""
    for name, words in _DECLARED.items():
        for number, look in enumerate(standing.looks, start=1):
            before, now = (declared_value(each, name) for each in (look.declaration, declaration))
            if before != now:
                yield (
                    f"The {words} was {plain(before)} at the {ordinal(number)} look and is "
                    f"{plain(now)} now: what it found does not stand, and these verdicts are by "
                    "what was declared after a look."
                )
                break
    for number, (look, runs) in enumerate(zip(standing.earlier, standing.seen, strict=True), 1):
        if not runs and look.declaration == declaration:
            yield (
                f"Runs of the {ordinal(number)} look are not in this study, or not as they were: "
                "what it found does not stand here, and its level is spent."
            )
    late = [key for row in pairs for key in _arms_of(row) if key in standing.late]
    if names := [in_section(*key) for key in dict.fromkeys(late)]:
        told = some(names, _MOST_TOLD)
        yield f"Not among the runs of the first look, so declared after it: {told}."


def tell_interim(interim: Interim, n_needed: int, *, is_coarse: bool = False) -> str:
    """`Interim: 5 of the 10 planned seeds are there; verdicts come with the tenth.`

    Args:
        n_needed: runs an arm that a verdict takes.
        is_coarse: whether the test texts are too few for any verdict.
    """
    n = interim.n_planned
    there = f"Interim: {interim.n_there} of the {plural(n, 'planned seed')} are there"
    if is_coarse:
        return f"{there}."
    if n < n_needed:
        return f"{there}, and no verdict is given below {n_needed}."
    return f"{there}; verdicts come with the {ordinal(n)}."


def tell_look(standing: Standing, *, n_pairs: int, is_paired: bool) -> str:
    """Which look this is, what it decides at, and what the next would take."""
    number = standing.number
    level, following = _per_cent(number), _per_cent(standing.following)
    needed = seeds_to_decide(n_pairs, is_paired=is_paired, look=standing.following)
    pairs = "a pair takes" if n_pairs == 1 else f"{n_pairs:,} pairs take"
    if number == 1:
        return (
            f"This is the first look at this study's verdicts on record here; one with more seeds "
            f"would decide at {following}, for which {pairs} at least {needed} seeds."
        )
    return (
        f"This is the {ordinal(number)} look at this study's verdicts on record here "
        f"({_tell_earlier(standing.earlier)}). Looks share 5 %, and what an earlier one found "
        f"stands: this one decides at {level}; the next would at {following}, for which {pairs} at "
        f"least {needed} seeds."
    )


def _find_interim(sections: Sequence[Section], planned: Collection[str]) -> Interim | None:
    """The arm furthest behind in the planned sections that compare anything.

    Every run that a command planned is in the ledger before it begins, so that one without a
    result is missing; a failed or diverged one has its result.
    """
    behind = [
        (n_there, len(arm.runs))
        for section in sections
        if len(section.arms) > 1
        if any(run.spec.fingerprint in planned for arm in section.arms for run in arm.runs)
        for arm in section.arms
        if (n_there := sum(run.result is not None for run in arm.runs)) < len(arm.runs)
    ]
    return Interim(*min(behind)) if behind else None


def _late_arms(sections: Sequence[Section], first: Look) -> Iterator[tuple[str, str]]:
    return (
        (section.name, arm.name)
        for section in sections
        for arm in section.arms
        if not _had(first, arm)
    )


def _had(look: Look, arm: Arm) -> bool:
    return any(run.spec.fingerprint in look.runs for run in arm.runs)


def _arms_of(row: PairRow) -> tuple[tuple[str, str], tuple[str, str]]:
    return (row.section, row.a), (row.section, row.b)


def _tell_earlier(earlier: Sequence[Look]) -> str:
    """`the first had 8 seeds, the second 12`."""
    told = list(enumerate(earlier, start=1))[-_MOST_TOLD:]
    (number, look), *others = told
    words = [f"the {ordinal(number)} had {plural(look.n_seeds, 'seed')}"]
    words += [f"the {ordinal(number)} {look.n_seeds:,}" for number, look in others]
    return ", ".join(words)


def _per_cent(look: int) -> str:
    level = 100 * level_of_look(look)
    return f"{level:.3g} %" if level >= 0.1 else f"{level:.2g} %"
