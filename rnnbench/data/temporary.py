"""Temporary files and folders, held by a lock for as long as their maker lives.

The kernel lets go of the lock when a process ends, however it ends. So what nobody holds was left
by a kill and may be removed at once: there is no process id to be mistaken for another's, no clock
to be wrong, and what another user's or another living command's is stays.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = ["held_file", "remove_abandoned", "sweep_folders", "temporary_folder"]

PREFIX = "rnnbench-"
MARK = ".held-by-rnnbench"
"""A file in each temporary folder; one without it is somebody else's, whatever its name."""


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
