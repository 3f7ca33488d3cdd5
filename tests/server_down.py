"""Two runs of one architecture, which a server has missed and then has once."""

from __future__ import annotations

from interruption import ARTIFACTS
from project import Project

EPOCHS = 5


def assert_published_once(project: Project) -> None:
    client, runs = project.client(), project.tracked()
    assert {run.data.tags["rnnbench.fingerprint"] for run in runs} == set(project.run_folders())
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED"]
    for run in runs:
        points = client.get_metric_history(run.info.run_id, "val_loss")
        assert [point.step for point in points] == list(range(1, EPOCHS + 1))
        names = [item.path for item in client.list_artifacts(run.info.run_id)]
        assert sorted(names) == ARTIFACTS
    assert len(client.search_logged_models([runs[0].info.experiment_id])) == 1
