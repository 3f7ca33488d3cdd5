"""Where text goes, and how wide it may be."""

from __future__ import annotations

from rich.console import Console

__all__ = ["open_console"]

PIPE_WIDTH = 120


def open_console(*, quiet: bool = False) -> Console:
    """Standard output, as wide as the terminal; a pipe or a file gets room for a whole table."""
    console = Console(quiet=quiet)
    return console if console.is_terminal else Console(width=PIPE_WIDTH, quiet=quiet)
