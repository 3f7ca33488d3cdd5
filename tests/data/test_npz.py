"""The reader of `imdb.npz`: what it takes, and all that it refuses without running any of it."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnbench.data.npz import MAX_FILE_BYTES, MAX_OBJECTS, MAX_TOKENS, read_npz
from rnnbench.errors import DataError

ROWS: list[Any] = [[5, 300, 70_000], [8]]
# The first lines of an array pickled by Python 2, with the rows [1, 2] and [3].
PYTHON_2 = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02"
    b"U\x01bq\x03\x87q\x04Rq\x05(K\x01K\x02\x85q\x06cnumpy\ndtype\nq\x07U\x02O8q\x08K\x00K\x01\x87"
    b"q\x09Rq\x0a(K\x03U\x01|q\x0bNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tq\x0cb\x89]q\x0d("
    b"]q\x0e(K\x01K\x02e]q\x0fK\x03aetq\x10b."
)


def object_array(rows: list[Any]) -> np.ndarray[Any, Any]:
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


def npy(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def pickled(content: bytes, n_rows: int = 2) -> bytes:
    """An object array's `.npy` member with any pickle in it."""
    stream = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": (n_rows,)}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + content


def write_members(path: Path, **changed: bytes) -> Path:
    """A sound file with two reviews a half, but for what is `changed`."""
    reviews, labels = npy(object_array(ROWS)), npy(np.array([1, 0]))
    sound = {"x_train": reviews, "y_train": labels, "x_test": reviews, "y_test": labels}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (sound | changed).items():
            archive.writestr(f"{name}.npy", content)
    return path


def test_rows_come_out_flat_and_unchanged(tmp_path: Path) -> None:
    halves = read_npz(write_members(tmp_path / "imdb.npz", x_test=npy(object_array([[], [9, 9]]))))
    assert halves.train.tokens.tolist() == [5, 300, 70_000, 8]
    assert halves.train.offsets.tolist() == [0, 3, 4]
    assert halves.train.labels.tolist() == [1, 0]
    assert halves.test.offsets.tolist() == [0, 0, 2]
    assert halves.test.tokens.dtype == np.int32
    assert halves.test.labels.dtype == np.int8


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_every_protocol_that_numpy_has_written_is_read(tmp_path: Path, protocol: int) -> None:
    content = pickled(pickle.dumps(object_array(ROWS), protocol))
    halves = read_npz(write_members(tmp_path / "imdb.npz", x_train=content))
    assert halves.train.tokens.tolist() == [5, 300, 70_000, 8]


def test_an_array_written_by_python_2_is_read(tmp_path: Path) -> None:
    halves = read_npz(write_members(tmp_path / "imdb.npz", x_train=pickled(PYTHON_2)))
    assert halves.train.tokens.tolist() == [1, 2, 3]


def test_a_file_of_numpys_own_savez_is_read(tmp_path: Path) -> None:
    x, y = object_array(ROWS), np.array([0, 1], dtype=">i4")
    np.savez(tmp_path / "imdb.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    assert read_npz(tmp_path / "imdb.npz").test.labels.tolist() == [0, 1]


WRONG_ROWS: dict[str, tuple[Any, str]] = {
    "rows of words": ([["good"], ["bad"]], "lists of str"),
    "booleans": ([[True], [1]], "lists of bool"),
    "floats": ([[0.5], [1]], "BINFLOAT"),
    "a list in a list": ([[[1]], [1]], "lists of list"),
    "no word": ([[None], [1]], "lists of NoneType"),
    "tuples": ([(1, 2), [3]], "tuple where a list"),
    "strings": (["good", "bad"], "str where a list"),
    "arrays": ([np.array([1, 2]), [3]], "array of numbers"),
    "a negative rank": ([[-1], [1]], "not in 0 to"),
    "a rank beyond any vocabulary": ([[2_000_000_000], [1]], "not in 0 to"),
    "a rank beyond 32 bits": ([[2**40], [1]], "not in 0 to"),
    "one review too many": ([[1], [1], [1]], "3 reviews and y_train 2 labels"),
    "only empty reviews": ([[], []], "no words"),
}


@pytest.mark.parametrize(("rows", "reason"), WRONG_ROWS.values(), ids=WRONG_ROWS.keys())
def test_reviews_of_another_kind_are_refused(tmp_path: Path, rows: Any, reason: str) -> None:
    path = write_members(tmp_path / "imdb.npz", x_train=npy(object_array(rows)))
    with pytest.raises(DataError, match=f"imdb.npz is refused: x_train .*{reason}"):
        read_npz(path)


WRONG_ARRAYS: dict[str, tuple[str, np.ndarray[Any, Any], str]] = {
    "padded reviews": ("x_test", np.zeros((2, 3), int), "one-dimensional array of lists"),
    "a square object array": ("x_test", np.array([[1], [2]], object), "one-dimensional array"),
    "numbers for reviews": ("x_test", np.array([1, 2]), "int64 of shape"),
    "float labels": ("y_test", np.array([0.0, 1.0]), "one-dimensional integer array"),
    "pickled labels": ("y_test", object_array([0, 1]), "object of shape"),
    "one-hot labels": ("y_test", np.eye(2, dtype=int), "one-dimensional integer array"),
    "stars": ("y_test", np.array([1, 5]), "labels beside 0 and 1"),
    "boolean labels": ("y_test", np.array([True, False]), "bool of shape"),
}


@pytest.mark.parametrize(
    ("name", "array", "reason"), WRONG_ARRAYS.values(), ids=WRONG_ARRAYS.keys()
)
def test_arrays_of_another_type_are_refused(
    tmp_path: Path, name: str, array: np.ndarray[Any, Any], reason: str
) -> None:
    with pytest.raises(DataError, match=f"{name} .*{reason}"):
        read_npz(write_members(tmp_path / "imdb.npz", **{name: npy(array)}))


class Hostile:
    """Runs a shell command where a pickle is trusted."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("place", ["alone", "row", "word"])
def test_a_planted_command_does_not_run(tmp_path: Path, place: str, protocol: int) -> None:
    planted = Hostile(f"touch {tmp_path / 'ran'}")
    content: Any = {"alone": planted, "row": [[1], planted], "word": [[1], [planted]]}[place]
    array = content if place == "alone" else object_array(content)
    stream = pickle.dumps(array, protocol)
    with pytest.raises(DataError, match="is refused: x_train"):
        read_npz(write_members(tmp_path / "imdb.npz", x_train=pickled(stream)))
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(planted))
    assert (tmp_path / "ran").exists()  # so the command was a real one


def test_the_name_that_a_pickle_asks_for_is_told(tmp_path: Path) -> None:
    content = pickled(pickle.dumps(eval, 4))
    with pytest.raises(DataError, match=r"x_train asks for 'builtins\.eval'"):
        read_npz(write_members(tmp_path / "imdb.npz", x_train=content))


HUGE = (2**40).to_bytes(8, "little")
GREEDY = {
    "LONG_BINPUT": b"\x80\x04]r\xff\xff\xff\x7f.",
    "FRAME": b"\x80\x04\x95" + HUGE + b"].",
    "BINBYTES8": b"\x80\x04\x8e" + HUGE + b".",
    "BYTEARRAY8": b"\x80\x05\x96" + HUGE + b".",
    "BINUNICODE8": b"\x80\x04\x8d" + HUGE + b".",
    "EXT1": b"\x80\x04\x82\x01.",
    "PERSID": b"Pname\n.",
    "DUP": b"\x80\x04]2.",
    "0xff": b"\xff.",
}


@pytest.mark.parametrize(("opcode", "stream"), GREEDY.items(), ids=GREEDY.keys())
def test_an_opcode_that_lists_do_not_need_is_refused(
    tmp_path: Path, opcode: str, stream: bytes
) -> None:
    with pytest.raises(DataError, match=f"x_train holds pickle opcode {opcode}"):
        read_npz(write_members(tmp_path / "imdb.npz", x_train=pickled(stream)))


RECONSTRUCT = b"\x80\x02cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
DAMAGED = {
    "no stop": (b"\x80\x04](K\x01", "cut short"),
    "a string longer than the file": (b"\x80\x04X\xff\xff\xff\x7fabc.", "cut short"),
    "an empty stack": (b"\x80\x04.", "damaged"),
    "an unknown memo entry": (b"\x80\x04h\x07.", "damaged"),
    "a bare list": (b"\x80\x04].", "list where an array"),
    "a huge array": (RECONSTRUCT + b"J\xff\xff\xff\x7f\x85U\x01b\x87R.", "rebuilds something"),
    "another class": (RECONSTRUCT + b"\x85R.", "damaged"),
    "a list in place of a state": (
        RECONSTRUCT + b"K\x00\x85U\x01b\x87R]b.",
        "not a one-dimensional",
    ),
    "more objects than reviews": (b"]" * (MAX_OBJECTS + 1) + b".", "objects where"),
}


@pytest.mark.parametrize(("stream", "reason"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_pickle_is_refused(tmp_path: Path, stream: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=f"is refused: .*{reason}"):
        read_npz(write_members(tmp_path / "imdb.npz", x_train=pickled(stream)))


def test_one_long_list_named_many_times_is_refused_before_it_is_unrolled(tmp_path: Path) -> None:
    rows = [[7] * 1_000] * (MAX_TOKENS // 1_000 + 1)
    labels = npy(np.zeros(len(rows), dtype=int))
    path = write_members(tmp_path / "imdb.npz", x_train=npy(object_array(rows)), y_train=labels)
    with pytest.raises(DataError, match="16,001,000 tokens; at most 16,000,000"):
        read_npz(path)


def test_a_list_that_holds_itself_is_refused(tmp_path: Path) -> None:
    row: list[Any] = [1]
    row.append(row)
    with pytest.raises(DataError, match="lists of list"):
        read_npz(write_members(tmp_path / "imdb.npz", x_train=npy(object_array([row, [1]]))))


def test_a_member_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = write_members(tmp_path / "imdb.npz", y_train=bytes(5 * 2**20))
    with pytest.raises(DataError, match="y_train unpacks to over 4,194,304 bytes"):
        read_npz(path)


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    n_bytes = 5 * 2**20
    path = write_members(tmp_path / "imdb.npz", y_train=bytes(n_bytes))
    content = path.read_bytes()
    assert content.count(n_bytes.to_bytes(4, "little")) == 2  # its two headers
    path.write_bytes(content.replace(n_bytes.to_bytes(4, "little"), (272).to_bytes(4, "little")))
    with pytest.raises(DataError, match="is refused: damaged, BadZipFile"):
        read_npz(path)


def test_names_beside_the_four_are_refused_and_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "imdb.npz", x=np.zeros(3), y=np.zeros(3))
    needed = "exactly x_train, y_train, x_test, y_test are needed"
    with pytest.raises(DataError, match=rf"it holds \['x', 'y'\] where {needed}"):
        read_npz(tmp_path / "imdb.npz")
    with pytest.raises(DataError, match="where exactly"):
        read_npz(write_members(tmp_path / "more.npz", extra=b"1"))


def test_an_archive_of_very_many_entries_is_refused(tmp_path: Path) -> None:
    path = write_members(tmp_path / "imdb.npz", **{f"m{i}": b"" for i in range(100)})
    with pytest.raises(DataError, match="over 64 entries where 4 are needed"):
        read_npz(path)


def test_an_unusual_compression_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "imdb.npz", "w", zipfile.ZIP_LZMA) as archive:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            archive.writestr(f"{name}.npy", npy(np.array([1, 0])))
    with pytest.raises(DataError, match="stored or deflated is needed"):
        read_npz(tmp_path / "imdb.npz")


def test_files_that_are_no_archive_are_refused(tmp_path: Path) -> None:
    whole = write_members(tmp_path / "whole.npz").read_bytes()
    cases = {
        "empty": (b"", "is empty"),
        "text": (b"review,label\ngood,1\n", "is not a zip archive"),
        "truncated": (whole[: len(whole) // 2], "is cut short"),
        "flipped": (whole[:60] + bytes([whole[60] ^ 4]) + whole[61:], "damaged"),
    }
    for name, (content, reason) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{name} is refused: .*{reason}"):
            read_npz(tmp_path / name)


def test_what_is_no_file_or_far_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it is not a file"):
        read_npz(tmp_path)
    with (tmp_path / "large.npz").open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)  # sparse
    with pytest.raises(DataError, match="larger than"):
        read_npz(tmp_path / "large.npz")


def test_a_header_that_is_no_npy_header_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16):
        with pytest.raises(DataError, match="x_train has no readable"):
            read_npz(write_members(tmp_path / "imdb.npz", x_train=content))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads its own size from /proc")
def test_running_out_of_memory_is_a_refusal(tmp_path: Path) -> None:
    path = write_members(tmp_path / "imdb.npz", x_train=pickled(b"N" * (30 * 2**20)))
    script = f"""
import os, pathlib
from rnnbench.data.npz import limit_memory, read_npz
from rnnbench.errors import DataError
pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
limit_memory(pages * os.sysconf("SC_PAGE_SIZE") + 16 * 2**20)
try:
    read_npz(pathlib.Path({str(path)!r}))
except DataError as err:
    print(err)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "asks for more memory than an imdb.npz needs" in done.stdout, done.stderr
