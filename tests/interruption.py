"""A study that is disturbed while it trains, and what must have come of it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from project import PATIENCE_S, STUDY, Project, write_project

ARCHITECTURES = ("lstm-dropout", "gru")
EPOCHS = 30
CURVE_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy", "epoch_seconds")
ARTIFACTS = [
    *("best.keras", "history.csv", "loss-curve.png", "predictions.npz", "tokenizer.json"),
]


def new_project(shared: Path, name: str, **changed: Any) -> Project:
    study = {"architectures": ARCHITECTURES, "seeds": 2, "epochs": EPOCHS, "has_database": True}
    return write_project(shared / name, shared, **(study | changed))


def states(project: Project) -> dict[Path, int]:
    """When each run last ended an epoch."""
    found = (project.folder / ".rnnbench/runs").glob("*/*/state.npz")
    return {path: path.stat().st_mtime_ns for path in found if path.exists()}


def points(project: Project) -> list[Any]:
    """Of the curve that MLflow shows so far."""
    if not (project.folder / "mlflow.db").exists():
        return []
    client = project.client()
    if client.get_experiment_by_name(STUDY) is None:
        return []
    runs = project.tracked()
    return client.get_metric_history(runs[0].info.run_id, "val_loss") if runs else []


def results(project: Project) -> list[Path]:
    return sorted((project.folder / ".rnnbench/runs").glob("*/*/result.json"))


def wait_for(
    happened: Callable[[], object], process: subprocess.Popen[bytes] | None = None
) -> None:
    """Wait until something has happened, or the process has ended."""
    give_up = time.monotonic() + PATIENCE_S
    while not (happened() or (process is not None and process.poll() is not None)):
        assert time.monotonic() < give_up
        time.sleep(0.01)


def assert_same(project: Project, reference: Project, n_runs: int = 4) -> None:
    """Every number but times is the reference's, bit for bit."""
    histories, scores = project.histories(), project.scores()
    assert len(histories) == len(scores) == n_runs
    assert histories == {key: reference.histories()[key] for key in histories}
    assert scores == {key: reference.scores()[key] for key in scores}


def assert_tracked_once(project: Project, n_runs: int = 4) -> None:
    """MLflow shows each run of the ledger once and whole, and nothing that is still running."""
    client, runs = project.client(), project.tracked()
    fingerprints = [run.data.tags["rnnbench.fingerprint"] for run in runs]
    assert len(runs) == n_runs
    assert sorted(fingerprints) == sorted(project.run_folders())
    for run in runs:
        assert run.info.status == "FINISHED"
        for metric in CURVE_METRICS:
            points = client.get_metric_history(run.info.run_id, metric)
            assert [point.step for point in points] == list(range(1, EPOCHS + 1)), metric
        assert len(client.get_metric_history(run.info.run_id, "test_accuracy")) == 1
        artifacts = [item.path for item in client.list_artifacts(run.info.run_id)]
        assert sorted(artifacts) == ARTIFACTS
    models = client.search_logged_models([runs[0].info.experiment_id])
    sources = [model.source_run_id for model in models]
    assert len(sources) == len(set(sources))
    assert all(model.status == "READY" for model in models)
    assert all(len(run.outputs.model_outputs) <= 1 for run in runs)
    assert "RUNNING" not in {run.info.status for run in project.tracked("invocation")}
