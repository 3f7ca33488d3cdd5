"""Early stopping, beside Keras's own callback."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnbench.training.progress import EarlyStopping

LOSSES = st.lists(
    st.one_of(
        # XLA, which Keras compares with here, takes a subnormal number for 0.
        st.floats(width=32, allow_nan=True, allow_infinity=True, allow_subnormal=False),
        st.sampled_from([0.5, 0.25, 0.75, math.nan, math.inf]),  # ties, and losses that blow up
    ),
    min_size=1,
    max_size=15,
)


def ours(losses: list[float], patience: int) -> tuple[int | None, int]:
    """The epoch that training stops after, and the best one; both from 1 up."""
    stopping = EarlyStopping(patience=patience)
    for epoch, loss in enumerate(losses, start=1):
        stopping = stopping.observe(epoch, loss)
        if stopping.stop:
            return epoch, stopping.best_epoch
    return None, stopping.best_epoch


class FakeModel:
    """Has the two things of a model that the callback touches."""

    stop_training = False
    weights = 0

    def get_weights(self) -> int:
        return self.weights

    def set_weights(self, weights: int) -> None:
        self.weights = weights


def keras_says(keras: Any, losses: list[float], patience: int) -> tuple[int | None, int]:
    callback = keras.callbacks.EarlyStopping(
        monitor="val_loss", mode="min", patience=patience, restore_best_weights=True
    )
    model = FakeModel()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.weights = epoch + 1
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            return epoch + 1, callback.best_weights
    return None, callback.best_weights


@given(losses=LOSSES, patience=st.integers(1, 5))
@settings(
    max_examples=300,
    deadline=None,  # the first example meets a cold cache
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # they only change the folder
)
def test_stops_and_restores_as_keras_does(
    keras_on_jax: Any, losses: list[float], patience: int
) -> None:
    assert ours(losses, patience) == keras_says(keras_on_jax, losses, patience)


def test_stops_after_patience_epochs_without_a_lower_loss() -> None:
    assert ours([0.7, 0.6, 0.6, 0.65, 0.61, 0.5], patience=3) == (5, 2)


def test_a_loss_that_is_lower_only_beyond_float32_is_no_improvement() -> None:
    assert ours([0.5, 0.5 - 1e-12], patience=1) == (2, 1)


def test_nothing_improves_upon_a_first_nan() -> None:
    assert ours([math.nan, 0.1, 0.2], patience=2) == (3, 1)


@pytest.mark.parametrize("loss", [math.inf, math.nan])
def test_a_first_epoch_counts_whatever_its_loss(loss: float) -> None:
    assert ours([loss], patience=3) == (None, 1)
