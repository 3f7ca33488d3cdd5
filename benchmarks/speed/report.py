"""How long `rnnbench report` takes against the number of runs, and its peak memory.

    python benchmarks/speed/report.py [--sizes 40,100,300,1000,3000,10000]

Each size is a made-up study of four architectures in a ledger of its own: 50 epochs a run, and
predictions for 25,000 test reviews. The report is a fresh process, whole.
"""

from __future__ import annotations

import argparse
import json
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
from rnnbench.ledger import Ledger
from rnnbench.recording import history_csv
from rnnbench.specs import DataSpec, EpochRow, RunResult, RunSpec
from rnnbench.training.loop import pack_predictions

STUDY = "made-up"
N_EPOCHS = 50
COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy", "epoch_seconds")
NO_MODEL = b"PK\x05\x06" + bytes(18)  # an empty archive
PACKAGES = ("rnnbench", "numpy", "scipy", "matplotlib")


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
    """Make a ledger of so many runs and time its report."""
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
    """A ledger with a made-up study of so many finished runs."""
    truth = open_corpus(fingerprint).test.labels > 0
    rng = np.random.default_rng(0)
    data = DataSpec(dataset="synthetic", fingerprint=fingerprint)
    for index in range(n_runs):
        form = make_form(ALL[index % len(ALL)])
        spec = RunSpec(form=form, data=data, seed=index // len(ALL))
        add_run(Ledger(root).entry(STUDY, spec).folder, spec, truth, rng)


def add_run(
    folder: Path, spec: RunSpec, truth: NDArray[np.bool_], rng: np.random.Generator
) -> None:
    """A run's files as a command leaves them, but for its model: none is forced to disk."""
    folder.mkdir(parents=True)
    right = rng.random(len(truth)) < 0.8 + 0.003 * rng.standard_normal()
    probability = np.where(right == truth, 0.75, 0.25).astype(np.float32)
    (folder / "predictions.npz").write_bytes(pack_predictions(probability))
    (folder / "best.keras").write_bytes(NO_MODEL)
    (folder / "spec.json").write_text(json.dumps(spec.to_json()))
    curve = make_curve(rng)
    history = [
        EpochRow(epoch=epoch, ended_at=time.time(), **dict(zip(COLUMNS, row, strict=True)))
        for epoch, row in enumerate(curve.tolist(), 1)
    ]
    (folder / "history.csv").write_bytes(history_csv(history))
    best = int(curve[:, 2].argmin())
    result = RunResult(
        status="finished",
        epochs=N_EPOCHS,
        best_epoch=best + 1,
        val_loss=float(curve[best, 2]),
        val_accuracy=float(curve[best, 3]),
        train_loss_at_best=float(curve[best, 2] - 0.02),
        test_accuracy=float(right.mean()),
        test_loss=float(curve[best, 2] + 0.002),
        fit_seconds=0.7 * N_EPOCHS,
        epoch_seconds=0.7,
        environment={"device": "cpu", "processor": "made up"},
    )
    (folder / "result.json").write_text(json.dumps(asdict(result)))


def make_curve(rng: np.random.Generator) -> NDArray[np.float64]:
    """float64 `(n_epochs, 5)`: as in `COLUMNS`."""
    falling = 0.43 + 0.26 * np.exp(-np.arange(N_EPOCHS) / 10)
    noise = 0.004 * rng.standard_normal((2, N_EPOCHS))
    loss, val_loss = falling + noise[0], falling + 0.005 + noise[1]
    columns = [loss, 1.15 - 0.8 * loss, val_loss, 1.15 - 0.8 * val_loss, np.full(N_EPOCHS, 0.7)]
    return np.stack(columns, axis=1)


if __name__ == "__main__":
    main()
