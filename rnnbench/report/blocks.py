"""What a page is made of: parts, each a heading and blocks; plain text, nothing escaped yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from rnnbench.analysis.document import Fact
    from rnnbench.analysis.rows import ClaimRow
    from rnnbench.report.drawing import Picture

__all__ = [
    "Block",
    "Cell",
    "Claims",
    "Drawn",
    "Facts",
    "Folded",
    "Group",
    "Head",
    "Paragraph",
    "Part",
    "Subheading",
    "Table",
    "Tone",
    "Warnings",
]

Tone: TypeAlias = Literal["", "good", "bad", "same", "open"]
"""The colour of a verdict, which is also said in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The heading of a column; numbers are set to the right."""

    title: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A text in a table."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rows of one section."""

    heading: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; its first column names the rows.

    Args:
        csv: the stem of the CSV file that holds these rows.
        n_left_out: rows that only the CSV file has.
    """

    kind: ClassVar[str] = "table"
    caption: str
    csv: str
    heads: tuple[Head, ...]
    groups: tuple[Group, ...]
    n_left_out: int = 0


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; `is_lead` sets it larger."""

    kind: ClassVar[str] = "paragraph"
    text: str
    is_lead: bool = False


@dataclass(frozen=True, slots=True)
class Subheading:
    """A heading inside a part."""

    kind: ClassVar[str] = "subheading"
    text: str


@dataclass(frozen=True, slots=True)
class Warnings:
    """Sentences that nobody must overlook."""

    kind: ClassVar[str] = "warnings"
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """A table that a click unfolds."""

    kind: ClassVar[str] = "folded"
    summary: str
    table: Table


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure and its number."""

    kind: ClassVar[str] = "figure"
    number: int
    picture: Picture


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims and their verdicts, each with its tone."""

    kind: ClassVar[str] = "claims"
    rows: tuple[tuple[ClaimRow, Tone], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    kind: ClassVar[str] = "facts"
    rows: tuple[Fact, ...]


Block: TypeAlias = Table | Paragraph | Subheading | Warnings | Folded | Drawn | Claims | Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A numbered part of the page; `anchor` is what links to it name."""

    number: int
    anchor: str
    heading: str
    blocks: tuple[Block, ...]
