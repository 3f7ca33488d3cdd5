"""The terminal as everything that a command tells people goes to it."""

import os

from rich.control import Control
from rich.panel import Panel
from rich.segment import ControlType

from rnnbench.data.describe import tell_sizes
from rnnbench.datasets import DatasetRef
from rnnbench.output.amounts import size
from rnnbench.output.characters import sentence
from rnnbench.page.consoles import PlainConsole, open_console

DOWNLOAD_STEP_BYTES = 1 << 21
QUIET = "RNNBENCH_QUIET"
"""Set by --quiet: warnings and errors alone are shown."""


class Screen:
    """Prints for people: tables on standard output, warnings on standard error."""

    def __init__(
        self, *, console: PlainConsole | None = None, errors: PlainConsole | None = None
    ) -> None:
        self.console = console or open_console(quiet=bool(os.environ.get(QUIET)))
        self.errors = errors or open_console(stderr=True)
        self._downloaded = 0
        self._has_bar = False  # as the last line

    @property
    def can_redraw(self) -> bool:
        """Whether lines that were printed can be changed."""
        return self.console.is_terminal and not self.console.is_dumb_terminal

    def say(self, text: str) -> None:
        """A line of plain information."""
        self._has_bar = False
        self.console.print(text, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Something that nobody must overlook."""
        self._has_bar = False
        self.errors.print(sentence(f"warning: {text}"), style="bold yellow", soft_wrap=True)

    def show_dataset(self, dataset: DatasetRef, *, with_sizes: bool = True) -> None:
        """What is learnt from, and what was noticed when it was read.

        Args:
            with_sizes: how large parts and classes are, of texts of the user's.
        """
        content = dataset.fingerprint[:12]
        self.say(f"data      {dataset.name} ({dataset.origin}), content {content}")
        sizes = tell_sizes(dataset.findings) if with_sizes and dataset.findings else ()
        for note in (*sizes, *dataset.notes):
            self.say(f"          {note}")

    def say_waiting(self) -> None:
        """Another command has the folder's lock."""
        self.say("another rnnbench command is at work in this folder; waiting until it is done")

    def downloaded(self, n_bytes: int, n_total: int | None) -> None:
        """A download has come this far: a bar where it can be redrawn, else a line every 2 MiB."""
        of = f" of {size(n_total)}" if n_total else ""
        line = f"downloading imdb.npz: {size(n_bytes)}{of}"
        if self.can_redraw:
            share = n_bytes / n_total if n_total else 0.0
            bar = "█" * round(30 * share) + "░" * (30 - round(30 * share))
            self._draw_bar(f"{bar} {line}")
        elif n_bytes == n_total or n_bytes - self._downloaded >= DOWNLOAD_STEP_BYTES:
            self._downloaded = n_bytes
            self.say(line)

    def _draw_bar(self, text: str) -> None:
        """A line over the bar before; it is whole, since nobody is told that a download broke."""
        if self._has_bar:
            up = (ControlType.CURSOR_UP, 1)
            self.console.control(Control(up, (ControlType.ERASE_IN_LINE, 2)))
        self.console.print(text, no_wrap=True, overflow="crop")
        self._has_bar = True

    def show_notice(self, notice: str | None) -> None:
        """What must stand beside every number, in a frame; nothing where nothing must."""
        if notice:
            self.console.print(Panel(notice, style="bold yellow", border_style="yellow"))
