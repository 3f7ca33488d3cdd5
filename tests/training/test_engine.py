"""Loss and accuracy, beside Keras's own."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest

from rnnbench.training.engine import score
from rnnbench.training.loop import pack_predictions

LABELS = (np.arange(200) % 2).astype(np.float32)


def as_keras(keras: Any, probability: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    loss = keras.losses.BinaryCrossentropy()(labels[:, None], probability[:, None])
    accuracy = keras.metrics.BinaryAccuracy()
    accuracy.update_state(labels[:, None], probability[:, None])
    return float(loss), float(accuracy.result())


@pytest.mark.parametrize("kind", ["any", "certain", "just 0.5"])
def test_scores_are_those_of_keras(keras_on_jax: Any, kind: str) -> None:
    drawn = np.random.default_rng(1).random(200)
    probability = {"any": drawn, "certain": drawn.round(), "just 0.5": np.full(200, 0.5)}[kind]
    found = score(probability.astype(np.float32), LABELS)
    loss, accuracy = as_keras(keras_on_jax, probability.astype(np.float32), LABELS)
    assert found.loss == pytest.approx(loss, rel=2e-6)
    assert found.accuracy == pytest.approx(accuracy)


def test_a_hand_worked_score() -> None:
    found = score(np.array([0.8, 0.4], np.float32), np.array([1, 1], np.float32))
    assert found.loss == pytest.approx(-(math.log(0.8) + math.log(0.4)) / 2, rel=1e-6)
    assert found.accuracy == 0.5


def test_a_probability_that_is_no_number_makes_no_loss() -> None:
    assert math.isnan(score(np.array([0.5, np.nan], np.float32), LABELS[:2]).loss)


def test_kept_predictions_stay_on_their_side_of_a_half() -> None:
    near = np.nextafter(np.float32(0.5), np.float32([0, 1]))
    probability = np.concatenate([near, [0.5, 0.0, 1.0, 0.7]]).astype(np.float32)
    with np.load(io.BytesIO(pack_predictions(probability)), allow_pickle=False) as arrays:
        kept = arrays["probability"]
    assert kept.dtype == np.float16
    np.testing.assert_array_equal(kept > 0.5, probability > 0.5)
    np.testing.assert_allclose(kept.astype(np.float32), probability, atol=6e-4)
