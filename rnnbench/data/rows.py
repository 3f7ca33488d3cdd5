"""What a file of the user's holds before anything is made of it: columns of texts."""

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnbench.errors import DataError
from rnnbench.output.amounts import some

MOST_LINES = 20_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns by name, each a list of texts (empty where there is nothing).

    Args:
        lines: the place of each row, in the file's unit: its line, or a name.
        header, separator: of a file whose fields may stand in quotes, with the names left out.
        notes: what was inferred or left out, in sentences.
    """

    columns: dict[str, list[str]]
    lines: Sequence[int | str]
    unit: str = "line"
    header: tuple[str, ...] = ()
    separator: str = ""
    notes: tuple[str, ...] = ()

    def name_rows(self, rows: Sequence[int]) -> str:
        """`lines 4, 9 and 12 more`."""
        return f"{self.unit}{'s' if len(rows) > 1 else ''} {some([*map(self._name, rows)], 3)}"

    def _name(self, row: int) -> str:
        return str(self.lines[row])


def clean_name(name: str) -> str:
    """A column's name in composed letters, without space around it."""
    return unicodedata.normalize("NFC", name.strip())


def as_text(value: Any) -> str:  # Any: JSON and Parquet values
    """A value as text, whole numbers without a point; empty for None and a number that is none.

    Raises:
        UnicodeDecodeError: bytes that are not UTF-8.
    """
    if isinstance(value, bytes):
        return value.decode()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def shorten(text: str) -> str:
    """On one line of 40 characters at most, for messages."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39]}…"


def name_columns(path: Path, header: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """The place of each column that has a name, and what should be said of the others.

    Raises:
        DataError: two columns have one name.
    """
    names = [clean_name(name) for name in header]
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        raise DataError(f"{path}: two columns are called '{shorten(twice[0])}'; rename one")
    named = {name: place for place, name in enumerate(names) if name}
    if len(named) == len(names):
        return named, ()
    n_unnamed = len(names) - len(named)
    return named, (f"left out, because they have no name: {n_unnamed} of {len(names)} columns",)
