"""Nothing lost, nothing twice: `kill -9` at random moments, a hundred times."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from interruption import (
    assert_same,
    assert_tracked_once,
    new_project,
    points,
    results,
    states,
    wait_for,
)
from project import PATIENCE_S, STUDY, Project, build_once, write_project
from tally import Tally
from trials import watch

pytestmark = pytest.mark.campaign
N_KILLS = 10
"""Of each chain of studies."""
OTHERS = ("report", "export", "import")
KILL = "kill -9"


@pytest.fixture(scope="module")
def reference(shared: Path) -> Project:
    """A study that nobody disturbed: two workers, two architectures, two seeds."""
    project = new_project(shared, "undisturbed")

    def run() -> None:
        done = project.run()
        assert done.returncode == 0, done.stderr

    build_once(project.folder, run)
    return project


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(9))
def test_studies_killed_at_random_moments_come_out_as_if_they_had_not_been(
    seed: int, shared: Path, reference: Project, tally: Tally
) -> None:
    rng = random.Random(seed)
    projects: list[Project] = []
    left = N_KILLS
    while left:
        project = new_project(shared, f"killed-{seed}-{len(projects)}", has_database=False)
        while True:
            process = project.start("--workers", "1")
            stage = rng.choice(("start-up", "training", "training", "publishing"))
            if left:
                await_moment(project, process, stage, rng)
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    tally(KILL, tried=1)
                    left -= 1
            code = process.wait(timeout=PATIENCE_S)
            said = project.output.read_text()
            tally(KILL, tracebacks=int("Traceback" in said))
            if code != -signal.SIGKILL:
                break
        assert code == 0, said
        projects.append(project)
    for project in projects:
        tally(KILL, lost=n_lost(project, reference), doubled=n_doubled(project))
        assert_same(project, reference)
        assert_tracked_once(project)


@pytest.mark.parametrize("command", OTHERS)
@pytest.mark.parametrize("seed", range(4))
def test_a_command_killed_at_a_random_moment_can_be_given_again(
    command: str, seed: int, finished: Project, shared: Path, tmp_path: Path, tally: Tally
) -> None:
    rng = random.Random(f"{command} {seed}")
    archive = tmp_path / "study.zip"
    project = write_project(tmp_path / "project", shared)
    if command == "import":
        assert finished.here("export", STUDY, str(archive)).returncode == 0
    else:
        shutil.copytree(finished.folder, project.folder, dirs_exist_ok=True)
    words = {
        "report": ("report", STUDY),
        "export": ("export", STUDY, str(archive)),
        "import": ("import", str(archive)),
    }[command]
    process = project.start_command(*words)
    sleep(rng.uniform(0.2, 3), process)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        tally(KILL, tried=1)
    process.wait(timeout=PATIENCE_S)
    if command == "export" and archive.exists():  # whole, or not there
        archive.rename(tmp_path / "first.zip")
        assert watch(write_project(tmp_path / "other", shared), "import", "../first.zip").code == 0
    again = watch(project, *words)
    tally(KILL, **(again.counted() | {"tried": 0}), lost=n_lost(project, finished))
    assert again.code == 0, again.said
    assert project.scores() == finished.scores()


def test_mlflow_shows_a_run_while_it_trains_on(shared: Path) -> None:
    endless = 10_000
    project = new_project(
        shared, "endless", architectures=["lstm"], seeds=1, epochs=endless, patience=endless
    )
    process = project.start()
    wait_for(lambda: points(project), process)
    assert [run.info.status for run in project.tracked()] == ["RUNNING"]
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=PATIENCE_S) == 130
    assert [run.info.status for run in project.tracked()] == ["KILLED"]


def test_two_commands_at_once_take_turns(shared: Path, reference: Project) -> None:
    project = new_project(shared, "two-commands", seeds=1, has_database=False)
    first = project.start()
    wait_for(lambda: (project.folder / ".rnnbench/workers.log").exists(), first)
    second = project.run()
    assert first.wait(timeout=PATIENCE_S) == 0
    assert second.returncode == 0
    assert "another rnnbench command is at work" in second.stdout
    assert_same(project, reference, n_runs=2)
    assert_tracked_once(project, n_runs=2)


def await_moment(
    project: Project, process: subprocess.Popen[bytes], stage: str, rng: random.Random
) -> None:
    if stage == "start-up":
        sleep(rng.uniform(0, 5), process)
    elif stage == "training":
        before = states(project)
        wait_for(lambda: states(project) != before, process)
        sleep(rng.uniform(0, 1), process)
    else:
        before = results(project)
        wait_for(lambda: results(project) != before, process)
        sleep(rng.uniform(0, 2.5), process)


def sleep(seconds: float, process: subprocess.Popen[bytes]) -> None:
    """Wait that long, or until the process has ended."""
    end = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= end, process)


def n_lost(project: Project, reference: Project) -> int:
    """Runs of the reference that the project has not, or not with the same numbers."""
    found = {key: (project.histories().get(key), score) for key, score in project.scores().items()}
    wanted = reference.histories()
    return sum(found.get(key) != (wanted[key], score) for key, score in reference.scores().items())


def n_doubled(project: Project) -> int:
    """Runs that MLflow shows more than once."""
    shown = Counter(run.data.tags["rnnbench.fingerprint"] for run in project.tracked())
    return sum(n > 1 for n in shown.values())
