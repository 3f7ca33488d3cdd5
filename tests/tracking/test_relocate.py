"""A project's folder under any name, moved and copied: MLflow has each run once, with its files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mlflow_folder import MlflowFolder
from tracked import publish, published, record


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
