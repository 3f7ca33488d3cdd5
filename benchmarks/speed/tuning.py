"""A search by `rnnbench tune`, against the same trials one after the other in plain Keras on JAX.

    RNNBENCH_DATA=FOLDER python benchmarks/speed/tuning.py [--trials 18] [--epochs 25]

Plain Keras trains every trial to its early stop, without pruning, in one process: `Model.fit` as a
Keras user writes it, the model built anew for each run. The points are those that the search asked
for. Wall-clock time of whole processes, start-up and compilation included. Writes JSON, with the
part of the command's time in which no trial was being trained: imports, Optuna, journal, records,
figures, and MLflow's last word.
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
from pathlib import Path
from typing import Any

from provenance import RESULTS, write_result

from rnnbench.data.dataset import load_part
from rnnbench.data.imdb import find_imdb
from rnnbench.datasets import resolve_dataset
from rnnbench.specs import DataSpec

PACKAGES = ("rnnbench", "keras", "jax", "optuna", "mlflow", "numpy")
PATIENCE = 3


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=18)
    parser.add_argument("--tuning-seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--out", type=Path, default=RESULTS / "tuning.json")
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    choices = parser.parse_args()
    if choices.plain:
        train_plainly(json.loads(choices.plain.read_text("utf-8")))
        return
    data = find_imdb()
    if data is None:
        raise SystemExit("set RNNBENCH_DATA to a folder that holds imdb.npz")
    result = measure(data, choices.trials, choices.tuning_seeds, choices.epochs)
    result = write_result(
        choices.out,
        result,
        command=f"python benchmarks/speed/tuning.py --trials {choices.trials} "
        f"--tuning-seeds {choices.tuning_seeds} --epochs {choices.epochs}",
        packages=PACKAGES,
    )
    print(json.dumps(result, indent=1))


def measure(data: Path, n_trials: int, n_seeds: int, epochs: int) -> dict[str, Any]:
    """Seconds of both, one after the other in one folder."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        size = ["--trials", str(n_trials), "--tuning-seeds", str(n_seeds), "--epochs", str(epochs)]
        ours = ["-m", "rnnbench", "tune", "lstm", *size, "--dataset", str(data)]
        tuned_seconds = run_in(folder, ours)
        (record,) = (folder / ".rnnbench" / "tuning").glob("*/*/lstm.json")
        trials = json.loads(record.read_text("utf-8"))["trials"]
        job = {
            "data": str(data),
            "rates": [trial["params"]["learning_rate"] for trial in trials],
            "seeds": list(range(1000, 1000 + n_seeds)),
            "epochs": epochs,
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        plain = [str(Path(__file__).resolve()), "--plain", str(folder / "job.json")]
        plain_seconds = run_in(folder, plain)
        metrics = read_metrics(folder / "mlflow.db")
        n_epochs = json.loads((folder / "epochs.json").read_text("utf-8"))
    return {
        "ratio": round(plain_seconds / tuned_seconds, 2),
        "tuned_seconds": round(tuned_seconds, 1),
        "plain_seconds": round(plain_seconds, 1),
        "tuned_epochs": sum(trial["epochs"] for trial in trials),
        "plain_epochs": n_epochs,
        "n_pruned": sum(trial["state"] == "pruned" for trial in trials),
        "share_of_wall_not_training": round(1 - metrics["training_seconds"] / tuned_seconds, 4),
        "parent_share_of_cpu": round(
            metrics["parent_cpu_seconds"]
            / (metrics["parent_cpu_seconds"] + metrics["workers_cpu_seconds"]),
            4,
        ),
    }


def run_in(folder: Path, words: list[str]) -> float:
    """Seconds that a Python command takes in the folder."""
    environment = {**os.environ, "RNNBENCH_CACHE": str(folder / "cache")}
    environment |= {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    began = time.perf_counter()
    with open(folder / "output.txt", "wb") as output:
        subprocess.run(
            [sys.executable, *words],
            cwd=folder,
            env=environment,
            check=True,
            stdout=output,
            stderr=output,
        )
    return time.perf_counter() - began


def read_metrics(database: Path) -> dict[str, float]:
    """What the command noted about itself in MLflow."""
    query = "SELECT key, value FROM latest_metrics WHERE key LIKE '%_seconds'"
    with sqlite3.connect(database) as connection:
        return dict(connection.execute(query).fetchall())


def train_plainly(job: dict[str, Any]) -> None:
    """Every trial and seed, one after the other; notes how many epochs that took."""
    import keras

    n_epochs = 0
    found = resolve_dataset(job["data"])
    spec = DataSpec(dataset=found.name, fingerprint=found.fingerprint)
    train, validation = load_part(spec, "train"), load_part(spec, "validation")
    for rate in job["rates"]:
        for seed in job["seeds"]:
            keras.utils.set_random_seed(seed)
            layers = [keras.layers.Embedding(500, 16), keras.layers.LSTM(8)]
            model = keras.Sequential(
                [keras.Input((100,)), *layers, keras.layers.Dense(1, activation="sigmoid")]
            )
            model.compile(
                keras.optimizers.RMSprop(rate), "binary_crossentropy", metrics=["accuracy"]
            )
            history = model.fit(
                train.tokens,
                train.labels,
                batch_size=64,
                epochs=job["epochs"],
                validation_data=(validation.tokens, validation.labels),
                callbacks=[keras.callbacks.EarlyStopping(patience=PATIENCE)],
                verbose=0,
            )
            n_epochs += len(history.epoch)
    Path("epochs.json").write_text(json.dumps(n_epochs), encoding="utf-8")


if __name__ == "__main__":
    main()
