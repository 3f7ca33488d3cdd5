"""One row for each configuration of a study, and what such a table can decide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rnnbench.architectures import names_apart
from rnnbench.compare.arms import count_parameters
from rnnbench.compare.comparison import Baselines, describe_baselines
from rnnbench.compare.outcome import Outcome, find_outcome
from rnnbench.compare.predictions import read_labels, weigh_texts
from rnnbench.compare.reach import describe_reach, is_too_coarse, seeds_to_decide
from rnnbench.compare.rows import ArmRow
from rnnbench.compare.sections import Arm, divide_runs
from rnnbench.compare.standing import Interim, tell_interim
from rnnbench.metrics import METRICS, USUAL_METRIC
from rnnbench.output.amounts import plural
from rnnbench.published.notes import NotesRun, is_comparable_with_notes, published_runs
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import USUAL_SETTINGS, RunSpec
from rnnbench.stats.intervals import MeanSd, mean_sd
from rnnbench.studies.plan import Plan, count_pairs, number_of_look

_OF_SIGHT = ("num_words", "max_len")
_MEASURES = (
    *METRICS,
    *("test_absolute_error", "test_quadratic_kappa"),
    *("test_loss", "val_loss", "best_epoch", "epoch_seconds", "fit_seconds"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the runs of one configuration, differing in their seed only, have in common.

    Args:
        varied: what besides the architecture tells this row from others, by its name.
        spec: what was asked of the first run.
        n: finished runs that learned; the means are over these.
        n_unlearned: finished runs that did not learn.
        is_baseline: a row without a network, such as the bag of words.
        published: the notes' run of the same recipe on the same kind of data, if any.
    """

    architecture: str
    varied: Mapping[str, str]
    spec: RunSpec
    n: int
    n_unlearned: int
    n_diverged: int
    n_failed: int
    n_missing: int
    n_parameters: int | None
    test_accuracy: MeanSd
    test_macro_f1: MeanSd
    test_absolute_error: MeanSd
    test_quadratic_kappa: MeanSd
    test_loss: MeanSd
    val_loss: MeanSd
    best_epoch: MeanSd
    epoch_seconds: MeanSd
    fit_seconds: MeanSd
    published: NotesRun | None
    is_baseline: bool

    def score(self, metric: str) -> MeanSd:
        """What the runs are compared by."""
        found: MeanSd = getattr(self, metric)
        return found


def summarise(
    runs: Sequence[RecordedRun],
    *,
    vary_split: bool = False,
    unlearned: frozenset[str] = frozenset(),
) -> list[Row]:
    """A row for each configuration, in the order in which they first come.

    Args:
        vary_split: each seed has a split of its own, which makes no row of its own.
        unlearned: fingerprints of the runs that did not learn.
    """
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[RecordedRun]] = {}
    varying = _varying([run.spec for run in runs])
    if vary_split:
        varying = [name for name in varying if name != "split_seed"]
    names = names_apart(run.spec.form for run in runs)
    for run in runs:
        varied = _write_varied(run.spec, varying)
        groups.setdefault((names[run.spec.form], (*varied.items(),)), []).append(run)
    return [
        _row(dict(varied), Arm(name=name, runs=tuple(group), unlearned=unlearned))
        for (name, varied), group in groups.items()
    ]


def summarise_baselines(rows: Sequence[Row], baselines: Baselines) -> list[Row]:
    """What the networks have to beat: rows for each way in which they see the texts."""
    seen = {row.spec.data: row.spec for row in reversed(rows)}
    varying = [key for key in _varying([row.spec for row in rows]) if key in _OF_SIGHT]
    return [
        _baseline_row(row, spec, _write_varied(spec, varying))
        for spec in reversed(seen.values())
        for row in baselines([spec])
    ]


def find_outcome_of(
    plan: Plan,
    runs: Sequence[RecordedRun],
    baselines: Baselines,
    command: str,
    *,
    unlearned: frozenset[str],
) -> Outcome:
    """What is to be said first of a command's runs, as its report says it."""
    study = plan.study
    sections = divide_runs(
        runs,
        study.contrast,
        vary_split=study.vary_split,
        tuned=study.tuned,
        unlearned=unlearned,
    )
    found = (row for section in sections for row in describe_baselines(section, baselines))
    return find_outcome(
        sections,
        found,
        n_test=_count_texts(plan, study.metric),
        n_texts=_count_texts(plan, USUAL_METRIC),
        metric=study.metric,
        margin=study.margin_points / 100,
        command=command,
    )


def give_advice(plan: Plan, rows: Sequence[Row], outcome: Outcome) -> str:
    """The outcome; then what the table can decide, and what would let it decide more.

    Seeds are asked for only where there is nothing else to try first.
    """
    sentences = [*outcome.sentences]
    if not outcome.says("few texts", "nothing learnt"):
        sentences.append(_tell_reach(plan, rows, asks_for_seeds=not outcome.next_step))
    return "\n".join(sentences)


def _row(varied: Mapping[str, str], arm: Arm) -> Row:
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
        is_baseline=False,
        **means,
    )


def _baseline_row(row: ArmRow, spec: RunSpec, varied: Mapping[str, str]) -> Row:
    known = {name: getattr(row, name) for name in _MEASURES}
    return Row(
        architecture=row.arm,
        varied=varied,
        spec=spec,
        n=row.n,
        n_unlearned=0,
        n_diverged=0,
        n_failed=0,
        n_missing=0,
        n_parameters=row.n_parameters,
        published=None,
        is_baseline=True,
        **{name: _mean_sd([] if value is None else [value]) for name, value in known.items()},
    )


def _write_varied(spec: RunSpec, varying: Sequence[str]) -> dict[str, str]:
    settings = {**USUAL_SETTINGS, **spec.settings}
    return {key: str(settings[key]) for key in varying}


def _mean_sd(values: Iterable[float | None]) -> MeanSd:
    return mean_sd([value for value in values if value is not None])


def _varying(specs: Sequence[RunSpec]) -> list[str]:
    settings = [{**USUAL_SETTINGS, **spec.settings} for spec in specs]
    return [
        key
        for key in (settings[0] if settings else {})
        if key != "race" and len({values[key] for values in settings}) > 1
    ]


def _tell_reach(plan: Plan, rows: Sequence[Row], *, asks_for_seeds: bool) -> str:
    if any(row.n_missing and not row.n + row.n_unlearned for row in rows):
        return "not every row has a finished run yet: nothing to compare"
    learned = [row for row in rows if row.n]
    if not learned:
        return "no run has a score to compare"
    n_seeds = min(row.n for row in learned)
    study, words = plan.study, plural(n_seeds, "seed")
    n_test, margin = _count_texts(plan, study.metric), study.margin_points / 100
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
        has_spread=sum(row.score(study.metric).sd == 0 for row in rows) < 2,  # of one run it is NaN
        n_test=n_test,
        margin=margin,
        metric=study.metric,
        look=look,
    )
    if limit is None:
        return f"{words}: enough for a verdict on each of {plural(n_pairs, 'pair')}"
    if n_seeds >= needs(n_pairs) or not asks_for_seeds:
        return limit
    return f"{limit} {_tell_missing(plan, learned, needs(n_pairs))}"


def _count_texts(plan: Plan, metric: str) -> int | None:
    """Over how many test texts one weighs."""
    labels = read_labels(plan.dataset.spec)
    return None if labels is None else weigh_texts(labels, metric)


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


def _option(plan: Plan, n_seeds: int) -> str:
    """The words that go on from the first seed of the study."""
    first = min(plan.study.seeds)
    return f"--seeds {first}-{first + n_seeds - 1}" if first else f"--seeds {n_seeds}"
