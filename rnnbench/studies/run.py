"""`rnnbench run`: from choices to tracked runs and a table."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rnnbench.architectures import display_name
from rnnbench.compare.environments import tell_mixed
from rnnbench.data.cache import open_corpus
from rnnbench.datasets import (
    DatasetRef,
    OwnChoices,
    prepare_splits,
    resolve_dataset,
)
from rnnbench.errors import UsageError
from rnnbench.execution.devices import Placement
from rnnbench.execution.engines import (
    EngineChoice,
    leave_out_unfit,
    open_executor,
    refuse_unfit,
)
from rnnbench.execution.executor import Executor
from rnnbench.execution.process import peak_mib
from rnnbench.ledger import Ledger, LedgerEntry
from rnnbench.output.amounts import plural
from rnnbench.page.curves import draw_loss_curve
from rnnbench.reports.report import report_after_run
from rnnbench.specs import SPLIT_KEYS, Event, Failed, PluginForm, RunResult, RunSpec
from rnnbench.studies.advice import give_advice
from rnnbench.studies.command import RunChoices, StudyChoices
from rnnbench.studies.compose import HYPERPARAMETERS, RECIPE, chosen_values, compose_study
from rnnbench.studies.plan import Plan, make_plan
from rnnbench.studies.progress import Board
from rnnbench.studies.screen import RunScreen
from rnnbench.studies.summary import Row, summarise
from rnnbench.study import Study, expand_study
from rnnbench.tracking.provenance import mlflow_status, tag_command
from rnnbench.tracking.publisher import DECLARATION_TAG
from rnnbench.tracking.store import find_store
from rnnbench.tracking.tracker import Tracker
from rnnbench.tuning.winners import (
    recipe_differences,
    refuse_untuned,
    tell_differences,
    with_winners,
)

__all__ = ["RunOutcome", "open_study", "run_study"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How a command ended."""

    rows: tuple[Row, ...] = ()
    n_failed: int = 0
    interrupted: bool = False


def run_study(choices: RunChoices, view: RunScreen, root: Path) -> RunOutcome:
    """Plan, run, record and show a study in the folder `root`.

    Raises:
        RnnbenchError: bad input, or data or folder out of reach; never for a failing run.
    """
    with open_study(choices, view, root) as (plan, executor, ledger):
        view.show_plan(plan)
        return _carry_out_alone(plan, choices, view, ledger, executor)


@contextmanager
def open_study(
    choices: StudyChoices, view: RunScreen, root: Path
) -> Iterator[tuple[Plan, Executor, Ledger]]:
    """What is left to do of a study, and the executor and ledger to do it with; writes no run.

    Raises:
        RnnbenchError: bad input, or data or folder out of reach.
    """
    study = compose_study(choices)
    own = OwnChoices.of(study.own)
    find_store(root)  # a store that cannot be used is said before anything is trained
    ledger = Ledger(root, on_problem=view.warn)
    if choices.tuned:
        refuse_untuned(ledger.folder, study)
    opened = open_executor(choices.placing, ledger.folder)
    executor, placement, engine = opened.executor, opened.placement, opened.engine
    with closing(executor):
        if opened.where:
            view.say(f"executor  {opened.where}")
        n_runs = len(expand_study(study, dataset="", fingerprint="", backend=placement.backend))
        start = partial(executor.start, n_runs)
        dataset = resolve_dataset(study.dataset, view.downloaded, start, own)
        if choices.tuned:
            given = chosen_values(choices, (*RECIPE, *HYPERPARAMETERS))
            study = with_winners(study, ledger.folder, dataset, given, view.warn)
            differences = recipe_differences(study, ledger.folder, dataset, placement.backend)
            for sentence in differences:
                view.warn(sentence)
            study = tell_differences(study, differences)
        specs = _expand(study, dataset, placement, engine)
        plugins = [spec for spec in specs if isinstance(spec.form, PluginForm)]
        refuse_unfit(spec for spec in plugins if choices.fresh or _is_left(spec, study, ledger))
        specs, reasons = leave_out_unfit(specs)
        for reason in reasons:
            view.warn(f"JAX cannot vectorise a network, so the engine keras trains it: {reason}")
        plan = _plan(study, specs, dataset, placement, engine, ledger, fresh=choices.fresh)
        yield plan, executor, ledger


def _carry_out_alone(
    plan: Plan, choices: RunChoices, view: RunScreen, ledger: Ledger, executor: Executor
) -> RunOutcome:
    """Work the plan off as the only command in this folder."""
    with ledger.locked(view.say_waiting):
        if choices.fresh:
            for spec in plan.specs:
                ledger.archive(plan.study.name, spec)
        # The command that held the lock may have done some of the runs.
        plan = _plan(
            plan.study,
            plan.specs,
            plan.dataset,
            plan.placement,
            plan.engine,
            ledger,
            fresh=choices.fresh,
        )
        return _carry_out(plan, choices, view, ledger, executor)


def _expand(
    study: Study, dataset: DatasetRef, placement: Placement, engine: EngineChoice
) -> list[RunSpec]:
    """Every run of the study.

    Raises:
        UsageError: splits are to vary, and the data has its own.
    """
    idle = [name for name in SPLIT_KEYS if name in study.data]
    idle += ["vary_split"] if study.vary_split else []
    if idle and open_corpus(dataset.fingerprint).n_validation is not None:
        raise UsageError(
            f"{dataset.name} is split when it is read, so that {' and '.join(idle)} of a study "
            "would mean nothing; leave that out, and say --split-seed or --test-fraction"
        )
    return expand_study(
        study,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        backend=placement.backend,
        engine=engine.engine,
        n_classes=len(dataset.classes),
    )


def _is_left(spec: RunSpec, study: Study, ledger: Ledger) -> bool:
    entry = ledger.find(study.name, spec)
    return entry is None or not entry.is_over


def _plan(
    study: Study,
    specs: Sequence[RunSpec],
    dataset: DatasetRef,
    placement: Placement,
    engine: EngineChoice,
    ledger: Ledger,
    *,
    fresh: bool,
) -> Plan:
    n_train = open_corpus(dataset.fingerprint).train.n_reviews
    return make_plan(
        study,
        specs,
        dataset=dataset,
        placement=placement,
        engine=engine,
        ledger=ledger,
        n_train=n_train,
        fresh=fresh,
    )


def _carry_out(
    plan: Plan, choices: RunChoices, view: RunScreen, ledger: Ledger, executor: Executor
) -> RunOutcome:
    root = ledger.folder.parent
    began, cpu_began = time.time(), time.process_time()
    ledger.declare(plan.study.name, plan.study.declaration)
    prepare_splits(task.spec for task in plan.tasks)
    entries = {
        spec.fingerprint: ledger.open_run(plan.study.name, spec, adopt=not choices.fresh)
        for spec in plan.specs
    }
    store = find_store(root)
    tracker = Tracker(
        ledger, plan.study.name, store, draw=draw_loss_curve, on_problem=view.warn, on_wait=view.say
    )
    if plan.tasks or tracker.owes(_best_entries(entries.values())):
        tracker.begin(
            f"{plan.study.name} · {plural(len(plan.specs), 'run')} · {plan.dataset.name}",
            _describe_command(plan, choices.command, root),
            entries.values(),
        )
    interrupted, lost = False, dict[str, RunResult]()
    try:
        with view.watch(plan) as board:
            lost = _record_events(plan, executor, ledger, entries, tracker, board)
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
            {
                "wall_seconds": time.time() - began,
                "parent_cpu_seconds": time.process_time() - cpu_began,
                "workers_cpu_seconds": executor.cpu_seconds,
                "parent_peak_mib": peak_mib(children=False),
                "largest_worker_peak_mib": peak_mib(children=True),
            },
            best=_best_entries(entries.values()),
            unfinished=[entry for entry in entries.values() if entry.result() is None],
        )
    kept = [(spec, result) for spec, result in runs if spec.fingerprint not in tracker.deleted]
    if len(kept) < len(runs):
        left_out = plural(len(runs) - len(kept), "run")
        view.say(f"left out, because deleted in MLflow: {left_out}")
    runs = kept
    rows = summarise(runs, vary_split=plan.study.vary_split)
    view.show_summary(rows, plan, give_advice(plan, rows))
    if mixed := tell_mixed("", _finished_by_name(runs)):
        view.warn(mixed)
    for spec, result in runs:
        if result is not None and result.reason:
            view.warn(
                f"{display_name(spec.form)} seed {spec.seed} {result.status}: {result.reason}"
            )
    if choices.report and any(result is not None for _, result in runs):
        report_after_run(plan.study.name, view, store)
    if interrupted:
        view.warn(f"interrupted; every whole epoch is kept. To go on: {choices.command}")
    return RunOutcome(rows=tuple(rows), n_failed=n_failed, interrupted=interrupted)


def _describe_command(plan: Plan, command: str, root: Path) -> dict[str, str]:
    """Tags of the command's run, and of every run that it makes."""
    declared = {DECLARATION_TAG: json.dumps(plan.study.declaration)}
    return tag_command(plan.study.name, plan.dataset.notice, command, root) | declared


def _finished_by_name(
    runs: Iterable[tuple[RunSpec, RunResult | None]],
) -> Iterator[tuple[str, list[RunResult]]]:
    for spec, result in runs:
        if result is not None and result.status == "finished":
            yield display_name(spec.form), [result]


def _record_events(
    plan: Plan,
    executor: Executor,
    ledger: Ledger,
    entries: Mapping[str, LedgerEntry],
    tracker: Tracker,
    board: Board,
) -> dict[str, RunResult]:
    """Work the tasks off; each event goes to the ledger first, then to tracker and screen.

    Returns:
        Results that the ledger could not take, because the disk is full, by fingerprint.
    """
    specs = {spec.fingerprint: spec for spec in plan.specs}
    lost: dict[str, RunResult] = {}
    for event in executor.run(plan.tasks):
        entry = entries[event.fingerprint]
        try:
            ledger.record(entry, event)
        except OSError as err:
            executor.stop(event.fingerprint)
            event = _not_recorded(event, err)
            lost[event.fingerprint] = RunResult(status="failed", epochs=0, reason=event.reason)
        tracker.notice(entry)
        board.observe(specs[event.fingerprint], event)
    return lost


def _not_recorded(event: Event, err: OSError) -> Failed:
    reason = f"the ledger could not be written: {err.strerror or err}"
    return Failed(fingerprint=event.fingerprint, reason=reason, traceback=reason)


def _best_entries(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """The entry with the lowest validation loss of each form: validation, never test."""
    best: dict[str, tuple[float, LedgerEntry]] = {}
    for entry in entries:
        result = entry.result()
        if result is None or result.val_loss is None:
            continue
        name = display_name(entry.spec().form)
        if name not in best or result.val_loss < best[name][0]:
            best[name] = (result.val_loss, entry)
    return [entry for _, entry in best.values()]
