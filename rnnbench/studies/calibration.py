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
from rnnbench.specs import EpochEnded, Failed, Finished, RunSpec, Started
from rnnbench.studies.forecast import Budget, Cost, fit_budget, forecast
from rnnbench.studies.plan import Plan, is_unlike_textbook, open_study, run_kind
from rnnbench.studies.screen import ForecastScreen
from rnnbench.tracking.provenance import drop_options

CALIBRATION_EPOCHS = 3
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
            view.show_forecast(plan, found["forecast"])
        if budget_seconds is not None:
            budget = fit_budget(plan, costs, budget_seconds)
            command = _command(choices, plan, budget)
            view.show_budget(budget, budget_seconds, command)
            found |= {"budget_seconds": budget_seconds, "budget": budget, "command": command}
        return found


def _measure_costs(specs: Iterable[RunSpec], n_workers: int, executor: Executor) -> dict[str, Cost]:
    """Train a few epochs of each shape; nothing is kept, and what diverges has no cost.

    As many runs at once as the study will have, since they share the machine.
    """
    # A learning rate costs no time, but a high one may diverge.
    by_rate = sorted(specs, key=lambda spec: -spec.recipe.learning_rate)
    shapes = list({spec.shape: spec for spec in by_rate}.values())
    copies = max(1, -(-n_workers // len(shapes)))
    tasks = [Task(spec=_short(spec, seed)) for seed in range(copies) for spec in shapes]
    began: dict[str, float] = {}
    seen: dict[str, list[Cost]] = {}
    epochs: dict[str, list[tuple[float, float]]] = {}
    by_key = {task.spec.fingerprint: task.spec for task in tasks}
    last: float | None = None  # a worker's own start is no cost of its first run
    for event in executor.run(tasks):
        now, key = time.perf_counter(), event.fingerprint
        if isinstance(event, Started):
            last = last or now
            began[key] = last
        elif isinstance(event, EpochEnded):
            epochs.setdefault(key, []).append((now, event.row.epoch_seconds))
        elif isinstance(event, Finished) and event.result.status == "finished":
            times = epochs[key]
            seen.setdefault(by_key[key].shape, []).append(
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


def run_pilot(plan: Plan, view: Screen) -> dict[str, int]:
    """Train one run of each kind of which no epochs are known, until its early stop.

    Nothing is kept. After `PILOT_SECONDS` the rest is given up: such a kind is expected to do as
    the others, and no better than it was doing; where none stops, to use all of its epochs.

    Returns:
        The epochs that are expected of each kind that was tried.
    """
    minutes = f"{PILOT_SECONDS / 60:.0f} minutes"
    view.say(
        "How many epochs such runs take is not known yet: one of each network goes to its early "
        f"stop, for {minutes} at most."
    )
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


def _calibrate(plan: Plan, has_budget: bool, view: Screen) -> tuple[Plan, Mapping[str, Cost]]:
    """The plan without what cannot be trained, and what the rest costs."""
    # A budget may hold further seeds of networks whose runs are over.
    specs = plan.specs if has_budget else [task.spec for task in plan.tasks]
    view.say("A few epochs of each network are trained now, for about half a minute.")
    n_workers = min(plan.most_workers, len(specs))
    costs = _measure_costs(specs, n_workers, plan.workers.executor)
    if not costs:
        raise WorkerError("the calibration gave no result; `rnnbench run` will say why")
    lost = {spec.shape: display_name(spec.form) for spec in specs if spec.shape not in costs}
    if lost:
        view.warn(
            f"{', '.join(sorted(set(lost.values())))} could not be trained and is not in the "
            "forecast; `rnnbench run` will say why"
        )
    if plan.workers.engine.n_lanes > 1:
        view.warn("runs side by side in a fleet are counted one after the other: a high guess")
    return plan.without(lost), costs


def _command(choices: RunChoices, plan: Plan, budget: Budget) -> str:
    """The words that run what fits."""
    given = shlex.split(choices.command.replace("rnnbench plan", "rnnbench run", 1))
    words = drop_options(given, ("--budget", "--seeds", "--epochs"), ("--json",))
    if budget.verdict is not None:
        words += ["--seeds", str(budget.verdict.n_seeds)]
    if choices.epochs or budget.epochs < max(s.recipe.epochs for s in plan.specs):
        words += ["--epochs", str(budget.epochs)]
    return shlex.join(words)


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
