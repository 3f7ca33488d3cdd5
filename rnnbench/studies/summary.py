"""One row for each configuration of a study, and what such a table can decide."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rnnbench.architectures import display_name
from rnnbench.compare.arms import count_parameters
from rnnbench.compare.baseline import find_majority
from rnnbench.compare.predictions import read_labels
from rnnbench.compare.reach import (
    compare_with_majority,
    describe_reach,
    is_too_coarse,
    seeds_to_decide,
)
from rnnbench.compare.standing import Interim, tell_interim
from rnnbench.output.amounts import plural
from rnnbench.published.notes import NotesRun, is_comparable_with_notes, published_runs
from rnnbench.specs import RunResult, RunSpec
from rnnbench.stats.intervals import MeanSd, mean_interval, mean_sd
from rnnbench.studies.plan import Plan, count_pairs, number_of_look

_MEASURES = ("test_accuracy", "test_loss", "val_loss", "best_epoch", "epoch_seconds", "fit_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the runs of one configuration, differing in their seed only, have in common.

    Args:
        varied: what besides the architecture tells this row from others, as `key=value`.
        n: finished runs; the means are over these.
        published: the notes' run of the same recipe on the same kind of data, if any.
    """

    architecture: str
    varied: str
    n: int
    n_diverged: int
    n_failed: int
    n_missing: int
    n_parameters: int | None
    test_accuracy: MeanSd
    test_loss: MeanSd
    val_loss: MeanSd
    best_epoch: MeanSd
    epoch_seconds: MeanSd
    fit_seconds: MeanSd
    published: NotesRun | None


def summarise(
    runs: Sequence[tuple[RunSpec, RunResult | None]], *, vary_split: bool = False
) -> list[Row]:
    """A row for each configuration, in the order in which they first come.

    Args:
        vary_split: each seed has a split of its own, which makes no row of its own.
    """
    groups: dict[tuple[str, str], list[tuple[RunSpec, RunResult | None]]] = {}
    varying = _varying([spec for spec, _ in runs])
    if vary_split:
        varying = [name for name in varying if name != "split_seed"]
    for spec, result in runs:
        values = spec.settings
        varied = ", ".join(f"{key}={values[key]}" for key in varying)
        groups.setdefault((display_name(spec.form), varied), []).append((spec, result))
    return [_row(name, varied, group) for (name, varied), group in groups.items()]


def give_advice(plan: Plan, rows: Sequence[Row]) -> str:
    """What the table can decide, and what would let it decide more; then the majority class."""
    sentences = [_tell_reach(plan, rows), *_tell_majority(plan, rows)]
    return "\n".join(sentence for sentence in sentences if sentence)


def _row(name: str, varied: str, runs: list[tuple[RunSpec, RunResult | None]]) -> Row:
    spec = runs[0][0]
    results = [result for _, result in runs if result is not None]
    finished = [result for result in results if result.status == "finished"]
    means = {name: _mean_sd(getattr(result, name) for result in finished) for name in _MEASURES}
    return Row(
        architecture=name,
        varied=varied,
        n=len(finished),
        n_diverged=sum(result.status == "diverged" for result in results),
        n_failed=sum(result.status == "failed" for result in results),
        n_missing=len(runs) - len(results),
        n_parameters=count_parameters(spec, finished),
        published=published_runs().get(name) if is_comparable_with_notes(spec) else None,
        **means,
    )


def _mean_sd(values: Iterable[float | None]) -> MeanSd:
    return mean_sd([math.nan if value is None else value for value in values])


def _varying(specs: Sequence[RunSpec]) -> list[str]:
    settings = [spec.settings for spec in specs]
    return [
        key
        for key in (settings[0] if settings else {})
        if len({values[key] for values in settings}) > 1
    ]


def _tell_reach(plan: Plan, rows: Sequence[Row]) -> str:
    if any(row.n_missing and not row.n for row in rows):
        return "not every row has a finished run yet: nothing to compare"
    n_runs = [row.n for row in rows if row.n]
    if not n_runs:
        return "no run produced a score: nothing to compare"
    n_seeds = min(n_runs)
    study, words = plan.study, plural(n_seeds, "seed")
    n_pairs, is_paired = count_pairs(study, plan.specs), study.pairing == "seed"
    labels, margin = read_labels(plan.dataset.fingerprint), study.margin_points / 100
    n_test = None if labels is None else len(labels)
    look = number_of_look(plan, n_more=0)
    needed = seeds_to_decide(max(n_pairs, 1), is_paired=is_paired, look=look)
    if n_pairs and (interim := _find_interim(rows)):
        return tell_interim(interim, needed, is_coarse=is_too_coarse(n_test, margin))
    limit = describe_reach(
        n_runs,
        n_pairs=n_pairs,
        is_paired=is_paired,
        has_spread=sum(row.test_accuracy.sd == 0 for row in rows) < 2,  # of one run it is NaN
        n_test=n_test,
        margin=margin,
        look=look,
    )
    if not n_pairs:
        return words
    if limit is None:
        return f"{words}: enough for a verdict on each of {plural(n_pairs, 'pair')}"
    if n_seeds >= needed or is_too_coarse(n_test, margin):
        return limit
    minutes = _minutes(plan, rows, needed - n_seeds)
    return f"{limit} {_option(plan, needed)} adds the missing ones, in about {minutes:.0f} min."


def _find_interim(rows: Sequence[Row]) -> Interim | None:
    """The row furthest behind, if runs are missing."""
    behind = [
        (n_over, n_over + row.n_missing)
        for row in rows
        for n_over in (row.n + row.n_diverged + row.n_failed,)
        if row.n_missing
    ]
    return Interim(*min(behind)) if behind else None


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
    return [compare_with_majority(means, majority.test_accuracy)]


def _minutes(plan: Plan, rows: Sequence[Row], n_missing: int) -> float:
    seconds = sum(row.fit_seconds.mean for row in rows if row.n)
    return max(seconds * n_missing / plan.most_workers / 60, 1)


def _option(plan: Plan, n_seeds: int) -> str:
    """The words that go on from the first seed of the study."""
    first = min(plan.study.seeds)
    return f"--seeds {first}-{first + n_seeds - 1}" if first else f"--seeds {n_seeds}"
