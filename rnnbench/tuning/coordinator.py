"""A search at work: ask for trials, train them, tell what came out, until every search is over."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rnnbench.data.dataset import chance_loss
from rnnbench.datasets import DatasetRef, prepare_splits
from rnnbench.errors import StoreError
from rnnbench.execution.devices import Placement
from rnnbench.execution.environment import processor_name
from rnnbench.execution.executor import Executor, Task
from rnnbench.execution.process import call_in_process, peak_mib
from rnnbench.ledger import Ledger, LedgerEntry
from rnnbench.page.curves import draw_loss_curve
from rnnbench.page.screen import Screen
from rnnbench.specs import EpochEnded, Event, Failed, Finished, Pruned, RunSpec, Started
from rnnbench.tracking.provenance import mlflow_status, tag_command
from rnnbench.tracking.store import find_store
from rnnbench.tracking.tracker import Tracker
from rnnbench.tuning.command import TuneChoices
from rnnbench.tuning.groups import (
    describe_search,
    describe_trial,
    draw_searches,
    search_chain,
)
from rnnbench.tuning.plan import Tuning
from rnnbench.tuning.record import TuningRecord, read_records, write_record
from rnnbench.tuning.rounds import Attempt, Round
from rnnbench.tuning.search import Search
from rnnbench.tuning.space import Params
from rnnbench.tuning.trials import Trial, find_winner

if TYPE_CHECKING:
    from pathlib import Path

    from rnnbench.tuning.screen import TuningScreen


__all__ = ["Coordinator", "SearchPlan", "TrialBoard", "TuneOutcome"]


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """What a command is about to search."""

    tuning: Tuning
    dataset: DatasetRef
    placement: Placement
    searches: Mapping[str, Search]
    storage: str


class TrialBoard(Protocol):
    """Shows trials while they are trained."""

    def observe(self, attempt: Attempt, spec: RunSpec, event: Event) -> None:
        """Something happened in a run of the trial."""
        ...

    def tell(self, architecture: str, trial: Trial, best: Trial | None) -> None:
        """A trial is over; `best` is the best of those before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOutcome:
    """How a command ended."""

    records: tuple[TuningRecord, ...] = ()
    n_failed: int = 0
    interrupted: bool = False

    @property
    def has_all_winners(self) -> bool:
        """Whether each search that is over found something."""
        return all(record.winner is not None for record in self.records if record.is_over)


class Coordinator:
    """Asks, trains, tells, until every search is over; the only one that writes."""

    def __init__(
        self,
        plan: SearchPlan,
        choices: TuneChoices,
        view: TuningScreen,
        ledger: Ledger,
        executor: Executor,
        root: Path,
    ) -> None:
        self._plan = plan
        self._choices = choices
        self._view = view
        self._ledger = ledger
        self._executor = executor
        self._root = root
        self._name = plan.tuning.name
        self._entries: dict[str, LedgerEntry] = {}
        self._environment: dict[str, str] = {}
        self._training_seconds = 0.0
        self._hardware = _find_hardware(plan, ledger, view)
        self._chance_loss = _find_chance_loss(plan)
        self._tracker = Tracker(
            ledger,
            self._name,
            find_store(root),
            draw=draw_loss_curve,
            on_problem=view.warn,
            on_wait=view.say,
        )

    def carry_out(self) -> TuneOutcome:
        """Work the searches off; what they found."""
        began, cpu_began = time.time(), time.process_time()
        interrupted = False
        self._record_all()  # what an earlier search had found counts no longer, if this is another
        self._begin_tracking()
        try:
            with self._view.watch_trials(self._plan) as board:
                self._work(board)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self._executor.close()
            records = self._record_all()
            n_failed = sum(t.state == "failed" for record in records for t in record.trials)
            figures = call_in_process(draw_searches, records, self._plan.tuning.space)
            for record, drawn in zip(records, figures, strict=True):
                self._tracker.notice_group(
                    describe_search(
                        self._plan.searches[record.architecture], record, drawn, interrupted
                    )
                )
            self._tracker.end(
                mlflow_status(interrupted, n_failed),
                {
                    "wall_seconds": time.time() - began,
                    "training_seconds": self._training_seconds,
                    "parent_cpu_seconds": time.process_time() - cpu_began,
                    "workers_cpu_seconds": self._executor.cpu_seconds,
                    "parent_peak_mib": peak_mib(children=False),
                    "largest_worker_peak_mib": peak_mib(children=True),
                },
                unfinished=[e for e in self._entries.values() if e.result() is None],
            )
        self._view.show_winners(records, self._plan)
        if interrupted:
            self._view.warn(
                f"interrupted; every whole epoch is kept. To go on: {self._choices.command}"
            )
        return TuneOutcome(records=tuple(records), n_failed=n_failed, interrupted=interrupted)

    def _begin_tracking(self) -> None:
        plan = self._plan
        words = ", ".join(plan.searches)
        tags = tag_command(self._name, plan.dataset.notice, self._choices.command, self._root)
        self._tracker.begin(f"{self._name} · {words} · {plan.dataset.name}", tags, [])
        for search in plan.searches.values():
            for trial in search.trials:  # a lost command may not have published them
                self._tracker.notice_group(describe_trial(search, trial))

    def _work(self, board: TrialBoard) -> None:
        while attempts := self._ask():
            round_ = Round(attempts, paid=self._trained_before())
            tasks = self._resume(round_)
            self._show_ended(round_, attempts, board)
            began = time.monotonic()
            self._train(round_, tasks, board)
            self._training_seconds += time.monotonic() - began
            for attempt, trial in round_.outcomes():
                attempt.search.tell(trial)
                self._tracker.notice_group(describe_trial(attempt.search, trial))
            self._record_all()

    def _ask(self) -> list[Attempt]:
        """The next batch of every search that is not over, trained side by side."""
        attempts = [
            Attempt(
                architecture=architecture,
                search=search,
                proposal=proposal,
                specs=self._specs(architecture, proposal.params),
            )
            for architecture, search in self._plan.searches.items()
            for proposal in search.next_batch()
        ]
        prepare_splits(spec for attempt in attempts for spec in attempt.specs)
        return attempts

    def _trained_before(self) -> set[str]:
        """Fingerprints of the runs of all trials that are over: what they cost is counted there."""
        return {
            spec.fingerprint
            for architecture, search in self._plan.searches.items()
            for trial in search.trials
            for spec in self._specs(architecture, trial.params)
        }

    def _specs(self, architecture: str, params: Params) -> tuple[RunSpec, ...]:
        plan = self._plan
        return plan.tuning.specs(architecture, params, plan.dataset, plan.placement.backend)

    def _resume(self, round_: Round) -> list[Task]:
        """What the ledger has of the round's runs is taken over; the rest is to be trained."""
        for spec in round_.specs:
            entry = self._ledger.find(self._name, spec)
            if entry is None:
                continue
            for row in entry.history():
                self._give_up(round_, round_.observe_epoch(spec.fingerprint, row))
            result = entry.result()
            is_pruned = result is not None and result.status == "pruned"
            if is_pruned and round_.is_wanted(spec.fingerprint):  # given up for another trial
                self._ledger.archive(self._name, spec)
                round_.forget(spec.fingerprint)
                continue
            entry = self._open(round_, spec)  # a run that failed loses its result here
            result = entry.result()
            if result is not None and not is_pruned:
                self._give_up(round_, round_.observe_result(spec.fingerprint, result))
        unwanted = [s.fingerprint for s in round_.specs if not round_.is_wanted(s.fingerprint)]
        self._give_up(round_, unwanted)  # those that a lost command had begun, too
        wanted = [spec for spec in round_.specs if round_.is_wanted(spec.fingerprint)]
        return [Task(spec=spec, state=self._state(spec)) for spec in wanted]

    def _state(self, spec: RunSpec) -> bytes | None:
        """What the run goes on from; None if it is to begin."""
        entry = self._entries.get(spec.fingerprint)
        return entry.state() if entry is not None else None

    def _train(self, round_: Round, tasks: Sequence[Task], board: TrialBoard) -> None:
        """Work the tasks off; each event goes to the ledger first."""
        specs = {task.spec.fingerprint: task.spec for task in tasks}
        for event in self._executor.run(tasks):
            spec = specs[event.fingerprint]
            if isinstance(event, Started):
                self._environment = dict(event.environment)
            entry = self._open(round_, spec)
            self._write(entry, event)
            for attempt in round_.holders(spec.fingerprint):
                board.observe(attempt, spec, event)
            given_up: list[str] = []
            if isinstance(event, EpochEnded):
                given_up = round_.observe_epoch(spec.fingerprint, event.row)
            elif isinstance(event, Finished | Failed):
                result = entry.result()
                assert result is not None
                given_up = round_.observe_result(spec.fingerprint, result)
            self._give_up(round_, given_up)
            self._show_ended(round_, round_.holders(spec.fingerprint), board)

    def _show_ended(self, round_: Round, attempts: Sequence[Attempt], board: TrialBoard) -> None:
        """Show each trial once, when it is over."""
        for attempt in attempts:
            if round_.is_over(attempt) and not attempt.is_shown:
                attempt.is_shown = True
                trial = round_.outcome(attempt)
                board.tell(attempt.architecture, trial, find_winner(attempt.search.trials))

    def _give_up(self, round_: Round, fingerprints: Sequence[str]) -> None:
        """Stop runs that nobody waits for; those that had begun are recorded as pruned."""
        for fingerprint in fingerprints:
            self._executor.stop(fingerprint)
            entry = self._entries.get(fingerprint)
            if entry is not None and entry.result() is None:
                event = Pruned(
                    fingerprint=fingerprint,
                    reason=round_.reason(fingerprint),
                    environment=self._environment,
                )
                self._write(entry, event)

    def _open(self, round_: Round, spec: RunSpec) -> LedgerEntry:
        if spec.fingerprint not in self._entries:
            attempt = round_.holders(spec.fingerprint)[0]
            chain = search_chain(attempt.search, attempt.proposal.number)
            entry = self._ledger.open_run(self._name, spec, parents=chain)
            self._entries[spec.fingerprint] = entry
            self._tracker.notice(entry)
        return self._entries[spec.fingerprint]

    def _write(self, entry: LedgerEntry, event: Event) -> None:
        try:
            self._ledger.record(entry, event)
        except OSError as err:
            raise StoreError(_cannot_write(err)) from err
        self._tracker.notice(entry)

    def _record_all(self) -> list[TuningRecord]:
        records = [self._record(architecture) for architecture in self._plan.searches]
        try:
            for record in records:
                write_record(self._ledger.folder, record)
        except OSError as err:
            self._view.warn(_cannot_write(err))
        return records

    def _record(self, architecture: str) -> TuningRecord:
        plan, search = self._plan, self._plan.searches[architecture]
        return TuningRecord(
            tuning=self._name,
            architecture=architecture,
            dataset=plan.dataset.name,
            fingerprint=plan.dataset.fingerprint,
            declaration=plan.tuning.declaration(architecture, plan.dataset, plan.placement.backend),
            seeds=plan.tuning.seeds,
            n_trials=max(search.n_trials, len(search.trials)),
            trials=tuple(search.trials),
            hardware=self._hardware[architecture],
            command=self._choices.command,
            chance_loss=self._chance_loss,
        )


def _find_chance_loss(plan: SearchPlan) -> float:
    """What a model that looks at no text would have on the validation part."""
    first = plan.tuning.base.architectures[0]
    spec = plan.tuning.specs(first, {}, plan.dataset, plan.placement.backend)[0]
    prepare_splits([spec])
    return chance_loss(spec.data)


def _find_hardware(plan: SearchPlan, ledger: Ledger, view: Screen) -> dict[str, str]:
    """By architecture this machine, beside those that earlier trials were trained on."""
    here = f"{plan.placement.device} ({processor_name()})"
    known = read_records(ledger.folder, plan.tuning.name, plan.dataset.fingerprint, view.warn)
    found = {}
    for architecture, search in plan.searches.items():
        before = known[architecture].hardware if search.trials and architecture in known else ""
        machines = [machine for machine in before.split("; ") if machine]
        found[architecture] = "; ".join(dict.fromkeys([*machines, here]))
    return found


def _cannot_write(err: OSError) -> str:
    return (
        f"the ledger could not be written ({err.strerror or err}); nothing that was kept is lost, "
        "and the same command goes on once there is room"
    )
