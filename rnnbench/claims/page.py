"""The part of the page on claims, and their table; neither where there is no claim."""

from collections.abc import Iterator, Sequence

from rnnbench.claims.judge import CLAIMS_NOTE
from rnnbench.page.blocks import ClaimRow, Claims, Paragraph, Part
from rnnbench.page.csv_files import write_rows


def claims_parts(rows: Sequence[ClaimRow]) -> Iterator[Part]:
    """Every claim with its verdict, and how to read them."""
    if rows:
        blocks = Paragraph(CLAIMS_NOTE), Claims(tuple(rows))
        yield Part(anchor="claims", heading="Claims", blocks=blocks)


def claims_tables(rows: Sequence[ClaimRow]) -> dict[str, str]:
    """The CSV text of the table, by the stem of its file."""
    return {"claims": write_rows(ClaimRow, rows)} if rows else {}
