"""One run's folder in the ledger: what can be read from it, and whether it can be.

A file that a power cut, a full disk or an editor has torn is an error that names it, for whoever
reads to leave the run out. Symbolic links are not followed: a ledger that came from elsewhere
could have files of this machine packed into an archive.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_args

from rnnbench.data.files import whole_file
from rnnbench.errors import DamagedError
from rnnbench.specs import EpochRow, RunResult, RunSpec, Status
from rnnbench.study import parse_declaration

__all__ = [
    "FLOATS",
    "FRACTIONS",
    "LATEST",
    "LedgerEntry",
    "Parent",
    "parse_declarations",
    "parse_file",
    "read_plain",
    "refuse_link",
    "write_json",
]

T = TypeVar("T")

FRACTIONS = ("val_accuracy", "train_accuracy_at_best", "test_accuracy", "test_macro_f1")
FLOATS = (
    *FRACTIONS,
    "val_loss",
    "train_loss_at_best",
    "test_loss",
    "fit_seconds",
    "epoch_seconds",
    "compile_seconds",
)
"""Fields of a result that are numbers; the first of them lie between 0 and 1."""
LATEST = 1e11  # seconds since 1970 of the year 5138: what every reader can still write as a date


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
    """The folder of one run, and what can be read from it.

    Every method raises `DamagedError` for a file that is there and cannot be read.

    Args:
        known_spec: what was asked, where that is known already; else it is read.
    """

    study: str
    folder: Path
    known_spec: RunSpec | None = field(default=None, compare=False, repr=False)

    @property
    def fingerprint(self) -> str:
        """The run's fingerprint."""
        return self.folder.name

    def spec(self) -> RunSpec:
        """What was asked."""
        if self.known_spec is not None:
            return self.known_spec
        spec = self._parse("spec.json", lambda content: RunSpec.from_json(json.loads(content)))
        if spec is None:
            raise DamagedError(f"{self.folder / 'spec.json'} cannot be read (it is not there)")
        return spec

    def result(self) -> RunResult | None:
        """What came out; None while the run is not over."""
        return self._parse("result.json", _parse_result)

    @property
    def is_over(self) -> bool:
        """Whether the run finished, diverged or was pruned; a failed one is tried again."""
        result = self.result()
        return result is not None and result.status != "failed"

    def state(self) -> bytes | None:
        """What an unfinished run goes on from; None before its first whole epoch."""
        return self._parse("state.npz", _check_state)

    def history(self) -> tuple[EpochRow, ...]:
        """The whole epochs so far."""
        state = None
        final = self._parse("history.csv", _parse_history)
        if final is None:
            state = self._parse("state.npz", _history_of_state)
            # A run that ends just now has lost its state and gained its history.
            final = self._parse("history.csv", _parse_history) if state is None else None
        return final or state or ()

    def parents(self) -> tuple[Parent, ...]:
        """What the run belongs to, the widest first; empty for a run of a study."""
        return self._parse("parents.json", _parse_parents) or ()

    def check(self) -> None:
        """Read every file of the run, but for the tracker's notes, which can be found again."""
        for folder in (self.folder.parent, self.folder):
            refuse_link(folder)
        self.spec()
        result = self.result()
        if result is None or result.status == "failed":
            self.state()
        self.history()
        self.parents()
        for name in ("best.keras", "predictions.npz"):
            _check_zip(self.folder / name)

    def published(self) -> dict[str, Any]:  # Any: JSON values
        """The tracker's notes about this run; empty at first, and where they are damaged."""
        try:
            return self._parse("published.json", _parse_notes) or {}
        except DamagedError:
            return {}  # the tracker finds the run by its tags, and notes it again

    def note_published(self, notes: dict[str, Any]) -> None:  # Any: JSON values
        """Replace the tracker's notes."""
        write_json(self.folder / "published.json", notes)

    def _parse(self, name: str, parse: Callable[[bytes], T]) -> T | None:
        return parse_file(self.folder / name, parse)


def parse_file(path: Path, parse: Callable[[bytes], T]) -> T | None:
    """What a file holds; None where there is none.

    Raises:
        DamagedError: it cannot be opened, is a link, or `parse` raises anything.
    """
    try:
        content = read_plain(path)
        return None if content is None else parse(content)
    except Exception as err:  # whatever a torn file makes json, csv, zipfile or numpy raise
        raise DamagedError(f"{path} cannot be read ({_why(err)})") from err


def read_plain(path: Path) -> bytes | None:
    """A file's content; None where it is not, or no longer: another command may move it.

    Raises:
        OSError: it cannot be read, or is a symbolic link.
    """
    try:
        with open(path, "rb", opener=_open_plain) as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as err:
        if path.is_symlink():
            raise OSError(err.errno, _LINK) from err
        raise


def refuse_link(path: Path) -> None:
    """Check that a file or folder of the ledger is here, and not elsewhere.

    Raises:
        DamagedError: it is a symbolic link.
    """
    if path.is_symlink():
        raise DamagedError(f"{path} cannot be read ({_LINK})")


def parse_declarations(content: bytes) -> list[dict[str, Any]]:  # Any: JSON values
    """What `study.json` lists: `declared_at` and `declaration` of each, the latest last.

    Raises:
        StudyError, KeyError, TypeError, ValueError: no study could have declared that.
    """
    values = json.loads(content)
    if not isinstance(values, list):
        raise ValueError("it is no list")
    found: list[dict[str, Any]] = [  # Any: JSON values
        {"declared_at": float(item["declared_at"]), "declaration": dict(item["declaration"])}
        for item in values
    ]
    for item in found:
        if not 0 <= item["declared_at"] < LATEST:
            raise ValueError("declared_at is no time")
        parse_declaration(item["declaration"])
    return found


def write_json(path: Path, values: Any) -> None:  # Any: JSON values
    """Write values as JSON, whole or not at all, and have them on the disk when this returns."""
    with whole_file(path) as stream:
        stream.write((json.dumps(values, indent=1, sort_keys=True) + "\n").encode())


_LINK = "it is a symbolic link, and those are not followed"


def _open_plain(path: str, flags: int) -> int:
    """A pipe in a file's place must not hold a command up."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _why(err: Exception) -> str:
    """A few words on what is wrong with a file."""
    if isinstance(err, OSError):
        return err.strerror or str(err)
    if isinstance(err, KeyError):
        return f"'{err.args[0]}' is missing"
    first = (str(err).strip() or type(err).__name__).splitlines()[0]
    return f"it is not JSON: {first}" if isinstance(err, json.JSONDecodeError) else first[:150]


def _parse_result(content: bytes) -> RunResult:
    result = RunResult.from_json(json.loads(content))
    if result.status not in get_args(Status):
        raise ValueError(f"status is {str(result.status)[:50]!a}")
    texts = (result.reason, result.traceback)
    words = [*result.environment.keys(), *result.environment.values()]
    if not all(isinstance(text, str | None) for text in texts):
        raise ValueError("a reason is no text")
    if not all(isinstance(word, str) for word in words):
        raise ValueError("its environment is no texts")
    for name in ("epochs", "n_parameters", "best_epoch"):
        value = getattr(result, name)
        if not (value is None or (type(value) is int and value >= 0)):
            raise ValueError(f"{name} must be a non-negative integer")
    for name in FLOATS:
        value = getattr(result, name)
        if value is not None and type(value) not in (int, float):
            raise ValueError(f"{name} is no number")
        if value is not None and name in FRACTIONS and not 0 <= value <= 1:
            raise ValueError(f"{name} is not between 0 and 1")
        if value is not None and name.endswith("seconds") and not 0 <= value < math.inf:
            raise ValueError(f"{name} is no time")
    return result


def _check_state(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        torn = file.testzip()
    if torn is not None:
        raise ValueError(f"{torn!a} in it is damaged")
    _history_of_state(content)
    return content


def _check_zip(path: Path) -> None:
    """The file ends as a zip file does, if it is there; what is in it may be large."""
    refuse_link(path)
    if path.exists() and not (path.is_file() and zipfile.is_zipfile(path)):
        raise DamagedError(f"{path} cannot be read (it is no whole zip file)")


def _history_of_state(content: bytes) -> tuple[EpochRow, ...]:
    import numpy as np

    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        rows = json.loads(arrays["json"].tobytes())["history"]
    return _check_history([EpochRow(**row) for row in rows])


def _parse_history(content: bytes) -> tuple[EpochRow, ...]:
    if not content.endswith(b"\n"):
        raise ValueError("its last line is cut short")
    rows = csv.DictReader(io.StringIO(content.decode()))
    if rows.fieldnames != [item.name for item in fields(EpochRow)]:
        raise ValueError("its columns are not those of a history")
    return _check_history(
        [
            EpochRow(
                epoch=int(row.pop("epoch")), **{key: float(value) for key, value in row.items()}
            )
            for row in rows
        ]
    )


def _check_history(history: Sequence[EpochRow]) -> tuple[EpochRow, ...]:
    """Epochs in their order, at times."""
    if [row.epoch for row in history] != list(range(1, len(history) + 1)):
        raise ValueError("its epochs are not numbered from 1 up")
    if not all(0 <= row.ended_at < LATEST for row in history):
        raise ValueError("an epoch ended at no time")
    return tuple(history)


def _parse_parents(content: bytes) -> tuple[Parent, ...]:
    parents = tuple(Parent(**values) for values in json.loads(content))
    if not all(isinstance(text, str) for each in parents for text in (each.key, each.name)):
        raise ValueError("a parent's name is no text")
    return parents


def _parse_notes(content: bytes) -> dict[str, Any]:  # Any: JSON values
    notes = json.loads(content)
    if not isinstance(notes, dict) or not all(isinstance(each, dict) for each in notes.values()):
        raise ValueError("these are no notes of the tracker's")
    return notes
