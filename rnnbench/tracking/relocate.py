"""A local store whose folder was moved: MLflow keeps the addresses of artifacts absolute.

The tag that tells the runs of one folder from another's names it too. Left alone it would have
runs published a second time.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import unquote

from rnnbench.entries import LedgerEntry
from rnnbench.errors import StoreError
from rnnbench.tracking.notes import read_notes
from rnnbench.tracking.publisher import ORIGIN_TAG
from rnnbench.tracking.store import (
    ARTIFACTS,
    DATABASE,
    Store,
    artifact_address,
    explain,
    folder_mark,
)

LOCK_SECONDS = 10  # with another program that writes
_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def relocate_artifacts(
    store: Store, entries: Callable[[], Iterable[LedgerEntry]]
) -> tuple[dict[Path, int], dict[Path, int]]:
    """Make every address below another folder's `mlruns` one below this folder's.

    A folder whose files are not here keeps its addresses, unless the ledger knows its runs:
    somebody may have put artifacts there. All of the database or none: one transaction. Addresses
    of servers and buckets are left alone.

    Args:
        entries: reads the ledger's; called only if there is another folder.

    Returns:
        How many addresses named each other folder: those that name this one now, and those that
        are left alone, being none of this project's.

    Raises:
        StoreError: the database is not there, or is in use.
    """
    database = store.root / DATABASE
    if not store.is_local or not database.exists():
        raise StoreError(f"there is no {DATABASE} here, so there are no addresses to fix")
    fixed, left = dict[Path, int](), dict[Path, int]()
    try:
        with (
            contextlib.closing(sqlite3.connect(database, timeout=LOCK_SECONDS)) as connection,
            connection,
        ):
            found = _find(connection, store)
            known = {_noted(entry, store) for entry in entries()} if found else set()
            for folder, addresses in found.items():
                is_ours = _is_ours(folder, addresses, store.root, known)
                (fixed if is_ours else left)[folder] = len(addresses)
                if is_ours:
                    _mend(connection, folder, store.root, addresses)
    except sqlite3.Error as err:
        raise StoreError(f"{DATABASE} cannot be changed ({explain(err)})") from err
    return fixed, left


_Address = tuple[str, str, int, str, Path]  # table, column, row, scheme, what follows `mlruns/`


def _find(connection: sqlite3.Connection, store: Store) -> dict[Path, list[_Address]]:
    """Addresses below the `mlruns` of other folders, by folder."""
    found: dict[Path, list[_Address]] = {}
    own = f"{store.artifacts}/"
    for table, column in _COLUMNS:
        query = f"SELECT rowid, {column} FROM {table} WHERE substr({column}, 1, ?) <> ?"
        for row, address in connection.execute(query, (len(own), own)):
            path = Path(unquote(address.removeprefix("file://")))
            if not path.is_absolute() or ARTIFACTS not in path.parts:
                continue
            # The last one: a folder above may be called so too.
            at = len(path.parts) - path.parts[::-1].index(ARTIFACTS)
            folder = Path(*path.parts[: at - 1])
            if folder != store.root:
                scheme = "file://" if address.startswith("file://") else ""
                rest = Path(*path.parts[at:])
                found.setdefault(folder, []).append((table, column, row, scheme, rest))
    return found


def _noted(entry: LedgerEntry, store: Store) -> str:
    """The run's id; empty if it has none."""
    return str(read_notes(entry, store).get("run_id", ""))


def _is_ours(folder: Path, addresses: Iterable[_Address], root: Path, known: set[str]) -> bool:
    """Whether files below the folder's `mlruns` are here, or nowhere and of runs known here."""
    places = [rest for *_, rest in addresses]
    if any((root / ARTIFACTS / rest).exists() for rest in places):
        return True
    if any((folder / ARTIFACTS / rest).exists() for rest in places):
        return False
    return any(known & set(rest.parts) for rest in places)


def _mend(
    connection: sqlite3.Connection, folder: Path, root: Path, addresses: Iterable[_Address]
) -> None:
    for table, column, row, scheme, rest in addresses:
        fixed = scheme + artifact_address(root / ARTIFACTS / rest)
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (fixed, row))
    # The machine's name stands in front of the mark.
    connection.execute(
        "UPDATE tags SET value = replace(value, ?, ?) WHERE key = ? AND value LIKE ?",
        (folder_mark(folder), folder_mark(root), ORIGIN_TAG, f"%-{folder_mark(folder)}"),
    )
