"""Runs as they are read back: from MLflow, and what it does not have yet from the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnbench.errors import StoreError, StudyError, UsageError, unknown_name
from rnnbench.formats import parse_json
from rnnbench.ledger import Ledger, LedgerEntry
from rnnbench.specs import EpochRow, RunResult, RunSpec
from rnnbench.tracking.published import (
    CURVES,
    PublishedRun,
    PublishedStudies,
    open_published,
)
from rnnbench.tracking.publisher import ATTEMPT_TAG, FINGERPRINT_TAG, SPEC_TAG, STATUS_TAG
from rnnbench.tracking.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "CURVES",
    "NO_RUNS",
    "ReadRuns",
    "TrackedRun",
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
        tags: what MLflow says of the run, such as the git commit.
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
    """

    runs: tuple[TrackedRun, ...]
    problem: str | None = None


def tracked_studies(store: Store, ledger: Ledger) -> tuple[str, ...]:
    """Names of the studies that MLflow or the ledger has runs of."""
    names = {entry.study for entry in ledger.entries()}
    with suppress(StoreError):  # what the ledger has can be shown all the same
        names |= set(open_published(store).studies())
    return tuple(sorted(names))


def read_runs(store: Store, ledger: Ledger, study: str) -> ReadRuns:
    """A study's runs from MLflow, and from the ledger what MLflow does not have yet.

    Of a run that was started over, or that two machines made, the last attempt counts.

    Raises:
        UsageError: neither has such a study; the known ones are listed.
    """
    published: list[PublishedRun] = []
    problem = None
    try:
        published = open_published(store).runs(study)
    except StoreError as err:
        problem = str(err)
    runs = _unite(study, published, ledger)
    if not runs:
        raise UsageError(_no_runs(study, tracked_studies(store, ledger)))
    return ReadRuns(runs=tuple(runs), problem=problem)


def read_other_runs(store: Store | None, ledger: Ledger, study: str) -> tuple[TrackedRun, ...]:
    """The runs of all other studies, their histories left unread.

    Args:
        store: None takes the ledger's alone, as does a store that cannot be read.
    """
    names = {entry.study for entry in ledger.entries()}
    published: Mapping[str, list[PublishedRun]] = {}
    if store is not None:
        with suppress(StoreError):  # whoever read the study itself has said so
            published = _read_others(open_published(store), study)
    names |= set(published)
    return tuple(
        run
        for name in sorted(names - {study})
        for run in _unite(name, published.get(name, []), ledger, with_history=False)
    )


def _read_others(reader: PublishedStudies, study: str) -> dict[str, list[PublishedRun]]:
    names = [name for name in reader.studies() if name != study]
    return {name: reader.runs(name, with_history=False) for name in names}


def _unite(
    study: str, published: Iterable[PublishedRun], ledger: Ledger, *, with_history: bool = True
) -> list[TrackedRun]:
    """Each run once: as MLflow has it, or from the ledger where that knows more."""
    entries = {entry.fingerprint: entry for entry in ledger.entries(study)}
    attempts = ledger.attempts(study)
    runs: dict[str, TrackedRun] = {}
    for fingerprint, found in _last_attempts(published).items():
        entry = entries.get(fingerprint)
        if entry is None or _is_up_to_date(found, entry, attempts.get(fingerprint, 1)):
            tracked = _from_published(study, found, entry)
            if tracked is not None:
                runs[fingerprint] = tracked
    for fingerprint, entry in entries.items():
        if fingerprint not in runs and (not with_history or ledger.is_sound(entry)):
            runs[fingerprint] = _from_ledger(entry, with_history)
    return list(runs.values())


def _no_runs(study: str, known: tuple[str, ...]) -> str:
    if not known:
        return NO_RUNS
    return unknown_name("study", study, known)


def _last_attempts(published: Iterable[PublishedRun]) -> dict[str, PublishedRun]:
    """By fingerprint; of one attempt on two machines, the one that got further."""
    last: dict[str, PublishedRun] = {}
    for run in published:
        fingerprint = run.tags.get(FINGERPRINT_TAG)
        if fingerprint and (fingerprint not in last or _rank(run) >= _rank(last[fingerprint])):
            last[fingerprint] = run
    return last


def _rank(run: PublishedRun) -> tuple[bool, int, bool]:
    return _is_over(run), _attempt(run), run.tags.get(STATUS_TAG) != "failed"


def _attempt(run: PublishedRun) -> int:
    text = run.tags.get(ATTEMPT_TAG, "1")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 1


def _is_up_to_date(run: PublishedRun, entry: LedgerEntry, attempt: int) -> bool:
    """Whether MLflow has all of the ledger's present attempt."""
    if not _is_over(run) or _attempt(run) < attempt:
        return False
    if run.tags[STATUS_TAG] != "failed":
        return True
    # A failed run is tried again, and MLflow may not have heard of that yet.
    result = entry.result()
    return result is not None and result.status == "failed"


def _is_over(run: PublishedRun) -> bool:
    return bool(run.tags.get(STATUS_TAG))  # emptied when a run is taken up again


def _from_published(study: str, run: PublishedRun, entry: LedgerEntry | None) -> TrackedRun | None:
    """The run; None where MLflow does not say what was asked of it, or what came out."""
    spec = _spec(run.tags.get(SPEC_TAG, "")) or (entry.spec() if entry else None)
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
        folder=run.folder or (entry.folder if entry else None),
        tags=run.tags,
    )


def _spec(text: str) -> RunSpec | None:
    """What a tag describes; None if it is missing, or not what the publisher writes."""
    try:
        return RunSpec.from_json(parse_json(text.encode(), most_values=1000))
    except (ValueError, TypeError, KeyError, AttributeError, StudyError):
        return None


def _result(run: PublishedRun) -> RunResult | None:
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
        **{"epochs": 0} | values,
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


def _from_ledger(entry: LedgerEntry, with_history: bool) -> TrackedRun:
    return TrackedRun(
        study=entry.study,
        spec=entry.spec(),
        result=entry.result(),
        history=_as_array(entry.history()) if with_history else None,
        folder=entry.folder,
    )


def _as_array(history: tuple[EpochRow, ...]) -> NDArray[np.float64]:
    import numpy as np

    rows = [[getattr(row, name) for name in CURVES] for row in history]
    return np.array(rows, dtype=np.float64).reshape(-1, len(CURVES))
