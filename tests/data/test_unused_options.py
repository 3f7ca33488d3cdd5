"""An option that says nothing of the files that are named is refused, with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnnbench.data.own import make_corpus
from rnnbench.data.tables import OwnChoices, read_table
from rnnbench.datasets import resolve_dataset
from rnnbench.errors import UsageError
from rnnbench.study_files import load_study

PARTS = ("train", "validation", "test")


def write_csv(path: Path, parts: tuple[str, ...] = ()) -> Path:
    """60 rows of two classes, with a column for the parts if there are any."""
    rows = [f"film number {n},{'good' if n % 2 else 'bad'}" for n in range(60)]
    if parts:
        rows = [f"{row},{parts[n // 2 % len(parts)]}" for n, row in enumerate(rows)]
    path.write_text("\n".join(["text,label" + ",split" * bool(parts), *rows]) + "\n")
    return path


def write_folder(path: Path, parts: tuple[str, ...] = ("",)) -> Path:
    for n in range(60):
        folder = path / parts[n // 2 % len(parts)] / ("good" if n % 2 else "bad")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{n}.txt").write_text(f"film number {n}")
    return path


@pytest.mark.parametrize(
    ("file", "unused", "words"),
    [
        ("films.csv", {"sheet": "a"}, "--sheet is for .xlsx, not for"),
        ("films.tsv.gz", {"sheet": "a"}, "--sheet is for .xlsx, not for"),
        ("films.jsonl", {"separator": ";"}, "--separator is for .csv or .tsv, not for"),
        ("films.jsonl", {"quoting": "none"}, "--quoting is for .csv or .tsv, not for"),
        ("films.xlsx", {"encoding": "cp949"}, "--encoding is for .csv, .tsv, .jsonl, .ndjson or"),
        ("films.xlsx", {"separator": ";"}, "--separator is for"),
        ("films.parquet", {"encoding": "cp949"}, "--encoding is for"),
    ],
)
def test_option_of_another_format_is_refused(
    file: str, unused: dict[str, Any], words: str, tmp_path: Path
) -> None:
    (tmp_path / file).touch()
    with pytest.raises(UsageError, match=words) as caught:
        read_table(tmp_path / file, OwnChoices(**unused))
    assert str(caught.value).endswith(f"{file}; leave it out")


@pytest.mark.parametrize(
    "name", ["text_column", "label_column", "split_column", "separator", "quoting", "sheet"]
)
def test_folder_has_no_columns(name: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "films")
    value = "none" if name == "quoting" else "a"
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} is for"):
        read_table(folder, OwnChoices(**{name: value}))


def test_option_that_one_file_of_several_takes_is_used(tmp_path: Path) -> None:
    train = write_csv(tmp_path / "films.csv")
    test = write_folder(tmp_path / "films")
    table = read_table(train, OwnChoices(test=str(test), separator=","))
    assert len(table.texts) == 120


@pytest.mark.parametrize("write", [write_csv, write_folder], ids=["column", "folders"])
def test_nothing_is_drawn_where_the_parts_are_there(write: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "films.csv", PARTS)
    for unused in ({"test_fraction": 0.2}, {"split_seed": 42}):
        (name,) = unused
        with pytest.raises(UsageError, match=f"leave --{name.replace('_', '-')} out"):
            read_table(path, OwnChoices(**unused))


def test_seed_of_the_split_counts_where_the_validation_part_is_drawn(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "films.csv", ("train", "train", "test"))
    corpora = []
    for seed in (None, 42, 7):
        choices = OwnChoices(split_seed=seed)
        corpora.append(make_corpus("films", read_table(path, choices), choices)[0].fingerprint())
    assert corpora[0] == corpora[1] != corpora[2]


def test_files_for_the_parts_leave_nothing_to_draw() -> None:
    with pytest.raises(UsageError, match="the files say which rows test"):
        OwnChoices(test="b.csv", test_fraction=0.1)
    with pytest.raises(UsageError, match="leave --split-seed out"):
        OwnChoices(test="b.csv", validation="c.csv", split_seed=1)
    assert OwnChoices(test="b.csv", split_seed=1).given == ["test", "split_seed"]


@pytest.mark.parametrize("choice", ["synthetic", "imdb", "auto", "reviews.npz"])
def test_reviews_that_are_not_the_users_take_none(choice: str) -> None:
    own = OwnChoices(test_fraction=0.2, sheet="a")
    with pytest.raises(UsageError, match=f"--sheet and --test-fraction cannot .* '{choice}'"):
        resolve_dataset(choice, own=own)


def test_study_file_is_held_to_the_same(tmp_path: Path) -> None:
    films = write_csv(tmp_path / "films.csv")
    study = tmp_path / "mine.toml"
    study.write_text(
        "name = 'mine'\narchitectures = ['lstm']\nseeds = 1\n"
        f"[data]\ndataset = '{films}'\nsheet = 'a'\n"
    )
    own = OwnChoices(**load_study(study).own)
    with pytest.raises(UsageError, match="--sheet is for"):
        resolve_dataset(str(films), own=own)
