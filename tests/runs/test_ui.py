"""`rnnbench ui`: what it says before MLflow's server takes over."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from made_up import finished, spec_of
from mlflow_folder import MlflowFolder, epochs
from project import free_port

from rnnbench.page.screen import Screen
from rnnbench.runs import ui
from rnnbench.tracking.views import view_path


@pytest.fixture(autouse=True)
def server_that_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui, "_ui_command", lambda *_: [sys.executable, "-c", ""])


def said(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    port = free_port()
    assert ui.serve_ui(folder, "127.0.0.1", port, Screen()) == 0
    return capsys.readouterr().out.replace(f"127.0.0.1:{port}", "HERE")


def test_it_names_where_each_study_is_shown_by_test_accuracy(
    tmp_path: Path, template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = MlflowFolder(tmp_path, template)
    for study in ("first", "second"):
        folder.publish(folder.record(spec_of("lstm"), finished(0.8), epochs(2), study=study))
    lines = said(tmp_path, capsys).splitlines()
    ids = {item.name: item.experiment_id for item in folder.client().search_experiments()}
    assert sorted(lines[1:]) == [
        f"{study} by test accuracy: http://HERE/{view_path(ids[study])}"
        for study in ("first", "second")
    ]


def test_a_folder_without_runs_has_no_such_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "by test accuracy" not in said(tmp_path, capsys)
