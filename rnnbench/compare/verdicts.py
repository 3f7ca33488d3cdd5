"""The decision rule: pairs, new reviews and claims get their verdicts here, and nowhere else.

But for claims about time: those go by the 95 % interval of the timing sessions (`claims.timing`).

Three questions are asked of every difference, each answered by the same test against another bound:
does it differ from 0, does it lie beyond the margin, does it lie within? Over the pairs of a report
each question is a family of its own under Holm, at the level of the look (`level_of_look`).

`python benchmarks/simulated_truth.py` measures how often each word is wrong, and
docs/results/how-often-wrong.md shows it.

Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70; Schuirmann (1987), Journal of
Pharmacokinetics and Biopharmaceutics 15:657-680, for two one-sided tests of `within`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, TypeAlias

from rnnbench.stats.comparisons import holm
from rnnbench.stats.ranks import OneSided

Verdict: TypeAlias = Literal["better", "worse", "equivalent", "undetermined"]
Size: TypeAlias = Literal["beyond", "within", "about"]
Test: TypeAlias = Callable[[float], OneSided | None]
"""A test of one difference against any bound."""

LEVEL = 0.05
_FIRST_SHARE = 0.95
CAUTION = 1.1
"""Where an arm now and then collapses, the test is a little too ready to find two arms equivalent:
6.2 % instead of 5 %, of six seeds, without this factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the tests say of one difference.

    Args:
        is_above: whether the evidence lies above 0 rather than below.
        p, p_beyond, p_within: of the three questions; adjusted by `adjust`.
        p_not_lower, p_not_higher: of a difference above -margin, and of one below +margin.
    """

    is_above: bool
    p: float
    p_beyond: float
    p_within: float
    p_not_lower: float
    p_not_higher: float


def level_of_look(number: int) -> float:
    """What the look of this number may spend of the 5 %: all looks together never spend more.

    The first verdicts of a study get 19 parts of 20; of what is left before look k it gets the k-th
    part: 0.125 % for the second, 0.042 % for the third. So adding seeds needs no planning, and the
    sum holds whatever the looks have to do with each other (Bonferroni).

    Args:
        number: 1 for the first look at which verdicts are given.
    """
    if number == 1:
        return _FIRST_SHARE * LEVEL
    return (1 - _FIRST_SHARE) * LEVEL / (number * (number - 1))


def ask(test: Test, margin: float) -> Answers | None:
    """The three questions, unadjusted; None where the test cannot be made."""
    at_zero, at_margin, at_minus = test(0.0), test(margin), test(-margin)
    if at_zero is None or at_margin is None or at_minus is None:
        return None
    return Answers(
        is_above=at_zero.above < at_zero.below,
        p=at_zero.two_sided,
        p_beyond=min(1.0, 2 * min(at_margin.above, at_minus.below)),
        p_within=min(1.0, CAUTION * max(at_margin.below, at_minus.above)),
        p_not_lower=min(1.0, CAUTION * at_minus.above),
        p_not_higher=min(1.0, CAUTION * at_margin.below),
    )


def adjust(family: Sequence[Answers | None]) -> list[Answers | None]:
    """Each question's p adjusted over the family; None stays None and is not counted."""
    names = [field.name for field in fields(Answers) if field.name != "is_above"]
    adjusted = list(family)
    for name in names:
        p_values = holm([None if one is None else getattr(one, name) for one in family])
        for place, p in enumerate(p_values):
            one = adjusted[place]
            if one is not None and p is not None:
                adjusted[place] = replace(one, **{name: p})  # type: ignore[arg-type]  # a p value
    return adjusted


def decide(adjusted: Answers | None, level: float) -> tuple[Verdict, Size | None]:
    """The verdict, and of better and worse how large the difference is against the margin."""
    if adjusted is None:
        return "undetermined", None
    is_within = adjusted.p_within <= level
    if adjusted.p > level:
        return ("equivalent" if is_within else "undetermined"), None
    size: Size = "beyond" if adjusted.p_beyond <= level else "within" if is_within else "about"
    return ("better" if adjusted.is_above else "worse"), size


def words_of(verdict: Verdict, size: Size | None) -> str:
    """`better, about the margin`."""
    return verdict if size is None else f"{verdict}, {size} the margin"
