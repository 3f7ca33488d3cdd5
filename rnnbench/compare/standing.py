"""Where a study stands: which look at its verdicts this is, what was planned, what was changed.

Source: Armitage, McPherson and Rowe (1969), Journal of the Royal Statistical Society A 132:235-244,
for what repeated looks at one level cost; the levels are those of `compare.verdicts`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rnnbench.compare.reach import seeds_to_decide
from rnnbench.compare.rows import PairRow
from rnnbench.compare.sections import Section
from rnnbench.compare.verdicts import level_of_look
from rnnbench.looks import Look, earlier_looks
from rnnbench.output.amounts import ordinal, plural
from rnnbench.recorded_runs import RecordedRun, finished_scores

_MOST_TOLD = 3
_DECLARED = {
    "margin_points": "practical margin, in points,",
    "contrast": "contrast",
    "pairing": "pairing",
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
        seen: of each earlier one, the runs of now that it had already.
        is_known: whether the record could be read.
        interim: None where all that was planned is there, or nobody planned.
    """

    looks: tuple[Look, ...] = ()
    earlier: tuple[Look, ...] = ()
    seen: tuple[frozenset[str], ...] = ()
    is_known: bool = True
    interim: Interim | None = None

    @property
    def number(self) -> int:
        """Which look this is."""
        return len(self.earlier) + 1

    @property
    def is_again(self) -> bool:
        """Whether the last look on record is this one."""
        return len(self.earlier) < len(self.looks)


NEVER_LOOKED_AT = Standing()


def find_standing(
    runs: Sequence[RecordedRun],
    sections: Sequence[Section],
    looks: Sequence[Look] | None,
    planned: Collection[str] | None,
    declaration: Mapping[str, Any] | None = None,  # Any: JSON values
) -> Standing:
    """Where a study with these runs stands.

    Args:
        declaration: margin, contrast and pairing of now.
        looks: None where the record cannot be read.
        planned: a run, by its fingerprint, of each section that is planned; None where no plan was
            declared.
    """
    scores = finished_scores(runs)
    earlier = earlier_looks(looks or (), scores, declaration)
    return Standing(
        looks=tuple(looks or ()),
        earlier=earlier,
        seen=tuple(look.seen(scores) for look in earlier),
        is_known=looks is not None,
        interim=None if planned is None else _find_interim(sections, planned),
    )


def mark_pairs(
    pairs: Sequence[PairRow],
    standing: Standing,
    declaration: Mapping[str, Any],  # Any: JSON values
) -> list[PairRow]:
    """The rows with what they owe to the plan and to earlier looks.

    Args:
        declaration: margin, contrast and pairing of now.
    """
    if standing.interim is not None:
        return without_verdicts(pairs, is_interim=True)
    if not standing.looks:
        return list(pairs)
    is_changed = any(dict(look.declaration) != declaration for look in standing.looks)
    first = standing.looks[0].arms
    return [
        replace(row, is_declared_late=is_changed or not {row.a, row.b} <= set(first))
        for row in pairs
    ]


def without_verdicts(pairs: Sequence[PairRow], *, is_interim: bool) -> list[PairRow]:
    """The rows where none is given, until all planned seeds are there or for another reason."""
    undecided: dict[str, Any] = {"verdict": "undetermined", "size": None, "look": None}
    return [
        replace(row, **undecided, is_descriptive_only=True, is_interim=is_interim) for row in pairs
    ]


def tell_changes(
    pairs: Sequence[PairRow],
    standing: Standing,
    declaration: Mapping[str, Any],  # Any: JSON values
) -> Iterator[str]:
    """A sentence on each thing that was declared otherwise at a look."""
    for name, words in _DECLARED.items():
        for number, look in enumerate(standing.looks, start=1):
            before, now = look.declaration[name], declaration[name]
            if before != now:
                yield (
                    f"The {words} was {_short(before)} at the {ordinal(number)} look and is "
                    f"{_short(now)} now: these verdicts are by what was declared after a look."
                )
                break
    for number, runs in enumerate(standing.seen, start=1):
        if not runs:
            yield (
                f"Runs of the {ordinal(number)} look are gone, or were made anew and came out "
                "otherwise: what it found no longer stands, and its level is spent."
            )
    if standing.looks:
        arms = dict.fromkeys(name for row in pairs for name in (row.a, row.b))
        new = [name for name in arms if name not in standing.looks[0].arms]
        if new:
            yield f"Not in the study at its first look, so declared after it: {', '.join(new)}."


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
    level, following = _per_cent(number), _per_cent(number + 1)
    needed = seeds_to_decide(n_pairs, is_paired=is_paired, look=number + 1)
    pairs = "a pair takes" if n_pairs == 1 else f"{n_pairs:,} pairs take"
    if number == 1:
        return (
            f"This is the first look at which this study gives verdicts; one with more seeds would "
            f"decide at {following}, for which {pairs} at least {needed} seeds."
        )
    return (
        f"This is the {ordinal(number)} look at which this study gives verdicts "
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


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
