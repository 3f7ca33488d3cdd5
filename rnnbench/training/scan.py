"""The `keras` engine on JAX: Keras's own model and optimizer, a whole epoch in one compiled scan.

`benchmarks/speed/epoch.py` compares it with `fit`.
"""

import time
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
from rnnbench.training.template import Template, is_stream


class ScanProgram(OneLane, Template):
    """Trains one epoch a call; compiled when it first meets a number of reviews."""

    def __init__(self, spec: RunSpec) -> None:
        super().__init__(spec)
        self.compile_seconds = 0.0
        self._batch_size = spec.recipe.batch_size
        self._on_device: tuple[Part, tuple[Any, Any, Any]] | None = None  # Any: jax arrays
        self._compiled: dict[
            tuple[str, tuple[tuple[int, ...], ...]], Any
        ] = {}  # Any: jax executables
        trainable = self.model.trainable_variables
        untrained = self.model.non_trainable_variables
        kept = [id(v) for v in self.weight_variables]
        self._trainable_at = [kept.index(id(v)) for v in trainable]
        self._untrained_at = [None if is_stream(v) else kept.index(id(v)) for v in untrained]

    def run_epoch(
        self, variables: Variables, part: Part, order: NDArray[np.int64], dropout_seed: int
    ) -> tuple[Variables, Scores]:
        """See `OneLane.run_epoch`; the last, partial batch counts as in Keras."""
        trainable, untrained = self._divide(variables.weights, dropout_seed)
        batches = cut_rows(order, self._batch_size)
        state, (loss, accuracy) = self._call(
            "epoch", trainable, untrained, list(variables.optimizer), self._place(part), batches
        )
        trained = Variables(
            weights=self._unite(state[0], state[1]),
            optimizer=tuple(np.asarray(value) for value in state[2]),
        )
        return trained, Scores(loss=float(loss), accuracy=float(accuracy))

    def predict(self, weights: Arrays, part: Part) -> NDArray[np.float32]:
        """See `OneLane.predict`."""
        trainable, untrained = self._divide(weights, dropout_seed=0)
        n_reviews = len(part.labels)
        parts = [
            # Rows are picked here, so that parts of every size share one compiled program.
            self._call("predict", trainable, untrained, part.tokens[rows])
            for rows in cut_rows(np.arange(n_reviews), PREDICT_BATCH)
        ]
        return np.concatenate([np.asarray(part) for part in parts])[:n_reviews]

    def _divide(self, weights: Arrays, dropout_seed: int) -> tuple[list[Any], list[Any]]:
        streams = iter(self.streams(dropout_seed))
        trainable = [weights[at] for at in self._trainable_at]
        untrained = [next(streams) if at is None else weights[at] for at in self._untrained_at]
        return trainable, untrained

    def _unite(self, trainable: list[Any], untrained: list[Any]) -> Arrays:
        weights: list[Any] = [None] * len(self.weight_variables)
        for places, values in ((self._trainable_at, trainable), (self._untrained_at, untrained)):
            for at, value in zip(places, values, strict=True):
                if at is not None:
                    weights[at] = np.asarray(value)
        return tuple(weights)

    def _place(self, part: Part) -> tuple[Any, Any, Any]:
        """Tokens, labels and, where there are class weights, what each review counts, or None."""
        import jax

        if self._on_device is None or self._on_device[0] is not part:
            weights = class_weights(self.spec, part)
            counted = None if weights is None else weights[part.labels.astype(np.int64)]
            self._on_device = part, jax.device_put((part.tokens, part.labels, counted))
        return self._on_device[1]

    def _call(self, name: str, *arguments: Any) -> Any:  # Any: jax arrays
        """Run the named function, compiled for these shapes; the time to compile is kept apart."""
        import jax

        shapes = tuple(np.shape(leaf) for leaf in jax.tree.leaves(arguments))
        if (name, shapes) not in self._compiled:
            began = time.perf_counter()
            function = self._function(name)
            self._compiled[name, shapes] = jax.jit(function).lower(*arguments).compile()
            self.compile_seconds += time.perf_counter() - began
        return self._compiled[name, shapes](*arguments)

    def _function(self, name: str) -> Any:  # Any: functions of jax arrays
        return {"epoch": self._epoch, "predict": self._predict}[name]

    def _epoch(
        self, trainable: Any, untrained: Any, optimizer: Any, placed: Any, batches: Any
    ) -> Any:  # Any: traced jax arrays
        import jax

        tokens, labels, weights = placed

        def step(state: Any, rows: Any) -> Any:
            trainable, untrained, optimizer = state
            used = (rows >= 0).astype("float32")
            counted = used if weights is None else used * weights[rows]
            gradient = jax.value_and_grad(self._loss, has_aux=True)
            (loss, (hits, untrained)), gradients = gradient(
                trainable, untrained, tokens[rows], labels[rows], used, counted
            )
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
            return (trainable, untrained, optimizer), (loss * used.sum(), hits)

        state, (losses, hits) = jax.lax.scan(step, (trainable, untrained, optimizer), batches)
        n_reviews = (batches >= 0).sum()
        return state, (losses.sum() / n_reviews, hits.sum() / n_reviews)

    def _loss(
        self, trainable: Any, untrained: Any, tokens: Any, labels: Any, used: Any, counted: Any
    ) -> Any:
        """Mean loss over the rows in use: a short last batch is padded, never averaged in.

        Class weights are in `counted`; as in Keras the rows are divided by, not their weights.
        """
        import keras

        probability, untrained = self.model.stateless_call(
            trainable, untrained, tokens, training=True
        )
        if self.is_binary:
            losses = keras.losses.binary_crossentropy(labels[:, None], probability)
            right = (probability[:, 0] > 0.5) == (labels > 0.5)
        else:
            losses = keras.losses.sparse_categorical_crossentropy(labels, probability)
            right = probability.argmax(axis=-1) == labels
        hits = (right * used).sum()
        return (losses * counted).sum() / used.sum(), (hits, untrained)

    def _predict(self, trainable: Any, untrained: Any, tokens: Any) -> Any:
        probability, _ = self.model.stateless_call(trainable, untrained, tokens, training=False)
        return probability[:, 0] if self.is_binary else probability


def cut_rows(order: NDArray[np.int64], size: int) -> NDArray[np.int32]:
    """int32 `(n_batches, size)`: the order cut into batches, the last filled up with -1."""
    n_batches = -(-len(order) // size)
    rows = np.full(n_batches * size, -1, dtype=np.int32)
    rows[: len(order)] = order
    return rows.reshape(n_batches, size)
