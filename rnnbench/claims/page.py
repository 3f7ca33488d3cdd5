"""The part of the page on claims, and their table."""

from collections.abc import Sequence

from rnnbench.claims.judge import CLAIMS_NOTE
from rnnbench.page.blocks import Block, ClaimRow, Claims, Paragraph, Part
from rnnbench.page.csv_files import write_rows


def claims_part(rows: Sequence[ClaimRow]) -> Part:
    """Every claim with its verdict, and how to read them."""
    blocks: tuple[Block, ...] = (Paragraph("No claim was tested."),)
    if rows:
        blocks = Paragraph(CLAIMS_NOTE), Claims(tuple(rows))
    return Part(anchor="claims", heading="Claims", blocks=blocks)


def claims_tables(rows: Sequence[ClaimRow]) -> dict[str, str]:
    """The CSV text of the table, by the stem of its file."""
    return {"claims": write_rows(ClaimRow, rows)}
