"""One run's folder in the ledger: what can be read from it, and whether it can be.

A file that a power cut, a full disk or an editor has torn is an error that names it, for whoever
reads to leave the run out. One that cannot be read just now is another error, which ends the
command: the run is not lost. Symbolic links of runs and their files are not followed: a ledger that
came from elsewhere could have files of this machine packed into an archive.
"""

import csv
import errno
import io
import json
import math
import os
import stat
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, TypeVar, get_args

from rnnbench.data.corpus import FIRST_WORD
from rnnbench.data.files import write_whole
from rnnbench.data.tokenizer import MOST_TOKENIZER_BYTES, TOKENIZER, Tokenizer, parse_tokenizer
from rnnbench.errors import DamagedError, StoreError
from rnnbench.formats import parse_json, why_failed
from rnnbench.output.characters import first_line
from rnnbench.sources import MOST_SOURCE_BYTES, NETWORK_FILE, Source
from rnnbench.specs import EpochRow, PluginForm, RunResult, RunSpec, Status
from rnnbench.study import parse_declaration

T = TypeVar("T")

FRACTIONS = (
    "val_accuracy",
    "train_accuracy_at_best",
    "test_accuracy",
    "test_macro_f1",
    "val_macro_recall",
)
FLOATS = (
    *FRACTIONS,
    "val_loss",
    "train_loss_at_best",
    "test_loss",
    "test_absolute_error",
    "test_quadratic_kappa",
    "fit_seconds",
    "epoch_seconds",
    "compile_seconds",
)
"""Fields of a result that are numbers; the first of them lie between 0 and 1."""
LATEST = 1e11  # seconds since 1970 of the year 5138: what every reader can still write as a date
MOST_BYTES = {  # of each kind of file; those of a run here have 0.2 MiB in all
    "spec.json": 2**16,
    NETWORK_FILE: 2 * MOST_SOURCE_BYTES,  # as JSON has it
    "result.json": 2**20,
    "history.csv": 2**21,
    "best.keras": 2**30,
    "predictions.npz": 2**28,
    TOKENIZER: MOST_TOKENIZER_BYTES,
    "looks.json": 2**24,
    "state.npz": 2**32,  # the weights, the best ones, and what the optimiser keeps
}
_MOST_OTHER_BYTES = 2**28


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

    Every method raises `DamagedError` for a file whose content is wrong, and `StoreError` for one
    that cannot be read just now.

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
        """What was asked; of a network of the user's own with its source, where that is here."""
        if self.known_spec is not None:
            return self.known_spec
        spec = self._parse("spec.json", lambda content: RunSpec.from_json(_json(content)))
        if spec is None:
            raise DamagedError(f"{self.folder / 'spec.json'} cannot be read (the file is missing)")
        if not (isinstance(spec.form, PluginForm) and spec.form.is_of_file):
            return spec
        return replace(spec, form=replace(spec.form, source=self.network()))

    def network(self) -> Source | None:
        """The code of a network of the user's own; None where there is none, or it is damaged."""
        try:
            return self._parse(NETWORK_FILE, Source.from_json)
        except DamagedError:
            return None  # the run's numbers need it no more

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

    def tokenizer(self) -> Tokenizer | None:
        """What turns texts into what the model reads; None where none was kept with it."""
        return self._parse(TOKENIZER, lambda content: _parse_tokenizer(content, self.spec()))

    def parents(self) -> tuple[Parent, ...]:
        """What the run belongs to, the widest first; empty for a run of a study."""
        return self._parse("parents.json", _parse_parents) or ()

    def check(self) -> None:
        """Read every file of the run, but for the tracker's notes, which can be found again."""
        refuse_link(self.folder)
        self.spec()
        self.history()
        self.check_rest(self.result())

    def check_rest(self, result: RunResult | None) -> None:
        """Read what `check` reads besides spec, result and history, in a run of that result."""
        if result is None or result.status == "failed":
            self.state()
        self.parents()
        for name in ("best.keras", "predictions.npz"):
            _check_zip(self.folder / name)
        self.tokenizer()

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
        DamagedError: it is a link, no plain file or too large, or `parse` raises anything.
        StoreError: it cannot be read just now.
    """
    content = _read_plain(path, _whole)
    try:
        return None if content is None else parse(content)
    except MemoryError as err:
        raise _not_now(path, "there is not enough memory") from err
    except Exception as err:  # whatever a torn file makes json, csv, zipfile or numpy raise
        raise DamagedError(f"{path} cannot be read ({_why(err)})") from err


def refuse_link(path: Path) -> None:
    """Check that a file or folder of the ledger is here, and not elsewhere.

    Raises:
        DamagedError: it is a symbolic link.
    """
    if path.is_symlink():
        raise DamagedError(f"{path} cannot be read ({_LINK})")


def parse_declarations(content: bytes) -> list[dict[str, Any]]:  # Any: JSON values
    """What `study.json` lists: `declared_at` and `declaration` of each, the latest last.

    Where it was noted, `sections` too: a run, by its fingerprint, of each that the last command
    planned.

    Raises:
        StudyError, KeyError, TypeError, ValueError: no study could have declared that.
    """
    values = parse_json(content, most_values=100_000)
    if not isinstance(values, list):
        raise ValueError("it is not a list")
    for item in values:
        check_time("declared_at", item["declared_at"])
        parse_declaration(item["declaration"])
        _check_sections(item.get("sections", []))
    names = ("declared_at", "declaration", "sections")
    return [{name: item[name] for name in names if name in item} for item in values]


def check_time(what: str, value: object) -> None:
    """See that something is seconds since 1970; ValueError if it is not."""
    if type(value) not in (int, float) or not 0 <= value < LATEST:  # type: ignore[operator]
        raise ValueError(f"{what} is not a time")


def write_json(path: Path, values: Any) -> None:  # Any: JSON values
    """Write values as JSON, whole or not at all, and have them on the disk when this returns."""
    write_whole(path, (json.dumps(values, indent=1, sort_keys=True) + "\n").encode())


_LINK = "it is a symbolic link, and those are not followed"
_NO_FILE = (errno.EISDIR, errno.ENOTDIR, errno.ENXIO)  # a folder, in a file, a socket


def _check_sections(sections: object) -> None:
    if not isinstance(sections, list) or not all(isinstance(value, str) for value in sections):
        raise ValueError("its sections are not a list of runs")


def _read_plain(path: Path, read: Callable[[IO[bytes]], bytes]) -> bytes | None:
    """What is read of a file; None where it is not, or no longer: another command may move it.

    Raises:
        DamagedError, StoreError: see `parse_file`.
    """
    try:
        with open(path, "rb", opener=_open_plain) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise DamagedError(f"{path} cannot be read (it is not a regular file)")
            most = MOST_BYTES.get(path.name, _MOST_OTHER_BYTES)
            if found.st_size > most:
                raise DamagedError(f"{path} cannot be read (it has more than {most:,} bytes)")
            return read(file)
    except FileNotFoundError:
        return None
    except MemoryError as err:
        raise _not_now(path, "there is not enough memory") from err
    except OSError as err:
        refuse_link(path)
        if err.errno in _NO_FILE:
            raise DamagedError(f"{path} cannot be read (it is not a regular file)") from err
        raise _not_now(path, why_failed(err)) from err


def _open_plain(path: str, flags: int) -> int:
    """A pipe in a file's place must not hold a command up."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _whole(file: IO[bytes]) -> bytes:
    return file.read()


def _end(file: IO[bytes]) -> bytes:
    """The part of a zip file that lists its content, or the whole of a short one."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - 2**16))
    return file.read()


def _not_now(path: Path, why: str) -> StoreError:
    return StoreError(f"{path} cannot be read ({why}); run the command again when it can")


def _json(content: bytes) -> Any:  # Any: JSON values
    return parse_json(content, allow_nan=True)


def _why(err: Exception) -> str:
    """A few words on what is wrong with a file's content."""
    if isinstance(err, KeyError):
        return f"'{err.args[0]}' is missing"
    if isinstance(err, AttributeError | TypeError):  # Python's words say nothing of the file
        return "it is not what rnnbench writes there"
    return first_line(err, 150)


def _parse_result(content: bytes) -> RunResult:
    result = RunResult.from_json(_json(content))
    if result.status not in get_args(Status):
        raise ValueError(f"status is {str(result.status)[:50]!a}")
    texts = (result.reason, result.traceback)
    words = [*result.environment.keys(), *result.environment.values()]
    if not all(isinstance(text, str | None) for text in texts):
        raise ValueError("a reason is not a text")
    if not all(isinstance(word, str) for word in words):
        raise ValueError("its environment is not a table of texts")
    for name in ("epochs", "n_parameters", "best_epoch"):
        value = getattr(result, name)
        if not (value is None or (type(value) is int and value >= 0)):
            raise ValueError(f"{name} must be a non-negative integer")
    for name in FLOATS:
        value = getattr(result, name)
        if value is not None and type(value) not in (int, float):
            raise ValueError(f"{name} is not a number")
        if value is not None and name in FRACTIONS and not 0 <= value <= 1:
            raise ValueError(f"{name} is not between 0 and 1")
        if value is not None and name.endswith("seconds") and not 0 <= value < math.inf:
            raise ValueError(f"{name} is not a time")
    return result


@lru_cache(8)  # the runs of a study have one
def _known_tokenizer(content: bytes) -> Tokenizer:
    return parse_tokenizer(content)


def _parse_tokenizer(content: bytes, spec: RunSpec) -> Tokenizer:
    """One that fits the network."""
    found, data = _known_tokenizer(content), spec.data
    if (len(found.classes), found.max_len) != (data.n_classes, data.max_len):
        raise ValueError(
            f"it is of {len(found.classes)} classes and {found.max_len:,} tokens, the network of "
            f"{data.n_classes} and {data.max_len:,}"
        )
    if len(found.words) > data.num_words - FIRST_WORD:
        raise ValueError(f"it has {len(found.words):,} words, more than the network knows")
    return found


def _check_state(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        torn = file.testzip()
    if torn is not None:
        raise ValueError(f"{torn!a} in it is damaged")
    _history_of_state(content)
    return content


def _check_zip(path: Path) -> None:
    """The file ends as a zip file does, if it is there; what is in it may be large."""
    end = _read_plain(path, _end)
    if end is not None and not zipfile.is_zipfile(io.BytesIO(end)):
        raise DamagedError(f"{path} cannot be read (it is not a complete zip file)")


def _history_of_state(content: bytes) -> tuple[EpochRow, ...]:
    from rnnbench.training.progress import read_history

    return _check_history(read_history(content))


def _parse_history(content: bytes) -> tuple[EpochRow, ...]:
    if not content.endswith(b"\n"):
        raise ValueError("its last line is cut short")
    header, *rows = csv.reader(io.StringIO(content.decode()))
    if header != [item.name for item in fields(EpochRow)]:
        raise ValueError("its columns are not those of a history")
    return _check_history(
        [
            EpochRow(
                epoch=int(epoch),
                loss=float(loss),
                accuracy=float(accuracy),
                val_loss=float(val_loss),
                val_accuracy=float(val_accuracy),
                epoch_seconds=float(epoch_seconds),
                ended_at=float(ended_at),
            )
            for epoch, loss, accuracy, val_loss, val_accuracy, epoch_seconds, ended_at in rows
        ]
    )


def _check_history(history: Sequence[EpochRow]) -> tuple[EpochRow, ...]:
    """Epochs in their order, at times."""
    if [row.epoch for row in history] != list(range(1, len(history) + 1)):
        raise ValueError("its epochs are not numbered from 1 up")
    if not all(0 <= row.ended_at < LATEST for row in history):
        raise ValueError("an epoch has no valid end time")
    return tuple(history)


def _parse_parents(content: bytes) -> tuple[Parent, ...]:
    parents = tuple(Parent(**values) for values in _json(content))
    if not all(isinstance(text, str) for each in parents for text in (each.key, each.name)):
        raise ValueError("a parent's name is not a text")
    return parents


def _parse_notes(content: bytes) -> dict[str, Any]:  # Any: JSON values
    notes = _json(content)
    if not isinstance(notes, dict) or not all(isinstance(each, dict) for each in notes.values()):
        raise ValueError("these are not the tracker's notes")
    return notes
