"""`rnnbench data describe`: what it prints of texts of the user's, wherever they come from."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Answer

from rnnbench.data.describe import read_findings

Command = Callable[..., Answer]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file to train on, one to test on, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RNNBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "train.csv").write_text(table(range(100)))
    (tmp_path / "later.csv").write_text(table(range(90, 130)))
    return tmp_path


def table(numbers: range) -> str:
    return "text,label\n" + "".join(f"a film {n},{'pos' if n % 2 else 'neg'}\n" for n in numbers)


def test_a_table_shows_the_texts_of_each_class_and_part(rnnbench: Command) -> None:
    answer = rnnbench("data", "describe", "train.csv")
    rows = [line.split() for line in answer.out.splitlines()]
    assert ["neg", "32", "8", "10", "50.0", "%"] in rows
    assert ["all", "64", "16", "20", "100", "%"] in rows
    assert ["--max-len", "4", "*"] in rows
    assert answer.out.endswith("To train on it: rnnbench run --all --dataset train.csv\n")


def test_files_of_the_parts_are_one_corpus_whose_duplicates_can_be_read(rnnbench: Command) -> None:
    words = ("data", "describe", "--train", "train.csv", "--test", "later.csv")
    answer = rnnbench(*words)
    assert "10 of 40 test texts stand in an earlier part too" in answer.out
    assert answer.out.endswith("rnnbench run --all --train train.csv --test later.csv\n")
    found = json.loads(rnnbench(*words, "--json").out)
    assert found["findings"]["class_counts"] == {"neg": [40, 10, 20], "pos": [40, 10, 20]}
    kept = read_findings(found["fingerprint"])
    assert kept is not None
    assert kept.repeats.n_duplicates == {"test": 10}


def test_another_test_file_makes_other_data(rnnbench: Command, folder: Path) -> None:
    words = ("data", "describe", "train.csv", "--test", "later.csv", "--json")
    before = json.loads(rnnbench(*words).out)["fingerprint"]
    (folder / "later.csv").write_text(table(range(200, 240)))
    assert json.loads(rnnbench(*words).out)["fingerprint"] != before


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_what_is_piped_in_is_the_same_data(
    pack: Callable[[bytes], bytes], rnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = io.TextIOWrapper(io.BytesIO(pack(table(range(100)).encode())))
    monkeypatch.setattr(sys, "stdin", piped)
    found = json.loads(rnnbench("data", "describe", "-", "--json").out)
    assert (found["name"], found["origin"]) == ("stdin", "standard input")
    again = json.loads(rnnbench("data", "describe", "train.csv", "--json").out)
    assert found["fingerprint"] == again["fingerprint"]


def test_what_cannot_be_read_from_standard_input_is_told_by_that_name(
    rnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text,label\na,b,c\n")))
    answer = rnnbench("data", "describe", "-")
    assert answer.code == 3
    assert answer.err.startswith("error: standard input: line 2 has 3 fields")


@pytest.mark.parametrize("choice", ["imdb", "synthetic", "gone.csv", "reviews.doc"])
def test_only_texts_of_the_users_are_described(choice: str, rnnbench: Command) -> None:
    answer = rnnbench("data", "describe", choice)
    assert answer.code in (2, 3)
    assert answer.err.count("\n") == 1
