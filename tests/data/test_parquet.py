"""Parquet files that expand to more than they take are refused before they do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from rnnbench.data import parquet
from rnnbench.data.parquet import read_parquet
from rnnbench.errors import DataError


def write(path: Path, n_rows: int, value: str) -> Path:
    """A file of one column in which a value repeats."""
    places = pyarrow.array(np.zeros(n_rows, np.int32))
    column = pyarrow.DictionaryArray.from_arrays(places, pyarrow.array([value]))
    pyarrow.parquet.write_table(pyarrow.table({"text": column}), path, compression="zstd")
    return path


def test_a_text_that_repeats_is_counted_each_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", 20_000, "x" * 100_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(DataError, match="2,000,000,000 bytes of text, of at most 1,073,741,824"):
        read_parquet(path)


def test_rows_are_counted_before_they_are_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 1,000 rows, of at most 999"):
        read_parquet(write(tmp_path / "a.parquet", 1000, "x"), most_rows=999)


def test_values_are_counted_over_all_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MOST_VALUES", 999)
    with pytest.raises(DataError, match="1,000 rows of 1 columns: 1,000 values, of at most 999"):
        read_parquet(write(tmp_path / "a.parquet", 1000, "x"))


def test_what_repeats_little_comes_out_as_it_is(tmp_path: Path) -> None:
    table = pyarrow.table({"text": ["a", None, "b"], "n": [1, 2, 3], "bytes": [b"a", b"", None]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    found = read_parquet(tmp_path / "a.parquet", most_rows=3)
    assert list(found.columns.items()) == [
        ("text", ["a", "", "b"]),
        ("n", ["1", "2", "3"]),
        ("bytes", ["a", "", ""]),
    ]


def test_a_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    text = pyarrow.array([b"\x97"]).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"text": text}), path)
    with pytest.raises(DataError, match="a text in it is not UTF-8"):
        read_parquet(path)
