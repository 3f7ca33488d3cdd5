"""What a kept model says of reviews, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnbench.models import import_keras

__all__ = ["predict_with"]

PREDICT_BATCH = 1000


def predict_with(path: Path, tokens: NDArray[np.int32]) -> NDArray[np.float32]:
    """The probabilities that the model in a `.keras` file gives, opened in safe mode.

    Args:
        tokens: int32 `(n_reviews, max_len)`.

    Returns:
        float32 `(n_reviews,)` of a positive review; of more classes `(n_reviews, n_classes)`.
    """
    import_keras()
    import keras

    model = keras.models.load_model(path, safe_mode=True, compile=False)
    probability = np.asarray(
        model.predict(tokens, batch_size=PREDICT_BATCH, verbose=0), dtype=np.float32
    )
    return probability[:, 0] if probability.shape[1] == 1 else probability
