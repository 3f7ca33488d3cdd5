"""The part of the page on tuning: budgets, searches, and what tuning gave."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rnnbench.compare.figures import picture_pairs
from rnnbench.compare.rows import PairRow
from rnnbench.compare.tables import tabulate_pairs
from rnnbench.output.characters import csv_text
from rnnbench.page.blocks import Block, Paragraph, Part, make_part
from rnnbench.page.csv_files import write_lines, write_rows
from rnnbench.page.drawing import (
    BLUE,
    MUTED,
    VERMILLION,
    Picture,
    grid_of_axes,
    house_style,
    name_lines,
)
from rnnbench.page.tables import Column, Table
from rnnbench.page.texts import (
    NONE,
    count,
    fine_duration,
    number,
    per_cent,
    short,
    with_interval,
)
from rnnbench.tuning.tuned import BudgetRow, ReachRow, SearchCurve, TunedRow, TuningPart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_PANELS = 12


def tuning_part(part: TuningPart) -> Part:
    """Tables, figures and sentences; what is not here says so."""
    return make_part("tuning", "Tuning", _blocks(part))


def tuning_tables(part: TuningPart) -> dict[str, str]:
    """The CSV text of each table, by the stem of its file."""
    curves = (
        (csv_text(curve.architecture), number, *values)
        for curve in part.curves
        for number, values in enumerate(
            zip(curve.best, curve.low, curve.median, curve.high, strict=True)
        )
    )
    scores = (
        (csv_text(row.architecture), row.kind, seed_score)
        for row in part.scores
        for seed_score in row.scores
    )
    return {
        "tuning_budgets": write_rows(BudgetRow, part.budgets),
        "tuning_curves": write_lines(
            ("architecture", "trial", "best", "low", "median", "high"), curves
        ),
        "tuning_scores": write_lines(("architecture", "kind", "test_accuracy"), scores),
        "tuning_pairs": write_rows(PairRow, part.pairs),
        "tuning_reach": write_rows(ReachRow, part.reach),
    }


def _blocks(part: TuningPart) -> Iterator[Block | None]:
    for sentence in part.audit:
        yield Paragraph(sentence)
    if part.budgets:
        yield _tabulate_budgets(part.budgets)
    if part.curves:
        yield _picture_searches(part.curves)
    if not part.scores:
        yield Paragraph(
            "Tuned against textbook: not measured. It needs runs of the same seeds that have the"
            " textbook's values and are like these in all else: of the textbook study itself"
            " `rnnbench run --all --seeds 10` makes them."
        )
        return
    yield Paragraph(
        "Tuned against textbook, an architecture at a time, on the report's own seeds, which tuning"
        " never saw."
    )
    yield _tabulate_scores(part.scores)
    for sentence in part.ranking:
        yield Paragraph(sentence)
    names = [row.section for row in part.pairs]
    yield tabulate_pairs(part.pairs, names, caption="Tuned minus textbook", csv="tuning_pairs")
    yield picture_pairs(
        part.pairs,
        names,
        name="tuned-pairs",
        title="Differences of mean test accuracy, tuned minus textbook",
    )
    if part.reach:
        yield _tabulate_reach(part.reach)
        yield Paragraph(
            "The mark is the mean best validation loss of the textbook's runs. Epochs and seconds"
            " of the tuned runs are means over those that came to the mark; of the textbook's, to"
            " their own best epoch."
        )


def _tabulate_budgets(rows: Sequence[BudgetRow]) -> Table[BudgetRow]:
    columns: list[Column[BudgetRow]] = [
        Column("architecture", lambda row: row.architecture, is_number=False),
        Column("trials", lambda row: count(row.n_trials)),
        Column("complete", lambda row: count(row.n_complete)),
        Column("pruned", lambda row: count(row.n_pruned)),
        Column("failed", lambda row: count(row.n_failed)),
        Column("seeds a trial", lambda row: count(row.n_seeds)),
        Column("epochs", lambda row: count(row.epochs)),
        Column("training time", lambda row: fine_duration(row.seconds)),
        Column("best", lambda row: row.params or NONE, is_number=False),
        Column("its validation loss", lambda row: number(row.val_loss, 4)),
        Column("the textbook's", lambda row: number(row.textbook_val_loss, 4)),
    ]
    return Table("Budget of each search", "tuning_budgets", columns, [("", rows)])


def _tabulate_scores(rows: Sequence[TunedRow]) -> Table[TunedRow]:
    columns: list[Column[TunedRow]] = [
        Column("architecture", lambda row: row.architecture, is_number=False),
        Column("values", lambda row: row.kind, is_number=False),
        Column("n", lambda row: count(row.n)),
        Column(
            "test accuracy (%), 95 % t interval",
            lambda row: with_interval(row.test_accuracy, row.test_accuracy_t, per_cent),
        ),
        Column("rank", lambda row: count(row.rank)),
    ]
    return Table("Tuned and textbook", "tuning_scores", columns, [("", rows)])


def _tabulate_reach(rows: Sequence[ReachRow]) -> Table[ReachRow]:
    columns: list[Column[ReachRow]] = [
        Column("architecture", lambda row: row.architecture, is_number=False),
        Column("mark: validation loss", lambda row: number(row.val_loss, 4)),
        Column("textbook: epochs", lambda row: number(row.textbook_epochs, 1)),
        Column("time", lambda row: fine_duration(row.textbook_seconds)),
        Column("tuned runs at the mark", lambda row: f"{row.n_reached} of {row.n}"),
        Column("epochs", lambda row: number(row.epochs, 1)),
        Column("time", lambda row: fine_duration(row.seconds)),
    ]
    return Table("How soon", "tuning_reach", columns, [("", rows)])


def _picture_searches(curves: Sequence[SearchCurve]) -> Picture:
    shown = curves[:_MAX_PANELS]
    texts = [
        f"{curve.architecture} {number(curve.best[-1], 4)} after {len(curve.best)} trials"
        for curve in shown
    ]
    rest = "" if len(shown) == len(curves) else f" The first {len(shown)} searches are shown."
    return Picture(
        name="searches",
        title="Lowest validation loss after each trial",
        alt=f"Best validation loss of each search: {'; '.join(texts)}.",
        caption=(
            "Step: the trials as they came. Line and shade: the median and 90 % over all other"
            " orders of the same trials; what a shorter search would have found. Pruned trials"
            f" count as trials without a value.{rest}"
        ),
        figure=_draw_searches(shown),
    )


def _draw_searches(curves: Sequence[SearchCurve]) -> Figure:
    with house_style():
        figure, all_axes = grid_of_axes(
            [2.4] * len(curves), n_columns=min(2, len(curves)), sharex=True, sharey=True
        )
        for axes, curve in zip(all_axes, curves, strict=True):
            _draw_search(axes, curve)
        _limit(all_axes[0], curves)
        figure.supxlabel("trials", fontsize=9)
        figure.supylabel("lowest validation loss", fontsize=9)
    return figure


def _draw_search(axes: Axes, curve: SearchCurve) -> None:
    numbers = range(1, len(curve.best) + 1)
    low, median = (
        [value if math.isfinite(value) else math.nan for value in values]
        for values in (curve.low, curve.median)
    )
    ceiling = [value if math.isfinite(value) else 10.0 for value in curve.high]
    axes.fill_between(numbers, low, ceiling, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(numbers, median, color=BLUE, linewidth=1.6)
    axes.step(numbers, curve.best, where="post", color=VERMILLION, linewidth=1.6)
    axes.set_title(short(curve.architecture, 40))
    axes.grid(axis="y")
    name_lines(axes, [("as they came", VERMILLION), ("other orders: median, 90 %", BLUE)])
    axes.tick_params(colors=MUTED)


def _limit(axes: Axes, curves: Sequence[SearchCurve]) -> None:
    """From the lowest value to the highest median; what lies far above is cut off."""
    lows = [curve.best[-1] for curve in curves if math.isfinite(curve.best[-1])]
    medians = [value for curve in curves for value in curve.median if math.isfinite(value)]
    if lows and medians:
        low = min(lows)
        room = max(max(medians) - low, 0.005)
        axes.set_ylim(low - 0.1 * room, low + 1.3 * room)
