"""The figure of how the score responds to a hyperparameter that the study varies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnbench.page.drawing import (
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    SKY,
    VERMILLION,
    Picture,
    grid_of_axes,
    house_style,
    limits_around,
)
from rnnbench.page.texts import brief_per_cent, short
from rnnbench.stats.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rnnbench.compare.rows import ResponseRow
    from rnnbench.reports.document import Document

__all__ = ["ResponseLine", "ResponsePanel", "ResponsePoint", "find_responses", "picture_responses"]

_MAX_PANELS = 12
_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, SKY, MUTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsePoint:
    """Mean test accuracy, and its 95 % interval, at one value; in per cent."""

    value: float
    accuracy: float
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseLine:
    """The points that have the other hyperparameters in common, by rising value."""

    others: str
    points: tuple[ResponsePoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsePanel:
    """One architecture and one hyperparameter."""

    architecture: str
    factor: str
    lines: tuple[ResponseLine, ...]


def find_responses(document: Document) -> tuple[ResponsePanel, ...]:
    """What the figure shows; a value without a finished run has no point."""
    found: dict[tuple[str, str], dict[str, list[ResponsePoint]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in document.responses:
        if row.test_accuracy is not None:
            found[row.factor, row.architecture][row.others].append(_point(row))
    return tuple(
        ResponsePanel(
            architecture=architecture,
            factor=factor,
            lines=tuple(
                ResponseLine(others=others, points=tuple(sorted(points, key=lambda p: p.value)))
                for others, points in lines.items()
            ),
        )
        for (factor, architecture), lines in found.items()
    )


def picture_responses(document: Document) -> Picture | None:
    """The figure and its words; None where no hyperparameter varies."""
    found = find_responses(document)
    if not found:
        return None
    panels = found[:_MAX_PANELS]
    caption = "Dots: mean test accuracy over the seeds; bars: its 95 % t interval."
    if len(panels) < len(found):
        caption += f" The first {len(panels)} of {len(found)} panels are shown."
    factors = dict.fromkeys(panel.factor for panel in found)
    return Picture(
        name="responses",
        title=f"How the test accuracy responds to {' and '.join(factors)}",
        alt=_describe(found),
        caption=caption,
        figure=_draw(panels),
    )


def _point(row: ResponseRow) -> ResponsePoint:
    assert row.test_accuracy is not None
    bounds = row.test_accuracy_t
    return ResponsePoint(
        value=row.value,
        accuracy=100 * row.test_accuracy,
        interval=None if bounds is None else Interval(100 * bounds.low, 100 * bounds.high),
    )


def _describe(panels: Sequence[ResponsePanel]) -> str:
    texts = []
    for panel in panels[:6]:
        for line in panel.lines[:4]:
            first, last = line.points[0], line.points[-1]
            texts.append(
                f"{panel.architecture}{f' with {line.others}' if line.others else ''}:"
                f" {brief_per_cent(first.accuracy)} % at {panel.factor} {first.value:g},"
                f" {brief_per_cent(last.accuracy)} % at {last.value:g}"
            )
    return f"Mean test accuracy. {'; '.join(texts)}."


def _draw(panels: Sequence[ResponsePanel]) -> Figure:
    with house_style():
        figure, all_axes = grid_of_axes(
            [3.1] * len(panels), n_columns=min(3, len(panels)), sharey=True
        )
        all_axes[0].set_ylim(*_accuracy_limits(panels))
        for axes, panel in zip(all_axes, panels, strict=True):
            _draw_panel(axes, panel)
        figure.supylabel("test accuracy (%)", fontsize=9)
    return figure


def _draw_panel(axes: Axes, panel: ResponsePanel) -> None:
    values = sorted({point.value for line in panel.lines for point in line.points})
    places = {value: place for place, value in enumerate(values)}
    n = len(panel.lines)
    for index, line in enumerate(panel.lines):
        colour = _COLOURS[index % len(_COLOURS)]
        shift = 0.09 * (index - (n - 1) / 2)  # so that bars at the same value stand apart
        xs = [places[point.value] + shift for point in line.points]
        axes.plot(xs, [point.accuracy for point in line.points], "o-", color=colour, markersize=5)
        for x, point in zip(xs, line.points, strict=True):
            if point.interval is not None:
                bounds = [point.interval.low, point.interval.high]
                axes.plot([x, x], bounds, color=colour, linewidth=1.4)
    axes.set_xticks(range(len(values)), [f"{value:g}" for value in values])
    axes.set(xlabel=short(panel.factor), xlim=(-0.4, len(values) - 0.6))
    axes.set_title(short(panel.architecture, 40))
    axes.grid(axis="y")
    _name_lines(axes, panel)


def _name_lines(axes: Axes, panel: ResponsePanel) -> None:
    """Right of each line's end, pushed apart where lines end close together."""
    low, high = axes.get_ylim()
    named = [(line.points[-1].accuracy, index) for index, line in enumerate(panel.lines)]
    for y, (_, index) in zip(
        _push_apart(sorted(named), 0.07 * (high - low)), sorted(named), strict=True
    ):
        axes.annotate(
            short(panel.lines[index].others, 24),
            (1, y),
            xytext=(3, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            verticalalignment="center",
            color=_COLOURS[index % len(_COLOURS)],
        )


def _push_apart(rising: Sequence[tuple[float, int]], gap: float) -> list[float]:
    """The heights, rising, with at least `gap` between neighbours."""
    heights: list[float] = []
    for height, _ in rising:
        heights.append(max(height, heights[-1] + gap) if heights else height)
    return heights


def _accuracy_limits(panels: Sequence[ResponsePanel]) -> tuple[float, float]:
    """Around all means, and around interval ends not too far away."""
    points = [point for panel in panels for line in panel.lines for point in line.points]
    limits = limits_around(
        [point.accuracy for point in points], [point.interval for point in points]
    )
    return limits.low, limits.high
