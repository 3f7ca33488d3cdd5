"""What the tracker has noted of a run in the ledger: per store, under the store's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rnnbench.entries import LedgerEntry
from rnnbench.tracking.addresses import show_address
from rnnbench.tracking.client import Stages
from rnnbench.tracking.store import DATABASE, Store

if TYPE_CHECKING:
    from mlflow.entities import Experiment


def read_notes(entry: LedgerEntry, store: Store) -> dict[str, Any]:  # Any: JSON values
    """The notes about a run in a store; empty if there are none."""
    published = entry.published()
    name = _name(published, store)
    return published[name] if name else {}


def is_settled(notes: Mapping[str, Any]) -> bool:  # Any: JSON values
    """Whether the store has the whole run, or somebody deleted it there."""
    return bool(notes.get("done") or notes.get("deleted"))


def note_stages(store: Store, entries: Iterable[LedgerEntry], stages: Stages) -> None:
    """Note what somebody did to runs in a store: what is gone there is to be published anew.

    Others' runs are not: those are what was taken from there.
    """
    for entry in entries:
        noted = read_notes(entry, store)
        if "run_id" not in noted:
            continue
        is_taken = bool(noted.get("taken"))
        if noted["run_id"] not in stages:
            if not is_taken:
                write_notes(entry, store, None)
            continue
        is_deleted = stages[noted["run_id"]]
        if is_deleted != bool(noted.get("deleted")):  # one that is restored is completed
            write_notes(entry, store, {**noted, "deleted": is_deleted, "done": is_taken})


def experiment_mark(experiment: Experiment) -> str:
    """Tells an experiment of a store from one of a store made anew under the same address."""
    return f"{experiment.experiment_id}@{experiment.creation_time}"


def write_notes(
    entry: LedgerEntry,
    store: Store,
    notes: Mapping[str, Any] | None,  # Any: JSON values
) -> None:
    """Replace the notes about a run in a store; None takes them away."""
    published = entry.published()
    before = _name(published, store)
    kept = {show_address(name): noted for name, noted in published.items() if name != before}
    entry.note_published(kept if notes is None else {**kept, str(store): dict(notes)})


def _name(published: Iterable[str], store: Store) -> str | None:
    """Under which the notes lie; earlier versions took the whole address, password and all."""
    names = list(published)
    if str(store) in names:
        return str(store)
    if not store.is_local:
        return next((name for name in names if show_address(name) == str(store)), None)
    here = f"sqlite:///{store.root / DATABASE}"
    local = [
        name for name in names if name.startswith("sqlite:////") and name.endswith(f"/{DATABASE}")
    ]
    if here in local:
        return here
    return local[0] if len(local) == 1 else None  # of the folder that this one was before
