"""Temporary files and folders: gone at the end, and swept after a kill, those of nobody else."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from rnnbench.data.files import (
    MARK,
    held_file,
    remove_abandoned,
    sweep_folders,
    temporary_folder,
    whole_file,
)


def left_behind(folder: Path, name: str = "rnnbench-abc") -> Path:
    """What a process that was killed leaves."""
    left = folder / name
    (left / "model").mkdir(parents=True)
    (left / MARK).touch()
    (left / "best.keras").write_bytes(b"half of it")
    return left


def test_a_folder_is_there_while_it_is_used_and_gone_after(tmp_path: Path) -> None:
    with temporary_folder(tmp_path) as folder:
        sweep_folders(tmp_path)
        assert [path.name for path in folder.iterdir()] == [MARK]
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    left = left_behind(tmp_path)
    sweep_folders(tmp_path)
    assert not left.exists()


def test_folders_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "rnnbench-notes").mkdir()
    (tmp_path / "rnnbench-notes" / "precious").touch()
    elsewhere = left_behind(tmp_path, "elsewhere")
    (tmp_path / "rnnbench-link").symlink_to(elsewhere)
    (tmp_path / "rnnbench-file").touch()
    before = sorted(tmp_path.rglob("*"))
    sweep_folders(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_folders_of_another_user_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = left_behind(tmp_path)
    monkeypatch.setattr("rnnbench.data.files.os.getuid", lambda: os.geteuid() + 1)
    sweep_folders(tmp_path)
    assert left.exists()


def test_where_there_are_no_locks_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no locks available")

    left = left_behind(tmp_path)
    monkeypatch.setattr("rnnbench.data.files.fcntl.flock", refuse)
    with whole_file(tmp_path / "file") as stream:
        stream.write(b"content")
    sweep_folders(tmp_path)
    assert (tmp_path / "file").read_bytes() == b"content"
    assert left.exists()


def test_a_file_that_is_being_written_is_kept_and_an_abandoned_one_is_not(tmp_path: Path) -> None:
    abandoned = tmp_path / ".state.npz.abc"
    abandoned.touch()
    with held_file(tmp_path / ".state.npz.def"):
        remove_abandoned(tmp_path.glob(".state.npz.*"))
        assert [path.name for path in tmp_path.iterdir()] == [".state.npz.def"]


def test_a_sweep_just_before_a_file_is_held_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold, swept = fcntl.flock, list[Path]()

    def sweep_and_hold(stream: int, how: int) -> None:
        if how & fcntl.LOCK_EX and not swept:
            swept.extend(tmp_path.glob(".a.*"))
            remove_abandoned(swept)
        hold(stream, how)

    monkeypatch.setattr(fcntl, "flock", sweep_and_hold)
    with whole_file(tmp_path / "a") as stream:
        stream.write(b"x")
    assert len(swept) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    assert (tmp_path / "a").read_bytes() == b"x"
