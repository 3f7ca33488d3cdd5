"""What MLflow shows of a study: through plain `mlflow ui`, over its own interface."""

from __future__ import annotations

import csv
import json
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import import_keras, standing_in
from interruption import ARTIFACTS
from project import STUDY, Project

EPOCHS = 4


class Page:
    """A running `mlflow ui`, asked over REST."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, **query: str) -> Any:
        text = urllib.parse.urlencode(query)
        with urllib.request.urlopen(f"{self.address}{path}?{text}", timeout=30) as answer:
            return json.load(answer)

    def post(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.address}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def experiment(self) -> dict[str, Any]:
        query = {"experiment_name": STUDY}
        found = self.get("/api/2.0/mlflow/experiments/get-by-name", **query)
        return dict(found["experiment"])

    def runs(self, kind: str = "run") -> list[dict[str, Any]]:
        found = self.post(
            "/api/2.0/mlflow/runs/search",
            experiment_ids=[self.experiment()["experiment_id"]],
            filter=f"tags.`rnnbench.kind` = '{kind}'",
        )
        return list(found.get("runs", []))

    def run_of(self, architecture: str) -> dict[str, Any]:
        params = {"cell": architecture, "seed": "0"}
        (found,) = [r for r in self.runs() if params.items() <= pairs(r, "params").items()]
        return found

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        query = {"run_id": run_id, "metric_key": metric, "max_results": "2000"}
        found = self.get("/api/2.0/mlflow/metrics/get-history", **query)
        return [(int(point["step"]), point["value"]) for point in found["metrics"]]

    def models(self) -> list[dict[str, Any]]:
        found = self.post(
            "/api/2.0/mlflow/logged-models/search",
            experiment_ids=[self.experiment()["experiment_id"]],
        )
        return list(found.get("models", []))


@pytest.fixture(scope="module")
def page(mlflow_ui: str, finished: Project) -> Page:
    """The page of the finished study, asked over REST."""
    return Page(mlflow_ui)


def test_the_experiment_is_named_after_the_study_and_a_command_holds_its_runs(page: Page) -> None:
    assert page.experiment()["lifecycle_stage"] == "active"
    (invocation,) = page.runs("invocation")
    runs = page.runs()
    assert len(runs) == 4
    assert {run["info"]["status"] for run in [*runs, invocation]} == {"FINISHED"}
    parents = {pairs(run, "tags")["mlflow.parentRunId"] for run in runs}
    assert parents == {invocation["info"]["run_id"]}


def test_parameters_tags_and_data_say_what_a_run_was(page: Page, finished: Project) -> None:
    run = page.run_of("lstm")
    wanted = {
        "architecture": "lstm(units=2)",
        "units": "2",
        "dropout": "0.0",
        "embedding_size": "4",
        "learning_rate": "0.05",
        "batch_size": "16",
        "order": "reshuffled",
        "num_words": "60",
        "max_len": "12",
        "seed": "0",
    }
    assert wanted.items() <= pairs(run, "params").items()
    tags = pairs(run, "tags")
    assert run["info"]["run_name"].startswith("lstm(units=2) · ")
    assert run["info"]["run_name"].endswith(" · seed 0")
    assert tags["rnnbench.fingerprint"] in finished.run_folders()
    assert tags["rnnbench.backend"] == "jax"
    assert tags["rnnbench.version.keras"]
    assert "rnnbench run --study" in tags["rnnbench.command"]
    (used,) = run["inputs"]["dataset_inputs"]
    spec = json.loads((run_folder(finished, run) / "spec.json").read_text())
    assert used["dataset"]["name"] == "imdb"
    assert used["dataset"]["digest"] == spec["data"]["fingerprint"][:16]


@pytest.mark.parametrize("metric", ["loss", "accuracy", "val_loss", "val_accuracy"])
def test_a_curve_has_every_epoch_of_the_ledger(page: Page, finished: Project, metric: str) -> None:
    for run in page.runs():
        with open(run_folder(finished, run) / "history.csv", newline="") as file:
            rows = [(int(row["epoch"]), float(row[metric])) for row in csv.DictReader(file)]
        assert len(rows) == EPOCHS
        assert page.history(run["info"]["run_id"], metric) == rows


def test_a_run_has_its_model_history_curve_and_predictions(page: Page, finished: Project) -> None:
    for run in page.runs():
        query = {"run_id": run["info"]["run_id"]}
        files = page.get("/api/2.0/mlflow/artifacts/list", **query)["files"]
        names = [file["path"] for file in files]
        assert sorted(names) == ARTIFACTS
        fetched = fetch_artifact(page, run["info"]["run_id"], "loss-curve.png")
        assert fetched.startswith(b"\x89PNG")
        kept = (run_folder(finished, run) / "best.keras").read_bytes()
        assert fetch_artifact(page, run["info"]["run_id"], "best.keras") == kept


def test_scores_are_linked_to_the_model(page: Page, finished: Project) -> None:
    run = page.run_of("gru")
    (model,) = [m for m in page.models() if m["info"]["source_run_id"] == run["info"]["run_id"]]
    assert model["info"]["status"] == "LOGGED_MODEL_READY"
    (output,) = run["outputs"]["model_outputs"]
    assert output["model_id"] == model["info"]["model_id"]
    result = json.loads((run_folder(finished, run) / "result.json").read_text())
    linked = {metric["key"]: metric["value"] for metric in model["data"]["metrics"]}
    assert linked == {
        "test_loss": result["test_loss"],
        "test_accuracy": result["test_accuracy"],
        "best_val_loss": result["val_loss"],
        "best_val_accuracy": result["val_accuracy"],
    }
    assert {metric["dataset_name"] for metric in model["data"]["metrics"]} == {"imdb"}


def test_mlflow_opens_the_model_and_it_predicts_as_the_file_does(
    page: Page, finished: Project
) -> None:
    run = page.run_of("lstm")
    (output,) = run["outputs"]["model_outputs"]
    file = run_folder(finished, run) / "best.keras"
    with standing_in(finished.folder, finished.environment):
        of_model = predict(mlflow_model(output["model_id"]))
        of_file = predict(import_keras().models.load_model(file))
    assert len(of_model) == 5
    assert of_model == of_file


def mlflow_model(model_id: str) -> Any:
    """The model as MLflow's own function opens it."""
    import mlflow

    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    try:
        return mlflow.keras.load_model(f"models:/{model_id}")
    finally:
        mlflow.set_tracking_uri(None)


def predict(model: Any) -> list[float]:
    tokens = np.random.default_rng(0).integers(0, 60, (5, 12)).astype("int32")
    return list(model.predict(tokens, verbose=0)[:, 0])


def pairs(run: dict[str, Any], kind: str) -> dict[str, str]:
    return {item["key"]: item["value"] for item in run["data"][kind]}


def run_folder(finished: Project, run: dict[str, Any]) -> Path:
    return finished.run_folders()[pairs(run, "tags")["rnnbench.fingerprint"]]


def fetch_artifact(page: Page, run_id: str, path: str) -> bytes:
    query = urllib.parse.urlencode({"run_uuid": run_id, "path": path})
    with urllib.request.urlopen(f"{page.address}/get-artifact?{query}", timeout=30) as answer:
        return bytes(answer.read())
