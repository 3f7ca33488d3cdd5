"""MLflow's client, made quiet, and bounded in what it takes from a server."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from rnnbench.errors import RnnbenchError, StoreError
from rnnbench.tracking.store import DATABASE, Store, explain, quiet_mlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient

_Answer = TypeVar("_Answer")


def ask(store: Store, question: Callable[[], _Answer]) -> _Answer:
    """What the question returns, asked as long as the store's patience lasts.

    Raises:
        StoreError: whatever a store, its driver or the network raises.
    """
    import_mlflow()  # the server does not answer for how long that takes
    try:
        return store.patience.ask(question)
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
