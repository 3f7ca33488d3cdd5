"""Files of others within bounds: JSON, TOML, zip archives and whole files."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rnnbench.data.files import named_path
from rnnbench.errors import StudyError, UsageError
from rnnbench.formats import (
    FormatError,
    check_file,
    check_names,
    check_text,
    is_there,
    open_zip,
    parse_json,
    read_bytes,
    read_toml,
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'["\\ud800"]', "half of a surrogate pair"),
        (b'{"\\uDFFF": 1}', "half of a surrogate pair"),
        (b'["\xed\xa0\x80"]', "not utf-8"),
        (b"[" * 5000, "nested too deeply"),
        (b"[" + b"1" * 5000 + b"]", "more than 19 digits"),
        (b"[12345678901234567890]", "more than 19 digits"),
        (b"[1e999]", "it holds 1e999, which is not a finite number"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1,", "not JSON"),
        (b"[" + b"[]," * 3000 + b"]", "up to 6,001 values, of at most 6,000"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_json_that_would_break_a_reader_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason) as caught:
        parse_json(content, most_values=6000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'["\\ud83d\\ude00", "\\\\ud800"]', ["\U0001f600", "\\ud800"]),
        (b"[-1234567890123456789, 1e-999]", [-1234567890123456789, 0.0]),
        (b"\xef\xbb\xbf[1.5, null, true]", [1.5, None, True]),
    ],
    ids=["a pair", "numbers", "a mark"],
)
def test_other_json_is_read_as_it_is(content: bytes, value: Any) -> None:
    assert parse_json(content) == value


def test_a_result_may_be_infinite() -> None:
    assert parse_json(b"[1e999, -Infinity]", allow_nan=True) == [float("inf"), float("-inf")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a = " + "[" * 5000, "nested too deeply"),
        ("[a]\n" + ".".join("a" * 3000) + " = 1", "file.toml:2: a key has more than 100 parts"),
        ('"\\""' + " . 'a b'" * 3000 + " = 1", "a key has more than 100 parts"),
        ("a = 1\nb = " + "1" * 5000, "file.toml:2: not valid TOML: .* more than 19 digits"),
        ("a = 1\nb = 0x" + "f" * 5000, "file.toml:2: not valid TOML: .* more than 19 digits"),
        ("a = [{b = 12345678901234567890}]", "file.toml:1: not valid TOML"),
        ('a = "\\ud800"', "not valid TOML"),
        ("# " + "x" * 2**18, "it has 262,146 bytes, of at most 262,144"),
    ],
    ids=[
        "lists",
        "keys",
        "keys in quotes",
        "digits",
        "hex digits",
        "in a table",
        "half a pair",
        "long",
    ],
)
def test_toml_that_would_break_a_reader_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text(text)
    with pytest.raises(StudyError, match=reason):
        read_toml(path)


def test_a_pipe_a_device_and_a_folder_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "link"):
        with pytest.raises(FormatError, match="not a regular file"):
            check_file(path)
        with pytest.raises(StudyError, match=r"cannot read .* not a regular file"):
            read_toml(path)


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345"
    with pytest.raises(FormatError, match="it has 5 bytes, of at most 4"):
        read_bytes(path, 4)


def test_a_name_that_no_disk_can_hold_is_not_there(tmp_path: Path) -> None:
    assert is_there(tmp_path)
    assert not is_there(tmp_path / ("x" * 5000))
    assert not is_there(Path("a\0b"))


def test_an_archive_of_too_many_files_is_refused_before_they_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    with zipfile.ZipFile(path, "w") as file:
        for n in range(20):
            file.writestr(f"{n}", b"")
    with open_zip(path, 20) as file:
        assert len(file.namelist()) == 20
    with pytest.raises(FormatError, match="its list of files"), open_zip(path, 5):
        pass


def test_an_archive_that_asks_for_a_large_dictionary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("a", b"a")
    with pytest.raises(FormatError, match="neither stored nor deflated"), open_zip(path, 5):
        pass


def test_names_and_texts_are_those_that_mlflow_keeps() -> None:
    check_names("it", {"version.jax": 1, "a-b_c": 2})
    check_text("it", "Linux – 6.1")
    for name in ("", "a/b", ".a", "é", "x" * 101, "\ud800"):
        with pytest.raises(FormatError, match="of other letters"):
            check_names("it", {name: 1})
    with pytest.raises(FormatError, match="51 entries, of at most 50"):
        check_names("it", {f"n{n}": n for n in range(51)})
    for text in ("a\nb", "\ud800", "x" * 1001, 5):
        with pytest.raises(FormatError, match="not a printable text"):
            check_text("it", text)


def test_a_variable_that_names_nobodys_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNBENCH_CACHE", "~nosuch/x")
    with pytest.raises(UsageError, match="'~nosuch/x', and there is no such user"):
        named_path("RNNBENCH_CACHE")
    monkeypatch.setenv("RNNBENCH_CACHE", "x")
    assert named_path("RNNBENCH_CACHE") == Path.cwd() / "x"
    monkeypatch.delenv("RNNBENCH_CACHE")
    assert named_path("RNNBENCH_CACHE") is None
