"""Files written whole or not at all: arrays, JSON objects and bytes; and temporary folders.

A file is written beside its place, forced to disk, and renamed into it. So a crash leaves no torn
file, and writers of the same content under the same name do each other no harm.

What is temporary is held by a lock for as long as its maker lives. The kernel lets go of the lock
when a process ends, however it ends. So what nobody holds was left by a kill and may be removed at
once: there is no process id to be mistaken for another's, no clock to be wrong, and what another
user's or another living command's is stays.
"""

import errno
import fcntl
import hashlib
import itertools
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, overload

import numpy as np
from numpy.typing import NDArray

from rnnbench.errors import DataError, UsageError
from rnnbench.formats import FormatError, check_file, is_there, parse_json, read_bytes, why_failed

MOST_JSON_BYTES = 2**28  # a vocabulary is the largest
PREFIX = "rnnbench-"
MARK = ".held-by-rnnbench"
"""A file in each temporary folder; one without it is somebody else's, whatever its name."""


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A stream whose bytes are in `path`, on disk and all at once, when the block has ended.

    Raises:
        OSError: the folder cannot be written to, or is full; `path` is as it was.
    """
    if is_there(path) and not path.is_file():  # root could replace a device
        raise FileExistsError(errno.EEXIST, "there is something that is not a regular file")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(path.parent.glob(f".{path.name}.*"))
        with held_file(temporary) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            temporary.replace(path)  # as long as it is held
        _sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and have it on the disk when this returns.

    Raises:
        OSError: see `whole_file`.
    """
    with whole_file(path) as stream:
        stream.write(content)


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
        remedy = "free some space there, or set RNNBENCH_CACHE to another folder"
        raise DataError(f"cannot write {path} ({why_failed(err)}); {remedy}") from err


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
    check_file(path)
    # Mapped in any case: that compares the shape with the file's size before anything is allocated.
    # A plain ndarray, because slices of a memmap are slow to make.
    array = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    if array.dtype != dtype or array.ndim != 1:
        raise ValueError(f"{path.name} is {array.dtype} of shape {array.shape}")
    return array if mapped else array.copy()


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Writes an object as JSON."""
    with atomic_file(path) as stream:
        stream.write(json.dumps(content, indent=1).encode())


def read_json(path: Path) -> dict[str, Any]:  # any: a file may hold anything
    """The JSON object in a file; empty where there is none."""
    try:
        content = parse_json(read_bytes(path, MOST_JSON_BYTES))
    except (OSError, FormatError):
        return {}
    return content if isinstance(content, dict) else {}


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """A block that reads a file of the user's.

    Raises:
        DataError: the file cannot be read; why.
    """
    try:
        yield
    except (OSError, FormatError) as err:
        raise DataError(f"{path} cannot be read: {why_failed(err)}") from err


def check_input(path: Path, most_bytes: int) -> None:
    """See that there is a file of the user's, and none that is too large to be read.

    Raises:
        DataError: there is none, or it is.
    """
    with reading(path):
        try:
            check_file(path, most_bytes)
        except FileNotFoundError as err:
            raise DataError(f"there is no file {path}") from err


@overload
def named_path(variable: str, default: str) -> Path: ...
@overload
def named_path(variable: str) -> Path | None: ...
def named_path(variable: str, default: str = "") -> Path | None:
    """The whole path that an environment variable names; None where it is not set.

    Raises:
        UsageError: it names the home of a user that there is not, or what no disk can hold.
    """
    named = os.environ.get(variable) or default
    try:
        path = Path(named).expanduser().absolute()
        path.exists()
    except RuntimeError as err:
        raise UsageError(
            f"{variable} is '{named}', and there is no such user; set it to an absolute path"
        ) from err
    except OSError as err:
        raise UsageError(f"{variable} cannot be used: {why_failed(err)}") from err
    return path if named else None


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of the bytes of a file."""
    with reading(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def temporary_folder(parent: Path | None = None, prefix: str = PREFIX) -> Iterator[Path]:
    """A folder that is gone at the end, empty but for a hidden mark.

    Args:
        parent: where it is made; None takes the folder for temporary files.

    Raises:
        OSError: it cannot be made.
    """
    with (
        tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name,
        held_file(Path(name) / MARK),
    ):
        yield Path(name)


@contextmanager
def held_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file for writing, under its name from the moment on in which it is held.

    Raises:
        OSError: it cannot be made.
    """
    # Under names that a sweep for the file's own finds too, if a kill comes in between.
    attempts = (_begin(path.with_name(f"{path.name}.{n}"), path) for n in itertools.count())
    with next(stream for stream in attempts if stream) as stream:
        yield stream


def sweep_folders(parent: Path | None = None, prefix: str = PREFIX) -> None:
    """Remove the temporary folders of this user that no living process holds."""
    for folder in Path(parent or tempfile.gettempdir()).glob(f"{prefix}*"):
        if _is_abandoned(folder / MARK):
            shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(paths: Iterable[Path]) -> None:
    """Remove the files of this user among these that no living process holds."""
    for path in paths:
        if _is_abandoned(path):
            with suppress(OSError):
                path.unlink()


def _sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _begin(begun: Path, path: Path) -> IO[bytes] | None:
    """A new file, held and then named; None if a sweep came before it was held."""
    stream = begun.open("xb")
    try:
        _hold(stream)
        begun.rename(path)
    except (BlockingIOError, FileNotFoundError):
        stream.close()
        return None
    except BaseException:
        stream.close()
        raise
    finally:
        with suppress(OSError):
            begun.unlink()
    return stream


def _hold(stream: IO[bytes]) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks; there nothing is ever removed
        pass


def _is_abandoned(path: Path) -> bool:
    """Whether a file is this user's and nobody holds it; False where that cannot be told."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # Shared: two that look at once must not take each other for the maker.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_uid == os.getuid()
    except OSError:
        return False
    finally:
        os.close(descriptor)
