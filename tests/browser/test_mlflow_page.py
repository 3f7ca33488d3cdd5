"""MLflow's page in a real browser: it opens, and shows the study and its runs."""

from __future__ import annotations

from pathlib import Path

import chromium
import pytest
from chromium import NEEDS_CHROMIUM, text_of
from project import STUDY, Project

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def address(mlflow_ui: str, finished: Project) -> str:
    """Of the experiment's runs, in plain `mlflow ui`."""
    return f"{mlflow_ui}/#/experiments/{finished.tracked()[0].info.experiment_id}/runs"


def test_the_server_opens_in_the_folder_of_a_project(mlflow_ui: str, tmp_path: Path) -> None:
    assert "MLflow" in browse(mlflow_ui, tmp_path, "--dump-dom")


def test_the_experiment_page_shows_the_command_that_holds_the_runs(
    address: str, tmp_path: Path
) -> None:
    words = text_of(browse(address, tmp_path, "--dump-dom"))
    assert f"{STUDY} · 4 runs · imdb" in words
    assert "5 matching runs" in words  # the command and, folded away, its four runs


def test_the_page_of_a_run_shows_its_name_parameters_and_scores(
    address: str, finished: Project, tmp_path: Path
) -> None:
    run = next(run for run in finished.tracked() if run.data.params["cell"] == "gru")
    words = text_of(browse(f"{address}/{run.info.run_id}", tmp_path, "--dump-dom"))
    assert run.info.run_name in words
    assert "gru(units=2)" in run.info.run_name
    assert "recurrent_dropout 0.0" in words
    score = str(run.data.metrics["test_accuracy"]).removesuffix(".0")  # it writes 1 for 1.0
    assert f"test_accuracy {score}" in words
    assert f"Parent run {STUDY} · 4 runs · imdb" in words
    assert "Status Finished" in words


def test_the_page_can_be_drawn(address: str, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    browse(address, tmp_path, f"--screenshot={picture}", "--window-size=1600,1000")
    assert picture.read_bytes().startswith(b"\x89PNG")


def browse(address: str, folder: Path, *options: str) -> str:
    return chromium.browse(address, folder, *options, budget_ms=20_000).stdout
