"""Runs as they are read back: from the ledger, and from MLflow those that others have there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnbench.errors import StoreError, StudyError, UsageError, unknown_name
from rnnbench.formats import parse_json
from rnnbench.ledger import Ledger, LedgerEntry
from rnnbench.specs import EpochRow, RunResult, RunSpec
from rnnbench.tracking.notes import noted_deleted, notes_of
from rnnbench.tracking.published import (
    CURVES,
    PublishedStudies,
    StoredRun,
    open_published,
)
from rnnbench.tracking.publisher import ATTEMPT_TAG, FINGERPRINT_TAG, SPEC_TAG, STATUS_TAG
from rnnbench.tracking.store import Store, find_store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "CURVES",
    "NO_RUNS",
    "ReadRuns",
    "TrackedRun",
    "find_deleted",
    "read_other_runs",
    "read_runs",
    "tracked_studies",
]

NO_RUNS = "there are no runs here yet; `rnnbench run --all` makes some"
_HARDWARE = ("device", "gpu", "driver", "processor", "cores", "platform", "imported_from")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrackedRun:
    """What is known of one run.

    Args:
        result: None while the run is not over.
        history: float64 `(n_epochs, 4)`, a row an epoch, columns as in `CURVES`; None if unread.
        run_id: the run's id in MLflow; None while it is in the ledger only.
        folder: where `predictions.npz` lies on this machine; None if it is not here.
        tags: what the command that made the run said of itself, such as the git commit.
    """

    study: str
    spec: RunSpec
    result: RunResult | None
    history: NDArray[np.float64] | None = None
    run_id: str | None = None
    folder: Path | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether the run came to a score; a failed or diverged one did not."""
        return self.result is not None and self.result.status == "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRuns:
    """The runs of a study.

    Args:
        runs: the last attempt at each.
        problem: why MLflow could not be read, so that the ledger stands in; None if it could.
        n_deleted: runs of the ledger that somebody deleted in MLflow, and that are left out.
    """

    runs: tuple[TrackedRun, ...]
    problem: str | None = None
    n_deleted: int = 0


def tracked_studies(store: Store, ledger: Ledger) -> tuple[str, ...]:
    """Names of the studies that MLflow or the ledger has runs of."""
    names = {entry.study for entry in ledger.entries()}
    with suppress(StoreError):  # what the ledger has can be shown all the same
        names |= set(open_published(store).studies())
    return tuple(sorted(names))


def find_deleted(root: Path, entries: Iterable[LedgerEntry]) -> frozenset[LedgerEntry]:
    """The runs that somebody deleted in MLflow.

    A server is not asked: what the last command heard counts that published there.
    """
    entries = list(entries)
    try:
        store = find_store(root)
    except StoreError:  # its notes can be read all the same
        store = Store(root=root)
    if store.is_local:
        with suppress(StoreError):
            reader = open_published(store)
            ids = set().union(*map(reader.deleted, {entry.study for entry in entries}))
            suspects = entries if ids else []
            return frozenset(e for e in suspects if notes_of(e, store).get("run_id") in ids)
    return frozenset(noted_deleted(store, entries).values())


def read_runs(store: Store, ledger: Ledger, study: str) -> ReadRuns:
    """A study's runs from the ledger, and from MLflow those of others.

    A run that somebody deleted in MLflow is left out. Of a run that was started over, or that two
    machines made, the last attempt counts.

    Raises:
        UsageError: neither has such a study, the known ones are listed; or all is deleted.
    """
    problem, own = None, _noted(store, ledger, study)
    try:
        seen = _look(open_published(store), study, own)
    except StoreError as err:
        problem = str(err)
        seen = _as_noted(store, own.values())
    runs = _unite(study, seen, store, ledger)
    if not runs:
        raise UsageError(_no_runs(study, tracked_studies(store, ledger), bool(seen.deleted)))
    deleted = {own[run_id].fingerprint for run_id in seen.deleted & own.keys()}
    n_deleted = len(deleted - {run.spec.fingerprint for run in runs})
    return ReadRuns(runs=tuple(runs), problem=problem, n_deleted=n_deleted)


def read_other_runs(
    store: Store, ledger: Ledger, study: str, *, can_be_read: bool = True
) -> tuple[TrackedRun, ...]:
    """The runs of all other studies, their histories left unread.

    Args:
        can_be_read: whether the store is asked; else the ledger's runs are all.
    """
    names = {entry.study for entry in ledger.entries()}
    seen: dict[str, _Seen] = {}
    if can_be_read:
        with suppress(StoreError):  # the ledger stands in, also if time ran out only here
            reader = open_published(store)
            names |= set(reader.studies())
            seen = {name: _look(reader, name) for name in names - {study}}
    return tuple(
        run
        for name in sorted(names - {study})
        for run in _unite(
            name,
            seen.get(name) or _as_noted(store, ledger.entries(name)),
            store,
            ledger,
            with_history=False,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What MLflow has of a study.

    Args:
        published: the oldest first.
        deleted: ids of those that somebody deleted.
    """

    published: Sequence[StoredRun] = ()
    deleted: frozenset[str] = frozenset()


def _look(reader: PublishedStudies, study: str, own: Collection[str] | None = None) -> _Seen:
    """Read a study; with `own`, the ids of runs in the ledger, the histories of all others too."""
    published = reader.runs(study, with_history=False)
    if own is not None and any(run.run_id not in own for run in published):
        published = reader.runs(study)
    return _Seen(published=published, deleted=reader.deleted(study))


def _as_noted(store: Store, entries: Iterable[LedgerEntry]) -> _Seen:
    """What is known of a study in a store that cannot be read."""
    return _Seen(deleted=frozenset(noted_deleted(store, entries)))


def _noted(store: Store, ledger: Ledger, study: str) -> dict[str, LedgerEntry]:
    """The entries that the tracker has published, by the run's id."""
    found = ((notes_of(entry, store), entry) for entry in ledger.entries(study))
    return {notes["run_id"]: entry for notes, entry in found if "run_id" in notes}


def _unite(
    study: str, seen: _Seen, store: Store, ledger: Ledger, *, with_history: bool = True
) -> list[TrackedRun]:
    """Each run once: as the ledger has it, or as others have it who got further; as they began."""
    attempts = ledger.attempts(study)
    order = {run.run_id: place for place, run in enumerate(seen.published)}
    tags = {run.run_id: run.tags for run in seen.published}
    runs: dict[str, TrackedRun] = {}
    own: set[str] = set()
    for entry in ledger.entries(study):
        notes = notes_of(entry, store)
        run_id = notes.get("run_id", "")
        own.add(run_id)
        if with_history and not ledger.is_sound(entry):
            continue
        if run_id not in seen.deleted:
            runs[entry.fingerprint] = TrackedRun(
                study=study,
                spec=entry.spec(),
                result=entry.result(),
                history=_as_array(entry.history()) if with_history else None,
                run_id=run_id if run_id in order else None,
                folder=entry.folder,
                tags=notes.get("tags") or tags.get(run_id, {}),
            )
    others = [run for run in seen.published if run.run_id not in own]
    for fingerprint, found in _last_attempts(others).items():
        if _attempt(found) >= attempts.get(fingerprint, 1) and _adds(found, runs.get(fingerprint)):
            tracked = _from_published(study, found)
            if tracked is not None:
                runs[fingerprint] = tracked
    return sorted(runs.values(), key=lambda run: order.get(str(run.run_id), len(order)))


def _no_runs(study: str, known: tuple[str, ...], are_deleted: bool) -> str:
    if not known:
        return NO_RUNS
    if study in known and are_deleted:
        return (
            f"every run of '{study}' was deleted in MLflow; restore them in its page, or run anew"
        )
    return unknown_name("study", study, known)


def _last_attempts(published: Iterable[StoredRun]) -> dict[str, StoredRun]:
    """By fingerprint; of one attempt on two machines, the one that got further."""
    last: dict[str, StoredRun] = {}
    for run in published:
        fingerprint = run.tags.get(FINGERPRINT_TAG)
        if fingerprint and (fingerprint not in last or _rank(run) >= _rank(last[fingerprint])):
            last[fingerprint] = run
    return last


def _rank(run: StoredRun) -> tuple[bool, int, bool]:
    return _is_over(run), _attempt(run), run.tags.get(STATUS_TAG) != "failed"


def _attempt(run: StoredRun) -> int:
    text = run.tags.get(ATTEMPT_TAG, "1")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 1


def _adds(run: StoredRun, own: TrackedRun | None) -> bool:
    """Whether somebody else's run says more than the ledger's."""
    if own is None:
        return True
    is_open = own.result is None or own.result.status == "failed"
    return is_open and _is_over(run) and run.tags[STATUS_TAG] != "failed"


def _is_over(run: StoredRun) -> bool:
    return bool(run.tags.get(STATUS_TAG))  # emptied when a run is taken up again


def _from_published(study: str, run: StoredRun) -> TrackedRun | None:
    """The run; None where MLflow does not say what was asked of it, or what came out."""
    spec = _spec(run.tags.get(SPEC_TAG, ""))
    if spec is None:
        return None
    try:
        result = _result(run)
    except (ValueError, OverflowError):  # a count that is no number
        return None
    return TrackedRun(
        study=study,
        spec=spec,
        result=result,
        history=run.history,
        run_id=run.run_id,
        folder=run.folder,
        tags=run.tags,
    )


def _spec(text: str) -> RunSpec | None:
    """What a tag describes; None if it is missing, or not what the publisher writes."""
    try:
        return RunSpec.from_json(parse_json(text.encode(), most_values=1000))
    except (ValueError, TypeError, KeyError, AttributeError, StudyError):
        return None


def _result(run: StoredRun) -> RunResult | None:
    if not _is_over(run):
        return None
    renamed = {
        "val_loss": "best_val_loss",
        "val_accuracy": "best_val_accuracy",
        "epoch_seconds": "median_epoch_seconds",
    }
    values: dict[str, Any] = {  # Any: numbers
        item.name: run.metrics[key]
        for item in fields(RunResult)
        if (key := renamed.get(item.name, item.name)) in run.metrics
    }
    for name in ("epochs", "best_epoch", "n_parameters"):
        if name in values:
            values[name] = int(values[name])
    return RunResult(
        **{"epochs": 0 if run.history is None else len(run.history)} | values,
        status=run.tags[STATUS_TAG],  # type: ignore[arg-type]  # the publisher wrote it
        reason=run.tags.get("rnnbench.reason") or None,
        environment=_environment(run.tags),
    )


def _environment(tags: Mapping[str, str]) -> dict[str, str]:
    """What the worker said of itself, among all else that is tagged."""
    prefix = "rnnbench."
    named = {tag[len(prefix) :]: value for tag, value in tags.items() if tag.startswith(prefix)}
    return {
        name: value
        for name, value in named.items()
        if name in _HARDWARE or name.startswith(("version.", "variable."))
    }


def _as_array(history: tuple[EpochRow, ...]) -> NDArray[np.float64]:
    import numpy as np

    rows = [[getattr(row, name) for name in CURVES] for row in history]
    return np.array(rows, dtype=np.float64).reshape(-1, len(CURVES))
