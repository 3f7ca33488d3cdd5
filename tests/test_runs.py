"""Runs read back: each once, as it was, whatever MLflow says of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mlflow_folder import RESULT, SPEC, MlflowFolder, epochs

from rnnbench.errors import StoreError
from rnnbench.ledger import Ledger
from rnnbench.recorded_runs import CURVES, RecordedRun, read_runs
from rnnbench.specs import RunResult, RunSpec
from rnnbench.tracking.answers import bounded
from rnnbench.tracking.client import attach_files, find_stages, import_mlflow
from rnnbench.tracking.notes import read_notes, write_notes
from rnnbench.tracking.publisher import SPEC_TAG, STATUS_TAG
from rnnbench.tracking.store import Store

FAILED = RunResult(
    status="failed",
    epochs=2,
    reason="ValueError: no",
    traceback="Traceback…",
    environment={"device": "cpu", "version.keras": "3.15.1"},
)
DIVERGED = RunResult(status="diverged", epochs=3, reason="the loss is not finite after epoch 3")


@pytest.fixture
def folder(tmp_path: Path, template: Path) -> MlflowFolder:
    return MlflowFolder(tmp_path, template)


def only(found: list[RecordedRun]) -> RecordedRun:
    (run,) = found
    return run


def as_array(rows: Any) -> np.ndarray:
    return np.array([[getattr(row, name) for name in CURVES] for row in rows]).reshape(-1, 4)


@pytest.mark.parametrize("n_epochs", [7, 300], ids=["short", "longer than one call takes"])
def test_a_published_run_comes_back_as_it_was(n_epochs: int, folder: MlflowFolder) -> None:
    entry = folder.record(SPEC, RESULT, epochs(n_epochs))
    folder.publish(entry)
    run = only(folder.read())
    assert (run.study, run.spec, run.result) == ("textbook", SPEC, RESULT)
    assert run.history is not None
    np.testing.assert_array_equal(run.history, as_array(epochs(n_epochs)))  # to the last bit
    assert run.run_id is not None
    assert run.folder == entry.folder


def test_what_is_not_yet_published_is_added_once(folder: MlflowFolder) -> None:
    specs = [replace(SPEC, seed=seed) for seed in range(3)]
    entries = [folder.record(spec, RESULT, epochs(2)) for spec in specs]
    folder.publish(*entries[:2])
    found = {run.spec.seed: run.run_id for run in folder.read()}
    assert set(found) == {0, 1, 2}
    assert [seed for seed, run_id in found.items() if run_id is None] == [2]


def test_a_run_in_the_middle_has_its_epochs_and_no_result(folder: MlflowFolder) -> None:
    entry = folder.record(SPEC, None, epochs(2))
    folder.publish(entry)
    folder.record(SPEC, None, epochs(4))
    run = only(folder.read())
    assert (run.result, run.is_finished) == (None, False)
    np.testing.assert_array_equal(run.history, as_array(epochs(4)))


def test_a_run_that_was_started_over_counts_as_its_last_attempt(folder: MlflowFolder) -> None:
    folder.publish(folder.record(SPEC, RESULT, epochs(7)))
    folder.ledger.archive("textbook", SPEC)
    again = replace(RESULT, test_accuracy=0.5)
    entry = folder.record(SPEC, again, epochs(6, seed=1))
    unpublished = only(folder.read())
    folder.publish(entry)
    published = only(folder.read())
    assert unpublished.result == published.result == again
    assert (unpublished.run_id is None, published.run_id is None) == (True, False)


@pytest.mark.parametrize("result", [FAILED, DIVERGED], ids=lambda result: result.status)
def test_a_run_without_a_score_comes_back_with_its_reason(
    folder: MlflowFolder, result: RunResult
) -> None:
    entry = folder.record(SPEC, result, epochs(result.epochs))
    folder.publish(entry)
    assert only(folder.read()).result == result
    assert not only(folder.read()).is_finished


def test_losses_that_are_no_numbers_come_back(folder: MlflowFolder) -> None:
    first, second, third = epochs(3)
    second = replace(second, loss=math.inf)
    third = replace(third, loss=math.nan, val_loss=-math.inf)
    rows = (first, second, third)
    folder.publish(folder.record(SPEC, DIVERGED, rows))
    np.testing.assert_array_equal(only(folder.read()).history, as_array(rows))


def test_a_failed_run_that_is_tried_again_is_not_over(folder: MlflowFolder) -> None:
    folder.publish(folder.record(SPEC, FAILED, epochs(2)))
    entry = folder.ledger.open_run("textbook", SPEC)
    before = only(folder.read())  # MLflow has not heard of it
    folder.publish(entry)
    after = only(folder.read())
    assert before.result is after.result is None


def test_a_failed_run_that_has_finished_since_is_finished(folder: MlflowFolder) -> None:
    folder.publish(folder.record(SPEC, FAILED, epochs(2)))
    folder.record(SPEC, RESULT, epochs(7))
    assert only(folder.read()).result == RESULT


def test_a_run_that_was_deleted_in_mlflow_is_left_out(folder: MlflowFolder) -> None:
    entries = [folder.record(replace(SPEC, seed=seed), RESULT, epochs(2)) for seed in (0, 1)]
    folder.publish(*entries)
    first, second = (run.run_id for run in folder.read())
    assert first is not None
    assert second is not None
    folder.client().delete_run(first)
    folder.publish(*entries)
    assert only(folder.read()).run_id == second
    folder.client().delete_run(second)
    assert folder.read() == []
    folder.client().restore_run(first)
    assert only(folder.read()).run_id == first


def test_what_is_edited_in_mlflow_changes_nothing(folder: MlflowFolder) -> None:
    folder.publish(folder.record(SPEC, RESULT, epochs(7)))
    run_id = only(folder.read()).run_id
    assert run_id is not None
    client = folder.client()
    client.log_metric(run_id, "test_accuracy", 0.99)
    client.log_metric(run_id, "val_loss", 0.0, step=8)
    for tag in (STATUS_TAG, SPEC_TAG, "rnnbench.command", "rnnbench.device"):
        client.set_tag(run_id, tag, "diverged")
    run = only(folder.read())
    assert (run.spec, run.result) == (SPEC, RESULT)
    np.testing.assert_array_equal(run.history, as_array(epochs(7)))


def test_runs_of_other_studies_come_without_their_epochs(folder: MlflowFolder) -> None:
    folder.publish(folder.record(SPEC, RESULT, epochs(3)))
    folder.publish(folder.record(replace(SPEC, seed=5), RESULT, epochs(3), study="orders"))
    folder.record(replace(SPEC, seed=6), RESULT, epochs(3), study="lengths")
    found = read_runs(folder.ledger, whole="textbook")
    names = {run.study: run.history is None for run in found}
    assert names == {"textbook": False, "lengths": True, "orders": True}
    assert [run.result for run in found] == [RESULT] * 3


def test_files_are_kept_with_the_last_command(folder: MlflowFolder, tmp_path: Path) -> None:
    entry = folder.record(SPEC, RESULT, epochs(1))
    folder.publish(entry)
    folder.publish(entry)
    page, table = tmp_path / "out" / "index.html", tmp_path / "out" / "tables" / "pairs.csv"
    table.parent.mkdir(parents=True)
    (tmp_path / "out" / "private.txt").write_text("not the report's")
    for path in (page, table):
        path.write_text(path.name)
    assert attach_files(folder.store, "textbook", tmp_path / "out", [page, table], "report")
    client = folder.client()
    found = client.search_runs(["1"], "tags.`rnnbench.kind` = 'invocation'")
    last, before = (run.info.run_id for run in found)
    kept = [item.path for item in client.list_artifacts(last, "report")]
    assert sorted(kept) == ["report/index.html", "report/tables"]
    assert [item.path for item in client.list_artifacts(last, "report/tables")] == [
        "report/tables/pairs.csv"
    ]
    assert client.list_artifacts(before) == []


def test_files_of_a_study_that_no_command_made_have_no_place(
    folder: MlflowFolder, tmp_path: Path
) -> None:
    assert not attach_files(folder.store, "textbook", tmp_path, [], "report")


def test_a_store_that_is_not_there_takes_no_files_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no mlflow\.db here"):
        attach_files(Store(root=tmp_path), "textbook", tmp_path, [], "report")
    assert list(tmp_path.iterdir()) == []


def test_a_spec_fits_a_tag() -> None:
    assert RunSpec.from_json(json.loads(json.dumps(SPEC.to_json()))) == SPEC
    assert len(json.dumps(SPEC.to_json())) < 5000  # what MLflow takes


def test_mlflow_takes_its_answers_through_a_bounded_adapter() -> None:
    import_mlflow()
    from mlflow.utils.request_utils import _get_request_session

    session = _get_request_session(1, 2, 1.0, frozenset([503]), True, True)
    adapter = type(session.get_adapter("http://host"))
    assert adapter.__name__ == "BoundedTCPKeepAliveHTTPAdapter"
    assert bounded(adapter) is adapter


def test_notes_under_an_address_with_a_password_lose_it(folder: MlflowFolder) -> None:
    entry = folder.record(SPEC, RESULT, epochs(1))
    entry.note_published({"http://me:pw@host": {"run_id": "1"}})
    folder.publish(entry)
    assert [*entry.published()] == ["http://***@host", str(folder.store)]


@pytest.mark.parametrize(
    ("named", "before"),
    [
        (None, "sqlite:///{root}/mlflow.db"),
        (None, "sqlite:////moved/since/mlflow.db"),
        ("https://me:pw@host", "https://me:pw@host"),
        ("https://me:pw@host", "https://me:old@host"),
    ],
)
def test_notes_under_an_earlier_name_of_the_store_are_taken_over(
    named: str | None, before: str, tmp_path: Path
) -> None:
    folder, store = MlflowFolder(tmp_path, None), Store(root=tmp_path, named=named)
    entry = folder.record(SPEC, RESULT, epochs(1))
    noted = {"run_id": "1", "done": True}
    entry.note_published({before.format(root=tmp_path): noted, "http://other": {}})
    assert read_notes(entry, store) == noted
    write_notes(entry, store, noted)
    assert entry.published() == {"http://other": {}, str(store): noted}
    write_notes(entry, store, None)
    assert entry.published() == {"http://other": {}}


def test_notes_of_several_databases_elsewhere_are_not_this_ones(tmp_path: Path) -> None:
    entry = MlflowFolder(tmp_path, None).record(SPEC, RESULT, epochs(1))
    entry.note_published({f"sqlite:////{name}/mlflow.db": {"run_id": name} for name in "ab"})
    assert read_notes(entry, Store(root=tmp_path)) == {}


def test_a_damaged_run_is_left_out_of_mlflow_too(folder: MlflowFolder) -> None:
    sound, torn = [folder.record(replace(SPEC, seed=seed), RESULT, epochs(1)) for seed in range(2)]
    folder.publish(sound, torn)
    (torn.folder / "predictions.npz").write_bytes(b"torn")
    assert [run.spec.seed for run in folder.read()] == [0]


class Page(list[Any]):
    token = ""


class SlowClient:
    """Of a server with ten studies, which needs four seconds for each question about one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get_experiment_by_name(self, name: str) -> Any:
        return SimpleNamespace(
            lifecycle_stage="active", experiment_id=name.rsplit(maxsplit=1)[-1], name=name
        )

    def search_runs(self, ids: list[str], **_: Any) -> Page:
        self._store.deadline._waited += 4
        info = SimpleNamespace(run_id=ids[0], lifecycle_stage="active")
        return Page([SimpleNamespace(info=info)])


def test_a_server_that_lists_slowly_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(root=tmp_path, named="http://host")
    monkeypatch.setattr("rnnbench.tracking.client.open_client", SlowClient)
    for n in range(10):
        assert find_stages(store, f"study {n}") == {f"{n}": False}
    assert not store.deadline.is_over


class EndlessClient(SlowClient):
    """Of a server whose pages all hold the same run, and name another page."""

    def search_runs(self, ids: list[str], **_: Any) -> Page:
        page = super().search_runs(["1"])
        page.token = "more"
        return page


def test_pages_without_end_are_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnbench.tracking.client.open_client", EndlessClient)
    with pytest.raises(StoreError, match="its pages of runs have no end"):
        find_stages(Store(root=tmp_path, named="http://host"), "small")


def test_the_ledger_keeps_which_command_made_a_run(tmp_path: Path) -> None:
    folder = MlflowFolder(tmp_path, None)
    folder.ledger = Ledger(tmp_path, made_by={"command": "rnnbench run lstm", "commit": "abc"})
    folder.record(SPEC, RESULT, epochs(1))
    folder.ledger = Ledger(tmp_path, made_by={"command": "rnnbench run --all"})
    folder.record(SPEC, None, study="mine")  # taken over: nothing is left to train
    adopted, made = (run.result for run in sorted(read_runs(folder.ledger), key=by_study))
    assert made is not None
    assert adopted is not None
    of_command = {"command": "rnnbench run lstm", "commit": "abc"}
    assert made == replace(RESULT, environment=RESULT.environment | of_command)
    assert adopted.environment["command"] == "rnnbench run --all"


def by_study(run: RecordedRun) -> str:
    return run.study


def test_what_earlier_versions_noted_of_the_command_is_read(folder: MlflowFolder) -> None:
    entry = folder.record(SPEC, RESULT, epochs(1))
    tags = {"rnnbench.command": "rnnbench run lstm", "mlflow.source.git.commit": "abc"}
    write_notes(entry, folder.store, {"run_id": "1", "tags": tags})
    result = only(folder.read()).result
    assert result is not None
    assert result.environment == {
        **RESULT.environment,
        "command": "rnnbench run lstm",
        "commit": "abc",
    }
