"""Servers that are down, die in the middle and come back: every run is published, once."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from interruption import results, states, wait_for
from project import PATIENCE_S, Count, Project, free_port, serving, write_project
from server_down import EPOCHS, assert_published_once

pytestmark = pytest.mark.campaign


@pytest.fixture
def project(shared: Path, tmp_path: Path) -> Project:
    """With one worker: the second run begins when the first is over."""
    project = write_project(
        tmp_path / "project", shared, architectures=["lstm"], seeds=2, epochs=EPOCHS
    )
    return replace(project, options=(*project.options, "--workers", "1"))


def test_a_project_imports_what_another_has_on_a_server(project: Project, tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    remote = replace(project, environment=project.environment | {"MLFLOW_TRACKING_URI": address})
    stored = ("--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}")
    stored += ("--artifacts-destination", str(tmp_path / "artifacts"))
    other = replace(project, folder=tmp_path / "other")
    other.folder.mkdir()
    words = ("import", "mlflow:small", "--tracking-uri", address)
    down = other.command(*words)
    assert (down.returncode, down.stdout) == (3, "")
    assert f"error: {address} does not answer" in down.stderr
    with serving(remote, "server", *stored, port=port):
        assert remote.run().returncode == 0
        unknown = other.command("import", "mlflow:smal", "--tracking-uri", address)
        assert unknown.returncode == 2
        assert "unknown experiment 'smal' (did you mean 'small'?)" in unknown.stderr
        for _ in range(2):
            done = other.command(*words)
            assert done.returncode == 0, done.stderr
            assert "warning" not in done.stderr
        assert "imported: 0 runs" in done.stdout
        assert len(other.tracked()) == len(remote.tracked()) == 2
    assert other.histories() == project.histories()
    assert other.command("report", "small").returncode == 0


@pytest.mark.parametrize("moment", ["at once", "training", "publishing"])
def test_a_server_that_is_killed_and_comes_back_has_every_run_once(
    moment: str, project: Project, tmp_path: Path, count: Count
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    remote = replace(project, environment=project.environment | {"MLFLOW_TRACKING_URI": address})
    stored = ("--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}")
    stored += ("--artifacts-destination", str(tmp_path / "artifacts"))
    happened = {
        "at once": lambda: (project.folder / ".rnnbench").exists(),
        "training": lambda: states(project),
        "publishing": lambda: results(project),
    }
    with serving(remote, "server", *stored, port=port):  # it is killed at the block's end
        command = remote.start()
        wait_for(happened[moment], command)
        assert command.poll() is None, remote.output.read_text()
    count(f"a server killed {moment}")
    assert command.wait(timeout=PATIENCE_S) == 0, remote.output.read_text()
    assert "Traceback" not in remote.output.read_text()
    began = time.monotonic()
    assert remote.run().returncode == 0
    assert time.monotonic() - began < 60  # what a dead server costs; unbounded it would be 246 s
    with serving(remote, "server", *stored, port=port):
        for _ in range(2):
            assert remote.run().returncode == 0
            assert_published_once(remote)
