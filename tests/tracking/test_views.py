"""The view in which MLflow's page shows an experiment: given once, and never taken from anybody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_up import finished, spec_of
from mlflow_folder import MlflowFolder, epochs
from tracked import publish, record

from rnnbench.tracking.client import tagged_experiments
from rnnbench.tracking.views import VIEW_TAG, view_path

NOTE = "mlflow.note.content"


@pytest.fixture
def folder(tmp_path: Path, template: Path) -> MlflowFolder:
    return MlflowFolder(tmp_path, template)


def experiment(folder: MlflowFolder) -> Any:
    return folder.client().get_experiment_by_name("textbook")


def test_an_experiment_has_a_view_with_test_accuracy_and_links_to_it(folder: MlflowFolder) -> None:
    record(folder, 0)
    publish(folder)
    found = experiment(folder)
    state = json.loads(json.loads(found.tags[VIEW_TAG])["state"])
    assert state["selectedColumns"][0] == state["orderByKey"] == "metrics.`test_accuracy`"
    assert [section["name"] for section in state["compareRunSections"]][:2] == ["Accuracy", "Loss"]
    assert {chart["metricSectionId"] for chart in state["compareRunCharts"]} == {"Accuracy", "Loss"}
    assert found.tags["mlflow.experimentKind"] == "custom_model_development"
    for charts in (False, True):
        assert f"({view_path(found.experiment_id, charts=charts)})" in found.tags[NOTE]


def test_an_experiment_of_before_gets_the_view_when_it_is_next_published_to(
    folder: MlflowFolder,
) -> None:
    folder.client().create_experiment("textbook")
    record(folder, 0)
    publish(folder)
    assert VIEW_TAG in experiment(folder).tags


def test_an_experiment_of_a_search_whose_runs_have_no_test_scores_has_no_view(
    folder: MlflowFolder,
) -> None:
    folder.record(replace(spec_of("lstm"), purpose="tuning"), finished(0.8), epochs(2))
    publish(folder)
    assert experiment(folder).tags.keys() == {"mlflow.experimentKind"}


def test_what_somebody_made_of_the_view_and_the_description_stays(folder: MlflowFolder) -> None:
    record(folder, 0)
    publish(folder)
    edited = {VIEW_TAG: "mine", NOTE: "What this is about"}
    for key, value in edited.items():
        folder.client().set_experiment_tag(experiment(folder).experiment_id, key, value)
    record(folder, 1)
    publish(folder)
    assert edited.items() <= experiment(folder).tags.items()


def test_experiments_with_the_view_are_found_without_mlflow(folder: MlflowFolder) -> None:
    assert tagged_experiments(folder.store, VIEW_TAG) == []
    folder.client().create_experiment("another's")
    record(folder, 0)
    publish(folder)
    found = [("textbook", experiment(folder).experiment_id)]
    assert tagged_experiments(folder.store, VIEW_TAG) == found
