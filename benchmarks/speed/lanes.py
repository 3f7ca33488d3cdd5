"""What lanes are worth: fleets of LSTM(8) against Keras's own `fit`, on one device.

    python benchmarks/speed/lanes.py [--lanes 1,4,16] [--full] [--rounds 3]

Reviews a second in steady training: `fit` on JAX as Keras sets it (jit, and cuDNN where there is a
GPU), one run after the other; fleets of so many lanes, as in an epoch of 20,000 reviews. Needs
Keras and JAX alone. The first GPU is taken if there is one.

Each contender is a process of its own. A wave of them starts and compiles at once, a core each;
when all are ready they train one epoch in turn, several rounds, nothing else at work meanwhile.
`--full` adds other architectures at the last width but one, each with its own `fit`, and profiles
at the last width and at the last but two; its `--lanes` are three at least. The file is written
after each measurement. `lanes_plot.py` draws it.

Two estimates go beside what was measured. Launch-bound: every step costs what it costs with one
lane, however many there are. Memory-bound: every review moves the bytes of `MOVED`, as fast as this
device copies a large array.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from lanes_contender import BATCH_SIZE, EPOCH_REVIEWS, MAX_LEN, Contender, command
from provenance import write_result

from rnnbench.execution.devices import find_gpus, usable_cores
from rnnbench.execution.environment import worker_environment

ARCHITECTURES = ("gru", "lstm-stacked")
START_SECONDS, EPOCH_SECONDS = 75, 40  # then a contender is given up

# The float32 values that one review of LSTM(8) moves at least in one time step of training, when
# each kernel reads and writes memory: worked out by hand. What stays in the cache is left out: the
# weights, their gradients, and h and c on their way from one time step to the next.
MOVED = {
    "embedded word, written and read": 2 * 16,
    "four gates, cell and hidden state, kept for the backward pass: written and read": 2 * 6 * 8,
    "embedded word, read again for the gradient of the kernel": 16,
    "gradient of the embedded word, written and read": 2 * 16,
}
BYTES_A_REVIEW = 4 * MAX_LEN * sum(MOVED.values())


def main() -> None:
    """Measure wave after wave; print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lanes", default="1,4,16")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reviews", type=int, default=6_400, help="An epoch of 64 lanes or fewer.")
    parser.add_argument("--out", type=Path, default=Path("lanes.json"))
    chosen = parser.parse_args()
    lanes = [int(n) for n in chosen.lanes.split(",")]
    if chosen.full and len(lanes) < 3:
        parser.error("--full needs three widths of --lanes at least")
    session = Session(chosen, lanes)
    for wave in plan_waves(lanes, chosen.reviews, full=chosen.full):
        session.run_wave(wave)
    result = session.write()
    print(json.dumps({key: result[key] for key in ("reviews_a_second", "over_fit")}, indent=1))


def plan_waves(lanes: Sequence[int], reviews: int, *, full: bool) -> list[list[Contender]]:
    """What starts together: the table, then the widest and the profiles."""

    def fleet(n: int, **more: Any) -> Contender:  # Any: a contender's fields
        shorter = math.isqrt(max(1, n // 64))  # a wide fleet's epoch is long enough all the same
        return Contender(lanes=n, reviews=max(reviews // shorter, BATCH_SIZE), **more)

    def fit(**more: Any) -> Contender:  # Any: a contender's fields
        return Contender(lanes=0, reviews=3 * reviews, **more)

    if not full:
        return [[fit(), *map(fleet, lanes)]]
    *narrow, middle, wide, widest = lanes
    others = [
        contender
        for name in ARCHITECTURES
        for contender in (fit(architecture=name), fleet(wide, architecture=name))
    ]
    return [
        [fit(), *map(fleet, [*narrow, middle, wide]), *others],
        [
            replace(fleet(middle, profiled=True), reviews=max(reviews // 5, BATCH_SIZE)),
            fleet(widest, profiled=True),
        ],
    ]


class Session:
    """What has been measured, and the waves that measure more.

    Attributes:
        rows: of each contender, by its name, an answer for each epoch.
        ready: what each said when it was ready.
        failed: why a contender was given up, by its name.
    """

    def __init__(self, chosen: argparse.Namespace, lanes: Sequence[int]) -> None:
        self._chosen, self._lanes = chosen, list(lanes)
        self._began = time.perf_counter()
        self._gpu = next(iter(find_gpus()), None)
        self.contenders: dict[str, Contender] = {}
        self.rows: dict[str, list[dict[str, Any]]] = {}  # Any: JSON values
        self.ready: dict[str, dict[str, Any]] = {}  # Any: JSON values
        self.failed: dict[str, str] = {}

    def run_wave(self, wave: Sequence[Contender]) -> None:
        """Start all, then measure each in turn, round after round."""
        with tempfile.TemporaryDirectory() as folder:
            children = [Child(contender, self._gpu, Path(folder)) for contender in wave]
            try:
                with ThreadPoolExecutor(usable_cores()) as pool:
                    list(pool.map(self._start, children))
                self._say(f"{len(wave)} contenders started")
                for _ in range(self._chosen.rounds):
                    for child in children:
                        self._measure(child)
            finally:
                for child in children:
                    child.end()

    def write(self) -> dict[str, Any]:  # Any: JSON values
        """The file, with all that has been measured so far."""
        words = ["--lanes", self._chosen.lanes, *(["--full"] if self._chosen.full else [])]
        words += ["--rounds", str(self._chosen.rounds), "--reviews", str(self._chosen.reviews)]
        return write_result(
            self._chosen.out,
            summarise(self),
            command=f"python benchmarks/speed/lanes.py {' '.join(words)}",
            packages=("keras", "jax", "jaxlib", "numpy"),
            gpu=self._gpu,
        )

    @property
    def lanes(self) -> list[int]:
        """The widths that were measured of plain fleets, the narrowest first."""
        return [n for n in self._lanes if self.rows.get(self.plain(n))]

    def plain(self, lanes: int) -> str:
        """The name under which a plain fleet was measured: as it is, or profiled as well."""
        names = [
            Contender(lanes=lanes, reviews=0, profiled=profiled).name for profiled in (False, True)
        ]
        return next((name for name in names if name in self.rows), names[0])

    def _start(self, child: Child) -> None:
        contender = child.contender
        try:
            child.start()
            self.ready[contender.name] = child.answer(START_SECONDS)
        except ContenderError as err:
            self._give_up(contender, str(err))
            return
        self.contenders[contender.name] = contender
        ready = self.ready[contender.name]
        self._say(f"{contender.name}: compiled in {ready['compile_seconds']:.1f} s")
        got = ready["lanes"]
        if got != contender.lanes:
            self._say(f"{contender.name}: out of memory, measured with {got} lanes")

    def _measure(self, child: Child) -> None:
        name = child.contender.name
        if name in self.failed:
            return
        try:
            row = child.ask(EPOCH_SECONDS)
        except ContenderError as err:
            self._give_up(child.contender, str(err))
            return
        self.rows.setdefault(name, []).append(row)
        self._say(
            f"{name}: {row['reviews_a_second']:,.0f} reviews a second,"
            f" {row['step_ms']:.3f} ms a step"
        )
        if "profile" in row:
            print_profile(row["profile"])
        if "profile_error" in row:
            self._say(f"{name}: no profile: {row['profile_error']}")
        self.write()

    def _give_up(self, contender: Contender, reason: str) -> None:
        self.failed[contender.name] = reason
        self._say(f"{contender.name}: {reason}")
        self.write()

    def _say(self, line: str) -> None:
        print(f"{time.perf_counter() - self._began:6.1f} s  {line}", flush=True)


class ContenderError(Exception):
    """A contender that ended or did not answer, and its last words."""


class Child:
    """A contender's process."""

    def __init__(self, contender: Contender, gpu: str | None, folder: Path) -> None:
        self.contender = contender
        self._log = folder / f"{id(self)}.log"
        self._environment = {**os.environ, **worker_environment("jax", gpu)}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin to get ready."""
        with open(self._log, "w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                command(self.contender),
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def ask(self, timeout_s: float) -> dict[str, Any]:  # Any: JSON values
        """Have it train an epoch; its answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            print("epoch", file=self._process.stdin, flush=True)
        except BrokenPipeError as err:
            raise ContenderError(self._last_words()) from err
        return self.answer(timeout_s)

    def answer(self, timeout_s: float) -> dict[str, Any]:  # Any: JSON values
        """Wait for what it says next; a process that takes longer is ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        timer = threading.Timer(timeout_s, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        in_time = timer.is_alive()
        timer.cancel()
        if not line:
            reason = self._last_words() if in_time else f"no answer within {timeout_s:g} s"
            raise ContenderError(reason)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Wait for a process that is told to end; end one that does not."""
        if self._process is None:
            return
        self._process.kill()  # there is nothing that it would have to put away
        self._process.communicate()

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        telling = [line for line in lines if "Error" in line]
        return (telling or [line for line in lines if line.strip()] or ["ended"])[-1][:300]


def summarise(session: Session) -> dict[str, Any]:  # Any: JSON values
    """Medians of the rounds, the throughput against `fit`, the estimates and all rows."""
    speed = {
        name: statistics.median(row["reviews_a_second"] for row in rows)
        for name, rows in session.rows.items()
    }
    one = speed.get(session.plain(1))
    copies = [
        row["copy_bytes_a_second"]
        for row in session.rows.get(session.plain(1), ())
        if "copy_bytes_a_second" in row
    ]
    return {
        "reviews_a_second": {name: round(value) for name, value in speed.items()},
        "over_fit": {
            name: round(value / speed[beside], 2)
            for name, value in speed.items()
            if (beside := _fit_beside(session.contenders[name])) in speed and name != beside
        },
        "lanes": session.lanes,
        "launch_bound": {str(n): round(n * one) for n in session.lanes} if one else {},
        "memory_bound": round(copies[0] / BYTES_A_REVIEW) if copies else None,
        "bytes_a_review": {"values_a_time_step": MOVED, "bytes": BYTES_A_REVIEW},
        "failed": session.failed,
        "ready": session.ready,
        "reviews_an_epoch": {name: each.reviews for name, each in session.contenders.items()},
        "all": session.rows,
        "how": "a wave of contenders compiles at once; then each trains one epoch in turn, rounds"
        f" interleaved; a fleet's speed is that of an epoch of {EPOCH_REVIEWS} reviews a lane: its"
        " steps at the measured time, and what a call costs beside them (call_ms)",
    }


def _fit_beside(contender: Contender) -> str:
    """The name of the `fit` that a contender is held against."""
    return Contender(architecture=contender.architecture, lanes=0, reviews=0).name


def print_profile(profile: Mapping[str, Any]) -> None:  # Any: JSON values
    """A profile as a short table."""
    told = ("kernels_a_step", "span_ms_a_step", "busy_share", "mean_kernel_us")
    print("          " + ", ".join(f"{key} {profile[key]}" for key in told))
    for kernel in profile["kernels"]:
        print(
            f"          {kernel['share']:6.1%} {kernel['a_step']:8.1f} a step"
            f" {kernel['mean_us']:9.2f} us  {kernel['name']}"
        )


if __name__ == "__main__":
    main()
