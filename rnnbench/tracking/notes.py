"""What the tracker has noted of a run in the ledger: per store, under the store's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rnnbench.ledger import LedgerEntry
from rnnbench.tracking.addresses import show_address
from rnnbench.tracking.store import DATABASE, Store

__all__ = ["is_settled", "noted_deleted", "notes_of", "write_notes"]


def notes_of(entry: LedgerEntry, store: Store) -> dict[str, Any]:  # Any: JSON values
    """The notes about a run in a store; empty if there are none."""
    published = entry.published()
    name = _name(published, store)
    return published[name] if name else {}


def is_settled(notes: Mapping[str, Any]) -> bool:  # Any: JSON values
    """Whether the store has the whole run, or somebody deleted it there."""
    return bool(notes.get("done") or notes.get("deleted"))


def noted_deleted(store: Store, entries: Iterable[LedgerEntry]) -> dict[str, LedgerEntry]:
    """By their ids, the runs that were deleted when a command last published there.

    None where the folder's own database is gone: what was deleted in it is made anew.
    """
    if store.is_local and not (store.root / DATABASE).exists():
        return {}
    found = ((notes_of(entry, store), entry) for entry in entries)
    return {str(notes.get("run_id")): entry for notes, entry in found if notes.get("deleted")}


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
