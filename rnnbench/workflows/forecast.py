"""`rnnbench plan`: how long a study will take here, and what it will be able to decide."""

from __future__ import annotations

import math
import shlex
import statistics
import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from rnnbench.analysis.sections import divide_runs
from rnnbench.architectures import display_name
from rnnbench.data.cache import open_corpus
from rnnbench.errors import WorkerError
from rnnbench.execution.executor import Executor, Task
from rnnbench.ledger import Ledger
from rnnbench.specs import EpochEnded, Failed, Finished, RunResult, RunSpec, Started
from rnnbench.stats.seeds import detectable_difference
from rnnbench.tracking.runs import TrackedRun
from rnnbench.workflows.plan import WORKER_START_SECONDS, Plan, typical_epochs
from rnnbench.workflows.run import RunChoices, open_study
from rnnbench.workflows.view import View

__all__ = [
    "Budget",
    "Cost",
    "Forecast",
    "ForecastView",
    "Verdict",
    "calibrate",
    "fit_budget",
    "forecast",
    "plan_study",
    "run_pilot",
]

CALIBRATION_EPOCHS = 3
PILOT_SECONDS = 120.0
REPORT_SECONDS = 6.0  # benchmarks/results/report.json: 40 runs
USUAL_SD = 0.003  # of paired differences of test accuracy: docs/results/textbook/tables/pairs.csv
FEWEST_EPOCHS = 10
ENOUGH_SEEDS = 3  # fewer say nothing of the spread between them
IMDB_TEST_TEXTS = 25_000
MOST_SEEDS = 1000  # more than anybody waits for
BYTES_AN_EPOCH = 700  # of MLflow's database, five metrics
BYTES_A_RUN = 60 * 1024  # figure, specs, MLflow's own rows and files


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run of one shape costs on this machine, while others run beside it.

    Args:
        start_seconds: from the task to the first epoch, compilation included.
        end_seconds: from the last epoch to the result.
        file_bytes: model and predictions.
    """

    start_seconds: float
    epoch_seconds: float
    end_seconds: float
    file_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What so many seeds can decide.

    Args:
        n_pairs: comparisons that the report will make.
        detectable: the smallest true difference of test accuracy that is found with a power of
            80 %; None if the seeds can decide nothing.
        basis: where the spread between seeds is taken from, for people.
    """

    n_seeds: int
    n_pairs: int
    detectable: float | None
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is to be expected.

    Args:
        wall_seconds: of what is left to do.
        disk_bytes: ledger and MLflow together.
        epochs: expected of each architecture until the early stop.
        epochs_from: where they are taken from: runs of this folder, a pilot, or the study on IMDB.
    """

    wall_seconds: float
    disk_bytes: int
    epochs: Mapping[str, int]
    epochs_from: Literal["runs", "pilot", "imdb"]
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What fits into a time; no verdict where not even one seed does."""

    verdict: Verdict | None
    epochs: int
    wall_seconds: float


def calibrate(plan: Plan, executor: Executor) -> dict[str, Cost]:
    """Train a few epochs of each shape on the plan's data; nothing is kept.

    As many runs at once as the study will have, since they share the machine.
    """
    shapes = list({task.spec.shape: task.spec for task in plan.tasks}.values())
    copies = max(1, -(-plan.n_workers // len(shapes))) if shapes else 0
    tasks = [Task(spec=_short(spec, seed)) for seed in range(copies) for spec in shapes]
    began: dict[str, float] = {}
    seen: dict[str, list[Cost]] = {}
    epochs: dict[str, list[tuple[float, float]]] = {}
    specs = {task.spec.fingerprint: task.spec for task in tasks}
    last: float | None = None  # a worker's own start is no cost of its first run
    for event in executor.run(tasks):
        now, key = time.perf_counter(), event.fingerprint
        if isinstance(event, Started):
            last = last or now
            began[key] = last
        elif isinstance(event, EpochEnded):
            epochs.setdefault(key, []).append((now, event.row.epoch_seconds))
        elif isinstance(event, Finished):
            times = epochs[key]
            seen.setdefault(specs[key].shape, []).append(
                Cost(
                    start_seconds=max(times[0][0] - began[key] - times[0][1], 0.0),
                    epoch_seconds=statistics.median(seconds for _, seconds in times[1:]),
                    end_seconds=now - times[-1][0],
                    file_bytes=len(event.model) + len(event.predictions),
                )
            )
        if isinstance(event, Finished | Failed):
            last = now
    return {shape: _mean(costs) for shape, costs in seen.items()}


def run_pilot(plan: Plan, executor: Executor, ledger: Ledger) -> dict[str, int]:
    """Epochs until the early stop, of one run of each kind that this folder has not run.

    Nothing is kept. Kinds that do not stop within `PILOT_SECONDS` are expected to do as the others,
    or to use all their epochs if none stops.
    """
    known = _known_results(ledger, plan.specs)
    first = {_kind(task.spec): task.spec for task in reversed(plan.tasks)}
    pilots = {spec.fingerprint: spec for kind, spec in first.items() if kind not in known}
    ended: dict[str, int] = {}
    deadline = time.perf_counter() + PILOT_SECONDS
    for event in executor.run([Task(spec=spec) for spec in pilots.values()]):
        if isinstance(event, Finished):
            ended[_kind(pilots[event.fingerprint])] = event.result.epochs
        if time.perf_counter() > deadline:
            for fingerprint in pilots:
                executor.stop(fingerprint)
    usual = round(statistics.fmean(ended.values())) if ended else None
    return {
        _kind(spec): ended.get(_kind(spec), usual or spec.recipe.epochs) for spec in pilots.values()
    }


def forecast(
    plan: Plan, costs: Mapping[str, Cost], ledger: Ledger, piloted: Mapping[str, int]
) -> Forecast:
    """What the plan will take and decide; runs whose shape has no cost are left out.

    Args:
        piloted: see `run_pilot`.
    """
    known = _known_results(ledger, plan.specs)
    epochs = {spec.fingerprint: _expected_epochs(spec, known, piloted) for spec in plan.specs}
    work = [
        (
            task.spec.shape,
            max(epochs[task.spec.fingerprint] - _epochs_done(ledger, plan, task), 1),
        )
        for task in plan.tasks
        if task.spec.shape in costs
    ]
    return Forecast(
        wall_seconds=_wall(work, costs, plan.n_workers),
        disk_bytes=sum(
            2 * costs[shape].file_bytes + BYTES_A_RUN + BYTES_AN_EPOCH * n for shape, n in work
        ),
        epochs={display_name(spec.form): epochs[spec.fingerprint] for spec in plan.specs},
        epochs_from="pilot" if piloted else "runs" if known else "imdb",
        verdict=_judge(plan, known, len({spec.seed for spec in plan.specs})),
    )


def fit_budget(
    plan: Plan,
    costs: Mapping[str, Cost],
    ledger: Ledger,
    piloted: Mapping[str, int],
    seconds: float,
) -> Budget:
    """The most seeds that fit; with fewer epochs if the study's own leave too few seeds."""
    known = _known_results(ledger, plan.specs)
    by_seed: dict[int, list[RunSpec]] = {}
    for spec in plan.specs:
        by_seed.setdefault(spec.seed, []).append(spec)
    one = [spec for spec in next(iter(by_seed.values())) if spec.shape in costs]
    most = max(spec.recipe.epochs for spec in one)
    arms = [(spec.shape, _expected_epochs(spec, known, piloted)) for spec in one]

    def wall(n_seeds: int, epochs: int) -> float:
        work = [(shape, min(expected, epochs)) for shape, expected in arms] * n_seeds
        return _wall(work, costs, min(len(plan.placement.gpus), len(work)))

    best, n_best = most, 0
    for epochs in (most, *(n for n in (50, 25, FEWEST_EPOCHS) if n < most)):
        n_seeds = bisect_right(range(1, MOST_SEEDS + 1), seconds, key=partial(wall, epochs=epochs))
        if n_seeds > n_best:
            best, n_best = epochs, n_seeds
        if n_best >= ENOUGH_SEEDS:
            break
    if not n_best:
        return Budget(verdict=None, epochs=FEWEST_EPOCHS, wall_seconds=wall(1, FEWEST_EPOCHS))
    verdict = _judge(plan, known, n_best)
    return Budget(verdict=verdict, epochs=best, wall_seconds=wall(n_best, best))


def _judge(plan: Plan, known: Mapping[str, Mapping[int, RunResult]], n_seeds: int) -> Verdict:
    """What so many seeds of the study can decide."""
    study = plan.study
    planned = [TrackedRun(study=study.name, spec=spec, result=None) for spec in plan.specs]
    sections = divide_runs(
        planned, study.contrast, vary_split=study.vary_split, tuned=study.tuned or None
    )
    n_pairs = sum(math.comb(len(section.arms), 2) for section in sections)
    n_test = open_corpus(plan.dataset.fingerprint).test.n_reviews
    sd, basis = _sd_of_differences(known), "the runs here"
    if sd is None:
        # Of fewer texts each is a larger part of the score.
        sd = USUAL_SD * math.sqrt(max(IMDB_TEST_TEXTS / n_test, 1.0))
        basis = f"the textbook study on IMDB, for {n_test:,} test texts"
    detectable = detectable_difference(sd, n_seeds, max(n_pairs, 1))
    return Verdict(n_seeds=n_seeds, n_pairs=n_pairs, detectable=detectable, basis=basis)


def _epochs_done(ledger: Ledger, plan: Plan, task: Task) -> int:
    if task.state is None:
        return 0
    return len(ledger.entry(plan.study.name, task.spec).history())


def _short(spec: RunSpec, seed: int) -> RunSpec:
    recipe = replace(spec.recipe, epochs=CALIBRATION_EPOCHS, patience=CALIBRATION_EPOCHS)
    return replace(spec, recipe=recipe, seed=seed)


def _mean(costs: Sequence[Cost]) -> Cost:
    return Cost(
        start_seconds=statistics.fmean(cost.start_seconds for cost in costs),
        epoch_seconds=statistics.fmean(cost.epoch_seconds for cost in costs),
        end_seconds=statistics.fmean(cost.end_seconds for cost in costs),
        file_bytes=max(cost.file_bytes for cost in costs),
    )


def _wall(
    work: Sequence[tuple[str, int]],
    costs: Mapping[str, Cost],
    n_workers: int,
) -> float:
    """The longest run first, on the worker that is free first, which compiles a shape once.

    Args:
        work: the shape and the epochs of each run.
    """
    if not work:
        return 0.0
    lengths = sorted(
        (
            (costs[shape].epoch_seconds * epochs + costs[shape].end_seconds, shape)
            for shape, epochs in work
        ),
        reverse=True,
    )
    busy = [0.0] * max(n_workers, 1)
    compiled: list[set[str]] = [set() for _ in busy]
    for seconds, shape in lengths:
        free = min(range(len(busy)), key=busy.__getitem__)
        if shape not in compiled[free]:
            busy[free] += costs[shape].start_seconds
            compiled[free].add(shape)
        busy[free] += seconds
    return WORKER_START_SECONDS + max(busy) + REPORT_SECONDS


def _known_results(ledger: Ledger, specs: Iterable[RunSpec]) -> dict[str, dict[int, RunResult]]:
    """Finished runs of the same networks, recipe and data, by what they share and seed."""
    wanted = {_kind(spec) for spec in specs}
    found: dict[str, dict[int, RunResult]] = {}
    for entry in ledger.entries():
        result = entry.result()
        if result is None or result.status != "finished":
            continue
        spec = entry.spec()
        if _kind(spec) in wanted:
            found.setdefault(_kind(spec), {})[spec.seed] = result
    return found


def _kind(spec: RunSpec) -> str:
    return f"{spec.shape} {spec.recipe}"


def _expected_epochs(
    spec: RunSpec, known: Mapping[str, Mapping[int, RunResult]], piloted: Mapping[str, int]
) -> int:
    seen = [result.epochs for result in known.get(_kind(spec), {}).values()]
    return round(statistics.fmean(seen)) if seen else piloted.get(_kind(spec), typical_epochs(spec))


def _sd_of_differences(known: Mapping[str, Mapping[int, RunResult]]) -> float | None:
    """The median over pairs of the spread of paired differences; None without three seeds."""
    arms = list(known.values())
    found = []
    for place, a in enumerate(arms):
        for b in arms[place + 1 :]:
            differences = [
                (a[seed].test_accuracy or 0) - (b[seed].test_accuracy or 0)
                for seed in a.keys() & b.keys()
            ]
            if len(differences) >= 3:
                found.append(statistics.stdev(differences))
    return statistics.median(found) if found else None


class ForecastView(View, Protocol):
    """The terminal, or whatever stands for it in a test."""

    def show_forecast(self, plan: Plan, found: Forecast) -> None:
        """What the plan will take and decide."""
        ...

    def show_budget(self, plan: Plan, budget: Budget, seconds: float, command: str) -> None:
        """What fits into the time."""
        ...


def plan_study(
    choices: RunChoices, budget_seconds: float | None, view: ForecastView, root: Path
) -> None:
    """Calibrate on this machine, say what the study will take; nothing is kept.

    Raises:
        RnnbenchError: bad input, or data out of reach.
    """
    with open_study(choices, view, root) as (plan, executor, ledger):
        view.show_plan(plan)
        if not plan.tasks:
            return
        view.say("A few epochs of each network are trained now, for about half a minute.")
        costs = calibrate(plan, executor)
        if not costs:
            raise WorkerError("the calibration came to no result; `rnnbench run` will say why")
        lost = {display_name(t.spec.form) for t in plan.tasks if t.spec.shape not in costs}
        if lost:
            view.warn(
                f"{', '.join(sorted(lost))} could not be trained and is not in the forecast; "
                "`rnnbench run` will say why"
            )
        if plan.engine.n_lanes > 1:
            view.warn("runs side by side in a fleet are counted one after the other: a high guess")
        piloted: dict[str, int] = {}
        if plan.is_guess:
            view.say(
                "How many epochs these texts take is not known yet: one run of each network goes "
                f"to its early stop, for {PILOT_SECONDS / 60:.0f} minutes at most."
            )
            piloted = run_pilot(plan, executor, ledger)
        view.show_forecast(plan, forecast(plan, costs, ledger, piloted))
        if budget_seconds is not None:
            budget = fit_budget(plan, costs, ledger, piloted, budget_seconds)
            view.show_budget(plan, budget, budget_seconds, _command(choices, plan, budget))


def _command(choices: RunChoices, plan: Plan, budget: Budget) -> str:
    """The words that run what fits."""
    given = shlex.split(choices.command.replace("rnnbench plan", "rnnbench run", 1))
    words: list[str] = []
    replaced = ("--budget", "--seeds", "--epochs")
    while given:
        word = given.pop(0)
        if word in replaced:
            given.pop(0)
        elif not word.startswith(tuple(f"{option}=" for option in replaced)):
            words.append(word)
    if budget.verdict is not None:
        words += ["--seeds", str(budget.verdict.n_seeds)]
    if choices.recipe.get("epochs") or budget.epochs < max(s.recipe.epochs for s in plan.specs):
        words += ["--epochs", str(budget.epochs)]
    return shlex.join(words)
