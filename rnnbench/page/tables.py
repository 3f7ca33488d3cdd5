"""A table stated once: as HTML and Markdown by the page's templates, and on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    import rich.table

Tone: TypeAlias = Literal["", "good", "bad", "same", "open"]
"""The colour of a verdict, which is also said in words."""

RowT = TypeVar("RowT")

_MAX_ROWS = 500


def _no_tone(_: object) -> Tone:
    return ""


@dataclass(frozen=True, slots=True)
class Column(Generic[RowT]):
    """A heading and how a row is written under it; numbers are set to the right.

    Args:
        is_whole: never broken into lines on a terminal.
        min_width: on a terminal, in characters.
    """

    title: str
    write: Callable[[RowT], str]
    is_number: bool = True
    tone: Callable[[RowT], Tone] = _no_tone
    is_whole: bool = False
    min_width: int | None = None


@dataclass(frozen=True, slots=True)
class Table(Generic[RowT]):
    """Rows under headings of their own; the first column names the rows.

    Args:
        csv: the stem of the CSV file that holds these rows.
        summary: what stands for the table on a page until a click unfolds it; empty: it is open.
    """

    kind: ClassVar[str] = "table"
    caption: str
    csv: str
    columns: Sequence[Column[RowT]]
    groups: Sequence[tuple[str, Sequence[RowT]]]
    summary: str = ""

    @property
    def shown(self) -> list[tuple[str, Sequence[RowT]]]:
        """The groups that have rows, with 500 rows in all at most."""
        found, room = [], _MAX_ROWS
        for heading, rows in self.groups:
            if taken := rows[:room]:
                found.append((heading, taken))
                room -= len(taken)
        return found

    @property
    def n_left_out(self) -> int:
        """Rows that only the CSV file has."""
        return max(0, sum(len(rows) for _, rows in self.groups) - _MAX_ROWS)

    def write(self, row: RowT) -> list[str]:
        """The row's cells."""
        return [column.write(row) for column in self.columns]


class _Row(Protocol):
    @property
    def section(self) -> str: ...


SectionRowT = TypeVar("SectionRowT", bound=_Row)


def by_section(
    rows: Iterable[SectionRowT], sections: Sequence[str]
) -> list[tuple[str, list[SectionRowT]]]:
    """Each heading that has rows, and they, in the order of `sections`."""
    found: dict[str, list[SectionRowT]] = {heading: [] for heading in sections}
    for row in rows:
        found.setdefault(row.section, []).append(row)
    return [(heading, members) for heading, members in found.items() if members]


def rich_table(
    title: str, columns: Sequence[Column[RowT]], rows: Iterable[RowT], **look: Any
) -> rich.table.Table:
    """The table for a terminal; a title of a column may have several lines.

    Args:
        look: other options of `rich.table.Table` than the house's.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(
        **{"title_justify": "left", "box": SIMPLE_HEAD, "pad_edge": False, **look},
        title=title or None,
    )
    for column in columns:
        table.add_column(
            Text(column.title) if "\n" in column.title else column.title,
            justify="right" if column.is_number else "left",
            no_wrap=column.is_whole,
            min_width=column.min_width,
            overflow="fold" if column.min_width else "ellipsis",
        )
    for row in rows:
        table.add_row(*(column.write(row) for column in columns))
    return table
