"""The `keras` engine on TensorFlow and PyTorch: `model.fit`, an epoch a call."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.dataset import Part
from rnnbench.specs import RunSpec
from rnnbench.training.engine import Arrays, Scores, Variables
from rnnbench.training.template import Template, assign, to_arrays

__all__ = ["FitProgram"]

PREDICT_BATCH = 1000


class FitProgram(Template):
    """Trains one epoch a call through Keras's own training step.

    Compilation happens inside the first epoch and cannot be told apart, so that epoch is longer.
    """

    compile_seconds = 0.0

    def __init__(self, spec: RunSpec) -> None:
        super().__init__(spec)
        self.model.compile(
            optimizer=self.optimizer,
            loss="binary_crossentropy",
            metrics=["accuracy"],
            jit_compile=_jit_compile(spec),
        )

    def run_epoch(
        self, variables: Variables, part: Part, order: NDArray[np.int64], dropout_seed: int
    ) -> tuple[Variables, Scores]:
        """See `Program.run_epoch`."""
        assign(self.weight_variables, variables.weights)
        assign(self.optimizer_variables, variables.optimizer)
        assign(self.stream_variables, self.streams(dropout_seed))
        history = self.model.fit(
            part.tokens[order],
            part.labels[order],
            batch_size=self.spec.recipe.batch_size,
            epochs=1,
            shuffle=False,  # the order is given: fit's own would repeat one permutation
            verbose=0,
        ).history
        trained = Variables(
            weights=to_arrays(self.weight_variables),
            optimizer=to_arrays(self.optimizer_variables),
        )
        return trained, Scores(loss=history["loss"][0], accuracy=history["accuracy"][0])

    def predict(self, weights: Arrays, part: Part) -> NDArray[np.float32]:
        """See `Program.predict`."""
        assign(self.weight_variables, weights)
        probability = self.model.predict(part.tokens, batch_size=PREDICT_BATCH, verbose=0)
        return np.asarray(probability[:, 0], dtype=np.float32)


def _jit_compile(spec: RunSpec) -> Any:  # Any: bool or Keras's word "auto"
    """XLA where Keras's `auto` leaves it out: on TensorFlow without a GPU (3 times faster)."""
    if spec.backend != "tensorflow":
        return False
    import tensorflow

    return "auto" if tensorflow.config.list_physical_devices("GPU") else True
