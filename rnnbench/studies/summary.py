"""One row for each configuration of a study, and what such a table can decide."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from rnnbench.architectures import display_name
from rnnbench.compare.arms import count_parameters
from rnnbench.compare.baseline import find_majority
from rnnbench.compare.comparison import Floor, find_unlearned
from rnnbench.compare.predictions import read_labels
from rnnbench.compare.reach import (
    compare_with_majority,
    describe_reach,
    is_too_coarse,
    seeds_to_decide,
)
from rnnbench.compare.sections import Arm
from rnnbench.compare.standing import Interim, tell_interim
from rnnbench.output.amounts import plural
from rnnbench.published.notes import NotesRun, is_comparable_with_notes, published_runs
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import RunResult, RunSpec
from rnnbench.stats.intervals import MeanSd, mean_interval, mean_sd
from rnnbench.studies.plan import Plan, count_pairs, number_of_look

_MEASURES = ("test_accuracy", "test_loss", "val_loss", "best_epoch", "epoch_seconds", "fit_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the runs of one configuration, differing in their seed only, have in common.

    Args:
        varied: what besides the architecture tells this row from others, as `key=value`.
        spec: what was asked of the first run.
        n: finished runs that learned; the means are over these.
        n_unlearned: finished runs that did not learn.
        published: the notes' run of the same recipe on the same kind of data, if any.
    """

    architecture: str
    varied: str
    spec: RunSpec
    n: int
    n_unlearned: int
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
    runs: Sequence[tuple[RunSpec, RunResult | None]],
    *,
    vary_split: bool = False,
    floor: Floor = lambda _: None,
) -> list[Row]:
    """A row for each configuration, in the order in which they first come.

    Args:
        vary_split: each seed has a split of its own, which makes no row of its own.
        floor: what a run has to pass in validation; where nobody knows, every finished run counts.
    """
    recorded = [RecordedRun(study="", spec=spec, result=result) for spec, result in runs]
    unlearned = find_unlearned(recorded, floor) or frozenset()
    groups: dict[tuple[str, str], list[RecordedRun]] = {}
    varying = _varying([spec for spec, _ in runs])
    if vary_split:
        varying = [name for name in varying if name != "split_seed"]
    for run in recorded:
        values = run.spec.settings
        varied = ", ".join(f"{key}={values[key]}" for key in varying)
        groups.setdefault((display_name(run.spec.form), varied), []).append(run)
    return [
        _row(varied, Arm(name=name, runs=tuple(group), unlearned=unlearned))
        for (name, varied), group in groups.items()
    ]


def give_advice(plan: Plan, rows: Sequence[Row]) -> str:
    """What the table can decide, and what would let it decide more; then the majority class."""
    sentences = [_tell_reach(plan, rows), *_tell_majority(plan, rows)]
    return "\n".join(sentence for sentence in sentences if sentence)


def _row(varied: str, arm: Arm) -> Row:
    results = [run.result for run in arm.runs if run.result is not None]
    finished = [result for result in results if result.status == "finished"]
    learned = [run.result for run in arm.learned if run.result is not None]
    means = {name: _mean_sd(getattr(result, name) for result in learned) for name in _MEASURES}
    return Row(
        architecture=arm.name,
        varied=varied,
        spec=arm.spec,
        n=len(learned),
        n_unlearned=len(finished) - len(learned),
        n_diverged=sum(result.status == "diverged" for result in results),
        n_failed=sum(result.status == "failed" for result in results),
        n_missing=len(arm.runs) - len(results),
        n_parameters=count_parameters(arm.spec, finished),
        published=published_runs().get(arm.name) if is_comparable_with_notes(arm.spec) else None,
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
    if any(row.n_missing and not row.n + row.n_unlearned for row in rows):
        return "not every row has a finished run yet: nothing to compare"
    learned = [row for row in rows if row.n]
    if not learned:
        return "no run has a score to compare"
    n_seeds = min(row.n for row in learned)
    study, words = plan.study, plural(n_seeds, "seed")
    labels, margin = read_labels(plan.dataset.fingerprint), study.margin_points / 100
    n_test = None if labels is None else len(labels)
    look = number_of_look(plan, n_more=0)
    n_pairs, is_paired = count_pairs(study, plan.specs), study.pairing == "seed"
    if not n_pairs:
        return words
    needs = partial(seeds_to_decide, is_paired=is_paired, look=look)
    if interim := _find_interim(rows):
        return tell_interim(interim, needs(n_pairs), is_coarse=is_too_coarse(n_test, margin))
    n_tested = count_pairs(study, [row.spec for row in learned])
    if not n_tested:
        return "no pair of rows has scores to compare"
    if n_seeds >= needs(n_tested):
        n_pairs = n_tested  # a pair without scores is no test, as in the report
    limit = describe_reach(
        [row.n for row in learned],
        n_pairs=n_pairs,
        is_paired=is_paired,
        has_spread=sum(row.test_accuracy.sd == 0 for row in rows) < 2,  # of one run it is NaN
        n_test=n_test,
        margin=margin,
        look=look,
    )
    if limit is None:
        return f"{words}: enough for a verdict on each of {plural(n_pairs, 'pair')}"
    if n_seeds >= needs(n_pairs) or is_too_coarse(n_test, margin):
        return limit
    return f"{limit} {_tell_missing(plan, learned, needs(n_pairs))}"


def _tell_missing(plan: Plan, learned: Sequence[Row], needed: int) -> str:
    """The option that adds the seeds that a verdict still takes, and how long they train."""
    n_missing = needed - min(row.n for row in learned)
    n_lost = max(row.n_unlearned + row.n_diverged for row in learned)
    condition = ", if all of them learn" if n_lost else ""
    seconds = sum(row.fit_seconds.mean for row in learned)
    minutes = max(seconds * n_missing / plan.most_workers / 60, 1)
    option = _option(plan, needed + n_lost)
    return f"{option} adds the missing ones{condition}, in about {minutes:.0f} min."


def _find_interim(rows: Sequence[Row]) -> Interim | None:
    """The row furthest behind, if runs are missing."""
    behind = [
        (n_over, n_over + row.n_missing)
        for row in rows
        for n_over in (row.n + row.n_unlearned + row.n_diverged + row.n_failed,)
        if row.n_missing
    ]
    return Interim(*min(behind)) if behind else None


def _tell_majority(plan: Plan, rows: Sequence[Row]) -> list[str]:
    """On data of the user's own."""
    learned = [row for row in rows if row.n]
    majority = find_majority(plan.specs[0].data) if learned else None
    if majority is None or majority.test_accuracy is None:
        return []
    means = [
        (
            f"{row.architecture} ({row.varied})" if row.varied else row.architecture,
            row.test_accuracy.mean,
            mean_interval(row.test_accuracy),
        )
        for row in learned
    ]
    return [compare_with_majority(means, majority.test_accuracy)]


def _option(plan: Plan, n_seeds: int) -> str:
    """The words that go on from the first seed of the study."""
    first = min(plan.study.seeds)
    return f"--seeds {first}-{first + n_seeds - 1}" if first else f"--seeds {n_seeds}"
