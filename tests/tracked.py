"""Commands that publish a hand-filled folder, and the runs that MLflow then shows."""

from __future__ import annotations

from made_up import finished, spec_of
from mlflow_folder import MlflowFolder, epochs

from rnnbench.entries import LedgerEntry
from rnnbench.tracking.tracker import Tracker


def record(folder: MlflowFolder, seed: int) -> None:
    folder.record(spec_of("lstm", seed), finished(0.8), epochs(2))


def publish(folder: MlflowFolder) -> None:
    """As a command does that works on the study."""
    problems: list[str] = []
    tracker = Tracker(
        folder.ledger, "textbook", folder.store, draw=lambda *_: b"", on_problem=problems.append
    )
    tracker.begin("a command", {}, folder.ledger.entries())
    tracker.end("FINISHED", {})
    assert problems == []


def published(folder: MlflowFolder) -> list[str]:
    """Seeds in MLflow, whose files are all in the folder."""
    client = folder.client()
    (experiment,) = client.search_experiments(filter_string="name = 'textbook'")
    runs = client.search_runs([experiment.experiment_id], "tags.`rnnbench.kind` = 'run'")
    for run in runs:
        names = {item.path for item in client.list_artifacts(run.info.run_id)}
        assert "best.keras" in names
        place = folder.root / "mlruns" / experiment.experiment_id / run.info.run_id / "artifacts"
        assert (place / "best.keras").exists()
    return sorted(run.data.params["seed"] for run in runs)


def carry_out(folder: MlflowFolder, *entries: LedgerEntry) -> Tracker:
    """A command whose runs these are; without any it has nothing left to train."""
    problems: list[str] = []
    tracker = Tracker(
        folder.ledger, "textbook", folder.store, draw=lambda *_: b"", on_problem=problems.append
    )
    if entries or tracker.has_unpublished([]):
        tracker.begin("a command", {}, entries)
    tracker.end("FINISHED", {})
    assert problems == []
    return tracker


def active(folder: MlflowFolder) -> list[str]:
    """Ids of the runs that MLflow shows."""
    client = folder.client()
    (experiment,) = client.search_experiments(filter_string="name = 'textbook'")
    found = client.search_runs([experiment.experiment_id], "tags.`rnnbench.kind` = 'run'")
    return [str(run.info.run_id) for run in found]
