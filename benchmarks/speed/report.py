"""How long `rnnbench report` takes against the number of runs, and its peak memory.

    python benchmarks/speed/report.py [--sizes 40,100,300,1000,3000,10000]

Each size is a made-up study of four architectures in a store of its own: MLflow's database, 50
epochs a run, and predictions for 25,000 test reviews. The report is a fresh process, whole.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from provenance import RESULTS, write_result

from rnnbench.architectures import ALL, make_form
from rnnbench.data.cache import open_corpus
from rnnbench.datasets import resolve_dataset
from rnnbench.specs import DataSpec, RunSpec
from rnnbench.tracking.database import make_database
from rnnbench.tracking.measures import EPOCH_METRICS
from rnnbench.tracking.publisher import (
    ATTEMPT_TAG,
    FINGERPRINT_TAG,
    SPEC_TAG,
    STATUS_TAG,
)
from rnnbench.tracking.store import DATABASE, find_store
from rnnbench.training.loop import pack_predictions

STUDY = "made-up"
N_EPOCHS = 50
PACKAGES = ("rnnbench", "mlflow", "numpy", "scipy", "matplotlib")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One report."""

    n_runs: int
    seconds: float
    peak_mib: float
    page_mib: float


def main() -> None:
    """Measure each size, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="40,100,300,1000,3000,10000")
    parser.add_argument("--out", type=Path, default=RESULTS / "report.json")
    choices = parser.parse_args()
    fingerprint = resolve_dataset("synthetic-full").fingerprint
    measured = []
    for size in choices.sizes.split(","):
        measured.append(measure(int(size), fingerprint))
        print(measured[-1], flush=True)
    write_result(
        choices.out,
        {"reports": [asdict(item) for item in measured]},
        command=f"python benchmarks/speed/report.py --sizes {choices.sizes}",
        packages=PACKAGES,
    )


def measure(n_runs: int, fingerprint: str) -> Measured:
    """Make a store of so many runs and time its report."""
    with tempfile.TemporaryDirectory(prefix="rnnbench-speed-") as folder:
        root = Path(folder)
        make_study(root, n_runs, fingerprint)
        began = time.perf_counter()
        command = [sys.executable, "-m", "rnnbench", "report", STUDY]
        # A process of its own measures the peak of its only child.
        script = (
            "import resource, subprocess, sys; "
            "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, *command],
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - began
        page = root / "reports" / STUDY / "index.html"
        return Measured(
            n_runs=n_runs,
            seconds=round(seconds, 2),
            peak_mib=round(int(done.stdout.split()[-1]) / 1024, 1),
            page_mib=round(page.stat().st_size / 2**20, 2),
        )


def make_study(root: Path, n_runs: int, fingerprint: str) -> None:
    """A store in MLflow's stock place with a made-up study of so many finished runs."""
    store = find_store(root)
    make_database(store, root)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow import MlflowClient

    experiment = MlflowClient(store.address).create_experiment(STUDY)
    truth = open_corpus(fingerprint).test.labels > 0
    rng = np.random.default_rng(0)
    data = DataSpec(dataset="synthetic", fingerprint=fingerprint)
    with sqlite3.connect(root / DATABASE) as database:
        for index in range(n_runs):
            form = make_form(ALL[index % len(ALL)])
            spec = RunSpec(form=form, data=data, seed=index // len(ALL))
            add_run(database, root, experiment, spec, truth, rng)


def add_run(
    database: sqlite3.Connection,
    root: Path,
    experiment: str,
    spec: RunSpec,
    truth: NDArray[np.bool_],
    rng: np.random.Generator,
) -> None:
    """A run, its tags, metrics and predictions, as the publisher leaves them."""
    run_id = f"{spec.fingerprint}{spec.seed:016d}"
    folder = root / "mlruns" / experiment / run_id / "artifacts"
    folder.mkdir(parents=True)
    right = rng.random(len(truth)) < 0.8 + 0.003 * rng.standard_normal()
    probability = np.where(right == truth, 0.75, 0.25).astype(np.float32)
    (folder / "predictions.npz").write_bytes(pack_predictions(probability))
    now = int(time.time() * 1000)
    database.execute(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, "
        "status, start_time, end_time, source_version, lifecycle_stage, artifact_uri, "
        "experiment_id) VALUES (?, ?, 'LOCAL', 'rnnbench', '', 'me', 'FINISHED', ?, ?, '', "
        "'active', ?, ?)",
        (run_id, run_id[:8], now, now, str(folder), experiment),
    )
    tags = {
        FINGERPRINT_TAG: spec.fingerprint,
        SPEC_TAG: json.dumps(spec.to_json()),
        ATTEMPT_TAG: "1",
        STATUS_TAG: "finished",
        "rnnbench.kind": "run",
        "rnnbench.device": "cpu",
        "rnnbench.processor": "made up",
    }
    database.executemany(
        "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
        [(key, value, run_id) for key, value in tags.items()],
    )
    curve = make_curve(rng)
    database.executemany(
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
        "VALUES (?, ?, ?, ?, ?, 0)",
        [
            (key, float(row[column]), now, run_id, epoch)
            for epoch, row in enumerate(curve, 1)
            for column, key in enumerate(EPOCH_METRICS)
        ],
    )
    best = int(curve[:, 2].argmin())
    results = {
        "epochs": N_EPOCHS,
        "best_epoch": best + 1,
        "best_val_loss": curve[best, 2],
        "best_val_accuracy": curve[best, 3],
        "train_loss_at_best": curve[best, 2] - 0.02,
        "test_accuracy": float(right.mean()),
        "test_loss": curve[best, 2] + 0.002,
        "fit_seconds": 0.7 * N_EPOCHS,
        "median_epoch_seconds": 0.7,
    }
    database.executemany(
        "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
        "VALUES (?, ?, ?, 0, 0, ?)",
        [(key, float(value), now, run_id) for key, value in results.items()],
    )


def make_curve(rng: np.random.Generator) -> NDArray[np.float64]:
    """float64 `(n_epochs, 5)`: columns as in `EPOCH_METRICS`."""
    falling = 0.43 + 0.26 * np.exp(-np.arange(N_EPOCHS) / 10)
    noise = 0.004 * rng.standard_normal((2, N_EPOCHS))
    loss, val_loss = falling + noise[0], falling + 0.005 + noise[1]
    columns = [loss, 1.15 - 0.8 * loss, val_loss, 1.15 - 0.8 * val_loss, np.full(N_EPOCHS, 0.7)]
    return np.stack(columns, axis=1)


if __name__ == "__main__":
    main()
