"""A local store whose folder was moved: MLflow keeps the addresses of artifacts absolute.

Two more things name the folder: the tag that tells the runs of one folder from another's, and the
tracker's notes in the ledger. Left alone they would have every run published a second time.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rnnbench.errors import StoreError
from rnnbench.ledger import LedgerEntry
from rnnbench.tracking.publisher import ORIGIN_TAG
from rnnbench.tracking.store import ARTIFACTS, DATABASE, Store, folder_mark

__all__ = ["Moved", "relocate_artifacts"]

_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Another folder that addresses of the store named.

    Args:
        is_mended: whether they name this folder now; False where its files are not here.
    """

    folder: Path
    n_addresses: int
    is_mended: bool


def relocate_artifacts(store: Store, entries: Iterable[LedgerEntry]) -> list[Moved]:
    """Make every address below another folder's `mlruns` one below this folder's.

    A folder of which no file is here keeps its addresses: somebody may have put artifacts there.
    All of the database or none: one transaction. Addresses of servers and buckets are left alone.

    Args:
        entries: the ledger's, whose notes are mended too.

    Raises:
        StoreError: the database is not there, or is in use.
    """
    database = store.root / DATABASE
    if not store.is_local or not database.exists():
        raise StoreError(f"there is no {DATABASE} here whose addresses could be mended")
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=10)) as connection, connection:
            found = _find(connection, store.root)
            moved = [
                Moved(
                    folder=folder,
                    n_addresses=len(addresses),
                    is_mended=any(
                        (store.root / ARTIFACTS / rest).exists() for *_, rest in addresses
                    ),
                )
                for folder, addresses in found.items()
            ]
            for item in moved:
                if item.is_mended:
                    _mend(connection, item.folder, store.root, found[item.folder])
    except sqlite3.Error as err:
        raise StoreError(f"{DATABASE} cannot be changed ({err}); is a command at work?") from err
    addresses = {f"sqlite:///{item.folder / DATABASE}" for item in moved if item.is_mended}
    for entry in entries:
        notes = entry.published()
        if addresses & notes.keys():
            entry.note_published(
                {store.address if name in addresses else name: kept for name, kept in notes.items()}
            )
    return moved


_Address = tuple[str, str, int, str, str]  # table, column, row, address, what follows `mlruns/`


def _find(connection: sqlite3.Connection, root: Path) -> dict[Path, list[_Address]]:
    """Addresses below the `mlruns` of other folders, by folder."""
    found: dict[Path, list[_Address]] = {}
    for table, column in _COLUMNS:
        query = f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL"
        for row, address in connection.execute(query):
            path = Path(address.removeprefix("file://"))
            if not path.is_absolute() or ARTIFACTS not in path.parts:
                continue
            # The last one: a folder above may be called so too.
            at = len(path.parts) - path.parts[::-1].index(ARTIFACTS)
            folder = Path(*path.parts[: at - 1])
            if folder != root:
                rest = str(Path(*path.parts[at:]))
                found.setdefault(folder, []).append((table, column, row, address, rest))
    return found


def _mend(
    connection: sqlite3.Connection, folder: Path, root: Path, addresses: Iterable[_Address]
) -> None:
    for table, column, row, address, _ in addresses:
        mended = address.replace(str(folder / ARTIFACTS), str(root / ARTIFACTS), 1)
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (mended, row))
    # The machine's name stands in front of the mark.
    connection.execute(
        "UPDATE tags SET value = replace(value, ?, ?) WHERE key = ? AND value LIKE ?",
        (folder_mark(folder), folder_mark(root), ORIGIN_TAG, f"%-{folder_mark(folder)}"),
    )
