"""What the study notes published, to be set beside our own numbers."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rnnbench.specs import DataSpec, Recipe, RunSpec

SOURCE = "notes-2025"
"""The notes whose models trained to their early stop; those of 2022 stop after ten epochs."""

SOURCES = (SOURCE, "notes-2022")

REVIEWS = "70e42a433819ffe5c495c9f89f006eac11e8ba737c759eeac85dee3b2524721e"
"""Content fingerprint of the IMDB reviews that the notes train on."""

SCORED_WITH_DROPOUT = ("lstm-dropout", "lstm-stacked")
"""The models of 2025 whose validation and test scores were measured with dropout left on.

Source: `rnnbench reproduce notes-2025`; https://github.com/keras-team/keras/pull/20983.
"""

_TEST_SCORES = {(SOURCE, "lstm-stacked"): {"test_loss": 0.4673, "test_accuracy": 0.7848}}
"""The notes score their stacked model only."""
_COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy")
_FEW_EPOCHS = 10  # how long the notes of 2022 train


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesRun:
    """The one run that the notes print for an architecture.

    Args:
        history: a row an epoch: loss, accuracy, val_loss, val_accuracy, to four digits.
    """

    history: tuple[tuple[float, ...], ...]
    test_loss: float | None = None
    test_accuracy: float | None = None

    @property
    def best_epoch(self) -> int:
        """The epoch of the lowest validation loss, from 1 up.

        The printed losses are rounded; of equal ones the last is the one that training stopped for.
        """
        return min(range(1, len(self.history) + 1), key=lambda n: (self.history[n - 1][2], -n))

    @property
    def val_loss(self) -> float:
        """At the best epoch."""
        return self.history[self.best_epoch - 1][2]

    @property
    def val_accuracy(self) -> float:
        """At the best epoch."""
        return self.history[self.best_epoch - 1][3]

    @property
    def was_cut_short(self) -> bool:
        """Whether the last epoch is the best, of a few: training would have gone on."""
        return len(self.history) == _FEW_EPOCHS == self.best_epoch


def is_comparable_with_notes(spec: RunSpec) -> bool:
    """Whether the notes' published numbers come from the same recipe on the same reviews.

    Their batch order was frozen (Keras on TensorFlow after `set_random_seed`); ours need not be.
    """
    data = spec.data
    same_data = data == DataSpec(dataset=data.dataset, fingerprint=REVIEWS)
    recipe = Recipe(order=spec.recipe.order)
    return same_data and spec.recipe == recipe and spec.embedding_size == 16


@cache
def published_runs(source: str = SOURCE) -> Mapping[str, NotesRun]:
    """The notes' runs by architecture.

    Source: `histories.csv` beside this module, with its provenance.
    """
    text = (files("rnnbench.published") / "histories.csv").read_text("utf-8")
    found: dict[str, list[tuple[float, ...]]] = {}
    for row in csv.DictReader(text.splitlines()):
        if row["source"] == source:
            epoch = tuple(float(row[name]) for name in _COLUMNS)
            found.setdefault(row["architecture"], []).append(epoch)
    return {
        name: NotesRun(history=tuple(rows), **_TEST_SCORES.get((source, name), {}))
        for name, rows in found.items()
    }
