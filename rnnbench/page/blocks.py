"""What a page is made of: parts, each a heading and blocks; plain text, nothing escaped yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from rnnbench.page.drawing import Picture

__all__ = [
    "Block",
    "Cell",
    "ClaimRow",
    "ClaimVerdict",
    "Claims",
    "Drawn",
    "Fact",
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

ClaimVerdict: TypeAlias = Literal["supported", "contradicted", "undetermined", "not measured"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """A sentence of the notes, and what the runs say of it.

    Args:
        id, claim, made_in: from the claims file.
        numbers: the sentence with the numbers behind the verdict.
        runs: which runs these are: `textbook: lstm, gru, seeds 0-9`.
    """

    id: str
    claim: str
    made_in: str
    verdict: ClaimVerdict
    numbers: str
    runs: str


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims and their verdicts, each with its tone."""

    kind: ClassVar[str] = "claims"
    rows: tuple[tuple[ClaimRow, Tone], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of how the study was run: `name` and `value`, both plain text."""

    name: str
    value: str


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
