"""A study as one zip file: written from the ledger, and checked whole before anything is taken in.

    rnnbench.json      format, version, study, where from, size and SHA-256 of each file
    study.json         what the study declared, and when
    runs/<fingerprint>/spec.json, result.json, history.csv, best.keras, predictions.npz

Nothing in an archive can run code: JSON, CSV and arrays without pickles are read, and a model is
only copied. No path and no size in it is trusted.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import shutil
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

from numpy.lib import format as npy

from rnnbench.architectures import ALL
from rnnbench.data.files import whole_file
from rnnbench.errors import ArchiveError, RnnbenchError, StudyError
from rnnbench.ledger import LedgerEntry
from rnnbench.specs import EpochRow, RunResult, RunSpec, Status
from rnnbench.study import Study

__all__ = ["Archive", "ArchivedRun", "read_archive", "write_archive"]

FORMAT = "rnnbench study"
VERSION = 1
MANIFEST = "rnnbench.json"
DECLARATIONS = "study.json"
RUN_FILES = ("spec.json", "result.json", "history.csv", "best.keras", "predictions.npz")
NEEDED = ("spec.json", "result.json")
MODEL_FILES = {"config.json", "metadata.json", "model.weights.h5"}
MOST_FILES = 500_000
MOST_MANIFEST_BYTES = 100 * 2**20
MOST_BYTES = {  # of each kind of file; those of a run here have 0.2 MiB in all
    "spec.json": 2**20,
    "result.json": 2**20,
    "history.csv": 16 * 2**20,
    "best.keras": 2**30,
    "predictions.npz": 2**28,
    DECLARATIONS: 2**24,
}
CHUNK_BYTES = 2**20
LATEST = 1e11  # seconds since 1970 of the year 5138: what every reader can still write as a date


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedRun:
    """One run of an archive, checked; its files lie in `folder`."""

    spec: RunSpec
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A checked archive, unpacked.

    Args:
        origin: the machine it comes from; `exported_at` in seconds since 1970.
        digest: SHA-256 of the manifest, which names the content of every other file.
        declarations: `declared_at` and `declaration` of each, the latest last.
    """

    study: str
    origin: str
    exported_at: float
    digest: str
    runs: tuple[ArchivedRun, ...]
    declarations: tuple[Mapping[str, Any], ...]  # Any: JSON values


def write_archive(
    path: Path,
    study: str,
    entries: Sequence[LedgerEntry],
    declarations: Sequence[Mapping[str, Any]],
) -> None:
    """Write the runs of a study that are over; the file is there whole or not at all.

    Raises:
        OSError: the disk is full, or the place cannot be written to.
    """
    files: dict[str, dict[str, Any]] = {}
    with whole_file(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:

        def add(name: str, content: bytes) -> None:
            files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            file.writestr(name, content)

        add(DECLARATIONS, json.dumps(list(declarations)).encode())
        for entry in entries:
            for name in RUN_FILES:
                if (entry.folder / name).exists():
                    content = (entry.folder / name).read_bytes()
                    add(f"runs/{entry.fingerprint}/{name}", content)
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "written_by": f"rnnbench {version('rnnbench')}",
            "study": study,
            "origin": platform.node(),
            "exported_at": time.time(),
            "files": files,
        }
        file.writestr(MANIFEST, json.dumps(manifest, indent=1))


def read_archive(path: Path, into: Path) -> Archive:
    """Check every file of an archive, and unpack it into a folder of its own.

    Raises:
        ArchiveError: it is no archive of a study, a newer one, damaged, holds what it must not, or
            does not fit on the disk; what was unpacked is of no use then.
    """
    try:
        with zipfile.ZipFile(path) as file:
            return _read(file, into)
    except ArchiveError as err:
        raise ArchiveError(f"{path} is refused: {err}") from err
    except OSError as err:
        raise ArchiveError(f"{path} cannot be unpacked: {err.strerror or err}") from err
    except Exception as err:  # whatever a hostile file makes zipfile, json or numpy raise
        found = f"{type(err).__name__}: {str(err)[:200]!a}"
        raise ArchiveError(f"{path} is refused: it is damaged, or no archive ({found})") from err


def _read(file: zipfile.ZipFile, into: Path) -> Archive:
    members = {item.filename: item for item in file.infolist()}
    if MANIFEST not in members:
        raise ArchiveError(f"it holds no {MANIFEST}, so it is no study that rnnbench exported")
    if len(members) != len(file.infolist()) or len(members) > MOST_FILES:
        raise ArchiveError("it names a file twice, or too many")
    with file.open(members[MANIFEST]) as stream:
        content = stream.read(MOST_MANIFEST_BYTES)
    manifest = json.loads(content)
    if manifest.get("format") != FORMAT:
        raise ArchiveError("it is no study that rnnbench exported")
    if manifest["version"] > VERSION:
        raise ArchiveError(f"it was written by a newer version ({str(manifest['written_by'])!a})")
    listed = manifest["files"]
    for name in members.keys() - {MANIFEST}:
        if name not in listed or not _is_allowed(name):
            raise ArchiveError(f"it holds {name[:200]!a}, which does not belong into an archive")
    missing = sorted(listed.keys() - members.keys())
    if missing:
        raise ArchiveError(f"{missing[0]} is missing")
    _check_sizes(listed, into)
    for name, stated in listed.items():
        _unpack(file, name, stated, into)
    study = str(manifest["study"])
    return Archive(
        study=study,
        origin=_one_line(manifest["origin"]),
        exported_at=float(manifest["exported_at"]),
        digest=hashlib.sha256(content).hexdigest(),
        declarations=_read_declarations(study, into / DECLARATIONS),
        runs=tuple(
            _read_run(study, into / "runs" / fingerprint)
            for fingerprint in sorted({name.split("/")[1] for name in listed if "/" in name})
        ),
    )


def _is_allowed(name: str) -> bool:
    """Whether a member's name is one that `write_archive` gives: no other path is ever used."""
    if name == DECLARATIONS:
        return True
    parts = name.split("/")
    return (
        len(parts) == 3
        and parts[0] == "runs"
        and len(parts[1]) == 16
        and set(parts[1]) <= set("0123456789abcdef")
        and parts[2] in RUN_FILES
    )


def _check_sizes(listed: Mapping[str, Any], into: Path) -> None:  # Any: JSON values
    """The stated sizes are sizes, none is beyond its limit, and all of them fit on the disk."""
    for name, stated in listed.items():
        most = MOST_BYTES[name.rsplit("/", 1)[-1]]
        size = stated["bytes"]
        if not isinstance(size, int) or not 0 <= size <= most:
            raise ArchiveError(f"{name} has {size!a} bytes, of at most {most:,}")
    # The runs are copied once more, into MLflow's store.
    needed = 2 * sum(stated["bytes"] for stated in listed.values())
    free = shutil.disk_usage(into).free
    if needed > free:
        raise ArchiveError(
            f"its runs take {needed / 2**30:.1f} GiB with MLflow's copies, and the disk has "
            f"{free / 2**30:.1f} GiB left"
        )


def _unpack(file: zipfile.ZipFile, name: str, stated: Mapping[str, Any], into: Path) -> None:
    """Write a member of the size and content that the manifest names; never more bytes."""
    digest, left = hashlib.sha256(), stated["bytes"]
    with file.open(name) as stream, whole_file(into / name) as target:
        while chunk := stream.read(min(CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise ArchiveError(f"{name} unpacks to more than {stated['bytes']:,} bytes")
            digest.update(chunk)
            target.write(chunk)
    if left or digest.hexdigest() != stated["sha256"]:
        raise ArchiveError(f"{name} is not what the archive says that it is")


def _read_declarations(study: str, path: Path) -> tuple[Mapping[str, Any], ...]:
    """What the study declared; as a study checks it, its name too."""
    declarations = json.loads(path.read_text("utf-8"))
    try:
        Study(name=study, architectures=ALL, seeds=(0,))
        for item in declarations:
            if not 0 <= float(item["declared_at"]) < LATEST:
                raise ValueError("declared_at is no time")
            Study(name=study, architectures=ALL, seeds=(0,), **item["declaration"])
    except (StudyError, KeyError, TypeError, ValueError) as err:
        raise ArchiveError(f"no study could have declared that ({str(err)[:200]!a})") from err
    return tuple(
        {"declared_at": float(item["declared_at"]), "declaration": item["declaration"]}
        for item in declarations
    )


def _read_run(study: str, folder: Path) -> ArchivedRun:
    """A run's files, read as every command reads them."""
    entry = LedgerEntry(study, folder)
    missing = [name for name in NEEDED if not (folder / name).exists()]
    if missing:
        raise ArchiveError(f"the run {folder.name} has no {missing[0]}")
    try:
        spec, result, history = entry.spec(), entry.result(), entry.history()
        _check_result(result, len(history))
        _check_history(history)
    except (RnnbenchError, KeyError, TypeError, ValueError, AttributeError) as err:
        raise ArchiveError(f"the run {folder.name} cannot be read ({str(err)[:200]!a})") from err
    if spec.fingerprint != folder.name:
        raise ArchiveError(
            f"the run {folder.name} has the fingerprint {spec.fingerprint}: its spec was changed, "
            "or another version wrote it"
        )
    if (folder / "predictions.npz").exists():
        _check_predictions(folder / "predictions.npz")
    if (folder / "best.keras").exists():
        with zipfile.ZipFile(folder / "best.keras") as model:
            if set(model.namelist()) != MODEL_FILES:
                raise ArchiveError(f"the model of the run {folder.name} is none of Keras")
    return ArchivedRun(spec=spec, folder=folder)


def _check_result(result: RunResult | None, n_epochs: int) -> None:
    """Values of the types and within the bounds that every reader relies on.

    Raises:
        ValueError: one is not.
    """
    if result is None or result.status not in get_args(Status):
        raise ValueError("it is not over")
    texts = (result.reason, result.traceback)
    words = [*result.environment.keys(), *result.environment.values()]
    if not all(isinstance(text, str | None) for text in texts):
        raise ValueError("a reason is no text")
    if not all(isinstance(word, str) for word in words):
        raise ValueError("its environment is no texts")
    for name in ("epochs", "n_parameters", "best_epoch"):
        value = getattr(result, name)
        if not (value is None or (type(value) is int and value >= 0)):
            raise ValueError(f"{name} is no number of them")
    if result.status == "finished" and result.epochs != n_epochs:
        raise ValueError(f"{result.epochs} epochs, and a history of {n_epochs}")
    for name in _FLOATS:
        value = getattr(result, name)
        if value is not None and type(value) not in (int, float):
            raise ValueError(f"{name} is no number")
        if value is not None and name in _FRACTIONS and not 0 <= value <= 1:
            raise ValueError(f"{name} is not between 0 and 1")
        if value is not None and name.endswith("seconds") and not 0 <= value < math.inf:
            raise ValueError(f"{name} is no time")


def _check_history(history: Sequence[EpochRow]) -> None:
    """Epochs in their order, at times.

    Raises:
        ValueError: they are not.
    """
    if [row.epoch for row in history] != list(range(1, len(history) + 1)):
        raise ValueError("its epochs are not numbered from 1 up")
    if not all(0 <= row.ended_at < LATEST for row in history):
        raise ValueError("an epoch ended at no time")


_FRACTIONS = ("val_accuracy", "train_accuracy_at_best", "test_accuracy", "test_macro_f1")
_FLOATS = (
    *_FRACTIONS,
    "val_loss",
    "train_loss_at_best",
    "test_loss",
    "fit_seconds",
    "epoch_seconds",
    "compile_seconds",
)


def _check_predictions(path: Path) -> None:
    """Plain numbers, no more of them than the limit, whatever the arrays say of themselves."""
    with zipfile.ZipFile(path) as file:
        if not {"probability.npy"} <= set(file.namelist()) <= {"probability.npy", "predicted.npy"}:
            raise ArchiveError("predictions.npz holds other arrays than predictions")
        for name in file.namelist():
            with file.open(name) as stream:
                version = npy.read_magic(stream)
                read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                shape, _, dtype = read(stream)
                size = math.prod(shape) * dtype.itemsize
                if dtype.kind not in "fi" or len(shape) > 2 or size > MOST_BYTES[path.name]:
                    raise ArchiveError(f"predictions.npz holds {dtype} of shape {shape}")
                left = size
                while chunk := stream.read(min(CHUNK_BYTES, left + 1)):
                    left -= len(chunk)
                if left:
                    raise ArchiveError("predictions.npz is not as long as it says")


def _one_line(value: object) -> str:
    """A name that was not checked, short and printable."""
    return "".join(sign for sign in str(value)[:100] if sign.isprintable())
