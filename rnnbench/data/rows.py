"""What a file of the user's holds before anything is made of it: columns, and each row's place."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Rows", "clean_name", "shorten"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns by name, each a list of texts (None where there is nothing), and each row's line.

    Args:
        header, separator: of a file whose fields may stand in quotes, with the names left out.
        notes: what was inferred or left out, in sentences.
    """

    columns: dict[str, list[str | None]]
    lines: list[int]
    unit: str = "line"
    header: tuple[str, ...] = ()
    separator: str = ""
    notes: tuple[str, ...] = ()

    def name_rows(self, rows: Sequence[int]) -> str:
        """`lines 4, 9 and 12 more`."""
        shown = ", ".join(str(self.lines[row]) for row in rows[:3])
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        return f"{self.unit}{'s' if len(rows) > 1 else ''} {shown}{more}"


def clean_name(name: str) -> str:
    """A column's name in composed letters, without space around it."""
    return unicodedata.normalize("NFC", name.strip())


def shorten(text: str) -> str:
    """On one line of 40 characters at most, for messages."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39]}…"
