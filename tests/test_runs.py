"""Runs read back: MLflow's and the ledger's, each once, and as they were."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_up import finished, spec_of
from mlflow_folder import MlflowFolder, epochs

from rnnbench.errors import StoreError, UsageError
from rnnbench.specs import PluginForm, RunResult, RunSpec
from rnnbench.tracking.answers import bounded
from rnnbench.tracking.attachments import attach_files
from rnnbench.tracking.client import import_mlflow
from rnnbench.tracking.notes import notes_of, write_notes
from rnnbench.tracking.published import CURVES, StoredRun, open_published
from rnnbench.tracking.publisher import SPEC_TAG, STATUS_TAG
from rnnbench.tracking.runs import (
    ReadRuns,
    TrackedRun,
    read_other_runs,
    read_runs,
    tracked_studies,
)
from rnnbench.tracking.store import Store

SPEC = spec_of("lstm-stacked", 3, units=5, max_len=50, learning_rate=3e-4)
RESULT = finished(
    1 / 3,
    epochs=7,
    best_epoch=5,
    n_parameters=9353,
    val_loss=0.1 + 0.2,
    val_accuracy=2 / 3,
    train_loss_at_best=1e-17,
    test_loss=math.pi,
    fit_seconds=12.345678901234567,
    epoch_seconds=1.1,
    compile_seconds=0.7,
)
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


def only(found: ReadRuns) -> TrackedRun:
    assert found.problem is None
    (run,) = found.runs
    return run


def as_array(rows: Any) -> np.ndarray:
    return np.array([[getattr(row, name) for name in CURVES] for row in rows]).reshape(-1, 4)


@pytest.mark.parametrize("n_epochs", [7, 300], ids=["short", "longer than one call takes"])
def test_a_published_run_comes_back_as_it_was(n_epochs: int, folder: MlflowFolder) -> None:
    entry = folder.record(SPEC, RESULT, epochs(n_epochs))
    folder.publish(entry, tags={"rnnbench.command": "run", "mlflow.source.git.commit": "c"})
    run = only(folder.read())
    assert (run.study, run.spec, run.result) == ("textbook", SPEC, RESULT)
    assert run.history is not None
    np.testing.assert_array_equal(run.history, as_array(epochs(n_epochs)))  # to the last bit
    assert run.run_id is not None
    assert run.folder == entry.folder
    assert run.tags["mlflow.source.git.commit"] == "c"


def test_the_ledger_says_the_same_as_mlflow(folder: MlflowFolder) -> None:
    entry = folder.record(SPEC, RESULT, epochs(7))
    before = only(folder.read())
    folder.publish(entry)
    after = only(folder.read())
    shutil.rmtree(entry.folder)
    published = only(folder.read())
    assert (before.run_id, after.run_id) == (None, published.run_id)
    assert before.folder == after.folder == entry.folder
    assert published.folder is not None
    assert published.folder.is_relative_to(folder.root / "mlruns")
    for run in (after, published):
        assert (before.study, before.spec, before.result) == (run.study, run.spec, run.result)
        np.testing.assert_array_equal(before.history, run.history)


def test_what_is_not_yet_published_is_added_once(folder: MlflowFolder) -> None:
    specs = [replace(SPEC, seed=seed) for seed in range(3)]
    entries = [folder.record(spec, RESULT, epochs(2)) for spec in specs]
    folder.publish(*entries[:2])
    found = {run.spec.seed: run.run_id for run in folder.read().runs}
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
    shutil.rmtree(entry.folder)
    run = only(folder.read())
    assert run.result == replace(result, traceback=None)  # that is an artifact
    assert not run.is_finished


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


def test_of_one_attempt_on_two_machines_the_finished_one_counts(
    folder: MlflowFolder, tmp_path: Path
) -> None:
    here = folder.record(SPEC, RESULT, epochs(7))
    folder.publish(here)
    there = MlflowFolder(tmp_path / "there", None).record(SPEC, FAILED, epochs(2))
    folder.publish(there, origin="there")
    assert only(folder.read()).result == RESULT
    elsewhere = MlflowFolder(tmp_path / "elsewhere", None).ledger  # which has no such run
    assert only(read_runs(folder.store, elsewhere, "textbook")).result == RESULT


def test_a_run_that_was_deleted_in_mlflow_is_left_out(folder: MlflowFolder) -> None:
    entries = [folder.record(replace(SPEC, seed=seed), RESULT, epochs(2)) for seed in (0, 1)]
    folder.publish(*entries)
    first, second = (run.run_id for run in folder.read().runs)
    assert first is not None
    assert second is not None
    folder.client().delete_run(first)
    folder.publish(*entries)
    assert only(folder.read()).run_id == second
    folder.client().delete_run(second)
    with pytest.raises(UsageError, match="every run of 'textbook' was deleted in MLflow; restore"):
        folder.read()
    folder.client().restore_run(first)
    assert only(folder.read()).run_id == first


def test_what_is_edited_in_mlflow_changes_nothing(folder: MlflowFolder) -> None:
    folder.publish(folder.record(SPEC, RESULT, epochs(7)), tags={"rnnbench.command": "run"})
    run_id = only(folder.read()).run_id
    assert run_id is not None
    client = folder.client()
    client.log_metric(run_id, "test_accuracy", 0.99)
    client.log_metric(run_id, "val_loss", 0.0, step=8)
    for tag in (STATUS_TAG, SPEC_TAG, "rnnbench.command", "rnnbench.device"):
        client.set_tag(run_id, tag, "diverged")
    run = only(folder.read())
    assert (run.spec, run.result) == (SPEC, RESULT)
    assert run.tags == {"rnnbench.command": "run"}
    np.testing.assert_array_equal(run.history, as_array(epochs(7)))


def test_a_run_whose_ledger_is_gone_is_read_from_mlflow(folder: MlflowFolder) -> None:
    plug_in = replace(SPEC, form=PluginForm(name="attention", arguments=(("heads", 2),)))
    folder.publish(folder.record(plug_in, RESULT, epochs(7)))
    shutil.rmtree(folder.root / ".rnnbench")
    run = only(folder.read())
    assert (run.spec, run.result) == (plug_in, RESULT)
    assert run.folder is not None


@pytest.mark.parametrize("tag", ["", "[]", "{", '{"form": {"cell": "<script>"}}'])
def test_a_tag_that_says_nothing_sensible_is_left_to_the_ledger(
    folder: MlflowFolder, tag: str
) -> None:
    folder.publish(folder.record(SPEC, RESULT, epochs(1)))
    run_id = only(folder.read()).run_id
    assert run_id is not None
    folder.client().set_tag(run_id, SPEC_TAG, tag)
    assert only(folder.read()).spec == SPEC
    shutil.rmtree(folder.root / ".rnnbench" / "runs")
    with pytest.raises(UsageError):
        folder.read()


def test_without_a_store_the_ledger_stands_in_and_says_so(tmp_path: Path) -> None:
    folder = MlflowFolder(tmp_path, None)
    folder.record(SPEC, RESULT, epochs(7))
    found = folder.read()
    assert found.problem == "mlflow.db cannot be read (there is no such file)"
    assert [run.result for run in found.runs] == [RESULT]
    assert not (tmp_path / "mlflow.db").exists()  # reading makes none


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "sqlite:////proc/none/x.db"])
def test_a_store_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    folder = MlflowFolder(tmp_path, None)
    folder.record(SPEC, RESULT, epochs(7))
    found = read_runs(Store(named=address, root=tmp_path), folder.ledger, "textbook")
    assert found.problem is not None
    assert found.problem.startswith(f"{address} does not answer (")
    assert len(found.runs) == 1


def test_an_unknown_study_is_told_with_the_known_ones(folder: MlflowFolder) -> None:
    folder.publish(folder.record(SPEC, RESULT, epochs(1)))
    folder.record(SPEC, RESULT, epochs(1), study="mine")
    with pytest.raises(UsageError, match=r"'txtbook' .did you mean 'textbook'.*mine, textbook"):
        folder.read("txtbook")


def test_a_folder_without_runs_says_how_to_make_some(folder: MlflowFolder) -> None:
    with pytest.raises(UsageError, match="no runs here yet; `rnnbench run --all` makes some"):
        folder.read("textbook")


def test_a_project_that_was_moved_finds_its_files(folder: MlflowFolder, tmp_path: Path) -> None:
    old = MlflowFolder(tmp_path / "old 100% #1", folder.root / "mlflow.db")
    entry = old.record(SPEC, RESULT, epochs(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(old.root)
        old.publish(entry)
    assert only(old.read()).folder is not None
    shutil.rmtree(entry.folder)  # what the ledger has is read there
    shutil.move(old.root, tmp_path / "new")
    moved = MlflowFolder(tmp_path / "new", None)
    found = only(moved.read()).folder
    assert found is not None
    assert found.is_relative_to(tmp_path / "new" / "mlruns")
    assert (found / "predictions.npz").exists()


def test_the_client_reads_the_same_as_the_tables(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = MlflowFolder(tmp_path / "50% #1", template)
    monkeypatch.chdir(folder.root)
    results = [RESULT, FAILED, DIVERGED, None, RESULT, RESULT]
    specs = [replace(SPEC, seed=seed) for seed in range(len(results))]
    entries = [
        folder.record(spec, result, epochs(3, seed=spec.seed))
        for spec, result in zip(specs, results, strict=True)
    ]
    infinite = (replace(epochs(1)[0], val_loss=math.inf),)
    entries.append(folder.record(replace(SPEC, seed=9), DIVERGED, infinite))
    folder.publish(*entries, tags={"rnnbench.command": "<script>"})
    folder.client().delete_run(tables(folder).runs("textbook")[4].run_id)
    folder.ledger.archive("textbook", specs[5])
    folder.publish(folder.record(specs[5], FAILED, epochs(1)))
    through = open_published(Store(named=folder.store.address, root=tmp_path / "elsewhere"))
    assert type(through) is not type(tables(folder))
    assert through.studies() == tables(folder).studies() == ["textbook"]
    assert through.commands("textbook") == tables(folder).commands("textbook")
    assert facts(through.runs("textbook")) == facts(tables(folder).runs("textbook"))
    assert through.runs("none") == tables(folder).runs("none") == []
    unread = [*through.runs("textbook", with_history=False)]
    assert {run.history for run in unread} == {None}


def tables(folder: MlflowFolder) -> Any:
    return open_published(folder.store)


def facts(runs: list[StoredRun]) -> list[tuple[Any, ...]]:
    assert len(runs) == 7
    assert sum(run.folder is None for run in runs) == 1  # the one that has not ended
    return [
        (run.run_id, run.tags, run.metrics, run.folder, as_bytes(run))
        for run in sorted(runs, key=lambda run: run.run_id)
    ]


def as_bytes(run: StoredRun) -> bytes:
    assert run.history is not None
    return run.history.tobytes()


def test_commands_alone_make_no_study(folder: MlflowFolder, tmp_path: Path) -> None:
    entry = folder.record(SPEC, RESULT, epochs(1))
    folder.publish(entry)
    run_id = only(folder.read()).run_id
    assert run_id is not None
    folder.client().delete_run(run_id)
    elsewhere = Store(named=folder.store.address, root=tmp_path / "elsewhere")
    assert open_published(folder.store).studies() == open_published(elsewhere).studies() == []
    assert tracked_studies(folder.store, folder.ledger) == ("textbook",)  # by the ledger


def test_runs_of_other_studies_come_without_their_epochs(folder: MlflowFolder) -> None:
    folder.publish(folder.record(SPEC, RESULT, epochs(3)))
    folder.publish(folder.record(replace(SPEC, seed=5), RESULT, epochs(3), study="orders"))
    folder.record(replace(SPEC, seed=6), RESULT, epochs(3), study="lengths")
    found = read_other_runs(folder.store, folder.ledger, "textbook")
    assert [(run.study, run.spec.seed) for run in found] == [("lengths", 6), ("orders", 5)]
    assert [run.history for run in found] == [None, None]
    assert [run.result for run in found] == [RESULT, RESULT]


def test_other_studies_are_the_ledgers_where_no_store_is_read(folder: MlflowFolder) -> None:
    entry = folder.record(SPEC, RESULT, epochs(3), study="orders")
    folder.publish(entry)
    (alone,) = read_other_runs(folder.store, folder.ledger, "textbook", can_be_read=False)
    assert (alone.run_id, alone.result) == (None, RESULT)


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
    last, before = open_published(folder.store).commands("textbook")
    client = folder.client()
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


def test_a_store_that_is_not_there_takes_no_files(tmp_path: Path) -> None:
    store = Store(root=tmp_path)
    with pytest.raises(StoreError, match="no such file"):
        attach_files(store, "textbook", tmp_path, [], "report")


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


def test_a_run_whose_counts_are_no_numbers_is_left_out(
    folder: MlflowFolder, tmp_path: Path
) -> None:
    sound, other = [folder.record(replace(SPEC, seed=seed), RESULT, epochs(1)) for seed in range(2)]
    folder.publish(sound, other)
    run_id = other.published()[str(folder.store)]["run_id"]
    folder.client().log_metric(run_id, "best_epoch", math.nan)
    elsewhere = MlflowFolder(tmp_path / "elsewhere", None).ledger
    found = read_runs(folder.store, elsewhere, "textbook")
    assert [run.spec.seed for run in found.runs] == [0]


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
    assert notes_of(entry, store) == noted
    write_notes(entry, store, noted)
    assert entry.published() == {"http://other": {}, str(store): noted}
    write_notes(entry, store, None)
    assert entry.published() == {"http://other": {}}


def test_notes_of_several_databases_elsewhere_are_not_this_ones(tmp_path: Path) -> None:
    entry = MlflowFolder(tmp_path, None).record(SPEC, RESULT, epochs(1))
    entry.note_published({f"sqlite:////{name}/mlflow.db": {"run_id": name} for name in "ab"})
    assert notes_of(entry, Store(root=tmp_path)) == {}


def test_a_run_found_in_mlflow_keeps_the_words_of_the_command_that_made_it(
    folder: MlflowFolder,
) -> None:
    entry = folder.record(SPEC, RESULT, epochs(1))
    folder.publish(entry, tags={"mlflow.source.git.commit": "then"})
    notes = notes_of(entry, folder.store)
    write_notes(entry, folder.store, {**notes, "tags": {}})  # as an earlier version noted it
    assert only(folder.read()).tags["mlflow.source.git.commit"] == "then"
    write_notes(entry, folder.store, None)
    folder.publish(entry, tags={"mlflow.source.git.commit": "now"})
    assert notes_of(entry, folder.store)["tags"]["mlflow.source.git.commit"] == "then"


def test_a_damaged_run_is_left_out_of_mlflow_too(folder: MlflowFolder) -> None:
    sound, torn = [folder.record(replace(SPEC, seed=seed), RESULT, epochs(1)) for seed in range(2)]
    folder.publish(sound, torn)
    (torn.folder / "predictions.npz").write_bytes(b"torn")
    assert [run.spec.seed for run in folder.read().runs] == [0]


class Page(list[Any]):
    token = ""


class SlowClient:
    """Of a server with ten studies, which needs four seconds for each question about one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def search_experiments(self) -> list[Any]:
        return [SimpleNamespace(name=f"study {n}") for n in range(10)]

    def get_experiment_by_name(self, _: str) -> Any:
        return SimpleNamespace(lifecycle_stage="active", experiment_id="1")

    def search_runs(self, *_: Any, **__: Any) -> Page:
        self._store.patience._waited += 4
        return Page()


def test_a_server_that_lists_slowly_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(root=tmp_path, named="http://host")
    monkeypatch.setattr("rnnbench.tracking.published.open_client", SlowClient)
    assert open_published(store).studies() == []
    assert not store.patience.is_over


class EndlessClient(SlowClient):
    """Of a server whose pages all hold the same run, and name another page."""

    def search_runs(self, *_: Any, **__: Any) -> Page:
        page = Page([SimpleNamespace(info=SimpleNamespace(run_id="1"))])
        page.token = "more"
        return page


def test_pages_without_end_are_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnbench.tracking.published.open_client", EndlessClient)
    with pytest.raises(StoreError, match="its pages of runs have no end"):
        open_published(Store(root=tmp_path, named="http://host")).run_ids("small")
