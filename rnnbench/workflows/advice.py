"""What a table can decide, in one sentence, and what it would take to decide more."""

from __future__ import annotations

from collections.abc import Sequence

from rnnbench.analysis.summary import Row
from rnnbench.report.texts import plural
from rnnbench.stats.seeds import seeds_for_verdicts
from rnnbench.workflows.plan import Plan, count_pairs

__all__ = ["give_advice"]


def give_advice(plan: Plan, rows: Sequence[Row]) -> str:
    """What the table can decide, and what would let it decide more."""
    n_pairs = count_pairs(plan.study, plan.specs)
    n_seeds = min((row.n for row in rows), default=0)
    words = plural(n_seeds, "seed")
    if not n_seeds:
        return "not every row has a finished run yet: nothing to compare"
    if not n_pairs:
        return words
    needed = seeds_for_verdicts(n_pairs)
    if n_seeds >= needed:
        return f"{words}: enough for a verdict on each of {plural(n_pairs, 'pair')}"
    minutes = _minutes(plan, rows, needed - n_seeds)
    return (
        f"{words}: descriptive only. A verdict on {plural(n_pairs, 'pair')} needs at least "
        f"{needed} seeds: {_option(plan, needed)} adds the missing ones, in about "
        f"{minutes:.0f} min."
    )


def _minutes(plan: Plan, rows: Sequence[Row], n_missing: int) -> float:
    seconds = sum(row.fit_seconds.mean for row in rows if row.n)
    return max(seconds * n_missing / max(len(plan.placement.gpus), 1) / 60, 1)


def _option(plan: Plan, n_seeds: int) -> str:
    """The words that go on from the first seed of the study."""
    first = min(plan.study.seeds)
    return f"--seeds {first}-{first + n_seeds - 1}" if first else f"--seeds {n_seeds}"
