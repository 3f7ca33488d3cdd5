"""The run that a few words on the command line mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rnnbench.architectures import display_name
from rnnbench.errors import UsageError, unknown_name
from rnnbench.ledger import Ledger, LedgerEntry
from rnnbench.reading import NO_RUNS, TrackedRun, read_runs

__all__ = ["changed_at", "find_run", "find_runs", "model_file"]


def find_runs(ledger: Ledger, study: str | None) -> list[TrackedRun]:
    """The runs of a study, or with None of all; at least one.

    Raises:
        UsageError: there is no such study, or no run at all.
    """
    runs = read_runs(ledger, study)
    if runs:
        return runs
    known = {entry.study for entry in ledger.entries()}
    raise UsageError(unknown_name("study", str(study), known) if known else NO_RUNS)


def find_run(
    words: str,
    root: Path,
    study: str | None = None,
    on_problem: Callable[[str], None] = lambda _: None,
) -> TrackedRun:
    """The one run of the folder that is meant; one that was deleted in MLflow only by its id.

    Args:
        study: None takes runs of every study, and for an architecture the study worked on last.
        on_problem: called with a sentence for each run that is left out, being damaged.

    Raises:
        UsageError: no run, or several, have such a fingerprint or architecture.
    """
    runs = find_runs(Ledger(root, writable=False, on_problem=on_problem), study)
    found = [run for run in runs if _is_called(run.entry, words)]
    if len(names := {run.entry.fingerprint for run in found}) > 1:
        shown = ", ".join(sorted(names)[:3])
        raise UsageError(f"'{words}' is the beginning of several runs ({shown}); add a character")
    if found:
        return found[0]
    named = [run for run in runs if display_name(run.spec.form) == words and not run.is_deleted]
    if named:
        return _best(named)
    known = {display_name(run.spec.form) for run in runs}
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


def _best(runs: Sequence[TrackedRun]) -> TrackedRun:
    """Of the runs on the data of the study worked on last: the best, or else the newest."""
    newest = max(runs, key=lambda run: changed_at(run.entry))
    place = (newest.study, newest.spec.data.fingerprint)
    scored = [
        (run.result.val_loss, run.entry.fingerprint, run)
        for run in runs
        if (run.study, run.spec.data.fingerprint) == place
        and run.result is not None
        and run.result.val_loss is not None
        and (run.entry.folder / "best.keras").exists()
    ]
    return min(scored, key=lambda item: item[:2])[2] if scored else newest
