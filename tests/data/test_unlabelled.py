"""Rows with texts and without labels, every one of them in its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnnbench.data.tables import OwnChoices
from rnnbench.data.unlabelled import read_texts
from rnnbench.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("a.csv", 'text\ngood\n""\nbad\n', ["good", "", "bad"]),
        ("a.csv", "id,text\n1,good\n,\n3,\n", ["good", "", ""]),
        ("a.csv", "id;text\n1;good\n", ["good"]),
        ("a.tsv", "review\tlabel\ngood\tx\n", ["good"]),
        ("a.txt", "good\r\n\r\nbad", ["good", "", "bad"]),
        ("a.txt", "good\n\n", ["good", ""]),
        ("a.jsonl", '{"text": "good", "n": [1]}\n\n{"n": 2}\n', ["good", ""]),
    ],
)
def test_every_row_is_there(tmp_path: Path, name: str, content: str, texts: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode())
    assert read_texts(path, OwnChoices()).texts == texts


def test_rows_of_json_are_kept_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"text": "good", "n": [1]}\n', "utf-8")
    assert [*map(json.loads, read_texts(path, OwnChoices()).objects)] == [
        {"text": "good", "n": [1]}
    ]


@pytest.mark.parametrize(
    ("name", "content", "choices", "told"),
    [
        ("a.csv", "a,b\n1,2\n", {}, "ambiguous which column has the texts"),
        ("a.csv", "a,b\n1,2\n", {"text_column": "c"}, "unknown column 'c'"),
        ("a.csv", "text\n", {}, "has no rows"),
        ("a.txt", "", {}, "has no rows"),
        ("a.txt", "a\n", {"text_column": "a"}, "--text-column is for"),
        ("a.txt", "a\n", {"encoding": "utf-9"}, "utf-9"),
    ],
)
def test_what_has_no_texts_is_told(
    tmp_path: Path, name: str, content: str, choices: dict[str, str], told: str
) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    with pytest.raises((UsageError, DataError), match=told):
        read_texts(path, OwnChoices(**choices))
