"""The local, durable record of every run: written first, each file whole or not at all.

.rnnbench/
    lock                       held while a command works in this folder
    workers.log                the workers' standard error
    runs/<study>/study.json    what the study declared, and when: contrast, margin, pairing
    runs/<study>/<fingerprint>/
        spec.json              what was asked
        state.npz              after the last whole epoch: all that a resume needs; goes at the end
        best.keras, predictions.npz, history.csv
        result.json            written last: the run is over
        published.json         what the tracker has done with it
    searches/<tuning>/<fingerprint>/
        parents.json           the search and the trial that the run belongs to
        …                      else like a study's runs
    tuning/<name>/<data>/      what each search found, a file an architecture
    archive/                   runs that --fresh started over
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rnnbench.data.files import whole_file
from rnnbench.errors import StoreError
from rnnbench.specs import (
    EpochEnded,
    EpochRow,
    Event,
    Failed,
    Finished,
    Pruned,
    RunResult,
    RunSpec,
)

__all__ = ["FOLDER", "Ledger", "LedgerEntry", "Parent"]

FOLDER = ".rnnbench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """Something that a run belongs to: a search, a trial.

    Args:
        key: what tells it from all others; the same after an interruption.
        name: for people.
    """

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The folder of one run, and what can be read from it."""

    study: str
    folder: Path

    @property
    def fingerprint(self) -> str:
        """The run's fingerprint."""
        return self.folder.name

    def spec(self) -> RunSpec:
        """What was asked."""
        return RunSpec.from_json(json.loads((self.folder / "spec.json").read_text("utf-8")))

    def result(self) -> RunResult | None:
        """What came out; None while the run is not over."""
        values = self._read_json("result.json")
        return None if values is None else RunResult.from_json(values)

    @property
    def is_over(self) -> bool:
        """Whether the run finished, diverged or was pruned; a failed one is tried again."""
        result = self.result()
        return result is not None and result.status != "failed"

    def state(self) -> bytes | None:
        """What an unfinished run goes on from; None before its first whole epoch."""
        return _read(self.folder / "state.npz")

    def history(self) -> tuple[EpochRow, ...]:
        """The whole epochs so far."""
        state = None
        final = _read(self.folder / "history.csv")
        if final is None:
            state = _read(self.folder / "state.npz")
            # A run that ends just now has lost its state and gained its history.
            final = _read(self.folder / "history.csv") if state is None else None
        if final is not None:
            return _parse_history(final.decode())
        if state is None:
            return ()
        import numpy as np

        with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
            rows = json.loads(arrays["json"].tobytes())["history"]
        return tuple(EpochRow(**row) for row in rows)

    def parents(self) -> tuple[Parent, ...]:
        """What the run belongs to, the widest first; empty for a run of a study."""
        return tuple(Parent(**values) for values in self._read_json("parents.json") or [])

    def published(self) -> dict[str, Any]:  # Any: JSON values
        """The tracker's notes about this run; empty at first."""
        return self._read_json("published.json") or {}

    def note_published(self, notes: dict[str, Any]) -> None:  # Any: JSON values
        """Replace the tracker's notes."""
        _write(self.folder / "published.json", _json(notes))

    def _read_json(self, name: str) -> Any:  # Any: JSON values, None where there is no file
        content = _read(self.folder / name)
        return None if content is None else json.loads(content)


class Ledger:
    """All runs that were started in a folder.

    Args:
        root: the project's folder; the ledger lives in `.rnnbench` below it.
        part: `runs` of studies, or those that `searches` make: kept apart.
        writable: False makes no folder where there is none.

    Raises:
        StoreError: the folder cannot be written.
    """

    def __init__(self, root: Path, part: str = "runs", *, writable: bool = True) -> None:
        self.folder = root / FOLDER
        self._runs = self.folder / part
        if not writable:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (self.folder / ".gitignore").exists():  # a full disk can still be read
                _write(self.folder / ".gitignore", b"*\n")
        except OSError as err:
            raise StoreError(f"cannot write to {root}: {err.strerror}") from err

    @contextmanager
    def locked(self, on_wait: Any = None) -> Iterator[None]:  # Any: Callable or None
        """Hold the folder's lock; calls `on_wait()` once if another command holds it."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / "lock")
        with self._writing():
            try:
                lock.acquire(timeout=0)
            except Timeout:
                if on_wait is not None:
                    on_wait()
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def entry(self, study: str, spec: RunSpec) -> LedgerEntry:
        """The run's entry, which need not be there yet."""
        return LedgerEntry(study, self._runs / study / spec.fingerprint)

    def find(self, study: str, spec: RunSpec) -> LedgerEntry | None:
        """The run's entry in this study, else in another that has finished it, else None."""
        entry = self.entry(study, spec)
        if (entry.folder / "spec.json").exists():
            return entry
        return self._finished_elsewhere(spec.fingerprint)

    def entries(self, study: str | None = None) -> list[LedgerEntry]:
        """Every run of a study, or of all."""
        folders = (folder for folder in self._runs.glob("*") if study in (None, folder.name))
        # A dot: a copy that was cut short.
        found = sorted(path for folder in folders for path in folder.glob("[!.]*/spec.json"))
        return [LedgerEntry(path.parent.parent.name, path.parent) for path in found]

    def open_run(
        self, study: str, spec: RunSpec, *, adopt: bool = True, parents: Sequence[Parent] = ()
    ) -> LedgerEntry:
        """The run's entry, made if it is not there; taken over from another study if it is done.

        Args:
            adopt: False makes a new entry whatever other studies have.
            parents: what the run belongs to, if it belongs to more than its study.

        A failed run loses its result, so that it is tried again.
        """
        entry = self.entry(study, spec)
        with self._writing():
            if not (entry.folder / "spec.json").exists():
                if adopt:
                    self._adopt(entry)
                if parents:
                    _write(entry.folder / "parents.json", _json([asdict(item) for item in parents]))
                _write(entry.folder / "spec.json", _json(spec.to_json()))
            result = entry.result()
            if result is not None and result.status == "failed":
                (entry.folder / "result.json").unlink()
        return entry

    def declare(self, study: str, declaration: Mapping[str, Any]) -> None:  # Any: JSON values
        """Note what a study lays down before it is run; a change is added, never written over."""
        known = self.declarations(study)
        if known and known[-1]["declaration"] == dict(declaration):
            return
        added = {"declared_at": time.time(), "declaration": dict(declaration)}
        with self._writing():
            _write(self._declarations(study), _json([*known, added]))

    def declarations(self, study: str) -> list[dict[str, Any]]:  # Any: JSON values
        """What the study laid down, the latest last: `declared_at` and `declaration`."""
        content = _read(self._declarations(study))
        return [] if content is None else list(json.loads(content))

    def record(self, entry: LedgerEntry, event: Event) -> None:
        """Make an event durable.

        Raises:
            OSError: the disk is full or gone; what was there before stays readable.
        """
        if isinstance(event, EpochEnded):
            _write(entry.folder / "state.npz", event.state)
        elif isinstance(event, Finished):
            _write(entry.folder / "history.csv", _history_csv(entry.history()))
            if event.model:
                _write(entry.folder / "best.keras", event.model)
                _write(entry.folder / "predictions.npz", event.predictions)
            _write(entry.folder / "result.json", _json(asdict(event.result)))
            (entry.folder / "state.npz").unlink(missing_ok=True)
        elif isinstance(event, Pruned):
            _write(entry.folder / "history.csv", _history_csv(entry.history()))
            _write(entry.folder / "result.json", _json(asdict(_pruned(entry.history(), event))))
            (entry.folder / "state.npz").unlink(missing_ok=True)
        elif isinstance(event, Failed):
            result = RunResult(
                status="failed",
                epochs=len(entry.history()),
                reason=event.reason,
                traceback=event.traceback,
                environment=event.environment,
            )
            _write(entry.folder / "result.json", _json(asdict(result)))

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """An empty folder on the ledger's disk; the lock must be held. It is gone at the end."""
        folder = self.folder / "incoming"
        with self._writing():
            shutil.rmtree(folder, ignore_errors=True)  # of a command that was killed
            folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def take_in(
        self, study: str, spec: RunSpec, folder: Path, origin: Mapping[str, str]
    ) -> LedgerEntry | None:
        """A run from elsewhere; None if this study has it already, also unfinished.

        Args:
            folder: its files, checked, in a folder of `incoming`; they are moved.
            origin: where it comes from: noted in its environment, unless it came there from
                elsewhere too.
        """
        entry = self.entry(study, spec)
        if (entry.folder / "spec.json").exists():
            return None
        with self._writing():
            result = json.loads((folder / "result.json").read_text("utf-8"))
            result["environment"] = {**origin, **result["environment"]}
            _write(folder / "result.json", _json(result))
            shutil.rmtree(entry.folder, ignore_errors=True)  # without a spec.json it holds nothing
            entry.folder.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(entry.folder)
        return entry

    def take_declarations(self, study: str, declarations: Sequence[Mapping[str, Any]]) -> bool:
        """What a study declared elsewhere; False if another declaration is here, which stays."""
        known = self.declarations(study)
        if not known:
            with self._writing():
                _write(self._declarations(study), _json([dict(item) for item in declarations]))
            return True
        return not declarations or known[-1]["declaration"] == declarations[-1]["declaration"]

    def archive(self, study: str, spec: RunSpec) -> bool:
        """Put a run aside, so that the next one starts over; whether there was one."""
        entry = self.entry(study, spec)
        if not entry.folder.exists():
            return False
        stamp = time.strftime("%Y%m%dT%H%M%S")
        target = self.folder / "archive" / study / f"{entry.fingerprint}-{stamp}-{time.time_ns()}"
        with self._writing():
            target.parent.mkdir(parents=True, exist_ok=True)
            entry.folder.rename(target)
        return True

    def n_archived(self, study: str, fingerprint: str) -> int:
        """How often a run was started over."""
        return len(list((self.folder / "archive" / study).glob(f"{fingerprint}-*")))

    def attempts(self, study: str) -> dict[str, int]:
        """By fingerprint, which attempt the present one is; only of runs started over."""
        folders = (self.folder / "archive" / study).glob("*-*")
        counts = Counter(path.name.split("-")[0] for path in folders)
        return {fingerprint: n + 1 for fingerprint, n in counts.items()}

    def _declarations(self, study: str) -> Path:
        return self._runs / study / "study.json"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            raise StoreError(f"cannot write to {self.folder}: {err.strerror or err}") from err

    def _finished_elsewhere(self, fingerprint: str) -> LedgerEntry | None:
        for path in sorted(self._runs.glob(f"*/{fingerprint}/result.json")):
            entry = LedgerEntry(path.parent.parent.name, path.parent)
            result = entry.result()
            if result is not None and result.status in ("finished", "diverged"):
                return entry
        return None

    def _adopt(self, entry: LedgerEntry) -> None:
        """Copy the run from another study that has finished it; its numbers are the same."""
        source = self._finished_elsewhere(entry.fingerprint)
        if source is None:
            return
        entry.folder.parent.mkdir(parents=True, exist_ok=True)
        partial = entry.folder.with_name(f".{entry.fingerprint}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(
            source.folder,
            partial,
            ignore=shutil.ignore_patterns("published.json", "parents.json"),
            copy_function=shutil.copy,  # of now: the study worked on last is known by its files
        )
        shutil.rmtree(entry.folder, ignore_errors=True)  # without a spec.json it holds nothing
        partial.rename(entry.folder)


def _pruned(history: tuple[EpochRow, ...], event: Pruned) -> RunResult:
    best = min(history, key=lambda row: row.val_loss, default=None)
    return RunResult(
        status="pruned",
        epochs=len(history),
        best_epoch=best.epoch if best else None,
        val_loss=best.val_loss if best else None,
        val_accuracy=best.val_accuracy if best else None,
        fit_seconds=sum(row.epoch_seconds for row in history),
        epoch_seconds=(
            statistics.median(row.epoch_seconds for row in history) if history else None
        ),
        reason=event.reason,
        environment=event.environment,
    )


def _history_csv(rows: tuple[EpochRow, ...]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, [item.name for item in fields(EpochRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return text.getvalue().encode()


def _parse_history(text: str) -> tuple[EpochRow, ...]:
    return tuple(
        EpochRow(epoch=int(row.pop("epoch")), **{key: float(value) for key, value in row.items()})
        for row in csv.DictReader(io.StringIO(text))
    )


def _json(values: Any) -> bytes:  # Any: JSON values
    return (json.dumps(values, indent=1, sort_keys=True) + "\n").encode()


def _read(path: Path) -> bytes | None:
    """A file's content; None where it is not, or no longer: another command may move it."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and have it on the disk when this returns."""
    with whole_file(path) as stream:
        stream.write(content)
