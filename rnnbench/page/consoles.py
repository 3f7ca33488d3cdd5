"""Where text goes, for people and for programs: how wide it may be, and that it is plain."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from rnnbench.output.characters import encodable, plain, plain_lines
from rnnbench.output.streams import steady

PIPE_WIDTH = 120
CELL_WIDTH = 100  # of a notebook, on a screen of 1,280 pixels


class PlainConsole(Console):
    """A console to which every string is one line of data: no markup, no emoji codes, no control.

    A `Text` may have several lines.
    """

    def __init__(self, **options: Any) -> None:  # Any: of `Console`
        super().__init__(markup=False, emoji=False, highlight=False, force_jupyter=False, **options)

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

    In a notebook it is plain text: what is printed there becomes one block of it.

    Args:
        stderr: standard error instead.
    """
    if is_in_kernel():  # whose environment asks for colours
        return PlainConsole(
            quiet=quiet,
            stderr=stderr,
            width=CELL_WIDTH,
            force_terminal=False,
        )
    console = PlainConsole(quiet=quiet, stderr=stderr)
    if console.is_terminal:
        return console
    return PlainConsole(quiet=quiet, stderr=stderr, width=PIPE_WIDTH)


def is_in_kernel() -> bool:
    """Whether this runs in a notebook's kernel, which has no terminal."""
    ipython = sys.modules.get("IPython")  # who is in a kernel has imported it
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def shows_values() -> bool:
    """Whether the value of what is typed is shown: in a notebook, and at Python's own prompt."""
    return hasattr(sys, "ps1")


def print_json(found: Any) -> None:  # Any: what `as_json` takes
    """Print it on standard output."""
    print(as_json(found, sys.stdout.encoding))


def as_json(found: Any, encoding: str | None = None) -> str:  # Any: values, dataclasses among them
    """What was found, as JSON: dataclasses as objects, paths as text, no number as null.

    Args:
        encoding: if it lacks a character, or one cannot be printed, all is written in ASCII.
    """
    known = json.loads(json.dumps(found, default=_plain), parse_constant=lambda _: None)
    text = json.dumps(known, indent=1, ensure_ascii=False)
    is_printable = text == encodable(plain_lines(text), encoding)
    return text if is_printable else json.dumps(known, indent=1)


def _plain(value: Any) -> Any:  # Any: what JSON does not know
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
