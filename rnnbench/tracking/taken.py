"""Runs that others have in MLflow, taken into the ledger.

Each is laid down as an archive holds it, checked as one of an archive is, and moved in whole. One
that is refused is told, and the rest is taken. Where it comes from is noted before it is moved, so
that no command publishes it there again.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from rnnbench.archived_runs import check_run
from rnnbench.archives import check_declarations
from rnnbench.data.files import write_whole
from rnnbench.data.tokenizer import TOKENIZER
from rnnbench.entries import MOST_BYTES, LedgerEntry, write_json
from rnnbench.errors import ArchiveError, RnnbenchError, UsageError, unknown_name
from rnnbench.formats import parse_json
from rnnbench.ledger import Ledger
from rnnbench.recording import history_csv
from rnnbench.sources import NETWORK_FILE
from rnnbench.specs import EpochRow, RunSpec
from rnnbench.study import check_name
from rnnbench.tracking.addresses import reason
from rnnbench.tracking.client import (
    KIND_TAG,
    ask,
    experiment_names,
    find_experiment,
    list_runs,
    open_client,
)
from rnnbench.tracking.measures import EPOCH_METRICS, result_values
from rnnbench.tracking.notes import experiment_mark, note_stages, write_notes
from rnnbench.tracking.provenance import MAKER_TAGS
from rnnbench.tracking.publisher import (
    ATTEMPT_TAG,
    DECLARATION_TAG,
    FINGERPRINT_TAG,
    ORIGIN_TAG,
    SPEC_TAG,
    STATUS_TAG,
)
from rnnbench.tracking.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_FETCHED = {"predictions.npz", TOKENIZER, NETWORK_FILE}
MOST_TOLD = 5  # of the runs that are refused, one by one
_KEPT = re.compile(
    r"rnnbench\.(device|gpu|driver|processor|cores|platform|imported_from|imported_archive"
    r"|command|commit|version\..*|variable\..*)"
)
_COMMIT = MAKER_TAGS["commit"]  # as earlier versions named it


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came from elsewhere.

    Args:
        origin: a machine, or the address of a store.
        entries: the runs that are new in the ledger.
        n_known: runs there that the ledger had already.
    """

    study: str
    origin: str
    entries: tuple[LedgerEntry, ...]
    n_known: int


def take_runs(store: Store, ledger: Ledger, study: str, on_problem: Callable[[str], None]) -> Taken:
    """Take in the runs of an experiment that are over, not deleted, and not here.

    The ledger's lock must be held. What was deleted or restored there is noted. A run here that
    failed, or never began, is put aside for one that came to an end.

    Args:
        on_problem: called with a sentence for each run that is refused.

    Raises:
        UsageError: there is no such experiment, or no study could be called so.
        StoreError: the store does not answer, or the ledger cannot be written.
    """
    check_name(study)
    client = ask(store, lambda: open_client(store))
    experiment = ask(store, lambda: find_experiment(client, study))
    if experiment is None:
        raise UsageError(unknown_name("experiment", study, experiment_names(store)))
    runs = list(list_runs(store, client, experiment))
    stages = {str(run.info.run_id): run.info.lifecycle_stage == "deleted" for run in runs}
    note_stages(store, ledger.entries(study), stages)
    attempts, there = ledger.attempts(study), _last_attempts(runs)
    declared = _declarations(there)
    is_declared_alike = not declared or ledger.take_declarations(study, declared)
    taken, refused = [], list[str]()
    with ledger.open_incoming() as folder:
        for run in there:
            try:
                spec = _spec(run)
                if not _is_wanted(run, ledger.entry(study, spec), attempts):
                    continue
                laid = LedgerEntry(study, folder / spec.fingerprint, spec)
                _lay_down(store, client, run, laid)
                notes = {"run_id": run.info.run_id, "experiment": experiment_mark(experiment)}
                write_notes(laid, store, {**notes, "done": True, "taken": True})
                ledger.archive(study, spec)
                taken.append(ledger.take_in(laid, {}))
            except ArchiveError as err:
                refused.append(
                    f"{store} has the run {run.info.run_id}, which is left out: {err}; run the "
                    "command again when that is fixed, or have it sent by `rnnbench export`"
                )
    _tell(refused, on_problem)
    if taken and not is_declared_alike:
        on_problem(f"'{study}' was declared differently there; this folder's declaration stays")
    entries = tuple(entry for entry in taken if entry is not None)
    n_known = len(there) - len(entries) - len(refused)
    return Taken(study=study, origin=str(store), entries=entries, n_known=n_known)


def _last_attempts(runs: Iterable[Run]) -> list[Run]:
    """The last attempt of each run that is over; on two machines, the one that got further."""
    last: dict[str, Run] = {}
    for run in runs:
        tags = run.data.tags
        is_over = bool(tags.get(STATUS_TAG))  # emptied when a run is taken up again
        if run.info.lifecycle_stage == "active" and tags.get(KIND_TAG) == "run" and is_over:
            key = tags.get(FINGERPRINT_TAG) or str(run.info.run_id)
            if key not in last or _rank(run) >= _rank(last[key]):
                last[key] = run
    return list(last.values())


def _rank(run: Run) -> tuple[int, bool]:
    return _attempt(run), run.data.tags[STATUS_TAG] != "failed"


def _attempt(run: Run) -> int:
    text = run.data.tags.get(ATTEMPT_TAG, "1")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 1


def _is_wanted(run: Run, here: LedgerEntry, attempts: Mapping[str, int]) -> bool:
    """Whether the run says more than its entry in the ledger, of which it is no earlier attempt."""
    if _attempt(run) < attempts.get(here.fingerprint, 1):
        return False
    if not (here.folder / "spec.json").exists():
        return True
    result = here.result()
    is_open = result.status == "failed" if result else not (here.folder / "state.npz").exists()
    return is_open and run.data.tags[STATUS_TAG] != "failed"


def _spec(run: Run) -> RunSpec:
    """What was asked; ArchiveError where the run does not say it."""
    text, fingerprint = (run.data.tags.get(tag, "") for tag in (SPEC_TAG, FINGERPRINT_TAG))
    if not text:
        raise ArchiveError(f"it has no tag {SPEC_TAG}, which says what was asked")
    try:
        spec = RunSpec.from_json(parse_json(text.encode(), most_values=1000))
    except (ValueError, TypeError, KeyError, AttributeError, UsageError) as err:
        found = str(err)[:100]
        raise ArchiveError(f"its tag {SPEC_TAG} is not what rnnbench writes ({found!a})") from err
    if spec.fingerprint != fingerprint:
        raise ArchiveError(
            f"its tag {SPEC_TAG} has the fingerprint {spec.fingerprint}, and {FINGERPRINT_TAG} is "
            f"{fingerprint[:40]!a}: one was changed, or another version wrote it"
        )
    return spec


def _lay_down(store: Store, client: MlflowClient, run: Run, laid: LedgerEntry) -> None:
    """Write the run's files as an archive holds them, and check them.

    Raises:
        ArchiveError: no ledger could hold it.
    """
    history = ask(store, lambda: _history(client, run))
    write_whole(laid.folder / "spec.json", run.data.tags[SPEC_TAG].encode())
    write_whole(laid.folder / "history.csv", history_csv(history))
    write_json(laid.folder / "result.json", _result(store, run, len(history)))
    ask(store, lambda: _download(client, run, laid.folder))
    check_run(laid.study, laid.folder)
    store.deadline.extend()


def _history(client: MlflowClient, run: Run) -> list[EpochRow]:
    """Each epoch, which is a step of MLflow; times are whole milliseconds there."""
    epochs: dict[int, dict[str, Any]] = {}  # Any: whole numbers and others
    for name in EPOCH_METRICS:
        for point in client.get_metric_history(run.info.run_id, name):
            known = {"epoch": point.step, "ended_at": point.timestamp / 1000}
            epochs.setdefault(point.step, known)[name] = _measured(point.value)
    try:
        return [EpochRow(**epochs[step]) for step in sorted(epochs)]
    except TypeError as err:
        raise ArchiveError("one of its epochs lacks a number") from err


def _result(store: Store, run: Run, n_epochs: int) -> dict[str, Any]:  # Any: JSON values
    """What came out, with where the run comes from; it has not been checked."""
    tags = run.data.tags
    machine = tags.get(ORIGIN_TAG, "").rpartition("-")[0]
    environment = {
        "imported_from": machine or str(store),
        "imported_store": str(store),
        "imported_run": str(run.info.run_id),
        **({"commit": tags[_COMMIT]} if _COMMIT in tags else {}),
        **{tag.partition(".")[2]: text for tag, text in tags.items() if _KEPT.fullmatch(tag)},
    }
    measured = {name: _measured(value) for name, value in run.data.metrics.items()}
    return {
        "status": tags[STATUS_TAG],
        "epochs": n_epochs,
        **result_values(measured),
        "reason": tags.get("rnnbench.reason") or None,
        "environment": environment,
    }


def _measured(value: float) -> float:
    """An infinity as it was measured: a database holds the largest number in its place."""
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value


def _download(client: MlflowClient, run: Run, folder: Path) -> None:
    """Fetch predictions, tokenizer and code, if the server itself or this machine keeps them.

    A server could name any other place, and have this machine ask there in the user's name.
    """
    place = urlparse(str(run.info.artifact_uri))
    if place.netloc or place.scheme not in ("", "file", "mlflow-artifacts"):
        return
    try:
        found = {item.path: item.file_size for item in client.list_artifacts(run.info.run_id)}
        for name in _FETCHED & found.keys():
            if not 0 <= int(found[name] or 0) <= MOST_BYTES[name]:
                raise ArchiveError(f"its {name} has over {MOST_BYTES[name]:,} bytes")
            client.download_artifacts(run.info.run_id, name, str(folder))
    except RnnbenchError:
        raise
    except Exception as err:  # whatever a server or its disk raises
        raise ArchiveError(f"one of its files cannot be fetched ({reason(err)})") from err


def _declarations(runs: Iterable[Run]) -> list[Mapping[str, Any]]:  # Any: JSON values
    """What the study declared elsewhere, the latest last; what none could declare is left out."""
    found: dict[str, Mapping[str, Any]] = {}
    for run in runs:
        text = run.data.tags.get(DECLARATION_TAG, "")
        try:
            values = parse_json(text.encode(), most_values=10_000)
            item = {"declared_at": run.info.start_time / 1000, "declaration": values}
            found.setdefault(text, check_declarations(json.dumps([item]).encode())[0])
        except (ValueError, TypeError, ArchiveError):
            continue
    return list(found.values())


def _tell(refused: list[str], on_problem: Callable[[str], None]) -> None:
    for sentence in refused[:MOST_TOLD]:
        on_problem(sentence)
    if len(refused) > MOST_TOLD:
        on_problem(f"{len(refused) - MOST_TOLD} more runs are left out likewise")
