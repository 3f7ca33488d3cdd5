"""The figure of learning curves: every seed thin, the mean thick, the notes' run over it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, TypeAlias

from rnnbench.output.amounts import plural
from rnnbench.page.drawing import (
    BLUE,
    INK,
    VERMILLION,
    Picture,
    grid_of_axes,
    house_style,
    name_lines,
)
from rnnbench.page.texts import number, short

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from rnnbench.compare.rows import Curve

_MAX_PANELS = 18
_MAX_RUNS = 300
_LOSS_COLUMNS = [0, 2]
_COLOURS = (BLUE, VERMILLION)
_NAMES = ("training", "validation")
_DASHES = (((4, 2), "dashed"), ((1, 1.5), "dotted"))

FindCurves: TypeAlias = Callable[[str, str], "tuple[tuple[str, NDArray[np.float64]], ...]"]
"""By section and arm, what others published of the same architecture: its source, and the
validation losses, float64 `(n_epochs,)`; their training losses do not compare."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearningPanel:
    """One arm; losses are float64 `(n_epochs, 2)`, training and validation, from epoch 1.

    Args:
        runs: the losses of each seed.
        mean: over the seeds still running, while at least half of them are.
        published: as `FindCurves` gives it.
    """

    section: str
    arm: str
    runs: tuple[NDArray[np.float64], ...]
    mean: NDArray[np.float64]
    published: tuple[tuple[str, NDArray[np.float64]], ...]


def find_learning(curves: Sequence[Curve], curves_for: FindCurves) -> tuple[LearningPanel, ...]:
    """What the figure shows: a panel for each arm that has a curve."""
    runs: dict[tuple[str, str], list[NDArray[np.float64]]] = defaultdict(list)
    for curve in curves:
        if len(curve.history):
            runs[curve.section, curve.arm].append(curve.history[:, _LOSS_COLUMNS])
    return tuple(
        LearningPanel(
            section=section,
            arm=arm,
            runs=tuple(losses),
            mean=mean_losses(losses),
            published=curves_for(section, arm),
        )
        for (section, arm), losses in runs.items()
    )


def mean_losses(runs: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """float64 `(n_epochs, 2)`: means over the seeds still running, while at least half are.

    A loss that is not finite is left out of its epoch's mean; an epoch with no other has NaN.
    """
    import numpy as np

    lengths = sorted((len(run) for run in runs), reverse=True)
    n_epochs = lengths[math.ceil(len(runs) / 2) - 1]
    padded = np.full((len(runs), n_epochs, 2), np.nan)
    for row, run in zip(padded, runs, strict=True):
        row[: len(run)] = run[:n_epochs]
    is_number = np.isfinite(padded)
    total = np.where(is_number, padded, 0.0).sum(axis=0)
    n = is_number.sum(axis=0)
    mean: NDArray[np.float64] = np.full(total.shape, np.nan)
    np.divide(total, n, out=mean, where=n > 0)
    return mean


def picture_learning(curves: Sequence[Curve], curves_for: FindCurves) -> Picture | None:
    """The figure and its words; None without a curve."""
    found = find_learning(curves, curves_for)
    if not found:
        return None
    panels = found[:_MAX_PANELS]
    n_runs = sum(len(panel.runs) for panel in panels)
    per_panel = max(5, _MAX_RUNS // len(panels)) if n_runs > _MAX_RUNS else n_runs
    return Picture(
        name="curves",
        title="Training and validation loss, epoch by epoch",
        alt=_describe(found),
        caption=_caption(found, panels, per_panel),
        figure=_draw(panels, per_panel),
    )


def _caption(
    found: Sequence[LearningPanel], panels: Sequence[LearningPanel], per_panel: int
) -> str:
    parts = [
        "Thin: one seed each. Thick: the mean over the seeds still running, drawn while at least"
        " half of them are. The training loss is the running average of each epoch, with dropout."
    ]
    if any(panel.published for panel in panels):
        parts.append("Dashed or dotted: the validation loss of the one run that the notes print.")
    if any(len(panel.runs) > per_panel for panel in panels):
        parts.append(
            f"Of the thin lines at most {per_panel} a panel are drawn, evenly picked; the means"
            " are over all runs."
        )
    if len(panels) < len(found):
        parts.append(f"The first {len(panels)} of {len(found):,} arms are shown.")
    return " ".join(parts)


def _describe(panels: Sequence[LearningPanel]) -> str:
    shown = panels if len(panels) <= 8 else panels[:1]
    texts = [
        f"{f'{panel.section}, ' if panel.section else ''}{panel.arm}:"
        f" mean validation loss from {number(panel.mean[0, 1])} in epoch 1 to"
        f" {number(panel.mean[-1, 1])} in epoch {len(panel.mean)}"
        f" ({plural(len(panel.runs), 'seed')})"
        for panel in shown
    ]
    rest = f"; and {len(panels) - 1:,} more arms" if len(shown) < len(panels) else ""
    return f"Learning curves. {'; '.join(texts)}{rest}."


def _draw(panels: Sequence[LearningPanel], per_panel: int) -> Figure:
    with house_style():
        figure, all_axes = grid_of_axes(
            [3.0] * len(panels),
            n_columns=2 if len(panels) in (2, 4) else min(3, len(panels)),
            sharex=True,
            sharey=True,
        )
        for axes, panel in zip(all_axes, panels, strict=True):
            _draw_panel(axes, panel, per_panel)
        all_axes[0].set_ylim(_loss_limits(panels))
        figure.supxlabel("epoch", fontsize=9)
        figure.supylabel("cross-entropy", fontsize=9)
    return figure


def _draw_panel(axes: Axes, panel: LearningPanel, per_panel: int) -> None:
    from matplotlib.collections import LineCollection

    for column, colour in enumerate(_COLOURS):
        thin = [_points(run[:, column]) for run in _pick(panel.runs, per_panel)]
        alpha = max(0.12, min(0.45, 4 / len(thin)))
        axes.add_collection(LineCollection(thin, colors=colour, linewidths=0.7, alpha=alpha))
        marker = "o" if len(panel.mean) == 1 else ""
        axes.plot(*_points(panel.mean[:, column]).T, color=colour, linewidth=2, marker=marker)
    for (_, losses), (dashes, _) in zip(panel.published, cycle(_DASHES), strict=False):
        axes.plot(*_points(losses).T, color=INK, linewidth=1.1, linestyle=(0, dashes))
    heading = f"{panel.section} · {panel.arm}" if panel.section else panel.arm
    axes.set_title(short(heading, 40))
    axes.grid(axis="y")
    axes.autoscale_view()
    _name_lines(axes, panel)


def _name_lines(axes: Axes, panel: LearningPanel) -> None:
    names = [*zip(_NAMES, _COLOURS, strict=True)]
    for (source, _), (_, look) in zip(panel.published, cycle(_DASHES), strict=False):
        names.append((f"{source.replace('-', ' ')} ({look})", INK))
    name_lines(axes, [(short(name), colour) for name, colour in names])


def _points(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 `(n_epochs, 2)`: the epoch, from 1, and its value."""
    import numpy as np

    return np.column_stack([np.arange(1, len(values) + 1), values])


def _pick(runs: Sequence[NDArray[np.float64]], n_runs: int) -> Sequence[NDArray[np.float64]]:
    """At most `n_runs` of the runs, evenly picked."""
    if len(runs) <= n_runs:
        return runs
    return [runs[index * len(runs) // n_runs] for index in range(n_runs)]


def _loss_limits(panels: Sequence[LearningPanel]) -> tuple[float, float]:
    """Where the axis begins and ends; a run that explodes in the end is cut off."""
    import numpy as np

    values = np.concatenate(
        [losses.ravel() for panel in panels for losses in (*panel.runs, *_published(panel))]
    )
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    high = min(high, low + 2 * (float(np.quantile(values, 0.99)) - low) or high)
    room = 0.05 * (high - low) or 0.05
    return low - room, high + room


def _published(panel: LearningPanel) -> list[NDArray[np.float64]]:
    return [losses for _, losses in panel.published]
