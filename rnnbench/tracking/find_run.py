"""The run that a few words on the command line mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rnnbench.architectures import display_name
from rnnbench.errors import UsageError, unknown_name
from rnnbench.ledger import Ledger, LedgerEntry
from rnnbench.tracking.runs import NO_RUNS, find_deleted

__all__ = ["changed_at", "find_entries", "find_run", "model_file"]


def find_entries(ledger: Ledger, study: str | None) -> list[LedgerEntry]:
    """The runs of a study, or with None of all; at least one.

    Raises:
        UsageError: there is no such study, or no run at all.
    """
    entries = ledger.entries(study)
    if entries:
        return entries
    known = {entry.study for entry in ledger.entries()}
    raise UsageError(unknown_name("study", str(study), known) if known else NO_RUNS)


def find_run(
    words: str,
    root: Path,
    study: str | None = None,
    on_problem: Callable[[str], None] = lambda _: None,
) -> LedgerEntry:
    """The one run of the folder that is meant; one that was deleted in MLflow only by its id.

    Args:
        study: None takes runs of every study, and for an architecture the study worked on last.
        on_problem: called with a sentence for each run that is left out, being damaged.

    Raises:
        UsageError: no run, or several, have such a fingerprint or architecture.
    """
    entries = find_entries(Ledger(root, writable=False, on_problem=on_problem), study)
    found = [entry for entry in entries if _is_called(entry, words)]
    if len({entry.fingerprint for entry in found}) > 1:
        shown = ", ".join(sorted(entry.fingerprint for entry in found)[:3])
        raise UsageError(f"'{words}' is the beginning of several runs ({shown}); add a character")
    if found:
        return found[0]
    deleted = find_deleted(root, entries)
    kept = [entry for entry in entries if entry not in deleted]
    named = [entry for entry in kept if display_name(entry.spec().form) == words]
    if named:
        return _best(named)
    known = {display_name(entry.spec().form) for entry in entries}
    if words in known:
        raise UsageError(
            f"every run of {words} was deleted in MLflow; name one by its fingerprint, as "
            "`rnnbench list runs` shows it"
        )
    raise UsageError(
        f"{unknown_name('run', words, known)}; or a fingerprint, as `rnnbench list runs` shows it"
    )


def model_file(entry: LedgerEntry) -> Path:
    """The best model's file.

    Raises:
        UsageError: the run has none: it is not over, diverged or failed.
        DamagedError: a file of the run cannot be read.
    """
    entry.check()
    path = entry.folder / "best.keras"
    if not path.is_file():
        result = entry.result()
        state = "is not over yet" if result is None else f"has {result.status}"
        raise UsageError(f"the run {entry.fingerprint} {state}, and keeps no model")
    return path


def changed_at(entry: LedgerEntry) -> float:
    """When the run last came further; the tracker's notes do not count."""
    names = ("spec.json", "state.npz", "history.csv", "result.json")
    times = (entry.folder / name for name in names)
    return max(path.stat().st_mtime for path in times if path.exists())


def _is_called(entry: LedgerEntry, words: str) -> bool:
    if len(words) < 4:
        return False
    ids = [str(notes.get("run_id", "")) for notes in entry.published().values()]
    return any(name.startswith(words) for name in (entry.fingerprint, *ids))


def _best(entries: Sequence[LedgerEntry]) -> LedgerEntry:
    """Of the runs on the data of the study worked on last: the best, or else the newest."""
    newest = max(entries, key=changed_at)
    place = (newest.study, newest.spec().data.fingerprint)
    alike = [entry for entry in entries if (entry.study, entry.spec().data.fingerprint) == place]
    scored = [
        (result.val_loss, entry.fingerprint, entry)
        for entry in alike
        if (result := entry.result()) is not None
        and result.val_loss is not None
        and (entry.folder / "best.keras").exists()
    ]
    return min(scored, key=lambda item: item[:2])[2] if scored else newest
