"""Rows by the heading under which they stand, and as many of them as a figure can hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

__all__ = ["by_section", "left_out", "take_panels"]


class _Row(Protocol):
    @property
    def section(self) -> str: ...


class _Panel(Protocol):
    @property
    def lines(self) -> tuple[Any, ...]: ...  # Any: each figure has lines of its own


RowT = TypeVar("RowT", bound=_Row)
PanelT = TypeVar("PanelT", bound=_Panel)


def by_section(rows: Iterable[RowT], sections: Sequence[str]) -> list[tuple[str, list[RowT]]]:
    """Each heading that has rows, and they, in the order of `sections`."""
    found: dict[str, list[RowT]] = {heading: [] for heading in sections}
    for row in rows:
        found.setdefault(row.section, []).append(row)
    return [(heading, members) for heading, members in found.items() if members]


def take_panels(panels: Sequence[PanelT], n_lines: int) -> list[PanelT]:
    """The first panels, with `n_lines` lines together."""
    taken: list[PanelT] = []
    for panel in panels:
        room = n_lines - sum(len(before.lines) for before in taken)
        if room > 0:
            # dataclasses.replace is typed for dataclasses, which a Protocol cannot demand.
            taken.append(replace(panel, lines=panel.lines[:room]))  # type: ignore[type-var]
    return taken


def left_out(found: Sequence[_Panel], taken: Sequence[_Panel], noun: str) -> str:
    """` The first 40 of 1,000 arms are shown.`; empty where all are."""
    n_found, n_taken = (sum(len(panel.lines) for panel in panels) for panels in (found, taken))
    if n_taken == n_found:
        return ""
    return f" The first {n_taken:,} of {n_found:,} {noun}s are shown; the CSV file has all."
