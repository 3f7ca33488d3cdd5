"""What the best model of each run said of the test reviews, and which of them it got right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnbench.data.text_summaries import find_summary
from rnnbench.errors import DataError
from rnnbench.metrics import USUAL_METRIC
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import DataSpec
from rnnbench.training.engine import predicted_classes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREDICTIONS = "predictions.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a run kept of its test reviews, as it was read: another machine may have written it.

    Args:
        predicted: int8 `(n_reviews,)`, the number of the likeliest class.
        probability: float16, or float32 where a model has just said it, `(n_reviews, n_classes)`.
    """

    predicted: NDArray[np.int8]
    probability: NDArray[Any]

    def is_of(self, labels: NDArray[np.int8], n_classes: int) -> bool:
        """Whether it can belong to these labels."""
        import numpy as np

        shapes = labels.shape, (len(labels), n_classes)
        return (
            (self.predicted.shape, self.probability.shape) == shapes
            and self.predicted.dtype == np.int8
            and self.probability.dtype == np.float16
            and bool(np.isin(self.predicted, range(n_classes)).all())
            and bool(np.isfinite(self.probability).all())
        )


def take_predictions(probability: NDArray[Any]) -> Predictions:
    """What a model said, from its probabilities.

    Args:
        probability: `(n_reviews,)` of a positive review, or `(n_reviews, n_classes)`.
    """
    import numpy as np

    predicted = predicted_classes(probability)
    if probability.ndim == 1:
        probability = np.stack((1 - probability, probability), axis=1)
    return Predictions(predicted, probability)


def read_labels(data: DataSpec) -> NDArray[np.int8] | None:
    """Labels of the test half, `(n_reviews,)`; None where nothing here tells them."""
    try:
        return find_summary(data).test_labels
    except DataError:
        return None


def read_correct(
    runs: Sequence[RecordedRun], labels: NDArray[np.int8] | None
) -> dict[int, NDArray[np.bool_]]:
    """By seed, whether the best model was right about each test review, bool `(n_reviews,)`.

    See `read_predicted`.
    """
    return {seed: predicted == labels for seed, predicted in read_predicted(runs, labels).items()}


def weigh_texts(labels: NDArray[np.int8], metric: str) -> int:
    """Over how many test texts the one that weighs most weighs, in what runs are compared by.

    In macro-F1 that is a text of the smallest class: where a class is given to as many texts as
    have it, one of its n texts moves its F1, together with that of an equally large class, by 1/n,
    and so the mean of k classes by 1/(k·n). Of classes of one size that are all texts.
    """
    import numpy as np

    if metric == USUAL_METRIC:
        return len(labels)
    counts = np.unique(labels, return_counts=True)[1]
    return int(len(counts) * counts.min())


def read_predicted(
    runs: Sequence[RecordedRun], labels: NDArray[np.int8] | None
) -> dict[int, NDArray[np.int8]]:
    """By seed, what the best model took each test review for, int8 `(n_reviews,)`.

    Runs whose predictions are not here, or cannot be of these classes, are left out.
    """
    if labels is None:
        return {}
    return {
        run.spec.seed: kept.predicted
        for run in runs
        if (kept := read_predictions(run)) is not None
        and kept.is_of(labels, run.spec.data.n_classes)
    }


def count_test_texts(runs: Sequence[RecordedRun], metric: str = USUAL_METRIC) -> int | None:
    """Over how many texts one test text weighs; None where nothing here tells.

    For accuracy that is how many there are: by the labels where they are known here, else by the
    first predictions that are found.
    """
    labels = read_labels(runs[0].spec.data) if runs else None
    if labels is not None:
        return weigh_texts(labels, metric)
    if metric != USUAL_METRIC:
        return None
    found = (read_predictions(run) for run in runs)
    return next((len(kept.predicted) for kept in found if kept is not None), None)


def read_predictions(run: RecordedRun) -> Predictions | None:
    """What the run kept; None where it is not here, or is torn."""
    import numpy as np

    if run.folder is None:
        return None
    try:
        # Opened here: NumPy leaves a file open that turns out to be no archive.
        with (
            open(run.folder / PREDICTIONS, "rb") as file,
            np.load(file, allow_pickle=False) as arrays,
        ):
            probability = arrays["probability"]
            if "predicted" in arrays:
                return Predictions(arrays["predicted"], probability)
            return take_predictions(probability)
    except Exception:  # whatever a torn file makes zipfile, zlib or NumPy raise
        return None
