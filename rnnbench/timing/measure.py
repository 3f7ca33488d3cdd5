"""One repeat of one arm: the blocks of steps that are timed, in a process made for it."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.execution.process import peak_mib
from rnnbench.models import assemble_model, import_keras, recurrent_layers, seed_keras
from rnnbench.output.characters import first_line, named_line
from rnnbench.timing.arms import Arm
from rnnbench.timing.kernels import find_operations
from rnnbench.timing.sessions import Sample
from rnnbench.training.engines import require_gpu

NUM_WORDS, MAX_LEN, EMBEDDING_SIZE = 500, 100, 16  # as the study notes have them
LEARNING_RATE = 1e-3  # the guard sees the loss fall within a block; no step's time depends on it

MOST_STEPS = 312  # an epoch of the notes' 20,000 reviews, without the rest
MOST_DRIFT = 0.10
"""How far the medians of the two halves of a measurement may lie apart, as a fraction."""
STEADY = 0.05  # two blocks in succession differ by less

_MEMORY_WORDS = ("RESOURCE_EXHAUSTED", "OutOfMemory", "OOM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """How much one process times; the defaults are the protocol, smaller ones try it out.

    Args:
        n, most: timed blocks of training; more than `n` until the two halves agree.
        n_forward: timed blocks of evaluation, and as many of prediction.
        seconds: what a block should last, within its fewest and most steps.
        most_warm_up: blocks after which the measurement begins, steady or not.
    """

    n: int = 10
    most: int = 40
    n_forward: int = 5
    seconds: float = 0.4
    fewest_steps: int = 16
    most_warm_up: int = 6


def answer_with_sample(pipe: Connection, arm: Arm, seed: int, looks: bool, blocks: Blocks) -> None:
    """Send the arm's sample, or the sentence that says why there is none.

    Args:
        looks: also find out which operations run.
    """
    try:
        pipe.send(_take_sample(arm, seed=seed, looks=looks, blocks=blocks))
    except Exception as err:  # whatever a back end raises: the other arms go on
        pipe.send(describe_error(err))


def _take_sample(arm: Arm, *, seed: int, looks: bool, blocks: Blocks) -> Sample:
    """Time training, evaluation and inference of the arm in this process.

    The environment (back end, device) must have been set before; `KERAS_BACKEND` decides.
    Blocks of steps are timed inside `fit`, `evaluate` and `predict`, from the moment that the data
    stand ready to the moment that the device has done its last step. No step is interrupted.
    """
    load = os.getloadavg()[0]
    if arm.device == "gpu":
        require_gpu(arm.backend)  # a back end that sees none takes the CPU without a word
    model = make_model(arm, seed)
    most = max(blocks.fewest_steps, MOST_STEPS * 64 // arm.batch_size)
    tokens, labels = make_reviews(most * arm.batch_size, seed)
    keeps: dict[str, Any] = {"batch_size": arm.batch_size, "verbose": 0}
    one = slice(0, arm.batch_size)

    began = time.perf_counter()
    loss_first = model.fit(tokens[one], labels[one], **keeps).history["loss"][0]
    compile_seconds = time.perf_counter() - began

    probe = _Clock(n_blocks=1, most_warm_up=1)
    few = slice(0, blocks.fewest_steps * arm.batch_size)
    _fit(model, tokens[few], labels[few], probe, keeps)
    step_seconds = probe.blocks[-1] / blocks.fewest_steps
    steps = min(most, max(blocks.fewest_steps, math.ceil(blocks.seconds / step_seconds)))

    used = slice(0, steps * arm.batch_size)
    clock = _Clock(n_blocks=blocks.n, most_warm_up=blocks.most_warm_up, most_blocks=blocks.most)
    _fit(model, tokens[used], labels[used], clock, keeps)
    train_ms = _ms(clock.blocks, steps)

    forward = _forward_clock()
    for _ in range(blocks.n_forward + 1):  # the first compiles
        model.evaluate(tokens[used], labels[used], callbacks=[forward], **keeps)
    evaluate_ms = _ms(forward.take(), steps)
    for _ in range(blocks.n_forward + 1):
        model.predict(tokens[used], callbacks=[forward], **keeps)
    predict_ms = _ms(forward.take(), steps)

    return Sample(
        train_ms=train_ms,
        evaluate_ms=evaluate_ms,
        predict_ms=predict_ms,
        steps=steps,
        warm_up_blocks=clock.n_warm_up,
        compile_seconds=compile_seconds,
        loss_first=float(loss_first),
        loss_last=clock.loss,
        jit=bool(model.jit_compile),
        peak_host_mib=peak_mib(children=False),
        peak_device_mib=_peak_device_mib(arm),
        load=load,
        operations=_look(model, tokens[one], arm) if looks else None,
        problem=find_problem(train_ms, float(loss_first), clock.loss, blocks.n),
    )


def find_problem(
    train_ms: Sequence[float], loss_first: float, loss_last: float, n_blocks: int
) -> str | None:
    """Why a measurement cannot be believed; None if it can.

    A step that computes nothing, or something else than training, would be fast.
    """
    if not (math.isfinite(loss_first) and math.isfinite(loss_last)):
        return "the loss is not finite"
    if not loss_last < loss_first:
        return f"the loss does not fall ({loss_first:.4f} to {loss_last:.4f})"
    if len(train_ms) < n_blocks:
        return f"{len(train_ms)} blocks instead of {n_blocks} were measured"
    if _drift(train_ms) > MOST_DRIFT:
        return f"its two halves differ by {100 * _drift(train_ms):.0f} %"
    return None


def _drift(values: Sequence[float]) -> float:
    """How far the medians of the two halves lie apart, as a fraction; 0 below two values."""
    half = len(values) // 2
    if not half:
        return 0.0
    first, second = median(values[:half]), median(values[half:])
    return abs(second - first) / min(first, second)


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
        lambda: recurrent_layers(arm.form, **options),
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
    """Seconds of `n_blocks` epochs inside one `fit`, with the clock that samples are taken with."""
    clock = _Clock(n_blocks=n_blocks, most_warm_up=0)
    _fit(model, tokens, labels, clock, {"batch_size": batch_size, "verbose": 0})
    return clock.blocks


class _Clock:
    """Times epochs of one `fit` until enough of them are steady.

    Args:
        most_blocks: where the medians of the two halves differ, go on up to so many.
        most_warm_up: blocks after which the measurement begins, steady or not.
    """

    def __init__(self, *, n_blocks: int, most_warm_up: int, most_blocks: int = 0) -> None:
        self.blocks: list[float] = []
        self.n_warm_up = 0
        self.loss = math.nan
        self._n_blocks = n_blocks
        self._most_blocks = most_blocks
        self._most_warm_up = most_warm_up
        self._before: float | None = None
        self._is_steady = most_warm_up == 0

    def notice(self, seconds: float, loss: float) -> bool:
        """A block took so long; whether that was the last one."""
        self.loss = loss
        if self._is_steady:
            self.blocks.append(seconds)
            n = len(self.blocks)
            is_enough = n >= self._n_blocks and _drift(self.blocks) <= MOST_DRIFT
            return is_enough or n >= max(self._n_blocks, self._most_blocks)
        self.n_warm_up += 1
        near = self._before is not None and abs(seconds - self._before) <= STEADY * self._before
        self._is_steady = near or self.n_warm_up >= self._most_warm_up
        self._before = seconds
        return False


def _fit(model: Any, tokens: Any, labels: Any, clock: _Clock, keeps: dict[str, Any]) -> None:
    import keras

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            _wait_for_device(self.model)
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            _wait_for_device(self.model)
            seconds = time.perf_counter() - self.began
            if clock.notice(seconds, float(logs["loss"])):
                self.model.stop_training = True

    model.fit(tokens, labels, epochs=1_000, shuffle=False, callbacks=[Watch()], **keeps)


def _wait_for_device(model: Any) -> None:  # Any: Keras is untyped
    """Return when the device has done the last step: it changed this variable at its end."""
    import keras

    keras.ops.convert_to_numpy(model.trainable_variables[0])


def _forward_clock() -> Any:  # Any: Keras is untyped
    """A callback that times each `evaluate` and `predict` from its first batch to its last."""
    import keras

    class ForwardClock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
        def __init__(self) -> None:
            super().__init__()
            self._seconds: list[float] = []
            self._last: Any = None
            self._began = 0.0

        def take(self) -> list[float]:
            """The seconds of all calls but the first."""
            taken, self._seconds = self._seconds[1:], []
            return taken

        def on_test_begin(self, logs: Any = None) -> None:
            self._began = time.perf_counter()

        def on_test_end(self, logs: Any = None) -> None:
            float(logs["loss"])  # waits: the mean over every batch
            self._seconds.append(time.perf_counter() - self._began)

        def on_predict_begin(self, logs: Any = None) -> None:
            self._began = time.perf_counter()

        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            self._last = logs["outputs"]

        def on_predict_end(self, logs: Any = None) -> None:
            keras.ops.convert_to_numpy(self._last)  # waits: batches are done in their order
            self._seconds.append(time.perf_counter() - self._began)

    return ForwardClock()


def _ms(seconds: list[float], steps: int) -> tuple[float, ...]:
    return tuple(1_000 * each / steps for each in seconds)


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
    return f"out of memory: {first_line(err)}" if is_memory else named_line(err)
