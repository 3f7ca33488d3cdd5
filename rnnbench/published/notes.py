"""What the study notes published, to be set beside our own numbers."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rnnbench.specs import DataSpec, Recipe, RunSpec

__all__ = [
    "REVIEWS",
    "SCORED_WITH_DROPOUT",
    "SOURCE",
    "SOURCES",
    "PublishedRun",
    "is_comparable_with_notes",
    "published_histories",
    "published_runs",
]

SOURCE = "notes-2025"
"""The notes whose models trained to their early stop; those of 2022 stop after ten epochs."""

SOURCES = (SOURCE, "notes-2022")

REVIEWS = "70e42a433819ffe5c495c9f89f006eac11e8ba737c759eeac85dee3b2524721e"
"""Content fingerprint of the IMDB reviews that the notes train on."""

SCORED_WITH_DROPOUT = ("lstm-dropout", "lstm-stacked")
"""The models of 2025 whose validation and test scores were measured with dropout left on.

Source: `rnnbench reproduce notes-2025`; https://github.com/keras-team/keras/pull/20983.
"""

_TEST_SCORES = {(SOURCE, "lstm-stacked"): (0.4673, 0.7848)}
"""Test loss and accuracy: the notes score their stacked model only."""


_COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy")
_FEW_EPOCHS = 10  # how long the notes of 2022 train


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRun:
    """The one run that the notes print for an architecture, at its best epoch.

    Args:
        epochs: that the notes print.
        was_cut_short: the last epoch is the best, of a few: training would have gone on.
    """

    epochs: int
    was_cut_short: bool
    best_epoch: int
    val_loss: float
    val_accuracy: float
    test_loss: float | None = None
    test_accuracy: float | None = None


def is_comparable_with_notes(spec: RunSpec) -> bool:
    """Whether the notes' published numbers come from the same recipe on the same reviews.

    Their batch order was frozen (Keras on TensorFlow after `set_random_seed`); ours need not be.
    """
    data = spec.data
    same_data = data == DataSpec(dataset=data.dataset, fingerprint=REVIEWS)
    recipe = Recipe(order=spec.recipe.order)
    return same_data and spec.recipe == recipe and spec.embedding_size == 16


@cache
def published_runs(source: str = SOURCE) -> Mapping[str, PublishedRun]:
    """The notes' runs by architecture.

    Source: `histories.csv` beside this module, with its provenance.
    """
    return {
        name: _at_best(source, name, rows) for name, rows in published_histories(source).items()
    }


@cache
def published_histories(source: str = SOURCE) -> Mapping[str, tuple[tuple[float, ...], ...]]:
    """By architecture a row an epoch: loss, accuracy, val_loss, val_accuracy, to four digits."""
    text = (files("rnnbench.published") / "histories.csv").read_text("utf-8")
    found: dict[str, list[tuple[float, ...]]] = {}
    for row in csv.DictReader(text.splitlines()):
        if row["source"] == source:
            epoch = tuple(float(row[name]) for name in _COLUMNS)
            found.setdefault(row["architecture"], []).append(epoch)
    return {name: tuple(rows) for name, rows in found.items()}


def _at_best(source: str, name: str, rows: tuple[tuple[float, ...], ...]) -> PublishedRun:
    # The printed losses are rounded; of equal ones the last is the one that training stopped for.
    best = min(reversed(range(len(rows))), key=lambda index: rows[index][2])
    test_loss, test_accuracy = _TEST_SCORES.get((source, name), (None, None))
    return PublishedRun(
        epochs=len(rows),
        was_cut_short=len(rows) == _FEW_EPOCHS and best == len(rows) - 1,
        best_epoch=best + 1,
        val_loss=rows[best][2],
        val_accuracy=rows[best][3],
        test_loss=test_loss,
        test_accuracy=test_accuracy,
    )
