"""What an engine must offer to the epoch loop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.dataset import Part
from rnnbench.specs import RunSpec

__all__ = ["Arrays", "Program", "Scores", "Variables", "score"]

Arrays = tuple[NDArray[np.generic], ...]

KERAS_EPSILON = 1e-7  # keras.config.epsilon(): probabilities are clipped by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """Everything about a model that training changes, as Keras orders it.

    Args:
        weights: trainable and other variables of the model, random streams left out.
        optimizer: iteration, learning rate, moments.
    """

    weights: Arrays
    optimizer: Arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Mean binary cross-entropy and accuracy over some reviews."""

    loss: float
    accuracy: float


class Program(Protocol):
    """One compiled shape: trains every run that differs in seed, learning rate and length only."""

    @property
    def n_parameters(self) -> int:
        """Trainable parameters of the whole model."""
        ...

    @property
    def compile_seconds(self) -> float:
        """What compilation has taken so far."""
        ...

    def initial(self, spec: RunSpec) -> Variables:
        """Fresh variables: weights from the spec's seed, its learning rate."""
        ...

    def run_epoch(
        self, variables: Variables, part: Part, order: NDArray[np.int64], dropout_seed: int
    ) -> tuple[Variables, Scores]:
        """One pass over the part in the given order; scores are running averages, with dropout."""
        ...

    def predict(self, weights: Arrays, part: Part) -> NDArray[np.float32]:
        """Probability of a positive review, float32 `(n_reviews,)`, without dropout."""
        ...

    def save(self, weights: Arrays, path: Path, learning_rate: float) -> None:
        """Write a `.keras` file that plain Keras opens, compiled with the run's learning rate."""
        ...

    def load(self, path: Path) -> Arrays:
        """The weights that such a file holds, read in safe mode."""
        ...


def score(probability: NDArray[np.float32], labels: NDArray[np.float32]) -> Scores:
    """Loss and accuracy as `model.evaluate` gives them.

    Source: keras.losses.binary_crossentropy (clips by 1e-7) and keras.metrics.binary_accuracy
    (positive above 0.5). A NaN probability makes the loss NaN.
    """
    p = np.clip(probability, KERAS_EPSILON, 1 - np.float32(KERAS_EPSILON)).astype(np.float64)
    loss = -(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean()
    accuracy = ((probability > 0.5) == (labels > 0.5)).mean()
    return Scores(loss=float(np.float32(loss)), accuracy=float(accuracy))
