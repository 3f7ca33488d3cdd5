"""What most figures are: rows of dots, intervals or bars, in panels one below the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnnbench.output.amounts import some
from rnnbench.page.drawing import (
    BLUE,
    GREEN,
    INK,
    VERMILLION,
    Picture,
    house_style,
    limits_around,
    stack_of_axes,
)
from rnnbench.page.texts import brief_per_cent, number, short
from rnnbench.stats.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_VECTOR_DOTS = 1500
_GOLDEN = 0.618034


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a panel, in the unit of its axis.

    Args:
        name, minus, over: at its left, an arm, one arm minus another, or one above another.
        words: at its right.
        mean, interval: a dot and a bar, in `colour`.
        dots: of single runs, in per cent, above them; None in a figure without.
        single: one value to be held against the interval, which is drawn pale then.
        is_inside: whether the interval holds it; None where there is no interval.
        bars: in place of all these, name, length and colour of each; None is left out.
    """

    name: str
    minus: str = ""
    over: str = ""
    words: str = ""
    mean: float = 0.0
    interval: Interval | None = None
    colour: str = INK
    dots: tuple[float, ...] | None = None
    single: float | None = None
    is_inside: bool | None = None
    bars: tuple[tuple[str, float | None, str], ...] = ()

    @property
    def label(self) -> str:
        """The name as there is room for it."""
        if self.minus:
            return f"{short(self.name, 24)} − {short(self.minus, 24)}"
        if self.over:
            return f"{short(self.name, 24)} > {short(self.over, 24)}"
        return short(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Rows under a heading.

    Args:
        baselines: name and value of each dashed line through all rows, in per cent.
    """

    heading: str
    lines: tuple[Line, ...]
    baselines: tuple[tuple[str, float], ...] = ()


def picture_panels(
    panels: Sequence[Panel],
    *,
    name: str,
    title: str,
    alt: str,
    caption: str,
    noun: str,
    n_lines: int,
    **options: Any,
) -> Picture | None:
    """The figure of the first `n_lines` lines; None without any.

    Args:
        noun: what a line is.
        options: of `_draw_panels`.
    """
    if not panels:
        return None
    taken = _take_panels(panels, n_lines)
    if any(panel.baselines for panel in taken):
        is_one = len({name for panel in taken for name, _ in panel.baselines}) == 1
        which = "baseline without a network, on the same words" if is_one else "linear models"
        caption += f" Dashed: the {which}."
    n_found, n_taken = (sum(len(panel.lines) for panel in each) for each in (panels, taken))
    if n_taken < n_found:
        caption += f" The first {n_taken:,} of {n_found:,} {noun}s are shown; the CSV file has all."
    return Picture(
        name=name, title=title, alt=alt, caption=caption, figure=_draw_panels(taken, **options)
    )


def _draw_panels(
    panels: Sequence[Panel],
    *,
    xlabel: str,
    margin: float | None = None,
    middle: float | None = None,
    limits: Interval | None = None,
    bounds: Interval | None = None,
    row_inches: float = 0.4,
) -> Figure:
    """The panels one below the other, with one x axis.

    Args:
        margin: the practical margin, shaded on both sides of a line at 0.
        middle: where a line stands that favours neither side.
        limits: of the axis, where what is drawn does not set them.
        bounds: what no value passes: the axis ends there, with room for a dot.
    """
    lines = [line for panel in panels for line in panel.lines]
    if limits is None:
        around = () if margin is None else (-1.15 * margin, 1.15 * margin)
        limits = limits_of(lines, *around, *(at for panel in panels for _, at in panel.baselines))
    if bounds is not None:
        room = 0.02 * (min(limits.high, bounds.high) - max(limits.low, bounds.low))
        limits = limits.bounded(bounds.low - room, bounds.high + room)
    with house_style():
        figure, all_axes = stack_of_axes([len(panel.lines) for panel in panels], row_inches)
        named: tuple[tuple[str, float], ...] = ()
        is_raster = sum(len(line.dots or ()) for line in lines) > _MAX_VECTOR_DOTS
        for axes, panel in zip(all_axes, panels, strict=True):
            if margin is not None:
                axes.axvspan(-margin, margin, color=GREEN, alpha=0.13, linewidth=0)
                axes.axvline(0, color=INK, linewidth=0.9)
            if middle is not None:
                axes.axvline(middle, color=INK, linewidth=0.9)
            draw_lines(axes, panel.lines, limits, is_raster=is_raster)
            for _, value in panel.baselines:
                axes.axvline(value, color=VERMILLION, linewidth=1.2, linestyle=(0, (4, 2)))
            axes.set_title(short(panel.heading, 90))
            if panel.baselines != named:  # said once where it is the same all the way down
                _name_baselines(axes, panel, limits)
            named = panel.baselines
        if margin is not None:
            words = f"margin ± {number(margin).rstrip('0').rstrip('.')}"
            _write_above(all_axes[0], margin, words, GREEN, is_left=True)
        all_axes[-1].set(xlabel=xlabel, xlim=(limits.low, limits.high))
    return figure


def limits_of(lines: Sequence[Line], *values: float) -> Interval:
    """Where the axis begins and ends: around `values` and all that is drawn and not too far off."""
    lengths = [length for line in lines for _, length, _ in line.bars if length is not None]
    if lengths:
        return Interval(0, 1.2 * max(lengths) or 1.0)  # with room for the words at the bars' ends
    drawn = [*values, *(line.mean for line in lines)]
    drawn += [line.single for line in lines if line.single is not None]
    if dots := [dot for line in lines for dot in line.dots or ()]:
        near = reach_of(dots)
        drawn += [dot for dot in dots if near.contains(dot)]
    return limits_around(drawn, [line.interval for line in lines])


def draw_lines(
    axes: Axes, lines: Sequence[Line], limits: Interval, *, is_raster: bool = False
) -> None:
    """The rows of one panel, from top to bottom.

    Args:
        is_raster: dots are too many to be single shapes.
    """
    _label_rows(axes, [line.label for line in lines])
    for row, line in enumerate(lines):
        if line.bars:
            _draw_bars(axes, row, line)
            continue
        if line.dots is not None:
            _draw_dots(axes, row, line.dots, limits, is_raster=is_raster)
        if line.single is None:
            _draw_mean(axes, row, line, limits)
        else:
            _draw_single(axes, row, line, limits)
        axes.text(
            1.02,
            row,
            line.words,
            color=VERMILLION if line.is_inside is False else INK,
            transform=axes.get_yaxis_transform(),
            verticalalignment="center",
        )


def _take_panels(panels: Sequence[Panel], n_lines: int) -> list[Panel]:
    """The first panels, with `n_lines` lines together."""
    taken: list[Panel] = []
    for panel in panels:
        room = n_lines - sum(len(before.lines) for before in taken)
        if room > 0:
            taken.append(replace(panel, lines=panel.lines[:room]))
    return taken


def _label_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Names the rows 0, 1, … of a panel from top to bottom, and gives them room."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, pad=8)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def _draw_bars(axes: Axes, row: int, line: Line) -> None:
    for place, (name, length, colour) in enumerate(line.bars):
        if length is None:
            continue
        y = row + 0.24 * (place - 1)
        axes.barh(y, length, height=0.16, color=colour)
        axes.annotate(
            f"{name} {number(length)}",
            (length, y),
            xytext=(4, 0),
            textcoords="offset points",
            verticalalignment="center",
            fontsize=8,
        )


def _draw_mean(axes: Axes, row: int, line: Line, limits: Interval) -> None:
    y, size = (row, 6.0) if line.dots is None else (row + 0.26, 5.5)
    _draw_interval(axes, line.interval, y, limits, color=line.colour, linewidth=2.4)
    axes.plot(line.mean, y, "o", color=line.colour, markersize=size)


def _draw_single(axes: Axes, row: int, line: Line, limits: Interval) -> None:
    assert line.single is not None
    look = {"color": line.colour, "alpha": 0.35, "linewidth": 7}
    _draw_interval(axes, line.interval, row, limits, **look)
    axes.plot([line.mean, line.mean], [row - 0.24, row + 0.24], color=line.colour, linewidth=2)
    axes.plot(
        line.single,
        row,
        "D",
        color=VERMILLION,
        markerfacecolor=VERMILLION if line.is_inside else "none",
        markeredgewidth=1.5,
        markersize=6.5,
    )


def _draw_interval(
    axes: Axes, interval: Interval | None, row: float, limits: Interval, **look: Any
) -> None:
    """A horizontal bar at height `row`; an arrow head where it goes on outside the limits."""
    if interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return
    low, high = max(interval.low, limits.low), min(interval.high, limits.high)
    axes.plot([low, high], [row, row], solid_capstyle="butt", **look)
    head: dict[str, Any] = {"color": look.get("color"), "markersize": 5, "clip_on": False}
    if interval.low < limits.low:
        axes.plot(limits.low, row, marker="<", **head)
    if interval.high > limits.high:
        axes.plot(limits.high, row, marker=">", **head)


def _draw_dots(
    axes: Axes, row: int, dots: Sequence[float], limits: Interval, *, is_raster: bool
) -> None:
    offsets = [row - 0.12 + 0.17 * _spread(index) for index in range(len(dots))]
    look: dict[str, Any] = {"markersize": 4.5, "markeredgewidth": 0, "alpha": 0.65, "color": BLUE}
    axes.plot(dots, offsets, "o", rasterized=is_raster, **look)
    for is_low, edge, marker in ((True, limits.low, "<"), (False, limits.high, ">")):
        outside = [dot for dot in dots if (dot < limits.low if is_low else dot > limits.high)]
        if not outside:
            continue
        axes.plot(edge, row - 0.12, marker, color=BLUE, markersize=6, clip_on=False)
        axes.annotate(
            some([f"{brief_per_cent(dot)} %" for dot in sorted(outside)], 3),
            (edge, row - 0.12),
            xytext=(8 if is_low else -8, 0),
            textcoords="offset points",
            horizontalalignment="left" if is_low else "right",
            verticalalignment="center",
            color=BLUE,
        )


def _name_baselines(axes: Axes, panel: Panel, limits: Interval) -> None:
    middle = (limits.low + limits.high) / 2
    for line, (name, value) in enumerate(panel.baselines):
        words = f"{short(name)} {brief_per_cent(value)} %" + "\n" * line
        _write_above(axes, value, words, VERMILLION, is_left=value > middle)
    if panel.heading:
        axes.set_title(axes.get_title(loc="left"), pad=16 * len(panel.baselines))


def _write_above(axes: Axes, value: float, words: str, colour: str, *, is_left: bool) -> None:
    """Over the panel, and left of `value` or right of it."""
    axes.text(
        value,
        1.01,
        words,
        color=colour,
        transform=axes.get_xaxis_transform(),
        horizontalalignment="right" if is_left else "left",
        verticalalignment="bottom",
    )


def reach_of(dots: Sequence[float]) -> Interval:
    """Where runs lie that are not far from the rest: one failed start would flatten the others."""
    import numpy as np

    first, third = (float(value) for value in np.percentile(dots, [25, 75]))
    far = 4 * (third - first)
    return Interval(first - far, third + far)


def _spread(index: int) -> float:
    """-1 to 1: places that lie apart for neighbouring numbers and the same in every drawing."""
    return 2 * (index * _GOLDEN % 1) - 1
