"""Files written whole or not at all: arrays, JSON objects and bytes.

A file is written beside its place, forced to disk, and renamed into it. So a crash leaves no torn
file, and writers of the same content under the same name do each other no harm.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.errors import DataError

__all__ = [
    "atomic_file",
    "file_sha256",
    "open_array",
    "read_json",
    "whole_file",
    "write_array",
    "write_json",
]

_STALE_SECONDS = 86_400.0


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A stream whose bytes are in `path`, on disk and all at once, when the block has ended.

    Raises:
        OSError: the folder cannot be written to, or is full; `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(path)
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """`whole_file` in the cache, whose errors say what to do about them.

    Raises:
        DataError: the folder cannot be written to, or is full; `path` is as it was.
    """
    try:
        with whole_file(path) as stream:
            yield stream
    except OSError as err:
        reason = err.strerror or err
        remedy = "make room there, or set RNNBENCH_CACHE to another folder"
        raise DataError(f"cannot write {path} ({reason}); {remedy}") from err


def write_array(path: Path, array: NDArray[Any]) -> None:  # any: three integer types
    """Writes a one-dimensional array as `.npy`."""
    with atomic_file(path) as stream:
        # Not np.save, whose error on a full disk does not say that it is full.
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(array.data)


def open_array(path: Path, dtype: str, *, mapped: bool = False) -> NDArray[Any]:  # any: see dtype
    """The one-dimensional array of type `dtype` in a `.npy` file, mapped from disk or read.

    Raises:
        OSError, ValueError, EOFError: no such file, or something else in it.
    """
    # A plain ndarray, because slices of a memmap are slow to make.
    array = np.asarray(np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False))
    if array.dtype != dtype or array.ndim != 1:
        raise ValueError(f"{path.name} is {array.dtype} of shape {array.shape}")
    return array


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Writes an object as JSON."""
    with atomic_file(path) as stream:
        stream.write(json.dumps(content, indent=1).encode())


def read_json(path: Path) -> dict[str, Any]:  # any: a file may hold anything
    """The JSON object in a file; empty where there is none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of the bytes of a file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as err:
        raise DataError(f"{path} cannot be read: {err.strerror or err}") from err


def _remove_stale(path: Path) -> None:
    """Removes what a killed process left of earlier attempts at `path`."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
                leftover.unlink()


def _sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` last; Windows opens no folders and needs none of it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
