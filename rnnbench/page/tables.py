"""A table stated once: its columns, and how a row is written in each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rnnbench.page.blocks import Cell, Group, Head, Table, Tone

__all__ = ["Column", "make_table"]

RowT = TypeVar("RowT")

_MAX_ROWS = 500


@dataclass(frozen=True, slots=True)
class Column(Generic[RowT]):
    """A heading and how a row is written under it."""

    title: str
    write: Callable[[RowT], str]
    is_number: bool = True
    tone: Callable[[RowT], Tone] | None = None

    def cell(self, row: RowT) -> Cell:
        """The row's cell in this column."""
        return Cell(self.write(row), self.tone(row) if self.tone else "")


def make_table(
    caption: str,
    csv: str,
    columns: Sequence[Column[RowT]],
    grouped: Iterable[tuple[str, Sequence[RowT]]],
) -> Table:
    """A table of rows in groups; more than 500 rows are left to the CSV file."""
    groups: list[Group] = []
    room, n_left_out = _MAX_ROWS, 0
    for heading, rows in grouped:
        taken = rows[:room]
        room -= len(taken)
        n_left_out += len(rows) - len(taken)
        cells = tuple(tuple(column.cell(row) for column in columns) for row in taken)
        groups.append(Group(heading=heading, rows=cells))
    return Table(
        caption=caption,
        csv=csv,
        heads=tuple(Head(title=c.title, is_number=c.is_number) for c in columns),
        groups=tuple(group for group in groups if group.rows),
        n_left_out=n_left_out,
    )
