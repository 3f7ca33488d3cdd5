"""Made-up runs: a spec, a result, or a run as the report reads it, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.architectures import make_form
from rnnbench.compare.sections import Arm, Section, divide_runs
from rnnbench.datasets import DatasetRef
from rnnbench.execution.devices import Placement
from rnnbench.execution.engines import EngineChoice, Workers
from rnnbench.execution.executor import Executor
from rnnbench.execution.worker import InlineExecutor
from rnnbench.published.notes import REVIEWS
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import DataSpec, Recipe, RunResult, RunSpec
from rnnbench.tuning.choices import TuneChoices
from rnnbench.tuning.plan import Tuning, compose_base
from rnnbench.tuning.space import load_space

__all__ = [
    "DATASET",
    "EMPTY_ZIP",
    "ENVIRONMENT",
    "arm_of",
    "curves",
    "finished",
    "made_up",
    "only_section",
    "spec_of",
    "tuning_of",
    "workers_here",
]

ENVIRONMENT = {
    "device": "cpu",
    "processor": "AMD EPYC",
    "cores": "2",
    "platform": "Linux",
    "version.keras": "3.15.1",
}

DATASET = DatasetRef(name="imdb", fingerprint="ab", origin="here")

EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
"""The shortest file that can stand for a model."""

_DATA = set(DataSpec.__dataclass_fields__)
_RECIPE = set(Recipe.__dataclass_fields__)
_RUN = {"embedding_size", "engine", "backend", "race"}


def spec_of(architecture: str = "lstm", seed: int = 0, **values: Any) -> RunSpec:
    """The notes' recipe on the notes' reviews; keywords go where they belong."""
    data = {key: values.pop(key) for key in _DATA & values.keys()}
    recipe = {key: values.pop(key) for key in _RECIPE & values.keys()}
    run = {key: values.pop(key) for key in _RUN & values.keys()}
    return RunSpec(
        form=make_form(architecture, **values),
        data=DataSpec(**{"dataset": "imdb", "fingerprint": REVIEWS, **data}),
        recipe=Recipe(**recipe),
        seed=seed,
        **run,
    )


def tuning_of(**values: Any) -> Tuning:
    """What `rnnbench tune lstm` searches on this machine's CPU; keywords are its choices."""
    choices = TuneChoices(**{"architectures": ("lstm",), **values})
    return Tuning(
        choices=choices,
        base=compose_base(choices),
        space=load_space(choices.space),
        dataset=DATASET,
        placement=Placement(backend="jax", gpus=(None,), reason=""),
    )


def workers_here(n: int = 2, executor: Executor | None = None) -> Workers:
    """So many workers with the engine `keras` on JAX; by default they work in this process."""
    return Workers(
        executor=executor or InlineExecutor(),
        placement=Placement(backend="jax", gpus=(None,) * n, reason="a test"),
        engine=EngineChoice(engine="keras", n_lanes=1, reason="a test"),
    )


def finished(accuracy: float = 0.8, **values: Any) -> RunResult:
    """A run that produced a score."""
    return RunResult(
        **{
            "status": "finished",
            "epochs": 9,
            "best_epoch": 6,
            "val_loss": 0.45,
            "val_accuracy": 0.79,
            "train_loss_at_best": 0.40,
            "train_accuracy_at_best": 0.82,
            "test_loss": 0.44,
            "test_accuracy": accuracy,
            "fit_seconds": 4.5,
            "epoch_seconds": 0.5,
            "environment": ENVIRONMENT,
            **values,
        }
    )


def made_up(
    architecture: str = "lstm",
    seed: int = 0,
    result: RunResult | float | None = None,
    *,
    study: str = "made-up",
    run: dict[str, Any] | None = None,
    **values: Any,
) -> RecordedRun:
    """A run with that result; a number is the accuracy of a finished one, None still trains.

    Args:
        run: fields of the tracked run, such as its history.
        values: of the spec.
    """
    outcome = finished(result) if isinstance(result, float) else result
    spec = spec_of(architecture, seed, **values)
    return RecordedRun(study=study, spec=spec, result=outcome, **(run or {}))


def only_section(runs: Sequence[RecordedRun], contrast: str = "architecture") -> Section:
    """The section that they all stand in."""
    (section,) = divide_runs(runs, contrast)
    return section


def arm_of(*results: RunResult | float | None, architecture: str = "lstm", **values: Any) -> Arm:
    """An arm with these results, of the seeds 0, 1, ..."""
    runs = [made_up(architecture, seed, each, **values) for seed, each in enumerate(results)]
    (arm,) = only_section(runs).arms
    return arm


def curves(*val_losses: float, val_accuracy: float = 0.75) -> NDArray[np.float64]:
    """A history with these validation losses; the training's are a tenth below."""
    return np.array([[loss - 0.1, 0.7, loss, val_accuracy] for loss in val_losses])
