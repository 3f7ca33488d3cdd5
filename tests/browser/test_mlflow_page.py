"""MLflow's page in a real browser: it opens, and shows the study and its runs."""

from __future__ import annotations

import re
from pathlib import Path

import chromium
import pytest
from chromium import NEEDS_CHROMIUM, text_of
from project import STUDY, Project

from rnnbench.tracking.views import view_path

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def address(mlflow_ui: str, finished: Project) -> str:
    """Of the experiment's runs, in plain `mlflow ui`."""
    return f"{mlflow_ui}/#/experiments/{finished.tracked()[0].info.experiment_id}/runs"


@pytest.fixture(scope="module")
def viewed(mlflow_ui: str, finished: Project) -> str:
    """The same, as `rnnbench ui` names it."""
    return f"{mlflow_ui}/{view_path(finished.tracked()[0].info.experiment_id)}"


ATTEMPTS = 5  # MLflow draws a chart when it gets to it, which a busy machine may not


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


def test_the_view_that_the_command_names_opens_on_runs_with_their_test_accuracy(
    viewed: str, finished: Project, tmp_path: Path
) -> None:
    words = text_of(browse(viewed, tmp_path, "--dump-dom", "--window-size=1280,900"))
    table = words.partition("Run Name")[2]
    assert "test_accuracy" in table.split("matching runs")[0]
    assert "Sort: test_accuracy" in words
    assert "error loading shared view state" not in words.lower()
    names = [run.info.run_name for run in finished.tracked()]
    assert len(names) == 4
    assert all(name in table for name in names)  # not folded away


def test_the_charts_of_the_view_begin_with_accuracy(viewed: str, tmp_path: Path) -> None:
    address = f"{viewed}&compareRunsMode=CHART"
    for _ in range(ATTEMPTS):
        words = text_of(browse(address, tmp_path, "--dump-dom", "--window-size=1280,900"))
        sections = re.findall(r"(Accuracy|Loss|Model metrics) \(\d+\)", words)
        charts = re.findall(
            r"(?<= )(?:test_|val_)?(?:accuracy|loss)(?= )", words.partition("Accuracy (")[2]
        )
        if charts:
            break
    assert sections == ["Accuracy", "Loss", "Model metrics"]
    assert charts[0] == "test_accuracy"


def test_a_page_without_the_view_has_a_link_to_it(address: str, tmp_path: Path) -> None:
    page = browse(address, tmp_path, "--dump-dom")
    assert re.search(r'href="#/experiments/\d+/runs\?[^"]*viewStateShareKey=rnnbench"', page)


def test_the_page_can_be_drawn(address: str, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    browse(address, tmp_path, f"--screenshot={picture}", "--window-size=1600,1000")
    assert picture.read_bytes().startswith(b"\x89PNG")


def browse(address: str, folder: Path, *options: str) -> str:
    return chromium.browse(address, folder, *options, budget_ms=20_000).stdout
