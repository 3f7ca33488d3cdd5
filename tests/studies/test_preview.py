"""`rnnbench run --dry-run`: what would be run, without running or writing anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from project import Project

from rnnbench.data.cache import cache_folder
from rnnbench.execution import process
from rnnbench.studies.sameness import tell_same
from rnnbench.study import Study

SCRIPT = """
import sys
from rnnbench.cli import app
app(sys.argv[1:], standalone_mode=False)
heavy = {"keras", "jax", "tensorflow", "torch", "sklearn", "mlflow", "matplotlib", "pandas"}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.fixture(autouse=True)
def nothing_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process may be started."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(process, "spawn", refuse)


def files_of(folder: Path) -> dict[Path, float]:
    return {path: path.stat().st_mtime for path in folder.rglob("*")}


def same(**values: Any) -> list[str]:
    fields: dict[str, Any] = {"architectures": ("lstm",), "seeds": (0, 1), **values}
    return tell_same(Study(name="mine", **fields), 1)


def test_it_says_what_would_run_and_what_is_done_and_changes_no_file(finished: Project) -> None:
    before = files_of(finished.folder)
    done = finished.here("run", *finished.options, "--seeds", "3", "--dry-run")
    said = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stderr
    assert "6 runs, 4 done already" in said
    assert "as long as such runs took here seeds 0-2 each run optimizer rmsprop" in said
    assert "gru(units=2) 2 (1 missing)" in said
    assert files_of(finished.folder) == before


def test_runs_of_another_study_are_named(finished: Project) -> None:
    done = finished.here("run", *finished.options, "--name", "another", "--dry-run")
    assert "the same  4 runs as in the study small, to be taken over" in done.stdout
    assert "nothing left to do" in done.stdout


def test_texts_that_were_not_read_are_not_read(finished: Project, tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("text,label\na,b\n")
    before = files_of(cache_folder())
    done = finished.here("run", "lstm", "--dataset", str(tmp_path / "texts.csv"), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "data      texts, not read yet" in done.stdout
    assert "chosen    before the first run, for these texts: max_len, num_words" in done.stdout
    assert "later     texts is read and checked" in done.stdout
    assert files_of(cache_folder()) == before


def test_no_heavy_library_is_imported(finished: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "run", *finished.options, "--dry-run"],
        cwd=finished.folder,
        env=finished.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.endswith("[]\n"), done.stdout + done.stderr


def test_in_python_it_gives_the_runs_that_are_there(finished: Project) -> None:
    said = finished.python(
        """
import rnnbench
found = rnnbench.run(study="study.toml", dataset="../imdb.npz", seeds=3, dry_run=True)
print(len(found.frame), len(found.runs), found.n_failed)
"""
    )
    assert said.splitlines()[-1] == "4 6 0"


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ({}, []),
        ({"hyperparameters": {"dropout": (0.3,)}}, ["lstm (dropout 0.3) is lstm-dropout"]),
        (
            {"architectures": ("lstm", "lstm-dropout"), "hyperparameters": {"dropout": (0.3,)}},
            [
                "lstm (dropout 0.3) and lstm-dropout (dropout 0.3) are one network, lstm-dropout",
                "2 combinations make 1 configuration",
            ],
        ),
        (
            {"recipe": {"learning_rate": (0.1, 0.1)}},
            ["learning_rate names 0.1 twice", "2 combinations make 1 configuration"],
        ),
        (
            {"architectures": ("gru",) * 3},
            ["architectures names gru 3 times", "3 combinations make 1 configuration"],
        ),
    ],
)
def test_what_is_the_same_is_said(values: dict[str, Any], sentences: list[str]) -> None:
    assert same(**values) == sentences


def test_of_many_that_are_the_same_some_are_named() -> None:
    sentences = same(hyperparameters={"units": tuple(range(1, 30)) * 2})
    assert sentences[-2:] == ["and 19 more such", "58 combinations make 1 configuration"]
