"""`rnnbench run`: from choices to tracked runs and a table."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from rnnbench.architectures import display_name
from rnnbench.compare.baseline import find_baselines, find_floor, fit_baselines
from rnnbench.compare.comparison import find_unlearned
from rnnbench.compare.environments import tell_mixed
from rnnbench.datasets import prepare_splits
from rnnbench.entries import LedgerEntry
from rnnbench.execution.process import measure_command
from rnnbench.formats import why_failed
from rnnbench.output.amounts import plural
from rnnbench.page.drawing import draw_loss_curve
from rnnbench.published.notes import SOURCE
from rnnbench.recorded_runs import RecordedRun
from rnnbench.reports.report import report_after_run
from rnnbench.run_options import RunChoices
from rnnbench.specs import Failed, Form, RunResult
from rnnbench.studies.plan import Plan, open_study, planned_sections
from rnnbench.studies.progress import StudyProgress
from rnnbench.studies.results import Results, title_of
from rnnbench.studies.screen import RunScreen
from rnnbench.studies.summary import (
    Row,
    find_outcome_of,
    give_advice,
    summarise,
    summarise_baselines,
)
from rnnbench.tracking.provenance import mlflow_status, tag_command
from rnnbench.tracking.publisher import DECLARATION_TAG
from rnnbench.tracking.store import find_store
from rnnbench.tracking.tracker import Tracker


def run_study(choices: RunChoices, view: RunScreen, root: Path) -> Results:
    """Plan, run, record and show a study in the folder `root`; what it found.

    Raises:
        RnnbenchError: bad input, or data or folder out of reach; never for a failing run.
    """
    with open_study(choices, view, root) as plan:
        view.show_plan(plan)
        with plan.ledger.locked(view.say_waiting):  # the only command at work in this folder
            plan = plan.named(view.say)
            if plan.fresh:
                for spec in plan.specs:
                    plan.ledger.archive(plan.study.name, spec)
            # The command that held the lock may have done some of the runs.
            return _carry_out(plan.refreshed(), choices, view)


def _carry_out(plan: Plan, choices: RunChoices, view: RunScreen) -> Results:
    began, cpu_began = time.time(), time.process_time()
    ledger, executor, name = plan.ledger, plan.workers.executor, plan.study.name
    ledger.declare(name, plan.study.declaration, planned_sections(plan.study, plan.specs))
    prepare_splits(task.spec for task in plan.tasks)
    entries = {
        spec.fingerprint: ledger.open_run(name, spec, adopt=not plan.fresh) for spec in plan.specs
    }
    store = find_store(ledger.folder.parent)
    tracker = Tracker(
        ledger, name, store, draw=draw_loss_curve, on_problem=view.warn, on_wait=view.say
    )
    if plan.tasks or tracker.has_unpublished(_best_entries(entries.values())):
        tracker.begin(
            f"{name} · {plural(len(plan.specs), 'run')} · {plan.dataset.name}",
            tag_command(name, plan.dataset.notice, ledger.made_by)
            | {DECLARATION_TAG: json.dumps(plan.study.declaration)},
            entries.values(),
        )
    interrupted, lost = False, dict[str, RunResult]()
    try:
        with view.watch(plan) as board:
            lost = _record_events(plan, entries, tracker, board)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        executor.close()  # the time of a worker is known once it has ended
        runs = [
            (spec, lost.get(spec.fingerprint) or entries[spec.fingerprint].result())
            for spec in plan.specs
        ]
        n_failed = sum(result is not None and result.status == "failed" for _, result in runs)
        tracker.end(
            mlflow_status(interrupted, n_failed),
            measure_command(began, cpu_began, executor.cpu_seconds),
            best=_best_entries(entries.values()),
            unfinished=[entry for entry in entries.values() if entry.result() is None],
        )
    deleted = tracker.deleted
    kept = [(spec, result) for spec, result in runs if spec.fingerprint not in deleted]
    if len(kept) < len(runs):
        view.say(f"left out, because deleted in MLflow: {plural(len(runs) - len(kept), 'run')}")
    recorded = [
        RecordedRun(study=name, spec=spec, result=result, folder=entries[spec.fingerprint].folder)
        for spec, result in kept
    ]
    results = _show_results(plan, recorded, view, choices.command, interrupted=interrupted)
    if choices.report and any(result is not None for _, result in kept):
        report_after_run(name, view, store)
    if interrupted:
        view.warn(f"interrupted; every whole epoch is kept. To go on: {choices.command}")
    return results


def _record_events(
    plan: Plan, entries: Mapping[str, LedgerEntry], tracker: Tracker, board: StudyProgress
) -> dict[str, RunResult]:
    """Work the tasks off; each event goes to the ledger first, then to tracker and screen.

    Returns:
        Results that the ledger could not take, because the disk is full, by fingerprint.
    """
    specs = {spec.fingerprint: spec for spec in plan.specs}
    executor = plan.workers.executor
    lost: dict[str, RunResult] = {}
    for event in executor.run(plan.tasks):
        entry = entries[event.fingerprint]
        try:
            plan.ledger.record(entry, event)
        except OSError as err:
            executor.stop(event.fingerprint)
            reason = f"the ledger could not be written: {why_failed(err)}"
            event = Failed(fingerprint=event.fingerprint, reason=reason, traceback=reason)
            lost[event.fingerprint] = RunResult(status="failed", epochs=0, reason=reason)
        tracker.notice(entry)
        board.observe(specs[event.fingerprint], event)
    return lost


def _show_results(
    plan: Plan, runs: Sequence[RecordedRun], view: RunScreen, command: str, *, interrupted: bool
) -> Results:
    """The table at the end, what it can decide, and what went wrong.

    Args:
        command: the words that repeat this one.
        interrupted: whether it was broken off: then the baselines are not worth a moment.
    """
    if not interrupted:
        fit_baselines([run.spec for run in runs], view.say)
    baselines = partial(find_baselines, fits=False)
    study = plan.study
    unlearned = find_unlearned(runs, find_floor, study.metric) or frozenset()
    rows = summarise(runs, vary_split=study.vary_split, unlearned=unlearned)
    outcome = find_outcome_of(plan, runs, baselines, command, unlearned=unlearned)
    results = Results(
        study=study.name,
        title=title_of(plan),
        notice=plan.dataset.notice,
        metric=study.metric,
        folder=plan.ledger.folder.parent,
        runs=tuple(runs),
        rows=(*rows, *summarise_baselines(rows, baselines)),
        sentences=(*give_advice(plan, rows, outcome).splitlines(), *_tell_source(rows)),
        interrupted=interrupted,
    )
    view.show_results(results)
    finished = (
        (display_name(run.spec.form), [run.result])
        for run in runs
        if run.result is not None and run.is_finished
    )
    if mixed := tell_mixed("", finished):
        view.warn(mixed)
    for run in runs:
        result = run.result
        if result is not None and result.reason:
            name = f"{display_name(run.spec.form)} seed {run.spec.seed}"
            view.warn(f"{name} {result.status}: {result.reason}")
    return results


def _tell_source(rows: Iterable[Row]) -> list[str]:
    """What the notes' columns are, where the table has them."""
    if not any(row.published for row in rows):
        return []
    return [
        f"{SOURCE}: one run of the study notes, each batch order frozen; "
        "they score the stacked model on the test half only."
    ]


def _best_entries(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """The entry with a model and the lowest validation loss of each form: never test."""
    best: dict[Form, tuple[float, LedgerEntry]] = {}
    for entry in entries:
        result = entry.result()
        has_model = (entry.folder / "best.keras").exists()  # one from elsewhere may have none
        if result is None or result.val_loss is None or not has_model:
            continue
        form = entry.spec().form
        if form not in best or result.val_loss < best[form][0]:
            best[form] = (result.val_loss, entry)
    return [entry for _, entry in best.values()]
