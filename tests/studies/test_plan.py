"""What a command is about to run: minus what is done, and how long the rest may take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from made_up import workers_here

from rnnbench.datasets import DatasetRef
from rnnbench.ledger import Ledger
from rnnbench.specs import EpochEnded, EpochRow, Failed, Finished, PluginForm, RunResult, RunSpec
from rnnbench.studies.plan import (
    TYPICAL_EPOCHS,
    WORKER_START_SECONDS,
    Plan,
    typical_epochs,
)
from rnnbench.study import Study
from rnnbench.training.engine import Variables
from rnnbench.training.progress import Progress

STUDY = Study(name="mine", architectures=("lstm",), seeds=(0,))
MakeSpec = Callable[..., RunSpec]


def plan(root: Path, specs: Sequence[RunSpec], n_workers: int = 2, n_train: int = 25_000) -> Plan:
    return Plan(
        study=STUDY,
        specs=tuple(specs),
        dataset=DatasetRef(name="made-up", fingerprint="ab", origin="here"),
        workers=workers_here(n_workers),
        ledger=Ledger(root),
        n_train=n_train,
    ).refreshed()


def finish(
    root: Path,
    spec: RunSpec,
    study: str = "mine",
    seconds: float = 1.0,
    epochs: int = 2,
    imported_from: str = "",
) -> None:
    ledger = Ledger(root)
    result = RunResult(
        status="finished",
        epochs=epochs,
        fit_seconds=seconds,
        environment={"imported_from": imported_from} if imported_from else {},
    )
    event = Finished(fingerprint=spec.fingerprint, result=result, model=b"", predictions=b"")
    ledger.record(ledger.open_run(study, spec), event)


def interrupt(root: Path, spec: RunSpec, n_epochs: int) -> bytes:
    """Leave a run after some epochs; its state."""
    progress = Progress.begin(Variables(weights=(np.zeros(1),), optimizer=()), spec.recipe)
    for epoch in range(1, n_epochs + 1):
        row = EpochRow(
            epoch=epoch,
            loss=0.6,
            accuracy=0.5,
            val_loss=0.6,
            val_accuracy=0.5,
            epoch_seconds=1.0,
            ended_at=0.0,
        )
        progress = progress.after(progress.variables, row)
    ledger, state = Ledger(root), progress.to_bytes()
    event = EpochEnded(fingerprint=spec.fingerprint, row=row, state=state)
    ledger.record(ledger.open_run("mine", spec), event)
    return state


def test_everything_is_left_to_do_at_first(tmp_path: Path, make_spec: MakeSpec) -> None:
    found = plan(tmp_path, [make_spec(seed=0), make_spec(seed=1)])
    assert (len(found.tasks), found.n_done, found.n_resumed, found.n_workers) == (2, 0, 0, 2)
    assert all(task.state is None for task in found.tasks)


def test_a_name_that_another_command_took_since_is_not_taken_again(
    tmp_path: Path, make_spec: MakeSpec
) -> None:
    form = PluginForm(name="net.py:build", code="a" * 12)
    (tmp_path / "net.py").write_text("def build(): return []")
    study = replace(STUDY, architectures=(str(tmp_path / "net.py"),))
    spec = replace(make_spec(), form=study.form("net.py:build"))
    before, said = replace(plan(tmp_path, [spec]), study=study), list[str]()
    finish(tmp_path, replace(make_spec(), form=form))
    found = before.named(said.append).refreshed()
    assert found.study.architectures == (found.tasks[0].spec.form.cell,) == ("net.py:build v2",)
    assert found.tasks[0].spec.fingerprint == spec.fingerprint
    assert len(said) == 1


@pytest.mark.parametrize("study", ["mine", "another"])
def test_a_finished_run_is_skipped_whichever_study_finished_it(
    tmp_path: Path, make_spec: MakeSpec, study: str
) -> None:
    finish(tmp_path, make_spec(seed=0), study)
    found = plan(tmp_path, [make_spec(seed=0), make_spec(seed=1)])
    assert [task.spec.seed for task in found.tasks] == [1]
    assert found.n_done == 1


def test_a_failed_run_is_planned_again(tmp_path: Path, make_spec: MakeSpec) -> None:
    spec, ledger = make_spec(), Ledger(tmp_path)
    event = Failed(fingerprint=spec.fingerprint, reason="no", traceback="no")
    ledger.record(ledger.open_run("mine", spec), event)
    assert len(plan(tmp_path, [spec]).tasks) == 1


def test_an_interrupted_run_goes_on_and_takes_less(tmp_path: Path, make_spec: MakeSpec) -> None:
    spec = make_spec(epochs=10)
    fresh = plan(tmp_path, [spec]).tasks[0]
    state = interrupt(tmp_path, spec, n_epochs=4)
    found = plan(tmp_path, [spec])
    assert found.n_resumed == 1
    assert found.tasks[0].state == state
    assert found.tasks[0].expected_seconds == pytest.approx(0.6 * fresh.expected_seconds)


def test_an_estimate_is_the_median_of_its_like(tmp_path: Path, make_spec: MakeSpec) -> None:
    for seed, seconds in enumerate((10.0, 30.0, 500.0)):
        finish(tmp_path, make_spec(seed=seed), seconds=seconds)
    same, other = plan(tmp_path, [make_spec(seed=9), make_spec("gru", seed=9)]).tasks
    assert same.expected_seconds == 30.0
    assert other.expected_seconds != 30.0


def test_an_imported_run_lends_its_epochs_but_not_its_seconds(
    tmp_path: Path, make_spec: MakeSpec
) -> None:
    def seconds(epochs: int) -> float:
        root = tmp_path / str(epochs)
        imported = make_spec(seed=0, epochs=20)
        finish(root, imported, seconds=1000.0 / epochs, epochs=epochs, imported_from="elsewhere")
        found = plan(root, [make_spec(seed=1, epochs=20)])
        assert not found.is_guess
        return found.tasks[0].expected_seconds

    assert seconds(10) == pytest.approx(2 * seconds(5))


def test_the_first_estimate_grows_with_data_layers_and_epochs(
    tmp_path: Path, make_spec: MakeSpec
) -> None:
    def seconds(spec: RunSpec, n_train: int = 25_000) -> float:
        return plan(tmp_path, [spec], n_train=n_train).tasks[0].expected_seconds

    textbook = partial(make_spec, learning_rate=1e-4)
    one = seconds(textbook(epochs=10))
    assert seconds(textbook(epochs=10), n_train=50_000) == pytest.approx(2 * one)
    assert seconds(textbook("lstm-stacked", epochs=10)) == pytest.approx(2 * one)
    assert seconds(textbook(epochs=20)) == pytest.approx(2 * one)
    assert seconds(textbook(epochs=10, max_len=20)) == pytest.approx(2 * one)
    assert seconds(textbook(epochs=1000)) == pytest.approx(TYPICAL_EPOCHS / 10 * one)


def test_a_higher_learning_rate_is_expected_to_stop_sooner(make_spec: MakeSpec) -> None:
    def epochs(learning_rate: float, most: int = 100) -> int:
        return typical_epochs(make_spec(epochs=most, learning_rate=learning_rate))

    assert epochs(1e-4) == TYPICAL_EPOCHS
    assert 6 <= epochs(0.0168) <= 9  # 7.6 over ten seeds: docs/results/tuned/runs.csv
    assert epochs(1e-4, most=10) == 10
    assert epochs(1e9) == make_spec().recipe.patience + 1


def test_the_wall_clock_is_shared_among_workers_but_no_run_is_split(
    tmp_path: Path, make_spec: MakeSpec
) -> None:
    finish(tmp_path, make_spec(seed=0), seconds=100.0)
    four = [make_spec(seed=seed) for seed in (1, 2, 3, 4)]
    assert plan(tmp_path, four).expected_seconds == pytest.approx(WORKER_START_SECONDS + 200)
    assert plan(tmp_path, four[:1]).expected_seconds == pytest.approx(WORKER_START_SECONDS + 100)


def test_nothing_left_takes_no_time_and_no_worker(tmp_path: Path, make_spec: MakeSpec) -> None:
    finish(tmp_path, make_spec())
    found = plan(tmp_path, [make_spec()])
    assert (found.tasks, found.n_workers, found.expected_seconds) == ((), 0, 0.0)


def test_planning_changes_no_run(tmp_path: Path, make_spec: MakeSpec) -> None:
    plan(tmp_path, [make_spec()])
    assert Ledger(tmp_path).entries() == []
