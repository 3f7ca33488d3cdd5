"""What a study costs here: a few epochs of each network, and on unknown texts a run of each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rnnbench.architectures import display_name
from rnnbench.execution.executor import Executor, Task
from rnnbench.specs import EpochEnded, Failed, Finished, RunSpec, Started
from rnnbench.studies.plan import Plan, is_unlike_textbook, run_kind

__all__ = ["NO_PILOT", "PILOT_SECONDS", "Cost", "Pilot", "calibrate", "run_pilot"]

CALIBRATION_EPOCHS = 3
PILOT_SECONDS = 120.0


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
class Pilot:
    """How many epochs runs of each kind take until their early stop.

    Args:
        epochs: expected of each kind that was tried.
        unstopped: architectures whose run did not stop in time.
    """

    epochs: Mapping[str, int]
    unstopped: tuple[str, ...]


NO_PILOT = Pilot(epochs={}, unstopped=())


def calibrate(specs: Iterable[RunSpec], n_workers: int, executor: Executor) -> dict[str, Cost]:
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


def run_pilot(plan: Plan) -> Pilot:
    """Train one run of each kind of which no epochs are known, until its early stop.

    Nothing is kept. After `PILOT_SECONDS` the rest is given up: such a kind is expected to do as
    the others, and no better than it was doing; where none stops, to use all of its epochs.
    """
    first: dict[str, RunSpec] = {}
    for spec in plan.specs:
        if is_unlike_textbook(spec):
            first.setdefault(run_kind(spec), spec)
    pilots = {spec.fingerprint: spec for kind, spec in first.items() if kind not in plan.known}
    ended: dict[str, int] = {}
    stopped: list[int] = []  # early, neither diverged nor failed
    reached: dict[str, int] = {}
    executor = plan.workers.executor
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
    usual = round(statistics.fmean(stopped)) if stopped else None

    def expect(spec: RunSpec) -> int:
        if spec.fingerprint in ended or usual is None:
            return ended.get(spec.fingerprint, spec.recipe.epochs)
        least = reached.get(spec.fingerprint, 0) + spec.recipe.patience
        return min(max(usual, least), spec.recipe.epochs)

    return Pilot(
        epochs={run_kind(spec): expect(spec) for spec in pilots.values()},
        unstopped=tuple(
            dict.fromkeys(
                display_name(spec.form) for spec in pilots.values() if spec.fingerprint not in ended
            )
        ),
    )


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
