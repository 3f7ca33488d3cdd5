"""What so many runs and test texts can decide: one rule for report, claims, plan and terminal."""

import itertools
import math
from collections.abc import Sequence

from rnnbench.compare.verdicts import level_of_look
from rnnbench.metrics import METRICS, USUAL_METRIC
from rnnbench.output.amounts import ordinal, plural
from rnnbench.stats.seeds import seeds_for_verdicts

FEWEST_RUNS = 6
"""Runs an arm below which a comparison only describes, however few pairs there are."""


def is_too_coarse(n_test: int | None, margin: float) -> bool:
    """Whether one test text weighs more than the margin, a fraction; False where `n_test` is None.

    In a single run a difference of the margin cannot occur then, scores being counts of texts, and
    so few texts say little about others.
    """
    return n_test is not None and n_test * margin < 1 - 1e-9


def tell_few_texts(n_test: int | None, margin: float, metric: str = USUAL_METRIC) -> str:
    """What one test text weighs where that is more than the margin; else nothing.

    Args:
        n_test: over how many texts one weighs (`weigh_texts`).
    """
    if not n_test or not is_too_coarse(n_test, margin):
        return ""
    one, enough = "one", f"{math.ceil(1 / margin - 1e-9):,} test texts"
    if metric != USUAL_METRIC:
        one, enough = "one of the smallest class", f"{enough} in classes of equal size"
    return (
        f"Too few test texts: {one} is {_points(1 / n_test, margin)} points of "
        f"{METRICS[metric].removeprefix('test ')}, more than the margin of {100 * margin:g}. "
        f"No verdict is given below {enough}."
    )


def seeds_to_decide(n_pairs: int, *, is_paired: bool, look: int = 1) -> int:
    """The fewest seeds with which each of the pairs can come out better or worse at a look.

    With fewer no verdict is given, of equivalence neither, and no look is spent.
    """
    level = level_of_look(look)
    return max(FEWEST_RUNS, seeds_for_verdicts(n_pairs, level, is_paired=is_paired))


def describe_reach(
    n_runs: Sequence[int],
    *,
    n_pairs: int,
    is_paired: bool,
    has_spread: bool,
    n_test: int | None,
    margin: float,
    look: int = 1,
    unit: str = "arm",
    metric: str = USUAL_METRIC,
) -> str | None:
    """Which verdicts cannot be given, and why, in a sentence or two; None where all can.

    Args:
        n_runs: finished runs of each arm, or of each pair the seeds that both have; one without
            any is told of elsewhere.
        n_pairs: comparisons, over all sections.
        has_spread: whether of each pair the runs of at least one arm differ in their score.
        n_test: over how many texts one weighs (`weigh_texts`); None where unknown.
        margin: the practical margin, as a fraction.
        look: the number of this look.
        unit: what `n_runs` are of: `arm` or `pair`.
        metric: what runs are compared by.
    """
    with_runs = [n for n in n_runs if n]
    if not (n_pairs and with_runs):
        return None
    if few := tell_few_texts(n_test, margin, metric):
        return few
    fewest = min(with_runs)
    needed = seeds_to_decide(n_pairs, is_paired=is_paired, look=look)
    if fewest < needed:
        are_some_decided = sum(n >= needed for n in with_runs) > (unit == "arm")
        what = "Some pairs are descriptive only" if are_some_decided else "Descriptive only"
        why = ", because no test could reach its level with fewer" if is_paired else ""
        at_look = f" at the {ordinal(look)} look" if look > 1 else ""
        each = f" on each of {n_pairs:,} pairs" if n_pairs > 1 else ""
        return (
            f"{what}: {plural(fewest, 'seed')} in the smallest {unit}. A verdict{each} takes "
            f"{needed}{at_look}{why}."
        )
    if not has_spread:
        return (
            "No spread: every run of some arms scored the same, and nothing shows how far another "
            "would lie. No verdict is given on a pair of such arms."
        )
    return None


def _points(fraction: float, margin: float) -> str:
    """In points, with as many digits as it takes to read as more than the margin."""
    points = 100 * fraction
    digits = itertools.count(0 if points >= 3 else 1)
    return next(f"{points:.{n}f}" for n in digits if round(points, n) > 100 * margin)
