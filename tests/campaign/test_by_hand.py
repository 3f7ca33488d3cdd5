"""MLflow changed by hand, and held by another program, while real commands work."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from interruption import results, states, wait_for
from made_up import finished, spec_of
from mlflow_folder import MlflowFolder, epochs
from project import PATIENCE_S, Project, free_port, serving, write_project
from tracked import active, carry_out

from rnnbench.specs import RunResult

pytestmark = pytest.mark.campaign
SPEC = spec_of("lstm", 0)
RESULT = finished(0.8)


@pytest.fixture
def folder(tmp_path: Path, template: Path) -> MlflowFolder:
    return MlflowFolder(tmp_path, template)


@pytest.fixture
def project(shared: Path, tmp_path: Path) -> Project:
    return write_project(
        tmp_path / "project",
        shared,
        has_database=True,
        architectures=["lstm"],
        seeds=2,
        epochs=4,
    )


def test_a_deleted_study_is_filled_again(folder: MlflowFolder) -> None:
    carry_out(folder, folder.record(SPEC, RESULT, epochs(1)))
    before = active(folder)
    folder.client().delete_experiment("1")
    assert len(folder.read()) == 1
    carry_out(folder)
    assert active(folder) == before


def test_a_run_that_finished_while_the_store_was_away_is_published(folder: MlflowFolder) -> None:
    failed = RunResult(status="failed", epochs=0, reason="killed", traceback="Traceback")
    carry_out(folder, folder.record(SPEC, failed))
    folder.record(SPEC, RESULT, epochs(9))
    carry_out(folder)
    (run_id,) = active(folder)
    assert folder.client().get_run(run_id).info.status == "FINISHED"


@pytest.mark.parametrize("is_freed", [True, False], ids=["until training", "to the end"])
def test_training_does_not_wait_for_a_database_in_use(is_freed: bool, project: Project) -> None:
    with contextlib.closing(sqlite3.connect(project.folder / "mlflow.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        command = project.start()
        wait_for(lambda: states(project) if is_freed else len(results(project)) == 2, command)
        if is_freed:
            other.rollback()
        assert command.wait(timeout=PATIENCE_S) == 0, project.output.read_text()
    said = project.output.read_text()
    assert "damaged" not in said
    assert ("(another program is using it)" in said) is not is_freed
    if not is_freed:
        assert project.run().returncode == 0
    assert len(project.tracked()) == 2


def test_runs_that_were_collected_as_garbage_come_back_and_deleted_ones_do_not(
    project: Project,
) -> None:
    assert project.run().returncode == 0
    collected, deleted = (run.info.run_id for run in project.tracked())
    project.client().delete_run(collected)
    store = "sqlite:///mlflow.db"
    words = ["-m", "mlflow", "gc", "--backend-store-uri", store, "--tracking-uri", store]
    subprocess.run(
        [sys.executable, *words], cwd=project.folder, env=project.environment, check=True
    )
    project.client().delete_run(deleted)
    for _ in range(2):
        done = project.command("run", *project.options[:-1])
        assert done.returncode == 0, done.stderr
        assert "left out, because deleted in MLflow: 1 run" in done.stdout
        (run,) = project.tracked()
        assert run.info.run_id not in (collected, deleted)
    packed = project.command("export", "small", "small.zip")
    assert "left out, because deleted in MLflow: 1 run" in packed.stderr
    assert "exported: 1 run of 'small' to small.zip" in packed.stdout
    page = (project.folder / "reports" / "small" / "tables" / "facts.csv").read_text()
    assert "1 of 1" in page


def test_a_server_that_was_emptied_is_filled_again(project: Project, tmp_path: Path) -> None:
    port = free_port()
    address = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"}
    remote = replace(project, environment=project.environment | address)
    for name in ("first", "second", "second"):
        stored = ("--backend-store-uri", f"sqlite:///{tmp_path / name}.db")
        stored += ("--artifacts-destination", str(tmp_path / "artifacts"))
        with serving(remote, "server", *stored, port=port):
            assert remote.run().returncode == 0
            assert len(remote.tracked()) == 2
