"""The executor `ray` on one machine against `local`: the same study, side by side.

    RNNBENCH_DATA=FOLDER python benchmarks/speed/executors.py [--repeats 3] [--epochs 20]

Wall-clock time of whole commands in folders of their own, with prepared reviews and compiled
programs in the cache; what starting a Ray cluster takes is part of it. Without `--epochs` it is
`rnnbench run --all` as it is. The numbers of the runs are compared too.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from provenance import RESULTS, write_result

from rnnbench.data.imdb import find_imdb

CONTENDERS = {"local": [], "ray": ["--executor", "ray", "--ray-address", "local"]}
PACKAGES = ("rnnbench", "ray", "keras", "jax", "numpy")
CURVES = ("loss", "val_loss", "val_accuracy")

Curves = dict[str, list[tuple[str, ...]]]


def main() -> None:
    """Measure in turns; print and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="at most; by default the study's own")
    parser.add_argument("--out", type=Path, default=RESULTS / "executors.json")
    choices = parser.parse_args()
    data = find_imdb()
    if data is None:
        raise SystemExit("set RNNBENCH_DATA to a folder that holds imdb.npz")
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    curves: dict[str, Curves] = {}
    study = ["run", "--all", "--seeds", str(choices.seeds), "--dataset", str(data), "--no-report"]
    size = [] if choices.epochs is None else ["--epochs", str(choices.epochs)]
    with tempfile.TemporaryDirectory() as cache:
        run_once([*study, "--epochs", "1"], Path(cache))  # prepares and compiles
        for repeat in range(choices.repeats):
            names = list(CONTENDERS)  # each goes first in turn: the machine may drift
            for name in reversed(names) if repeat % 2 else names:
                words = [*study, *size, *CONTENDERS[name]]
                taken, curves[name] = run_once(words, Path(cache))
                seconds[name].append(taken)
                print(f"repeat {repeat + 1}, {name}: {taken:.1f} s", flush=True)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    result = {
        "ray_over_local": round(median["ray"] / median["local"], 3),
        "same_numbers": curves["ray"] == curves["local"],
        "n_runs": len(curves["local"]),
        "median_seconds": {name: round(value, 1) for name, value in median.items()},
        "seconds": {name: [round(v, 1) for v in values] for name, values in seconds.items()},
    }
    asked = ["--repeats", str(choices.repeats), "--seeds", str(choices.seeds), *size]
    command = " ".join(["python benchmarks/speed/executors.py", *asked])
    whole = write_result(choices.out, result, command=command, packages=PACKAGES)
    print(json.dumps(whole, indent=1))


def run_once(words: list[str], cache: Path) -> tuple[float, Curves]:
    """Seconds that a command takes in an empty folder, and what its runs came to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "RNNBENCH_CACHE": str(cache)}
        environment.pop("MLFLOW_TRACKING_URI", None)
        began = time.perf_counter()
        with open(folder / "output.txt", "wb") as output:
            subprocess.run(
                [sys.executable, "-m", "rnnbench", *words],
                cwd=folder,
                env=environment,
                check=True,
                stdout=output,
                stderr=output,
            )
        seconds = time.perf_counter() - began
        paths = folder.glob(".rnnbench/runs/*/*/history.csv")
        return seconds, {path.parent.name: read_curve(path) for path in paths}


def read_curve(path: Path) -> list[tuple[str, ...]]:
    """The epochs of a history, times left out."""
    with open(path, newline="") as file:
        return [tuple(row[name] for name in CURVES) for row in csv.DictReader(file)]


if __name__ == "__main__":
    main()
