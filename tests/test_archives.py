"""A study as one file: what goes in comes out elsewhere, and nothing of a hostile file does."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_archives import (
    DECLARED,
    MODEL,
    RUN,
    Contents,
    change_archive,
    make_archive,
    make_ledger,
    zipped,
)

from rnnbench.archives import Archive, read_archive
from rnnbench.errors import ArchiveError, StoreError
from rnnbench.ledger import Ledger

Change = Callable[[Contents, dict[str, Any]], None]  # Any: JSON values


def read(path: Path) -> Archive:
    """The archive, unpacked beside it."""
    into = path.with_suffix("")
    into.mkdir(exist_ok=True)
    return read_archive(path, into)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return make_ledger(tmp_path / "here")


@pytest.fixture
def archive(ledger: Ledger, tmp_path: Path) -> Path:
    return make_archive(tmp_path / "study.zip", ledger)


def test_a_machine_without_a_name_is_called_so(archive: Path, tmp_path: Path) -> None:
    change_archive(archive, lambda _, manifest: manifest.update(origin=""))
    with Ledger(tmp_path / "there").open_incoming() as folder:
        assert read_archive(archive, folder).origin == "an unnamed machine"


def test_a_run_arrives_elsewhere_whole_and_once(
    ledger: Ledger, archive: Path, tmp_path: Path
) -> None:
    there = Ledger(tmp_path / "there")
    with there.open_incoming() as folder:
        found = read_archive(archive, folder)
        assert (found.study, len(found.runs)) == ("made-up", 1)
        assert found.declarations[0]["declaration"] == DECLARED
        (run,) = found.runs
        taken = there.take_in(run, {"imported_from": "elsewhere"})
    assert taken is not None
    (here,) = ledger.entries("made-up")
    assert (taken.history(), taken.spec()) == (here.history(), here.spec())
    mine, theirs = here.result(), taken.result()
    assert mine is not None
    assert theirs is not None
    assert theirs.environment == mine.environment | {"imported_from": "elsewhere"}
    assert replace(theirs, environment=mine.environment) == mine
    assert (taken.folder / "best.keras").read_bytes() == MODEL
    assert not (there.folder / "incoming").exists()
    with there.open_incoming() as folder:
        (run,) = read_archive(archive, folder).runs
        assert there.take_in(run, {}) is None


def test_what_was_declared_elsewhere_never_replaces_what_was_declared_here(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    theirs = [{"declared_at": 1.0, "declaration": {"margin_points": 0.5}}]
    assert ledger.take_declarations("made-up", theirs)
    assert ledger.declarations("made-up") == theirs
    assert ledger.take_declarations("made-up", theirs)
    others = [{"declared_at": 2.0, "declaration": {"margin_points": 2.0}}]
    assert not ledger.take_declarations("made-up", others)
    assert ledger.declarations("made-up") == theirs


def climbs_out(contents: Contents, _: Any) -> None:
    contents["../evil.txt"] = b"out"


def is_absolute(contents: Contents, _: Any) -> None:
    contents["/tmp/evil.txt"] = b"out"


def hides_a_file(contents: Contents, _: Any) -> None:
    contents[f"{RUN}/evil.py"] = b"import os"


def is_newer(_: Contents, manifest: dict[str, Any]) -> None:
    manifest["version"] = 99


def is_foreign(_: Contents, manifest: dict[str, Any]) -> None:
    manifest["format"] = "something else"


def changes_the_spec(contents: Contents, _: Any) -> None:
    contents[f"{RUN}/spec.json"] = contents[f"{RUN}/spec.json"].replace(b'"seed": 0', b'"seed": 1')


def holds_a_pickle(contents: Contents, _: Any) -> None:
    stream = io.BytesIO()
    np.savez(stream, probability=np.array([{"a": 1}], dtype=object))
    contents[f"{RUN}/predictions.npz"] = stream.getvalue()


def lacks_the_result(contents: Contents, manifest: dict[str, Any]) -> None:
    del contents[f"{RUN}/result.json"], manifest["files"][f"{RUN}/result.json"]


def is_no_json(contents: Contents, _: Any) -> None:
    contents[f"{RUN}/result.json"] = b"{"


def names_a_study_outside(_: Contents, manifest: dict[str, Any]) -> None:
    manifest["study"] = "../../outside"


def names_an_absolute_study(_: Contents, manifest: dict[str, Any]) -> None:
    manifest["study"] = "/tmp/outside"


def declares_what_no_study_can(contents: Contents, _: Any) -> None:
    item = {"declared_at": 1.0, "declaration": {"margin_points": "abc"}}
    contents["study.json"] = json.dumps([item]).encode()


def declares_something_else(contents: Contents, _: Any) -> None:
    contents["study.json"] = b'[{"x": 1}]'


def declares_it_at_no_time(contents: Contents, _: Any) -> None:
    item = {"declared_at": 1e300, "declaration": DECLARED}
    contents["study.json"] = json.dumps([item]).encode()


def ends_an_epoch_at_no_time(contents: Contents, _: Any) -> None:
    history = contents[f"{RUN}/history.csv"].replace(b"1700000000.0", b"inf")
    assert b"inf" in history
    contents[f"{RUN}/history.csv"] = history


def scores_a_text(contents: Contents, _: Any) -> None:
    result = json.loads(contents[f"{RUN}/result.json"])
    contents[f"{RUN}/result.json"] = json.dumps(result | {"test_accuracy": "abc"}).encode()


def scores_above_one(contents: Contents, _: Any) -> None:
    result = json.loads(contents[f"{RUN}/result.json"])
    contents[f"{RUN}/result.json"] = json.dumps(result | {"test_accuracy": 80.3}).encode()


def has_a_history_of_rubbish(contents: Contents, _: Any) -> None:
    contents[f"{RUN}/history.csv"] = b"rubbish\n1\n"


def has_more_epochs_than_it_says(contents: Contents, _: Any) -> None:
    lines = contents[f"{RUN}/history.csv"].splitlines(keepends=True)
    contents[f"{RUN}/history.csv"] = b"".join([*lines, lines[-1]])


def has_a_model_of_something_else(contents: Contents, _: Any) -> None:
    contents[f"{RUN}/best.keras"] = zipped({"evil.py": b"import os"})


def has_other_arrays(contents: Contents, _: Any) -> None:
    contents[f"{RUN}/predictions.npz"] = zipped({"evil.npy": b""})


def has_a_bomb_inside(contents: Contents, _: Any) -> None:
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(header, shape)
    contents[f"{RUN}/predictions.npz"] = zipped(
        {"probability.npy": header.getvalue() + bytes(2**20)}
    )


def has_fewer_predictions_than_it_says(contents: Contents, _: Any) -> None:
    header = io.BytesIO()
    shape = {"descr": "<f2", "fortran_order": False, "shape": (1000,)}
    np.lib.format.write_array_header_1_0(header, shape)
    contents[f"{RUN}/predictions.npz"] = zipped({"probability.npy": header.getvalue()})


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (names_a_study_outside, "a study's name takes letters"),
        (names_an_absolute_study, "a study's name takes letters"),
        (declares_what_no_study_can, "no study could have declared"),
        (declares_something_else, "no study could have declared"),
        (declares_it_at_no_time, "declared_at is not a time"),
        (ends_an_epoch_at_no_time, "an epoch has no valid end time"),
        (scores_a_text, "test_accuracy is not a number"),
        (scores_above_one, "test_accuracy is not between 0 and 1"),
        (has_a_history_of_rubbish, "cannot be read"),
        (has_more_epochs_than_it_says, "numbered from 1 up"),
        (has_a_model_of_something_else, "is not a Keras model"),
        (has_other_arrays, "other arrays than predictions"),
        (has_a_bomb_inside, "holds float64 of shape"),
        (has_fewer_predictions_than_it_says, "not as long as it says"),
        (climbs_out, "evil.txt"),
        (is_absolute, "evil.txt"),
        (hides_a_file, "does not belong"),
        (is_newer, "newer version"),
        (is_foreign, "not a study that rnnbench exported"),
        (changes_the_spec, "its spec was changed"),
        (holds_a_pickle, "holds object of shape"),
        (lacks_the_result, "has no result.json"),
        (is_no_json, "cannot be read"),
    ],
)
def test_what_is_wrong_is_refused_with_the_reason(alter: Change, words: str, archive: Path) -> None:
    change_archive(archive, alter)
    with pytest.raises(ArchiveError, match=words) as caught:
        read(archive)
    assert "\n" not in str(caught.value)


def test_content_that_was_changed_is_found_out(archive: Path) -> None:
    def alter(contents: Contents, _: Any) -> None:
        contents[f"{RUN}/best.keras"] = b"A model"

    change_archive(archive, alter, honest=False)
    with pytest.raises(ArchiveError, match="does not match the archive's manifest"):
        read(archive)


def test_a_bomb_is_not_unpacked(archive: Path) -> None:
    def alter(contents: Contents, manifest: dict[str, Any]) -> None:
        contents[f"{RUN}/history.csv"] = b"0" * (64 * 2**20)

    change_archive(archive, alter, honest=False)
    with pytest.raises(ArchiveError, match="unpacks to more than"):
        read(archive)
    change_archive(archive, alter)
    with pytest.raises(ArchiveError, match="of at most"):
        read(archive)


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_a_foreign_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="is refused"):
        read(path)
    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        read(tmp_path / "gone.zip")


def test_an_archive_is_a_plain_description(archive: Path) -> None:
    found = read(archive)
    assert found.origin
    assert len(found.digest) == 64


@pytest.mark.parametrize("size", [-1, -2, 1.5, "1", None])
def test_a_size_that_is_none_is_refused(size: object, archive: Path) -> None:
    def alter(_: Contents, manifest: dict[str, Any]) -> None:
        manifest["files"][f"{RUN}/history.csv"]["bytes"] = size

    change_archive(archive, alter, honest=False)
    with pytest.raises(ArchiveError, match="of at most"):
        read(archive)


def test_what_does_not_fit_on_the_disk_is_not_begun(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(StoreError, match=r"take \d+ KiB .* the disk has 100 B left"):
        read(archive)
    assert list(archive.with_suffix("").iterdir()) == []
