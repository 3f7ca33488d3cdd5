"""What a table can decide, as the report will say it, and what it would take to decide more."""

from __future__ import annotations

from collections.abc import Sequence

from rnnbench.compare.baseline import find_majority
from rnnbench.compare.predictions import read_labels
from rnnbench.compare.reach import (
    describe_reach,
    is_too_coarse,
    seeds_to_decide,
    set_against_majority,
)
from rnnbench.output.amounts import plural
from rnnbench.stats.intervals import mean_interval
from rnnbench.studies.plan import Plan, count_pairs
from rnnbench.studies.summary import Row

__all__ = ["give_advice"]


def give_advice(plan: Plan, rows: Sequence[Row]) -> str:
    """What the table can decide, and what would let it decide more; then the majority class."""
    sentences = [_tell_reach(plan, rows), *_tell_majority(plan, rows)]
    return "\n".join(sentence for sentence in sentences if sentence)


def _tell_reach(plan: Plan, rows: Sequence[Row]) -> str:
    if any(row.n_missing and not row.n for row in rows):
        return "not every row has a finished run yet: nothing to compare"
    n_runs = [row.n for row in rows if row.n]
    if not n_runs:
        return "no run came to a score: nothing to compare"
    n_seeds = min(n_runs)
    study, words = plan.study, plural(n_seeds, "seed")
    n_pairs, is_paired = count_pairs(study, plan.specs), study.pairing == "seed"
    labels, margin = read_labels(plan.dataset.fingerprint), study.margin_points / 100
    n_test = None if labels is None else len(labels)
    limit = describe_reach(
        n_runs,
        n_pairs=n_pairs,
        is_paired=is_paired,
        has_spread=sum(row.test_accuracy.sd == 0 for row in rows) < 2,  # of one run it is NaN
        n_test=n_test,
        margin=margin,
    )
    if not n_pairs:
        return words
    if limit is None:
        return f"{words}: enough for a verdict on each of {plural(n_pairs, 'pair')}"
    needed = seeds_to_decide(n_pairs, is_paired=is_paired)
    if n_seeds >= needed or is_too_coarse(n_test, margin):
        return limit
    minutes = _minutes(plan, rows, needed - n_seeds)
    return f"{limit} {_option(plan, needed)} adds the missing ones, in about {minutes:.0f} min."


def _tell_majority(plan: Plan, rows: Sequence[Row]) -> list[str]:
    """On data of the user's own."""
    finished = [row for row in rows if row.n]
    majority = find_majority(plan.specs[0].data) if finished else None
    if majority is None or majority.test_accuracy is None:
        return []
    means = [
        (
            f"{row.architecture} ({row.varied})" if row.varied else row.architecture,
            row.test_accuracy.mean,
            mean_interval(row.test_accuracy),
        )
        for row in finished
    ]
    return [set_against_majority(means, majority.test_accuracy)]


def _minutes(plan: Plan, rows: Sequence[Row], n_missing: int) -> float:
    seconds = sum(row.fit_seconds.mean for row in rows if row.n)
    return max(seconds * n_missing / max(len(plan.placement.gpus), 1) / 60, 1)


def _option(plan: Plan, n_seeds: int) -> str:
    """The words that go on from the first seed of the study."""
    first = min(plan.study.seeds)
    return f"--seeds {first}-{first + n_seeds - 1}" if first else f"--seeds {n_seeds}"
