"""What is simulated: each scenario's arms, with the typical difference of every two of them known.

Accuracies are fractions. Unless a scenario says otherwise an arm's SD is 0.18 points, so that two
arms differ by 0.5 points, the margin, with an SD of 0.25.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

MARGIN = 0.005
SD = 0.0018
FAR = 0.25
NEAR = 0.05

Shape: TypeAlias = Literal["normal", "t2"]
Group: TypeAlias = Literal["no difference", "at the margin", "unpaired", "looks", "limits", "means"]


@dataclass(frozen=True, slots=True)
class Collapse:
    """A run that fails to learn: how often, and by how much it then lies lower."""

    chance: float
    drop: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How the runs of a study come about.

    Args:
        typical: of each arm; the differences of two of them are their true typical differences.
        n_seeds: of each arm; where paired the same for all.
        correlation: between any two arms, over seeds.
        collapse: of the first arm, or of all where `all_collapse`.
        n_reviews: scores are rounded to whole reviews; None leaves them as drawn.
        looks: seeds an arm at each look before the last.
        follows_plan: seeds are added until there are as many as the report says are needed.
        cost: of one study in time, where one of two arms with ten seeds is 1.
    """

    group: Group
    name: str
    typical: tuple[float, ...]
    n_seeds: tuple[int, ...]
    sds: tuple[float, ...]
    shape: Shape = "normal"
    correlation: float = 0.0
    collapse: Collapse | None = None
    all_collapse: bool = False
    is_paired: bool = True
    n_reviews: int | None = None
    looks: tuple[int, ...] = ()
    follows_plan: bool = False
    cost: float = 1.0


def scenarios() -> list[Scenario]:
    """All of them."""
    return [
        *_without_difference(),
        *_at_the_margin(),
        *_unpaired(),
        *_looks(),
        *_equal_means(),
        *_limits(),
    ]


def draw_scores(scenario: Scenario, rng: np.random.Generator) -> list[list[float]]:
    """The accuracies of each arm, in the order of its seeds."""
    n, n_arms = max(scenario.n_seeds), len(scenario.typical)
    shared = rng.standard_normal((1, n))
    own = rng.standard_normal((n_arms, n))
    if scenario.shape == "t2":
        own /= np.sqrt(rng.chisquare(2, (n_arms, n)) / 2)
    noise = math.sqrt(scenario.correlation) * shared + math.sqrt(1 - scenario.correlation) * own
    scores: NDArray[np.float64] = 0.8 + noise * np.array(scenario.sds)[:, None]
    scores += np.array(scenario.typical)[:, None]
    if scenario.collapse is not None:
        collapsed = rng.random((n_arms, n)) < scenario.collapse.chance
        collapsed[0 if scenario.all_collapse else 1 :] &= scenario.all_collapse
        scores -= scenario.collapse.drop * collapsed
        if not scenario.all_collapse:
            scores[0] -= _shift(scenario)
    if scenario.n_reviews is not None:
        scores = np.round(scores * scenario.n_reviews) / scenario.n_reviews
    return [row[:k].tolist() for row, k in zip(scores, scenario.n_seeds, strict=True)]


def typical_shift(sd: float, collapse: Collapse, *, is_paired: bool) -> float:
    """The typical difference of two arms that are alike until one of them collapses.

    Args:
        sd: of the difference of two runs, neither collapsed.
        is_paired: the median of the mean of two differences rather than of one difference.
    """
    n = 2 if is_paired else 1
    spread = sd / math.sqrt(n)

    def excess(x: float) -> float:
        share = sum(
            math.comb(n, k)
            * collapse.chance**k
            * (1 - collapse.chance) ** (n - k)
            * float(ndtr((x + collapse.drop * k / n) / spread))
            for k in range(n + 1)
        )
        return share - 0.5

    return float(brentq(excess, -2 * collapse.drop - 9 * sd, 9 * sd, xtol=1e-15))


def _shift(scenario: Scenario) -> float:
    assert scenario.collapse is not None
    first, second, *rest = scenario.sds
    assert all(sd == second for sd in rest)
    sd = math.sqrt(first**2 + second**2 - 2 * scenario.correlation * first * second)
    return typical_shift(sd, scenario.collapse, is_paired=scenario.is_paired)


def _paired(
    group: Group,
    name: str,
    typical: Sequence[float],
    n: int,
    *,
    sds: Sequence[float] | None = None,
    shape: Shape = "normal",
    correlation: float = 0.0,
    collapse: Collapse | None = None,
    all_collapse: bool = False,
    n_reviews: int | None = None,
) -> Scenario:
    n_pairs = math.comb(len(typical), 2)
    return Scenario(
        group=group,
        name=name,
        typical=tuple(typical),
        n_seeds=(n,) * len(typical),
        sds=(SD,) * len(typical) if sds is None else tuple(sds),
        shape=shape,
        correlation=correlation,
        collapse=collapse,
        all_collapse=all_collapse,
        n_reviews=n_reviews,
        cost=0.6 * n_pairs + 0.4,
    )


def _without_difference() -> Iterator[Scenario]:
    group: Group = "no difference"
    textbook = (0.0018, 0.0021, 0.0031, 0.0025)
    for n in (6, 8, 10, 20, 30):
        yield _paired(group, "normal", [0.0] * 2, n)
    for n in (8, 10, 20, 30):
        yield _paired(
            group,
            "as the textbook runs, in whole reviews",
            [0.0] * 4,
            n,
            sds=textbook,
            correlation=0.17,
            n_reviews=25_000,
        )
    for n in (10, 20):
        yield _paired(group, "normal", [0.0] * 10, n)
    for n in (6, 10, 20):
        yield _paired(group, "SD ratio 10", [0.0] * 2, n, sds=(10 * SD, SD))
    yield _paired(group, "SD ratio 10", [0.0] * 4, 10, sds=(10 * SD, SD, SD, SD))
    for k, n in ((2, 6), (2, 20), (4, 10), (4, 30)):
        yield _paired(group, "Student's t, 2 degrees of freedom", [0.0] * k, n, shape="t2")
    for k, n in ((2, 10), (4, 10), (4, 20)):
        yield _paired(group, "correlated, 0.9", [0.0] * k, n, correlation=0.9)
    for collapse in _collapses():
        rare = ((2, 20), (2, 30), (4, 10))
        often = ((2, 6), (2, 8), (2, 20), (2, 30), (4, 8), (4, 10), (4, 30))
        for k, n in rare if collapse.chance < 0.1 else often:
            yield _paired(group, _one_collapses(collapse), [0.0] * k, n, collapse=collapse)
    for n in (10, 30):
        far = Collapse(0.1, FAR)
        name = "all arms collapse, 10 % of runs, by 25 points"
        yield _paired(group, name, [0.0] * 4, n, collapse=far, all_collapse=True)


def _at_the_margin() -> Iterator[Scenario]:
    group: Group = "at the margin"
    for n in (6, 8, 10, 20, 30):
        yield _paired(group, "normal", [MARGIN, 0.0], n)
    for n in (10, 20):
        yield _paired(group, "normal, two of four arms higher", [MARGIN] * 2 + [0.0] * 2, n)
        yield _paired(group, "normal, five of ten arms higher", [MARGIN] * 5 + [0.0] * 5, n)
    for n in (6, 10, 20):
        yield _paired(group, "Student's t, 2 degrees of freedom", [MARGIN, 0], n, shape="t2")
    for n in (6, 20):
        yield _paired(group, "SD ratio 10", [MARGIN, 0.0], n, sds=(SD, SD / 10))
    yield _paired(group, "correlated, 0.9", [MARGIN] * 2 + [0.0] * 2, 10, correlation=0.9)
    for collapse in _collapses():
        for sign in (1, -1):
            where = "higher" if sign > 0 else "lower"
            name = f"{_one_collapses(collapse)}, typically {where}"
            often = ((2, 6), (2, 8), (2, 12), (2, 20), (2, 30), (4, 10))
            for k, n in ((2, 6), (2, 20)) if collapse.chance < 0.1 else often:
                typical = [sign * MARGIN] + [0.0] * (k - 1)
                yield _paired(group, name, typical, n, collapse=collapse)
    far = Collapse(0.1, FAR)
    name = "all arms collapse, 10 % of runs, by 25 points"
    for n in (10, 30):
        yield _paired(group, name, [MARGIN, 0.0], n, collapse=far, all_collapse=True)


def _unpaired() -> Iterator[Scenario]:
    far = Collapse(0.1, FAR)
    sizes = ((6, 20), (10, 30), (8, 12))
    for typical, where in ((0.0, "no difference"), (MARGIN, "at the margin")):
        for n in (*sizes, *((b, a) for a, b in sizes)):
            for sds, spread in (((SD, SD / 10), "SD ratio 10"), ((SD, SD), "normal")):
                yield _apart(f"{spread}, {where}", typical, n, sds)
        for n in ((10, 30), (30, 10), (20, 20)):
            yield _apart(f"{_one_collapses(far)}, {where}", typical, n, (SD, SD), far)


def _apart(
    name: str,
    typical: float,
    n_seeds: tuple[int, int],
    sds: tuple[float, float],
    collapse: Collapse | None = None,
) -> Scenario:
    return Scenario(
        group="unpaired",
        name=name,
        typical=(typical, 0.0),
        n_seeds=n_seeds,
        sds=sds,
        collapse=collapse,
        is_paired=False,
        cost=5.0,
    )


def _looks() -> Iterator[Scenario]:
    every_second, every = tuple(range(8, 20, 2)), tuple(range(6, 30))
    for typical, where in ((0.0, "no difference"), (MARGIN, "at the margin")):
        for k in (2, 4):
            arms = (typical,) * (k // 2) + (0.0,) * (k - k // 2)
            yield _watched(f"a look at 8, 10, …, 20 seeds, {where}", arms, 20, every_second)
            yield _watched(f"a look at every number from 6 to 30, {where}", arms, 30, every)
            yield _watched(f"6 seeds, then as many as needed, {where}", arms, 60, (6,))
            yield _watched(f"8 seeds, then as many as needed, {where}", arms, 60, (8,))


def _watched(name: str, typical: tuple[float, ...], n: int, looks: tuple[int, ...]) -> Scenario:
    follows_plan = len(looks) == 1
    return Scenario(
        group="looks",
        name=name,
        typical=typical,
        n_seeds=(n,) * len(typical),
        # Wide enough that the first look seldom decides, and the report asks for more seeds.
        sds=((2 if follows_plan else 1) * SD,) * len(typical),
        looks=looks,
        follows_plan=follows_plan,
        cost=(3 if follows_plan else 2 * len(looks)) * (0.6 * math.comb(len(typical), 2) + 0.4),
    )


def _equal_means() -> Iterator[Scenario]:
    """The first arm is typically better, and loses by its collapses what it gains by that."""
    far = Collapse(0.1, FAR)
    for k, n in ((2, 10), (2, 20), (2, 30), (4, 10), (4, 30)):
        ahead = far.chance * far.drop + typical_shift(SD * math.sqrt(2), far, is_paired=True)
        name = f"{_one_collapses(far)}; equal means"
        yield _paired("means", name, [ahead] + [0.0] * (k - 1), n, collapse=far)


def _limits() -> Iterator[Scenario]:
    """Beyond what the signed-rank test can take: collapses so often that they are no exception."""
    for chance in (0.2, 0.3):
        often = Collapse(chance, FAR)
        for n in (6, 10, 30):
            yield _paired("limits", _one_collapses(often), [0.0] * 2, n, collapse=often)
            name = f"{_one_collapses(often)}, typically lower"
            yield _paired("limits", name, [-MARGIN, 0.0], n, collapse=often)


def _collapses() -> list[Collapse]:
    return [Collapse(chance, drop) for chance in (0.05, 0.1) for drop in (NEAR, FAR)]


def _one_collapses(collapse: Collapse) -> str:
    chance, drop = 100 * collapse.chance, 100 * collapse.drop
    return f"one arm collapses, {chance:.0f} % of runs, by {drop:.0f} points"
