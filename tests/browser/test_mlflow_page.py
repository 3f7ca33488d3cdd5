"""MLflow's page in a real browser: it opens, and shows the study and its runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from chromium import NEEDS_CHROMIUM, text_of
from project import STUDY, Project, free_port, serving, write_project

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def project(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("browser")
    project = write_project(folder, shared, architectures=["lstm", "gru"], epochs=3)
    assert project.run().returncode == 0
    return project


@pytest.fixture(scope="module")
def address(project: Project) -> Iterator[str]:
    """Of the experiment's runs, in plain `mlflow ui`."""
    experiment_id = project.tracked()[0].info.experiment_id
    with serving(project, "ui", port=free_port()) as address:
        yield f"{address}/#/experiments/{experiment_id}/runs"


def test_the_experiment_page_shows_the_command_that_holds_the_runs(
    address: str, tmp_path: Path
) -> None:
    words = text_of(browse(address, tmp_path, "--dump-dom"))
    assert f"{STUDY} · 2 runs · imdb" in words
    assert "3 matching runs" in words  # the command and, folded away, its two runs


def test_the_page_of_a_run_shows_its_name_parameters_and_scores(
    address: str, project: Project, tmp_path: Path
) -> None:
    (run,) = [run for run in project.tracked() if run.data.params["cell"] == "gru"]
    words = text_of(browse(f"{address}/{run.info.run_id}", tmp_path, "--dump-dom"))
    assert run.info.run_name in words
    assert "gru(units=2)" in run.info.run_name
    assert "recurrent_dropout 0.0" in words
    assert f"test_accuracy {run.data.metrics['test_accuracy']}" in words
    assert f"Parent run {STUDY} · 2 runs · imdb" in words
    assert "Status Finished" in words


def test_the_page_can_be_drawn(address: str, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    browse(address, tmp_path, f"--screenshot={picture}", "--window-size=1600,1000")
    assert picture.read_bytes().startswith(b"\x89PNG")


def browse(address: str, folder: Path, *options: str) -> str:
    return chromium.browse(address, folder, *options, budget_ms=20_000).stdout
