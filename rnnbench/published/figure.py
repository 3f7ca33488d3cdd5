"""The figure of published numbers against the prediction interval of one new run of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnbench.output.amounts import plural
from rnnbench.page.drawing import (
    BLUE,
    INK,
    VERMILLION,
    Picture,
    draw_interval,
    grid_of_axes,
    house_style,
    label_rows,
    limits_around,
)
from rnnbench.page.texts import published_value, short
from rnnbench.stats.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rnnbench.compare.rows import PublishedRow
    from rnnbench.reports.document import Document

__all__ = ["ComparisonLine", "ComparisonPanel", "find_comparisons", "picture_comparisons"]

_MAX_LINES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonLine:
    """One published number, in the unit of its panel."""

    name: str
    published: float
    mean: float
    interval: Interval | None
    is_inside: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPanel:
    """One source and one summary: `best val_loss`; accuracies are in per cent."""

    source: str
    summary: str
    unit: str
    lines: tuple[ComparisonLine, ...]


def find_comparisons(document: Document) -> tuple[ComparisonPanel, ...]:
    """What the figure shows: a panel for each summary of a source.

    What we did not run has no line. Sources have panels of their own, because notes that stopped
    after ten epochs are compared with our runs after ten.
    """
    rows = [row for row in document.published if row.mean is not None]
    return tuple(
        ComparisonPanel(
            source=source,
            summary=summary,
            unit=_unit(summary),
            lines=tuple(
                _line(row, rows) for row in rows if (row.source, row.summary) == (source, summary)
            ),
        )
        for source in dict.fromkeys(row.source for row in rows)
        for summary in dict.fromkeys(row.summary for row in rows if row.source == source)
    )


def picture_comparisons(document: Document) -> Picture | None:
    """The figure and its words; None where nothing compares."""
    panels = find_comparisons(document)
    if not panels:
        return None
    caption = (
        "Bar: the 95 % prediction interval of one new run of ours, the line in it our mean."
        " Diamond: the published value, filled where it lies inside."
    )
    if any(len(panel.lines) > _MAX_LINES for panel in panels):
        caption += f" The first {_MAX_LINES} rows of each panel are shown."
    return Picture(
        name="published",
        title="Published values and what one new run of ours would give",
        alt=_describe(panels),
        caption=caption,
        figure=_draw(panels),
    )


def _unit(summary: str) -> str:
    if "accuracy" in summary:
        return "accuracy (%)"
    return "epoch" if "epoch" in summary else "binary cross-entropy"


def _line(row: PublishedRow, rows: Sequence[PublishedRow]) -> ComparisonLine:
    assert row.mean is not None
    scale = 100 if "accuracy" in row.summary else 1
    bounds = row.interval
    return ComparisonLine(
        name=_name(row, rows),
        published=scale * row.published,
        mean=scale * row.mean,
        interval=None if bounds is None else Interval(scale * bounds.low, scale * bounds.high),
        is_inside=row.is_inside,
    )


def _name(row: PublishedRow, rows: Sequence[PublishedRow]) -> str:
    """The architecture, and what else tells this row from others."""
    parts = [row.architecture]
    for field in ("section", "order"):
        value = getattr(row, field)
        if value != row.architecture and len({getattr(other, field) for other in rows}) > 1:
            parts.append(value)
    return ", ".join(part for part in parts if part)


def _describe(panels: Sequence[ComparisonPanel]) -> str:
    lines = [line for panel in panels for line in panel.lines]
    n_inside = sum(line.is_inside is True for line in lines)
    n_open = sum(line.is_inside is None for line in lines)
    outside = [
        f"{panel.summary} of {line.name}"
        f" ({published_value(panel.summary, _as_fraction(panel, line.published))}, {panel.source})"
        for panel in panels
        for line in panel.lines
        if line.is_inside is False
    ]
    start = f"{n_inside} of {plural(len(lines), 'published value')} inside the prediction interval"
    if n_open:
        start += f", {n_open} without an interval"
    if not outside:
        return f"{start}."
    more = f" and {len(outside) - 8} more" if len(outside) > 8 else ""
    return f"{start}. Outside: {', '.join(outside[:8])}{more}."


def _as_fraction(panel: ComparisonPanel, value: float) -> float:
    return value / 100 if "accuracy" in panel.summary else value


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def _draw(panels: Sequence[ComparisonPanel]) -> Figure:
    n_columns = min(2, len(panels))
    n_lines = [min(_MAX_LINES, len(panel.lines)) for panel in panels]
    with house_style():
        figure, all_axes = grid_of_axes([0.34 * n + 0.9 for n in n_lines], n_columns=n_columns)
        for place, (axes, panel) in enumerate(zip(all_axes, panels, strict=True)):
            first = place - place % n_columns
            _draw_panel(axes, panel, max(n_lines[first : first + n_columns]))
    return figure


def _draw_panel(axes: Axes, panel: ComparisonPanel, n_rows: int) -> None:
    lines = panel.lines[:_MAX_LINES]
    values = [value for line in lines for value in (line.published, line.mean)]
    values += [end for line in lines if line.interval for end in _ends(line.interval)]
    limits = limits_around(values, [])
    label_rows(axes, [short(line.name) for line in lines])
    axes.set_ylim(n_rows - 0.5, -0.5)  # rows are as high as in the panel beside it,
    axes.spines["bottom"].set_position(("data", len(lines) - 0.4))  # the x axis is under the last
    axes.grid(visible=False)
    axes.grid(axis="y")
    for row, line in enumerate(lines):
        look = {"color": BLUE, "alpha": 0.35, "linewidth": 7}
        draw_interval(axes, line.interval, row, limits, **look)
        axes.plot([line.mean, line.mean], [row - 0.24, row + 0.24], color=BLUE, linewidth=2)
        axes.plot(
            line.published,
            row,
            "D",
            color=VERMILLION,
            markerfacecolor=VERMILLION if line.is_inside else "none",
            markeredgewidth=1.5,
            markersize=6.5,
        )
        axes.text(
            1.02,
            row,
            {True: "inside", False: "outside", None: "no interval"}[line.is_inside],
            color=VERMILLION if line.is_inside is False else INK,
            transform=axes.get_yaxis_transform(),
            verticalalignment="center",
        )
    axes.set_title(short(f"{panel.summary}, {panel.source.replace('-', ' ')}", 48))
    axes.set(xlabel=panel.unit, xlim=(limits.low, limits.high))
