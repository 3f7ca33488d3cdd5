"""`rnnbench tune` at work: ask for trials, train them, tell what came out, until all is over."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from rnnbench.data.dataset import chance_loss
from rnnbench.data.tables import OwnChoices
from rnnbench.datasets import prepare_splits, resolve_dataset
from rnnbench.entries import LedgerEntry
from rnnbench.errors import StoreError
from rnnbench.execution.engines import open_executor, refuse_unfit
from rnnbench.execution.environment import processor_name
from rnnbench.execution.executor import Executor, Task
from rnnbench.execution.process import call_in_process, measure_command
from rnnbench.formats import why_failed
from rnnbench.ledger import Ledger
from rnnbench.named_networks import name_networks
from rnnbench.networks.inputs import tell_inputs
from rnnbench.options import ExecutorChoices
from rnnbench.output.amounts import plural
from rnnbench.page.drawing import draw_loss_curve
from rnnbench.racing.defaults import Racing, with_defaults
from rnnbench.specs import EpochEnded, Event, Failed, Finished, Pruned, RunSpec, Started
from rnnbench.tracking.provenance import made_by, mlflow_status, tag_command
from rnnbench.tracking.store import Store, find_store
from rnnbench.tracking.tracker import Tracker
from rnnbench.tuning.choices import TuneChoices
from rnnbench.tuning.figures import draw_searches
from rnnbench.tuning.plan import TUNING, Tuning, compose_base, refuse_impossible, refuse_overlap
from rnnbench.tuning.record import (
    TuneOutcome,
    TuningRecord,
    describe_search,
    describe_trial,
    read_records,
    write_record,
)
from rnnbench.tuning.round import Attempt, Round
from rnnbench.tuning.screen import TuningScreen
from rnnbench.tuning.search import Search, put_aside
from rnnbench.tuning.space import load_space
from rnnbench.tuning.storage import open_storage


def tune(choices: TuneChoices, view: TuningScreen, root: Path) -> TuneOutcome:
    """Search, record and show the best values of each architecture in the folder `root`.

    Raises:
        RnnbenchError: bad input, or data, storage or folder out of reach; never for a bad trial.
    """
    base = compose_base(choices)
    space = load_space(choices.space)
    refuse_impossible(base, space, choices.space)
    own = OwnChoices(**choices.own.reading())
    store = find_store(root)  # one that cannot be used is said before anything is trained
    refuse_overlap(choices.tuning_seeds, base.seeds, "the textbook study")
    runs = Ledger(root, on_problem=view.warn)
    base = name_networks(base, runs, view.say)
    report_seeds = {entry.spec().seed for entry in runs.entries()}
    refuse_overlap(choices.tuning_seeds, report_seeds, "runs of this folder")
    maker = made_by(choices.command, root)
    ledger = Ledger(root, "searches", made_by=maker, on_problem=view.warn)
    placing = ExecutorChoices(**asdict(choices.placing), engine="keras")
    opened = open_executor(placing, ledger.folder)
    with closing(opened.executor) as executor:
        start = partial(executor.start, len(opened.placement.gpus))
        dataset = resolve_dataset(base.dataset, view.downloaded, start, own)
        choices.racing.refuse_elsewhere(dataset.name)
        racing = Racing(
            workers=opened,
            ledger=ledger,
            limit_seconds=choices.racing.race,
            is_fresh=False,  # the trials start over; what they start from stays
            view=view,
        )
        tuning = Tuning(
            choices=choices,
            base=with_defaults(base, dataset, racing),
            space=space,
            dataset=dataset,
            placement=opened.placement,
        )
        tried = [spec for name in base.architectures for spec in tuning.specs(name, {})]
        problems = (*refuse_unfit(tried), *tell_inputs(spec.form for spec in tried))
        with ledger.locked(view.say_waiting):
            # What came in the meantime may have taken a name.
            tuning = replace(tuning, base=name_networks(tuning.base, runs, view.say))
            searches = _open_searches(tuning, ledger, root)
            view.show_search(tuning, searches)
            for sentence in (*problems, *_alike(tuning), *_foreign(searches)):
                view.warn(sentence)
            return Coordinator(tuning, searches, view, ledger, executor, store).carry_out()


class Coordinator:
    """Asks, trains, tells, until every search is over; the only one that writes."""

    def __init__(
        self,
        tuning: Tuning,
        searches: Sequence[Search],
        view: TuningScreen,
        ledger: Ledger,
        executor: Executor,
        store: Store,
    ) -> None:
        self._tuning = tuning
        self._searches = searches
        self._view = view
        self._ledger = ledger
        self._executor = executor
        self._store = store
        self._entries: dict[str, LedgerEntry] = {}
        self._environment: dict[str, str] = {}
        self._training_seconds = 0.0
        self._hardware = self._find_hardware()
        (first, *_) = searches[0].specs({})
        prepare_splits([first])
        self._chance_loss = chance_loss(
            first.data, is_balanced=first.recipe.class_weight == "balanced"
        )
        self._tracker = Tracker(
            ledger, TUNING, store, draw=draw_loss_curve, on_problem=view.warn, on_wait=view.say
        )

    def carry_out(self) -> TuneOutcome:
        """Work the searches off; what they found."""
        began, cpu_began = time.time(), time.process_time()
        interrupted = False
        self._record_all()  # what an earlier search had found counts no longer, if this is another
        self._begin_tracking()
        try:
            self._view.begin_trials()
            self._work()
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self._executor.close()
            outcome = TuneOutcome(records=tuple(self._record_all()), interrupted=interrupted)
            self._describe_searches(outcome)
            self._tracker.end(
                mlflow_status(interrupted, outcome.n_failed),
                measure_command(began, cpu_began, self._executor.cpu_seconds)
                | {"training_seconds": self._training_seconds},
                unfinished=[e for e in self._entries.values() if e.result() is None],
            )
        self._view.show_winners(outcome, self._tuning)
        return outcome

    def _begin_tracking(self) -> None:
        dataset = self._tuning.dataset
        words = ", ".join(search.architecture for search in self._searches)
        tags = tag_command(TUNING, dataset.notice, self._ledger.made_by)
        self._tracker.begin(f"{TUNING} · {words} · {dataset.name}", tags, [])
        for search in self._searches:
            for trial in search.trials:  # a lost command may not have published them
                self._tracker.notice_group(describe_trial(search, trial))

    def _describe_searches(self, outcome: TuneOutcome) -> None:
        figures = call_in_process(draw_searches, outcome.records, self._tuning.space)
        for search, record, drawn in zip(self._searches, outcome.records, figures, strict=True):
            group = describe_search(search, record, drawn, outcome.interrupted)
            self._tracker.notice_group(group)

    def _work(self) -> None:
        while attempts := self._ask():
            round_ = Round(attempts, paid=self._trained_before())
            tasks = self._resume(round_)
            self._show_ended(round_, attempts)
            began = time.monotonic()
            self._train(round_, tasks)
            self._training_seconds += time.monotonic() - began
            for attempt, trial in round_.outcomes():
                attempt.search.tell(trial)
                self._tracker.notice_group(describe_trial(attempt.search, trial))
            self._record_all()

    def _ask(self) -> list[Attempt]:
        """The next batch of every search that is not over, trained side by side."""
        attempts = [
            Attempt(search=search, trial=trial, specs=search.specs(trial.params))
            for search in self._searches
            for trial in search.next_batch()
        ]
        prepare_splits(spec for attempt in attempts for spec in attempt.specs)
        return attempts

    def _trained_before(self) -> set[str]:
        """Fingerprints of the runs of all trials that are over: what they cost is counted there."""
        return {
            spec.fingerprint
            for search in self._searches
            for trial in search.trials
            for spec in search.specs(trial.params)
        }

    def _resume(self, round_: Round) -> list[Task]:
        """What the ledger has of the round's runs is taken over; the rest is to be trained."""
        for spec in round_.specs:
            entry = self._ledger.find(TUNING, spec)
            if entry is None:
                continue
            for row in entry.history():
                self._give_up(round_, round_.observe_epoch(spec.fingerprint, row))
            result = entry.result()
            is_pruned = result is not None and result.status == "pruned"
            if is_pruned and round_.is_wanted(spec.fingerprint):  # given up for another trial
                self._ledger.archive(TUNING, spec)
                round_.forget(spec.fingerprint)
                continue
            entry = self._open(round_, spec)  # a run that failed loses its result here
            result = entry.result()
            if result is not None and not is_pruned:
                self._give_up(round_, round_.observe_result(spec.fingerprint, result))
        unwanted = [s.fingerprint for s in round_.specs if not round_.is_wanted(s.fingerprint)]
        self._give_up(round_, unwanted)  # those that a lost command had begun, too
        wanted = [spec for spec in round_.specs if round_.is_wanted(spec.fingerprint)]
        begun = [self._entries.get(spec.fingerprint) for spec in wanted]
        return [
            Task(spec=spec, state=entry.state() if entry else None)
            for spec, entry in zip(wanted, begun, strict=True)
        ]

    def _train(self, round_: Round, tasks: Sequence[Task]) -> None:
        """Work the tasks off; each event goes to the ledger first."""
        specs = {task.spec.fingerprint: task.spec for task in tasks}
        for event in self._executor.run(tasks):
            spec = specs[event.fingerprint]
            if isinstance(event, Started):
                self._environment = dict(event.environment)
            entry = self._open(round_, spec)
            self._write(entry, event)
            attempts = round_.holders[spec.fingerprint]
            if isinstance(event, EpochEnded):
                for attempt in attempts:
                    self._view.show_epoch(attempt, spec, event.row)
                self._give_up(round_, round_.observe_epoch(spec.fingerprint, event.row))
            elif isinstance(event, Finished | Failed):
                result = entry.result()
                assert result is not None
                self._give_up(round_, round_.observe_result(spec.fingerprint, result))
            self._show_ended(round_, attempts)

    def _show_ended(self, round_: Round, attempts: Sequence[Attempt]) -> None:
        """Show each trial once, when it is over."""
        for attempt in attempts:
            if round_.is_over(attempt) and not attempt.is_shown:
                attempt.is_shown = True
                self._view.show_trial(attempt.search, round_.outcome(attempt))

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
            attempt = round_.holders[spec.fingerprint][0]
            chain = attempt.search.chain(attempt.trial.number)
            entry = self._ledger.open_run(TUNING, spec, parents=chain)
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
        tuning = self._tuning
        records = [
            TuningRecord(
                tuning=TUNING,
                architecture=search.architecture,
                dataset=tuning.dataset.name,
                fingerprint=tuning.dataset.fingerprint,
                declaration=tuning.declaration(search.architecture),
                seeds=tuning.choices.tuning_seeds,
                n_trials=max(search.n_trials, len(search.trials)),
                trials=tuple(search.trials),
                hardware=self._hardware[search.architecture],
                command=tuning.choices.command,
                chance_loss=self._chance_loss,
            )
            for search in self._searches
        ]
        try:
            for record in records:
                write_record(self._ledger.folder, record)
        except OSError as err:
            self._view.warn(_cannot_write(err))
        return records

    def _find_hardware(self) -> Mapping[str, str]:
        """By architecture this machine, beside those that earlier trials were trained on."""
        here = f"{self._tuning.placement.device} ({processor_name()})"
        fingerprint = self._tuning.dataset.fingerprint
        known = read_records(self._ledger.folder, fingerprint, self._view.warn)
        found = {}
        for search in self._searches:
            record = known.get(search.architecture) if search.trials else None
            machines = record.hardware.split("; ") if record and record.hardware else []
            found[search.architecture] = "; ".join(dict.fromkeys([*machines, here]))
        return found


def _cannot_write(err: OSError) -> str:
    return (
        f"the ledger could not be written ({why_failed(err)}); nothing that was kept is lost, "
        "and the same command goes on once there is room"
    )


def _open_searches(tuning: Tuning, ledger: Ledger, root: Path) -> list[Search]:
    """One for each architecture; with `--fresh` the old trials are put aside first."""
    storage = open_storage(tuning.choices.storage, root)
    names = {name: tuning.search_name(name) for name in tuning.base.architectures}
    if tuning.choices.fresh:
        _archive_runs(ledger, set(names.values()))
        for name in names.values():
            put_aside(storage, name)
    return [Search(tuning, architecture, storage) for architecture in names]


def _alike(tuning: Tuning) -> list[str]:
    """Sentences on architectures that differ in nothing but what the space tunes."""
    found: dict[str, list[str]] = {}
    for name in tuning.base.architectures:
        found.setdefault(str(tuning.declaration(name)["architecture"]), []).append(name)
    return [
        f"{' and '.join(names)} differ in nothing but what this space tunes: they are one search "
        "made twice, and a difference between their winners is luck"
        for names in found.values()
        if len(names) > 1
    ]


def _foreign(searches: Sequence[Search]) -> list[str]:
    """Sentences on trials that others put into our studies."""
    return [
        f"{search.place}: another program added {plural(search.n_foreign, 'trial')} to "
        f"'{search.name}'; left alone, not counted"
        for search in searches
        if search.n_foreign
    ]


def _archive_runs(ledger: Ledger, searches: set[str]) -> None:
    for entry in filter(ledger.is_sound, ledger.entries(TUNING)):
        parents = entry.parents()
        if parents and parents[0].key.rpartition(" ")[0] in searches:
            ledger.archive(TUNING, entry.spec())
