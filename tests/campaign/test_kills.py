"""Nothing lost, nothing twice: `kill -9` at random moments, dozens of times."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from project import PATIENCE_S, Count, Project, build_once
from test_interruption import (
    assert_same,
    assert_tracked_once,
    new_project,
    points,
    results,
    states,
    wait_for,
)

pytestmark = pytest.mark.campaign
N_KILLS = 30
"""Of each chain of studies."""


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
@pytest.mark.parametrize("seed", [1, 2])
def test_studies_killed_at_random_moments_come_out_as_if_they_had_not_been(
    seed: int, shared: Path, reference: Project, count: Count
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
                    count(f"a study killed during {stage}")
                    left -= 1
            code = process.wait(timeout=PATIENCE_S)
            if code != -signal.SIGKILL:
                break
        assert code == 0, project.output.read_text()
        projects.append(project)
    for project in projects:
        assert_same(project, reference)
        assert_tracked_once(project)


def test_mlflow_shows_a_run_while_it_trains_on(shared: Path) -> None:
    endless = 100_000
    project = new_project(
        shared, "endless", architectures=["lstm"], seeds=1, epochs=endless, patience=endless
    )
    process = project.start()
    wait_for(lambda: points(project), process)
    assert [run.info.status for run in project.tracked()] == ["RUNNING"]
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=PATIENCE_S) == 130
    assert [run.info.status for run in project.tracked()] == ["KILLED"]


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
