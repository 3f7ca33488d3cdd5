"""The newcomer's commands in processes of their own, as a shell starts them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from newcomer import RUN, STUDY, WORDS, write_reviews
from project import PATIENCE_S, Project, write_project

pytestmark = pytest.mark.campaign
OPENS = """
import json, sys
import mlflow
import numpy as np
mlflow.set_tracking_uri("sqlite:///mlflow.db")
model = mlflow.keras.load_model(f"models:/{sys.argv[1]}")
tokens = np.random.default_rng(0).integers(0, 60, (5, 8)).astype("int32")
print(json.dumps(model.predict(tokens, verbose=0).tolist()))
"""


@pytest.fixture(scope="module")
def project(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = write_project(tmp_path_factory.mktemp("real"), shared)
    write_reviews(project.folder / "reviews.csv")
    done = project.command(*RUN, "--report")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("report: ")
    return project


def answer(project: Project, *words: str) -> object:
    """What a command prints with `--json`: nothing else on standard output."""
    done = project.command(*words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_what_is_printed_as_json_is_json(project: Project) -> None:
    (found,) = answer(project, "predict", "gru", "정말 재미있는 영화")  # type: ignore[misc]
    assert set(found["probabilities"]) == set(WORDS)
    shown: dict[str, str] = answer(project, "show", "gru")  # type: ignore[assignment]
    assert shown["study"] == STUDY
    scores: dict[str, Any] = answer(project, "evaluate", "gru")  # type: ignore[assignment]
    result = project.results()[scores["run"]]
    assert scores["loss"] == pytest.approx(result["test_loss"], abs=1e-5)


def test_mlflow_opens_a_model_in_a_process_that_has_everything(project: Project) -> None:
    run = next(run for run in project.tracked(study=STUDY) if run.outputs.model_outputs)
    model_id = run.outputs.model_outputs[0].model_id
    done = subprocess.run(
        [sys.executable, "-c", OPENS, model_id],
        cwd=project.folder,
        env=project.environment | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 5
