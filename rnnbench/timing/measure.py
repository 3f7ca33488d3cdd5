"""One process of the timing study: it holds arms, and times a block of steps when it is told."""

from __future__ import annotations

import gc
import math
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.execution.process import peak_mib
from rnnbench.models import assemble_model, import_keras, recurrent_layers, seed_keras
from rnnbench.output.characters import first_line, named_line
from rnnbench.specs import Backend
from rnnbench.timing.arms import Arm
from rnnbench.timing.kernels import find_operations
from rnnbench.timing.samples import Sample
from rnnbench.training.engines import require_gpu

NUM_WORDS, MAX_LEN, EMBEDDING_SIZE = 500, 100, 16  # as the study notes have them
LEARNING_RATE = 1e-3  # the guard sees the loss fall within a block; no step's time depends on it

MOST_STEPS = 312  # an epoch of the notes' 20,000 reviews, without the rest
BLOCK_SECONDS: dict[Backend, float] = {"jax": 0.02, "tensorflow": 0.05, "torch": 0.02}
"""On a CPU, as short as can be: a machine's speed wanders, and short rounds follow it. A block has
some milliseconds of its own on TensorFlow, and on every back end on a GPU, which short ones would
have to bear."""
GPU_BLOCK_SECONDS = 0.1

_MEMORY_WORDS = ("RESOURCE_EXHAUSTED", "OutOfMemory", "OOM")
OUT_OF_MEMORY = "out of memory: "
"""How the sentence begins that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """How much one process times; the defaults are the protocol, smaller ones try it out.

    Args:
        rounds: of training, at least; in each, every arm has one block, in random order.
        most_seconds: after which no round is added to these, narrow as the ratios may be.
        forward_rounds: of evaluation and prediction, in the process that looks.
        warm_up_rounds: of training, left out before the measurement begins.
        seconds: what a block should last, within its fewest and most steps; None for
            `BLOCK_SECONDS`, or `GPU_BLOCK_SECONDS`.
    """

    rounds: int = 16
    most_seconds: float = 20.0
    forward_rounds: int = 5
    warm_up_rounds: int = 2
    seconds: float | None = None
    fewest_steps: int = 1


def answer_requests(pipe: Connection, blocks: Blocks, cores: Sequence[int]) -> None:
    """Hold arms, and do with them what the other end of the pipe asks for, until it is closed.

    A request is the name of a method of `CompiledArm`, the arm, and arguments; `prepare` makes one,
    `release` forgets all. The answer is what the method gives, or a sentence that says why not.

    Args:
        cores: those that this process may use; empty for all.
    """
    if cores:
        os.sched_setaffinity(0, cores)
    held: dict[Arm, CompiledArm] = {}
    with suppress(EOFError):
        while True:
            pipe.send(_carry_out(held, blocks, *pipe.recv()))


def _carry_out(
    held: dict[Arm, CompiledArm], blocks: Blocks, name: str, arm: Arm, *arguments: Any
) -> Any:  # Any: what the method takes and gives
    try:
        if name == "release":
            held.clear()
            return _forget_programs()
        if name == "prepare":
            held[arm] = CompiledArm(arm, blocks, *arguments)
        return getattr(held[arm], name)()
    except Exception as err:  # whatever a back end raises: the other arms go on
        held.pop(arm, None)
        return describe_error(err)


def _forget_programs() -> None:
    """Give back what Keras keeps of models that are gone."""
    import keras

    keras.backend.clear_session()
    gc.collect()


class CompiledArm:
    """An arm's model in the process that holds it, compiled once.

    Blocks of steps are timed inside `fit`, `evaluate` and `predict`, from the moment that the data
    stand ready to the moment that the device has done its last step. No step is interrupted.

    Args:
        seed: of all that is random.
        looks: whether to find out what runs; evaluation and prediction are timed then too.
    """

    def __init__(self, arm: Arm, blocks: Blocks, seed: int, looks: bool) -> None:
        self.arm = arm
        self._blocks = blocks
        self._seed = seed
        self._looks = looks
        self._losses: list[float] = []

    def prepare(self) -> None:
        """Build and compile the model."""
        arm, blocks = self.arm, self._blocks
        if arm.device == "gpu":
            require_gpu(arm.backend)  # a back end that sees none takes the CPU without a word
        self._model = make_model(arm, self._seed)
        self._most_steps = max(blocks.fewest_steps, MOST_STEPS * 64 // arm.batch_size)
        self._reviews = make_reviews(self._most_steps * arm.batch_size, self._seed)
        self._feed(1)
        began = time.perf_counter()
        self._model.fit(*self._data, **self._keeps)
        self._compile_seconds = time.perf_counter() - began
        self._feed(blocks.fewest_steps)
        self._clock = _forward_clock()
        for call in (self.evaluate, self.predict) if self._looks and arm.has_forward else ():
            call()  # compiles

    def settle(self) -> None:
        """Find how many steps a block has; a second time it tells better, as a fit has its cost."""
        ms = min(self.train() for _ in range(2))
        wanted = math.ceil(1_000 * self._block_seconds / ms)
        self._feed(min(self._most_steps, max(self._blocks.fewest_steps, wanted)))

    @property
    def _block_seconds(self) -> float:
        if self._blocks.seconds is not None:
            return self._blocks.seconds
        return GPU_BLOCK_SECONDS if self.arm.device == "gpu" else BLOCK_SECONDS[self.arm.backend]

    def train(self) -> float:
        """Milliseconds a step of a block of training."""
        ((seconds, loss),) = _time_epochs(self._model, self._data, 1, self._keeps)
        self._losses.append(loss)
        return 1_000 * seconds / self._steps

    def evaluate(self) -> float:
        """The same of evaluation."""
        self._model.evaluate(*self._data, callbacks=[self._clock], **self._keeps)
        return 1_000 * float(self._clock.seconds) / self._steps

    def predict(self) -> float:
        """The same of prediction."""
        self._model.predict(self._data[0], callbacks=[self._clock], **self._keeps)
        return 1_000 * float(self._clock.seconds) / self._steps

    def describe(self) -> Sample:
        """What there is to say of the arm here, without times."""
        tokens, _ = self._reviews
        return Sample(
            train_ms=(),
            evaluate_ms=(),
            predict_ms=(),
            steps=self._steps,
            warm_up_blocks=self._blocks.warm_up_rounds,
            compile_seconds=self._compile_seconds,
            loss_first=self._losses[0],
            loss_last=self._losses[-1],
            jit=bool(self._model.jit_compile),
            peak_host_mib=peak_mib(children=False),
            peak_device_mib=_peak_device_mib(self.arm),
            load=0.0,
            operations=_look(self._model, tokens[: self.arm.batch_size], self.arm)
            if self._looks
            else None,
            problem=find_problem(self._losses[0], self._losses[-1]),
        )

    def _feed(self, steps: int) -> None:
        """Make ready the data of a block of so many steps."""
        self._steps = steps
        size = self.arm.batch_size
        tokens, labels = (each[: steps * size] for each in self._reviews)
        self._data: tuple[Any, ...] = (tokens, labels)
        self._keeps: dict[str, Any] = {"batch_size": size, "verbose": 0}
        if self.arm.backend == "tensorflow":
            import tensorflow as tf

            # Keras makes a pipeline of arrays in every fit, which costs as much as ten steps.
            self._data = (tf.data.Dataset.from_tensor_slices((tokens, labels)).batch(size),)
            self._keeps = {"verbose": 0}


def find_problem(loss_first: float, loss_last: float) -> str | None:
    """Why a measurement cannot be believed; None if it can.

    A step that computes nothing, or something else than training, would be fast.
    """
    if not (math.isfinite(loss_first) and math.isfinite(loss_last)):
        return "the loss is not finite"
    if not loss_last < loss_first:
        return f"the loss does not fall ({loss_first:.4f} to {loss_last:.4f})"
    return None


def _look(model: Any, tokens: Any, arm: Arm) -> tuple[str, ...] | None:
    """What runs; None where it cannot be seen: the times stand without it."""
    if arm.backend == "jax" and not arm.jit:
        return None  # there is no compiled program to look into
    try:
        return find_operations(model, tokens, arm.backend)
    except Exception:  # a profiler that needs other rights, a graph that cannot be made again
        return None


def make_model(arm: Arm, seed: int) -> Any:  # Any: Keras is untyped
    """The notes' network with the arm's recurrent layers, compiled as the arm says."""
    import_keras()
    import keras

    seed_keras(seed, arm.backend)
    options: dict[str, Any] = {}
    if arm.form.cell != "simple-rnn":
        options["use_cudnn"] = {"auto": "auto", "off": False, "on": True}[arm.use_cudnn]
        options |= {} if arm.implementation is None else {"implementation": arm.implementation}
    model = assemble_model(
        lambda _: recurrent_layers(arm.form, **options),
        max_len=MAX_LEN,
        num_words=NUM_WORDS,
        embedding_size=EMBEDDING_SIZE,
    )
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        jit_compile=arm.jit,
    )
    return model


def make_reviews(n_reviews: int, seed: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Made-up reviews of full length that any network learns: half the words tell the label.

    Returns:
        Tokens int32 `(n_reviews, max_len)`, labels float32 `(n_reviews,)`.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n_reviews).astype(np.float32)
    tokens = rng.integers(1, NUM_WORDS, (n_reviews, MAX_LEN), dtype=np.int32)
    half = NUM_WORDS // 2
    telling = rng.random((n_reviews, MAX_LEN)) < 0.5
    upper = telling & (labels[:, None] > 0.5) & (tokens < half)
    return np.where(upper, tokens + half, tokens).astype(np.int32), labels


def time_blocks(
    model: Any, tokens: Any, labels: Any, *, batch_size: int, n_blocks: int
) -> list[float]:
    """Seconds of `n_blocks` epochs inside one `fit`, by the clock that samples are taken with."""
    keeps = {"batch_size": batch_size, "verbose": 0}
    return [seconds for seconds, _ in _time_epochs(model, (tokens, labels), n_blocks, keeps)]


def _time_epochs(
    model: Any, data: Sequence[Any], n_epochs: int, keeps: Mapping[str, Any]
) -> list[tuple[float, float]]:
    """Seconds and mean loss of each epoch."""
    import keras

    epochs: list[tuple[float, float]] = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if batch == 0:  # the data stand ready now: in TensorFlow that takes milliseconds
                _wait_for_device(self.model)
                self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            _wait_for_device(self.model)
            epochs.append((time.perf_counter() - self.began, float(logs["loss"])))

    model.fit(*data, epochs=n_epochs, shuffle=False, callbacks=[Watch()], **keeps)
    return epochs


def _wait_for_device(model: Any) -> None:  # Any: Keras is untyped
    """Return when the device has done the last step: it changed this variable at its end."""
    import keras

    keras.ops.convert_to_numpy(model.trainable_variables[0])


def _forward_clock() -> Any:  # Any: Keras is untyped
    """A callback that times an `evaluate` or a `predict` from its first batch to its last."""
    import keras

    class ForwardClock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
        seconds = math.nan

        def on_test_begin(self, logs: Any = None) -> None:
            self._began = time.perf_counter()

        def on_test_end(self, logs: Any = None) -> None:
            float(logs["loss"])  # waits: the mean over every batch
            self.seconds = time.perf_counter() - self._began

        def on_predict_begin(self, logs: Any = None) -> None:
            self._began = time.perf_counter()

        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            self._last = logs["outputs"]

        def on_predict_end(self, logs: Any = None) -> None:
            keras.ops.convert_to_numpy(self._last)  # waits: batches are done in their order
            self.seconds = time.perf_counter() - self._began

    return ForwardClock()


def _peak_device_mib(arm: Arm) -> float | None:
    if arm.device == "cpu":
        return None
    if arm.backend == "jax":
        import jax

        found = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    elif arm.backend == "tensorflow":
        import tensorflow

        found = tensorflow.config.experimental.get_memory_info("GPU:0")["peak"]
    else:
        import torch

        found = torch.cuda.max_memory_allocated()
    return None if found is None else found / 2**20


def describe_error(err: Exception) -> str:
    """What went wrong in one line; told apart is want of memory."""
    words = f"{type(err).__name__} {err}"
    is_memory = isinstance(err, MemoryError) or any(word in words for word in _MEMORY_WORDS)
    return f"{OUT_OF_MEMORY}{first_line(err)}" if is_memory else named_line(err)
