"""Where a running study stands, as counted and as printed."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_up import workers_here

from rnnbench.datasets import DatasetRef
from rnnbench.execution.executor import Task
from rnnbench.ledger import Ledger
from rnnbench.page.consoles import PlainConsole
from rnnbench.specs import EpochEnded, EpochRow, Failed, Finished, RunResult, RunSpec, Started
from rnnbench.studies import progress
from rnnbench.studies.plan import Plan
from rnnbench.studies.progress import LiveBoard, NotebookBoard, PlainBoard, StudyProgress
from rnnbench.study import Study


@pytest.fixture
def specs(make_spec: Callable[..., RunSpec]) -> tuple[RunSpec, ...]:
    return tuple(make_spec(name, seed=seed) for name in ("lstm", "gru") for seed in (0, 1))


@pytest.fixture
def plan(specs: tuple[RunSpec, ...], tmp_path: Path) -> Plan:
    """Four runs on two workers, the first of which is done already."""
    return Plan(
        study=Study(name="mine", architectures=("lstm", "gru"), seeds=(0, 1)),
        dataset=DatasetRef(name="made-up", fingerprint="ab", origin="here"),
        workers=workers_here(),
        ledger=Ledger(tmp_path),
        n_train=100,
        specs=specs,
        tasks=tuple(Task(spec=spec, expected_seconds=10.0) for spec in specs[1:]),
    )


def started(spec: RunSpec, first_epoch: int = 1) -> Started:
    return Started(fingerprint=spec.fingerprint, first_epoch=first_epoch, environment={})


def epoch_ended(spec: RunSpec, epoch: int, seconds: float = 1.0) -> EpochEnded:
    row = EpochRow(
        epoch=epoch,
        loss=0.7,
        accuracy=0.5,
        val_loss=0.6789,
        val_accuracy=0.5,
        epoch_seconds=seconds,
        ended_at=0.0,
    )
    return EpochEnded(fingerprint=spec.fingerprint, row=row, state=b"")


def finished(spec: RunSpec) -> Finished:
    result = RunResult(status="finished", epochs=9, best_epoch=6, val_loss=0.5, test_accuracy=0.75)
    return Finished(fingerprint=spec.fingerprint, result=result, model=b"", predictions=b"")


def failed(spec: RunSpec) -> Failed:
    return Failed(fingerprint=spec.fingerprint, reason="ValueError: [no]", traceback="")


def test_what_was_done_before_counts_for_its_architecture_only(plan: Plan) -> None:
    progress = StudyProgress(plan)
    assert [(found.n_over, found.n_runs) for found in progress.counts.values()] == [
        (1, 2),
        (0, 2),
    ]
    assert (progress.n_over, progress.n_tasks) == (0, 3)


def test_a_run_is_running_until_it_ends(plan: Plan) -> None:
    progress, spec = StudyProgress(plan), plan.specs[1]
    progress.observe(spec, started(spec, first_epoch=4))
    assert list(progress.counts["lstm"].running.values()) == [(1, 3)]
    progress.observe(spec, epoch_ended(spec, 4))
    assert list(progress.counts["lstm"].running.values()) == [(1, 4)]
    progress.observe(spec, finished(spec))
    assert progress.counts["lstm"].running == {}
    assert progress.n_over == 1


def test_a_failed_run_is_over_and_counted(plan: Plan) -> None:
    progress, spec = StudyProgress(plan), plan.specs[2]
    progress.observe(spec, failed(spec))
    assert (progress.counts["gru"].n_over, progress.counts["gru"].n_failed) == (
        1,
        1,
    )


def test_time_left_follows_how_the_others_went(plan: Plan) -> None:
    progress, spec = StudyProgress(plan), plan.specs[1]
    assert progress.seconds_left() == 15.0  # three runs of 10 s on two workers
    progress.observe(spec, epoch_ended(spec, 1, seconds=20.0))
    progress.observe(spec, finished(spec))
    assert progress.seconds_left() == 20.0  # two of them, each twice as long as expected


def test_the_last_epochs_of_a_run_that_went_on_say_nothing_of_the_others(plan: Plan) -> None:
    progress, spec = StudyProgress(plan), plan.specs[1]
    progress.observe(spec, started(spec, first_epoch=9))
    progress.observe(spec, epoch_ended(spec, 9, seconds=0.1))
    progress.observe(spec, finished(spec))
    assert progress.seconds_left() == 10.0


def test_a_run_that_takes_longer_than_expected_leaves_no_negative_time(plan: Plan) -> None:
    progress = StudyProgress(plan)
    for spec in plan.specs[1:]:
        progress.observe(spec, epoch_ended(spec, 1, seconds=99.0))
    assert progress.seconds_left() == 0.0


def test_a_log_gets_a_line_a_run(plan: Plan) -> None:
    text = io.StringIO()
    board = PlainBoard(plan, PlainConsole(file=text, width=40))
    one, two, three = plan.specs[1:]
    board.observe(one, started(one, first_epoch=3))
    board.observe(one, epoch_ended(one, 3))
    board.observe(one, finished(one))
    board.observe(two, failed(two))
    board.observe(three, started(three))
    lines = text.getvalue().splitlines()
    assert [line.split("  (")[0] for line in lines] == [
        "[0/3] lstm seed 1: goes on from epoch 3",
        "[1/3] lstm seed 1: test accuracy 0.7500, best val_loss 0.5000 in epoch 6 of 9",
        "[2/3] gru seed 0: failed: ValueError: [no]",
    ]


def test_the_live_table_has_a_row_an_architecture(plan: Plan) -> None:
    text = io.StringIO()
    board, spec = LiveBoard(plan), plan.specs[1]
    board.observe(spec, epoch_ended(spec, 2))
    PlainConsole(file=text, width=100).print(board)
    assert "1/2 seed 1: epoch 2 0.6789" in " ".join(text.getvalue().split())
    assert "0 of 3 runs done" in text.getvalue()


def test_a_notebook_has_the_same_table_which_makes_way_for_a_line(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[str, str]] = []
    cell = SimpleNamespace(draw=lambda html, text: drawn.append((html, text)))
    monkeypatch.setattr(progress, "Cell", lambda: cell)
    monkeypatch.setattr(progress, "REDRAW_SECONDS", 0.0)
    board, spec = NotebookBoard(plan), plan.specs[1]
    board.observe(spec, epoch_ended(spec, 2))
    board.end()
    assert "the workers are starting" in drawn[0][1]
    assert "seed 1: epoch 2</td>" in drawn[1][0]
    assert "<table>" not in drawn[2][0]
    assert drawn[2][1].startswith("0 of 3 runs done in ")
