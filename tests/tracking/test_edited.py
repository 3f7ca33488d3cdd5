"""MLflow changed by hand or by another program: what commands publish, and what they leave."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from made_up import finished, spec_of
from mlflow_folder import MlflowFolder, epochs
from tracked import active, carry_out

from rnnbench.api import load_results
from rnnbench.errors import StoreError, UsageError
from rnnbench.recorded_runs import find_run, read_runs
from rnnbench.runs.listing import list_all, runs_as_csv
from rnnbench.specs import RunResult
from rnnbench.tracking.notes import read_notes, write_notes
from rnnbench.tracking.relocate import relocate_artifacts
from rnnbench.tracking.store import Store, find_store
from rnnbench.tracking.tracker import Tracker

SPEC = spec_of("lstm", 0)
RESULT = finished(0.8)


@pytest.fixture
def folder(tmp_path: Path, template: Path) -> MlflowFolder:
    return MlflowFolder(tmp_path, template)


def collect_garbage(folder: MlflowFolder, run_id: str) -> None:
    """What `mlflow gc` does with a run that was deleted."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    folder.client().delete_run(run_id)
    SqlAlchemyStore(folder.store.address, str(folder.root))._hard_delete_run(run_id)


def test_a_deleted_run_is_not_published_again_unless_it_is_restored(folder: MlflowFolder) -> None:
    entry = folder.record(SPEC, None, epochs(1))
    carry_out(folder, entry)
    (run_id,) = active(folder)
    folder.client().delete_run(run_id)
    entry = folder.record(SPEC, RESULT, epochs(3))
    assert carry_out(folder, entry).deleted == {SPEC.fingerprint}
    assert carry_out(folder).deleted == {SPEC.fingerprint}
    assert active(folder) == []
    folder.client().restore_run(run_id)
    assert carry_out(folder).deleted == set()
    assert active(folder) == [run_id]
    run = folder.client().get_run(run_id)
    assert (run.info.status, run.data.metrics["test_accuracy"]) == ("FINISHED", 0.8)


def test_every_command_knows_which_run_was_deleted(folder: MlflowFolder) -> None:
    kept, deleted = (folder.record(spec_of("lstm", seed), RESULT, epochs(3)) for seed in (0, 1))
    carry_out(folder, kept, deleted)
    root, client = folder.root, folder.client()
    client.delete_run(read_notes(deleted, folder.store)["run_id"])
    (rows,) = list_all(root, "runs").values()
    assert [row["status"] for row in rows] == ["finished", "deleted in MLflow"]
    assert [*load_results("textbook", root).fingerprint] == [kept.fingerprint]
    assert len(runs_as_csv(root).splitlines()) == 2
    assert find_run("lstm", root).entry == kept
    assert [run.folder for run in folder.read()] == [kept.folder]
    assert find_run(deleted.fingerprint, root).is_deleted
    assert not find_run(kept.fingerprint, root).is_deleted
    client.delete_run(read_notes(kept, folder.store)["run_id"])
    with pytest.raises(UsageError, match="every run of lstm was deleted in MLflow; name"):
        find_run("lstm", root)


def test_of_a_server_counts_what_was_last_heard(
    folder: MlflowFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "http://127.0.0.1:1"
    entries = [folder.record(spec_of("lstm", seed), RESULT) for seed in (0, 1)]
    for entry, is_deleted in zip(entries, (False, True), strict=True):
        notes = {"run_id": entry.fingerprint, "done": True, "deleted": is_deleted}
        write_notes(entry, Store(root=folder.root, named=address), notes)
    assert deleted(folder) == []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert deleted(folder) == [entries[1].folder]
    store = find_store(folder.root)
    tracker = Tracker(folder.ledger, "textbook", store, draw=lambda *_: b"", on_problem=print)
    tracker.has_unpublished([])  # nobody answers
    assert tracker.deleted == {entries[1].fingerprint}


def deleted(folder: MlflowFolder) -> list[Path | None]:
    """Where the runs are that every command takes for deleted."""
    return [run.folder for run in read_runs(folder.ledger) if run.is_deleted]


def test_a_run_is_deleted_as_long_as_its_database_is_there(
    folder: MlflowFolder,
) -> None:
    entry = folder.record(SPEC, RESULT, epochs(1))
    carry_out(folder, entry)
    folder.client().delete_run(read_notes(entry, folder.store)["run_id"])
    carry_out(folder)
    database = folder.root / "mlflow.db"
    content = database.read_bytes()
    database.write_bytes(b"no database" * 100)
    assert deleted(folder) == [entry.folder]
    database.unlink()
    assert deleted(folder) == []
    assert len(folder.read()) == 1
    database.write_bytes(content)
    assert deleted(folder) == [entry.folder]


def test_an_interrupted_run_that_is_gone_is_made_anew(folder: MlflowFolder) -> None:
    entry = folder.record(SPEC, None, epochs(1))
    carry_out(folder, entry)
    (before,) = active(folder)
    collect_garbage(folder, before)
    carry_out(folder, entry)
    (after,) = active(folder)
    assert after != before
    carry_out(folder)
    assert active(folder) == [after]


def test_a_run_that_failed_and_then_finished_shows_one_end(folder: MlflowFolder) -> None:
    failed = RunResult(status="failed", epochs=1, reason="killed", traceback="Traceback")
    carry_out(folder, folder.record(SPEC, failed, epochs(1)))
    (run_id,) = active(folder)
    client = folder.client()
    assert "traceback.txt" in {item.path for item in client.list_artifacts(run_id)}
    carry_out(folder, folder.record(SPEC, RESULT, epochs(9)))
    assert active(folder) == [run_id]
    assert "traceback.txt" not in {item.path for item in client.list_artifacts(run_id)}
    assert [point.value for point in client.get_metric_history(run_id, "epochs")] == [9]


def test_a_database_in_use_is_neither_damaged_nor_waited_for(
    folder: MlflowFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(sqlite3.connect(folder.root / "mlflow.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert find_store(folder.root, {}).is_local
        monkeypatch.setattr("rnnbench.tracking.relocate.LOCK_SECONDS", 0.1)
        with pytest.raises(StoreError, match=r"cannot be changed .another program is using it"):
            relocate_artifacts(folder.store, list)
