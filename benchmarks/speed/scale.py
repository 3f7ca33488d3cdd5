"""What ten thousand runs cost beside their training: study, executor, ledger, tracking, report.

    python benchmarks/speed/scale.py [--runs 10000]

Everything is real but the engine, which sleeps for a known time instead of training: `rnnbench
run`'s own workflow, worker processes, ledger, MLflow database and report, in a folder of their own.
Writes the overhead a run of the first and the last thousand, and the memory of the parent.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from provenance import RESULTS, write_result

from rnnbench.architectures import ALL
from rnnbench.data.dataset import Part
from rnnbench.execution import engines, worker
from rnnbench.execution.devices import usable_cores
from rnnbench.execution.local import LocalExecutor, work_off
from rnnbench.execution.process import peak_mib
from rnnbench.options import ExecutorChoices
from rnnbench.reports.report import report_study
from rnnbench.run_options import RunChoices
from rnnbench.specs import RunSpec
from rnnbench.studies.run import run_study
from rnnbench.studies.screen import RunScreen
from rnnbench.training.engine import Arrays, OneLane, Scores, Variables

PACKAGES = ("rnnbench", "mlflow", "numpy")
STUDY = "simulated"
N_EPOCHS = 5
EPOCH_SECONDS = 0.002
N_REVIEWS = 400
THOUSAND = 1000


class SimulatedProgram(OneLane):
    """An engine of known cost: every epoch takes `EPOCH_SECONDS`, and the scores are drawn."""

    n_parameters = 0
    compile_seconds = 0.0

    def __init__(self, spec: RunSpec, n_lanes: int = 1) -> None:
        pass

    def initial(self, spec: RunSpec) -> Variables:
        """A seed of its own for each run."""
        return Variables(weights=(np.array([spec.seed, 0]),), optimizer=())

    def run_epoch(
        self, variables: Variables, part: Part, order: NDArray[np.int64], dropout_seed: int
    ) -> tuple[Variables, Scores]:
        """See `OneLane.run_epoch`."""
        time.sleep(EPOCH_SECONDS)
        seed, epoch = variables.weights[0]
        trained = Variables(weights=(np.array([seed, epoch + 1]),), optimizer=())
        return trained, Scores(loss=1 / (epoch + 2), accuracy=0.8)

    def predict(self, weights: Arrays, part: Part) -> NDArray[np.float32]:
        """See `OneLane.predict`."""
        rng = np.random.default_rng(weights[0].tolist())
        logit = (2 * part.labels - 1) + rng.normal(0, 1, len(part.labels))
        return (1 / (1 + np.exp(-logit))).astype(np.float32)

    def save(self, weights: Arrays, path: Path, learning_rate: float) -> None:
        """A file that holds no model."""
        path.write_bytes(weights[0].tobytes())

    def load(self, path: Path) -> Arrays:
        """What `save` wrote."""
        return (np.frombuffer(path.read_bytes(), dtype=np.int64),)


def simulate(pipe: Connection, gpu: str | None, n_lanes: int) -> None:
    """A worker process whose engine sleeps."""
    with mock.patch.object(worker, "open_program", SimulatedProgram):
        work_off(pipe, gpu, n_lanes)


def main() -> None:
    """Run, measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=RESULTS / "scale.json")
    choices = parser.parse_args()
    with in_fresh_folder() as folder:
        np.savez(folder / "imdb.npz", **make_reviews())
        seconds = run(folder, choices.runs // len(ALL))
        result = summarise(folder, seconds)
    command = f"python benchmarks/speed/scale.py --runs {choices.runs}"
    whole = write_result(choices.out, result, command=command, packages=PACKAGES)
    print(json.dumps(whole, indent=1))


@contextmanager
def in_fresh_folder() -> Iterator[Path]:
    """A folder without a store or a cache."""
    with tempfile.TemporaryDirectory() as name:
        folder, before = Path(name), Path.cwd()
        os.environ["RNNBENCH_CACHE"] = str(folder / "cache")
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)


def make_reviews() -> dict[str, Any]:  # Any: arrays of objects
    """As many short reviews as the report's statistics need, in the form of imdb.npz."""
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for half in ("train", "test"):
        rows = np.empty(N_REVIEWS, dtype=object)
        rows[:] = [[1, *rng.integers(4, 500, 20).tolist()] for _ in range(N_REVIEWS)]
        arrays |= {f"x_{half}": rows, f"y_{half}": np.arange(N_REVIEWS) % 2}
    return arrays


def run(folder: Path, n_seeds: int) -> dict[str, float]:
    """Wall-clock seconds of the study, then of its report."""
    choices = RunChoices(
        all_=True,
        name=STUDY,
        seeds=tuple(range(n_seeds)),
        dataset=str(folder / "imdb.npz"),
        epochs=N_EPOCHS,
        patience=N_EPOCHS,
        report=False,
        placing=ExecutorChoices(device="cpu"),
    )
    began = time.perf_counter()
    with mock.patch.object(engines, "LocalExecutor", simulated_executor):
        run_study(choices, RunScreen(), folder)
    trained = time.perf_counter()
    report_study(STUDY, RunScreen(), folder)
    return {"run": trained - began, "report": time.perf_counter() - trained}


def simulated_executor(**options: Any) -> LocalExecutor:  # Any: LocalExecutor's own
    """The `local` executor with workers that sleep."""
    return LocalExecutor(**options, work=simulate)


def summarise(folder: Path, seconds: dict[str, float]) -> dict[str, Any]:  # Any: JSON values
    """Overheads a run, early and late, of the ledger's files and of MLflow's rows."""
    recorded = sorted(
        path.stat().st_mtime for path in folder.glob(f".rnnbench/runs/{STUDY}/*/result.json")
    )
    # The tracker's note beside a run is written when the store has taken it whole.
    published = sorted(
        path.stat().st_mtime for path in folder.glob(f".rnnbench/runs/{STUDY}/*/published.json")
    )
    return {
        "n_runs": len(recorded),
        "n_published": len(published),
        "simulated_ms_a_run": N_EPOCHS * EPOCH_SECONDS * 1000,
        "recorded": pace(recorded),
        "published": pace(published),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "overhead_ms_a_run": round(
            1000 * (seconds["run"] / len(recorded) - N_EPOCHS * EPOCH_SECONDS / usable_cores()), 2
        ),
        "parent_peak_mib": round(peak_mib(children=False)),
        "database_mib": round((folder / "mlflow.db").stat().st_size / 2**20, 1),
        "disk_kib_a_run": round(disk_bytes(folder) / len(recorded) / 1024, 1),
    }


def pace(times: list[float]) -> dict[str, Any]:  # Any: JSON values
    """Milliseconds a run, thousand by thousand (of a few: by quarters); the last over the first."""
    n = min(THOUSAND, len(times) // 4)
    starts = range(0, len(times) - n + 1, n)
    first = (times[n - 1] - times[0]) / (n - 1) * 1000
    last = (times[-1] - times[-n]) / (n - 1) * 1000
    return {
        "first_ms_a_run": round(first, 2),
        "last_ms_a_run": round(last, 2),
        "last_over_first": round(last / first, 2),
        "all_ms_a_run": [round((times[i + n - 1] - times[i]) / (n - 1) * 1000, 1) for i in starts],
    }


def disk_bytes(folder: Path) -> int:
    """What ledger, database and artifacts take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
