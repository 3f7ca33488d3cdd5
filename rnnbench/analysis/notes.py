"""What the study notes published, to be set beside our own numbers."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["REVIEWS", "SOURCE", "PublishedRun", "published_runs"]

SOURCE = "notes-2025"
"""The notes whose models trained to their early stop; those of 2022 stop after ten epochs."""

REVIEWS = "70e42a433819ffe5c495c9f89f006eac11e8ba737c759eeac85dee3b2524721e"
"""Content fingerprint of the IMDB reviews that the notes train on."""

_TEST_SCORES = {"lstm-stacked": (0.4673, 0.7848)}
"""Test loss and accuracy: the notes score their stacked model only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRun:
    """The one run that the notes print for an architecture, at its best epoch."""

    epochs: int
    best_epoch: int
    val_loss: float
    val_accuracy: float
    test_loss: float | None = None
    test_accuracy: float | None = None


@cache
def published_runs(source: str = SOURCE) -> Mapping[str, PublishedRun]:
    """The notes' runs by architecture.

    Source: `published/histories.csv` beside this module, with its provenance.
    """
    text = (files("rnnbench.analysis") / "published" / "histories.csv").read_text("utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["source"] == source]
    names = dict.fromkeys(row["architecture"] for row in rows)
    return {name: _at_best(name, [r for r in rows if r["architecture"] == name]) for name in names}


def _at_best(name: str, rows: list[dict[str, str]]) -> PublishedRun:
    # The printed losses are rounded; of equal ones the last is the one that training stopped for.
    best = min(reversed(rows), key=lambda row: float(row["val_loss"]))
    test_loss, test_accuracy = _TEST_SCORES.get(name, (None, None))
    return PublishedRun(
        epochs=len(rows),
        best_epoch=int(best["epoch"]),
        val_loss=float(best["val_loss"]),
        val_accuracy=float(best["val_accuracy"]),
        test_loss=test_loss,
        test_accuracy=test_accuracy,
    )
