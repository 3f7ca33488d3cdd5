"""How MLflow's page shows an experiment: its runs by test accuracy, with accuracy charts first.

Left alone it opens on tools for language models, and its table of runs has no column of a metric.
Columns, order and charts are a view, which it takes from a tag of the experiment where the address
names it; a link to it stands as the experiment's description.

Source: the page of mlflow 3.17 (`useSharedExperimentViewState`, `savedViewEnvelope`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

VIEW = "rnnbench"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
_NAME = "Test accuracy"
_MADE_AT = 1_764_000_000_000  # milliseconds since 1970; the page wants a time of every view
_COLUMNS = (
    *("metrics.`test_accuracy`", "metrics.`test_macro_f1`", "metrics.`val_accuracy`"),
    *("params.`architecture`", "params.`seed`"),
)
_CHARTS = {
    "Accuracy": {
        "test_accuracy": "BAR",
        "val_accuracy": "LINE",
        "accuracy": "LINE",
        "test_macro_f1": "BAR",
    },
    "Loss": {"val_loss": "LINE", "loss": "LINE", "test_loss": "BAR"},
    "Model metrics": {},  # the page's own section, of all others
}
"""Sections of charts, and of each metric whether it is one value or a curve."""


def write_kind(client: MlflowClient, experiment: Experiment) -> None:
    """Have the page know that models are trained here."""
    _add(client, experiment, {"mlflow.experimentKind": "custom_model_development"})


def write_view(client: MlflowClient, experiment: Experiment) -> None:
    """Give an experiment with test scores its view, and links to it."""
    table, charts = (view_path(experiment.experiment_id, charts=charts) for charts in (False, True))
    view = {"name": _NAME, "createdAt": _MADE_AT, "state": json.dumps(_state())}
    links = f"Runs by test accuracy: [table]({table}), [charts]({charts})"
    _add(client, experiment, {VIEW_TAG: json.dumps(view), "mlflow.note.content": links})


def view_path(experiment_id: str, *, charts: bool = False) -> str:
    """Where the page shows the runs so, beneath its address.

    Args:
        charts: instead of the table.
    """
    mode = "&compareRunsMode=CHART" if charts else ""
    return (
        f"#/experiments/{experiment_id}/runs"
        f"?workflowType=machine_learning&viewStateShareKey={VIEW}{mode}"
    )


def _add(client: MlflowClient, experiment: Experiment, tags: Mapping[str, str]) -> None:
    """What somebody else has said stays."""
    for key, value in tags.items():
        if key not in experiment.tags:
            client.set_experiment_tag(experiment.experiment_id, key, value)


def _state() -> dict[str, Any]:  # Any: JSON values
    """Ordered by a metric, the table has the runs themselves, not commands with runs inside."""
    return {
        "selectedColumns": _COLUMNS,
        "orderByKey": _COLUMNS[0],
        "orderByAsc": False,
        "compareRunSections": [
            {
                "uuid": section,
                "name": section,
                "display": True,
                "isReordered": False,
                "isGenerated": True,
                "deleted": False,
                "columns": 2,
                "cardHeight": 300,
            }
            for section in _CHARTS
        ],
        "compareRunCharts": [
            {
                "uuid": metric,
                "type": kind,
                "metricKey": metric,
                "metricSectionId": section,
                "runsCountToCompare": 10,
                "isGenerated": True,
                "deleted": False,
            }
            for section, metrics in _CHARTS.items()
            for metric, kind in metrics.items()
        ],
    }
