"""One process of the timing study: the arms of one group, timed in turns, round by round."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnbench.execution.environment import processes_at_work
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
READY = "ready"
"""What a process sends when its arms are compiled; it measures once it is answered."""

_MEMORY_WORDS = ("RESOURCE_EXHAUSTED", "OutOfMemory", "OOM")

Outcomes: TypeAlias = dict[Arm, Sample | str]
"""Of each arm its sample, or the sentence that says why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """How much one process times; the defaults are the protocol, smaller ones try it out.

    Args:
        rounds: of training; in each, every arm has one block, in random order.
        forward_rounds: of evaluation and prediction, in the process that looks.
        warm_up_rounds: of training, left out before the measurement begins.
        seconds: what a block should last, within its fewest and most steps.
    """

    rounds: int = 10
    forward_rounds: int = 5
    warm_up_rounds: int = 2
    seconds: float = 0.1
    fewest_steps: int = 2


def answer_with_samples(
    pipe: Connection,
    arms: Sequence[Arm],
    number: int,
    looks: bool,
    blocks: Blocks,
    cores: Sequence[int],
) -> None:
    """Compile every arm, send `READY`, wait for an answer, measure, and send the `Outcomes`.

    Args:
        arms: of one back end and device, which the environment has been set for.
        number: the process's, from 0 up, in its session.
        looks: also time evaluation and prediction, and find out which operations run.
        cores: those that it may use; empty for all.
    """
    if cores:
        os.sched_setaffinity(0, cores)
    outcomes: Outcomes = {}

    def carry_out(arm: Arm, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as err:  # whatever a back end raises: the other arms go on
            outcomes[arm] = describe_error(err)

    timed = [_TimedArm(arm, number, blocks, looks=looks) for arm in arms]
    for each in timed:
        carry_out(each.arm, each.prepare)
    pipe.send(READY)
    pipe.recv()
    load = processes_at_work()
    order = random.Random(number)
    n_forward = blocks.forward_rounds if looks else 0
    for name, n in (
        *(("settle", 2), ("warm_up", blocks.warm_up_rounds), ("train", blocks.rounds)),
        *(("evaluate", n_forward), ("predict", n_forward)),
    ):
        for _ in range(n):
            for each in order.sample(timed, len(timed)):
                if each.arm not in outcomes:
                    carry_out(each.arm, getattr(each, name))
    for each in timed:
        if each.arm not in outcomes:
            carry_out(each.arm, partial(each.give_sample, outcomes, load))
    pipe.send(outcomes)


class _TimedArm:
    """An arm's model in this process, and what its blocks took.

    Blocks of steps are timed inside `fit`, `evaluate` and `predict`, from the moment that the data
    stand ready to the moment that the device has done its last step. No step is interrupted.
    """

    def __init__(self, arm: Arm, number: int, blocks: Blocks, *, looks: bool) -> None:
        self.arm = arm
        self._looks = looks
        self._number = number  # and the seed of all that is random
        self._blocks = blocks
        self._seconds: dict[str, list[float]] = {"train": [], "evaluate": [], "predict": []}
        self._steps = 0
        self._losses: list[float] = []

    def prepare(self) -> None:
        """Build and compile the model."""
        arm, blocks = self.arm, self._blocks
        if arm.device == "gpu":
            require_gpu(arm.backend)  # a back end that sees none takes the CPU without a word
        self._model = make_model(arm, self._number)
        most = max(blocks.fewest_steps, MOST_STEPS * 64 // arm.batch_size)
        self._tokens, self._labels = make_reviews(most * arm.batch_size, self._number)
        self._keeps: dict[str, Any] = {"batch_size": arm.batch_size, "verbose": 0}
        one = slice(0, arm.batch_size)
        began = time.perf_counter()
        self._model.fit(self._tokens[one], self._labels[one], **self._keeps)
        self._compile_seconds = time.perf_counter() - began
        self._steps = blocks.fewest_steps
        self._clock = _forward_clock()
        for call in (self.evaluate, self.predict) if self._looks else ():
            call()  # compiles
        self._seconds = {name: [] for name in self._seconds}

    def settle(self) -> None:
        """Find how many steps a block has; a second time it tells better, as a fit has its cost."""
        seconds = min(self._fit() for _ in range(2))
        wanted = math.ceil(self._blocks.seconds / seconds * self._steps)
        most = len(self._labels) // self.arm.batch_size
        self._steps = min(most, max(self._blocks.fewest_steps, wanted))

    def warm_up(self) -> None:
        """A block of training that does not count."""
        self._fit()

    def train(self) -> None:
        """A block of training."""
        self._seconds["train"].append(self._fit())

    def evaluate(self) -> None:
        """A block of evaluation."""
        tokens, labels = self._used()
        self._model.evaluate(tokens, labels, callbacks=[self._clock], **self._keeps)
        self._seconds["evaluate"].append(self._clock.seconds)

    def predict(self) -> None:
        """A block of prediction."""
        self._model.predict(self._used()[0], callbacks=[self._clock], **self._keeps)
        self._seconds["predict"].append(self._clock.seconds)

    def give_sample(self, outcomes: Outcomes, load: float) -> None:
        """What all the blocks came to, put with the other arms' outcomes."""
        ms = {
            f"{name}_ms": tuple(1_000 * each / self._steps for each in seconds)
            for name, seconds in self._seconds.items()
        }
        one = self._tokens[: self.arm.batch_size]
        outcomes[self.arm] = Sample(
            **ms,
            process=self._number,
            steps=self._steps,
            warm_up_blocks=self._blocks.warm_up_rounds,
            compile_seconds=self._compile_seconds,
            loss_first=self._losses[0],
            loss_last=self._losses[-1],
            jit=bool(self._model.jit_compile),
            peak_host_mib=peak_mib(children=False),
            peak_device_mib=_peak_device_mib(self.arm),
            load=load,
            operations=_look(self._model, one, self.arm) if self._looks else None,
            problem=find_problem(self._losses[0], self._losses[-1]),
        )

    def _used(self) -> tuple[Any, Any]:
        rows = slice(0, self._steps * self.arm.batch_size)
        return self._tokens[rows], self._labels[rows]

    def _fit(self) -> float:
        """The seconds of one epoch over a block's steps."""
        ((seconds, loss),) = _time_epochs(self._model, *self._used(), 1, self._keeps)
        self._losses.append(loss)
        return seconds


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
    return [seconds for seconds, _ in _time_epochs(model, tokens, labels, n_blocks, keeps)]


def _time_epochs(
    model: Any, tokens: Any, labels: Any, n_epochs: int, keeps: Mapping[str, Any]
) -> list[tuple[float, float]]:
    """Seconds and mean loss of each epoch."""
    import keras

    epochs: list[tuple[float, float]] = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            _wait_for_device(self.model)
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            _wait_for_device(self.model)
            epochs.append((time.perf_counter() - self.began, float(logs["loss"])))

    model.fit(tokens, labels, epochs=n_epochs, shuffle=False, callbacks=[Watch()], **keeps)
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
    return f"out of memory: {first_line(err)}" if is_memory else named_line(err)
