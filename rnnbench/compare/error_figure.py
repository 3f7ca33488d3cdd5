"""The figure of where the uncertainty of a mean comes from: seeds, test reviews, both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnbench.page.drawing import (
    BLUE,
    INK,
    ORANGE,
    Picture,
    house_style,
    label_rows,
    stack_of_axes,
)
from rnnbench.page.panels import by_section, left_out, take_panels
from rnnbench.page.texts import number, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rnnbench.reports.document import Document

__all__ = ["ErrorLine", "ErrorPanel", "find_errors", "picture_errors"]

_MAX_LINES = 30
_SOURCES = (("seeds", BLUE), ("test reviews", ORANGE), ("both", INK))


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLine:
    """One arm; standard errors of its mean test accuracy, in points: seeds, reviews, both."""

    arm: str
    errors: tuple[float | None, float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPanel:
    """One section."""

    heading: str
    lines: tuple[ErrorLine, ...]


def find_errors(document: Document) -> tuple[ErrorPanel, ...]:
    """What the figure shows; an arm without any standard error has no line."""
    panels = []
    for heading, rows in by_section(document.arm_uncertainty, document.sections):
        lines = [
            ErrorLine(
                arm=row.arm,
                errors=(
                    _in_points(row.seed_se),
                    _in_points(row.review_se),
                    _in_points(row.both_se),
                ),
            )
            for row in rows
        ]
        panels.append(
            ErrorPanel(heading=heading, lines=tuple(line for line in lines if _has_any(line)))
        )
    return tuple(panel for panel in panels if panel.lines)


def picture_errors(document: Document) -> Picture | None:
    """The figure and its words; None where nothing is known."""
    found = find_errors(document)
    if not found:
        return None
    panels = take_panels(found, _MAX_LINES)
    return Picture(
        name="uncertainty",
        title="Standard error of each mean test accuracy, by where it comes from",
        alt=_describe(found),
        caption=(
            "How much the mean would change if other seeds, other test reviews, or both had been"
            " drawn (bootstrap)." + left_out(found, panels, "arm")
        ),
        figure=_draw(panels),
    )


def _in_points(fraction: float | None) -> float | None:
    return None if fraction is None or not math.isfinite(fraction) else 100 * fraction


def _has_any(line: ErrorLine) -> bool:
    return any(error is not None for error in line.errors)


def _describe(panels: Sequence[ErrorPanel]) -> str:
    lines = [(panel.heading, line) for panel in panels for line in panel.lines]
    texts = []
    for heading, line in lines[:6]:
        errors = ", ".join(
            f"{name} {number(error)}"
            for (name, _), error in zip(_SOURCES, line.errors, strict=True)
            if error is not None
        )
        texts.append(f"{f'{heading}, ' if heading else ''}{line.arm}: {errors}")
    more = f"; and {len(lines) - 6:,} more arms" if len(lines) > 6 else ""
    return f"Standard errors in accuracy points. {'; '.join(texts)}{more}."


def _draw(panels: Sequence[ErrorPanel]) -> Figure:
    errors = [error for panel in panels for line in panel.lines for error in line.errors]
    with house_style():
        figure, all_axes = stack_of_axes([len(panel.lines) for panel in panels], row_inches=0.62)
        for axes, panel in zip(all_axes, panels, strict=True):
            _draw_panel(axes, panel)
        largest = max(error for error in errors if error is not None)
        all_axes[-1].set_xlim(0, 1.2 * largest or 1.0)  # with room for the words at the bars' ends
        all_axes[-1].set_xlabel("standard error (accuracy points)")
    return figure


def _draw_panel(axes: Axes, panel: ErrorPanel) -> None:
    label_rows(axes, [short(line.arm) for line in panel.lines])
    for row, line in enumerate(panel.lines):
        for place, ((name, colour), error) in enumerate(zip(_SOURCES, line.errors, strict=True)):
            if error is None:
                continue
            y = row + 0.24 * (place - 1)
            axes.barh(y, error, height=0.16, color=colour)
            axes.annotate(
                f"{name} {number(error)}",
                (error, y),
                xytext=(4, 0),
                textcoords="offset points",
                verticalalignment="center",
                fontsize=8,
            )
    axes.set_title(short(panel.heading, 90))
