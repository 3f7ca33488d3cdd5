"""The figure of what was timed: step time against units, a line for each rung of the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnnbench.page.drawing import (
    BLUE,
    GREEN,
    ORANGE,
    SKY,
    VERMILLION,
    Picture,
    grid_of_axes,
    house_style,
)
from rnnbench.stats.ratios import MedianIqr
from rnnbench.timing.arms import Arm, Rung

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rnnbench.timing.rows import Slowdown, TimedArm, TimingPart

_MAX_PANELS = 32
_LINES: dict[Rung, tuple[str, str]] = {
    "plain": ("as Keras chooses", BLUE),
    "cudnn-off": ("cuDNN off", SKY),
    "implementation-1": ("… and implementation 1", GREEN),
    "recurrent-dropout": ("… and recurrent dropout", VERMILLION),
    "as-written": ("recurrent dropout, as written", ORANGE),
}


def find_lines(rows: Sequence[TimedArm]) -> list[tuple[str, str, list[tuple[int, MedianIqr]]]]:
    """Of one panel's rows the lines: name, colour, and by rising units milliseconds a step."""
    lines = []
    for rung, (name, colour) in _LINES.items():
        points = [
            (row.arm.units, train)
            for row in rows
            if row.arm.rung == rung and (train := row.times.summary("train")) is not None
        ]
        if points:
            lines.append((name, colour, sorted(points, key=lambda point: point[0])))
    return lines


def picture_times(part: TimingPart) -> Picture | None:
    """Step time against units, a panel for each architecture, back end and device."""
    panels: dict[tuple[str, str], list[TimedArm]] = {}
    for row in part.arms:
        if row.n and not row.arm.dropout:
            machine = part.number_of(row.machine, row.arm)
            title = _panel_title(row.arm) + (f", machine {machine}" if machine else "")
            panels.setdefault((row.machine, title), []).append(row)
    shown = [(title, rows) for (_, title), rows in panels.items()][:_MAX_PANELS]
    if not shown:
        return None
    caption = (
        "Dots: the median over the repeats; bars: the quartiles. Both axes are logarithmic. A panel"
        " for each architecture, back end and device."
    )
    if len(shown) < len(panels):
        caption += f" The first {len(shown)} of {len(panels)} panels are shown."
    return Picture(
        name="timing",
        title="Milliseconds of a training step against units",
        alt=_describe(part.slowdowns),
        caption=caption,
        figure=_draw(shown),
    )


def _panel_title(arm: Arm) -> str:
    words: list[str] = [arm.backend, arm.device]
    words += [f"batch {arm.batch_size}"] if arm.batch_size != 64 else []
    words += [] if arm.has_default_jit else ["jit on" if arm.jit else "jit off"]
    return f"{arm.architecture}\n{', '.join(words)}"


def _describe(rows: Sequence[Slowdown]) -> str:
    texts = [
        f"{row.name} on {row.arm.backend}, {row.arm.device}: {row.plain.median:.2f} ms"
        f" without and {row.dropout.median:.2f} ms with recurrent dropout"
        for row in rows
        if row.plain is not None and row.dropout is not None
    ]
    return "; ".join(texts[:6]) + "."


def _draw(panels: Sequence[tuple[str, Sequence[TimedArm]]]) -> Figure:
    rows = [row for _, rows in panels for row in rows]
    values = [train.median for row in rows if (train := row.times.summary("train"))]
    units = [row.arm.units for row in rows]
    columns = min(4, len(panels))
    with house_style():
        figure, grid = grid_of_axes([2.4] * len(panels), n_columns=columns, sharey=True)
        names: dict[str, Any] = {}  # Any: matplotlib's artists
        for axes, (title, rows_of_panel) in zip(grid, panels, strict=True):
            names |= _draw_panel(axes, title, rows_of_panel)
        grid[0].set_yticks(_ticks(min(values), max(values)))
        for index, axes in enumerate(grid):
            axes.set_xlim(min(units) / 1.5, max(units) * 1.5)
            axes.set_xlabel("units" if index >= len(panels) - columns else "")
            axes.set_ylabel("ms a step" if index % columns == 0 else "")
        figure.legend(
            [names[name] for name, _ in _LINES.values() if name in names],
            [name for name, _ in _LINES.values() if name in names],
            loc="outside upper center",
            ncols=len(names),
            frameon=False,
        )
    return figure


def _draw_panel(axes: Axes, title: str, rows: Sequence[TimedArm]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for place, (name, colour, points) in enumerate(find_lines(rows)):
        shift = 1.03 ** (place - 1.5)  # so that bars of equal arms do not hide each other
        names[name] = axes.errorbar(
            [units * shift for units, _ in points],
            [train.median for _, train in points],
            yerr=[
                [train.median - train.quartiles.low for _, train in points],
                [train.quartiles.high - train.median for _, train in points],
            ],
            color=colour,
            marker="o",
            markersize=4,
            linewidth=1.4,
            capsize=2,
        )
    every = sorted({row.arm.units for row in rows})
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(every, [str(n) for n in every])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_title(title)
    axes.grid(axis="y")
    return names


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from below `low` to above `high`."""
    rounds = [digit * 10.0**power for power in range(-3, 6) for digit in (1, 2, 5)]
    first = max((n for n in rounds if n <= low), default=rounds[0])
    last = min((n for n in rounds if n >= high), default=rounds[-1])
    return [n for n in rounds if first <= n <= last]
