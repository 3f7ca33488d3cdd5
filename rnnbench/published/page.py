"""The part of the page on published numbers, against one new run of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rnnbench.compare.page import write_curves
from rnnbench.output.amounts import plural, some
from rnnbench.page.blocks import Block, Paragraph, Part, make_part
from rnnbench.page.csv_files import write_rows
from rnnbench.page.drawing import BLUE, Picture, grid_of_axes, house_style
from rnnbench.page.panels import Line, draw_lines, limits_of
from rnnbench.page.tables import Column, Table, Tone, by_section
from rnnbench.page.texts import NONE, count, measured_value, published_value, short, within
from rnnbench.published.notes import SCORED_WITH_DROPOUT, SOURCE
from rnnbench.published.rows import Published, PublishedRow, explain_by_order
from rnnbench.stats.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_LINES = 24
_PLACES: dict[bool | None, str] = {True: "inside", False: "outside"}
_TONES: dict[bool | None, Tone] = {True: "same", False: "bad"}


def published_part(published: Published, sections: Sequence[str]) -> Part:
    """Table, figure and how to read them; a sentence where nothing compares."""
    return make_part("published", "Published and measured", _blocks(published.rows, sections))


def published_tables(published: Published) -> dict[str, str]:
    """The CSV text of each table, by the stem of its file."""
    return {
        "published_curves": write_curves(published.curves),
        "published": write_rows(PublishedRow, published.rows),
    }


def find_comparisons(rows: Sequence[PublishedRow]) -> dict[tuple[str, str], tuple[Line, ...]]:
    """What the figure shows: by source and summary the lines of a panel, accuracies in per cent.

    What we did not run has no line. Sources have panels of their own, because notes that stopped
    after ten epochs are compared with our runs after ten.
    """
    rows = [row for row in rows if row.mean is not None]
    found: dict[tuple[str, str], list[Line]] = {}
    for source in dict.fromkeys(row.source for row in rows):
        for row in rows:
            if row.source == source:
                found.setdefault((source, row.summary), []).append(_line(row, rows))
    return {key: tuple(lines) for key, lines in found.items()}


def picture_comparisons(rows: Sequence[PublishedRow]) -> Picture | None:
    """The figure and its words; None where nothing compares."""
    panels = find_comparisons(rows)
    if not panels:
        return None
    caption = (
        "Bar: the 95 % prediction interval of one new run of ours, the line in it our mean."
        " Diamond: the published value, filled where it lies inside."
    )
    if any(len(lines) > _MAX_LINES for lines in panels.values()):
        caption += f" The first {_MAX_LINES} rows of each panel are shown."
    return Picture(
        name="published",
        title="Published values and what one new run of ours would give",
        alt=_describe(panels),
        caption=caption,
        figure=_draw(panels),
    )


def _blocks(rows: Sequence[PublishedRow], sections: Sequence[str]) -> Iterator[Block | None]:
    if not rows:
        yield Paragraph("The notes published nothing that these runs can be compared with.")
        return
    yield Paragraph(
        "Each published number is one run. It is compared with the 95 % prediction interval of one"
        " new run of ours that learns, not with our mean. Only the validation columns compare: the"
        " training loss and accuracy in the notes are the progress bar's running averages."
    )
    if any(row.architecture in SCORED_WITH_DROPOUT for row in rows):
        yield Paragraph(
            f"What {SOURCE} prints of {' and '.join(SCORED_WITH_DROPOUT)} was scored with dropout"
            " left on (a fault of Keras up to 3.8 on cuDNN, fixed in 3.9), so it lies lower for"
            " that reason too. `rnnbench reproduce notes-2025` shows it, and gives every published"
            " epoch to the fourth decimal."
        )
    for sentence in explain_by_order(rows):
        yield Paragraph(sentence)
    yield _tabulate(rows, sections)
    yield picture_comparisons(rows)


def _tabulate(rows: Sequence[PublishedRow], sections: Sequence[str]) -> Table[PublishedRow]:
    """The notes' numbers beside ours."""
    columns: list[Column[PublishedRow]] = [
        Column("architecture", lambda row: row.architecture, is_number=False),
        Column("summary", lambda row: row.summary, is_number=False),
        Column("source", lambda row: row.source, is_number=False),
        Column("our order", lambda row: row.order, is_number=False),
        Column("published", lambda row: published_value(row.summary, row.published)),
        Column("n", lambda row: count(row.n)),
        Column("our mean", lambda row: measured_value(row.summary, row.mean)),
        Column(
            "95 % prediction interval",
            lambda row: within(row.interval, lambda end: measured_value(row.summary, end)),
        ),
        Column(
            "the published value is",
            lambda row: _PLACES.get(row.is_inside, NONE),
            is_number=False,
            tone=lambda row: _TONES.get(row.is_inside, ""),
        ),
    ]
    return Table("Published and measured", "published", columns, by_section(rows, sections))


def _scale(summary: str) -> int:
    """Accuracies are shown in per cent."""
    return 100 if "accuracy" in summary else 1


def _unit(summary: str) -> str:
    if "accuracy" in summary:
        return "accuracy (%)"
    return "epoch" if "epoch" in summary else "binary cross-entropy"


def _line(row: PublishedRow, rows: Sequence[PublishedRow]) -> Line:
    scale, bounds = _scale(row.summary), row.interval
    return Line(
        name=_name(row, rows),
        words=_PLACES.get(row.is_inside, "no interval"),
        mean=scale * (row.mean or 0.0),
        interval=None if bounds is None else Interval(scale * bounds.low, scale * bounds.high),
        colour=BLUE,
        single=scale * row.published,
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


def _describe(panels: Mapping[tuple[str, str], Sequence[Line]]) -> str:
    lines = [line for lines in panels.values() for line in lines]
    n_inside = sum(line.is_inside is True for line in lines)
    n_open = sum(line.is_inside is None for line in lines)
    outside = [
        f"{summary} of {line.name}"
        f" ({published_value(summary, (line.single or 0.0) / _scale(summary))}, {source})"
        for (source, summary), lines in panels.items()
        for line in lines
        if line.is_inside is False
    ]
    start = f"{n_inside} of {plural(len(lines), 'published value')} inside the prediction interval"
    if n_open:
        start += f", {n_open} without an interval"
    if not outside:
        return f"{start}."
    return f"{start}. Outside: {some(outside, 8)}."


def _draw(panels: Mapping[tuple[str, str], Sequence[Line]]) -> Figure:
    n_columns = min(2, len(panels))
    n_lines = [min(_MAX_LINES, len(lines)) for lines in panels.values()]
    with house_style():
        figure, all_axes = grid_of_axes([0.34 * n + 0.9 for n in n_lines], n_columns=n_columns)
        for place, (axes, (source, summary)) in enumerate(zip(all_axes, panels, strict=True)):
            first = place - place % n_columns
            lines = panels[source, summary][:_MAX_LINES]
            _draw_panel(axes, lines, max(n_lines[first : first + n_columns]))
            axes.set_title(short(f"{summary}, {source.replace('-', ' ')}", 48))
            axes.set_xlabel(_unit(summary))
    return figure


def _draw_panel(axes: Axes, lines: Sequence[Line], n_rows: int) -> None:
    intervals = [line.interval for line in lines if line.interval]
    ends = [end for each in intervals for end in (each.low, each.high)]
    limits = limits_of(lines, *ends)
    draw_lines(axes, lines, limits)
    axes.set_ylim(n_rows - 0.5, -0.5)  # rows are as high as in the panel beside it,
    axes.spines["bottom"].set_position(("data", len(lines) - 0.4))  # the x axis is under the last
    axes.grid(visible=False)
    axes.grid(axis="y")
    axes.set_xlim(limits.low, limits.high)
