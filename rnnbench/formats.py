"""Files that others wrote, read within bounds: whole files, JSON, TOML and zip archives.

What is wrong with a content is a `FormatError`; whoever knows the file says which one it is.
"""

import io
import json
import math
import re
import stat
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnnbench.errors import StudyError

MOST_TOML_BYTES = 2**18  # of a file written by hand; the largest here, claims.toml, has 5,290
ENTRY_BYTES = 100  # of an entry in the list of a zip archive; those of ours take 90
MOST_PARTS = 100  # of a dotted key
MOST_DIGITS = 19  # of a whole number: 64 bits
MOST_CHARACTERS = 1000  # of a text that MLflow keeps as a tag, where it cuts it at 8,000
MOST_NAMES = 50  # MLflow takes 100 tags at once, and there are others
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


class FormatError(ValueError):
    """A content that is not of its format, or beyond a bound; the text is a clause about it."""


def check_file(path: Path, most_bytes: int | None = None) -> None:
    """See that something can be opened and read to its end.

    Raises:
        OSError: there is nothing, or it cannot be looked at.
        FormatError: a folder, a pipe or a device, or a file that is too large.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise FormatError("it is not a regular file")
    if most_bytes is not None and found.st_size > most_bytes:
        raise FormatError(f"it has {found.st_size:,} bytes, of at most {most_bytes:,}")


def why_failed(err: Exception) -> str:
    """A clause on why something cannot be read or written: the system's, or about its content."""
    if isinstance(err, UnicodeDecodeError):
        return "it is not utf-8"
    return getattr(err, "strerror", None) or str(err)


def is_there(path: Path) -> bool:
    """Whether there is something, or nothing, or a name that no disk can hold."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def read_bytes(path: Path, most_bytes: int) -> bytes:
    """A plain file's content.

    Raises:
        OSError, FormatError: see `check_file`.
    """
    check_file(path, most_bytes)
    with path.open("rb") as stream:
        return stream.read(most_bytes)


@contextmanager
def open_zip(path: Path, most_entries: int) -> Iterator[zipfile.ZipFile]:
    """A zip archive, whose entries are stored or deflated, and not too many.

    Raises:
        OSError, FormatError: see `check_file`; or too many entries, or one of another kind.
        BadZipFile: it is none.
    """
    check_file(path)
    with _ShortReads(io.FileIO(path)) as stream:
        stream.most_bytes = most_entries * ENTRY_BYTES
        with zipfile.ZipFile(stream) as file:
            for item in file.infolist():
                # LZMA is left out because its header can ask for a dictionary of 4 GiB.
                if item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise FormatError(f"{item.filename[:100]!a} is neither stored nor deflated")
            stream.most_bytes = None
            yield file


class _ShortReads(io.BufferedReader):
    """A file of which no more is read at once than allowed.

    zipfile reads the list of entries at once, and makes an object for each, before anything can
    look at it.
    """

    most_bytes: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most_bytes is not None and size is not None and size > self.most_bytes:
            raise FormatError(
                f"its list of files has {size:,} bytes, of at most {self.most_bytes:,}"
            )
        return super().read(size)


def check_text(what: str, value: object, most: int = MOST_CHARACTERS) -> None:
    """See that something is a short, printable text.

    Raises:
        FormatError: it is not.
    """
    if not isinstance(value, str) or not value.isprintable() or len(value) > most:
        raise FormatError(f"{what} is not a printable text of at most {most:,} characters")


def check_names(what: str, named: Mapping[str, object]) -> None:
    """See that MLflow can keep each value under its name.

    Raises:
        FormatError: it cannot, or there are too many.
    """
    if len(named) > MOST_NAMES:
        raise FormatError(f"{what} has {len(named):,} entries, of at most {MOST_NAMES}")
    for name in named:
        if not _NAME.fullmatch(name):
            raise FormatError(f"{what} has the entry {name[:100]!a}, of other letters than A-z_.-")


def parse_json(
    content: bytes, *, most_values: int | None = None, allow_nan: bool = False
) -> Any:  # Any: JSON values
    """The value that a JSON text in UTF-8 holds.

    Args:
        most_values: it is counted before any is made: each takes 30 to 100 times its bytes.
        allow_nan: whether NaN and Infinity, which are not JSON, are numbers, and 1e999 infinite.

    Raises:
        FormatError: it is not JSON, nested too deeply, or holds a number or a text that cannot be.
    """
    if most_values is not None:
        n_values = sum(map(content.count, (b"{", b"[", b",")))
        if n_values > most_values:
            raise FormatError(f"it holds up to {n_values:,} values, of at most {most_values:,}")
    try:
        values = json.loads(
            content.decode("utf-8-sig"),
            parse_int=_whole,
            parse_float=None if allow_nan else _finite,
            parse_constant=None if allow_nan else _finite,
        )
        if _HALF_PAIR.search(content):
            json.dumps(values, ensure_ascii=False).encode()
    except FormatError:
        raise
    except RecursionError as err:
        raise FormatError("it is nested too deeply") from err
    except UnicodeEncodeError as err:
        raise FormatError("it holds half of a surrogate pair, which is not a character") from err
    except UnicodeDecodeError as err:
        raise FormatError("it is not utf-8") from err
    except ValueError as err:
        raise FormatError(f"it is not JSON: {err}") from err
    return values


def read_toml(path: Path) -> dict[str, Any]:  # Any: TOML values
    """The values in a TOML file.

    Raises:
        StudyError: see `read_toml_text` and `parse_toml`.
    """
    return parse_toml(path, read_toml_text(path))


def read_toml_text(path: Path) -> str:
    """A TOML file's text, not yet parsed.

    Raises:
        StudyError: it cannot be read, is not a regular file, too large, or not UTF-8.
    """
    try:
        return read_bytes(path, MOST_TOML_BYTES).decode()
    except (OSError, UnicodeDecodeError, FormatError) as err:
        raise StudyError(f"cannot read {path}: {why_failed(err)}") from err


def parse_toml(path: Path, text: str) -> dict[str, Any]:  # Any: TOML values
    """The values in a TOML file's text.

    Raises:
        StudyError: it is not TOML, with the place; or nested too deeply, or with a number beyond
            the 64 bits that TOML allows.
    """
    for found in _TOKEN.finditer(text):
        if found["key"] and found["key"].count(".") >= MOST_PARTS:
            line = text.count("\n", 0, found.start()) + 1
            raise StudyError(f"{path}:{line}: a key has more than {MOST_PARTS} parts")
    try:
        values = tomllib.loads(text)
        _check_numbers(values)
    except RecursionError as err:
        raise StudyError(f"{path}: not valid TOML: it is nested too deeply") from err
    except tomllib.TOMLDecodeError as err:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(err))
        reason = re.sub(r"\s*\(at .*\)$", "", str(err))
        where = f"{path}:{place[1]}:{place[2]}" if place else f"{path}, at its end"
        raise StudyError(f"{where}: not valid TOML: {reason}") from err
    except ValueError as err:  # of _check_numbers; or Python's own, from 4,300 digits up
        number = _LONG_NUMBER.search(text)
        where = f"{path}:{text.count(chr(10), 0, number.start()) + 1}" if number else str(path)
        raise StudyError(f"{where}: not valid TOML: it holds {_TOO_LONG}") from err
    return values


# A dotted key, of whose parts tomllib takes a time that grows with their square; or anything else.
_WORD = r"""(?:"(?:\\.|[^"\\\n])*+"|'[^'\n]*+'|[\w-]++)"""
_TOKEN = re.compile(
    rf"""(?P<key>(?:{_WORD}[ \t]*+\.[ \t]*+)++)|{_WORD}|["'][^\n]*+|[^\w"'-]++""", re.DOTALL
)
_LONG_NUMBER = re.compile(r"\b(?:0[xob])?[0-9a-fA-F_]{16,}")
_TOO_LONG = f"a whole number of more than {MOST_DIGITS} digits"


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise FormatError(f"it holds {_TOO_LONG}")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise FormatError(f"it holds {text[:20]}, which is not a finite number")
    return value


def _check_numbers(value: Any) -> None:  # Any: TOML values
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _check_numbers(item)
    elif isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
        raise FormatError(f"it holds {_TOO_LONG}")
