"""Files by their endings, packed ones, and standard input."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest

from rnnbench.data import inputs
from rnnbench.data.inputs import kind_of, read_content, standard_input, stem_of
from rnnbench.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("name", "kind", "stem"),
    [
        ("r.csv", ".csv", "r"),
        ("my.r.CSV.GZ", ".csv", "my.r"),
        ("r.jsonl.gz", ".jsonl", "r"),
        ("r.xlsx", ".xlsx", "r"),
        ("r.parquet.gz", "", "r.parquet"),
        ("r.gz", "", "r"),
        ("csv", "", "csv"),
        ("-", "", "-"),
    ],
)
def test_a_file_is_known_by_its_ending(name: str, kind: str, stem: str) -> None:
    assert (kind_of(Path(name)), stem_of(Path(name))) == (kind, stem)


def test_a_packed_file_is_unpacked_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.csv.gz"
    path.write_bytes(gzip.compress(b"text,label\n" * 1000))
    assert read_content(path) == b"text,label\n" * 1000
    monkeypatch.setattr(inputs, "MOST_FILE_BYTES", 5000)
    with pytest.raises(DataError, match="it unpacks to more than 5,000 bytes"):
        read_content(path)


def test_a_packed_file_that_is_damaged_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.csv.gz"
    whole = gzip.compress(bytes(range(256)) * 40)
    damaged = bytearray(whole)
    damaged[20] ^= 255
    for content in (whole[:-20], bytes(damaged), b"text,label\n", whole + b"more"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"r\.csv\.gz cannot be read: "):
            read_content(path)


def pipe(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"text\tlabel\n", "stdin.csv"),
        (b'\xef\xbb\xbf\n{"text": 1}', "stdin.jsonl"),
        (b"PK\x03\x04", "stdin.xlsx"),
        (b"PAR1", "stdin.parquet"),
        (gzip.compress(b'{"text": 1}', mtime=0), "stdin.jsonl.gz"),
        (b"\x1f\x8bnothing", "stdin.csv.gz"),
        (b"", "stdin.csv"),
    ],
)
def test_what_is_piped_in_is_known_by_its_beginning(
    content: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(content, monkeypatch)
    with standard_input() as path:
        assert (path.name, path.read_bytes()) == (name, content)
    assert not path.exists()


def test_errors_name_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(b"a,b\n", monkeypatch)
    with pytest.raises(DataError, match="standard input: line 2"), standard_input() as path:
        raise DataError(f"{path}: line 2")
    pipe(b"a" * 100, monkeypatch)
    monkeypatch.setattr(inputs, "MOST_FILE_BYTES", 50)
    with pytest.raises(DataError, match="more than 50 bytes"), standard_input():
        pass
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="pipe a file into the command"), standard_input():
        pass
