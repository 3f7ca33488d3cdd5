"""The `keras` engine on TensorFlow and PyTorch: `model.fit`, an epoch a call."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.dataset import Part
from rnnbench.specs import RunSpec
from rnnbench.training.engine import (
    PREDICT_BATCH,
    Arrays,
    OneLane,
    Scores,
    Variables,
    class_weights,
)
from rnnbench.training.template import Template, assign, to_arrays


class FitProgram(OneLane, Template):
    """Trains one epoch a call through Keras's own training step.

    Attributes:
        compile_seconds: spent on the first call with batches of each size, which compiles.
    """

    def __init__(self, spec: RunSpec) -> None:
        super().__init__(spec)
        self.compile_seconds = 0.0
        self._compiled: set[tuple[str, int]] = set()
        self.model.compile(
            optimizer=self.optimizer,
            loss=self.loss,
            metrics=["accuracy"],
            jit_compile=_jit_compile(spec),
        )

    def run_epoch(
        self, variables: Variables, part: Part, order: NDArray[np.int64], dropout_seed: int
    ) -> tuple[Variables, Scores]:
        """See `OneLane.run_epoch`."""
        few = _one_batch_of_each_size(len(order), self.spec.recipe.batch_size)
        self._compile("fit", few, lambda: self._fit(part, order[:few]))
        assign(self.weight_variables, variables.weights)
        assign(self.optimizer_variables, variables.optimizer)
        assign(self.stream_variables, self.streams(dropout_seed))
        history = self._fit(part, order)
        trained = Variables(
            weights=to_arrays(self.weight_variables),
            optimizer=to_arrays(self.optimizer_variables),
        )
        return trained, Scores(loss=history["loss"][0], accuracy=history["accuracy"][0])

    def predict(self, weights: Arrays, part: Part) -> NDArray[np.float32]:
        """See `OneLane.predict`."""
        assign(self.weight_variables, weights)
        few = _one_batch_of_each_size(len(part.labels), PREDICT_BATCH)
        self._compile("predict", few, lambda: self._predict(part.tokens[:few]))
        probability = np.asarray(self._predict(part.tokens), dtype=np.float32)
        return probability[:, 0] if self.is_binary else probability

    def _fit(self, part: Part, order: NDArray[np.int64]) -> Any:  # Any: Keras is untyped
        weights = class_weights(self.spec, part)
        return self.model.fit(
            part.tokens[order],
            part.labels[order],
            # As `class_weight` would; Keras finds the weight of each review in a loop of Python's.
            sample_weight=None if weights is None else weights[part.labels[order].astype(int)],
            batch_size=self.spec.recipe.batch_size,
            epochs=1,
            shuffle=False,  # the order is given: fit's own would repeat one permutation
            verbose=0,
        ).history

    def _predict(self, tokens: NDArray[np.int32]) -> Any:  # Any: Keras is untyped
        return self.model.predict(tokens, batch_size=PREDICT_BATCH, verbose=0)

    def _compile(self, step: str, n_reviews: int, call: Callable[[], Any]) -> None:
        """Compile a step by a call whose outcome is thrown away; once for each batch size."""
        if (step, n_reviews) in self._compiled:
            return
        began = time.perf_counter()
        call()
        self.compile_seconds += time.perf_counter() - began
        self._compiled.add((step, n_reviews))


def _one_batch_of_each_size(n_reviews: int, batch_size: int) -> int:
    """The fewest reviews that make a whole batch and the last, smaller one, if there are both."""
    return min(n_reviews, batch_size + n_reviews % batch_size)


def _jit_compile(spec: RunSpec) -> Any:  # Any: bool or Keras's word "auto"
    """XLA where Keras's `auto` leaves it out: on TensorFlow without a GPU (3 times faster)."""
    if spec.backend != "tensorflow":
        return False
    import tensorflow

    return "auto" if tensorflow.config.list_physical_devices("GPU") else True
