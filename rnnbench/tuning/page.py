"""The part of the page on tuning: budgets, searches, and what tuning gave."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from rnnbench.compare.figures import picture_pairs
from rnnbench.compare.rows import PairRow
from rnnbench.compare.tables import tabulate_pairs
from rnnbench.metrics import METRICS
from rnnbench.output.characters import csv_text
from rnnbench.page.blocks import Block, Paragraph, Part, make_part
from rnnbench.page.csv_files import write_lines, write_records, write_rows
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
from rnnbench.page.texts import NONE, count, fine_duration, number, per_cent, short, with_interval
from rnnbench.tuning.record import TuningRecord
from rnnbench.tuning.tuned import ReachRow, TunedRow, TuningPart, search_curve, textbook_loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_PANELS = 12

_Curve: TypeAlias = Mapping[str, Sequence[float]]


def tuning_part(part: TuningPart) -> Part:
    """Tables, figures and sentences; what is not here says so."""
    return make_part("tuning", "Tuning", _blocks(part))


def tuning_tables(part: TuningPart) -> dict[str, str]:
    """The CSV text of each table, by the stem of its file."""
    curves = (
        (csv_text(record.architecture), number, *values)
        for record in part.searches
        for number, values in enumerate(zip(*search_curve(record).values(), strict=True))
    )
    scores = (
        (csv_text(row.architecture), row.kind, seed_score)
        for row in part.scores
        for seed_score in row.scores
    )
    return {
        "tuning_budgets": write_records(
            tuple(_BUDGET),
            ({name: _BUDGET[name](each) for name in _BUDGET} for each in part.searches),
        ),
        "tuning_curves": write_lines(
            ("architecture", "trial", "best", "low", "median", "high"), curves
        ),
        "tuning_scores": write_lines(("architecture", "kind", part.metric), scores),
        "tuning_pairs": write_rows(PairRow, part.pairs),
        "tuning_reach": write_rows(ReachRow, part.reach),
    }


def _blocks(part: TuningPart) -> Iterator[Block | None]:
    for sentence in part.audit:
        yield Paragraph(sentence)
    if part.searches:
        yield _tabulate_budgets(part.searches)
        yield _picture_searches(part.searches)
    if not part.scores:
        yield Paragraph(
            "Tuned against textbook: not measured. It needs runs of the same seeds that have the"
            " textbook's values and are like these in all else; `rnnbench run --all` with the same"
            " data and seeds makes them."
        )
        return
    yield Paragraph(
        "Tuned against textbook, an architecture at a time, on the report's own seeds, which tuning"
        " never saw."
    )
    yield _tabulate_scores(part.scores, METRICS[part.metric])
    for sentence in part.ranking:
        yield Paragraph(sentence)
    names = [row.section for row in part.pairs]
    yield tabulate_pairs(part.pairs, names, caption="Tuned minus textbook", csv="tuning_pairs")
    yield picture_pairs(
        part.pairs, names, name="tuned-pairs", minus="tuned minus textbook", metric=part.metric
    )
    if part.reach:
        yield _tabulate_reach(part.reach)
        yield Paragraph(
            "The mark is the mean best validation loss of the textbook's runs. Epochs and seconds"
            " of the tuned runs are means over those that came to the mark; of the textbook's, to"
            " their own best epoch."
        )


def _write_params(record: TuningRecord) -> str:
    """The winner's, as `learning_rate=0.00213`."""
    params = record.winner.params if record.winner else {}
    return ", ".join(f"{name}={value:.3g}" for name, value in params.items())


_BUDGET: Mapping[str, Callable[[TuningRecord], object]] = {
    "architecture": lambda record: record.architecture,
    "n_trials": lambda record: len(record.trials),
    "n_complete": lambda record: record.count("complete"),
    "n_pruned": lambda record: record.count("pruned"),
    "n_failed": lambda record: record.count("failed"),
    "n_seeds": lambda record: len(record.seeds),
    "epochs": lambda record: record.epochs,
    "seconds": lambda record: record.seconds,
    "hardware": lambda record: record.hardware,
    "params": _write_params,
    "val_loss": lambda record: record.val_loss,
    "textbook_val_loss": textbook_loss,
}


def _tabulate_budgets(rows: Sequence[TuningRecord]) -> Table[TuningRecord]:
    columns: list[Column[TuningRecord]] = [
        Column("architecture", lambda row: row.architecture, is_number=False),
        Column("trials", lambda row: count(len(row.trials))),
        Column("complete", lambda row: count(row.count("complete"))),
        Column("pruned", lambda row: count(row.count("pruned"))),
        Column("failed", lambda row: count(row.count("failed"))),
        Column("seeds a trial", lambda row: count(len(row.seeds))),
        Column("epochs", lambda row: count(row.epochs)),
        Column("training time", lambda row: fine_duration(row.seconds)),
        Column("best", lambda row: _write_params(row) or NONE, is_number=False),
        Column("its validation loss", lambda row: number(row.val_loss, 4)),
        Column("the textbook's", lambda row: number(textbook_loss(row), 4)),
    ]
    return Table("Budget of each search", "tuning_budgets", columns, [("", rows)])


def _tabulate_scores(rows: Sequence[TunedRow], words: str) -> Table[TunedRow]:
    columns: list[Column[TunedRow]] = [
        Column("architecture", lambda row: row.architecture, is_number=False),
        Column("values", lambda row: row.kind, is_number=False),
        Column("n", lambda row: count(len(row.scores))),
        Column(
            f"{words} (%), 95 % t interval",
            lambda row: with_interval(row.mean, row.mean_t, per_cent),
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


def _picture_searches(searches: Sequence[TuningRecord]) -> Picture:
    shown = {record.architecture: search_curve(record) for record in searches[:_MAX_PANELS]}
    texts = [
        f"{name} {number(curve['best'][-1], 4)} after {len(curve['best'])} trials"
        for name, curve in shown.items()
    ]
    rest = "" if len(shown) == len(searches) else f" The first {len(shown)} searches are shown."
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


def _draw_searches(curves: Mapping[str, _Curve]) -> Figure:
    with house_style():
        figure, all_axes = grid_of_axes(
            [2.4] * len(curves), n_columns=min(2, len(curves)), sharex=True, sharey=True
        )
        for axes, (name, curve) in zip(all_axes, curves.items(), strict=True):
            _draw_search(axes, curve)
            axes.set_title(short(name, 40))
        _limit(all_axes[0], curves.values())
        figure.supxlabel("trials", fontsize=9)
        figure.supylabel("lowest validation loss", fontsize=9)
    return figure


def _draw_search(axes: Axes, curve: _Curve) -> None:
    numbers = range(1, len(curve["best"]) + 1)
    low, median = (
        [value if math.isfinite(value) else math.nan for value in curve[name]]
        for name in ("low", "median")
    )
    ceiling = [value if math.isfinite(value) else 10.0 for value in curve["high"]]
    axes.fill_between(numbers, low, ceiling, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(numbers, median, color=BLUE, linewidth=1.6)
    axes.step(numbers, curve["best"], where="post", color=VERMILLION, linewidth=1.6)
    axes.grid(axis="y")
    name_lines(axes, [("as they came", VERMILLION), ("other orders: median, 90 %", BLUE)])
    axes.tick_params(colors=MUTED)


def _limit(axes: Axes, curves: Collection[_Curve]) -> None:
    """From the lowest value to the highest median; what lies far above is cut off."""
    lows = [curve["best"][-1] for curve in curves if math.isfinite(curve["best"][-1])]
    medians = [value for curve in curves for value in curve["median"] if math.isfinite(value)]
    if lows and medians:
        low = min(lows)
        room = max(max(medians) - low, 0.005)
        axes.set_ylim(low - 0.1 * room, low + 1.3 * room)
