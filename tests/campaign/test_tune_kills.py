"""A search that is interrupted, killed again and again, and goes on each time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest
from interruption import wait_for
from project import PATIENCE_S, Count, Project
from tune import (
    BUDGET,
    INTERRUPTED,
    JOURNAL,
    assert_tracked_once,
    new_project,
    outcomes,
    reviews,
    searched,
    tear,
    winners,
    winners_of,
)

pytestmark = pytest.mark.campaign
N_KILLS = 6


@pytest.fixture(scope="module")
def undisturbed(shared: Path) -> Project:
    """By two real workers."""
    project = new_project(shared, "undisturbed")
    done = tune_for_real(project, "2")
    assert done.returncode == 0, done.stderr
    (project.folder / "winners.json").write_text(done.stdout)
    return project


def test_a_search_interrupted_and_killed_comes_out_the_same(
    shared: Path, undisturbed: Project, count: Count
) -> None:
    project = new_project(shared, "killed")
    interrupt(project)
    draw = random.Random(0)
    for _ in range(N_KILLS):
        process = start(project)
        wanted = len(searched(project)) + draw.choice((1, 2))
        wait_for(partial(has_searched, project, wanted), process)
        if process.poll() is not None:  # all was searched
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE_S)
        tear(project.folder / JOURNAL)
        count("a search killed")
    assert winners(tune_for_real(project, "1")) == winners_of(undisturbed)
    assert outcomes(project) == outcomes(undisturbed)
    assert_tracked_once(project)


def words(project: Project, n_workers: str) -> tuple[str, ...]:
    return ("tune", "lstm", *BUDGET, "--workers", n_workers, "--dataset", reviews(project))


def tune_for_real(project: Project, n_workers: str) -> subprocess.CompletedProcess[str]:
    return project.command(*words(project, n_workers), "--json")


def has_searched(project: Project, n_runs: int) -> bool:
    return len(searched(project)) >= n_runs


def start(project: Project) -> subprocess.Popen[bytes]:
    return project.start_command(*words(project, "1"))


def interrupt(project: Project) -> None:
    """Press Ctrl-C in a real search, in the middle of a trial."""
    process = start(project)
    wait_for(lambda: len(searched(project)) >= 1, process)  # the tracker has begun trials by then
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=PATIENCE_S) == INTERRUPTED
    output = project.output.read_text()
    assert "To go on: rnnbench tune lstm" in output
    assert "Traceback" not in output
