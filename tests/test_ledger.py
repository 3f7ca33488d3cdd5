"""The ledger: each file whole or not at all, and nothing lost whenever the power goes."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import EMPTY_ZIP

from rnnbench.entries import LedgerEntry, Parent
from rnnbench.errors import StoreError
from rnnbench.ledger import Ledger
from rnnbench.sources import Source
from rnnbench.specs import (
    CanonicalForm,
    DataSpec,
    EpochEnded,
    EpochRow,
    Event,
    Failed,
    Finished,
    PluginForm,
    Recipe,
    RunResult,
    RunSpec,
)
from rnnbench.training.engine import Variables
from rnnbench.training.progress import Progress
from rnnbench.tuning.coordinator import _archive_runs as archive_runs

SPEC = RunSpec(
    form=CanonicalForm(cell="lstm"), data=DataSpec(dataset="made-up", fingerprint="ab"), seed=1
)
ROWS = tuple(
    EpochRow(
        epoch=epoch,
        loss=0.1 + 0.2 / epoch,
        accuracy=1 / 3,
        val_loss=float(np.float32(0.7)) / epoch,
        val_accuracy=0.5,
        epoch_seconds=1e-7,
        ended_at=1_700_000_000.123456,
    )
    for epoch in (1, 2, 3)
)
FINISHED = Finished(
    fingerprint=SPEC.fingerprint,
    result=RunResult(status="finished", epochs=3, best_epoch=3, test_accuracy=0.75),
    model=EMPTY_ZIP,
    predictions=EMPTY_ZIP,
)
FAILED = Failed(fingerprint=SPEC.fingerprint, reason="ValueError: no", traceback="Traceback…")
OVER = {"spec.json", "history.csv", "best.keras", "predictions.npz", "result.json"}


def epoch_ended(n_epochs: int) -> EpochEnded:
    variables = Variables(weights=(np.zeros(3, np.float32),), optimizer=())
    progress = Progress.begin(variables, Recipe())
    for row in ROWS[:n_epochs]:
        progress = progress.after(variables, row)
    return EpochEnded(
        fingerprint=SPEC.fingerprint, row=ROWS[n_epochs - 1], state=progress.to_bytes()
    )


def record(root: Path, *events: Event, study: str = "textbook") -> LedgerEntry:
    """What a command does with a run's events; returns the entry as a later command sees it."""
    ledger = Ledger(root)
    entry = ledger.open_run(study, SPEC)
    for event in events:
        ledger.record(entry, event)
    return Ledger(root).entry(study, SPEC)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_run_comes_back_as_it_was_asked(tmp_path: Path) -> None:
    entry = record(tmp_path)
    assert entry.spec() == SPEC
    assert entry.fingerprint == SPEC.fingerprint
    assert (entry.result(), entry.state(), entry.history()) == (None, None, ())


def test_a_run_that_is_not_over_keeps_its_last_state(tmp_path: Path) -> None:
    entry = record(tmp_path, epoch_ended(1), epoch_ended(2))
    assert entry.state() == epoch_ended(2).state
    assert entry.history() == ROWS[:2]
    assert not entry.is_over


def test_the_history_of_a_finished_run_equals_that_of_its_state(tmp_path: Path) -> None:
    entry = record(tmp_path, epoch_ended(3))
    before = entry.history()
    record(tmp_path, FINISHED)
    assert entry.history() == before == ROWS
    assert entry.state() is None


def test_a_finished_run_keeps_its_files(tmp_path: Path) -> None:
    entry = record(tmp_path, epoch_ended(3), FINISHED)
    assert entry.is_over
    assert entry.result() == FINISHED.result
    assert names(entry.folder) == OVER
    assert (entry.folder / "best.keras").read_bytes() == EMPTY_ZIP


def test_a_diverged_run_is_over_without_a_model(tmp_path: Path) -> None:
    result = RunResult(status="diverged", epochs=1, reason="the loss is not finite")
    event = Finished(fingerprint=SPEC.fingerprint, result=result, model=b"", predictions=b"")
    entry = record(tmp_path, epoch_ended(1), event)
    assert entry.is_over
    assert names(entry.folder) == {"spec.json", "history.csv", "result.json"}


def test_a_failed_run_is_kept_with_its_traceback_and_tried_again(tmp_path: Path) -> None:
    entry = record(tmp_path, epoch_ended(2), FAILED)
    result = entry.result()
    assert result is not None
    assert (result.status, result.epochs, result.traceback) == ("failed", 2, "Traceback…")
    assert not entry.is_over
    again = record(tmp_path)
    assert again.result() is None
    assert again.state() == epoch_ended(2).state


class PowerCutError(BaseException):
    """Ends the process in its tracks: no handler of the package sees it."""


@contextmanager
def power_cut_at(
    monkeypatch: pytest.MonkeyPatch, n_calls: int, name: str = "rnnbench.data.files.os.fsync"
) -> Iterator[None]:
    """The block ends in the `n_calls`-th call of the named function, which does nothing."""
    left = iter(range(n_calls - 1))
    fsync = os.fsync

    def fail(descriptor: int, *_: object) -> None:
        if next(left, None) is None:
            raise PowerCutError
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(name, fail)
        with pytest.raises(PowerCutError):
            yield


# Each file is forced to disk once, and its folder once more.
@pytest.mark.parametrize("n_calls", [1, 3, 5, 7], ids=["history", "model", "scores", "result"])
def test_a_cut_while_a_run_is_closed_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_calls: int
) -> None:
    ledger, entry = Ledger(tmp_path), record(tmp_path, epoch_ended(3))
    with power_cut_at(monkeypatch, n_calls):
        ledger.record(entry, FINISHED)
    assert not entry.is_over
    assert entry.state() == epoch_ended(3).state
    assert entry.history() == ROWS
    record(tmp_path, FINISHED)
    assert entry.is_over
    assert names(entry.folder) >= OVER


def test_a_cut_in_an_epoch_keeps_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, entry = Ledger(tmp_path), record(tmp_path, epoch_ended(1))
    with power_cut_at(monkeypatch, 1):
        ledger.record(entry, epoch_ended(2))
    assert entry.state() == epoch_ended(1).state


def test_a_cut_before_a_run_is_described_leaves_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path)
    with power_cut_at(monkeypatch, 1):
        ledger.open_run("textbook", SPEC)
    assert Ledger(tmp_path).entries() == []
    assert record(tmp_path).spec() == SPEC


TORN = (b"", b"[]", b"\xff" * 40)
FILES = (
    *("spec.json", "result.json", "history.csv", "best.keras", "predictions.npz"),
    "tokenizer.json",
)


@pytest.mark.parametrize("content", [*TORN, None], ids=["empty", "[]", "bytes", "link"])
@pytest.mark.parametrize("name", FILES)
def test_a_torn_file_is_named_and_its_run_is_as_good_as_new(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    entry = record(tmp_path, epoch_ended(3), FINISHED)
    (entry.folder / name).touch()
    put(entry.folder / name, content)
    told: list[str] = []
    ledger = Ledger(tmp_path, on_problem=told.append)
    assert len(ledger.entries()) == (name not in ("spec.json", "result.json"))
    assert not ledger.is_sound(LedgerEntry("textbook", entry.folder))
    again = ledger.open_run("textbook", SPEC)
    assert all(f"{name} cannot be read (" in sentence for sentence in told)
    assert told
    assert [found.spec() for found in Ledger(tmp_path).entries()] == [SPEC]
    assert again.is_over == (name == "spec.json")  # which the request says as well
    assert ledger.n_archived("textbook", SPEC.fingerprint) == (name != "spec.json")


@pytest.mark.parametrize("name", ["spec.json", "result.json"])
def test_a_torn_file_is_told_once_with_what_becomes_of_it(tmp_path: Path, name: str) -> None:
    entry = record(tmp_path, epoch_ended(3), FINISHED)
    put(entry.folder / name, b"[1, 2]")
    told: list[str] = []
    ledger = Ledger(tmp_path, on_problem=told.append)
    ledger.find("textbook", SPEC)
    ledger.entries()
    ledger.open_run("textbook", SPEC)
    consequence = "written anew" if name == "spec.json" else "put aside and trained again"
    (sentence,) = told
    assert f"{name} cannot be read (it is not what rnnbench writes there); " in sentence
    assert sentence.endswith(consequence)


def put(path: Path, content: bytes | None) -> None:
    """Other content, or with None a link to the same content elsewhere."""
    if content is not None:
        path.write_bytes(content)
        return
    elsewhere = path.parents[3] / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def test_a_run_is_read_again_only_if_it_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, entry = Ledger(tmp_path), record(tmp_path, epoch_ended(3), FINISHED)
    assert ledger.is_sound(entry)
    with monkeypatch.context() as patch:
        patch.setattr(LedgerEntry, "check", None)
        assert ledger.is_sound(entry)
    put(entry.folder / "best.keras", b"torn")
    assert not ledger.is_sound(entry)


@pytest.mark.parametrize("content", [*TORN, epoch_ended(2).state[:-300], None])
def test_a_run_whose_state_is_torn_starts_over(tmp_path: Path, content: bytes | None) -> None:
    entry = record(tmp_path, epoch_ended(2))
    put(entry.folder / "state.npz", content)
    told: list[str] = []
    ledger = Ledger(tmp_path, on_problem=told.append)
    assert ledger.find("textbook", SPEC) is None
    assert "state.npz cannot be read (" in told[0]
    assert "put aside and trained again" in told[0]
    again = ledger.open_run("textbook", SPEC)
    assert (again.state(), again.history()) == (None, ())


def test_a_torn_run_is_not_taken_over_by_another_study(tmp_path: Path) -> None:
    entry = record(tmp_path, epoch_ended(3), FINISHED)
    put(entry.folder / "predictions.npz", b"")
    assert Ledger(tmp_path).find("mine", SPEC) is None
    assert not record(tmp_path, study="mine").is_over


def test_a_linked_run_is_left_out_and_a_linked_folder_of_runs_is_not(tmp_path: Path) -> None:
    entry = record(tmp_path / "other", epoch_ended(3), FINISHED)
    told: list[str] = []
    ledger = Ledger(tmp_path, on_problem=told.append)
    (tmp_path / ".rnnbench/runs/one").mkdir(parents=True)
    (tmp_path / ".rnnbench/runs/one" / entry.fingerprint).symlink_to(entry.folder)
    (tmp_path / ".rnnbench/runs/textbook").symlink_to(entry.folder.parent)  # on a larger disk
    assert [found.study for found in ledger.entries()] == ["textbook"]
    assert f"{entry.fingerprint} cannot be read (it is a symbolic link" in told[0]
    assert ledger.open_run("textbook", SPEC).is_over
    assert len(told) == 1


@pytest.mark.parametrize("name", [*FILES, "parents.json"])
def test_a_run_that_cannot_be_read_just_now_is_not_damaged(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, epoch_ended(3), FINISHED)

    def fail(path: str, flags: int) -> int:
        if path.endswith(name):
            raise OSError(errno.EIO, "Input/output error")
        return os.open(path, flags)

    monkeypatch.setattr("rnnbench.entries._open_plain", fail)
    ledger = Ledger(tmp_path)
    with pytest.raises(StoreError, match=rf"{name} cannot be read .Input/output error.; run"):
        ledger.open_run("textbook", SPEC)
    assert ledger.n_archived("textbook", SPEC.fingerprint) == 0


@pytest.mark.parametrize("kind", ["folder", "pipe", "too large"])
def test_what_is_no_file_of_a_run_is_damaged(tmp_path: Path, kind: str) -> None:
    path = record(tmp_path, epoch_ended(3), FINISHED).folder / "result.json"
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        with path.open("wb") as file:
            file.truncate(2**21)
    told: list[str] = []
    assert Ledger(tmp_path, on_problem=told.append).entries() == []
    assert re.search(
        r"result.json cannot be read .it (is not a regular file|has more than)", told[0]
    )


def test_a_search_is_started_over_though_one_of_its_runs_is_torn(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "searches")
    torn, whole = (
        ledger.open_run("tuning", spec, parents=[Parent(key="search 0", name="a trial")])
        for spec in (SPEC, replace(SPEC, seed=2))
    )
    put(torn.folder / "parents.json", b"torn")
    archive_runs(ledger, {"search"})
    assert torn.folder.exists()
    assert not whole.folder.exists()


def test_an_environment_is_noted_on_one_line(tmp_path: Path) -> None:
    flags = "--xla_one\n  --xla_two\t"
    failed = replace(FAILED, environment={"variable.XLA_FLAGS": flags, "long": "x" * 2000})
    noted = record(tmp_path, failed).result()
    assert noted is not None
    assert noted.environment == {"variable.XLA_FLAGS": "--xla_one --xla_two", "long": "x" * 1000}


def test_torn_notes_of_the_tracker_are_as_good_as_none(tmp_path: Path) -> None:
    entry = record(tmp_path)
    for content in TORN:
        put(entry.folder / "published.json", content)
        assert entry.published() == {}


@pytest.mark.parametrize("content", [*TORN, b"null", b"[1]", None])
def test_a_torn_declaration_is_named_and_put_aside(tmp_path: Path, content: bytes | None) -> None:
    told: list[str] = []
    ledger = Ledger(tmp_path, on_problem=told.append)
    ledger.declare("textbook", {"margin_points": 0.5})
    path = tmp_path / ".rnnbench/runs/textbook/study.json"
    put(path, content)
    if content != b"[]":
        assert ledger.declarations("textbook") == []
        assert "study.json cannot be read (" in told[0]
    ledger.declare("textbook", {"margin_points": 1.0})
    assert [each["declaration"] for each in ledger.declarations("textbook")] == [
        {"margin_points": 1.0}
    ]
    assert list((tmp_path / ".rnnbench/archive/textbook").glob("study.json-*"))


def test_a_declaration_of_an_earlier_version_may_be_of_any_length(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.declare("textbook", {"description": "x" * 9000})
    assert len(ledger.declarations("textbook")) == 1


@pytest.mark.parametrize("kind", ["file", "link to nothing"])
def test_something_else_in_the_place_of_the_ledger_is_named(tmp_path: Path, kind: str) -> None:
    place = tmp_path / ".rnnbench"
    place.write_text("") if kind == "file" else place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError, match=r"\.rnnbench, which is not a folder; move it away"):
        Ledger(tmp_path)


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    (tmp_path / "precious").write_text("content")
    (ledger.folder / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match="lock is not a regular file; remove it"), ledger.locked():
        pass
    assert (tmp_path / "precious").read_text() == "content"


def test_what_a_killed_command_left_half_written_is_removed(tmp_path: Path) -> None:
    entry = record(tmp_path, epoch_ended(2))
    (entry.folder / ".state.npz.abc").write_bytes(b"half of it")
    again = record(tmp_path)
    assert names(again.folder) == {"spec.json", "state.npz"}
    assert again.history() == ROWS[:2]


def test_a_run_that_another_study_has_finished_is_taken_over(tmp_path: Path) -> None:
    source = record(tmp_path, epoch_ended(3), FINISHED, study="textbook")
    source.note_published({"sqlite:///mlflow.db": {"run_id": "1"}})
    found = Ledger(tmp_path).find("mine", SPEC)
    assert found is not None
    assert found.study == "textbook"
    os.utime(source.folder / "result.json", (0, 0))
    adopted = record(tmp_path, study="mine")
    assert adopted.is_over
    assert adopted.history() == ROWS
    assert adopted.published() == {}  # it is another experiment's run too
    assert (adopted.folder / "result.json").stat().st_mtime > 0  # worked on now


def test_a_run_that_is_not_over_is_not_taken_over(tmp_path: Path) -> None:
    record(tmp_path, epoch_ended(2), study="textbook")
    assert Ledger(tmp_path).find("mine", SPEC) is None
    assert record(tmp_path, study="mine").state() is None


def test_a_cut_while_a_run_is_taken_over_leaves_no_half_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path)
    record(tmp_path, epoch_ended(3), FINISHED)
    with power_cut_at(monkeypatch, 1, "pathlib.Path.rename"):
        ledger.open_run("mine", SPEC)
    assert [entry.study for entry in Ledger(tmp_path).entries()] == ["textbook"]
    assert record(tmp_path, study="mine").is_over
    assert len(Ledger(tmp_path).entries()) == 2


def test_a_folder_that_a_cut_left_without_a_spec_does_not_stop_a_take_over(tmp_path: Path) -> None:
    record(tmp_path, epoch_ended(3), FINISHED)
    leftover = Ledger(tmp_path).entry("mine", SPEC).folder
    leftover.mkdir(parents=True)
    (leftover / ".spec.json.partial").write_bytes(b"{")
    assert record(tmp_path, study="mine").is_over


def test_a_run_that_is_started_over_is_put_aside(tmp_path: Path) -> None:
    ledger, entry = Ledger(tmp_path), record(tmp_path, epoch_ended(3), FINISHED)
    assert ledger.archive("textbook", SPEC)
    assert ledger.n_archived("textbook", SPEC.fingerprint) == 1
    assert ledger.find("textbook", SPEC) is None
    (aside,) = (tmp_path / ".rnnbench" / "archive" / "textbook").iterdir()
    assert names(aside) == OVER
    assert not ledger.archive("textbook", SPEC)
    assert record(tmp_path).history() == ()
    assert not entry.is_over


def test_entries_are_those_of_a_study_or_of_all(tmp_path: Path) -> None:
    record(tmp_path, study="a")
    record(tmp_path, study="b")
    assert [entry.study for entry in Ledger(tmp_path).entries("a")] == ["a"]
    assert [entry.study for entry in Ledger(tmp_path).entries()] == ["a", "b"]
    for other in ("", "*", "a**b", str(tmp_path / "a.zip")):
        assert Ledger(tmp_path).entries(other) == []


def test_attempts_are_counted_of_runs_that_were_started_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.attempts("textbook") == {}
    for _ in range(2):
        record(tmp_path)
        ledger.archive("textbook", SPEC)
    record(tmp_path)
    assert ledger.attempts("textbook") == {SPEC.fingerprint: 3}
    assert ledger.attempts("mine") == {}


def test_a_declaration_is_kept_with_its_time_and_noted_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.declarations("textbook") == []
    before = time.time()
    for _ in range(2):
        ledger.declare("textbook", {"margin_points": 0.5})
    (noted,) = Ledger(tmp_path).declarations("textbook")
    assert noted["declaration"] == {"margin_points": 0.5}
    assert before <= noted["declared_at"] <= time.time()


def test_a_changed_declaration_is_added_to_the_first(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for margin in (0.5, 1.0, 0.5):
        ledger.declare("textbook", {"margin_points": margin})
    margins = [each["declaration"]["margin_points"] for each in ledger.declarations("textbook")]
    assert margins == [0.5, 1.0, 0.5]


def test_a_declaration_is_no_run(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.declare("textbook", {})
    assert ledger.entries() == []
    assert ledger.find("textbook", SPEC) is None


def test_a_failed_run_keeps_what_its_worker_said_of_itself(tmp_path: Path) -> None:
    failed = replace(FAILED, environment={"device": "cpu"})
    result = record(tmp_path, failed).result()
    assert result is not None
    assert result.environment == {"device": "cpu"}


def test_notes_of_the_tracker_come_back(tmp_path: Path) -> None:
    entry = record(tmp_path)
    assert entry.published() == {}
    entry.note_published({"address": {"n_epochs": 3}})
    assert entry.published() == {"address": {"n_epochs": 3}}


def test_the_ledger_is_not_committed_by_accident(tmp_path: Path) -> None:
    Ledger(tmp_path)
    assert (tmp_path / ".rnnbench" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot write to .*file"):
        Ledger(tmp_path / "file")


def test_a_second_command_waits_for_the_first(tmp_path: Path) -> None:
    waiting, done = threading.Event(), threading.Event()

    def second() -> None:
        with Ledger(tmp_path).locked(waiting.set):
            done.set()

    thread = threading.Thread(target=second)
    with Ledger(tmp_path).locked():
        thread.start()
        assert waiting.wait(10)
        assert not done.is_set()
    thread.join(10)
    assert done.is_set()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this machine does not let a small disk be mounted")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_leaves_the_ledger_readable(small_disk: Path) -> None:
    entry = record(small_disk, epoch_ended(2))
    large = EpochEnded(fingerprint=SPEC.fingerprint, row=ROWS[2], state=bytes(512 * 1024))
    with pytest.raises(OSError, match="No space left") as caught:
        record(small_disk, large)
    assert caught.value.errno == errno.ENOSPC
    assert entry.state() == epoch_ended(2).state
    assert entry.history() == ROWS[:2]
    assert names(entry.folder) == {"spec.json", "state.npz"}
    record(small_disk, epoch_ended(3), FINISHED)  # there is room again
    assert entry.is_over


@pytest.mark.parametrize("step", ["open", "fsync"])
def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ledger, entry = Ledger(tmp_path), record(tmp_path, epoch_ended(2))
    with monkeypatch.context() as patch:
        target = {"open": "pathlib.Path.open", "fsync": "rnnbench.data.files.os.fsync"}[step]
        patch.setattr(target, refuse_to_write(step))
        with pytest.raises(OSError, match="No space left"):
            ledger.record(entry, epoch_ended(3))
    assert entry.state() == epoch_ended(2).state
    assert names(entry.folder) == {"spec.json", "state.npz"}


def refuse_to_write(step: str) -> Callable[..., Any]:
    real_open = Path.open

    def refuse(*arguments: Any, **keywords: Any) -> Any:
        if step == "open" and arguments[1:] != ("xb",):
            return real_open(*arguments, **keywords)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return refuse


def test_files_are_plain_json(tmp_path: Path) -> None:
    entry = record(tmp_path, epoch_ended(3), FINISHED)
    assert json.loads((entry.folder / "spec.json").read_text())["seed"] == 1
    assert json.loads((entry.folder / "result.json").read_text())["status"] == "finished"


def test_a_run_that_is_tried_again_is_kept_with_the_code_that_is_run(tmp_path: Path) -> None:
    files = (("net.py", "def build(): return []\n"),)
    form = PluginForm(name="net.py:build", code="0" * 12, source=Source("net.py", "build", files))
    spec = replace(SPEC, form=form)
    foreign = Source("net.py", "build", (("net.py", f"{files[0][1]}_ = print('hostile')\n"),))
    ledger = Ledger(tmp_path)
    entry = ledger.open_run("own", replace(spec, form=replace(form, source=foreign)))
    ledger.record(entry, replace(FAILED, fingerprint=spec.fingerprint))
    assert ledger.open_run("own", spec).network() == form.source
    assert entry.result() is None
