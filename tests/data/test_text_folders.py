"""A folder of texts: classes and parts as folders, and what else may lie there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from rnnbench.data.folders import folder_sha256
from rnnbench.data.tables import OwnChoices, Table, read_table
from rnnbench.datasets import is_table, stem_of_table
from rnnbench.errors import DataError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """30 texts of each of two classes."""
    write(tmp_path / "reviews", 30)
    return tmp_path / "reviews"


def write(folder: Path, n: int) -> None:
    for name in ("neg", "pos"):
        (folder / name).mkdir(parents=True)
        for number in range(n):
            (folder / name / f"{number}.txt").write_text(f"a {name} film {number}", "utf-8")


def read(path: Path, **choices: Any) -> Table:
    return read_table(path, OwnChoices(**choices))


def test_a_folder_for_each_class_is_read(folder: Path) -> None:
    table = read(folder)
    assert all(text.split()[1] == table.labels[row] for row, text in enumerate(table.texts))
    assert (len(table.texts), table.parts) == (60, None)
    assert table.notes == ("read as texts in a file each, in a folder for each class",)
    assert is_table(str(folder))
    assert stem_of_table(str(folder)) == "reviews"


def test_folders_for_parts_above_the_classes_are_the_split(tmp_path: Path) -> None:
    write(tmp_path / "train", 30)
    write(tmp_path / "test", 10)
    (tmp_path / "train" / "unsup").mkdir()
    (tmp_path / "train" / "unsup" / "0.txt").touch()
    (tmp_path / "extra").mkdir()
    table = read(tmp_path)
    assert table.parts is not None
    assert (table.parts.count("train"), table.parts.count("test")) == (60, 20)
    assert set(table.labels) == {"neg", "pos"}
    assert table.notes[1:] == (
        "left out, because they are no parts: extra",
        "left out, because their name says that their texts have no label: train/unsup",
    )
    with pytest.raises(UsageError, match="folders for the parts itself; leave --test out"):
        read(tmp_path, test=str(tmp_path / "test"))


def test_what_is_no_text_is_passed_over_and_said(folder: Path) -> None:
    (folder / ".DS_Store").touch()
    (folder / "pos" / ".hidden.txt").touch()
    (folder / "pos" / "readme.md").touch()
    (folder / "empty").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "neg" / "again").symlink_to(folder)
    table = read(folder)
    assert len(table.texts) == 60
    assert table.notes[1:] == (
        "left out, because they hold no .txt file: empty",
        "left out, because they are no .txt files: neg/again, pos/readme.md",
    )


def test_what_only_looks_like_a_text_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "pos" / "pipe.txt")
    with pytest.raises(DataError, match=r"pipe\.txt cannot be read: it is not a regular file"):
        read(folder)
    (folder / "pos" / "pipe.txt").unlink()
    (folder / "pos" / "loop.txt").symlink_to(folder / "pos" / "loop.txt")
    with pytest.raises(DataError, match=r"loop\.txt cannot be read"):
        read(folder)


def test_empty_texts_are_named_by_their_files(folder: Path) -> None:
    (folder / "pos" / "3.txt").write_text(" \n")
    assert read(folder).notes[1] == "left out, because the text is empty: 1 row, file pos/3.txt"


def test_the_key_covers_every_text_and_its_place(folder: Path) -> None:
    known = {folder_sha256(folder)}
    (folder / "pos" / "3.txt").write_text("another")
    known.add(folder_sha256(folder))
    (folder / "pos" / "4.txt").rename(folder / "neg" / "40.txt")
    known.add(folder_sha256(folder))
    assert len(known) == 3
