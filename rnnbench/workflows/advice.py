"""What a table can decide, in one sentence, and what it would take to decide more."""

from __future__ import annotations

from collections.abc import Sequence

from rnnbench.analysis.summary import Row
from rnnbench.stats.seeds import seeds_for_verdicts
from rnnbench.workflows.plan import Plan

__all__ = ["give_advice"]


def give_advice(plan: Plan, rows: Sequence[Row]) -> str:
    """What the table can decide, and what would let it decide more."""
    n_pairs = len(rows) * (len(rows) - 1) // 2
    n_seeds = min((row.n for row in rows), default=0)
    words = "seed" if n_seeds == 1 else "seeds"
    if not n_seeds:
        return "not every row has a finished run yet: nothing to compare"
    if not n_pairs:
        return f"{n_seeds} {words}"
    needed = seeds_for_verdicts(n_pairs)
    if n_seeds >= needed:
        return f"{n_seeds} seeds: enough for a verdict on each of {n_pairs} pairs"
    sentence = (
        f"{n_seeds} {words}: descriptive only. A verdict on {n_pairs} "
        f"{'pair' if n_pairs == 1 else 'pairs'} needs at least {needed} seeds"
    )
    seconds = [row.fit_seconds.mean for row in rows if row.n]
    if not seconds:
        return f"{sentence}."
    missing = needed - n_seeds
    minutes = sum(seconds) * missing / max(len(plan.placement.gpus), 1) / 60
    return (
        f"{sentence}: --seeds {needed} adds the missing ones, in about {max(minutes, 1):.0f} min."
    )
