"""What preparing a large file of labelled texts takes.

    python benchmarks/speed/own_data.py [--rows 200000] [--words 100]

Made-up texts of two classes in a CSV file; `rnnbench data describe` in a fresh process, with an
empty cache. Writes its seconds, and the peak memory of it and the process that reads the file.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from provenance import RESULTS, write_result

N_WORDS = 50_000  # different ones, as rare as words are


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--words", type=int, default=100)
    parser.add_argument("--out", type=Path, default=RESULTS / "own_data.json")
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_texts(folder / "reviews.csv", choices.rows, choices.words)
        size = (folder / "reviews.csv").stat().st_size
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "rnnbench", "data", "describe", "reviews.csv"],
            cwd=folder,
            env={**os.environ, "RNNBENCH_CACHE": str(folder / "cache")},
            check=True,
        )
        seconds = time.perf_counter() - began
    result = {
        "seconds": round(seconds, 1),
        "largest_process_peak_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "rows": choices.rows,
        "file_mib": round(size / 2**20, 1),
    }
    command = f"python benchmarks/speed/own_data.py --rows {choices.rows} --words {choices.words}"
    whole = write_result(choices.out, result, command=command, packages=("rnnbench", "numpy"))
    print(json.dumps(whole, indent=1))


def write_texts(path: Path, n_rows: int, n_words: int) -> None:
    """Rows with a text and a label."""
    rng = np.random.default_rng(0)
    words = np.array([f"word{number}" for number in range(N_WORDS)])
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["text", "label"])
        for row in range(n_rows):
            ranks = rng.zipf(1.3, n_words) % N_WORDS
            table.writerow([" ".join(words[ranks]), ("bad", "good")[row % 2]])


if __name__ == "__main__":
    main()
