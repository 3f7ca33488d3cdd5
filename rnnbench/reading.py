"""Runs as every command reads them: one function over the ledger, one record."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from rnnbench.errors import StoreError
from rnnbench.ledger import Ledger, LedgerEntry
from rnnbench.specs import EpochRow, RunResult, RunSpec
from rnnbench.tracking.notes import notes_of
from rnnbench.tracking.published import Stages, find_stages
from rnnbench.tracking.store import Store, find_store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CURVES", "NO_RUNS", "TrackedRun", "read_runs"]

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
"""The columns of a history."""
NO_RUNS = "there are no runs here yet; `rnnbench run --all` makes some"
_LAST = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrackedRun:
    """What is known of one run.

    Args:
        result: None while the run is not over.
        history: float64 `(n_epochs, 4)`, a row an epoch, columns as in `CURVES`; None if unread.
        run_id: the run's id in MLflow; None where it is not there, or was deleted.
        folder: where the ledger keeps it.
        is_deleted: whether somebody deleted it in MLflow, so that reports leave it out.
    """

    study: str
    spec: RunSpec
    result: RunResult | None
    history: NDArray[np.float64] | None = None
    run_id: str | None = None
    folder: Path | None = None
    is_deleted: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether the run came to a score; a failed or diverged one did not."""
        return self.result is not None and self.result.status == "finished"

    @property
    def entry(self) -> LedgerEntry:
        """Its folder in the ledger, which reading has found."""
        assert self.folder is not None
        return LedgerEntry(self.study, self.folder, self.spec)


def read_runs(
    ledger: Ledger, study: str | None = None, *, whole: str | None = None, asks_mlflow: bool = True
) -> list[TrackedRun]:
    """Every run of a study, or of all, in the order in which they began as far as that is read.

    Args:
        whole: a study of which every file is looked at, and histories are read; a run of it with
            a damaged file is told, and left out.
        asks_mlflow: whether `mlflow.db` is asked what somebody deleted there. Of a server, and of
            a database that cannot be read, counts what a command has noted.
    """
    store, stages = _store(ledger.folder.parent), None
    if asks_mlflow and store.is_local:
        with suppress(StoreError):
            stages = find_stages(store)
    found = ledger.read_all(study, partial(_read, whole=whole, store=store, stages=stages))
    return [run for _, run in sorted(found, key=lambda item: item[0])]


def _store(root: Path) -> Store:
    """The store of the folder, also one that cannot be used: what is noted of it can be read."""
    try:
        return find_store(root)
    except StoreError:
        return Store(root=root)


def _read(
    entry: LedgerEntry, *, whole: str | None, store: Store, stages: Stages | None
) -> tuple[float, TrackedRun]:
    """A run, and when its first epoch ended, where its history is read.

    Raises:
        DamagedError: a file of it cannot be read.
    """
    spec, result = entry.spec(), entry.result()
    is_whole = entry.study == whole
    history = entry.history() if is_whole or result is None else ()
    if is_whole:
        entry.check_rest(result)
    notes = notes_of(entry, store)
    run_id = notes.get("run_id")
    is_deleted = bool(notes.get("deleted")) if stages is None else stages.get(str(run_id), False)
    is_there = run_id is not None and not is_deleted and (stages is None or run_id in stages)
    run = TrackedRun(
        study=entry.study,
        spec=spec,
        result=result and _with_maker(result, notes.get("tags")),
        history=_as_array(history) if is_whole else None,
        run_id=run_id if is_there else None,
        folder=entry.folder,
        is_deleted=is_deleted,
    )
    return history[0].ended_at if history else _LAST, run


def _with_maker(result: RunResult, tags: object) -> RunResult:
    """The result with the command that made it, which earlier versions noted as tags of MLflow."""
    if not isinstance(tags, Mapping) or "command" in result.environment:
        return result
    named = {"command": "rnnbench.command", "commit": "mlflow.source.git.commit"}
    noted = {name: str(tags[tag]) for name, tag in named.items() if tag in tags}
    return replace(result, environment={**noted, **result.environment})


def _as_array(history: tuple[EpochRow, ...]) -> NDArray[np.float64]:
    import numpy as np

    rows = [*map(attrgetter(*CURVES), history)]
    return np.array(rows, dtype=np.float64).reshape(-1, len(CURVES))
