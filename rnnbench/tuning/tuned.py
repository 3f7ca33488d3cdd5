"""What tuning cost and what it gave: budgets, tuned against textbook, and the ranking."""

import math
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import TypeAlias

from rnnbench.architectures import architecture_names, make_form, make_form_like
from rnnbench.compare.arms import accuracy_interval, hardware_of, scores_by_seed
from rnnbench.compare.pairs import Scores, compare_accuracies
from rnnbench.compare.rows import PairRow, Withheld
from rnnbench.compare.sections import hyperparameter, tuned_architectures, without
from rnnbench.compare.standing import without_verdicts
from rnnbench.errors import StudyError
from rnnbench.metrics import METRICS, USUAL_METRIC
from rnnbench.recorded_runs import CURVES, RecordedRun, scores_of
from rnnbench.specs import Recipe, RunSpec
from rnnbench.stats.intervals import Interval
from rnnbench.stats.orderings import best_so_far_quantile
from rnnbench.study import Tuned
from rnnbench.tuning.record import TuningRecord
from rnnbench.tuning.trials import best_so_far, count_trials

Matched: TypeAlias = Mapping[str, Mapping[str, Sequence[RecordedRun]]]
"""By architecture its runs `tuned` and `textbook`."""

_VAL_LOSS = CURVES.index("val_loss")
_BOTH = ("tuned", "textbook")


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedRow:
    """What one architecture scores on the seeds of the report: `kind` tuned or textbook."""

    architecture: str
    kind: str
    scores: tuple[float, ...]
    rank: int

    @property
    def mean(self) -> float:
        """The mean."""
        return fmean(self.scores)

    @property
    def mean_t(self) -> Interval | None:
        """Its 95 % interval."""
        return accuracy_interval(self.scores)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachRow:
    """How soon tuned runs come to the best validation loss of the textbook's runs.

    Args:
        val_loss: the mean of the textbook runs' best.
        textbook_epochs, textbook_seconds: mean of what those took to their best epoch.
        n_reached: tuned runs, of `n`, that came to `val_loss` or below.
        epochs, seconds: mean of what they took; None if none came there, and for seconds also
            where the two were run on different hardware.
    """

    architecture: str
    val_loss: float
    textbook_epochs: float
    textbook_seconds: float | None
    n: int
    n_reached: int
    epochs: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningPart:
    """Everything that the report says about tuning.

    Args:
        audit: sentences on whether every architecture had the same budget.
        ranking: sentences on whether their order has changed.
        searches: those that gave the values, each with a winner.
        pairs: `a` tuned, `b` textbook, the architecture as section.
        metric: what they are compared by.
    """

    audit: tuple[str, ...]
    ranking: tuple[str, ...]
    searches: tuple[TuningRecord, ...]
    scores: tuple[TunedRow, ...]
    pairs: tuple[PairRow, ...]
    reach: tuple[ReachRow, ...]
    metric: str = USUAL_METRIC


def compose_tuning_part(
    tuned: Tuned,
    matched: Matched,
    records: Mapping[str, TuningRecord],
    *,
    margin: float,
    is_paired: bool,
    n_test: int | None = None,
    metric: str = USUAL_METRIC,
    look: int = 1,
    withheld: Withheld = "",
) -> TuningPart:
    """The part of a study of tuned architectures.

    Args:
        tuned: the values that the study declared.
        matched: what `match_textbook` found for them.
        records: of the searches, by architecture; those that are not here, or began anew since
            they gave the values, leave rows out.
        margin: the practical margin, as a fraction.
        n_test: over how many texts one weighs; None where unknown.
        metric: what runs are compared by.
        look: the number of the look that the report is.
        withheld: why the report gives no verdict; empty where it gives some.
    """
    names = sorted(tuned, key=_place)
    winners = {name: record.winner for name, record in records.items()}
    gave = [name for name in names if (best := winners.get(name)) and best.params == tuned[name]]
    found = [records[name] for name in gave]
    scores = {
        name: {kind: scores_by_seed(matched[name][kind], metric) for kind in _BOTH}
        for name in names
    }
    both = {name: kinds for name, kinds in scores.items() if all(kinds.values())}
    rows = list(_describe_scores(both))
    pairs = compare_accuracies(
        both.items(),
        margin=margin,
        is_paired=is_paired,
        n_test=dict.fromkeys(both, n_test),
        look=look,
    )
    if withheld:
        pairs = without_verdicts(pairs, withheld)
    return TuningPart(
        audit=_audit(found, [name for name in names if name not in gave]),
        ranking=_compare_ranks(rows, pairs, METRICS[metric]),
        metric=metric,
        searches=tuple(found),
        scores=tuple(rows),
        pairs=tuple(pairs),
        reach=tuple(row for name in names if (row := _describe_reach(name, matched[name]))),
    )


def match_textbook(
    tuned: Tuned,
    runs: Sequence[RecordedRun],
    others: Sequence[RecordedRun],
    unlearned: frozenset[str] = frozenset(),
) -> Matched:
    """By architecture its runs `tuned`, and of `textbook` those that differ in the values only.

    Args:
        runs: of the study.
        others: of all other studies; the textbook's are found among them by what was asked. On
            texts of the user's, where a race gave the textbook study its values, they are those
            that differ from a tuned run in what was tuned alone, if there is one such a seed.
        unlearned: fingerprints of runs that did not learn, which are left out.
    """
    finished = {
        run.spec.fingerprint: run
        for run in (*others, *runs)
        if run.is_finished and run.spec.fingerprint not in unlearned
    }
    matched: dict[str, dict[str, list[RecordedRun]]] = {
        name: {kind: [] for kind in _BOTH} for name in tuned
    }
    raced = {name: _index_without(values, others, finished) for name, values in tuned.items()}
    for run in filter(lambda run: run.spec.fingerprint in finished, runs):
        for name in tuned_architectures(run.spec, tuned):
            matched[name]["tuned"].append(run)
            textbook = finished.get(_as_textbook(run.spec, name).fingerprint)
            twins = [textbook] if textbook else raced[name].get(_without(tuned[name], run.spec), [])
            matched[name]["textbook"] += twins if len(twins) == 1 else []
    return matched


def scores_compared(
    tuned: Tuned, runs: Sequence[RecordedRun], others: Sequence[RecordedRun]
) -> dict[str, float | None]:
    """The scores of the runs that a report compares, as a look keeps them.

    Of a tuned study the textbook's are there too, marked: they were not compared with each other.
    """
    matched = match_textbook(tuned, runs, others).values() if tuned else ()
    textbook = scores_of(run for kinds in matched for run in kinds["textbook"])
    return scores_of(runs) | {f"textbook {run}": score for run, score in textbook.items()}


def textbook_loss(record: TuningRecord) -> float | None:
    """Validation loss of the first trial, where that is the textbook's own point."""
    first = record.trials[0]
    try:
        usual = asdict(Recipe()) | asdict(make_form(record.architecture))
    except StudyError:  # a plug-in that is not installed here
        return None
    is_usual = all(usual.get(name) == value for name, value in first.params.items())
    return first.value if is_usual else None


def search_curve(record: TuningRecord) -> dict[str, list[float]]:
    """The lowest validation loss after each trial; infinite before the first complete one.

    Returns:
        `best`, in the order in which the trials came, and `low`, `median` and `high`: 5, 50 and
        95 % over all other orders of the same trials.
    """
    values = [math.inf if trial.value is None else trial.value for trial in record.trials]
    quantiles = {"low": 0.05, "median": 0.5, "high": 0.95}
    others = {name: best_so_far_quantile(values, q) for name, q in quantiles.items()}
    return {"best": best_so_far(values), **others}


def _place(name: str) -> tuple[int, str]:
    """The design's order, then by name."""
    names = architecture_names()
    return (names.index(name) if name in names else len(names), name)


def _index_without(
    names: Collection[str], runs: Sequence[RecordedRun], finished: Container[str]
) -> dict[str, list[RecordedRun]]:
    """Runs on texts of the user's, by what is left of them without these values."""
    found: dict[str, list[RecordedRun]] = {}
    for run in runs:
        if run.spec.data.is_own and run.spec.fingerprint in finished:
            found.setdefault(_without(names, run.spec), []).append(run)
    return found


def _without(names: Collection[str], spec: RunSpec) -> str:
    form = spec.form
    for name in names:
        form = form if hyperparameter(form, name) is None else without(form, name)
    recipe = replace(spec.recipe, learning_rate=Recipe().learning_rate)
    return replace(spec, form=form, recipe=recipe, race="").fingerprint


def _as_textbook(spec: RunSpec, name: str) -> RunSpec:
    recipe = replace(spec.recipe, learning_rate=Recipe().learning_rate)
    return replace(spec, form=make_form_like(spec.form, name), recipe=recipe)


def _describe_scores(scores: Mapping[str, Scores]) -> Iterator[TunedRow]:
    means = {
        kind: {name: fmean(found[kind].values()) for name, found in scores.items()}
        for kind in _BOTH
    }
    for name, found in scores.items():
        for kind in reversed(_BOTH):
            yield TunedRow(
                architecture=name,
                kind=kind,
                scores=tuple(found[kind].values()),
                rank=1 + sum(other > means[kind][name] for other in means[kind].values()),
            )


def _describe_reach(name: str, found: Mapping[str, Sequence[RecordedRun]]) -> ReachRow | None:
    textbook = [run.result for run in found["textbook"] if run.result is not None]
    losses = [result.val_loss for result in textbook if result.val_loss is not None]
    if not losses:
        return None
    target = fmean(losses)
    tuned = [run for run in found["tuned"] if run.history is not None and len(run.history)]
    epochs = [(run.result, epoch) for run in tuned if (epoch := _first_at(run, target))]
    seconds = [epoch * (result.epoch_seconds or 0.0) for result, epoch in epochs if result]
    machines = {hardware_of(run.result) for runs in found.values() for run in runs if run.result}
    is_one = len(machines) == 1
    return ReachRow(
        architecture=name,
        val_loss=target,
        textbook_epochs=fmean(result.best_epoch or 0 for result in textbook),
        textbook_seconds=fmean(
            (result.best_epoch or 0) * (result.epoch_seconds or 0.0) for result in textbook
        )
        if is_one
        else None,
        n=len(tuned),
        n_reached=len(epochs),
        epochs=fmean(epoch for _, epoch in epochs) if epochs else None,
        seconds=fmean(seconds) if epochs and is_one else None,
    )


def _first_at(run: RecordedRun, target: float) -> int | None:
    """The first epoch, from 1, whose validation loss is at most the target."""
    assert run.history is not None
    hits = (run.history[:, _VAL_LOSS] <= target).nonzero()[0]
    return int(hits[0]) + 1 if len(hits) else None


def _write_declared(record: TuningRecord, name: str) -> str:
    """What a search declared, but for a learning rate that a race found for its cell."""
    value = record.declaration.get(name)
    if name == "settings" and isinstance(value, Mapping) and "race" in value:
        value = {key: each for key, each in value.items() if key != "learning_rate"}
    return str(value)


def _audit(records: Sequence[TuningRecord], missing: Sequence[str]) -> tuple[str, ...]:
    if not records:
        return ("The searches behind these values are not in this folder.",)
    if missing:
        return (
            f"Not in this folder: the search that gave the values of {', '.join(missing)}. Budgets"
            " cannot be compared.",
        )
    unfinished = [record.architecture for record in records if not record.is_over]
    sentences = []
    names = ("space", "tuning_seeds", "sampler", "pruner", "settings")
    differing = [
        name for name in names if len({_write_declared(record, name) for record in records}) > 1
    ]
    differing += ["trials"] if len({count_trials(record.trials) for record in records}) > 1 else []
    if not differing:
        seeds = ", ".join(map(str, records[0].seeds))
        sentences.append(
            f"Every architecture was given the same: {count_trials(records[0].trials)} in the same"
            f" space, each on tuning seeds {seeds}, with the same sampler, pruner and recipe. The"
            " epochs and seconds that these took are each architecture's own. Tuning saw the"
            " training and validation part only, and none of the seeds below."
        )
    else:
        sentences.append(
            f"The architectures were not tuned alike: they differ in {', '.join(differing)}. The"
            " comparison favours whoever was given more."
        )
    if unfinished:
        sentences.append(f"Not over yet: {', '.join(unfinished)}.")
    caveats = (record.caveat for record in records)
    sentences += [f"{text[0].upper()}{text[1:]}." for text in caveats if text]
    return tuple(sentences)


def _compare_ranks(
    rows: Sequence[TunedRow], pairs: Sequence[PairRow], words: str
) -> tuple[str, ...]:
    ranks: dict[str, dict[str, int]] = {}
    for row in rows:
        ranks.setdefault(row.architecture, {})[row.kind] = row.rank
    if len(ranks) < 2:
        return ()
    orders = {kind: ", ".join(sorted(ranks, key=lambda name: ranks[name][kind])) for kind in _BOTH}
    moved = [name for name, found in ranks.items() if found["tuned"] != found["textbook"]]
    if not moved:
        sentence = f"Tuning does not change the order by mean {words}: {orders['tuned']}."
    else:
        sentence = (
            f"By mean {words} the order is {orders['textbook']} with the textbook's values,"
            f" and {orders['tuned']} with tuned ones; "
            f"{', '.join(moved)} {'changes' if len(moved) == 1 else 'change'} places."
        )
    return sentence, _tell_gains(pairs)


def _tell_gains(pairs: Sequence[PairRow]) -> str:
    """Which architectures tuning has made better or worse, as far as that can be told."""
    end = "Which architectures differ when all are tuned, the pairs say."
    if any(pair.withheld == "interim" for pair in pairs):
        return f"Tuned and textbook are not told apart before all planned seeds are there. {end}"
    if any(pair.withheld == "look not on record" for pair in pairs):
        return f"Tuned and textbook are not told apart while the look at it cannot be kept. {end}"
    if all(pair.is_descriptive_only for pair in pairs):
        what = "test texts" if any(pair.is_too_coarse for pair in pairs) else "seeds"
        return f"Too few {what} to tell tuned from textbook. {end}"
    told = [
        f"tuned {pair.section} is {pair.verdict} than with the textbook's values"
        if pair.verdict in ("better", "worse")
        else f"tuned {pair.section} is equivalent to it with the textbook's values"
        for pair in pairs
        if pair.verdict != "undetermined"
    ]
    if not told:
        return f"For no architecture can tuned and textbook be told apart. {end}"
    sentence = "; ".join(told)
    return f"{sentence[0].upper()}{sentence[1:]}. {end}"
