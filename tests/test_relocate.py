"""A project's folder under any name, moved and copied: MLflow has each run once, with its files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_up import finished, spec_of
from mlflow_folder import MlflowFolder, epochs

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


@pytest.mark.parametrize("name", ["why?", "50%20off; 'a:b'\n한"])
def test_a_folder_may_be_called_anything(name: str, template: Path, tmp_path: Path) -> None:
    folder = MlflowFolder(tmp_path / "around" / name, template)
    record(folder, 0)
    publish(folder)
    assert published(folder) == ["0"]
    assert list((tmp_path / "around").iterdir()) == [folder.root]
    assert {path.name for path in folder.root.iterdir()} == {".rnnbench", "mlflow.db", "mlruns"}


def test_a_moved_project_goes_on_where_it_is(template: Path, tmp_path: Path) -> None:
    old = MlflowFolder(tmp_path / "a 100%", template)
    record(old, 0)
    publish(old)
    moved = MlflowFolder(Path(shutil.move(old.root, tmp_path / "b?")), None)
    record(moved, 1)
    publish(moved)
    assert published(moved) == ["0", "1"]
    assert not old.root.exists()
