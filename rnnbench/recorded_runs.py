"""Runs as every command reads them: one function over the ledger, one record; and finding one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from rnnbench.architectures import display_name, name_without_units
from rnnbench.entries import LedgerEntry
from rnnbench.errors import StoreError, UsageError, unknown_name
from rnnbench.ledger import Ledger
from rnnbench.specs import EpochRow, PluginForm, RunResult, RunSpec
from rnnbench.tracking.client import Stages, find_stages
from rnnbench.tracking.notes import read_notes
from rnnbench.tracking.provenance import MAKER_TAGS
from rnnbench.tracking.store import Store, find_store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
"""The columns of a history."""
NO_RUNS = "there are no runs here yet; `rnnbench run --all` makes some"
MODEL = "best.keras"
_LAST = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedRun:
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
        """Whether the run produced a score; a failed or diverged one did not."""
        return self.result is not None and self.result.status == "finished"

    @property
    def entry(self) -> LedgerEntry:
        """Its folder in the ledger, which reading has found."""
        assert self.folder is not None
        return LedgerEntry(self.study, self.folder, self.spec)


def read_runs(
    ledger: Ledger, study: str | None = None, *, whole: str | None = None, asks_mlflow: bool = True
) -> list[RecordedRun]:
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


def scores_of(runs: Iterable[RecordedRun]) -> dict[str, float | None]:
    """By fingerprint the test accuracy of the runs that are over; None of those without one."""
    return {
        run.spec.fingerprint: run.result.test_accuracy if run.is_finished else None
        for run in runs
        if run.result is not None
    }


def find_runs(ledger: Ledger, study: str | None) -> list[RecordedRun]:
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
) -> RecordedRun:
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
    named = [run for run in runs if _is_named(run.spec, words) and not run.is_deleted]
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
    path = entry.folder / MODEL
    if not path.is_file():
        result = entry.result()
        state = "is not over yet" if result is None else f"has {result.status}"
        raise UsageError(f"the run {entry.fingerprint} {state}, and keeps no model{_why(result)}")
    return path


def _why(result: RunResult | None) -> str:
    """Of a run that was taken from MLflow: there its model stays."""
    if result is None or "imported_store" not in result.environment:
        return ""
    return (
        "; what is taken from MLflow leaves it there: have the study sent by `rnnbench export`, "
        "which takes it along"
    )


def changed_at(entry: LedgerEntry) -> float:
    """When the run last came further; the tracker's notes do not count."""
    names = ("spec.json", "state.npz", "history.csv", "result.json")
    times = (entry.folder / name for name in names)
    return max(path.stat().st_mtime for path in times if path.exists())


def _store(root: Path) -> Store:
    """The store of the folder, also one that cannot be used: what is noted of it can be read."""
    try:
        return find_store(root)
    except StoreError:
        return Store(root=root)


def _read(
    entry: LedgerEntry, *, whole: str | None, store: Store, stages: Stages | None
) -> tuple[float, RecordedRun]:
    """A run, and when its first epoch ended, where its history is read.

    Raises:
        DamagedError: a file of it cannot be read.
    """
    spec, result = entry.spec(), entry.result()
    is_whole = entry.study == whole
    history = entry.history() if is_whole or result is None else ()
    if is_whole:
        entry.check_rest(result)
    notes = read_notes(entry, store)
    run_id = notes.get("run_id")
    is_deleted = bool(notes.get("deleted")) if stages is None else stages.get(str(run_id), False)
    is_there = run_id is not None and not is_deleted and (stages is None or run_id in stages)
    run = RecordedRun(
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
    noted = {name: str(tags[tag]) for name, tag in MAKER_TAGS.items() if tag in tags}
    return replace(result, environment={**noted, **result.environment})


def _as_array(history: tuple[EpochRow, ...]) -> NDArray[np.float64]:
    import numpy as np

    rows = [*map(attrgetter(*CURVES), history)]
    return np.array(rows, dtype=np.float64).reshape(-1, len(CURVES))


def _is_called(entry: LedgerEntry, words: str) -> bool:
    if len(words) < 4:
        return False
    ids = [str(notes.get("run_id", "")) for notes in entry.published().values()]
    return any(name.startswith(words) for name in (entry.fingerprint, *ids))


def _is_named(spec: RunSpec, words: str) -> bool:
    """Whether that is its architecture; on texts of the user's own whatever its units are."""
    names = {display_name(spec.form)}
    if isinstance(spec.form, PluginForm) and spec.form.is_of_file:  # whatever its arguments are
        names |= {spec.form.name, spec.form.name.rpartition(":")[0]}
    if spec.data.is_own:
        names.add(name_without_units(spec.form))
    is_path = ".py" in words  # of a network of the user's own, wherever its file lies
    return (Path(words).name if is_path else words) in names


def _best(runs: Sequence[RecordedRun]) -> RecordedRun:
    """The best run, or else the newest, on the data of the study worked on last."""
    newest = max(runs, key=lambda run: changed_at(run.entry))
    place = (newest.study, newest.spec.data.fingerprint)
    scored = [
        (run.result.val_loss, run.entry.fingerprint, run)
        for run in runs
        if (run.study, run.spec.data.fingerprint) == place
        and run.result is not None
        and run.result.val_loss is not None
        and (run.entry.folder / MODEL).exists()
    ]
    return min(scored, key=lambda item: item[:2])[2] if scored else newest
