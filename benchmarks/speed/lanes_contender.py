"""One contender of `lanes.py`, in a process of its own: ready once, then an epoch for each line.

It answers every line of its input with one line of JSON. The first answer comes by itself, when it
has compiled and trained an epoch.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from lanes_profile import profile

from rnnbench.architectures import make_form
from rnnbench.data.dataset import Part
from rnnbench.specs import DataSpec, RunSpec
from rnnbench.training.engine import Variables, Work
from rnnbench.training.loop import batch_order, dropout_seed

__all__ = ["BATCH_SIZE", "EPOCH_REVIEWS", "MAX_LEN", "Contender", "command"]

MAX_LEN, NUM_WORDS = 100, 500
BATCH_SIZE = 64
EPOCH_REVIEWS = 20_000  # an epoch on the real reviews, whose speed is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """What is measured.

    Args:
        lanes: of a fleet; 0 is Keras's `fit`.
        profiled: afterwards an epoch is profiled.
        reviews: of an epoch, of each lane.
    """

    architecture: str = "lstm"
    lanes: int
    profiled: bool = False
    reviews: int

    @property
    def name(self) -> str:
        """The contender, for people."""
        known = f"fleet, {self.lanes} lanes" if self.lanes else "Keras fit"
        lead = "" if self.architecture == "lstm" else f"{self.architecture}: "
        profiled = ", profiled" if self.profiled else ""
        return f"{lead}{known}{profiled}"


def main() -> None:
    """Get ready; then an epoch for each line that comes."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    contender = Contender(**json.loads(sys.argv[1]))
    trainee = _open(contender)
    _answer(answers, trainee.first)
    for _ in sys.stdin:
        _answer(answers, trainee.measure())


def _answer(answers: TextIO, said: Mapping[str, Any]) -> None:  # Any: JSON values
    print(json.dumps(said), file=answers, flush=True)


def _open(contender: Contender) -> _Fit | _Fleet:
    """A contender that is ready; one whose lanes do not fit into memory, with half of them."""
    if not contender.lanes:
        return _Fit(contender)
    n_lanes = contender.lanes
    while True:
        try:
            return _Fleet(contender, n_lanes)
        except Exception as err:
            if n_lanes < 2 or "RESOURCE_EXHAUSTED" not in str(err):
                raise
        n_lanes //= 2


def _specs(contender: Contender, n: int) -> list[RunSpec]:
    data = DataSpec(dataset="made-up", fingerprint="", num_words=NUM_WORDS, max_len=MAX_LEN)
    form = make_form(contender.architecture)
    return [RunSpec(form=form, data=data, seed=seed, engine="fleet") for seed in range(n)]


def _make_up(n_reviews: int) -> Part:
    rng = np.random.default_rng(0)
    return Part(
        tokens=rng.integers(1, NUM_WORDS, (n_reviews, MAX_LEN), dtype=np.int32),
        labels=rng.integers(0, 2, n_reviews).astype(np.float32),
    )


class _Fleet:
    """A fleet, whose first epoch is over.

    Attributes:
        first: what it answers when it is ready.
    """

    def __init__(self, contender: Contender, n_lanes: int) -> None:
        from rnnbench.training.fleet import FleetProgram

        self._contender = contender
        self._specs = _specs(contender, n_lanes)
        self._part = _make_up(contender.reviews)
        self._program = FleetProgram(self._specs[0], n_lanes)
        self._time_program()
        initial = [self._program.initial(spec) for spec in self._specs[:8]]
        # Wider fleets repeat the first weights: drawing them takes longer than to train.
        self._variables: list[Variables] = [initial[n % len(initial)] for n in range(n_lanes)]
        self._epoch = 0
        self._n_measured = 0
        began = time.perf_counter()
        self._train()
        self.first = {
            "lanes": n_lanes,
            "compile_seconds": self._program.compile_seconds,
            "ready_seconds": time.perf_counter() - began,
        }

    def measure(self) -> dict[str, Any]:  # Any: JSON values
        """An epoch's speed, and once what else is asked for."""
        seconds = self._train()
        n_lanes, n_steps = len(self._specs), -(-self._contender.reviews // BATCH_SIZE)
        step = self._program_seconds / n_steps
        beside = seconds - self._program_seconds
        whole = beside + EPOCH_REVIEWS / BATCH_SIZE * step
        said: dict[str, Any] = {
            "epoch": self._epoch,
            "reviews_a_second": n_lanes * EPOCH_REVIEWS / whole,
            "step_ms": step * 1e3,
            "call_ms": beside * 1e3,
            "peak_mib": _peak_mib(),
        }
        self._n_measured += 1
        if self._n_measured == 1 and n_lanes == 1:
            said["copy_bytes_a_second"] = copy_speed()
        if self._n_measured == 1 and self._contender.profiled:
            try:
                said["profile"] = profile(self._train, n_steps)
            except Exception as err:  # whatever a profiler raises: the speed counts all the same
                said["profile_error"] = repr(err)[:300]
        return said

    def _train(self) -> float:
        """One epoch; its seconds, with what goes to the device and comes back."""
        self._epoch += 1
        works = [
            Work(
                variables=state,
                order=batch_order(spec.seed, self._epoch, self._contender.reviews, "reshuffled"),
                dropout_seed=dropout_seed(spec.seed, self._epoch),
            )
            for spec, state in zip(self._specs, self._variables, strict=True)
        ]
        began = time.perf_counter()
        outcomes = [each for each in self._program.run_epochs(works, self._part) if each]
        seconds = time.perf_counter() - began
        self._variables = [outcome.variables for outcome in outcomes]
        return seconds

    def _time_program(self) -> None:
        """Have the time of the compiled program kept, apart from what goes to it and comes back."""
        import jax

        self._program_seconds = 0.0
        call = self._program._call
        wait: Any = jax.block_until_ready  # Any: JAX gives it no type

        def timed(name: str, *arguments: Any) -> Any:  # Any: jax arrays
            arguments = wait(jax.device_put(arguments))
            began = time.perf_counter()
            result = wait(call(name, *arguments))
            self._program_seconds = time.perf_counter() - began
            return result

        self._program._call = timed  # type: ignore[method-assign]


class _Fit:
    """Keras's own loop, with the settings that it takes by itself, cuDNN where there is a GPU."""

    def __init__(self, contender: Contender) -> None:
        from rnnbench.models import build_model, build_optimizer, import_keras

        import_keras()
        (spec,) = _specs(contender, 1)
        self._part = _make_up(contender.reviews // BATCH_SIZE * BATCH_SIZE)
        self._model = build_model(spec)
        self._model.compile(
            optimizer=build_optimizer(spec), loss="binary_crossentropy", jit_compile=True
        )
        began = time.perf_counter()
        self._train()
        compiling = time.perf_counter() - began - self._train()
        self.first = {"lanes": 0, "compile_seconds": compiling}

    def measure(self) -> dict[str, Any]:  # Any: JSON values
        """An epoch's speed."""
        seconds, n_reviews = self._train(), len(self._part.labels)
        step_ms = seconds / n_reviews * BATCH_SIZE * 1e3
        return {"reviews_a_second": n_reviews / seconds, "step_ms": step_ms}

    def _train(self) -> float:
        tokens, labels = self._part.tokens, self._part.labels
        began = time.perf_counter()
        self._model.fit(tokens, labels, batch_size=BATCH_SIZE, verbose=0)
        return time.perf_counter() - began


def _peak_mib() -> float | None:
    """The most memory of the device that this process held at once; None where nothing tells."""
    import jax

    told = jax.devices()[0].memory_stats() or {}
    return told["peak_bytes_in_use"] / 2**20 if "peak_bytes_in_use" in told else None


def copy_speed() -> float:
    """Bytes a second that the device reads and writes in going once over 256 MiB."""
    import jax
    import jax.numpy as jnp

    array = jnp.ones(2**26, dtype=jnp.float32)
    copy = jax.jit(lambda values: values + 1)
    copy(array).block_until_ready()
    began = time.perf_counter()
    for _ in range(10):
        array = copy(array)
    array.block_until_ready()
    return 10 * 2 * array.nbytes / (time.perf_counter() - began)


def command(contender: Contender) -> list[str]:
    """The command that is this contender."""
    return [sys.executable, str(Path(__file__)), json.dumps(asdict(contender))]


if __name__ == "__main__":
    main()
