"""`rnnbench export` and `rnnbench import`: a study as one file, from machine to machine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rnnbench.archived_runs import check_run
from rnnbench.archives import read_archive, write_archive
from rnnbench.errors import ArchiveError, StoreError, UsageError
from rnnbench.formats import is_there
from rnnbench.ledger import Ledger, LedgerEntry
from rnnbench.output.amounts import plural, size
from rnnbench.page.drawing import draw_loss_curve
from rnnbench.page.screen import Screen
from rnnbench.tracking.find_run import find_entries
from rnnbench.tracking.relocate import relocate_artifacts
from rnnbench.tracking.runs import find_deleted
from rnnbench.tracking.store import DATABASE, find_store
from rnnbench.tracking.tracker import Tracker

__all__ = ["export_study", "import_study", "relocate_store"]


def export_study(study: str, path: Path, view: Screen, root: Path) -> None:
    """Write the study's runs that are over, and not deleted in MLflow, into one file.

    Raises:
        UsageError: no such study, or none of its runs can be exported.
        StoreError: the file cannot be written.
    """
    if is_there(path):
        raise UsageError(f"{path} is there already; name another file, or remove it")
    ledger = Ledger(root, writable=False, on_problem=view.warn)
    found = [entry for entry in find_entries(ledger, study) if ledger.is_sound(entry)]
    deleted = find_deleted(root, found)
    entries = [entry for entry in found if entry not in deleted]
    if deleted:
        view.warn(f"left out, because deleted in MLflow: {plural(len(deleted), 'run')}")
    over = [
        entry for entry in entries if entry.result() is not None and _can_be_imported(entry, view)
    ]
    if not over and any(entry.result() is not None for entry in found):
        raise UsageError(f"no run of '{study}' is left to be exported, as the warnings tell")
    if not over:
        raise UsageError(
            f"no run of '{study}' is over and whole; the command that began it goes on"
        )
    try:
        write_archive(path, study, over, ledger.declarations(study))
    except OSError as err:
        raise StoreError(f"cannot write {path}: {err.strerror or err}") from err
    left = sum(entry.result() is None for entry in entries)
    n_runs, n_bytes = plural(len(over), "run"), size(path.stat().st_size)
    view.say(f"exported: {n_runs} of '{study}' to {path} ({n_bytes})")
    if left:
        view.warn(f"left out, because not over: {plural(left, 'run')}")
    view.say(f"On the other machine: rnnbench import {path.name}")


def _can_be_imported(entry: LedgerEntry, view: Screen) -> bool:
    """Whether the other machine would take the run; one that it would not is told."""
    try:
        check_run(entry.study, entry.folder)
    except ArchiveError as err:
        view.warn(f"{err}; it is not in the archive")
        return False
    return True


def import_study(path: Path, view: Screen, root: Path) -> None:
    """Take in the runs of an archive that are not here yet, and publish them.

    Raises:
        ArchiveError: the archive is refused; nothing was taken in.
        StoreError: the ledger cannot be written.
    """
    store = find_store(root)
    ledger = Ledger(root, on_problem=view.warn)
    with ledger.locked(view.say_waiting), ledger.incoming() as folder:
        archive = read_archive(path, folder)
        study = archive.study
        origin = {"imported_from": archive.origin, "imported_archive": archive.digest[:16]}
        if not ledger.take_declarations(study, archive.declarations):
            view.warn(
                f"'{study}' declared something else there; the declaration of this folder stays"
            )
        taken = [
            entry
            for run in archive.runs
            if (entry := ledger.take_in(study, run.spec, run.folder, origin))
        ]
        n_runs = plural(len(taken), "run")
        tracker = Tracker(
            ledger, study, store, draw=draw_loss_curve, on_problem=view.warn, on_wait=view.say
        )
        if taken or tracker.owes([]):
            tags = {
                "rnnbench.study": study,
                "rnnbench.command": f"rnnbench import {path.name}",
            }
            tracker.begin(f"{study} · {n_runs} from {archive.origin}", tags, taken)
        tracker.end("FINISHED", {})
    counts = Counter(entry.spec().backend for entry in taken)
    there = len(archive.runs) - len(taken)
    view.say(
        f"imported: {n_runs} of '{study}' from {archive.origin}"
        + (f" ({', '.join(f'{n} on {name}' for name, n in counts.items())})" if counts else "")
        + (f"; {there} were here already" if there else "")
    )
    view.say(f"To see them: rnnbench report {study}")


def relocate_store(view: Screen, root: Path) -> None:
    """Make MLflow's addresses of artifacts those of this folder.

    Raises:
        StoreError: there is no local store here, or it is in use.
    """
    store = find_store(root)
    if not (root / DATABASE).exists():
        raise StoreError(f"there is no {DATABASE} here whose addresses could be mended")
    ledger, searches = (Ledger(root, part, on_problem=view.warn) for part in ("runs", "searches"))
    with ledger.locked(view.say_waiting):
        moved = relocate_artifacts(store, lambda: [*ledger.entries(), *searches.entries()])
    for item in moved:
        if item.is_mended:
            view.say(f"mended: {item.n_addresses} addresses that named {item.folder}")
        else:
            view.warn(
                f"left alone: {item.n_addresses} addresses in {item.folder}, of which no file is "
                "here"
            )
    if not moved:
        view.say("every address names this folder already; nothing to mend")
