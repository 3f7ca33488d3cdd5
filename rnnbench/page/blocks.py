"""What a page is made of: parts, each a heading and blocks; plain text, nothing escaped yet."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from rnnbench.page.drawing import Picture
from rnnbench.page.tables import Table, Tone

ClaimVerdict: TypeAlias = Literal[
    "supported", "contradicted", "smaller than the margin", "undetermined", "not measured"
]

_CLAIM_TONES: dict[ClaimVerdict, Tone] = {
    "supported": "good",
    "contradicted": "bad",
    "smaller than the margin": "same",
    "undetermined": "open",
    "not measured": "",
}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """A sentence of the notes, and what the runs say of it.

    Args:
        id, claim, made_in: from the claims file.
        numbers: the sentence with the numbers behind the verdict.
        runs: which runs these are: `lstm, gru, seeds 0-9`.
    """

    id: str
    claim: str
    made_in: str
    verdict: ClaimVerdict
    numbers: str
    runs: str

    @property
    def tone(self) -> Tone:
        """The verdict's."""
        return _CLAIM_TONES[self.verdict]


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims and their verdicts."""

    kind: ClassVar[str] = "claims"
    rows: tuple[ClaimRow, ...]


Fact: TypeAlias = tuple[str, str]
"""One line of how the study was run, a name and a value, both plain text."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    kind: ClassVar[str] = "facts"
    rows: tuple[Fact, ...]


Block: TypeAlias = Table[Any] | Paragraph | Subheading | Warnings | Picture | Claims | Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the page; `anchor` is what links to it name."""

    anchor: str
    heading: str
    blocks: tuple[Block, ...]


def make_part(anchor: str, heading: str, blocks: Iterable[Block | None]) -> Part:
    """A part of those blocks that there are."""
    found = tuple(block for block in blocks if block is not None)
    return Part(anchor=anchor, heading=heading, blocks=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page, its figures drawn.

    Args:
        study: the title.
        description: what the study says of itself; may be empty.
        made_at: local date and time.
    """

    study: str
    description: str
    made_at: str
    parts: tuple[Part, ...]

    @property
    def pictures(self) -> list[Picture]:
        """In the order of their numbers."""
        return [block for part in self.parts for block in part.blocks if isinstance(block, Picture)]
