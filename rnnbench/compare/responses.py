"""The figure of how the score responds to a hyperparameter that the study varies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from rnnbench.compare.rows import ResponseRow
from rnnbench.metrics import METRICS, USUAL_METRIC
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

_MAX_PANELS = 12
_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, SKY, MUTED)


Lines: TypeAlias = Mapping[str, Sequence[ResponseRow]]
"""By the other hyperparameters, the rows by rising value; each has a score."""


def find_responses(
    rows: Sequence[ResponseRow], metric: str = USUAL_METRIC
) -> dict[tuple[str, str], Lines]:
    """What the figure shows, by hyperparameter and architecture: the lines of a panel.

    A value without a finished run has no point.
    """
    found: dict[tuple[str, str], dict[str, list[ResponseRow]]] = {}
    for row in rows:
        if row.score(metric).mean is not None:
            lines = found.setdefault((row.factor, row.architecture), {})
            lines.setdefault(row.others, []).append(row)
    return {
        panel: {
            others: sorted(points, key=lambda row: row.value) for others, points in lines.items()
        }
        for panel, lines in found.items()
    }


def picture_responses(rows: Sequence[ResponseRow], metric: str = USUAL_METRIC) -> Picture | None:
    """The figure and its words; None where no hyperparameter varies."""
    found, words = find_responses(rows, metric), METRICS[metric]
    if not found:
        return None
    panels = dict(islice(found.items(), _MAX_PANELS))
    caption = f"Dots: mean {words} over the seeds; bars: its 95 % t interval."
    if len(panels) < len(found):
        caption += f" The first {len(panels)} of {len(found)} panels are shown."
    factors = dict.fromkeys(factor for factor, _ in found)
    return Picture(
        name="responses",
        title=f"How the {words} responds to {' and '.join(factors)}",
        alt=_describe(found, metric),
        caption=caption,
        figure=_draw(panels, metric),
    )


def _mean(row: ResponseRow, metric: str) -> float:
    """In per cent."""
    return 100 * (row.score(metric).mean or 0.0)


def _describe(panels: Mapping[tuple[str, str], Lines], metric: str) -> str:
    texts = []
    for (factor, architecture), lines in islice(panels.items(), 6):
        for others, points in islice(lines.items(), 4):
            first, last = points[0], points[-1]
            text = (
                f"{architecture}{f' with {others}' if others else ''}:"
                f" {brief_per_cent(_mean(first, metric))} % at {factor} {first.value:g}"
            )
            if last is not first:
                text += f", {brief_per_cent(_mean(last, metric))} % at {last.value:g}"
            texts.append(text)
    return f"Mean {METRICS[metric]}. {'; '.join(texts)}."


def _draw(panels: Mapping[tuple[str, str], Lines], metric: str) -> Figure:
    with house_style():
        figure, all_axes = grid_of_axes(
            [3.1] * len(panels), n_columns=min(3, len(panels)), sharey=True
        )
        all_axes[0].set_ylim(*_limits(panels.values(), metric))
        for axes, ((factor, architecture), lines) in zip(all_axes, panels.items(), strict=True):
            _draw_panel(axes, lines, metric)
            axes.set_xlabel(short(factor))
            axes.set_title(short(architecture, 40))
        figure.supylabel(f"{METRICS[metric]} (%)", fontsize=9)
    return figure


def _draw_panel(axes: Axes, lines: Lines, metric: str) -> None:
    values = sorted({row.value for rows in lines.values() for row in rows})
    places = {value: place for place, value in enumerate(values)}
    n = len(lines)
    for index, rows in enumerate(lines.values()):
        colour = _COLOURS[index % len(_COLOURS)]
        shift = 0.09 * (index - (n - 1) / 2)  # so that bars at the same value stand apart
        xs = [places[row.value] + shift for row in rows]
        axes.plot(xs, [_mean(row, metric) for row in rows], "o-", color=colour, markersize=5)
        for x, row in zip(xs, rows, strict=True):
            if (bounds := row.score(metric).t) is not None:
                ends = [100 * bounds.low, 100 * bounds.high]
                axes.plot([x, x], ends, color=colour, linewidth=1.4)
    axes.set_xticks(range(len(values)), [f"{value:g}" for value in values])
    axes.set_xlim(-0.4, len(values) - 0.6)
    axes.grid(axis="y")
    _name_lines(axes, lines, metric)


def _name_lines(axes: Axes, lines: Lines, metric: str) -> None:
    """Right of each line's end, pushed apart where lines end close together."""
    low, high = axes.get_ylim()
    named = sorted(
        (_mean(rows[-1], metric), index, others)
        for index, (others, rows) in enumerate(lines.items())
    )
    heights = _push_apart([height for height, _, _ in named], 0.07 * (high - low))
    for y, (_, index, others) in zip(heights, named, strict=True):
        axes.annotate(
            short(others, 24),
            (1, y),
            xytext=(3, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            verticalalignment="center",
            color=_COLOURS[index % len(_COLOURS)],
        )


def _push_apart(rising: Sequence[float], gap: float) -> list[float]:
    """The heights, rising, with at least `gap` between neighbours."""
    heights: list[float] = []
    for height in rising:
        heights.append(max(height, heights[-1] + gap) if heights else height)
    return heights


def _limits(panels: Iterable[Lines], metric: str) -> tuple[float, float]:
    """Around all means, and around interval ends not too far away."""
    rows = [row for lines in panels for line in lines.values() for row in line]
    bounds = [row.score(metric).t for row in rows]
    limits = limits_around(
        [_mean(row, metric) for row in rows],
        [each and Interval(100 * each.low, 100 * each.high) for each in bounds],
    )
    return limits.low, limits.high
