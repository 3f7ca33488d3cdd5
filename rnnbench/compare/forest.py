"""The figure of differences between arms: a forest plot with the margin and the verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnbench.output.amounts import plural
from rnnbench.page.drawing import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    VERMILLION,
    Picture,
    draw_interval,
    house_style,
    label_rows,
    limits_around,
    stack_of_axes,
)
from rnnbench.page.panels import by_section, left_out, take_panels
from rnnbench.page.texts import number, short, signed_points
from rnnbench.stats.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rnnbench.compare.rows import PairRow, Verdict
    from rnnbench.reports.document import Document

__all__ = ["PairLine", "PairPanel", "find_pairs", "picture_pairs"]

_MAX_LINES = 40
_COLOURS: dict[Verdict, str] = {
    "better": BLUE,
    "worse": VERMILLION,
    "equivalent": GREEN,
    "undetermined": MUTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLine:
    """Two arms; the difference and its interval in accuracy points."""

    a: str
    b: str
    difference: float
    interval: Interval | None
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPanel:
    """One section."""

    heading: str
    lines: tuple[PairLine, ...]


def find_pairs(document: Document) -> tuple[PairPanel, ...]:
    """What the figure shows; a pair without a difference has no line."""
    rows = [row for row in document.pairs if row.difference is not None]
    return tuple(
        PairPanel(heading=heading, lines=tuple(_line(row) for row in members))
        for heading, members in by_section(rows, document.sections)
    )


def picture_pairs(document: Document) -> Picture | None:
    """The figure and its words; None without a pair."""
    found = find_pairs(document)
    if not found:
        return None
    panels = take_panels(found, _MAX_LINES)
    margin = number(100 * document.margin).rstrip("0").rstrip(".")
    return Picture(
        name="pairs",
        title="Differences of mean test accuracy, first arm minus second",
        alt=_describe(found),
        caption=(
            "Dot and bar: the difference of the means and its 95 % interval (an arrow head: it goes"
            f" on outside the picture). Shaded: the practical margin of ± {margin} points."
            + left_out(found, panels, "pair")
        ),
        figure=_draw(panels, 100 * document.margin, margin),
    )


def _line(row: PairRow) -> PairLine:
    assert row.difference is not None
    bounds = row.difference_interval
    return PairLine(
        a=row.a,
        b=row.b,
        difference=100 * row.difference,
        interval=None if bounds is None else Interval(100 * bounds.low, 100 * bounds.high),
        verdict=row.verdict,
        words=row.verdict_words,
    )


def _describe(panels: Sequence[PairPanel]) -> str:
    lines = [(panel.heading, line) for panel in panels for line in panel.lines]
    if len(lines) > 8:
        counts = Counter(line.words for _, line in lines)
        texts = [f"{n} {words}" for words, n in counts.most_common()]
        return f"{plural(len(lines), 'difference')} of mean test accuracy: {'; '.join(texts)}."
    texts = [
        f"{f'{heading}: ' if heading else ''}{line.a} minus {line.b}"
        f" {signed_points(line.difference / 100)} points, {line.words}"
        for heading, line in lines
    ]
    return f"Differences of mean test accuracy: {'; '.join(texts)}."


def _draw(panels: Sequence[PairPanel], margin: float, margin_text: str) -> Figure:
    lines = [line for panel in panels for line in panel.lines]
    limits = limits_around(
        [-1.15 * margin, 1.15 * margin, *(line.difference for line in lines)],
        [line.interval for line in lines],
    )
    with house_style():
        figure, all_axes = stack_of_axes([len(panel.lines) for panel in panels])
        for axes, panel in zip(all_axes, panels, strict=True):
            _draw_panel(axes, panel, limits, margin)
        _label_margin(all_axes[0], margin, margin_text)
        all_axes[-1].set(xlabel="difference (accuracy points)", xlim=(limits.low, limits.high))
    return figure


def _draw_panel(axes: Axes, panel: PairPanel, limits: Interval, margin: float) -> None:
    label_rows(axes, [f"{short(line.a, 24)} − {short(line.b, 24)}" for line in panel.lines])
    axes.axvspan(-margin, margin, color=GREEN, alpha=0.13, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.9)
    for row, line in enumerate(panel.lines):
        colour = _COLOURS[line.verdict]
        draw_interval(axes, line.interval, row, limits, color=colour, linewidth=2.4)
        axes.plot(line.difference, row, "o", color=colour, markersize=6)
        axes.text(
            1.02,
            row,
            f"{signed_points(line.difference / 100)}  {line.words}",
            transform=axes.get_yaxis_transform(),
            verticalalignment="center",
        )
    axes.set_title(short(panel.heading, 90))


def _label_margin(axes: Axes, margin: float, text: str) -> None:
    axes.text(
        margin,
        1.01,
        f"margin ± {text}",
        color=GREEN,
        transform=axes.get_xaxis_transform(),
        horizontalalignment="right",
        verticalalignment="bottom",
    )
