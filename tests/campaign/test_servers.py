"""Servers that are down, die in the middle and come back: every run is published, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from project import PATIENCE_S, Count, Project, await_server, free_port, write_project
from test_interruption import results, states, wait_for
from test_server_down import EPOCHS, assert_published_once

pytestmark = pytest.mark.campaign


@pytest.fixture
def project(shared: Path, tmp_path: Path) -> Project:
    """With one worker: the second run begins when the first is over."""
    project = write_project(
        tmp_path / "project", shared, architectures=["lstm"], seeds=2, epochs=EPOCHS
    )
    return replace(project, options=(*project.options, "--workers", "1"))


@pytest.mark.parametrize("moment", ["at once", "training", "publishing"])
def test_a_server_that_is_killed_and_comes_back_has_every_run_once(
    moment: str, project: Project, tmp_path: Path, count: Count
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    remote = replace(project, environment=project.environment | {"MLFLOW_TRACKING_URI": address})
    server = serve(remote, port, tmp_path)
    command = remote.start()
    happened = {
        "at once": lambda: (project.folder / ".rnnbench").exists(),
        "training": lambda: states(project),
        "publishing": lambda: results(project),
    }
    wait_for(happened[moment], command)
    kill(server)
    count(f"a server killed {moment}")
    assert command.wait(timeout=PATIENCE_S) == 0, remote.output.read_text()
    assert "Traceback" not in remote.output.read_text()
    server = serve(remote, port, tmp_path)
    try:
        assert remote.run().returncode == 0
        assert_published_once(remote)
        assert remote.run().returncode == 0
        assert_published_once(remote)
    finally:
        kill(server)


def serve(project: Project, port: int, folder: Path) -> subprocess.Popen[bytes]:
    """A real MLflow server on the port, with what it has stored so far."""
    words: Sequence[str] = (
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", f"sqlite:///{folder / 'server.db'}"),
        *("--artifacts-destination", str(folder / "artifacts")),
    )
    log = folder / "server.log"
    with open(log, "ab") as file:
        server = subprocess.Popen(
            words,
            cwd=folder,
            env=project.environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    await_server(f"http://127.0.0.1:{port}", server, log)
    return server


def kill(server: subprocess.Popen[bytes]) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait(timeout=30)
