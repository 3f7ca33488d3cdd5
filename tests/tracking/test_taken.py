"""Runs that others have in MLflow: taken into the ledger once, checked, and never given back."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import call_command
from made_up import finished, spec_of
from mlflow_folder import PREDICTIONS, MlflowFolder, epochs

from rnnbench.entries import LedgerEntry
from rnnbench.errors import StoreError, StudyError, UsageError
from rnnbench.recorded_runs import read_runs
from rnnbench.specs import RunResult
from rnnbench.tracking.client import find_stages
from rnnbench.tracking.store import Store
from rnnbench.tracking.taken import Taken, take_runs
from rnnbench.tracking.tracker import Tracker

SPEC = spec_of("lstm", 0)
RESULT = finished(1 / 3, epochs=7, n_parameters=8809, val_loss=0.1 + 0.2, compile_seconds=0.7)
FAILED = RunResult(status="failed", epochs=2, reason="ValueError: no", traceback="Traceback…")


@pytest.fixture
def there(tmp_path: Path, template: Path) -> MlflowFolder:
    """Somebody else's folder, whose store is shared."""
    return MlflowFolder(tmp_path / "there", template)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: MlflowFolder) -> MlflowFolder:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", there.store.address)
    return MlflowFolder(tmp_path / "here", None)


def shared(here: MlflowFolder, there: MlflowFolder) -> Store:
    return Store(root=here.root, named=there.store.address)


def take(here: MlflowFolder, there: MlflowFolder) -> tuple[Taken, list[str]]:
    said: list[str] = []
    return take_runs(shared(here, there), here.ledger, "textbook", said.append), said


def offer(
    there: MlflowFolder, *seeds: int, result: RunResult = RESULT, **values: Any
) -> list[LedgerEntry]:
    """Runs that somebody else has published."""
    specs = [replace(SPEC, seed=seed) for seed in seeds]
    entries = [there.record(spec, result, epochs(result.epochs), **values) for spec in specs]
    there.publish(*entries, origin="machine-0123456789ab")
    return entries


def run_ids(there: MlflowFolder) -> dict[str, str]:
    """By fingerprint, what MLflow shows."""
    found = there.client().search_runs(["1"], "tags.`rnnbench.kind` = 'run'")
    return {run.data.tags["rnnbench.fingerprint"]: run.info.run_id for run in found}


@pytest.mark.parametrize(
    "result",
    [RESULT, FAILED, RunResult(status="diverged", epochs=3, reason="the loss is not finite")],
    ids=lambda result: result.status,
)
def test_a_run_of_others_comes_as_it_was_with_where_it_is_from(
    result: RunResult, here: MlflowFolder, there: MlflowFolder
) -> None:
    (entry,) = offer(there, 0, result=result)
    taken, said = take(here, there)
    assert (len(taken.entries), taken.n_known, said) == (1, 0, [])
    (run,) = here.read()
    assert run.result is not None
    origin = {
        "imported_from": "machine",
        "imported_store": str(shared(here, there)),
        "imported_run": run_ids(there)[entry.fingerprint],
    }
    assert run.result.environment == result.environment | origin
    # A traceback is an artifact, for people.
    assert replace(run.result, environment=result.environment) == replace(result, traceback=None)
    assert run.spec == SPEC
    assert run.entry.history() == entry.history()
    assert run.run_id == origin["imported_run"]
    kept = run.entry.folder / "predictions.npz"
    assert (kept.read_bytes() == PREDICTIONS) if result is RESULT else not kept.exists()


def test_a_loss_that_is_infinite_comes_as_it_was(here: MlflowFolder, there: MlflowFolder) -> None:
    rows = (replace(epochs(1)[0], val_loss=math.inf),)
    diverged = RunResult(status="diverged", epochs=1)
    there.publish(there.record(SPEC, diverged, rows))
    take(here, there)
    (run,) = here.read()
    assert run.entry.history() == rows


def test_a_run_is_taken_once_and_not_given_back(here: MlflowFolder, there: MlflowFolder) -> None:
    offer(there, 0, 1)
    take(here, there)
    again, said = take(here, there)
    assert (again.entries, again.n_known, said) == ((), 2, [])
    before, problems = run_ids(there), list[str]()
    tracker = Tracker(
        here.ledger,
        "textbook",
        shared(here, there),
        draw=lambda *_: b"",
        on_problem=problems.append,
    )
    assert not tracker.has_unpublished([])
    tracker.begin("a command", {}, here.ledger.entries())
    tracker.end("FINISHED", {})
    assert problems == []
    found = there.client().search_runs(["1"], "tags.`rnnbench.kind` = 'run'")
    assert sorted(run.info.run_id for run in found) == sorted(before.values())
    assert {run.info.status for run in found} == {"FINISHED"}


def test_a_run_deleted_there_stays_out_until_it_is_restored(
    here: MlflowFolder, there: MlflowFolder
) -> None:
    first, second = offer(there, 0, 1)
    ids, client = run_ids(there), there.client()
    client.delete_run(ids[first.fingerprint])
    assert [entry.fingerprint for entry in take(here, there)[0].entries] == [second.fingerprint]
    client.delete_run(ids[second.fingerprint])
    assert take(here, there)[0].entries == ()
    assert here.read() == []
    client.restore_run(ids[second.fingerprint])
    assert take(here, there)[0].entries == ()
    assert [run.spec for run in here.read()] == [second.spec()]


def loses_its_spec(there: MlflowFolder, run_id: str, _: LedgerEntry) -> str:
    there.client().delete_tag(run_id, "rnnbench.spec")
    return "it has no tag rnnbench.spec, which says what was asked"


def says_nothing_sensible(there: MlflowFolder, run_id: str, _: LedgerEntry) -> str:
    there.client().set_tag(run_id, "rnnbench.spec", '{"form": {"cell": "<script>"}}')
    return "its tag rnnbench.spec is not what rnnbench writes"


def asks_for_something_else(there: MlflowFolder, run_id: str, _: LedgerEntry) -> str:
    other = replace(SPEC, seed=7)
    there.client().set_tag(run_id, "rnnbench.spec", json.dumps(other.to_json()))
    return f"its tag rnnbench.spec has the fingerprint {other.fingerprint}"


def climbs_out(there: MlflowFolder, run_id: str, _: LedgerEntry) -> str:
    there.client().set_tag(run_id, "rnnbench.fingerprint", "../../evil")
    return "rnnbench.fingerprint is '../../evil'"


def has_no_count(there: MlflowFolder, run_id: str, _: LedgerEntry) -> str:
    there.client().log_metric(run_id, "best_epoch", math.nan)
    return "best_epoch must be a non-negative integer"


def lacks_a_number(there: MlflowFolder, run_id: str, _: LedgerEntry) -> str:
    there.client().log_metric(run_id, "val_loss", 0.5, step=8)
    return "one of its epochs lacks a number"


def has_torn_predictions(there: MlflowFolder, run_id: str, _: LedgerEntry) -> str:
    folder = there.client().get_run(run_id).info.artifact_uri
    (Path(folder) / "predictions.npz").write_bytes(b"torn")
    return "is damaged"


@pytest.mark.parametrize(
    "spoil",
    [
        loses_its_spec,
        says_nothing_sensible,
        asks_for_something_else,
        climbs_out,
        has_no_count,
        lacks_a_number,
        has_torn_predictions,
    ],
    ids=lambda function: function.__name__,
)
def test_a_run_that_no_ledger_could_hold_is_told_and_the_rest_is_taken(
    spoil: Any, here: MlflowFolder, there: MlflowFolder
) -> None:
    spoilt, sound = offer(there, 0, 1)
    run_id = run_ids(there)[spoilt.fingerprint]
    why = spoil(there, run_id, spoilt)
    taken, (said,) = take(here, there)
    assert [entry.spec() for entry in taken.entries] == [sound.spec()]
    assert f"the run {run_id}, which is left out: " in said
    assert why in said
    assert said.endswith("have it sent by `rnnbench export`")
    assert [run.spec for run in read_runs(here.ledger)] == [sound.spec()]


def test_of_many_refused_runs_a_few_are_named(here: MlflowFolder, there: MlflowFolder) -> None:
    offer(there, *range(8))
    for run_id in run_ids(there).values():
        there.client().delete_tag(run_id, "rnnbench.spec")
    assert take(here, there)[1][-1] == "3 more runs are left out likewise"


def test_files_in_places_that_a_server_could_make_up_are_not_fetched(
    here: MlflowFolder, there: MlflowFolder
) -> None:
    (entry,) = offer(there, 0)
    with sqlite3.connect(there.root / "mlflow.db") as database:
        database.execute("UPDATE runs SET artifact_uri = 'ftp://127.0.0.1:9/x'")
    take(here, there)
    (run,) = here.read()
    assert run.spec == entry.spec()
    assert not (run.entry.folder / "predictions.npz").exists()


@pytest.mark.parametrize(
    ("own", "is_replaced"),
    [(FAILED, True), (None, False), (replace(RESULT, test_accuracy=0.5), False)],
    ids=["failed", "in the middle", "finished"],
)
def test_what_this_folder_trains_itself_counts_unless_it_failed(
    own: RunResult | None, is_replaced: bool, here: MlflowFolder, there: MlflowFolder
) -> None:
    offer(there, 0)
    here.record(SPEC, own, epochs(2))
    assert len(take(here, there)[0].entries) == is_replaced
    (run,) = here.read()
    assert (run.result is not None and run.result.test_accuracy == 1 / 3) == is_replaced


def test_a_run_that_never_began_here_is_taken(here: MlflowFolder, there: MlflowFolder) -> None:
    offer(there, 0)
    here.record(SPEC, None)
    assert len(take(here, there)[0].entries) == 1


def test_an_attempt_before_that_of_this_folder_is_not_taken(
    here: MlflowFolder, there: MlflowFolder
) -> None:
    offer(there, 0)
    here.record(SPEC, RESULT, epochs(7))
    here.ledger.archive("textbook", SPEC)  # to be trained anew
    assert take(here, there)[0].entries == ()


def test_of_one_attempt_on_two_machines_the_finished_one_counts(
    here: MlflowFolder, there: MlflowFolder, tmp_path: Path
) -> None:
    offer(there, 0)
    third = MlflowFolder(tmp_path / "third", None)
    third.root = there.root  # it publishes to the same store
    third.publish(third.record(SPEC, FAILED, epochs(2)), origin="another-0123456789ab")
    take(here, there)
    (run,) = here.read()
    assert run.is_finished


def test_what_the_study_declared_comes_along(here: MlflowFolder, there: MlflowFolder) -> None:
    declared = {"contrast": "architecture", "margin_points": 2.0}
    tags = {"rnnbench.declaration": json.dumps(declared), "mlflow.source.git.commit": "abc"}
    there.publish(there.record(SPEC, RESULT, epochs(7)), tags=tags)
    take(here, there)
    (noted,) = here.ledger.declarations("textbook")
    assert noted["declaration"] == declared
    (run,) = here.read()
    assert run.result is not None
    assert run.result.environment["commit"] == "abc"


def test_an_experiment_that_there_is_not_is_told_with_those_there_are(
    here: MlflowFolder, there: MlflowFolder
) -> None:
    offer(there, 0, study="textbok")
    with pytest.raises(UsageError, match=r"unknown experiment 'textbook' .did you mean 'textbok'"):
        take(here, there)
    with pytest.raises(StudyError):
        take_runs(shared(here, there), here.ledger, "../evil", print)


def test_an_import_publishes_what_it_took_to_this_folders_own_store(
    here: MlflowFolder,
    there: MlflowFolder,
    template: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    offer(there, 0, 1)
    shutil.copyfile(template, here.root / "mlflow.db")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.chdir(here.root)
    named = ("--tracking-uri", there.store.address)
    for said in ("imported: 2 runs of 'textbook' from ", "; 2 were here already"):
        answer = call_command(["import", "mlflow:textbook", *named], monkeypatch, capsys)
        assert answer.code == 0, answer
        assert said in answer.out
    assert run_ids(here).keys() == run_ids(there).keys()
    assert not set(run_ids(here).values()) & set(run_ids(there).values())
    assert call_command(["import", "study.zip", *named], monkeypatch, capsys).err.startswith(
        "error: --tracking-uri says where mlflow:EXPERIMENT is"
    )


def test_a_server_that_is_down_is_told(here: MlflowFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    store = Store(root=here.root, named="http://127.0.0.1:9")
    with pytest.raises(StoreError, match=r"http://127.0.0.1:9 does not answer"):
        take_runs(store, here.ledger, "textbook", print)


def test_the_client_finds_the_same_runs_as_the_file(
    here: MlflowFolder, there: MlflowFolder
) -> None:
    (entry, _) = offer(there, 0, 1)
    there.client().delete_run(run_ids(there)[entry.fingerprint])
    found = find_stages(shared(here, there), "textbook")
    assert found == find_stages(there.store, "textbook") == find_stages(there.store)
    assert sorted(found.values()) == [False, False, True]  # one is the command's
    assert find_stages(there.store, "none") == find_stages(shared(here, there), "none") == {}
