"""The figure of test accuracies: every seed a dot, every arm a mean and an interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnbench.output.amounts import plural
from rnnbench.page.drawing import (
    BLUE,
    INK,
    VERMILLION,
    Picture,
    draw_interval,
    house_style,
    label_rows,
    limits_around,
    stack_of_axes,
)
from rnnbench.page.panels import by_section, left_out, take_panels
from rnnbench.page.texts import brief_per_cent, number, short, with_sd
from rnnbench.stats.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rnnbench.compare.rows import ArmRow
    from rnnbench.reports.document import Document

__all__ = ["ScoreLine", "ScorePanel", "find_scores", "picture_scores"]

_MAX_LINES = 40
_MAX_VECTOR_DOTS = 1500
_GOLDEN = 0.618034


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLine:
    """One arm; accuracies in per cent."""

    arm: str
    dots: tuple[float, ...]
    mean: float
    sd: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePanel:
    """One section: its arms, and its baselines as (name, per cent)."""

    heading: str
    lines: tuple[ScoreLine, ...]
    baselines: tuple[tuple[str, float], ...]


def find_scores(document: Document) -> tuple[ScorePanel, ...]:
    """What the figure shows; arms without a finished run have no line."""
    dots: dict[tuple[str, str], list[float]] = defaultdict(list)
    for seed in document.seeds:
        dots[seed.section, seed.arm].append(100 * seed.test_accuracy)
    panels = (
        ScorePanel(
            heading=heading,
            lines=tuple(
                _line(row, dots[row.section, row.arm]) for row in rows if not row.is_baseline
            ),
            baselines=tuple(
                (row.arm, 100 * row.test_accuracy)
                for row in rows
                # The majority class would stretch the axis; the table has it.
                if row.is_baseline and row.test_accuracy is not None and row.n_parameters
            ),
        )
        for heading, rows in by_section(
            [row for row in document.arms if row.test_accuracy is not None], document.sections
        )
    )
    return tuple(panel for panel in panels if panel.lines)


def picture_scores(document: Document) -> Picture | None:
    """The figure and its words; None without a finished run."""
    found = find_scores(document)
    if not found:
        return None
    panels = take_panels(found, _MAX_LINES)
    caption = (
        "Each dot is one seed. Below the dots: the mean and its 95 % t interval"
        " (an arrow head: it goes on outside the picture; so do runs that lie far from the rest)."
    )
    if any(panel.baselines for panel in panels):
        caption += " Dashed: the baseline without a network, on the same words."
    return Picture(
        name="scores",
        title="Test accuracy of every run",
        alt=_describe(found),
        caption=caption + left_out(found, panels, "arm"),
        figure=_draw(panels),
    )


def _line(row: ArmRow, dots: Sequence[float]) -> ScoreLine:
    assert row.test_accuracy is not None
    bounds = row.test_accuracy_t
    return ScoreLine(
        arm=row.arm,
        dots=tuple(dots),
        mean=100 * row.test_accuracy,
        sd=None if row.test_accuracy_sd is None else 100 * row.test_accuracy_sd,
        interval=None if bounds is None else Interval(100 * bounds.low, 100 * bounds.high),
    )


def _describe(panels: Sequence[ScorePanel]) -> str:
    lines = [(panel.heading, line) for panel in panels for line in panel.lines]
    if len(lines) > 8:
        lines.sort(key=lambda item: item[1].mean)
        lines = [lines[0], lines[-1]]
        start = f"Mean test accuracy of {sum(len(panel.lines) for panel in panels):,} arms, from "
    else:
        start = "Mean test accuracy: "
    texts = [
        f"{f'{heading}, ' if heading else ''}{line.arm} {brief_per_cent(line.mean)} %"
        f" ({plural(len(line.dots), 'seed')})"
        for heading, line in lines
    ]
    texts += [
        f"baseline {name} {brief_per_cent(value)} %"
        for name, value in dict.fromkeys(
            baseline for panel in panels for baseline in panel.baselines
        )
    ]
    return f"{start}{', '.join(texts)}."


def _draw(panels: Sequence[ScorePanel]) -> Figure:
    lines = [line for panel in panels for line in panel.lines]
    reach = _reach([dot for line in lines for dot in line.dots])
    limits = limits_around(
        [
            *(dot for line in lines for dot in line.dots if reach.contains(dot)),
            *(line.mean for line in lines),
            *(value for panel in panels for _, value in panel.baselines),
        ],
        [line.interval for line in lines],
    )
    is_raster = sum(len(line.dots) for line in lines) > _MAX_VECTOR_DOTS
    with house_style():
        figure, all_axes = stack_of_axes([len(panel.lines) for panel in panels])
        named: tuple[tuple[str, float], ...] = ()
        for axes, panel in zip(all_axes, panels, strict=True):
            _draw_panel(axes, panel, limits, is_raster=is_raster)
            if panel.baselines != named:  # said once where it is the same all the way down
                _name_baselines(axes, panel, limits)
            named = panel.baselines
        all_axes[-1].set(xlabel="test accuracy (%)", xlim=(limits.low, limits.high))
    return figure


def _draw_panel(axes: Axes, panel: ScorePanel, limits: Interval, *, is_raster: bool) -> None:
    label_rows(axes, [short(line.arm) for line in panel.lines])
    for row, line in enumerate(panel.lines):
        offsets = [row - 0.12 + 0.17 * _spread(index) for index in range(len(line.dots))]
        look: dict[str, Any] = {
            "markersize": 4.5,
            "markeredgewidth": 0,
            "alpha": 0.65,
            "color": BLUE,
        }
        axes.plot(line.dots, offsets, "o", rasterized=is_raster, **look)
        _mark_outside(axes, line, row, limits)
        draw_interval(axes, line.interval, row + 0.26, limits, color=INK, linewidth=2.4)
        axes.plot(line.mean, row + 0.26, "o", color=INK, markersize=5.5)
        axes.text(
            1.02,
            row,
            f"{with_sd(line.mean, line.sd, number)} %",
            transform=axes.get_yaxis_transform(),
            verticalalignment="center",
        )
    for _, value in panel.baselines:
        axes.axvline(value, color=VERMILLION, linewidth=1.2, linestyle=(0, (4, 2)))
    axes.set_title(short(panel.heading, 90))


def _mark_outside(axes: Axes, line: ScoreLine, row: int, limits: Interval) -> None:
    """An arrow at the edge, with their values, for runs that lie outside the picture."""
    for is_low, edge, marker in ((True, limits.low, "<"), (False, limits.high, ">")):
        outside = [dot for dot in line.dots if (dot < limits.low if is_low else dot > limits.high)]
        if not outside:
            continue
        axes.plot(edge, row - 0.12, marker, color=BLUE, markersize=6, clip_on=False)
        values = ", ".join(brief_per_cent(dot) for dot in sorted(outside)[:3])
        more = f" and {len(outside) - 3} more" if len(outside) > 3 else ""
        axes.annotate(
            f"{values} %{more}",
            (edge, row - 0.12),
            xytext=(8 if is_low else -8, 0),
            textcoords="offset points",
            horizontalalignment="left" if is_low else "right",
            verticalalignment="center",
            color=BLUE,
        )


def _reach(dots: Sequence[float]) -> Interval:
    """Where runs lie that are not far from the rest: one failed start would flatten the others."""
    import numpy as np

    first, third = (float(value) for value in np.percentile(dots, [25, 75]))
    far = 4 * (third - first)
    return Interval(first - far, third + far)


def _name_baselines(axes: Axes, panel: ScorePanel, limits: Interval) -> None:
    middle = (limits.low + limits.high) / 2
    for name, value in panel.baselines:
        axes.text(
            value,
            1.01,
            f"{short(name)} {brief_per_cent(value)} %",
            color=VERMILLION,
            transform=axes.get_xaxis_transform(),
            horizontalalignment="right" if value > middle else "left",
            verticalalignment="bottom",
        )
    if panel.heading:
        axes.set_title(axes.get_title(loc="left"), pad=16)


def _spread(index: int) -> float:
    """-1 to 1: places that lie apart for neighbouring numbers and the same in every drawing."""
    return 2 * (index * _GOLDEN % 1) - 1
