"""What a command is about to run, and how long that may take."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from rnnbench.architectures import display_name
from rnnbench.compare.sections import Section, divide_runs
from rnnbench.compare.standing import looks_that_count
from rnnbench.data.cache import open_corpus
from rnnbench.data.tables import OwnChoices
from rnnbench.datasets import DatasetRef, resolve_dataset
from rnnbench.entries import LedgerEntry
from rnnbench.errors import StoreError, UsageError
from rnnbench.execution.engines import Workers, move_unfit_to_keras, open_executor, refuse_unfit
from rnnbench.execution.executor import Task
from rnnbench.ledger import Ledger
from rnnbench.looks import Look, earlier_looks, rule_of
from rnnbench.named_networks import name_networks, name_runs
from rnnbench.networks.inputs import tell_inputs
from rnnbench.page.screen import Screen
from rnnbench.racing.defaults import Racing, with_defaults
from rnnbench.recorded_runs import RecordedRun, read_runs
from rnnbench.run_options import RunChoices
from rnnbench.specs import (
    SPLIT_KEYS,
    CanonicalForm,
    DataSpec,
    PluginForm,
    Recipe,
    RunResult,
    RunSpec,
)
from rnnbench.studies.compose import HYPERPARAMETERS, RECIPE, chosen_values, compose_study
from rnnbench.study import Study, expand_study
from rnnbench.tracking.provenance import made_by
from rnnbench.tracking.store import find_store
from rnnbench.tuning.tuned import scores_compared
from rnnbench.tuning.winners import refuse_untuned, with_winners

KnownResults = Mapping[str, Mapping[int, RunResult]]
"""Finished runs by what they share (`run_kind`), then by seed."""

# Seconds an epoch of 20,000 reviews x 100 tokens through one layer of 8 units takes on one core of
# an AMD EPYC, with JAX (benchmarks/results/epoch.json). Only the first estimate rests on it.
LAYER_SECONDS = 1.09
TYPICAL_EPOCHS = 42
# Epochs until the early stop at the default learning rate, and the power of the rate by which they
# change: means of ten seeds (docs/results/textbook/runs.csv); at the tuned rates, 50 to 190 times
# higher, powers of -0.27 to -0.35 (docs/results/tuned/runs.csv).
EPOCHS_OF = {"lstm": 42, "lstm-dropout": 45, "lstm-stacked": 43, "gru": 38, "simple-rnn": 29}
RATE_POWER = -0.3
WORKER_START_SECONDS = 8.0
REFERENCE_TOKENS = 20_000 * 100


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The runs of a command, which of them are left to do, and what does them and keeps them.

    Args:
        n_train: reviews of the training half, validation included.
        fresh: whatever the ledger has, every run is made anew.
        known: what this folder has finished of the same networks, recipe and data.
        pilot: how many epochs runs take to their early stop, as tried just now, by `run_kind`.
    """

    study: Study
    specs: tuple[RunSpec, ...]
    dataset: DatasetRef
    workers: Workers
    ledger: Ledger
    n_train: int
    fresh: bool = False
    tasks: tuple[Task, ...] = ()
    known: KnownResults = field(default_factory=dict)
    pilot: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_done(self) -> int:
        """Runs that are over already."""
        return len(self.specs) - len(self.tasks)

    @property
    def n_resumed(self) -> int:
        """Runs that go on from an epoch."""
        return sum(task.state is not None for task in self.tasks)

    @property
    def is_guess(self) -> bool:
        """Whether `expected_seconds` rests on early stops of other data or another order."""
        return any(
            run_kind(task.spec) not in self.known and is_unlike_textbook(task.spec)
            for task in self.tasks
        )

    @property
    def is_timed(self) -> bool:
        """Whether runs of each kind that is left were timed on this machine."""
        kinds = {run_kind(task.spec) for task in self.tasks}
        return all(
            any(not result.imported_from for result in self.known.get(kind, {}).values())
            for kind in kinds
        )

    @property
    def most_workers(self) -> int:
        """Workers that there can be."""
        return len(self.workers.placement.gpus)

    @property
    def n_workers(self) -> int:
        """Workers that will be started."""
        return min(self.most_workers, len(self.tasks))

    @cached_property
    def expected_seconds(self) -> float:
        """Estimated wall-clock time of what is left."""
        if not self.tasks:
            return 0.0
        work = sum(task.expected_seconds for task in self.tasks)
        longest = max(task.expected_seconds for task in self.tasks)
        return WORKER_START_SECONDS + max(work / self.n_workers, longest)

    def without(self, shapes: Container[str]) -> Plan:
        """The plan without the runs of some shapes."""
        return replace(
            self,
            specs=tuple(spec for spec in self.specs if spec.shape not in shapes),
            tasks=tuple(task for task in self.tasks if task.spec.shape not in shapes),
        )

    def named(self, say: Callable[[str], object]) -> Plan:
        """The plan with its networks called as the ledger has them by now.

        The ledger must be locked: else another command can take the name meanwhile. `refreshed`
        makes the tasks.
        """
        study = name_networks(self.study, self.ledger, say)
        return replace(self, study=study, specs=name_runs(self.specs, study))

    def n_epochs(self, spec: RunSpec) -> int:
        """Epochs that a run of the plan has behind it."""
        return len(self.ledger.entry(self.study.name, spec).history())

    def refreshed(self) -> Plan:
        """The plan with what the ledger has finished by now, and with the tasks that are left."""
        # First those of the study: of a file that cannot be read it is told once what becomes of it
        entries = [self.find(spec) for spec in self.specs]
        known = _read_known(self.ledger, self.specs)
        tasks = tuple(
            _make_task(spec, entry, known, self.n_train)
            for spec, entry in zip(self.specs, entries, strict=True)
            if entry is None or not entry.is_over
        )
        return replace(self, known=known, tasks=tasks)

    def find(self, spec: RunSpec) -> LedgerEntry | None:
        """What the ledger has of the run, in this study or finished in another."""
        return None if self.fresh else self.ledger.find(self.study.name, spec)


@contextmanager
def open_study(choices: RunChoices, view: Screen, root: Path) -> Iterator[Plan]:
    """What is left to do of the study that is meant, with workers inside the block; writes no run.

    Raises:
        RnnbenchError: bad input, or data or folder out of reach.
    """
    study = compose_study(choices)
    own = OwnChoices(**study.own)
    find_store(root)  # a store that cannot be used is said before anything is trained
    ledger = Ledger(root, made_by=made_by(choices.command, root), on_problem=view.warn)
    study = name_networks(study, ledger, view.say)
    if choices.tuned:
        refuse_untuned(ledger.folder, study)
    workers = open_executor(choices.placing, ledger.folder)
    with closing(workers.executor):
        if workers.where:
            view.say(f"executor  {workers.where}")
        backend = workers.placement.backend
        n_runs = len(expand_study(study, DataSpec(dataset="", fingerprint=""), backend=backend))
        start = partial(workers.executor.start, n_runs)
        dataset = resolve_dataset(study.dataset, view.downloaded, start, own)
        study = settle_study(study, dataset, choices, workers, ledger, view)
        specs = expand_for(study, dataset, workers)
        tried = [
            spec
            for spec in specs
            if isinstance(spec.form, PluginForm)
            if choices.fresh or not _is_over(spec, study, ledger)
        ]
        for problem in (*refuse_unfit(tried), *tell_inputs(spec.form for spec in tried)):
            view.warn(problem)
        specs, reasons = move_unfit_to_keras(specs)
        for reason in reasons:
            view.warn(f"JAX cannot vectorise a network, so the engine keras trains it: {reason}")
        plan = Plan(
            study=study,
            specs=tuple(specs),
            dataset=dataset,
            workers=workers,
            ledger=ledger,
            n_train=open_corpus(dataset.fingerprint).train.n_reviews,
            fresh=choices.fresh,
        )
        yield plan.refreshed()


def settle_study(
    study: Study,
    dataset: DatasetRef,
    choices: RunChoices,
    workers: Workers,
    ledger: Ledger,
    view: Screen,
    on_open: Callable[[Collection[str]], object] | None = None,
) -> Study:
    """The study with what is chosen for its texts, by a race or by tuning.

    Args:
        on_open: see `Racing`.

    Raises:
        UsageError: there is nothing to choose, or not yet, or the study forbids it.
    """
    choices.racing.refuse_elsewhere(dataset.name)
    racing = Racing(
        workers=workers,
        ledger=ledger,
        limit_seconds=choices.racing.race,
        is_fresh=choices.fresh,
        view=view,
        on_open=on_open,
    )
    study = with_defaults(study, dataset, racing)
    if not choices.tuned:
        return study
    chosen = chosen_values(choices, (*RECIPE, *HYPERPARAMETERS))
    backend = workers.placement.backend
    return with_winners(study, ledger.folder, dataset, backend, chosen, view.warn)


def _make_task(spec: RunSpec, entry: LedgerEntry | None, known: KnownResults, n_train: int) -> Task:
    state = entry.state() if entry else None
    epochs = usual_epochs(spec, known)
    share = 1.0 if entry is None or state is None else _share_left(entry, spec, epochs)
    # Another machine's epochs are worth knowing, its seconds are not.
    seconds = [
        result.fit_seconds
        for result in known.get(run_kind(spec), {}).values()
        if not result.imported_from
    ]
    whole = statistics.median(seconds) if seconds else reference_seconds(spec, n_train, epochs)
    return Task(spec=spec, state=state, expected_seconds=share * whole)


def expand_for(study: Study, dataset: DatasetRef, workers: Workers) -> list[RunSpec]:
    """Every run of the study.

    Raises:
        UsageError: splits are to vary, and the data has its own.
    """
    idle = [name for name in SPLIT_KEYS if name in study.data]
    idle += ["vary_split"] if study.vary_split else []
    if idle and _is_split(dataset):
        raise UsageError(
            f"{dataset.name} is split when it is read, so that {' and '.join(idle)} of a study "
            "would have no effect; leave that out, and use --split-seed or --test-fraction"
        )
    return expand_study(
        study, dataset.spec, backend=workers.placement.backend, engine=workers.engine.engine
    )


def _is_split(dataset: DatasetRef) -> bool:
    """Whether the data has a validation part of its own, as far as it was read."""
    if not dataset.fingerprint:
        return False
    return open_corpus(dataset.fingerprint).n_validation is not None


def _is_over(spec: RunSpec, study: Study, ledger: Ledger) -> bool:
    entry = ledger.find(study.name, spec)
    return entry is not None and entry.is_over


def _read_known(ledger: Ledger, specs: Iterable[RunSpec]) -> KnownResults:
    wanted = {run_kind(spec) for spec in specs}
    found: dict[str, dict[int, RunResult]] = {}
    for run in read_runs(ledger, asks_mlflow=False):
        kind = run_kind(run.spec)
        if run.result is not None and run.is_finished and kind in wanted:
            found.setdefault(kind, {})[run.spec.seed] = run.result
    return found


def usual_epochs(spec: RunSpec, known: KnownResults) -> int:
    """How many epochs such a run takes to its early stop: as those that are known, on average."""
    seen = [result.epochs for result in known.get(run_kind(spec), {}).values()]
    return round(statistics.fmean(seen)) if seen else typical_epochs(spec)


def count_pairs(study: Study, specs: Iterable[RunSpec]) -> int:
    """How many comparisons the report makes of such runs: inside each of its sections."""
    return sum(math.comb(len(section.arms), 2) for section in _divide(study, specs))


def planned_sections(study: Study, specs: Iterable[RunSpec]) -> list[str]:
    """A run, by its fingerprint, of each section that a report makes of such runs."""
    return [section.arms[0].runs[0].spec.fingerprint for section in _divide(study, specs)]


def number_of_look(plan: Plan, *, n_more: int) -> int:
    """The number of the look that a report would be.

    Args:
        n_more: runs that will be over by then, and are not yet.
    """
    study, ledger = plan.study, plan.ledger
    own: list[Look] = []
    with suppress(StoreError):  # the report tells it
        own = ledger.looks(study.name).read()
    elsewhere, sections = ledger.looks_elsewhere(study.name), _divide(study, plan.specs)
    looks = looks_that_count(own, elsewhere, sections, study.contrast)
    if n_more or not looks:
        return len(looks) + 1
    read = None if study.tuned else study.name  # a tuned one is set against the textbook's runs
    runs = [run for run in read_runs(ledger, read, asks_mlflow=False) if not run.is_deleted]
    own_runs = [run for run in runs if run.study == study.name]
    scores = scores_compared(study.tuned, own_runs, runs)
    return len(earlier_looks(looks, scores, rule_of(study.declaration))) + 1


def _divide(study: Study, specs: Iterable[RunSpec]) -> tuple[Section, ...]:
    """The sections that a report makes of such runs."""
    runs = [RecordedRun(study=study.name, spec=spec, result=None) for spec in specs]
    return divide_runs(runs, study.contrast, vary_split=study.vary_split, tuned=study.tuned)


def is_unlike_textbook(spec: RunSpec) -> bool:
    """Whether `typical_epochs` says little: on other texts, and where a frozen order goes on."""
    return spec.data.dataset != "imdb" or spec.recipe.order == "frozen"


def typical_epochs(spec: RunSpec) -> int:
    """How many epochs such a run takes to its early stop, where nothing like it was run here."""
    recipe = spec.recipe
    at_default = EPOCHS_OF.get(display_name(spec.form), TYPICAL_EPOCHS)
    change = float((recipe.learning_rate / Recipe().learning_rate) ** RATE_POWER)
    return min(recipe.epochs, max(round(at_default * change), recipe.patience + 1))


def run_kind(spec: RunSpec) -> str:
    """What runs share that differ by their seed alone."""
    return f"{spec.shape} {spec.recipe}"


def reference_seconds(spec: RunSpec, n_train: int, epochs: int) -> float:
    """Seconds that so many epochs take of which nothing like it was run on this machine."""
    layers = spec.form.depth if isinstance(spec.form, CanonicalForm) else 1
    size = n_train * (1 - spec.data.validation_fraction) * spec.data.max_len / REFERENCE_TOKENS
    return LAYER_SECONDS * layers * size * epochs


def _share_left(entry: LedgerEntry, spec: RunSpec, epochs: int) -> float:
    done = len(entry.history())
    expected = min(spec.recipe.epochs, max(epochs, done + spec.recipe.patience))
    return max(1 - done / expected, 0.02)
