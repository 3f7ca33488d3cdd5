"""Where text goes, how wide it may be, and that it is plain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from rnnbench.output.characters import encodable, plain, plain_lines
from rnnbench.output.streams import steady

__all__ = ["PlainConsole", "open_console"]

PIPE_WIDTH = 120


class PlainConsole(Console):
    """A console to which every string is one line of data: no markup, no emoji codes, no control.

    A `Text` may have several lines.
    """

    def __init__(self, **options: Any) -> None:  # Any: of `Console`
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    @property
    def file(self) -> IO[str]:
        """What is written to; it fails for nothing."""
        return steady(super().file)

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file

    def render_str(self, text: str, **options: Any) -> Text:  # Any: of `Console.render_str`
        """The string, plain, spelt out before its width is measured."""
        return super().render_str(encodable(plain(text), self.encoding), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """What is drawn; only what moves the cursor on purpose is left as it is."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control or text.isprintable() else Segment(plain_lines(text), style)


def open_console(*, quiet: bool = False, stderr: bool = False) -> PlainConsole:
    """Standard output, as wide as the terminal; a pipe or a file gets room for a whole table.

    Args:
        stderr: standard error instead.
    """
    console = PlainConsole(quiet=quiet, stderr=stderr)
    if console.is_terminal:
        return console
    return PlainConsole(quiet=quiet, stderr=stderr, width=PIPE_WIDTH)
