"""Why TensorFlow trains an embedding in other steps than JAX and PyTorch: its gradient is sparse.

    python benchmarks/embedding_gradient.py [--seeds 10] [--backends jax,tensorflow]

Plain Keras, none of this program. 400 short texts of 21 words, in which two words tell the class;
`Embedding(24, 16)`, `LSTM(8)`, one sigmoid; the same first weights and the same batches on every
back end. On TensorFlow the gradient of `Embedding` is an `IndexedSlices` that repeats a word as
often as the batch has it; RMSprop and Adam square its rows before they are summed. The `dense`
embedding looks its words up by a matrix product instead, whose gradient is dense everywhere.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.execution.environment import describe_machine, worker_environment
from rnnbench.specs import BACKENDS, Backend

N_WORDS, N_TEXTS, LENGTH, N_TEST = 24, 400, 12, 100
TELLING = 2  # words of a text that tell its class, of five a class
EPOCHS, BATCH = (1, 2, 4), 32
LEARNING_RATES = {"rmsprop": 0.01, "adam": 0.01, "sgd": 1.0}
RESULT = Path(__file__).parent / "results" / "embedding_gradient.json"


def main() -> None:
    """Each back end in a process of its own; print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--backends", default="jax,tensorflow")
    parser.add_argument("--measure", choices=BACKENDS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure, chosen.seeds)))
        return
    backends = chosen.backends.split(",")
    rows = [row for backend in backends for row in call(backend, chosen.seeds)]
    tables = {row["optimizer"]: np.array(row["table"]) for row in reversed(rows)}
    for row in rows:
        difference = np.abs(np.array(row.pop("table")) - tables[row["optimizer"]]).max()
        row["first_step_difference"] = float(f"{difference:.2g}")
        scores = ", ".join(f"{mean:5.1f} ± {sd:4.1f}" for mean, sd in row["test_accuracy"])
        print(
            "{optimizer:8} {backend:11} {gradient:8}".format(**row),
            f"{scores} %; tables differ by {difference:.1e} after a step",
        )
    whole = {
        "rows": rows,
        "about": f"test_accuracy: mean and SD over seeds, in per cent, after {EPOCHS} epochs; "
        "first_step_difference: the largest of an entry of the embedding after one step of seed "
        f"0, from that of {backends[0]}",
        "n_seeds": chosen.seeds,
        "command": f"python benchmarks/embedding_gradient.py --seeds {chosen.seeds} "
        f"--backends {chosen.backends}",
        "machine": describe_machine(None),
        "versions": {name: version(name) for name in ("keras", *backends)},
        "measured_on": time.strftime("%Y-%m-%d"),
    }
    RESULT.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def call(backend: Backend, n_seeds: int) -> list[dict[str, Any]]:  # Any: JSON values
    """What `measure` says in a process of its own."""
    words = [sys.executable, __file__, "--measure", backend, "--seeds", str(n_seeds)]
    environment = {**os.environ, **worker_environment(backend)}
    done = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def measure(backend: str, n_seeds: int) -> list[dict[str, Any]]:  # Any: JSON values
    """A row for each optimizer and gradient; `table` is the embedding after one step."""
    rows = []
    gradients = ("default", "dense") if backend == "tensorflow" else ("default",)
    for optimizer, gradient in itertools.product(LEARNING_RATES, gradients):
        model = make_model(optimizer, gradient)
        at_rest = [np.asarray(variable.numpy()) for variable in model.optimizer.variables]
        scores, tables = [], []
        for seed in range(n_seeds):
            for variable, value in zip(model.optimizer.variables, at_rest, strict=True):
                variable.assign(value)
            table, accuracies = train(model, seed)
            tables.append(table)
            scores.append(accuracies)
        row = {"optimizer": optimizer, "backend": backend, "gradient": gradient}
        rows.append(row | {"table": tables[0].tolist(), "test_accuracy": describe(scores)})
    return rows


def describe(scores: list[list[float]]) -> list[tuple[float, float]]:
    """Mean and standard deviation over the seeds, in per cent, after each number of epochs."""
    found = []
    for values in zip(*scores, strict=True):
        percent = [100 * value for value in values]
        found.append((round(statistics.fmean(percent), 2), round(statistics.stdev(percent), 2)))
    return found


def train(model: Any, seed: int) -> tuple[NDArray[np.float32], list[float]]:  # Any: untyped
    """The embedding after one step, and the test accuracy after each number of epochs."""
    rng = np.random.default_rng(seed)
    tokens, labels = make_texts()
    model.set_weights([draw(rng, weight.shape) for weight in model.get_weights()])
    n_train = N_TEXTS - N_TEST
    order = np.concatenate([rng.permutation(n_train) for _ in range(EPOCHS[-1])])
    ends = [BATCH, *(epochs * n_train // BATCH * BATCH for epochs in EPOCHS)]
    tables, accuracies = [], []
    for begin, end in itertools.pairwise([0, *ends]):
        rows = order[begin:end]
        model.fit(tokens[rows], labels[rows], batch_size=BATCH, shuffle=False, verbose=0)
        tables.append(model.get_weights()[0])
        probability = model.predict(tokens[n_train:], batch_size=N_TEST, verbose=0)[:, 0]
        accuracies.append(float(((probability > 0.5) == (labels[n_train:] > 0.5)).mean()))
    return tables[0], accuracies[1:]


def make_texts() -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The same texts for every seed: int32 `(N_TEXTS, LENGTH)`, float32 `(N_TEXTS,)`."""
    rng = np.random.default_rng(0)
    labels = np.arange(N_TEXTS) % 2
    tokens = rng.integers(13, N_WORDS, (N_TEXTS, LENGTH))
    tokens[:, :TELLING] = 3 + 5 * labels[:, None] + rng.integers(0, 5, (N_TEXTS, TELLING))
    return rng.permuted(tokens, axis=1).astype(np.int32), labels.astype(np.float32)


def make_model(optimizer: str, gradient: str) -> Any:  # Any: Keras is untyped
    """The network, compiled."""
    import keras

    class Dense(keras.layers.Embedding):  # type: ignore[misc]  # Keras is untyped
        def call(self, tokens: Any) -> Any:  # Any: a tensor
            return keras.ops.matmul(keras.ops.one_hot(tokens, N_WORDS), self.embeddings)

    kind = {"default": keras.layers.Embedding, "dense": Dense}[gradient]
    layers = [
        keras.Input((LENGTH,), dtype="int32"),
        kind(N_WORDS, 16),
        keras.layers.LSTM(8),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    model = keras.Sequential(layers)
    kinds = {
        "rmsprop": keras.optimizers.RMSprop,
        "adam": keras.optimizers.Adam,
        "sgd": keras.optimizers.SGD,
    }
    model.compile(
        optimizer=kinds[optimizer](LEARNING_RATES[optimizer]),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        jit_compile=keras.backend.backend() != "torch",
    )
    model.optimizer.build(model.trainable_variables)
    return model


def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """First weights from NumPy, so that every back end begins alike."""
    if len(shape) == 1:
        return np.zeros(shape, dtype=np.float32)
    limit = 0.05 if shape[0] == N_WORDS else float(np.sqrt(6 / sum(shape)))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


if __name__ == "__main__":
    main()
