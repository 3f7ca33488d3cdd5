"""MLflow's databases: the project's own, made whole or not at all, and experiments in any."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rnnbench.tracking.store import DATABASE, Store, sqlite_address

if TYPE_CHECKING:
    from mlflow import MlflowClient


def make_database(store: Store, folder: Path) -> None:
    """Make the database of a local store where there is none yet.

    MLflow builds it in two seconds of migrations, each on disk as it is done, and neither it nor
    `mlflow db upgrade` can go on from the middle of them. So it is built aside and renamed.

    Args:
        folder: on the same disk, for the database while it is being built.
    """
    target = store.root / DATABASE
    if not store.is_local or (target.exists() and target.stat().st_size > 0):
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    partial = folder / f"new-{DATABASE}"
    _remove(partial)
    try:
        made = SqlAlchemyStore(sqlite_address(partial), store.artifacts)  # type: ignore[no-untyped-call]  # MLflow's
        made.engine.dispose()
        partial.replace(target)
    finally:
        _remove(partial)  # on a full disk the ledger needs the room


def make_experiment(store: Store, client: MlflowClient, name: str, tags: Mapping[str, str]) -> str:
    """A new experiment's id; its artifacts lie below `mlruns`, or where a server puts them.

    A plain client takes the working directory, and unquotes its name.
    """
    if store.is_server:
        return str(client.create_experiment(name, tags=dict(tags)))
    from mlflow.entities import ExperimentTag
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    database = SqlAlchemyStore(store.address, store.artifacts)  # type: ignore[no-untyped-call]  # MLflow's
    made = database.create_experiment(name, tags=[ExperimentTag(*tag) for tag in tags.items()])  # type: ignore[no-untyped-call]  # MLflow's
    return str(made)


def _remove(database: Path) -> None:
    for leftover in database.parent.glob(f"{database.name}*"):
        leftover.unlink()
