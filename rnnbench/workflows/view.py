"""What a workflow tells the person who started it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from rnnbench.analysis.summary import Row
from rnnbench.specs import Event, RunSpec
from rnnbench.workflows.plan import Plan

__all__ = ["WAITING", "Board", "View"]

WAITING = "another rnnbench command is at work in this folder; waiting until it is done"


class Board(Protocol):
    """Shows a study while it runs."""

    def observe(self, spec: RunSpec, event: Event) -> None:
        """Something happened in a run."""
        ...


class View(Protocol):
    """The terminal, or whatever stands for it in a test."""

    def say(self, text: str) -> None:
        """A line of plain information."""
        ...

    def warn(self, text: str) -> None:
        """Something that nobody must overlook."""
        ...

    def downloaded(self, n_bytes: int, n_total: int | None) -> None:
        """A download has come this far."""
        ...

    def show_plan(self, plan: Plan) -> None:
        """What is about to be run."""
        ...

    def watch(self, plan: Plan) -> AbstractContextManager[Board]:
        """Show the study while the block runs."""
        ...

    def show_summary(self, rows: Sequence[Row], plan: Plan, advice: str) -> None:
        """The table at the end."""
        ...
