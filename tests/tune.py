"""A project that is tuned, and what has come of its searches."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from project import Project, write_project

from rnnbench.specs import Event

INTERRUPTED = 130
EPOCHS, N_TRIALS = 11, 8
SMALL = ("--epochs", str(EPOCHS), "--max-len", "12", "--num-words", "60")
BUDGET = ("--trials", str(N_TRIALS), "--tuning-seeds", "2", *SMALL)
JOURNAL = "optuna-journal.log"


def new_project(shared: Path, name: str) -> Project:
    return write_project(shared / "tune" / name, shared, has_database=True)


def reviews(project: Project) -> str:
    return project.options[3]


def tune(
    project: Project,
    *more: str,
    budget: tuple[str, ...] = BUDGET,
    architectures: tuple[str, ...] = ("lstm",),
    on_event: Callable[[Event], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    words = ("tune", *architectures, *budget, "--dataset", reviews(project), "--json", *more)
    return project.here(*words, on_event=on_event)


def tear(journal: Path) -> None:
    """End it with a line that a kill has torn."""
    with open(journal, "ab") as file:
        file.write(b'{"op_code": 4, "worker')


def winners(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["winners"]["lstm"]


def winners_of(project: Project) -> Any:
    return json.loads((project.folder / "winners.json").read_text())["winners"]["lstm"]


def records(project: Project) -> list[dict[str, Any]]:
    paths = sorted((project.folder / ".rnnbench/tuning").glob("*/*/*.json"))
    return [json.loads(path.read_text()) for path in paths]


def outcomes(project: Project) -> list[Any]:
    """What must not vary: every trial of the LSTM, but for its cost."""
    return [
        {**trial, "epochs": 0, "seconds": 0}
        for record in records(project)
        for trial in record["trials"]
        if record["architecture"] == "lstm"
    ]


def searched(project: Project) -> list[Path]:
    return [path.parent for path in (project.folder / ".rnnbench/searches").glob("*/*/result.json")]


def tracked(project: Project, kind: str) -> list[Any]:
    return project.tracked(kind, study="tuning")


def assert_tracked_once(project: Project) -> None:
    """Every run and trial is in MLflow, once, and nothing is left open."""
    runs = tracked(project, "tuning")
    fingerprints = [run.data.tags["rnnbench.fingerprint"] for run in runs]
    assert len(fingerprints) == len(set(fingerprints))
    assert set(fingerprints) >= {folder.name for folder in searched(project)}
    groups = [run.data.tags["rnnbench.group"] for run in tracked(project, "group")]
    assert len(groups) == len(set(groups)) == 1 + N_TRIALS
    everything = [*runs, *tracked(project, "group"), *tracked(project, "invocation")]
    assert not [run for run in everything if run.info.status == "RUNNING"]
