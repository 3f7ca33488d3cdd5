"""A small project for the real command line: 200 reviews in an `imdb.npz`, and a study."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from command import run_here, standing_in
from filelock import FileLock
from mlflow_folder import make_template

from rnnbench.data.files import whole_file
from rnnbench.tracking.store import DATABASE, find_store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from rnnbench.specs import Event

Count = Callable[[str], None]
"""Notes that something happened once more: the end of a campaign tells how often each did."""

__all__ = [
    "CURVES",
    "HOSTILE",
    "ON_RAY",
    "PATIENCE_S",
    "STUDY",
    "Count",
    "Project",
    "await_server",
    "build_once",
    "database_template",
    "environment_with",
    "free_port",
    "read_curves",
    "serving",
    "write_project",
    "write_whole",
]

STUDY = "small"
HOSTILE = "<script>alert(1)</script>"
ON_RAY = [
    pytest.mark.campaign,
    pytest.mark.enable_socket,  # nodes speak to each other by this machine's own address
    # Ray forks to start its own programs; JAX, which tests before have used, fears for itself.
    pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called:RuntimeWarning"),
]
N_TRAIN, N_TEST = 120, 80
PATIENCE_S = 600  # a command that hangs is ended; a slow machine is none of its faults
CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
_HIDDEN = ("MLFLOW_", "JAX_", "RNNBENCH_DATA", "RNNBENCH_BACKEND", "KERAS_BACKEND")
"""What the tests' own process has set, or whoever runs them, by its beginning."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder in which the command is run as a user runs it.

    Args:
        options: what follows `rnnbench run` each time.
        environment: of the command's process.
    """

    folder: Path
    options: tuple[str, ...]
    environment: dict[str, str]

    def run(self, *more: str, timeout_s: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
        """`rnnbench run`, carried out to its end."""
        return self.command("run", *self.options, *more, timeout_s=timeout_s)

    def command(
        self, *words: str, timeout_s: float = PATIENCE_S
    ) -> subprocess.CompletedProcess[str]:
        """`rnnbench` with these words, carried out to its end."""
        return subprocess.run(
            [sys.executable, "-m", "rnnbench", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def here(
        self, *words: str, on_event: Callable[[Event], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The same in the test's own process, the training too, which a test may listen to."""
        return run_here(words, self.folder, self.environment, on_event)

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        """`rnnbench run`, just started, as the leader of a process group of its own.

        What it says goes to the file `output`.
        """
        return self.start_command("run", *self.options, *more)

    def start_command(self, *words: str) -> subprocess.Popen[bytes]:
        """`rnnbench` with these words, just started, likewise."""
        with open(self.output, "wb") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "rnnbench", *words],
                cwd=self.folder,
                env=self.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> Path:
        """Standard output and standard error of the command that `start` started."""
        return self.folder / "output.txt"

    def python(self, script: str) -> str:
        """What a Python script prints that is run in the folder, by the test's own process."""
        printed = io.StringIO()
        with standing_in(self.folder, self.environment), redirect_stdout(printed):
            exec(compile(script, "a script", "exec"), {"__name__": "__main__"})
        return printed.getvalue()

    def client(self) -> MlflowClient:
        """A client of the tracking store: `MLFLOW_TRACKING_URI`, or else the folder's own."""
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        from mlflow import MlflowClient

        return MlflowClient(find_store(self.folder, self.environment).address)

    def tracked(self, kind: str = "run", study: str = STUDY) -> list[Run]:
        """What MLflow shows: the runs, or with `invocation` the commands."""
        client = self.client()
        experiment = client.get_experiment_by_name(study)
        return list(
            client.search_runs([experiment.experiment_id], f"tags.`rnnbench.kind` = '{kind}'")
        )

    def run_folders(self) -> dict[str, Path]:
        """The ledger's folder of every run, by fingerprint."""
        found = (self.folder / ".rnnbench" / "runs").glob("*/[!.]*/")
        return {path.name: path for path in found if path.is_dir()}

    def histories(self) -> dict[str, list[tuple[float, ...]]]:
        """By fingerprint, what each epoch gave; times left out."""
        return {
            fingerprint: read_curves(folder / "history.csv")
            for fingerprint, folder in self.run_folders().items()
            if (folder / "history.csv").exists()
        }

    def results(self) -> dict[str, dict[str, Any]]:
        """The result of every run that is over, by fingerprint."""
        return {
            fingerprint: json.loads((folder / "result.json").read_text())
            for fingerprint, folder in self.run_folders().items()
            if (folder / "result.json").exists()
        }

    def scores(self) -> dict[str, tuple[float, float]]:
        """Test loss and accuracy of every run that is over, by fingerprint."""
        return {
            fingerprint: (result["test_loss"], result["test_accuracy"])
            for fingerprint, result in self.results().items()
        }


def build_once(folder: Path, build: Callable[[], object]) -> None:
    """Make the folder, and build what belongs in it once for all processes of a test run."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        built = folder.with_name(f"{folder.name}.built")
        if not built.exists():
            build()
            built.touch()


def database_template(shared: Path) -> Path:
    """MLflow's database without a run."""
    folder = shared / "template"
    build_once(folder, lambda: make_template(folder))
    return folder / DATABASE


def write_whole(path: Path, text: str) -> None:
    """Another process that reads the file meanwhile reads all of it."""
    with whole_file(path) as stream:
        stream.write(text.encode())


def write_project(
    folder: Path, shared: Path, *, has_database: bool = False, **study: Any
) -> Project:
    """A project in `folder`, which is made.

    Args:
        shared: a folder for what projects may share: the reviews, and a cache.
        has_database: MLflow's is there already, without a run; it takes two seconds to make.
        study: `description`, `architectures`, `seeds`, and values of the recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reviews = shared / "imdb.npz"
    build_once(shared / "reviews", lambda: _write_reviews(reviews))
    write_whole(folder / "study.toml", _study_text(**study))
    if has_database:
        template = database_template(shared)
        with FileLock(f"{folder}.lock"):
            if not (folder / DATABASE).exists():
                shutil.copyfile(template, folder / DATABASE)
    return Project(
        folder=folder,
        options=("--study", "study.toml", "--dataset", str(reviews), "--no-report"),
        environment=environment_with(shared / "cache"),
    )


def environment_with(cache: Path) -> dict[str, str]:
    """Of a command's process: this one's, with that cache and without what its user has set."""
    kept = {key: value for key, value in os.environ.items() if not _is_hidden(key)}
    return kept | {
        "RNNBENCH_CACHE": str(cache),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_WORKERS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


@contextmanager
def serving(project: Project, *words: str, port: int) -> Iterator[str]:
    """The address of an MLflow server, `mlflow` with these words, while the block runs."""
    address, log = f"http://127.0.0.1:{port}", project.folder / "server.log"
    options = ("--host", "127.0.0.1", "--port", str(port))
    with open(log, "wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words, *options],
            cwd=project.folder,
            env=project.environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        await_server(address, server, log)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(timeout=30)


def await_server(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until MLflow answers there; its server ending first is an error, told with its log."""
    give_up = time.monotonic() + PATIENCE_S
    while not _answers(f"{address}/health"):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < give_up, log.read_text()
        time.sleep(0.2)


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_curves(path: Path) -> list[tuple[float, ...]]:
    """The epochs of a `history.csv`: loss, accuracy and both for validation."""
    with open(path, newline="") as file:
        return [tuple(float(row[name]) for name in CURVES) for row in csv.DictReader(file)]


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


def _is_hidden(variable: str) -> bool:
    return variable.startswith(_HIDDEN)


def _study_text(
    *,
    description: str = "",
    architectures: Sequence[str] = ("lstm",),
    seeds: int = 1,
    **recipe: object,
) -> str:
    values = {"batch_size": 16, "learning_rate": 0.003, "epochs": 6, "patience": 30} | recipe
    return "\n".join(
        (
            f"name = '{STUDY}'",
            f"description = '{description}'",
            f"architectures = {list(architectures)}",
            f"seeds = {seeds}",
            "[data]",
            "num_words = 60",
            "max_len = 12",
            "[hyperparameters]",
            "units = [2]",
            "embedding_size = [4]",
            "[recipe]",
            *(f"{key} = {value!r}" for key, value in values.items()),
        )
    )


def _write_reviews(path: Path) -> None:
    """Reviews as Keras publishes them; the label hangs on two words, so that it can be learnt."""
    rng = np.random.default_rng(0)
    arrays = {}
    for half, n_reviews in (("train", N_TRAIN), ("test", N_TEST)):
        labels = rng.integers(0, 2, n_reviews)
        reviews = np.empty(n_reviews, dtype=object)
        for index, label in enumerate(labels):
            words = rng.integers(10, 60, rng.integers(5, 25))
            words[-4:-2] = 3 + label
            reviews[index] = words.tolist()
        arrays |= {f"x_{half}": reviews, f"y_{half}": labels}
    np.savez(path, **arrays)
