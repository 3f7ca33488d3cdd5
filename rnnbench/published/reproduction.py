"""The notes' published epochs against what their own procedure gives here, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rnnbench.published.notes import PublishedRun, published_histories
from rnnbench.specs import EpochRow
from rnnbench.training.notes_procedure import Score

__all__ = [
    "DIGITS",
    "EpochComparison",
    "PublishedEpoch",
    "Reproduction",
    "ReproductionReport",
    "compare_epochs",
    "published_history",
    "summarise_reproduction",
]

DIGITS = 4
"""Decimals that the notes print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEpoch:
    """One epoch as the notes print it, to the fourth decimal; only validation columns compare."""

    epoch: int
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochComparison:
    """One epoch, published and measured; None on the side that had stopped before it.

    Args:
        val_loss, val_accuracy: measured, unrounded.
    """

    architecture: str
    epoch: int
    published_val_loss: float | None
    val_loss: float | None
    published_val_accuracy: float | None
    val_accuracy: float | None

    @property
    def loss_difference(self) -> float | None:
        """Measured minus published validation loss, to the printed decimal; None without both."""
        return _difference(self.val_loss, self.published_val_loss)

    @property
    def accuracy_difference(self) -> float | None:
        """Measured minus published validation accuracy, likewise."""
        return _difference(self.val_accuracy, self.published_val_accuracy)

    @property
    def agrees(self) -> bool:
        """Whether loss and accuracy both print as the notes print them."""
        return self.loss_difference == 0.0 and self.accuracy_difference == 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """How near one architecture's epochs come to the published ones.

    Args:
        n_published, n_epochs: epochs until training stopped, published and measured.
        n_exact: epochs whose loss and accuracy both agree to the printed decimal.
        first_difference: the first epoch that does not agree; None if all do.
        loss_difference, accuracy_difference: the largest, over the epochs that both have.
        published_val_loss, val_loss: the lowest.
        published_best_epoch, best_epoch: the epoch with the lowest loss; of equal published
            ones the last.
        published_test: of the best model on the test half; None where the notes print none.
        test: the same, measured as in the notes.
        plain_validation, plain_test: the best model scored as it is meant, without dropout.
    """

    architecture: str
    n_published: int
    n_epochs: int
    n_exact: int
    first_difference: int | None
    loss_difference: float
    accuracy_difference: float
    published_val_loss: float
    val_loss: float
    published_best_epoch: int
    best_epoch: int
    published_test: Score | None = None
    test: Score | None = None
    plain_validation: Score | None = None
    plain_test: Score | None = None

    @property
    def is_exact(self) -> bool:
        """Whether every epoch agrees and training stops after the same one."""
        return self.n_exact == self.n_published == self.n_epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproductionReport:
    """What `rnnbench reproduce` found.

    Args:
        reviews: content fingerprint of the reviews.
        environment: versions and hardware, as `describe_process` names them.
        command: the words that repeat it.
    """

    source: str
    models: tuple[Reproduction, ...]
    epochs: tuple[EpochComparison, ...]
    reviews: str
    jit: bool
    environment: Mapping[str, str]
    command: str


def published_history(source: str, architecture: str) -> tuple[PublishedEpoch, ...]:
    """The epochs that a source prints for an architecture; empty where it prints none."""
    rows = published_histories(source).get(architecture, ())
    return tuple(
        PublishedEpoch(epoch=epoch, val_loss=val_loss, val_accuracy=val_accuracy)
        for epoch, (_, _, val_loss, val_accuracy) in enumerate(rows, start=1)
    )


def compare_epochs(
    architecture: str, published: Sequence[PublishedEpoch], measured: Sequence[EpochRow]
) -> list[EpochComparison]:
    """A comparison for each epoch that either side has, in order."""
    theirs: Mapping[int, PublishedEpoch] = {row.epoch: row for row in published}
    ours: Mapping[int, EpochRow] = {row.epoch: row for row in measured}
    return [
        EpochComparison(
            architecture=architecture,
            epoch=epoch,
            published_val_loss=theirs[epoch].val_loss if epoch in theirs else None,
            val_loss=ours[epoch].val_loss if epoch in ours else None,
            published_val_accuracy=theirs[epoch].val_accuracy if epoch in theirs else None,
            val_accuracy=ours[epoch].val_accuracy if epoch in ours else None,
        )
        for epoch in sorted(theirs.keys() | ours.keys())
    ]


def summarise_reproduction(
    rows: Sequence[EpochComparison],
    *,
    scores: Sequence[Score] = (),
    published: PublishedRun | None = None,
) -> Reproduction:
    """How near one architecture comes.

    Args:
        rows: its epochs, at least one of them published and one measured.
        scores: of its best model.
        published: the notes' run, for their test score.
    """
    theirs = [(r.published_val_loss, -r.epoch) for r in rows if r.published_val_loss is not None]
    ours = [(row.val_loss, row.epoch) for row in rows if row.val_loss is not None]
    # The notes print rounded losses; of equal ones the last is the one that training stopped for.
    (published_loss, published_at), (loss, at) = min(theirs), min(ours)
    by_kind = {(score.part, score.dropout): score for score in scores}
    return Reproduction(
        architecture=rows[0].architecture,
        n_published=len(theirs),
        n_epochs=len(ours),
        n_exact=sum(row.agrees for row in rows),
        first_difference=next((row.epoch for row in rows if not row.agrees), None),
        loss_difference=_largest(row.loss_difference for row in rows),
        accuracy_difference=_largest(row.accuracy_difference for row in rows),
        published_val_loss=published_loss,
        val_loss=loss,
        published_best_epoch=-published_at,
        best_epoch=at,
        published_test=_published_test(published),
        test=by_kind.get(("test", True)),
        plain_validation=by_kind.get(("validation", False)),
        plain_test=by_kind.get(("test", False)),
    )


def _published_test(run: PublishedRun | None) -> Score | None:
    if run is None or run.test_loss is None or run.test_accuracy is None:
        return None
    return Score(part="test", dropout=True, loss=run.test_loss, accuracy=run.test_accuracy)


def _difference(measured: float | None, published: float | None) -> float | None:
    if measured is None or published is None:
        return None
    return round(round(measured, DIGITS) - published, DIGITS)


def _largest(differences: Iterable[float | None]) -> float:
    return max((abs(value) for value in differences if value is not None), default=0.0)
