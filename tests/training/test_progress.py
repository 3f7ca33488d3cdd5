"""A run between two epochs: what counts as over, and its form on disk."""

from __future__ import annotations

import io
import math
import pickle

import numpy as np
import pytest

from rnnbench.specs import EpochRow, Recipe
from rnnbench.training.engine import Arrays, Variables
from rnnbench.training.progress import Progress


def row(epoch: int, val_loss: float, loss: float = 0.7) -> EpochRow:
    return EpochRow(
        epoch=epoch,
        loss=loss,
        accuracy=1 / 3,
        val_loss=val_loss,
        val_accuracy=0.5,
        epoch_seconds=0.1,
        ended_at=1e9 + 1 / 7,
    )


def variables(start: float) -> Variables:
    awkward = np.array([np.nan, -0.0, np.inf, 1e-45, start], dtype=np.float32)
    counter = np.array(2**40 + 1, dtype=np.int64)
    return Variables(weights=(awkward, np.full((2, 3), start)), optimizer=(counter, awkward))


def after(*losses: float, patience: int = 3) -> Progress:
    progress = Progress.begin(variables(0.0), Recipe(patience=patience))
    for epoch, loss in enumerate(losses, start=1):
        progress = progress.after(variables(float(epoch)), row(epoch, loss))
    return progress


def bits(arrays: Arrays) -> list[tuple[str, tuple[int, ...], bytes]]:
    return [(str(array.dtype), array.shape, array.tobytes()) for array in arrays]


@pytest.mark.parametrize(
    "losses",
    [(), (0.6,), (0.6, 0.1 + 0.2, 0.5), (math.nan,), (math.inf, 0.3)],
    ids=["before the first epoch", "one epoch", "three epochs", "NaN", "infinity"],
)
def test_comes_back_from_bytes_bit_for_bit(losses: tuple[float, ...]) -> None:
    progress = after(*losses)
    restored = Progress.from_bytes(progress.to_bytes())
    assert bits(restored.variables.weights) == bits(progress.variables.weights)
    assert bits(restored.variables.optimizer) == bits(progress.variables.optimizer)
    assert bits(restored.best) == bits(progress.best)
    assert repr(restored.history) == repr(progress.history)  # NaN differs from itself
    assert repr(restored.stopping) == repr(progress.stopping)


def test_many_variables_keep_their_order() -> None:
    weights = tuple(np.array([index]) for index in range(120))
    progress = Progress.begin(Variables(weights=weights, optimizer=()), Recipe())
    restored = Progress.from_bytes(progress.to_bytes())
    assert [int(array[0]) for array in restored.variables.weights] == list(range(120))


def test_best_weights_are_those_of_the_best_epoch() -> None:
    progress = after(0.6, 0.4, 0.5)
    assert bits(progress.best) == bits(variables(2.0).weights)
    assert not progress.improved


def test_is_over_when_patience_is_spent_or_epochs_are() -> None:
    assert after(0.4, 0.5, 0.5, patience=2).is_over(Recipe(patience=2))
    assert not after(0.4, 0.5, patience=2).is_over(Recipe(patience=2))
    assert after(0.4, 0.3).is_over(Recipe(epochs=2))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_divergence(bad: float) -> None:
    assert after(0.4, bad).diverged
    assert after(0.4).after(variables(2.0), row(2, 0.3, loss=bad)).diverged
    assert after(0.4, bad).is_over(Recipe())


def test_a_pickle_in_the_file_is_not_loaded() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=True, json=np.array([object], dtype=object))
    with pytest.raises((ValueError, pickle.UnpicklingError), match="pickle"):
        Progress.from_bytes(buffer.getvalue())
