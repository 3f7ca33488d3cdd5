"""Nothing lost, nothing twice: the command killed at any moment, and started again."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

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
from project import PATIENCE_S, Project, build_once, read_curves, write_project

from rnnbench.specs import EpochEnded, Event


@pytest.fixture(scope="module")
def reference(shared: Path) -> Project:
    """A study that nobody disturbed, trained in one process: two architectures, two seeds."""
    project = new_project(shared, "reference")

    def run() -> None:
        done = project.here("run", *project.options)
        assert done.returncode == 0, done.stderr

    build_once(project.folder, run)
    return project


def test_a_study_killed_in_training_comes_out_as_if_it_had_not_been(
    shared: Path, reference: Project
) -> None:
    project = new_project(shared, "killed", seeds=1)
    process = project.start("--workers", "1")
    wait_for(lambda: states(project), process)
    assert process.poll() is None, project.output.read_text()
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(timeout=PATIENCE_S) == -signal.SIGKILL
    assert len(results(project)) < 2
    assert project.here("run", *project.options).returncode == 0
    assert_same(project, reference, n_runs=2)
    assert_tracked_once(project, n_runs=2)


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

    assert project.here("run", *project.options).returncode == 0
    assert_same(project, reference, n_runs=2)
    assert_tracked_once(project, n_runs=2)


def test_mlflow_shows_a_run_while_it_trains(shared: Path) -> None:
    project = new_project(shared, "live", architectures=["lstm"], seeds=1)
    seen: list[str] = []

    def look(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.row.epoch == 2:  # the first is recorded
            wait_for(lambda: points(project))
            seen.extend(run.info.status for run in project.tracked())

    done = project.here("run", *project.options, on_event=look)
    assert done.returncode == 0, done.stderr
    assert seen == ["RUNNING"]


@pytest.fixture
def over(shared: Path, tmp_path: Path) -> Project:
    """A study of one short run, which is over."""
    project = write_project(tmp_path / "over", shared, has_database=True, epochs=3)
    assert project.here("run", *project.options).returncode == 0
    return project


def test_fresh_starts_over_and_keeps_the_old_run(over: Project) -> None:
    before = over.histories()
    assert over.here("run", *over.options, "--fresh").returncode == 0
    assert over.histories() == before
    archived = list((over.folder / ".rnnbench/archive").glob("*/*/history.csv"))
    assert [read_curves(path) for path in archived] == [before[archived[0].parent.name[:16]]]
    attempts = [(run.data.tags["rnnbench.attempt"], run.info.status) for run in over.tracked()]
    assert sorted(attempts) == [("1", "FINISHED"), ("2", "FINISHED")]


def test_more_seeds_add_only_what_is_missing(over: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in results(over)}
    more = over.here("run", *over.options, "--seeds", "2")
    assert "2 runs, 1 done already" in more.stdout
    assert len(results(over)) == 2
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_publishing_twice_changes_nothing(over: Project) -> None:
    before = all_that_is_shown(over)
    for folder in over.run_folders().values():
        (folder / "published.json").unlink()
    assert over.here("run", *over.options).returncode == 0
    assert all_that_is_shown(over) == before


def all_that_is_shown(project: Project) -> list[Any]:
    """Of every run: curves, results, artifacts, models; and all models with their scores."""
    client, runs = project.client(), project.tracked()
    shown: list[Any] = [
        (
            run.info.status,
            run.data.params,
            {
                key: [(p.step, p.value) for p in client.get_metric_history(run.info.run_id, key)]
                for key in run.data.metrics
            },
            sorted(item.path for item in client.list_artifacts(run.info.run_id)),
            [output.model_id for output in run.outputs.model_outputs],
            [used.dataset.digest for used in run.inputs.dataset_inputs],
        )
        for run in runs
    ]
    for model in client.search_logged_models([runs[0].info.experiment_id]):
        shown.append((model.model_id, sorted((m.key, m.value) for m in model.metrics)))
    return shown
