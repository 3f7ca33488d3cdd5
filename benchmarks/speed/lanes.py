"""What lanes are worth: a fleet of LSTM(8) against Keras's own `fit`, on one device.

    python benchmarks/speed/lanes.py [--lanes 1,4,16,64,256] [--repeats 3] [--plot FILE.png]

Reviews a second in steady training, each contender in a fresh process, interleaved: `fit` on JAX as
Keras sets it (jit, and cuDNN where there is a GPU), one run after the other; fleets of so many
lanes. Needs Keras and JAX alone (and matplotlib to plot). The first GPU is taken if there is one.

Two estimates go beside what was measured. Launch-bound: every step costs what it costs with one
lane, however many there are. Memory-bound: every review moves the bytes of `bytes_a_review`, as
fast as this device copies a large array.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from provenance import write_result

from rnnbench.architectures import make_form
from rnnbench.data.dataset import Part
from rnnbench.execution.devices import find_gpus
from rnnbench.execution.environment import worker_environment
from rnnbench.specs import DataSpec, RunSpec
from rnnbench.training.engine import Work
from rnnbench.training.loop import batch_order, dropout_seed

MAX_LEN, NUM_WORDS = 100, 500
BATCH_SIZE = 64


def main() -> None:
    """Measure every contender in turn, several times; print, write, plot."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lanes", default="1,4,16,64,256")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--reviews", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=Path("lanes.json"))
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    choices = parser.parse_args()
    if choices.contender is not None:
        print(json.dumps(measure(int(choices.contender), choices.epochs, choices.reviews)))
        return
    lanes = [0, *(int(n) for n in choices.lanes.split(","))]
    found: dict[int, list[dict[str, float]]] = {n: [] for n in lanes}
    for _ in range(choices.repeats):
        for n in lanes:
            found[n].append(measure_in_process(n, choices.epochs, choices.reviews))
            print(name(n), found[n][-1], flush=True)
    result = write_result(
        choices.out,
        summarise(found),
        command=f"python benchmarks/speed/lanes.py --lanes {choices.lanes}"
        f" --repeats {choices.repeats} --epochs {choices.epochs} --reviews {choices.reviews}",
        packages=("keras", "jax", "numpy"),
        gpu=next(iter(find_gpus()), None),
    )
    print(json.dumps(result, indent=1))
    if choices.plot:
        plot(result, choices.plot)


def name(n_lanes: int) -> str:
    """A contender, for people."""
    return f"fleet, {n_lanes} lanes" if n_lanes else "Keras fit"


def measure_in_process(n_lanes: int, epochs: int, reviews: int) -> dict[str, float]:
    """`measure` in a fresh process that sees one GPU, or none."""
    environment = {**os.environ, **worker_environment("jax", next(iter(find_gpus()), None))}
    command = [sys.executable, __file__, "--contender", str(n_lanes)]
    command += ["--epochs", str(epochs), "--reviews", str(reviews)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(n_lanes: int, epochs: int, reviews: int) -> dict[str, float]:
    """Reviews a second after a first epoch; 0 lanes is Keras's `fit`."""
    data = DataSpec(dataset="made-up", fingerprint="", num_words=NUM_WORDS, max_len=MAX_LEN)
    specs = [
        RunSpec(form=make_form("lstm"), data=data, seed=seed, engine="fleet")
        for seed in range(max(n_lanes, 1))
    ]
    rng = np.random.default_rng(0)
    part = Part(
        tokens=rng.integers(1, NUM_WORDS, (reviews, MAX_LEN), dtype=np.int32),
        labels=rng.integers(0, 2, reviews).astype(np.float32),
    )
    if not n_lanes:
        return measure_fit(specs[0], part, epochs)
    from rnnbench.training.fleet import FleetProgram

    program = FleetProgram(specs[0], n_lanes)
    variables = [program.initial(spec) for spec in specs]
    seconds = []
    for epoch in range(1, epochs + 2):
        works = [
            Work(
                variables=state,
                order=batch_order(spec.seed, epoch, reviews, "reshuffled"),
                dropout_seed=dropout_seed(spec.seed, epoch),
            )
            for spec, state in zip(specs, variables, strict=True)
        ]
        began = time.perf_counter()
        outcomes = program.run_epochs(works, part)
        seconds.append(time.perf_counter() - began)
        variables = [outcome.variables for outcome in outcomes if outcome is not None]
    return {
        "reviews_a_second": n_lanes * reviews / statistics.median(seconds[1:]),
        "compile_seconds": program.compile_seconds,
        **({"copy_bytes_a_second": copy_speed()} if n_lanes == 1 else {}),
    }


def measure_fit(spec: RunSpec, part: Part, epochs: int) -> dict[str, float]:
    """Keras's own loop, with the settings that it takes by itself."""
    from rnnbench.models import build_model, build_optimizer

    model = build_model(spec)
    model.compile(optimizer=build_optimizer(spec), loss="binary_crossentropy", jit_compile=True)
    whole = len(part.labels) // BATCH_SIZE * BATCH_SIZE  # else a second shape is compiled
    tokens, labels = part.tokens[:whole], part.labels[:whole]
    keeps: dict[str, Any] = {"batch_size": BATCH_SIZE, "verbose": 0}
    began = time.perf_counter()
    model.fit(tokens, labels, **keeps)
    first = time.perf_counter() - began
    seconds = []
    for _ in range(epochs):
        began = time.perf_counter()
        model.fit(tokens, labels, **keeps)
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds)
    return {"reviews_a_second": whole / median, "compile_seconds": first - median}


def copy_speed() -> float:
    """Bytes a second that the device reads and writes in copying 256 MiB."""
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


def bytes_a_review() -> float:
    """The least that one review moves in a training step of LSTM(8), by hand.

    Forward and backward, each of `MAX_LEN` time steps reads or writes, in float32: the input (16),
    the four gates' sums (4 × 8), cell and hidden state (2 × 8), and again their gradients; weights
    and what stays in a cache are left out.
    """
    values = 16 + 4 * 8 + 2 * 8
    return float(2 * 2 * MAX_LEN * values * 4)


def summarise(found: Mapping[int, list[dict[str, float]]]) -> dict[str, Any]:  # Any: JSON values
    """Medians, their spread, and the throughput against `fit`."""
    speed = {
        n: statistics.median(row["reviews_a_second"] for row in rows) for n, rows in found.items()
    }
    copies = [
        row["copy_bytes_a_second"] for row in found.get(1, ()) if "copy_bytes_a_second" in row
    ]
    return {
        "reviews_a_second": {name(n): round(value) for n, value in speed.items()},
        "over_fit": {name(n): round(value / speed[0], 2) for n, value in speed.items() if n},
        "all": {name(n): rows for n, rows in found.items()},
        "lanes": [n for n in speed if n],
        "launch_bound": {str(n): round(n * speed[1]) for n in speed if n} if 1 in speed else {},
        "memory_bound": round(statistics.median(copies) / bytes_a_review()) if copies else None,
    }


def plot(result: Mapping[str, Any], path: Path) -> None:  # Any: JSON values
    """Throughput against lanes, with both estimates."""
    from matplotlib.figure import Figure

    lanes, speed = result["lanes"], result["reviews_a_second"]
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(lanes, [speed[name(n)] for n in lanes], marker="o", label="measured")
    if result["launch_bound"]:
        bound = [result["launch_bound"][str(n)] for n in lanes]
        axes.plot(lanes, bound, linestyle="--", label="estimate: launch-bound")
    if result["memory_bound"]:
        axes.axhline(result["memory_bound"], linestyle=":", label="estimate: memory-bound")
    axes.axhline(speed[name(0)], color="grey", label="Keras fit, one run after the other")
    axes.set(xscale="log", yscale="log", xlabel="lanes", ylabel="reviews a second")
    axes.set_xticks(lanes, [str(n) for n in lanes])
    axes.set_title(result["machine"].get("gpu") or result["machine"]["processor"])
    axes.legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
