"""What MLflow has of a study: its own tables where the store is a file here, else its client."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import unquote, urlparse

from rnnbench.errors import StoreError
from rnnbench.tracking.addresses import reason
from rnnbench.tracking.client import import_mlflow, open_client
from rnnbench.tracking.store import DATABASE, Store, explain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CURVES", "PublishedStudies", "StoredRun", "open_published"]

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
"""The columns of a history."""

_KIND_TAG = "rnnbench.kind"
_PAGE = 200
_MOST_RUNS = 100_000  # of a study: each is held, and the largest study of ours has a fifth
_Answer = TypeVar("_Answer")
_INFINITE = sys.float_info.max  # what MLflow keeps in a database instead of an infinity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredRun:
    """A run as MLflow has it.

    Args:
        metrics: the latest value of each; NaN where MLflow says so.
        history: float64 `(n_epochs, 4)`, columns as in `CURVES`, rows from epoch 1 on; None if
            unread.
        folder: its artifacts, where they are files of this machine.
    """

    run_id: str
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    history: NDArray[np.float64] | None
    folder: Path | None


class PublishedStudies(Protocol):
    """Reads studies from a store; every method raises StoreError where that does not answer."""

    def studies(self) -> list[str]:
        """Names of the studies that have runs."""
        ...

    def runs(self, study: str, *, with_history: bool = True) -> list[StoredRun]:
        """The runs of a study that nobody deleted, the oldest first; none if there is no such."""
        ...

    def commands(self, study: str) -> list[str]:
        """Ids of the runs that stand for commands of the study, the newest first."""
        ...

    def run_ids(self, study: str) -> frozenset[str]:
        """All that is there of the study, deleted runs too; none if the whole study is deleted."""
        ...

    def deleted(self, study: str) -> frozenset[str]:
        """Ids of the runs that somebody deleted one by one, and could restore."""
        ...


def open_published(store: Store) -> PublishedStudies:
    """The reader of a store.

    Raises:
        StoreError: it cannot be opened.
    """
    return _Tables(store.root) if store.is_local else _Client(store)


class _Tables:
    """Reads `mlflow.db` itself: a hundred times faster than the client at 10,000 runs."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def studies(self) -> list[str]:
        """See `PublishedStudies`."""
        query = f"""
            SELECT DISTINCT e.name FROM experiments e
            JOIN runs r ON r.experiment_id = e.experiment_id
            JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = '{_KIND_TAG}' AND t.value = 'run'
            WHERE r.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active'"""
        with self._connected() as database:
            return [str(name) for (name,) in database.execute(query)]

    def runs(self, study: str, *, with_history: bool = True) -> list[StoredRun]:
        """See `PublishedStudies`."""
        with self._connected() as database:
            found = self._of_kind(database, study, "run")
            tags = _by_run(database, "SELECT run_uuid, key, value FROM tags", found)
            metrics = _by_run(database, _METRICS, found)
            histories = _histories(database, found) if with_history else {}
        return [
            StoredRun(
                run_id=run_id,
                tags=tags.get(run_id, {}),
                metrics=metrics.get(run_id, {}),
                history=histories.get(run_id),
                folder=self._artifacts(experiment, run_id, address),
            )
            for run_id, (experiment, address) in found.items()
        ]

    def commands(self, study: str) -> list[str]:
        """See `PublishedStudies`."""
        with self._connected() as database:
            return list(self._of_kind(database, study, "invocation"))[::-1]

    def run_ids(self, study: str) -> frozenset[str]:
        """See `PublishedStudies`."""
        return self._at_stage(study, "active", "deleted")

    def deleted(self, study: str) -> frozenset[str]:
        """See `PublishedStudies`."""
        return self._at_stage(study, "deleted")

    def _at_stage(self, study: str, *stages: str) -> frozenset[str]:
        query = f"""
            SELECT r.run_uuid FROM runs r JOIN experiments e ON e.experiment_id = r.experiment_id
            WHERE e.name = ? AND e.lifecycle_stage = 'active'
            AND r.lifecycle_stage IN ({", ".join("?" * len(stages))})"""
        with self._connected() as database:
            return frozenset(run_id for (run_id,) in database.execute(query, (study, *stages)))

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        path = self._root / DATABASE
        try:
            # Read only: a report must not make a database, nor lock out a study that runs.
            with contextlib.closing(
                sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
            ) as database:
                yield database
        except sqlite3.Error as err:
            reason = "there is no such file" if not path.exists() else explain(err)
            raise StoreError(f"{DATABASE} cannot be read ({reason})") from err

    def _of_kind(
        self, database: sqlite3.Connection, study: str, kind: str
    ) -> dict[str, tuple[str, str]]:
        """Experiment and address of artifacts by run, in the order in which they were made."""
        query = """
            SELECT r.run_uuid, r.experiment_id, r.artifact_uri FROM runs r
            JOIN experiments e ON e.experiment_id = r.experiment_id
            JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = ? AND t.value = ?
            WHERE e.name = ? AND r.lifecycle_stage = 'active' ORDER BY r.start_time, r.rowid"""
        rows = database.execute(query, (_KIND_TAG, kind, study))
        return {str(run_id): (str(experiment), str(uri)) for run_id, experiment, uri in rows}

    def _artifacts(self, experiment: str, run_id: str, address: str) -> Path | None:
        """The folder that MLflow noted, or where it would be if the project had been moved."""
        noted = _local_folder(address)
        moved = self._root / "mlruns" / experiment / run_id / "artifacts"
        return next((path for path in (noted, moved) if path and path.is_dir()), None)


_METRICS = "SELECT run_uuid, key, CASE WHEN is_nan THEN NULL ELSE value END FROM latest_metrics"


def _by_run(
    database: sqlite3.Connection, query: str, wanted: Mapping[str, object]
) -> dict[str, dict[str, Any]]:  # Any: text or numbers
    found: dict[str, dict[str, Any]] = {}
    for run_id, key, value in database.execute(query):
        if run_id in wanted:
            found.setdefault(run_id, {})[key] = math.nan if value is None else value
    return found


def _histories(
    database: sqlite3.Connection, wanted: Mapping[str, object]
) -> dict[str, NDArray[np.float64]]:
    """Each run's epochs; the steps of MLflow are the epochs, from 1 up."""
    import numpy as np

    columns = {name: index for index, name in enumerate(CURVES)}
    epochs: dict[str, dict[int, list[float]]] = {run_id: {} for run_id in wanted}
    marks = ", ".join("?" * len(CURVES))
    query = f"SELECT run_uuid, key, step, value, is_nan FROM metrics WHERE key IN ({marks})"
    for run_id, key, step, value, is_nan in database.execute(query, CURVES):
        if run_id in epochs:
            row = epochs[run_id].setdefault(step, [np.nan] * len(CURVES))
            row[columns[key]] = np.nan if is_nan else value
    return {run_id: _as_history(rows) for run_id, rows in epochs.items()}


def _as_history(rows: Mapping[int, list[float]]) -> NDArray[np.float64]:
    """The rows of all steps, in their order, with infinities as they were measured."""
    import numpy as np

    history = np.array([rows[step] for step in sorted(rows)], dtype=np.float64)
    history[np.abs(history) == _INFINITE] *= np.inf
    return history.reshape(-1, len(CURVES))


class _Client:
    """Reads a server, or a database elsewhere, as MLflow's client does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        import_mlflow()  # the server does not answer for how long that takes
        self._client = self._ask(lambda: open_client(store))

    def studies(self) -> list[str]:
        """See `PublishedStudies`."""
        return self._ask(self._studies)

    def runs(self, study: str, *, with_history: bool = True) -> list[StoredRun]:
        """See `PublishedStudies`."""
        return self._ask(
            lambda: [self._read(run, with_history) for run in self._found(study, "run")]
        )

    def commands(self, study: str) -> list[str]:
        """See `PublishedStudies`."""
        return self._ask(lambda: self._ids(study, "invocation"))[::-1]

    def _studies(self) -> list[str]:
        found = []
        for name in [str(item.name) for item in self._client.search_experiments()]:
            if self._ids(name, "run", limit=1):
                found.append(name)
            self._store.patience.return_some()
        return found

    def run_ids(self, study: str) -> frozenset[str]:
        """See `PublishedStudies`."""
        return self._ask(lambda: self._at_stage(study, "all"))

    def deleted(self, study: str) -> frozenset[str]:
        """See `PublishedStudies`."""
        return self._ask(lambda: self._at_stage(study, "deleted_only"))

    def _at_stage(self, study: str, stage: str) -> frozenset[str]:
        return frozenset(str(run.info.run_id) for run in self._found(study, None, stage=stage))

    def _read(self, run: Any, with_history: bool) -> StoredRun:  # Any: an MLflow entity
        run_id = str(run.info.run_id)
        history = self._history(run_id, run.data.metrics) if with_history else None
        self._store.patience.return_some()
        return StoredRun(
            run_id=run_id,
            tags=dict(run.data.tags),
            metrics=dict(run.data.metrics),
            history=history,
            folder=_local_folder(str(run.info.artifact_uri)),
        )

    def _history(self, run_id: str, metrics: Mapping[str, float]) -> NDArray[np.float64]:
        rows: dict[int, list[float]] = {}
        for index, name in enumerate(CURVES):
            if name not in metrics:
                continue
            for point in self._client.get_metric_history(run_id, name):
                rows.setdefault(point.step, [math.nan] * len(CURVES))[index] = point.value
        return _as_history(rows)

    def _ids(self, study: str, kind: str, limit: int | None = None) -> list[str]:
        return [str(run.info.run_id) for run in self._found(study, kind, limit)]

    def _found(
        self,
        study: str,
        kind: str | None,
        limit: int | None = None,
        *,
        stage: str = "active_only",
    ) -> list[Any]:
        """MLflow's runs of a kind, the oldest first."""
        from mlflow.entities import ViewType

        experiment = self._client.get_experiment_by_name(study)
        if experiment is None or experiment.lifecycle_stage == "deleted":
            return []
        found: list[Any] = []
        seen: set[str] = set()
        token: str | None = None
        while token != "":
            page = self._client.search_runs(
                [experiment.experiment_id],
                f"tags.`{_KIND_TAG}` = '{kind}'" if kind else "",
                run_view_type=ViewType.from_string(stage),
                order_by=["attributes.start_time ASC"],
                max_results=limit or _PAGE,
                page_token=token,
            )
            found += page
            token = "" if limit else page.token or ""
            before = len(seen)
            seen.update(str(run.info.run_id) for run in page)
            if len(seen) > before:
                self._store.patience.return_some()
            elif token:
                raise ValueError("its pages of runs have no end")
            if len(seen) > _MOST_RUNS:
                raise ValueError(f"{study} has more than {_MOST_RUNS:,} runs there")
        return found

    def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        """Turns whatever a store that does not answer raises into StoreError."""
        try:
            return self._store.patience.ask(question)
        except Exception as err:  # whatever a store, its driver or the network raises
            raise StoreError(f"{self._store} does not answer ({reason(err)})") from err


def _local_folder(address: str) -> Path | None:
    """The folder that an address of artifacts names; None for one on a server."""
    parts = urlparse(address)
    if parts.scheme not in ("", "file"):
        return None
    # As MLflow does: a plain path may hold a '#', and is unquoted all the same.
    folder = Path(unquote(parts.path if parts.scheme else address))
    return folder if folder.is_dir() else None
