"""What an engine must offer to the epoch loop, and how its probabilities are scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.dataset import Part, balanced_weights
from rnnbench.specs import RunSpec
from rnnbench.stats.confusions import count_confusions, mean_f1

Arrays = tuple[NDArray[np.generic], ...]

PREDICT_BATCH = 1000  # a CPU is fastest between 250 and 1,000 reviews at once
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
    """Mean cross-entropy and accuracy over some reviews."""

    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One run's epoch to come: int64 `(n_reviews,)` order, and what its dropout is drawn from."""

    variables: Variables
    order: NDArray[np.int64]
    dropout_seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run after its epoch; scores are running averages, with dropout."""

    variables: Variables
    scores: Scores


def class_weights(spec: RunSpec, train: Part) -> NDArray[np.float32] | None:
    """What each class counts in the loss, float32 `(n_classes,)`; None where all reviews count 1.

    Args:
        train: the training part, by which classes are common or rare.
    """
    if spec.recipe.class_weight == "none":
        return None
    return balanced_weights(train.labels, spec.data.n_classes)


class Program(Protocol):
    """One compiled shape: trains every run that differs in seed, learning rate and length only.

    It has `n_lanes` lanes, each for a run. A lane without a run is given None, and gives None.
    """

    @property
    def n_lanes(self) -> int:
        """Runs at once."""
        ...

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

    def run_epochs(self, works: Sequence[Work | None], part: Part) -> list[Outcome | None]:
        """One pass over the part in each lane, in the order that its work gives."""
        ...

    def predict_all(
        self, weights: Sequence[Arrays | None], part: Part
    ) -> list[NDArray[np.float32] | None]:
        """Each lane's probabilities, float32, without dropout.

        `(n_reviews,)` of a positive review; of more than two classes `(n_reviews, n_classes)`.
        """
        ...

    def save(self, weights: Arrays, path: Path, learning_rate: float) -> None:
        """Write a `.keras` file that plain Keras opens, compiled with the run's learning rate."""
        ...

    def load(self, path: Path) -> Arrays:
        """The weights that such a file holds, read in safe mode."""
        ...


class OneLane:
    """A program that trains one run at a time: what its subclasses do for one, for a lane."""

    n_lanes = 1

    def run_epoch(
        self, variables: Variables, part: Part, order: NDArray[np.int64], dropout_seed: int
    ) -> tuple[Variables, Scores]:
        """One pass over the part in the given order; scores are running averages, with dropout."""
        raise NotImplementedError

    def predict(self, weights: Arrays, part: Part) -> NDArray[np.float32]:
        """One lane of `Program.predict_all`."""
        raise NotImplementedError

    def run_epochs(self, works: Sequence[Work | None], part: Part) -> list[Outcome | None]:
        """See `Program.run_epochs`."""
        return [None if work is None else self._carry_out(work, part) for work in works]

    def predict_all(
        self, weights: Sequence[Arrays | None], part: Part
    ) -> list[NDArray[np.float32] | None]:
        """See `Program.predict_all`."""
        return [None if each is None else self.predict(each, part) for each in weights]

    def _carry_out(self, work: Work, part: Part) -> Outcome:
        variables, scores = self.run_epoch(work.variables, part, work.order, work.dropout_seed)
        return Outcome(variables=variables, scores=scores)


def predicted_classes(probability: NDArray[np.float32]) -> NDArray[np.int8]:
    """The likeliest class of each review, `(n_reviews,)`; of two, 1 above a half."""
    if probability.ndim == 1:
        return (probability > 0.5).astype(np.int8)
    likeliest: NDArray[np.int8] = probability.argmax(axis=1).astype(np.int8)
    return likeliest


def macro_f1(predicted: NDArray[np.int8], labels: NDArray[np.float32]) -> float:
    """The mean over the classes of the harmonic mean of precision and recall."""
    return mean_f1(count_confusions(labels, predicted))


def score(
    probability: NDArray[np.float32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32] | None = None,
) -> Scores:
    """Loss and accuracy as `model.evaluate` gives them.

    Args:
        weights: what each class counts in the loss, float32 `(n_classes,)`; None for 1.

    Source: keras.losses.binary_crossentropy (clips by 1e-7) and keras.metrics.binary_accuracy
    (positive above 0.5); of more classes keras.losses.sparse_categorical_crossentropy. A NaN
    probability makes the loss NaN.
    """
    losses, right = (_class_losses if probability.ndim == 2 else _losses)(probability, labels)
    if weights is not None:
        losses = losses * weights[labels.astype(np.int64)]
    return Scores(loss=float(np.float32(losses.mean())), accuracy=float(right.mean()))


def _losses(
    probability: NDArray[np.float32], labels: NDArray[np.float32]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Of each review its loss, and whether it is right."""
    p = np.clip(probability, KERAS_EPSILON, 1 - np.float32(KERAS_EPSILON)).astype(np.float64)
    return -(labels * np.log(p) + (1 - labels) * np.log(1 - p)), (probability > 0.5) == (
        labels > 0.5
    )


def _class_losses(
    probability: NDArray[np.float32], labels: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    truth = labels.astype(np.int64)
    shares = probability / probability.sum(axis=1, keepdims=True)
    p = np.clip(shares, KERAS_EPSILON, 1 - np.float32(KERAS_EPSILON)).astype(np.float64)
    return -np.log(p[np.arange(len(truth)), truth]), probability.argmax(axis=1) == truth
