"""What MLflow is told of searches and their trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rnnbench.ledger import Parent
from rnnbench.tracking.groups import Group
from rnnbench.tuning.figures import draw_search
from rnnbench.tuning.record import TuningRecord
from rnnbench.tuning.search import Search, measure_importances
from rnnbench.tuning.space import Space
from rnnbench.tuning.trials import Trial

__all__ = ["describe_search", "describe_trial", "draw_searches", "search_chain"]


def describe_search(
    search: Search, record: TuningRecord, figures: Mapping[str, bytes], interrupted: bool
) -> Group:
    """What MLflow is told of a search: what it was declared with, and the best so far."""
    metrics = {
        "n_trials": float(len(record.trials)),
        "n_pruned": float(sum(trial.state == "pruned" for trial in record.trials)),
        "n_failed": float(sum(trial.state == "failed" for trial in record.trials)),
        "trained_epochs": float(sum(trial.epochs for trial in record.trials)),
        "trained_seconds": sum(trial.seconds for trial in record.trials),
    }
    if record.winner is not None and record.winner.value is not None:
        best = {f"best_{key}": float(value) for key, value in record.winner.params.items()}
        metrics |= best | {
            "best_val_loss": record.winner.value,
            "best_trial": float(record.winner.number),
        }
    return Group(
        chain=search_chain(search),
        params=_flat(record.declaration),
        metrics=metrics,
        files={"tuning.json": json.dumps(asdict(record), indent=1).encode(), **figures},
        status="KILLED" if interrupted or not record.is_over else "FINISHED",
        is_final=False,
    )


def search_chain(search: Search, number: int | None = None) -> tuple[Parent, ...]:
    """The search, and the trial in it; a search that was started over has other keys."""
    key = f"{search.name} {search.began}"
    whole = Parent(key=key, name=search.name)
    if number is None:
        return (whole,)
    return whole, Parent(key=f"{key} trial {number}", name=f"trial {number}")


def describe_trial(search: Search, trial: Trial) -> Group:
    """What MLflow is told of a trial that is over."""
    metrics = {"trained_epochs": float(trial.epochs), "trained_seconds": trial.seconds}
    if trial.value is not None:
        metrics["mean_best_val_loss"] = trial.value
    return Group(
        chain=search_chain(search, trial.number),
        params={key: str(value) for key, value in trial.params.items()},
        metrics=metrics,
        tags={"rnnbench.status": trial.state, "rnnbench.reason": trial.reason or ""},
    )


def draw_searches(records: Sequence[TuningRecord], space: Space) -> list[dict[str, bytes]]:
    """The figures of each search that has a winner."""
    return [
        draw_search(record, measure_importances(space, record.trials)) if record.winner else {}
        for record in records
    ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:  # Any: JSON values
    flat: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: str(value)[:500]}
    return flat
