"""Which runs MLflow has: its file here is asked itself, other stores through the client."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from rnnbench.errors import StoreError
from rnnbench.tracking.client import ask, open_client
from rnnbench.tracking.store import DATABASE, Store, explain

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

Stages: TypeAlias = Mapping[str, bool]
"""Ids of the runs that are there, and of each whether somebody deleted it."""

KIND_TAG = "rnnbench.kind"
_DEFAULT = "Default"  # MLflow's own, of which no run is ours
_PAGE = 200
_MOST_RUNS = 100_000  # of a study: each is held, and the largest study of ours has a fifth


def find_stages(store: Store, study: str | None = None) -> Stages:
    """The runs of a study that nobody deleted as a whole; of the project's own file, of all too.

    Raises:
        StoreError: the store cannot be read.
    """
    if store.is_local:
        return _stages_here(store, study)
    assert study is not None
    client = ask(store, lambda: open_client(store))
    found = ask(store, lambda: find_experiment(client, study))
    runs = list_runs(store, client, found) if found is not None else ()
    return {str(run.info.run_id): run.info.lifecycle_stage == "deleted" for run in runs}


def experiment_names(store: Store) -> list[str]:
    """What the experiments of a store are called that nobody deleted."""
    found = ask(store, lambda: open_client(store).search_experiments())
    return sorted(str(item.name) for item in found if item.name != _DEFAULT)


def find_experiment(client: MlflowClient, name: str) -> Experiment | None:
    """The experiment; None where there is none, or it was deleted."""
    found = client.get_experiment_by_name(name)
    return None if found is None or found.lifecycle_stage == "deleted" else found


def list_runs(store: Store, client: MlflowClient, experiment: Experiment) -> Iterator[Run]:
    """Every run of an experiment, the deleted ones too, the oldest first, page by page.

    Raises:
        StoreError: the store does not answer, or its pages have no end.
    """
    from mlflow.entities import ViewType

    seen: set[str] = set()
    token: str | None = None
    while token != "":
        page = ask(
            store,
            partial(
                client.search_runs,
                [experiment.experiment_id],
                run_view_type=ViewType.ALL,
                order_by=["attributes.start_time ASC"],
                max_results=_PAGE,
                page_token=token,
            ),
        )
        yield from page
        token = page.token or ""
        before = len(seen)
        seen.update(str(run.info.run_id) for run in page)
        if len(seen) > before:
            store.patience.return_some()
        elif token:
            raise StoreError(f"{store} does not answer (its pages of runs have no end)")
        if len(seen) > _MOST_RUNS:
            raise StoreError(f"{store} has more than {_MOST_RUNS:,} runs of {experiment.name}")


def _stages_here(store: Store, study: str | None) -> Stages:
    """By one statement: MLflow takes seconds to be imported, and minutes for 10,000 runs."""
    path = store.root / DATABASE
    if not path.exists():
        return {}
    query = """
        SELECT r.run_uuid, r.lifecycle_stage = 'deleted' FROM runs r
        JOIN experiments e ON e.experiment_id = r.experiment_id
        WHERE e.lifecycle_stage = 'active' AND ? IN ('', e.name)"""
    try:
        # Read only: a report must not lock out a study that runs.
        with contextlib.closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
        ) as database:
            found = database.execute(query, (study or "",))
            return {str(run_id): bool(is_deleted) for run_id, is_deleted in found}
    except sqlite3.Error as err:
        raise StoreError(f"{DATABASE} cannot be read ({explain(err)})") from err
