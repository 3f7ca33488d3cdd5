"""Makes the stored project: run by hand, with the version whose formats are to be kept.

    python tests/stored/make.py FOLDER --reviews imdb.npz

FOLDER is made; the commands run in it, on made-up reviews, in about ten minutes. The published
reviews serve `rnnbench reproduce` alone, and stay where they are. What is kept, beside this file:

    project.zip    the project's folder and its cache, without what no command needs
    notes.zip      what `rnnbench export notes` wrote
    said/          what commands printed, a file each
    reports/       the Markdown and the tables of every report

Where a text names the project's folder, it says PROJECT instead.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PLACE = "PROJECT"
STORED = ("project.zip", "notes.zip", "said", "reports")
ON_IMDB = ("--dataset", "imdb.npz", "--num-words", "60", "--max-len", "12", "--epochs", "3")
TUNE = ("tune", "lstm", "gru", "--trials", "5", "--tuning-seeds", "2", *ON_IMDB)
REPORTS = {
    "notes": (),
    "own": (),
    "units": ("--claims", "claims.toml"),
    "tuned": (),
    "timing": (),
}
SHOWN = ("finished", "failed", "done")  # `3 epochs done`: broken off
LEFT_OUT = (
    *("mlruns", "reports", "reproduced", "notes.zip"),
    *("workers.log", "lock", "programs", "keras", "other-cache"),
)
PATIENCE_S = 600

STUDIES = {
    "notes.toml": """
name = "notes"
description = "Four architectures on made-up reviews"
architectures = ["lstm", "lstm-dropout", "lstm-stacked", "gru"]
seeds = 5

[data]
dataset = "imdb.npz"
num_words = 60
max_len = 12

[recipe]
epochs = 3
""",
    "own.toml": """
name = "own"
description = "Three classes in a file of one's own"
architectures = ["simple-rnn", "gru"]
seeds = 8
margin_points = 2.0

[data]
dataset = "films.csv"
num_words = 40
max_len = 100

[hyperparameters]
units = [2]
embedding_size = [4]

[recipe]
epochs = 20
patience = 20
learning_rate = 0.003
batch_size = 4
""",
    "units.toml": """
name = "units"
description = "Units and dropout"
contrast = "units"
architectures = ["gru"]
seeds = 4

[data]
dataset = "imdb.npz"
num_words = 60
max_len = 12

[hyperparameters]
units = [2, 4]
dropout = [0.0, 0.3]
embedding_size = [4]

[recipe]
epochs = 2
learning_rate = 0.01
order = ["frozen"]
""",
    "long.toml": """
name = "long"
architectures = ["lstm-dropout"]
seeds = 1

[data]
dataset = "imdb.npz"
num_words = 60
max_len = 12

[hyperparameters]
units = [2]
embedding_size = [4]

[recipe]
epochs = 40
patience = 40
learning_rate = 0.003
batch_size = 16
""",
}

CLAIMS = """
[[claim]]
id = "more-units-better"
claim = "Four units are better than two, without dropout."
made_in = "our seminar"

[claim.test]
kind = "compare"
metric = "test_accuracy"
a = "gru"
b = "gru-classic"
expect = "not lower"
settings = { units = 4 }

[[claim]]
id = "frozen-close"
claim = "In training as in validation."
made_in = "our seminar"

[claim.test]
kind = "close"
metric = "val_loss"
reference = "train_loss_at_best"
architectures = ["gru"]
margin = 0.05
"""


@dataclass(frozen=True)
class Maker:
    """Carries commands out in a project.

    Args:
        folder: of everything; the project lies in it.
    """

    folder: Path

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def environment(self, cache: str) -> dict[str, str]:
        """As the tests have it."""
        hidden = ("MLFLOW_", "JAX_", "RNNBENCH_", "KERAS_")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(hidden)}
        return kept | {
            "RNNBENCH_CACHE": str(self.folder / cache),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "XLA_FLAGS": "--xla_backend_optimization_level=0",
            "USER": "student",
            "LOGNAME": "student",
        }

    def run(self, *words: str, cache: str = "cache") -> str:
        """What the command prints."""
        print("rnnbench", *words, flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "rnnbench", *words],
            cwd=self.project,
            env=self.environment(cache),
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
        )
        if done.returncode:
            raise SystemExit(f"{words} ended with {done.returncode}")
        return done.stdout.replace(str(self.project), PLACE)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """The same, going on meanwhile, in a process group of its own."""
        print("rnnbench", *words, flush=True)
        return subprocess.Popen(
            [sys.executable, "-m", "rnnbench", *words],
            cwd=self.project,
            env=self.environment("cache"),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def write(self, name: str, text: str) -> None:
        """A file beside this one."""
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def main() -> None:
    """Make everything anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reviews", type=Path, required=True, help="the published imdb.npz")
    given = parser.parse_args()
    maker = Maker(given.folder.resolve())
    maker.project.mkdir(parents=True)
    for name in STORED:
        path = HERE / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    write_inputs(maker.project)
    train(maker)
    measure(maker, given.reviews.resolve())
    pack(maker)  # before the reports: they leave notes in MLflow's database
    write_reports(maker)
    write_said(maker)


def write_inputs(project: Path) -> None:
    """The studies, the claims, and reviews whose class hangs on two words."""
    for name, text in STUDIES.items():
        (project / name).write_text(text.lstrip(), "utf-8")
    (project / "claims.toml").write_text(CLAIMS.lstrip(), "utf-8")
    rng = np.random.default_rng(0)
    arrays = {}
    for half, n_reviews in (("train", 240), ("test", 240)):
        labels = rng.integers(0, 2, n_reviews)
        reviews = np.empty(n_reviews, dtype=object)
        for index, label in enumerate(labels):
            words = rng.integers(10, 60, rng.integers(5, 25))
            words[-4:-2] = 3 + (label if rng.random() < 0.9 else 1 - label)
            reviews[index] = words.tolist()
        arrays |= {f"x_{half}": reviews, f"y_{half}": labels}
    np.savez(project / "imdb.npz", **arrays)
    with open(project / "films.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        for number in range(300):
            label = ("bad", "fair", "good")[number % 3]
            words = [f"word{rng.integers(30)}" for _ in range(6)]
            words[rng.integers(6)] = label if rng.random() < 0.8 else "film"
            writer.writerow((" ".join(words), label))


def train(maker: Maker) -> None:
    """Runs of every kind: finished, failed, broken off, and those of a search."""
    maker.run("run", "--study", "notes.toml")
    maker.run("run", "--study", "own.toml")
    one_more = ("run", "simple-rnn", "--study", "own.toml", "--name", "own", "--seeds", "9")
    killed = maker.start(*one_more, "--workers", "1", "--no-report")
    await_epochs(maker.project / ".rnnbench/runs/own", 2, killed)
    os.kill(worker_of(killed.pid), signal.SIGKILL)
    if killed.wait(timeout=PATIENCE_S) != 1:
        raise SystemExit("the run whose worker was killed has not failed")
    maker.run("run", "--study", "units.toml")
    maker.run(*TUNE)
    maker.run("run", "lstm", "gru", "--tuned", "--name", "tuned", "--seeds", "4", *ON_IMDB)
    killed = maker.start("run", "--study", "long.toml", "--workers", "1", "--no-report")
    await_epochs(maker.project / ".rnnbench/runs/long", 3, killed)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait(timeout=PATIENCE_S)


def measure(maker: Maker, reviews: Path) -> None:
    """Two timing sessions, and the notes' procedure."""
    short = ("--device", "cpu", "--backend", "jax", "--units", "4", "--repeats", "2")
    maker.run("timing", "gru", *short)
    maker.run(
        *("timing", "simple-rnn", "--device", "cpu", "--backend", "jax", "--units", "2"),
        *("--recurrent-dropout", "0,0.3", "--repeats", "1"),
    )
    words = ("reproduce", "notes-2025", "--epochs", "2", "--dataset", str(reviews))
    maker.run(*words, "--out", "reproduced", cache="other-cache")  # the reviews are not ours
    for name in ("index.md", "epochs.csv"):
        text = (maker.project / "reproduced" / name).read_text("utf-8")
        maker.write(f"reports/notes-2025/{name}", text)


def await_epochs(folder: Path, n_epochs: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a run in the folder has kept its state so many times."""
    seen: set[tuple[Path, int]] = set()
    while process.poll() is None:
        for path in folder.glob("*/state.npz"):
            with suppress(FileNotFoundError):
                seen.add((path, path.stat().st_mtime_ns))
        if len(seen) >= n_epochs:
            return
        time.sleep(0.002)
    raise SystemExit(f"no run in {folder} has done {n_epochs} epochs")


def worker_of(pid: int) -> int:
    """The process that trains for a command."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in children:
        if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
            return int(child)
    raise SystemExit("the command has no worker")


def pack(maker: Maker) -> None:
    """The project and its cache as one zip file."""
    with closing(sqlite3.connect(maker.project / "mlflow.db")) as database:
        database.execute("VACUUM")
    options = {"compression": zipfile.ZIP_DEFLATED, "compresslevel": 9}
    with zipfile.ZipFile(HERE / "project.zip", "w", **options) as file:
        for path in sorted(maker.folder.rglob("*")):
            inside = path.relative_to(maker.folder)
            if path.is_file() and is_kept(inside):
                file.write(path, inside)


def is_kept(inside: Path) -> bool:
    """Whether a file belongs into `project.zip`."""
    return not any(part in LEFT_OUT for part in inside.parts)


def write_reports(maker: Maker) -> None:
    """Every report's Markdown and tables."""
    for study, options in REPORTS.items():
        maker.write(
            f"said/report-{study}.txt", maker.run("report", study, *options, "--format", "md,csv")
        )
        made = maker.project / "reports" / study
        for path in (made / "index.md", *sorted(made.glob("tables/*.csv"))):
            maker.write(f"reports/{study}/{path.relative_to(made)}", path.read_text("utf-8"))


def write_said(maker: Maker) -> None:
    """What reading commands print, and the archive."""
    for name, options in (("runs.txt", ()), ("runs.csv", ("--csv",)), ("runs.json", ("--json",))):
        maker.write(f"said/{name}", maker.run("list", "runs", *options))
    (listed,) = json.loads((HERE / "said/runs.json").read_text("utf-8")).values()
    for status in SHOWN:
        run = next(row["run"] for row in listed if status in row["status"])
        maker.write(f"said/show-{status}.txt", maker.run("show", run))
        maker.write(f"said/show-{status}.json", maker.run("show", run, "--json"))
    maker.write("said/winners.json", maker.run(*TUNE, "--json"))
    maker.write("said/export.txt", maker.run("export", "notes", "notes.zip"))
    shutil.copyfile(maker.project / "notes.zip", HERE / "notes.zip")


if __name__ == "__main__":
    main()
