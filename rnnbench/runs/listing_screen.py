"""Plain tables: listings, checks, cached data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from rnnbench.data.cache import CorpusEntry
from rnnbench.output.amounts import size
from rnnbench.page.consoles import PlainConsole, open_console
from rnnbench.runs.listing import Listing

__all__ = ["show_corpora", "show_listing"]


def show_listing(listings: Sequence[Listing], console: PlainConsole | None = None) -> None:
    """Print each listing as a table."""
    console = console or open_console()
    for listing in listings:
        if listing.rows:
            console.print(_table(listing.title, listing.headings, listing.rows))
        else:
            console.print(f"{listing.title}: {listing.empty}")


def show_corpora(
    folder: Path, corpora: Sequence[CorpusEntry], console: PlainConsole | None = None
) -> None:
    """Print what is cached."""
    console = console or open_console()
    console.print(f"cache: {folder}", soft_wrap=True)
    rows = [
        (
            entry.name,
            entry.fingerprint[:16],
            str(entry.n_train),
            str(entry.n_test),
            size(entry.n_bytes),
        )
        for entry in corpora
    ]
    if rows:
        headings = ("name", "fingerprint", "training half", "test half", "size")
        console.print(_table("", headings, rows))
    else:
        console.print("empty; `rnnbench data fetch` fills it")


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title or None, title_justify="left")
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*row)
    return table
