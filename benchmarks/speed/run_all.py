"""The notes' notebook loop against `rnnbench run --all`, side by side on the same reviews.

    RNNBENCH_DATA=FOLDER python benchmarks/speed/run_all.py [--repeats 3] [--log FILE]

Wall-clock time of whole processes, start-up included. `rnnbench cold` starts from nothing: it reads
the reviews and compiles, as the notes' loop does each time. `rnnbench` is the second command on a
machine: prepared reviews and compiled programs are in its cache. Prints the ratios, and writes
them as JSON. A log keeps each measurement as it comes; the same command goes on after the last.
"""

from __future__ import annotations

import argparse
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

HERE = Path(__file__).parent
CONTENDERS = ("cold", "rnnbench", "notes", "jit")
PACKAGES = ("rnnbench", "keras", "tensorflow", "jax", "mlflow", "numpy")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--log", type=Path, help="a line for each measurement")
    parser.add_argument("--out", type=Path, default=RESULTS / "run_all.json")
    choices = parser.parse_args()
    data = find_imdb()
    if data is None:
        raise SystemExit("set RNNBENCH_DATA to a folder that holds imdb.npz")
    seconds = read_log(choices.log)
    measure_side_by_side(data, choices.repeats, choices.seeds, choices.epochs, seconds, choices.log)
    result = summarise(seconds) | {"seeds": choices.seeds, "epochs": choices.epochs}
    command = f"python benchmarks/speed/run_all.py --repeats {choices.repeats}"
    whole = write_result(choices.out, result, command=command, packages=PACKAGES)
    print(json.dumps(whole, indent=1))


def read_log(log: Path | None) -> dict[str, list[float]]:
    """The seconds measured so far, by contender."""
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    if log is not None and log.exists():
        for line in log.read_text("utf-8").splitlines():
            name, value = line.split()
            seconds[name].append(float(value))
    return seconds


def measure_side_by_side(
    data: Path,
    repeats: int,
    seeds: int,
    epochs: int,
    seconds: dict[str, list[float]],
    log: Path | None,
) -> None:
    """Add wall-clock seconds of each contender, interleaved, until there are `repeats` of each."""
    size = ["--seeds", str(seeds), "--epochs", str(epochs)]
    notes = [sys.executable, str(HERE / "notes_loop.py"), "--data", str(data), *size]
    ours = [sys.executable, "-m", "rnnbench", "run", "--all", "--dataset", str(data), *size]
    commands = {"cold": ours, "rnnbench": ours, "notes": notes, "jit": [*notes, "--jit"]}
    for repeat in range(repeats):
        with tempfile.TemporaryDirectory() as cache:  # filled by `cold`, taken by `rnnbench`
            for name in CONTENDERS:
                if len(seconds[name]) > repeat:
                    continue
                if name == "rnnbench" and not any(Path(cache).iterdir()):
                    run_apart(commands["cold"], Path(cache))  # `cold` was measured before a stop
                seconds[name].append(run_apart(commands[name], Path(cache)))
                print(f"repeat {repeat + 1}, {name}: {seconds[name][-1]:.1f} s", flush=True)
                if log is not None:
                    with open(log, "a", encoding="utf-8") as file:
                        file.write(f"{name} {seconds[name][-1]:.1f}\n")


def run_in(folder: Path, command: list[str], cache: Path) -> float:
    """Seconds that a command takes in a folder; what it prints is kept out of sight.

    The benchmark's own numbers must not depend on a server, or on anybody's cache.
    """
    environment = {**os.environ, "RNNBENCH_CACHE": str(cache)}
    environment.pop("MLFLOW_TRACKING_URI", None)
    began = time.perf_counter()
    with open(folder / "output.txt", "wb") as output:
        subprocess.run(
            command, cwd=folder, env=environment, check=True, stdout=output, stderr=output
        )
    return time.perf_counter() - began


def run_apart(command: list[str], cache: Path) -> float:
    """The same in an empty folder, which is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return run_in(Path(folder), command, cache)


def summarise(seconds: dict[str, list[float]]) -> dict[str, object]:
    """Medians and their ratios."""
    median = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "ratio_notes": round(median["notes"] / median["rnnbench"], 2),
        "ratio_jit": round(median["jit"] / median["rnnbench"], 2),
        "ratio_notes_cold": round(median["notes"] / median["cold"], 2),
        "ratio_jit_cold": round(median["jit"] / median["cold"], 2),
        "median_seconds": {name: round(value, 1) for name, value in median.items()},
        "seconds": {name: [round(v, 1) for v in values] for name, values in seconds.items()},
    }


if __name__ == "__main__":
    main()
