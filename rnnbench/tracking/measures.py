"""What a run is said to be in MLflow: its parameters, its curves, its summary and its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rnnbench.architectures import display_name
from rnnbench.data.rows import shorten
from rnnbench.data.tokenizer import Tokenizer
from rnnbench.output.amounts import some
from rnnbench.specs import SPLIT_KEYS, CanonicalForm, EpochRow, RunResult, RunSpec

if TYPE_CHECKING:
    from mlflow.entities import Metric

EPOCH_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy", "epoch_seconds")
RESULT_METRICS = (
    "best_epoch",
    "epochs",
    "train_loss_at_best",
    "train_accuracy_at_best",
    "test_loss",
    "test_accuracy",
    "test_macro_f1",
    "test_absolute_error",
    "test_quadratic_kappa",
    "val_macro_recall",
    "n_parameters",
    "fit_seconds",
    "compile_seconds",
)
_RENAMED = {
    "best_val_loss": "val_loss",
    "best_val_accuracy": "val_accuracy",
    "median_epoch_seconds": "epoch_seconds",
}
"""The result's name of each metric that would share one with a curve."""
_COUNTS = ("epochs", "best_epoch", "n_parameters")
CLASSES_TAG = "rnnbench.classes"
MOST_CLASSES = 30
MODEL_SCORES = ("test_loss", "test_accuracy", "best_val_loss", "best_val_accuracy")


def parameters(spec: RunSpec) -> dict[str, Any]:  # Any: plain values
    """A run's parameters, by name."""
    if isinstance(spec.form, CanonicalForm):
        form = asdict(spec.form)
    else:
        form = {"code": spec.form.code or None, **dict(spec.form.arguments)}
    hidden = ("fingerprint", *(SPLIT_KEYS if spec.data.is_own else ()))
    data = {key: value for key, value in asdict(spec.data).items() if key not in hidden}
    return {
        "architecture": display_name(spec.form),
        **{key: value for key, value in form.items() if value is not None},
        "embedding_size": spec.embedding_size,
        **asdict(spec.recipe),
        **data,
        **({"race": spec.race} if spec.race else {}),
        "seed": spec.seed,
    }


def epoch_metrics(rows: tuple[EpochRow, ...]) -> list[Metric]:
    """A point of each curve for each epoch."""
    from mlflow.entities import Metric

    return [
        Metric(name, float(getattr(row, name)), int(row.ended_at * 1000), row.epoch)
        for row in rows
        for name in EPOCH_METRICS
    ]


def result_metrics(result: RunResult, ended_ms: int) -> list[Metric]:
    """The summary; what shares a name with a curve has one of its own here.

    A failed run has none: it is tried again, and MLflow keeps every value that it was ever given.
    """
    from mlflow.entities import Metric

    if result.status == "failed":
        return []
    values = {name: getattr(result, name) for name in RESULT_METRICS}
    values |= {metric: getattr(result, name) for metric, name in _RENAMED.items()}
    return [
        Metric(name, float(value), ended_ms, 0)
        for name, value in values.items()
        if value is not None
    ]


def result_values(metrics: Mapping[str, float]) -> dict[str, float]:
    """The fields of a result that these metrics are, counts as whole numbers."""
    named = {name: name for name in RESULT_METRICS} | _RENAMED
    return {
        name: int(metrics[metric])
        if name in _COUNTS and metrics[metric].is_integer()
        else metrics[metric]
        for metric, name in named.items()
        if metric in metrics
    }


def score_metrics(
    spec: RunSpec, result: RunResult, history: tuple[EpochRow, ...], model_id: str
) -> list[Metric]:
    """The scores of the run's model, linked to it and to its data."""
    from mlflow.entities import Metric

    ended_ms = int(history[-1].ended_at * 1000)
    return [
        Metric(
            metric.key,
            metric.value,
            ended_ms,
            0,
            model_id=model_id,
            dataset_name=spec.data.dataset,
            dataset_digest=digest(spec),
        )
        for metric in result_metrics(result, ended_ms)
        if metric.key in MODEL_SCORES
    ]


def class_tags(tokenizer: Tokenizer | None) -> dict[str, str]:
    """What the outputs of a run's network are called, where that is known."""
    if tokenizer is None:
        return {}
    return {CLASSES_TAG: some([*map(shorten, tokenizer.classes)], MOST_CLASSES)}


def digest(spec: RunSpec) -> str:
    """What MLflow knows the data by."""
    return spec.data.fingerprint[:16]
