"""A tracking server that is down holds nothing up; the next command publishes what it missed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from project import Project, free_port, serving, write_project
from server_down import EPOCHS, assert_published_once


@pytest.fixture
def project(shared: Path, tmp_path: Path) -> Project:
    return write_project(
        tmp_path / "project", shared, architectures=["lstm"], seeds=2, epochs=EPOCHS
    )


def test_runs_made_while_the_server_was_down_are_published_later_and_once(
    project: Project, template: Path
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    changed = {"MLFLOW_TRACKING_URI": address, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    remote = replace(project, environment=project.environment | changed)

    down = remote.here("run", *remote.options)
    assert down.returncode == 0, down.stderr
    assert f"the tracking store {address} does not take runs" in down.stderr
    assert "the next such command publishes them" in down.stderr
    assert "Traceback" not in down.stderr
    assert not (project.folder / "mlflow.db").exists()
    folder = project.folder.parent
    shutil.copyfile(template, folder / "server.db")
    store = ("--backend-store-uri", f"sqlite:///{folder / 'server.db'}")
    artifacts = ("--artifacts-destination", str(folder / "artifacts"))
    with serving(project, "server", *store, *artifacts, port=port):
        for _ in range(2):
            up = remote.here("run", *remote.options)
            assert up.returncode == 0
            assert "warning" not in up.stderr
            assert_published_once(remote)
        assert_others_report(remote, address)
    other = replace(remote, folder=folder / "other")
    late = other.here("report", "small", "--format", "csv")  # what was taken is here
    assert late.returncode == 0, late.stderr
    assert f"this rests on the ledger alone: {address} does not answer" in late.stderr


def assert_others_report(project: Project, address: str) -> None:
    """An empty folder gets the runs by themselves, once, and without their models."""
    other = replace(project, folder=project.folder.parent / "other")
    other.folder.mkdir()
    for words in (("report", "small"), ("report", "--format", "csv", "--tracking-uri", address)):
        done = other.here(*words)
        assert done.returncode == 0, done.stderr
        taken = f"taken in: 2 runs of others from {address}"
        assert (taken in done.stdout) == (len(words) == 2)
    for fingerprint, folder in project.run_folders().items():
        there = other.run_folders()[fingerprint]
        predictions = (there / "predictions.npz").read_bytes()
        assert predictions == (folder / "predictions.npz").read_bytes()
    assert other.histories() == project.histories()
    predicted = other.here("predict", "lstm(units=2)", "good")
    assert "has finished, and keeps no model" in predicted.stderr
    assert_published_once(project)
