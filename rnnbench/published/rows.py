"""The notes' published numbers against the prediction interval of one new run of ours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnbench.architectures import display_name
from rnnbench.compare.rows import Curve
from rnnbench.compare.sections import Arm, Section
from rnnbench.published.notes import SOURCES, NotesRun, is_comparable_with_notes, published_runs
from rnnbench.recorded_runs import CURVES, RecordedRun
from rnnbench.stats.intervals import Interval, mean_sd, prediction_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VAL_LOSS, _VAL_ACCURACY = CURVES.index("val_loss"), CURVES.index("val_accuracy")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """A published number against the 95 % prediction interval of one new run of ours.

    Args:
        source: `notes-2025` or `notes-2022`.
        order: of our runs.
        summary: `best val_loss`, `its val_accuracy`, `best epoch`, `test accuracy`.
        n: our runs that learned; mean and interval are of these.
        is_inside: None where there is no interval (fewer than two runs, or runs all alike).
    """

    source: str
    section: str
    architecture: str
    order: str
    summary: str
    published: float
    n: int
    mean: float | None
    interval: Interval | None
    is_inside: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What others published and a study's runs can be compared with.

    Args:
        curves: every published epoch; `section` says which source, `arm` the architecture; loss
            and accuracy there are running averages.
    """

    rows: tuple[PublishedRow, ...] = ()
    curves: tuple[Curve, ...] = ()

    def curves_for(self, section: str, arm: str) -> tuple[tuple[str, NDArray[np.float64]], ...]:
        """Source and validation losses of the runs that the arm is compared with in a row, too."""
        compared = {
            (row.source, row.architecture)
            for row in self.rows
            if row.section == section and arm in (row.architecture, f"order={row.order}")
        }
        return tuple(
            (curve.section, curve.history[:, _VAL_LOSS])
            for curve in self.curves
            if (curve.section, curve.arm) in compared and len(curve.history)
        )


def find_published(sections: Sequence[Section]) -> Published:
    """What others published and the runs of the sections can be compared with."""
    return Published(
        rows=tuple(compare_with_published(sections)), curves=tuple(published_curves(sections))
    )


def compare_with_published(sections: Sequence[Section]) -> list[PublishedRow]:
    """A row for each published number whose recipe and reviews are those of an arm."""
    return [
        row
        for section in sections
        for arm in section.arms
        if is_comparable_with_notes(arm.spec)
        for source in SOURCES
        for row in _compare_arm(source, section, arm)
    ]


def published_curves(sections: Sequence[Section]) -> list[Curve]:
    """The notes' epochs for the architectures of the sections, each once."""
    import numpy as np

    names = {
        display_name(arm.spec.form)
        for section in sections
        for arm in section.arms
        if is_comparable_with_notes(arm.spec)
    }
    return [
        Curve(section=source, arm=name, seed=42, history=np.array(run.history))
        for source in SOURCES
        for name, run in published_runs(source).items()
        if name in names
    ]


def explain_by_order(rows: Sequence[PublishedRow]) -> tuple[str, ...]:
    """What the order of the batches explains, where a study has runs of both orders.

    The notes' order was frozen; a published value that lies outside what reshuffled runs give, but
    inside what frozen ones give, is a matter of the order.
    """
    found: dict[tuple[str, str, str], dict[str, bool | None]] = {}
    for row in rows:
        key = (row.source, row.architecture, row.summary)
        found.setdefault(key, {})[row.order] = row.is_inside
    sentences = []
    for lead, reshuffled, frozen in (
        ("Outside with reshuffled batches, inside with frozen ones", False, True),
        ("Outside with either order", False, False),
        ("Inside with reshuffled batches, outside with frozen ones", True, False),
    ):
        wanted = {"reshuffled": reshuffled, "frozen": frozen}
        named = "; ".join(
            f"{summary} of {name} ({source})"
            for (source, name, summary), inside in found.items()
            if inside == wanted
        )
        sentences += [f"{lead}: {named}."] if named else []
    return tuple(sentences)


def _compare_arm(source: str, section: Section, arm: Arm) -> Iterator[PublishedRow]:
    name = display_name(arm.spec.form)
    published = published_runs(source).get(name)
    if published is None:
        return
    # Notes that stopped after some epochs are compared with our runs up to that epoch.
    limit = len(published.history) if published.was_cut_short else None
    found = [_summarise(run, limit) for run in arm.learned]
    for summary, value in _published_summary(published).items():
        if value is None:
            continue
        ours = [of_run[summary] for of_run in found if summary in of_run]
        interval = prediction_interval(ours)
        if interval is not None and interval.low < interval.high:
            interval = interval.bounded(*_bounds(summary))
        else:
            interval = None  # of runs all alike nothing shows how far another would lie
        yield PublishedRow(
            source=source,
            section=section.name,
            architecture=name,
            order=arm.spec.recipe.order,
            summary=summary,
            published=value,
            n=len(ours),
            mean=mean_sd(ours).mean if ours else None,
            interval=interval,
            is_inside=None if interval is None else interval.contains(value),
        )


def _published_summary(run: NotesRun) -> dict[str, float | None]:
    return {
        "best val_loss": run.val_loss,
        "its val_accuracy": run.val_accuracy,
        "best epoch": run.best_epoch,
        "test accuracy": run.test_accuracy,
        "test loss": run.test_loss,
    }


def _summarise(run: RecordedRun, limit: int | None) -> dict[str, float]:
    """Our numbers under the same names, up to an epoch; a missing one is left out."""
    if run.history is None or not len(run.history):
        return {}
    history = run.history[:limit]
    best = int(history[:, _VAL_LOSS].argmin())
    found = {
        "best val_loss": history[best, _VAL_LOSS],
        "its val_accuracy": history[best, _VAL_ACCURACY],
        "best epoch": best + 1.0,
        "test accuracy": run.result.test_accuracy if run.result else None,
        "test loss": run.result.test_loss if run.result else None,
    }
    return {summary: value for summary, value in found.items() if value is not None}


def _bounds(summary: str) -> tuple[float, float]:
    """What no run's number can pass."""
    if "accuracy" in summary:
        return 0.0, 1.0
    return (1.0, math.inf) if "epoch" in summary else (0.0, math.inf)
