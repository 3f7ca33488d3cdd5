"""A study published to an MLflow server whose store is a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from project import free_port, serving, write_project

pytestmark = pytest.mark.campaign

DEBIAN = Path("/usr/lib/postgresql")


@pytest.fixture
def postgresql() -> Iterator[str]:
    """The address of a database of a PostgreSQL server that was started for the test."""
    pytest.importorskip("psycopg")
    programs = sorted(DEBIAN.glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL is not installed (Debian's package is postgresql)")
    # A folder of its own: pytest's can be entered by whoever runs the tests alone.
    with tempfile.TemporaryDirectory(prefix="rnnbench-postgresql-") as name:
        folder, port = Path(name), free_port()
        owner: list[str] = []
        if os.geteuid() == 0:  # it refuses to run as root
            owner = ["runuser", "-u", "postgres", "--"]
            shutil.chown(folder, "postgres")
        run = [*owner, str(programs[-1] / "pg_ctl"), "-D", str(folder / "data"), "-w"]
        start = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        call([*run, "initdb", "-o", "-A trust -U rnnbench"], folder)
        call([*run, "start", "-l", str(folder / "log"), "-o", start], folder)
        try:
            yield f"postgresql://rnnbench@127.0.0.1:{port}/postgres"
        finally:
            call([*run, "stop", "-m", "immediate"], folder)


def call(words: list[str], folder: Path) -> None:
    # Not to a pipe, which the server would hold open.
    subprocess.run(
        words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )


def test_a_server_on_postgresql_has_every_run_once(
    postgresql: str, shared: Path, tmp_path: Path
) -> None:
    project = write_project(tmp_path / "project", shared, architectures=["lstm", "gru"], seeds=2)
    artifacts = ("--artifacts-destination", str(tmp_path / "artifacts"))
    port = free_port()
    with serving(
        project, "server", "--backend-store-uri", postgresql, *artifacts, port=port
    ) as address:
        remote = replace(
            project, environment=project.environment | {"MLFLOW_TRACKING_URI": address}
        )
        for _ in range(2):
            done = remote.run()
            assert done.returncode == 0, done.stderr
            assert "warning" not in done.stderr
        runs = remote.tracked()
        assert {run.data.tags["rnnbench.fingerprint"] for run in runs} == set(remote.run_folders())
        assert {run.info.status for run in runs} == {"FINISHED"}
        report = remote.command("report", "small")
        assert report.returncode == 0, report.stderr
