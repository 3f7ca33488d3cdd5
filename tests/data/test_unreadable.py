"""What is said of data that cannot be read as they are: what came, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnbench.data.tables import OwnChoices
from rnnbench.data.unreadable import tell_test_file
from rnnbench.datasets import describe_table, resolve_dataset
from rnnbench.errors import DataError, UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of many kinds, and folders of texts."""
    monkeypatch.chdir(tmp_path)
    for name in ("a b.json.gz", "r.txt", "r.json", "r.xls", "r.pkl", "r.html"):
        (tmp_path / name).touch()
    for name in ("parts/train.csv", "parts/test.csv", "one/r.tsv", "by/pos/1.md", "by/neg/2.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("a b.json.gz", r"is packed; unpack it \(gunzip -k 'a b.json.gz'\)"),
        ("r.txt", "if a tab separates its columns, give it the ending .tsv"),
        ("r.json", "write an object a line instead, and give it the ending .jsonl"),
        ("r.xls", "is a spreadsheet; save it as .xlsx or CSV"),
        ("r.pkl", "could run code and is never read"),
        ("r.html", ".csv, .tsv, .jsonl, .ndjson, .parquet or .xlsx file with a column of texts"),
        ("parts", r"several files \(test.csv, train.csv\); name one, or .* a column split"),
        ("one", "name the file in it: one/r.tsv"),
        ("by", r"folder of folders \(neg, pos\) without .txt files; put a text a file"),
        ("empty", "is a folder without an imdb.npz"),
        ("/dev/stdin", "standard input is named -"),
        ("https://example.org/reviews.csv", "is an address; download the file"),
        ("https://example.org/imdb.npz", "is an address; download the file"),
        ("gone.txt", "there is no file gone.txt"),
        (
            "train.csv,test.csv",
            "there is no file train.csv,test.csv; of several files, .* a column split",
        ),
    ],
)
def test_what_came_and_what_to_do_is_said_in_one_sentence(
    folder: Path, choice: str, words: str
) -> None:
    with pytest.raises((DataError, UsageError), match=words) as caught:
        resolve_dataset(choice, own=OwnChoices())
    assert "\n" not in str(caught.value)
    with pytest.raises((DataError, UsageError), match=words):
        describe_table(choice, {})


def test_a_test_file_beside_the_training_file_is_told(folder: Path) -> None:
    (note,) = tell_test_file(folder / "parts" / "train.csv")
    assert note == "test.csv is not read; to test on it: --train train.csv --test test.csv"
    assert not tell_test_file(folder / "parts" / "test.csv")


def test_a_name_that_no_data_set_has_is_told_with_those_that_there_are(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean 'imdb'\?.*or a file of your own"):
        resolve_dataset("imbd")
    with pytest.raises(DataError, match=r"there is no file gone\.csv"):
        resolve_dataset("gone.csv")
