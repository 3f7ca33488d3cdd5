"""One epoch of LSTM(8) on the real reviews, by what carries it out, side by side.

    RNNBENCH_DATA=FOLDER python benchmarks/speed/epoch.py [--epochs 5] [--repeats 3]

Contenders, each in a fresh process held to the CPU: the scan that `rnnbench` uses, with one thread
(as its workers run) and with JAX's own choice of threads; a fleet of one lane; Keras's `fit` on
TensorFlow as `rnnbench --backend tensorflow` runs it. Compilation is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from provenance import RESULTS, write_result

from rnnbench.architectures import make_form
from rnnbench.data.dataset import load_part
from rnnbench.datasets import resolve_dataset
from rnnbench.execution.environment import worker_environment
from rnnbench.specs import Backend, DataSpec, RunSpec
from rnnbench.training.engine import Work
from rnnbench.training.engines import open_program
from rnnbench.training.loop import batch_order

CONTENDERS = (
    "scan",
    "scan, threads as JAX likes",
    "fleet of one lane",
    "fit on TensorFlow",
)


def main() -> None:
    """Measure every contender in turn, several times; print and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--contender", choices=CONTENDERS)
    parser.add_argument("--out", type=Path, default=RESULTS / "epoch.json")
    choices = parser.parse_args()
    if choices.contender:
        print(json.dumps(measure(choices.contender, choices.epochs)))
        return
    resolve_dataset("imdb")  # prepared once, before any clock runs
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    for _ in range(choices.repeats):
        for name in CONTENDERS:
            found[name].append(measure_in_process(name, choices.epochs))
    result = {
        "median_epoch_seconds": {
            name: round(statistics.median(row["epoch_seconds"] for row in rows), 3)
            for name, rows in found.items()
        },
        "all": found,
    }
    write_result(
        choices.out,
        result,
        command=f"python benchmarks/speed/epoch.py --repeats {choices.repeats}",
        packages=("keras", "jax", "tensorflow"),
    )
    print(json.dumps(result["median_epoch_seconds"], indent=1))


def backend_of(contender: str) -> Backend:
    """The back end that a contender runs on."""
    return "tensorflow" if "TensorFlow" in contender else "jax"


def measure_in_process(contender: str, epochs: int) -> dict[str, float]:
    """`measure` in a fresh process with a worker's environment."""
    environment = {**os.environ, **worker_environment(backend_of(contender))}
    if contender == "scan, threads as JAX likes":
        del environment["NPROC"]
    command = [sys.executable, __file__, "--contender", contender, "--epochs", str(epochs)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(contender: str, epochs: int) -> dict[str, float]:
    """Median seconds of an epoch after the first, and the seconds before that."""
    dataset = resolve_dataset("imdb")
    data = DataSpec(dataset=dataset.name, fingerprint=dataset.fingerprint)
    spec = RunSpec(
        form=make_form("lstm"),
        data=data,
        seed=0,
        backend=backend_of(contender),
        engine="fleet" if "fleet" in contender else "keras",
    )
    part = load_part(data, "train")
    began = time.perf_counter()
    program = open_program(spec, n_lanes=1)
    variables = program.initial(spec)
    seconds = []
    for epoch in range(1, epochs + 2):
        order = batch_order(0, epoch, len(part.labels), "reshuffled")
        clock = time.perf_counter()
        work = Work(variables=variables, order=order, dropout_seed=epoch)
        (outcome,) = program.run_epochs([work], part)
        seconds.append(time.perf_counter() - clock)
        assert outcome is not None
        variables = outcome.variables
    return {
        "epoch_seconds": statistics.median(seconds[1:]),
        "start_seconds": time.perf_counter() - began - sum(seconds[1:]),
    }


if __name__ == "__main__":
    main()
