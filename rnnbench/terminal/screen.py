"""The terminal as a workflow's view."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager

from rich.box import SIMPLE_HEAD
from rich.control import Control
from rich.panel import Panel
from rich.segment import ControlType
from rich.table import Table
from rich.text import Text

from rnnbench.analysis.notes import SOURCE
from rnnbench.analysis.summary import Row
from rnnbench.output.amounts import plural, size
from rnnbench.output.characters import sentence
from rnnbench.terminal.consoles import PlainConsole, open_console
from rnnbench.terminal.progress import live_board, plain_board
from rnnbench.terminal.texts import duration, mean_with_sd
from rnnbench.workflows.plan import Plan
from rnnbench.workflows.view import Board

__all__ = ["Screen"]

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
    def _can_redraw(self) -> bool:
        return self.console.is_terminal and not self.console.is_dumb_terminal

    def say(self, text: str) -> None:
        """See `View.say`."""
        self._has_bar = False
        self.console.print(text, soft_wrap=True)

    def warn(self, text: str) -> None:
        """See `View.warn`."""
        self._has_bar = False
        self.errors.print(sentence(f"warning: {text}"), style="bold yellow", soft_wrap=True)

    def downloaded(self, n_bytes: int, n_total: int | None) -> None:
        """See `View.downloaded`: a bar where it can be redrawn, a line every 2 MiB elsewhere."""
        of = f" of {size(n_total)}" if n_total else ""
        line = f"downloading imdb.npz: {size(n_bytes)}{of}"
        if self._can_redraw:
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

    def show_plan(self, plan: Plan) -> None:
        """See `View.show_plan`."""
        self.show_notice(plan.dataset.notice)
        study, placement, data = plan.study, plan.placement, plan.dataset
        self.say(f"study     {study.name}: {study.description or 'your choices'}")
        self.say(f"data      {data.name} ({data.origin}), content {data.fingerprint[:12]}")
        for note in data.notes:
            self.say(f"          {note}")
        self.say(f"back end  {placement.backend} on {placement.device}: {placement.reason}")
        engine = plan.engine
        lanes = f", {plural(engine.n_lanes, 'lane')}" if engine.engine == "fleet" else ""
        self.say(f"engine    {engine.engine}{lanes}: {engine.reason}")
        done = f", {plan.n_done} done already" if plan.n_done else ""
        resumed = f", {plan.n_resumed} to go on with" if plan.n_resumed else ""
        self.say(f"runs      {plural(len(plan.specs), 'run')}{done}{resumed}")
        if plan.tasks:
            self.say_work(plan)
        else:
            self.say("work      nothing left to do")

    def say_work(self, plan: Plan) -> None:
        """How many workers, and how long they will take."""
        workers = plural(plan.n_workers, "worker")
        guess = ", if they stop as early as the textbook study on IMDB" if plan.is_guess else ""
        self.say(f"work      {workers}, about {duration(plan.expected_seconds)}{guess}")

    def watch(self, plan: Plan) -> AbstractContextManager[Board]:
        """See `View.watch`."""
        if self._can_redraw:
            return live_board(plan, self.console)
        return plain_board(plan, self.console)

    def show_summary(self, rows: Sequence[Row], plan: Plan, advice: str) -> None:
        """See `View.show_summary`."""
        self.console.print()
        self.show_notice(plan.dataset.notice)
        self.console.print(_summary_table(rows, plan))
        for line in advice.splitlines():
            self.say(line)
        if any(row.published for row in rows):
            self.say(
                f"{SOURCE}: one run of the study notes, each batch order frozen; "
                "they score the stacked model on the test half only."
            )
        self.say("Browse the runs: rnnbench ui (or mlflow ui)")

    def show_notice(self, notice: str | None) -> None:
        """What must stand beside every number, in a frame; nothing where nothing must."""
        if notice:
            self.console.print(Panel(notice, style="bold yellow", border_style="yellow"))


def _summary_table(rows: Sequence[Row], plan: Plan) -> Table:
    caution = " · SYNTHETIC REVIEWS" if plan.dataset.notice else ""
    table = Table(
        title=f"{plan.study.name} on {plan.dataset.name}{caution}",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("architecture", no_wrap=True)
    if any(row.varied for row in rows):
        table.add_column("with")
    headings = ["n", "parameters", "test accuracy", "best val_loss", "best epoch", "s/epoch"]
    if any(row.published for row in rows):
        headings += [f"{SOURCE}: val_loss", f"{SOURCE}: test"]
    for heading in headings:
        table.add_column(Text(heading.replace(" ", "\n")), justify="right")
    for row in rows:
        varied = [row.varied] if any(row.varied for row in rows) else []
        table.add_row(row.architecture, *varied, *_cells(row)[: len(headings)])
    return table


def _cells(row: Row) -> list[str]:
    others = [
        f"{n} {word}"
        for n, word in (
            (row.n_failed, "failed"),
            (row.n_diverged, "diverged"),
            (row.n_missing, "missing"),
        )
        if n
    ]
    notes = row.published
    return [
        f"{row.n}" + (f" ({', '.join(others)})" if others else ""),
        "–" if row.n_parameters is None else f"{row.n_parameters:,}",
        mean_with_sd(row.test_accuracy, 4),
        mean_with_sd(row.val_loss, 4),
        mean_with_sd(row.best_epoch, 0),
        mean_with_sd(row.epoch_seconds, 2),
        "–" if notes is None else f"{notes.val_loss:.4f}",
        "–" if notes is None or notes.test_accuracy is None else f"{notes.test_accuracy:.4f}",
    ]
