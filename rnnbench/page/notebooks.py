"""What is shown in a notebook: HTML, below the cell that runs."""

from collections.abc import Iterable, Sequence
from typing import Any

from rnnbench.page.render import mark_code, write_whole
from rnnbench.page.tables import Column, RowT


class Cell:
    """A place below the running cell, to which new content can be drawn over and over.

    Raises:
        ImportError: there is no IPython.
    """

    def __init__(self) -> None:
        from IPython.display import DisplayHandle

        self._handle: Any = DisplayHandle()  # Any: IPython's, which need not be installed
        self._is_drawn = False

    def draw(self, html: str, text: str) -> None:
        """Show it in place of what was there before.

        Args:
            html: as a browser shows it, escaped already.
            text: the same where there is none.
        """
        show = self._handle.update if self._is_drawn else self._handle.display
        show({"text/html": html, "text/plain": text}, raw=True)
        self._is_drawn = True


def html_table(title: str, columns: Sequence[Column[RowT]], rows: Iterable[RowT]) -> str:
    """The table for a cell of a notebook, which brings its own looks."""
    head = "".join(_cell("th", column, mark_code(column.title)) for column in columns)
    body = "".join(
        f"<tr>{''.join(_cell('td', each, write_whole(each.write(row))) for each in columns)}</tr>"
        for row in rows
    )
    caption = f"<caption style='text-align:left'>{write_whole(title)}</caption>" if title else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_lines(lines: Iterable[str]) -> str:
    """A paragraph for each line."""
    return "".join(f"<p>{mark_code(line)}</p>" for line in lines)


def _cell(tag: str, column: Column[Any], content: str) -> str:
    side = "right" if column.is_number else "left"
    return f"<{tag} style='text-align:{side}'>{content}</{tag}>"
