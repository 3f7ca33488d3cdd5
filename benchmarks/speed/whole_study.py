"""What ledger, tracking and progress cost in a whole study: the README's `rnnbench run --all`.

    RNNBENCH_DATA=FOLDER python benchmarks/speed/whole_study.py [--keep FOLDER]

Three seeds of four architectures, to the early stop. Writes the parent's CPU time and memory.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
from pathlib import Path

from provenance import RESULTS, write_result
from run_all import PACKAGES, run_in

from rnnbench.data.imdb import find_imdb


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, help="leave the whole study in this folder")
    parser.add_argument("--out", type=Path, default=RESULTS / "whole_study.json")
    choices = parser.parse_args()
    data = find_imdb()
    if data is None:
        raise SystemExit("set RNNBENCH_DATA to a folder that holds imdb.npz")
    result = measure(data, choices.keep)
    command = "python benchmarks/speed/whole_study.py"
    whole = write_result(choices.out, result, command=command, packages=PACKAGES)
    print(json.dumps(whole, indent=1))


def measure(data: Path, keep: Path | None) -> dict[str, float]:
    """The parent's CPU time (ledger, tracking, progress) and memory, by what it says of itself."""
    command = [sys.executable, "-m", "rnnbench", "run", "--all", "--dataset", str(data)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        wall = run_in(folder.absolute(), command, folder.absolute() / "cache")
        values = read_metrics(folder / "mlflow.db")
    parent, workers = values["parent_cpu_seconds"], values["workers_cpu_seconds"]
    return {
        "parent_share_of_cpu": round(parent / (parent + workers), 4),
        "parent_cpu_seconds": round(parent, 2),
        "workers_cpu_seconds": round(workers, 2),
        "wall_seconds": round(wall, 1),
        "parent_peak_mib": round(values["parent_peak_mib"]),
        "largest_worker_peak_mib": round(values["largest_worker_peak_mib"]),
    }


def read_metrics(database: Path) -> dict[str, float]:
    """What a command noted about itself in MLflow."""
    query = (
        "SELECT key, value FROM latest_metrics "
        "WHERE key LIKE '%cpu_seconds' OR key LIKE '%peak_mib'"
    )
    with sqlite3.connect(database) as connection:
        return dict(connection.execute(query).fetchall())


if __name__ == "__main__":
    main()
