"""The figures of one search, as MLflow keeps them: history, parameters, their importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rnnbench.page.drawing import BLUE, INK, MUTED, VERMILLION, grid_of_axes, house_style, write_png
from rnnbench.tuning.record import TuningRecord
from rnnbench.tuning.search import measure_importances
from rnnbench.tuning.space import Space
from rnnbench.tuning.trials import Trial, best_so_far, find_winner

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Y_LABEL = "validation loss (mean of the tuning seeds)"


def draw_searches(records: Sequence[TuningRecord], space: Space) -> list[dict[str, bytes]]:
    """The figures of each search that has a winner."""
    return [
        _draw_search(record, measure_importances(space, record.trials)) if record.winner else {}
        for record in records
    ]


def _draw_search(record: TuningRecord, importances: Mapping[str, float]) -> dict[str, bytes]:
    """PNG files by name: `history`, `slice-<parameter>` for each, and `importance`.

    Args:
        importances: each parameter's share; without any, there is no such figure.
    """
    title = f"{record.architecture}: {len(record.trials)} trials on {record.dataset}"
    figures = {"history.png": _draw_history(record.trials, title)}
    for name in record.trials[0].params:
        figures[f"slice-{name}.png"] = _draw_slice(record, name, title)
    if importances:
        figures["importance.png"] = _draw_importances(importances, title)
    return {name: write_png(figure) for name, figure in figures.items()}


def _seen_losses(trials: Sequence[Trial]) -> list[float | None]:
    """Each trial's value, or the best loss that a pruned one had; None if it had none."""
    return [
        trial.value if trial.value is not None else min(best_so_far(trial.curve), default=None)
        for trial in trials
    ]


def _draw_history(trials: Sequence[Trial], title: str) -> Figure:
    with house_style():
        figure, (axes,) = grid_of_axes([3.6], n_columns=1)
        _scatter(axes, trials, [trial.number for trial in trials])
        values = [float("inf") if trial.value is None else trial.value for trial in trials]
        lowest = best_so_far(values)
        numbers = [trial.number for trial in trials]
        axes.step(numbers, lowest, where="post", color=VERMILLION, linewidth=1.8)
        axes.annotate(
            "best so far",
            (numbers[-1], lowest[-1]),
            xytext=(0, -12),
            textcoords="offset points",
            horizontalalignment="right",
            color=VERMILLION,
        )
        axes.set(title=title, xlabel="trial", ylabel=_Y_LABEL)
        axes.grid(axis="y")
        _limit(axes, trials)
    return figure


def _draw_slice(record: TuningRecord, name: str, title: str) -> Figure:
    with house_style():
        figure, (axes,) = grid_of_axes([3.6], n_columns=1)
        _scatter(axes, record.trials, [trial.params[name] for trial in record.trials])
        winner = find_winner(record.trials)
        if winner is not None and winner.value is not None:
            axes.plot(winner.params[name], winner.value, "o", color=VERMILLION, markersize=8)
            axes.annotate(
                f"best: {winner.params[name]:.3g}",
                (winner.params[name], winner.value),
                xytext=(0, -14),
                textcoords="offset points",
                horizontalalignment="center",
                color=VERMILLION,
            )
        if record.declaration["space"][name].get("log"):
            axes.set_xscale("log")
        axes.set(title=title, xlabel=name, ylabel=_Y_LABEL)
        axes.grid(axis="y")
        _limit(axes, record.trials)
    return figure


def _draw_importances(importances: Mapping[str, float], title: str) -> Figure:
    with house_style():
        figure, (axes,) = grid_of_axes([0.9 + 0.35 * len(importances)], n_columns=1)
        ordered = sorted(importances.items(), key=lambda item: item[1])
        axes.barh([name for name, _ in ordered], [share for _, share in ordered], color=BLUE)
        for row, (_, share) in enumerate(ordered):
            axes.annotate(f" {share:.2f}", (share, row), verticalalignment="center", color=INK)
        axes.set(title=title, xlabel="share of the variance of the validation loss (fANOVA)")
        axes.set_xlim(0, 1.08)
    return figure


def _scatter(axes: Axes, trials: Sequence[Trial], places: Sequence[float]) -> None:
    """Complete trials as dots, pruned ones as crosses at the best loss they had."""
    for trial, place, loss in zip(trials, places, _seen_losses(trials), strict=True):
        if loss is None:
            continue
        if trial.state == "complete":
            axes.plot(place, loss, "o", color=BLUE, markersize=5)
        else:
            axes.plot(place, loss, "x", color=MUTED, markersize=5)
    axes.annotate(
        "● complete   × pruned or failed, at its best loss until then",
        (1, 1),
        xytext=(-2, -2),
        xycoords="axes fraction",
        textcoords="offset points",
        horizontalalignment="right",
        verticalalignment="top",
        color=MUTED,
    )


def _limit(axes: Axes, trials: Sequence[Trial]) -> None:
    """Where the axis ends: what exploded is cut off."""
    losses = [loss for loss in _seen_losses(trials) if loss is not None and loss < 10]
    if losses:
        low, high = min(losses), min(max(losses), min(losses) + 0.4)
        room = 0.12 * (high - low) or 0.01
        axes.set_ylim(low - room, high + 1.5 * room)
