"""What `kill -9` leaves behind is swept by the next command, and what a living one holds is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from interruption import new_project, states, wait_for
from project import PATIENCE_S, Count, Project

from rnnbench.data.files import remove_abandoned, sweep_folders

pytestmark = pytest.mark.campaign
N_KILLS = 8
HOLD = """
import sys, time
from pathlib import Path
from rnnbench.data.files import whole_file
from rnnbench.data.files import temporary_folder
root = Path(sys.argv[1])
with temporary_folder(root) as folder, whole_file(root / "state.npz") as stream:
    stream.write(b"half of it")
    print("held", flush=True)
    time.sleep(600)
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    """A process that holds a temporary folder and a file in `folder`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_killed_process_holds_nothing_and_a_living_one_does(tmp_path: Path) -> None:
    killed, living = hold(tmp_path), hold(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    kill(killed)
    sweep_folders(tmp_path)
    remove_abandoned(tmp_path.glob(".state.npz.*"))
    assert len(list(tmp_path.iterdir())) == 2
    kill(living)
    sweep_folders(tmp_path)
    remove_abandoned(tmp_path.glob(".state.npz.*"))
    assert list(tmp_path.iterdir()) == []


def test_a_thousand_folders_of_others_are_passed_over_in_no_time(tmp_path: Path) -> None:
    for number in range(1000):
        (tmp_path / f"rnnbench-{number}").mkdir()
        (tmp_path / f"tmp{number}").touch()
    began = time.process_time()
    sweep_folders(tmp_path)
    assert time.process_time() - began < 0.05
    assert len(list(tmp_path.iterdir())) == 2000


@pytest.mark.timeout(3600)
def test_a_study_that_is_killed_and_goes_on_leaves_nothing_behind(
    shared: Path, tmp_path: Path, count: Count
) -> None:
    project = new_project(shared, "leftovers")
    folder = tmp_path / "temporary"
    folder.mkdir()
    project = replace(project, environment=project.environment | {"TMPDIR": str(folder)})
    for _ in range(N_KILLS):
        process = project.start("--workers", "1")
        before = states(project)
        wait_for(lambda before=before: states(project) != before, process)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            count("a study killed")
        process.wait(timeout=PATIENCE_S)
    assert project.run().returncode == 0
    assert [path.name for path in folder.glob("rnnbench-*")] == []
    assert hidden_files(project) == []


def hidden_files(project: Project) -> list[Path]:
    return [path for path in (project.folder / ".rnnbench/runs").rglob(".*") if path.is_file()]
