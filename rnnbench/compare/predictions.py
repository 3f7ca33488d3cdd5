"""Which test reviews each run got right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnbench.data.cache import open_corpus
from rnnbench.errors import DataError
from rnnbench.recorded_runs import RecordedRun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREDICTIONS = "predictions.npz"


def read_labels(fingerprint: str) -> NDArray[np.int8] | None:
    """Labels of the test half, `(n_reviews,)`; None where the reviews are not cached here."""
    try:
        return open_corpus(fingerprint).test.labels
    except DataError:
        return None


def read_correct(
    runs: Sequence[RecordedRun], labels: NDArray[np.int8] | None
) -> dict[int, NDArray[np.bool_]]:
    """By seed, whether the best model was right about each test review, bool `(n_reviews,)`.

    Runs whose predictions are not here, or do not belong to these labels, are left out.
    """
    if labels is None:
        return {}
    found = {run.spec.seed: _read_predicted(run) for run in runs}
    return {
        seed: predicted == labels
        for seed, predicted in found.items()
        if predicted is not None and predicted.shape == labels.shape
    }


def count_test_texts(runs: Sequence[RecordedRun]) -> int | None:
    """How many texts runs on the same reviews are scored on; None where nothing here tells.

    By the reviews where they are cached here, else by the first predictions that are found.
    """
    labels = read_labels(runs[0].spec.data.fingerprint) if runs else None
    if labels is not None:
        return len(labels)
    found = (_read_predicted(run) for run in runs)
    return next((len(predicted) for predicted in found if predicted is not None), None)


def _read_predicted(run: RecordedRun) -> NDArray[np.int8] | None:
    import numpy as np

    if run.folder is None:
        return None
    try:
        # Opened here: NumPy leaves a file open that turns out to be no archive.
        with (
            open(run.folder / PREDICTIONS, "rb") as file,
            np.load(file, allow_pickle=False) as arrays,
        ):
            if "predicted" in arrays:
                predicted: NDArray[np.int8] = arrays["predicted"]
            else:
                predicted = (arrays["probability"] > 0.5).astype(np.int8)
    except Exception:  # whatever a torn file makes zipfile, zlib or NumPy raise
        return None
    return predicted
