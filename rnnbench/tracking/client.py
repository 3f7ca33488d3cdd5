"""What is asked of MLflow: through its client, made quiet and bounded, or in its file here."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from rnnbench.errors import RnnbenchError, StoreError
from rnnbench.tracking.store import DATABASE, Store, explain, quiet_mlflow, sqlite_address

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

_Answer = TypeVar("_Answer")
Stages: TypeAlias = Mapping[str, bool]
"""Ids of the runs that are there, and of each whether somebody deleted it."""

KIND_TAG = "rnnbench.kind"
_DEFAULT = "Default"  # MLflow's own, of which no run is ours
_PAGE = 200
_MOST_RUNS = 100_000  # of a study: each is held, and the largest study of ours has a fifth


def ask(store: Store, question: Callable[[], _Answer]) -> _Answer:
    """What the question returns, asked as long as the store's deadline allows.

    Raises:
        StoreError: whatever a store, its driver or the network raises.
    """
    import_mlflow()  # the server does not answer for how long that takes
    try:
        return store.deadline.ask(question)
    except RnnbenchError:
        raise
    except Exception as err:  # a store may raise anything
        raise StoreError(f"{store} does not answer ({explain(err)})") from err


def open_client(store: Store) -> MlflowClient:
    """A client of the store; a database is connected to.

    Raises:
        StoreError: there is no `mlflow.db` here, which a client would make.
    """
    if store.is_local and not (store.root / DATABASE).exists():
        raise StoreError(f"there is no {DATABASE} here")
    import_mlflow()
    from mlflow import MlflowClient

    return MlflowClient(store.address)


def import_mlflow() -> None:
    """Import MLflow, which takes seconds, so that it says nothing and no server can hold it."""
    os.environ.update(quiet_mlflow())
    import logging
    import warnings

    # What MLflow needs no progress bars for, a notebook without ipywidgets is told all the same.
    warnings.filterwarnings("ignore", "IProgress not found")
    import mlflow
    from mlflow.utils import request_utils

    from rnnbench.tracking.answers import bounded

    # MLflow logs a traceback for every error that it also raises, urllib3 every second try.
    for name, level in (
        (mlflow.__name__, logging.CRITICAL),
        ("alembic", logging.ERROR),
        ("urllib3", logging.CRITICAL),
    ):
        logging.getLogger(name).setLevel(level)
    adapter = bounded(request_utils.TCPKeepAliveHTTPAdapter)
    if adapter is not request_utils.TCPKeepAliveHTTPAdapter:
        request_utils.TCPKeepAliveHTTPAdapter = adapter  # type: ignore[misc]  # every session is made with it
        request_utils._cached_get_request_session.cache_clear()


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

    new = folder / f"new-{DATABASE}"
    _remove(new)
    try:
        made = SqlAlchemyStore(sqlite_address(new), store.artifacts)  # type: ignore[no-untyped-call]  # MLflow's
        made.engine.dispose()
        new.replace(target)
    finally:
        _remove(new)  # on a full disk the ledger needs the room


def make_experiment(store: Store, client: MlflowClient, name: str) -> str:
    """A new experiment's id; its artifacts lie below `mlruns`, or where a server puts them.

    A plain client takes the working directory, and unquotes its name.
    """
    if store.is_server:
        return str(client.create_experiment(name))
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    database = SqlAlchemyStore(store.address, store.artifacts)  # type: ignore[no-untyped-call]  # MLflow's
    return str(database.create_experiment(name))  # type: ignore[no-untyped-call]  # MLflow's


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


def tagged_experiments(store: Store, tag: str) -> list[tuple[str, str]]:
    """Name and id of each experiment in the project's own file that has the tag, the latest first.

    Raises:
        StoreError: the file cannot be read.
    """
    query = """
        SELECT e.name, e.experiment_id FROM experiments e
        JOIN experiment_tags t ON t.experiment_id = e.experiment_id AND t.key = ?
        LEFT JOIN runs r ON r.experiment_id = e.experiment_id
        WHERE e.lifecycle_stage = 'active'
        GROUP BY e.name, e.experiment_id ORDER BY MAX(r.start_time) DESC"""
    return [(str(name), str(id_)) for name, id_ in _read(store, query, tag)]


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
            store.deadline.extend()
        elif token:
            raise StoreError(f"{store} does not answer (its pages of runs have no end)")
        if len(seen) > _MOST_RUNS:
            raise StoreError(f"{store} has more than {_MOST_RUNS:,} runs of {experiment.name}")


def attach_files(store: Store, study: str, folder: Path, files: Iterable[Path], name: str) -> bool:
    """Put a study's files into MLflow as artifact `name`, with the last command that worked on it.

    Args:
        files: in `folder`, below which their places stay what they are.

    Returns:
        Whether there was such a command.

    Raises:
        StoreError: the store does not take them.
    """

    def attach() -> bool:
        client = open_client(store)
        experiment = find_experiment(client, study)
        if experiment is None:
            return False
        commands = client.search_runs(
            [experiment.experiment_id],
            f"tags.`{KIND_TAG}` = 'invocation'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        for command in commands:
            for file in files:
                place = PurePosixPath(name, file.relative_to(folder).parent.as_posix())
                client.log_artifact(command.info.run_id, str(file), str(place))
        return bool(commands)

    return ask(store, attach)


def _remove(database: Path) -> None:
    for leftover in database.parent.glob(f"{database.name}*"):
        leftover.unlink()


def _stages_here(store: Store, study: str | None) -> Stages:
    query = """
        SELECT r.run_uuid, r.lifecycle_stage = 'deleted' FROM runs r
        JOIN experiments e ON e.experiment_id = r.experiment_id
        WHERE e.lifecycle_stage = 'active' AND ? IN ('', e.name)"""
    return {str(run_id): bool(is_deleted) for run_id, is_deleted in _read(store, query, study)}


def _read(store: Store, query: str, argument: str | None) -> list[tuple[Any, ...]]:  # Any: SQL's
    """Rows of the project's own file, none if there is no such file.

    MLflow takes seconds to be imported, and minutes for 10,000 runs.
    """
    path = store.root / DATABASE
    if not path.exists():
        return []
    try:
        # Read only: a report must not lock out a study that runs.
        with contextlib.closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
        ) as database:
            return database.execute(query, (argument or "",)).fetchall()
    except sqlite3.Error as err:
        raise StoreError(f"{DATABASE} cannot be read ({explain(err)})") from err
