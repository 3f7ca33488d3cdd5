"""How often a simulated study says something that is false."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from rnnbench.compare.pairs import compare_sections
from rnnbench.compare.rows import PairRow
from rnnbench.compare.uncertainty import measure_uncertainty
from rnnbench.compare.verdicts import Size, Verdict
from truth.scenarios import MARGIN, Scenario, draw_scores

QUESTIONS = ("difference", "within", "beyond")
"""`better` or `worse`; `equivalent`, or within the margin; beyond the margin."""

BAR = 0.05
_EXACTLY = 1e-9
_MOST_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Rate:
    """In how many of the studies something happened, with its 95 % Clopper-Pearson interval."""

    n_yes: int
    n_studies: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Of the studies."""
        return self.n_yes / self.n_studies

    @property
    def is_met(self) -> bool:
        """Whether it may be 5 % or less, as far as so many studies can tell."""
        return self.low <= BAR


def rate_of(n_yes: int, n_studies: int) -> Rate:
    """The rate and its interval."""
    found = binomtest(n_yes, n_studies).proportion_ci(method="exact")
    return Rate(n_yes, n_studies, float(found.low), float(found.high))


def measure_rates(scenario: Scenario, n_studies: int, seed: Sequence[int]) -> dict[str, Rate]:
    """Of each question, the studies in which it is answered falsely of any pair at any look.

    Of equal means instead, the studies that call the arm better whose typical run is better.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    names = ("better",) if scenario.group == "means" else QUESTIONS
    counts = dict.fromkeys(names, 0)
    for _ in range(n_studies):
        told = list(watch_study(scenario, draw_scores(scenario, rng)))
        for name in names:
            counts[name] += any(_is_told(name, row, scenario) for rows in told for row in rows)
    return {name: rate_of(n, n_studies) for name, n in counts.items()}


def watch_study(scenario: Scenario, scores: Sequence[Sequence[float]]) -> Iterator[list[PairRow]]:
    """The rows of each look by itself, and in the end those of the report, with all looks."""
    arms = [str(place) for place in range(len(scores))]
    if not scenario.looks:
        runs = {arm: dict(enumerate(row)) for arm, row in zip(arms, scores, strict=True)}
        yield compare_sections([("", runs)], margin=MARGIN, is_paired=scenario.is_paired)
        return
    seen: list[Mapping[str, Mapping[int, float]]] = []
    spent: list[Mapping[str, Mapping[int, float]]] = []
    n: int | None = scenario.looks[0]
    while n is not None:
        seen.append({arm: dict(enumerate(row[:n])) for arm, row in zip(arms, scores, strict=True)})
        look = len(spent) + 1
        rows = compare_sections([("", seen[-1])], margin=MARGIN, is_paired=True, look=look)
        yield rows
        if any(row.is_judged for row in rows):  # else no look is spent
            spent.append(seen[-1])
        n = _next_seeds(scenario, rows, seen, look)
    earlier = [[("", runs)] for runs in spent if runs is not seen[-1]]
    yield compare_sections([("", seen[-1])], margin=MARGIN, is_paired=True, earlier=earlier)


def is_false(
    question: str, verdict: Verdict, size: Size | None, true: float, margin: float = MARGIN
) -> bool:
    """Whether what is said of a pair is not so.

    Args:
        true: the typical difference of the pair; exactly the margin is neither within nor beyond.
    """
    if verdict == "worse":
        verdict, true = "better", -true
    if question == "difference":
        return verdict == "better" and true <= _EXACTLY
    if question == "within":
        is_said = verdict == "equivalent" or size == "within"
        return is_said and abs(true) >= margin - _EXACTLY
    return size == "beyond" and true <= margin + _EXACTLY


def _is_told(name: str, row: PairRow, scenario: Scenario) -> bool:
    if name == "better":
        return row.a == "0" and row.verdict == "better"
    true = scenario.typical[int(row.a)] - scenario.typical[int(row.b)]
    return is_false(name, row.verdict, row.size, true)


def _next_seeds(
    scenario: Scenario,
    rows: Sequence[PairRow],
    seen: Sequence[Mapping[str, Mapping[int, float]]],
    look: int,
) -> int | None:
    """Seeds at the next look; where the plan is followed, as many as the open pairs are said to
    need. None where there is no other look.
    """
    most = max(scenario.n_seeds)
    if not scenario.follows_plan:
        return (*scenario.looks, most, None)[len(seen)]
    following = look + any(row.is_judged for row in rows)
    found = measure_uncertainty(
        "", seen[-1], lambda arm: {}, None, rows, n_family=len(rows), look=following
    )
    needed = [
        pair.seeds_needed or most
        for pair, row in zip(found.pairs, rows, strict=True)
        if row.verdict == "undetermined"
    ]
    n = min(max(needed, default=0), most)
    return n if n > len(seen[-1]["0"]) and len(seen) < _MOST_LOOKS else None
