"""`rnnbench plan`: a few epochs of each network, on unknown texts a run of each, and a forecast."""

import shlex
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnnbench.architectures import display_name
from rnnbench.errors import WorkerError
from rnnbench.execution.executor import Executor, Task
from rnnbench.page.screen import Screen
from rnnbench.run_options import RunChoices
from rnnbench.specs import EpochEnded, Event, Failed, Finished, RunSpec, Started
from rnnbench.studies.forecast import Budget, Cost, fit_budget, forecast
from rnnbench.studies.plan import (
    WORKER_START_SECONDS,
    Plan,
    is_unlike_textbook,
    open_study,
    reference_seconds,
    run_kind,
)
from rnnbench.studies.screen import ForecastScreen
from rnnbench.tracking.provenance import drop_options

CALIBRATION_EPOCHS = 3
CALIBRATION_SECONDS = 120.0
SHAPE_SECONDS = 6.0  # compiling a network, and scoring it at the end
PILOT_SECONDS = 120.0


def plan_study(
    choices: RunChoices, budget_seconds: float | None, view: ForecastScreen, root: Path
) -> dict[str, Any]:  # Any: what `as_json` takes
    """Calibrate on this machine, say what the study will take; nothing is kept.

    Returns:
        All that was said, by name.

    Raises:
        RnnbenchError: bad input, or data out of reach.
    """
    with open_study(choices, view, root) as plan:
        view.show_plan(plan)
        found: dict[str, Any] = {
            "study": plan.study.name,
            "runs": len(plan.specs),
            "done": plan.n_done,
        }
        if not plan.tasks and budget_seconds is None:
            return found
        plan, costs = _calibrate(plan, budget_seconds is not None, view)
        if plan.is_guess:
            plan = replace(plan, pilot=run_pilot(plan, view))
        if plan.tasks:
            found["forecast"] = forecast(plan, costs)
            view.show_forecast(plan, found["forecast"], _as_run(choices.command))
        if budget_seconds is not None:
            budget = fit_budget(plan, costs, budget_seconds)
            command = _command(choices, plan, budget)
            view.show_budget(budget, budget_seconds, command)
            found |= {"budget_seconds": budget_seconds, "budget": budget, "command": command}
        return found


def measure_costs(
    specs: Sequence[RunSpec], n_workers: int, executor: Executor
) -> tuple[dict[str, Cost], set[str]]:
    """What each shape costs, by a few epochs of it; nothing is kept.

    As many runs at once as the study will have, since they share the machine. What diverges or
    fails has no cost. After `CALIBRATION_SECONDS` every run ends with its epoch; a shape that had
    none by then is taken to cost what the others do.

    Returns:
        The costs, and the shapes that had no time.
    """
    shapes = _pick_shapes(specs)
    copies = max(1, -(-n_workers // len(shapes)))
    meter = _Meter([Task(spec=_short(spec, n)) for n in range(copies) for spec in shapes])
    deadline = time.perf_counter() + CALIBRATION_SECONDS
    for event in executor.run(meter.tasks):
        meter.observe(event)
        if time.perf_counter() > deadline:
            for task in meter.tasks:
                executor.stop(task.spec.fingerprint)
    costs = meter.costs()
    late = {spec.shape for spec in shapes} - costs.keys() - meter.lost
    return costs | (dict.fromkeys(late, _mean([*costs.values()])) if costs else {}), late


class _Meter:
    """When the events of a few short runs came, and what the runs cost by that."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = tasks
        self._lost: set[str] = set()  # runs that diverged or failed
        self._specs = {task.spec.fingerprint: task.spec for task in tasks}
        self._last: float | None = None  # a worker's own start is no cost of its first run
        self._began: dict[str, float] = {}
        self._epochs: dict[str, list[tuple[float, float]]] = {}  # when each ended, and its seconds
        self._ends: dict[str, tuple[float, int]] = {}  # seconds after the last epoch, and bytes

    def observe(self, event: Event) -> None:
        """Take one event into account."""
        now, key = time.perf_counter(), event.fingerprint
        if isinstance(event, Started):
            self._last = self._last or now
            self._began[key] = self._last
        elif isinstance(event, EpochEnded):
            self._epochs.setdefault(key, []).append((now, event.row.epoch_seconds))
        elif isinstance(event, Finished) and event.result.status == "finished":
            n_bytes = len(event.model) + len(event.predictions)
            self._ends[key] = (now - self._epochs[key][-1][0], n_bytes)
        elif isinstance(event, Finished | Failed):
            self._lost.add(key)
        if isinstance(event, Finished | Failed):
            self._last = now

    @property
    def lost(self) -> set[str]:
        """Shapes of which a run diverged or failed."""
        return {self._specs[key].shape for key in self._lost}

    def costs(self) -> dict[str, Cost]:
        """By shape, the means over its runs that had an epoch."""
        found: dict[str, list[Cost]] = {}
        for key in self._epochs.keys() - self._lost:
            found.setdefault(self._specs[key].shape, []).append(self._cost(key))
        return {shape: _mean(costs) for shape, costs in found.items()}

    def _cost(self, key: str) -> Cost:
        (first_end, first), *others = self._epochs[key]
        epoch = statistics.median([seconds for _, seconds in others] or [first])
        # One that the time cut is taken to end as the others do, or in about an epoch's time.
        ends = [self._ends[key]] if key in self._ends else [*self._ends.values()] or [(epoch, 0)]
        return Cost(
            start_seconds=max(first_end - self._began[key] - first, 0.0),
            epoch_seconds=epoch,
            end_seconds=statistics.fmean(seconds for seconds, _ in ends),
            file_bytes=max(n_bytes for _, n_bytes in ends),
        )


def _pick_shapes(specs: Iterable[RunSpec]) -> list[RunSpec]:
    """A run of each shape; of several rates the lowest: they cost the same, a high one diverges."""
    by_rate = sorted(specs, key=lambda spec: -spec.recipe.learning_rate)
    return [*{spec.shape: spec for spec in by_rate}.values()]


def run_pilot(plan: Plan, view: Screen) -> dict[str, int]:
    """Train one run of each kind of which no epochs are known, until its early stop.

    Nothing is kept. After `PILOT_SECONDS` the rest is given up: such a kind is expected to do as
    the others, and no better than it was doing; where none stops, to use all of its epochs.

    Returns:
        The epochs that are expected of each kind that was tried.
    """
    minutes = f"{PILOT_SECONDS / 60:.0f} minutes"
    view.say("pilot     one run of each network goes to its early stop")
    first: dict[str, RunSpec] = {}
    for spec in plan.specs:
        if is_unlike_textbook(spec):
            first.setdefault(run_kind(spec), spec)
    pilots = {spec.fingerprint: spec for kind, spec in first.items() if kind not in plan.known}
    executor = plan.workers.executor
    ended: dict[str, int] = {}
    stopped: list[int] = []  # early, neither diverged nor failed
    reached: dict[str, int] = {}
    deadline = time.perf_counter() + PILOT_SECONDS
    for event in executor.run([Task(spec=spec) for spec in pilots.values()]):
        if isinstance(event, EpochEnded):
            reached[event.fingerprint] = event.row.epoch
        elif isinstance(event, Finished):
            ended[event.fingerprint] = event.result.epochs
            if event.result.status == "finished":
                stopped.append(event.result.epochs)
        elif isinstance(event, Failed):
            ended[event.fingerprint] = reached.get(event.fingerprint, 1)
        if time.perf_counter() > deadline:
            for fingerprint in pilots:
                executor.stop(fingerprint)
    late = [display_name(spec.form) for key, spec in pilots.items() if key not in ended]
    if late:
        names = ", ".join(dict.fromkeys(late))
        view.warn(f"{names} did not stop within {minutes}; the forecast is rough")
    for key, spec in pilots.items():
        if key not in ended:
            least = reached.get(key, 0) + spec.recipe.patience
            usual = max(round(statistics.fmean(stopped)), least) if stopped else spec.recipe.epochs
            ended[key] = min(usual, spec.recipe.epochs)
    return {run_kind(spec): ended[key] for key, spec in pilots.items()}


def _calibrate(
    plan: Plan, has_budget: bool, view: ForecastScreen
) -> tuple[Plan, Mapping[str, Cost]]:
    """The plan without what cannot be trained, and what the rest costs."""
    # A budget may hold further seeds of networks whose runs are over.
    specs = plan.specs if has_budget else [task.spec for task in plan.tasks]
    n_workers = min(plan.most_workers, len(specs))
    n_shapes, seconds = len(_pick_shapes(specs)), expect_seconds(plan, specs, n_workers)
    view.show_measuring(n_shapes, seconds, CALIBRATION_SECONDS, PILOT_SECONDS * plan.is_guess)
    costs, late = measure_costs(specs, n_workers, plan.workers.executor)
    if not costs:
        raise WorkerError(
            "the calibration gave no result: no network came as far as an epoch within "
            f"{CALIBRATION_SECONDS / 60:.0f} minutes, or none can be trained; `rnnbench run` says "
            "which"
        )
    if late:
        names = {display_name(spec.form): None for spec in specs if spec.shape in late}
        view.warn(
            f"{', '.join(names)} had no time in the calibration, and is taken to cost as much as "
            "the others; the forecast is rough"
        )
    lost = {spec.shape: display_name(spec.form) for spec in specs if spec.shape not in costs}
    if lost:
        view.warn(
            f"{', '.join(sorted(set(lost.values())))} could not be trained and is not in the "
            "forecast; `rnnbench run` will say why"
        )
    if plan.workers.engine.n_lanes > 1:
        view.warn("runs side by side in a fleet are counted one after the other: a high guess")
    return plan.without(lost), costs


def expect_seconds(plan: Plan, specs: Sequence[RunSpec], n_workers: int) -> float:
    """How long the calibration will take, by what such networks took elsewhere; at most its limit.

    A network of many units takes longer, as does a slower machine.
    """
    shapes = _pick_shapes(specs)
    copies = max(1, -(-n_workers // len(shapes)))
    work = [SHAPE_SECONDS + reference_seconds(s, plan.n_train, CALIBRATION_EPOCHS) for s in shapes]
    seconds = WORKER_START_SECONDS + max(copies * sum(work) / n_workers, *work)
    return min(seconds, CALIBRATION_SECONDS)


def _command(choices: RunChoices, plan: Plan, budget: Budget) -> str:
    """The words that run what fits."""
    words = drop_options(shlex.split(_as_run(choices.command)), ("--seeds", "--epochs"), ())
    if budget.verdict is not None:
        words += ["--seeds", str(budget.verdict.n_seeds)]
    if choices.epochs or budget.epochs < max(s.recipe.epochs for s in plan.specs):
        words += ["--epochs", str(budget.epochs)]
    return shlex.join(words)


def _as_run(command: str) -> str:
    """The words that run what `rnnbench plan` with them forecasts."""
    given = shlex.split(command.replace("rnnbench plan", "rnnbench run", 1))
    return shlex.join(drop_options(given, ("--budget",), ("--json",)))


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
