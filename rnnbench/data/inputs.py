"""What a file of the user's is by its name, and its bytes: plain, packed, or on standard input."""

import gzip
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rnnbench.data.files import reading, temporary_folder
from rnnbench.data.rows import MOST_LINES
from rnnbench.errors import DataError, UsageError
from rnnbench.formats import FormatError, why_failed
from rnnbench.output.amounts import listed

JSON_LINES = (".jsonl", ".ndjson")
TEXT_SUFFIXES = (".csv", ".tsv", *JSON_LINES)
SUFFIXES = (*TEXT_SUFFIXES, ".parquet", ".xlsx")
LINES = ".txt"
"""The ending of a file with a text without a label in each line."""
PACKED = ".gz"
STANDARD_INPUT = "-"
MOST_FILE_BYTES = 2**30  # of a file, of which seven times as many become resident

FOLDER = "a folder of texts"
USED_BY: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("text_column", "label_column", "split_column"), SUFFIXES),
    **dict.fromkeys(("separator", "quoting"), (".csv", ".tsv")),
    "encoding": (*TEXT_SUFFIXES, FOLDER),
    "sheet": (".xlsx",),
}
"""Of what an option says how it is read."""

_STARTS = {b"PAR1": ".parquet", b"PK\x03\x04": ".xlsx", b"{": ".jsonl"}


def kind_of(path: Path) -> str:
    """The ending that says how a file is read, without `.gz`; empty for what is none of ours."""
    *_, first, last = "", "", *(suffix.lower() for suffix in path.suffixes)
    if last == PACKED:
        return first if first in TEXT_SUFFIXES else ""
    return last if last in SUFFIXES else ""


def stem_of(path: Path) -> str:
    """The file's name without the endings that say how it is read."""
    name = path.stem if path.suffix.lower() == PACKED else path.name
    kind = kind_of(path)
    return name[: -len(kind)] if kind and name.lower().endswith(kind) else path.stem


def option(name: str) -> str:
    """`--text-column` for `text_column`."""
    return f"--{name.replace('_', '-')}"


def refuse_unused(names: Sequence[str], files: Sequence[Path]) -> None:
    """See that each of these options says something of one of the files at least.

    Raises:
        UsageError: one does not; for what it is, and what to do.
    """
    kinds = {FOLDER if file.is_dir() else kind_of(file) for file in files}
    for name in names:
        if name in USED_BY and kinds.isdisjoint(USED_BY[name]):
            raise UsageError(
                f"{option(name)} is for {listed(USED_BY[name], 'or')}, not for "
                f"{listed(list(map(str, files)))}; leave it out"
            )


def read_content(path: Path) -> bytes:
    """The bytes of a text file, unpacked.

    Raises:
        DataError: it cannot be read, or is too large.
    """
    with reading(path):
        content = _unpack(path) if path.suffix.lower() == PACKED else path.read_bytes()
    n_lines = content.count(b"\n")
    if n_lines > MOST_LINES:
        raise DataError(f"{path} has {n_lines:,} lines, of at most {MOST_LINES:,}")
    return content


@contextmanager
def standard_input(plain: str = ".csv") -> Iterator[Path]:
    """What is on standard input, as a file with the ending of what it holds.

    Args:
        plain: the ending of what is lines of text.

    Errors of the block that name the file name standard input instead.

    Raises:
        UsageError: nothing was piped into the command.
        DataError: it is too large, or cannot be kept.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("nothing is on standard input: pipe a file into the command, or name one")
    try:
        with temporary_folder() as folder:
            path = folder / "stdin"
            _save(path)
            path = path.rename(f"{path}{_ending(path, plain)}")
            try:
                yield path
            except (DataError, UsageError) as err:
                said = str(err).replace(str(path), "standard input")
                raise type(err)(said) from err
    except OSError as err:
        raise DataError(f"standard input cannot be kept: {why_failed(err)}") from err


def _unpack(path: Path) -> bytes:
    try:
        with gzip.open(path) as stream:
            content = stream.read(MOST_FILE_BYTES + 1)
    except (EOFError, zlib.error) as err:
        raise FormatError("it is cut short or damaged; download or pack it again") from err
    if len(content) > MOST_FILE_BYTES:
        raise FormatError(f"it unpacks to more than {MOST_FILE_BYTES:,} bytes")
    return content


def _save(path: Path) -> None:
    n_bytes = 0
    with path.open("wb") as file:
        while chunk := sys.stdin.buffer.read(2**20):
            n_bytes += len(chunk)
            if n_bytes > MOST_FILE_BYTES:
                raise DataError(f"standard input has more than {MOST_FILE_BYTES:,} bytes")
            file.write(chunk)


def _ending(path: Path, plain: str) -> str:
    """By how the content begins; the separator of a `.csv` is found."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(b"\x1f\x8b"):
        unpacked = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            return f"{_ending_of(unpacked.decompress(head, 64), '.csv')}{PACKED}"
        except zlib.error:
            return f".csv{PACKED}"
    return _ending_of(head, plain)


def _ending_of(head: bytes, plain: str) -> str:
    begun = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((kind for start, kind in _STARTS.items() if begun.startswith(start)), plain)
