"""Nothing lost, nothing twice: the command killed at any moment, and started again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from project import PATIENCE_S, Project, read_curves, write_project

ARCHITECTURES = ("lstm-dropout", "gru")
EPOCHS = 30
N_KILLS = 20
CURVE_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy", "epoch_seconds")
ARTIFACTS = ["best.keras", "history.csv", "loss-curve.png", "predictions.npz"]


@pytest.fixture(scope="module")
def reference(shared: Path) -> Project:
    """A study that nobody disturbed: two workers, two architectures, two seeds."""
    project = new_project(shared, "reference")
    done = project.run()
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture(scope="module")
def finished(shared: Path) -> Project:
    """A study of one short run, which is over."""
    project = new_project(shared, "finished", architectures=["lstm"], seeds=1, epochs=3)
    assert project.run().returncode == 0
    return project


@pytest.mark.timeout(2400)
def test_a_study_killed_at_random_moments_comes_out_as_if_it_had_not_been(
    shared: Path, reference: Project
) -> None:
    kills = Kills()
    with ThreadPoolExecutor(2) as pool:
        chains = [pool.submit(kill_until_enough, shared, seed, kills) for seed in (1, 2)]
        projects = [project for chain in chains for project in chain.result()]
    assert len(kills.stages) >= N_KILLS
    for project in projects:
        assert_same(project, reference)
        assert_tracked_once(project)


def test_ctrl_c_ends_the_command_and_a_resume_goes_on_bit_for_bit(
    shared: Path, reference: Project
) -> None:
    project = new_project(shared, "ctrl-c", seeds=1)
    process = project.start("--workers", "1")  # the second run has not begun when the first has
    wait_for(lambda: states(project), process)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=PATIENCE_S) == 130
    output = project.output.read_text()
    assert "To go on: rnnbench run --study study.toml" in output
    assert "Traceback" not in output
    statuses = {run.info.status for run in project.tracked()}
    assert "KILLED" in statuses
    assert "RUNNING" not in statuses
    assert [run.info.status for run in project.tracked("invocation")] == ["KILLED"]

    assert project.run().returncode == 0
    assert_same(project, reference, n_runs=2)
    assert_tracked_once(project, n_runs=2)


def test_two_commands_at_once_take_turns(shared: Path, reference: Project) -> None:
    project = new_project(shared, "two-commands", seeds=1)
    first = project.start()
    wait_for(lambda: (project.folder / ".rnnbench/workers.log").exists(), first)
    second = project.run()
    assert first.wait(timeout=PATIENCE_S) == 0
    assert second.returncode == 0
    assert "another rnnbench command is at work" in second.stdout
    assert_same(project, reference, n_runs=2)
    assert_tracked_once(project, n_runs=2)


def test_fresh_starts_over_and_keeps_the_old_run(finished: Project) -> None:
    before = finished.histories()
    assert finished.run("--fresh", "--seeds", "1").returncode == 0
    assert finished.histories() == before
    archived = list((finished.folder / ".rnnbench/archive").glob("*/*/history.csv"))
    assert [read_curves(path) for path in archived] == [before[archived[0].parent.name[:16]]]
    attempts = [
        (run.data.tags["rnnbench.attempt"], run.info.status)
        for run in finished.tracked()
        if run.data.params["seed"] == "0"
    ]
    assert sorted(attempts) == [("1", "FINISHED"), ("2", "FINISHED")]


def test_more_seeds_add_only_what_is_missing(finished: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in results(finished)}
    more = finished.run("--seeds", "2")
    assert "2 runs, 1 done already" in more.stdout
    assert len(results(finished)) == 2
    assert {path: path.stat().st_mtime_ns for path in before} == before


class Kills:
    """How often, and in which stage, both chains have killed their command."""

    def __init__(self) -> None:
        self.stages: list[str] = []


def new_project(shared: Path, name: str, **changed: Any) -> Project:
    study = {"architectures": ARCHITECTURES, "seeds": 2, "epochs": EPOCHS} | changed
    return write_project(shared / name, shared, **study)


def kill_until_enough(shared: Path, seed: int, kills: Kills) -> list[Project]:
    """Study after study, killed again and again until it is done; the projects."""
    rng = random.Random(seed)
    projects: list[Project] = []
    while len(kills.stages) < N_KILLS:
        project = new_project(shared, f"killed-{seed}-{len(projects)}")
        while (code := run_until_killed(project, rng, kills)) == -signal.SIGKILL:
            pass
        assert code == 0, project.output.read_text()
        projects.append(project)
    return projects


def run_until_killed(project: Project, rng: random.Random, kills: Kills) -> int:
    """The exit code of a command whose whole process group is killed, if it is not done before."""
    process = project.start("--workers", "1")
    stage = rng.choice(("start-up", "training", "training", "publishing"))
    if len(kills.stages) < N_KILLS:
        await_moment(project, process, stage, rng)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            kills.stages.append(stage)
    return process.wait(timeout=PATIENCE_S)


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


def states(project: Project) -> dict[Path, int]:
    """When each run last ended an epoch."""
    found = (project.folder / ".rnnbench/runs").glob("*/*/state.npz")
    return {path: path.stat().st_mtime_ns for path in found if path.exists()}


def results(project: Project) -> list[Path]:
    return sorted((project.folder / ".rnnbench/runs").glob("*/*/result.json"))


def wait_for(happened: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Wait until something has happened, or the process has ended."""
    give_up = time.monotonic() + PATIENCE_S
    while process.poll() is None and not happened():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def sleep(seconds: float, process: subprocess.Popen[bytes]) -> None:
    """Wait that long, or until the process has ended."""
    end = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= end, process)


def assert_same(project: Project, reference: Project, n_runs: int = 4) -> None:
    """Every number but times is the reference's, bit for bit."""
    histories, scores = project.histories(), project.scores()
    assert len(histories) == len(scores) == n_runs
    assert histories == {key: reference.histories()[key] for key in histories}
    assert scores == {key: reference.scores()[key] for key in scores}


def assert_tracked_once(project: Project, n_runs: int = 4) -> None:
    """MLflow shows each run of the ledger once and whole, and nothing that is still running."""
    client, runs = project.client(), project.tracked()
    fingerprints = [run.data.tags["rnnbench.fingerprint"] for run in runs]
    assert len(runs) == n_runs
    assert sorted(fingerprints) == sorted(project.run_folders())
    for run in runs:
        assert run.info.status == "FINISHED"
        for metric in CURVE_METRICS:
            points = client.get_metric_history(run.info.run_id, metric)
            assert [point.step for point in points] == list(range(1, EPOCHS + 1)), metric
        assert len(client.get_metric_history(run.info.run_id, "test_accuracy")) == 1
        artifacts = [item.path for item in client.list_artifacts(run.info.run_id)]
        assert sorted(artifacts) == ARTIFACTS
    models = client.search_logged_models([runs[0].info.experiment_id])
    sources = [model.source_run_id for model in models]
    assert len(sources) == len(set(sources))
    assert all(model.status == "READY" for model in models)
    assert all(len(run.outputs.model_outputs) <= 1 for run in runs)
    assert "RUNNING" not in {run.info.status for run in project.tracked("invocation")}
