"""Folders of any name, moved and copied: real commands, MLflow's own page, and every run once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import urllib.parse
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import spec_of
from mlflow_folder import MlflowFolder, epochs
from project import PATIENCE_S, Project, await_server, free_port, serving, write_project
from tracked import publish, published, record

pytestmark = pytest.mark.campaign

NAMES = [
    "why?",
    "50%20off",
    "a b%20c#d?e",
    "100%",
    "%%",
    "한",
    "new\nline",
    "it's",
    'say "so"',
    "trailing ",
    "x" * 200,
    "-dash",
    "a;b&c+d=e",
    "a:b",
    "back\\slash",
    ":memory:",
    "file:x",
    "[x]{y}*",
    "$HOME",
    "mlruns",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_new_folder_may_be_called_anything(name: str, tmp_path: Path) -> None:
    folder = MlflowFolder(tmp_path / "around" / name, None)
    record(folder, 0)
    publish(folder)
    assert published(folder) == ["0"]
    assert list((tmp_path / "around").iterdir()) == [folder.root]
    assert {path.name for path in folder.root.iterdir()} == {".rnnbench", "mlflow.db", "mlruns"}


@pytest.mark.parametrize("name", ["why?", "50%20off", "a b%20c#d?e", "new\nline 'q' 한"])
@pytest.mark.parametrize("page", ["rnnbench ui", "mlflow ui"])
def test_commands_and_pages_work_in_a_folder_of_that_name(
    page: str, name: str, shared: Path, tmp_path: Path
) -> None:
    project = write_project(
        tmp_path / "around" / name, shared, architectures=["lstm"], seeds=1, epochs=2
    )
    done = project.run()
    assert done.returncode == 0, done.stderr
    assert "does not take runs" not in done.stderr
    assert project.command("report").returncode == 0
    assert list((tmp_path / "around").iterdir()) == [project.folder]
    (run,) = project.tracked()
    port = free_port()
    if page == "mlflow ui":
        with serving(project, "ui", port=port) as address:
            names = artifacts(address, run.info.run_id)
    else:
        names = artifacts_of_own_page(project, port, run.info.run_id)
    assert "best.keras" in names


def artifacts_of_own_page(project: Project, port: int, run_id: str) -> list[str]:
    process = project.start_command("ui", "--port", str(port))
    try:
        await_server(f"http://127.0.0.1:{port}", process, project.output)
        return artifacts(f"http://127.0.0.1:{port}", run_id)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=PATIENCE_S)


def artifacts(address: str, run_id: str) -> list[str]:
    query = urllib.parse.urlencode({"run_id": run_id})
    with urllib.request.urlopen(f"{address}/api/2.0/mlflow/artifacts/list?{query}") as answer:
        return [file["path"] for file in json.load(answer)["files"]]


def test_a_moved_study_that_is_extended_has_each_run_once(shared: Path, tmp_path: Path) -> None:
    project = write_project(tmp_path / "a", shared, architectures=["lstm"], seeds=1, epochs=2)
    assert project.run().returncode == 0
    moved = replace(project, folder=Path(shutil.move(project.folder, tmp_path / "b")))
    assert moved.run("--seeds", "2").returncode == 0
    seeds = sorted(run.data.params["seed"] for run in moved.tracked())
    assert seeds == ["0", "1"]
    for run in moved.tracked():
        assert run.info.artifact_uri.startswith(str(moved.folder))
    assert not project.folder.exists()


def test_projects_that_share_a_server_keep_their_runs_apart(shared: Path, tmp_path: Path) -> None:
    """A project, its copy, and then the copy moved: each has its runs once."""
    port = free_port()
    project = write_project(tmp_path / "a", shared, architectures=["lstm"], seeds=1, epochs=2)
    address = f"http://127.0.0.1:{port}"
    project = replace(project, environment=project.environment | {"MLFLOW_TRACKING_URI": address})
    stored = ("--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}")
    stored += ("--artifacts-destination", str(tmp_path / "artifacts"))
    with serving(project, "server", *stored, port=port):
        assert project.run().returncode == 0
        copy = replace(project, folder=Path(shutil.copytree(project.folder, tmp_path / "b")))
        assert project.run("--seeds", "2").returncode == 0
        assert copy.run("--seeds", "3").returncode == 0
        moved = replace(copy, folder=Path(shutil.move(copy.folder, tmp_path / "c")))
        assert moved.run("--seeds", "4").returncode == 0
        seeds = sorted(run.data.params["seed"] for run in project.tracked())
    assert seeds == ["0", "1", "1", "2", "3"]  # two projects trained the second seed


def test_a_copied_project_and_its_original_both_go_on(template: Path, tmp_path: Path) -> None:
    original = MlflowFolder(tmp_path / "a", template)
    record(original, 0)
    publish(original)
    copy = MlflowFolder(Path(shutil.copytree(original.root, tmp_path / "b")), None)
    for folder, seed in ((original, 1), (copy, 1), (copy, 2)):
        record(folder, seed)
        publish(folder)
    assert published(original) == ["0", "1"]
    assert published(copy) == ["0", "1", "2"]


def test_a_project_moved_before_it_had_files_puts_them_where_it_is(
    template: Path, tmp_path: Path
) -> None:
    old = MlflowFolder(tmp_path / "a", template)
    old.record(spec_of("lstm", 0), None, epochs(1))
    publish(old)
    moved = MlflowFolder(Path(shutil.move(old.root, tmp_path / "b")), None)
    record(moved, 0)
    publish(moved)
    assert published(moved) == ["0"]
    assert not old.root.exists()
