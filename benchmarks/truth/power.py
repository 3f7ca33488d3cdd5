"""How often a true difference is found, beside the rule that was in force before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from rnnbench.compare.pairs import compare_sections
from rnnbench.compare.verdicts import level_of_look
from rnnbench.stats.comparisons import holm
from rnnbench.stats.seeds import detectable_difference, seeds_needed
from truth.rates import Rate, rate_of
from truth.scenarios import MARGIN, Scenario, draw_scores

SD_OF_DIFFERENCES = 0.0025
N_ARMS = 4
N_PAIRS = math.comb(N_ARMS, 2)
_ALL_SIGNS_UP_TO = 12
_N_DRAWN = 9_999
_OLD_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerCase:
    """One pair of four arms lies `difference` apart, the other arms in the middle of the two.

    Args:
        is_planned: with so many seeds the report calls the difference findable.
        goal: what is looked for, `better` of the pair or `equivalent`.
        at_least: the power that is asked for.
    """

    n_seeds: int
    difference: float
    is_planned: bool = False
    goal: str = "better"
    at_least: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """How often the goal was reached over the same studies.

    Args:
        lost: by the rule against the old one, a share of the studies; below 0 where it gains.
        lost_error: two standard errors of it.
    """

    rule: Rate
    old_rule: Rate
    lost: float
    lost_error: float


def power_cases() -> Iterator[PowerCase]:
    """The margin with ten seeds; about what each number of seeds is said to find; no difference."""
    yield PowerCase(n_seeds=10, difference=MARGIN, at_least=0.9)
    for n in (8, 9, 10, 12, 20):
        found = detectable_difference(SD_OF_DIFFERENCES, n, N_PAIRS, level=level_of_look(1))
        assert found is not None
        yield PowerCase(n_seeds=n, difference=0.7 * found)
        yield PowerCase(n_seeds=n, difference=found, is_planned=True)
        yield PowerCase(n_seeds=n, difference=1.3 * found)
    for n in (6, 8, 10, 20):
        yield PowerCase(n_seeds=n, difference=0.0, goal="equivalent")


def planned_seeds(difference: float) -> int | None:
    """What the report says a difference needs at this spread."""
    return seeds_needed(SD_OF_DIFFERENCES, difference, N_PAIRS, level=level_of_look(1))


def measure_power(case: PowerCase, n_studies: int, seed: Sequence[int]) -> Power:
    """Both rules on the same studies; the pairs take turns."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    pairs = list(combinations(range(N_ARMS), 2))
    signs = _signs(case.n_seeds)
    told = np.zeros((n_studies, 2), dtype=bool)
    for study in range(n_studies):
        place = study % len(pairs)
        typical = np.zeros(N_ARMS)
        typical[pairs[place][0]] += case.difference / 2
        typical[pairs[place][1]] -= case.difference / 2
        scenario = Scenario(
            group="no difference",
            name="",
            typical=tuple(typical),
            n_seeds=(case.n_seeds,) * N_ARMS,
            sds=(SD_OF_DIFFERENCES / math.sqrt(2),) * N_ARMS,
        )
        scores = np.array(draw_scores(scenario, rng))
        runs = {str(arm): dict(enumerate(row.tolist())) for arm, row in enumerate(scores)}
        row = compare_sections([("", runs)], margin=MARGIN, is_paired=True)[place]
        differences = np.array([scores[a] - scores[b] for a, b in pairs])
        p_old = holm(_sign_flip(differences, signs))[place] or 0.0
        is_told = p_old <= _OLD_LEVEL
        told[study, 0] = row.verdict == case.goal
        if case.goal == "better":
            told[study, 1] = is_told and differences[place].mean() > 0
        else:
            interval = row.difference_interval
            is_inside = interval is not None and max(-interval.low, interval.high) < MARGIN
            told[study, 1] = is_inside and not is_told
    lost = told[:, 1].astype(float) - told[:, 0]
    return Power(
        rule=rate_of(int(told[:, 0].sum()), n_studies),
        old_rule=rate_of(int(told[:, 1].sum()), n_studies),
        lost=float(lost.mean()),
        lost_error=float(2 * lost.std() / math.sqrt(n_studies)),
    )


def _signs(n: int) -> NDArray[np.float64]:
    """Float64 `(n_signs, n)`: all of them, or so many drawn."""
    if n <= _ALL_SIGNS_UP_TO:
        return np.array(list(product((-1.0, 1.0), repeat=n)))
    drawn = np.random.default_rng(0).integers(2, size=(_N_DRAWN, n)) * 2.0 - 1.0
    return np.concatenate([np.ones((1, n)), drawn])


def _sign_flip(differences: NDArray[np.float64], signs: NDArray[np.float64]) -> list[float]:
    """The old test: how often the mean of each row is as far from 0 with other signs."""
    sums = np.abs(differences @ signs.T)
    as_far = sums >= np.abs(differences.sum(axis=1, keepdims=True)) - 1e-12
    shares: list[float] = as_far.mean(axis=1).tolist()
    return shares
