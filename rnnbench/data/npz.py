"""Keras's `imdb.npz` read without trusting it: nothing in the file can run or exhaust memory.

The reviews are lists of word ranks in a pickled object array, which `pickled_lists` reads. Sizes
are bounded before anything of that size is read or built.
"""

from __future__ import annotations

import io
import sys
import zipfile
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import Half
from rnnbench.data.pickled_lists import load_object_array
from rnnbench.errors import DataError

__all__ = ["MAX_FILE_BYTES", "RawHalves", "limit_memory", "read_npz"]

# The real file has 17 MB, its members 14 MB and 0.2 MB, a half 6 million tokens in 25,000 reviews.
MAX_FILE_BYTES = 48 * 2**20
MAX_REVIEWS_BYTES = 40 * 2**20
MAX_LABELS_BYTES = 4 * 2**20
MAX_ZIP_ENTRIES = 64
MAX_TOKENS = 16_000_000
MAX_RANK = 10_000_000

_MEMBERS = ("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy")
_CENTRAL_ENTRY = b"PK\x01\x02"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawHalves:
    """Both halves in file order; `tokens` are the ranks as stored, without a start token."""

    train: Half
    test: Half


def read_npz(path: Path) -> RawHalves:
    """The two halves of an `imdb.npz`; the real file takes about 2 s and 220 MiB.

    Raises:
        DataError: the file is not what Keras publishes, whatever is wrong with it.
    """
    try:
        members = _read_members(path)
        halves = {half: _read_half(members, half) for half in ("train", "test")}
    except DataError as err:
        raise DataError(f"{path} is refused: {err}") from err
    except MemoryError as err:
        raise DataError(
            f"{path} is refused: it asks for more memory than an imdb.npz needs"
        ) from err
    except OSError as err:
        raise DataError(f"{path} cannot be read: {err.strerror or err}") from err
    except Exception as err:  # whatever a hostile file makes zipfile, numpy or pickle raise
        found = f"damaged, {type(err).__name__}: {str(err)[:200]!a}"
        raise DataError(f"{path} is refused: {found}; an imdb.npz as from Keras is needed") from err
    return RawHalves(train=halves["train"], test=halves["test"])


def limit_memory(n_bytes: int) -> None:
    """Holds this process to `n_bytes` of address space; beyond it is a MemoryError.

    For a process that does nothing but read the file. Does nothing on Windows.
    """
    if sys.platform == "win32":
        return
    import resource  # not on Windows

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = n_bytes if hard == resource.RLIM_INFINITY else min(n_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _read_members(path: Path) -> dict[str, bytes]:
    """The bytes of the four `.npy` members, by name."""
    content = _read_file(path)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        found = sorted(entry.filename for entry in entries)
        if found != sorted(_MEMBERS):
            came = ascii([name.removesuffix(".npy")[:40] for name in found[:8]])
            needed = ", ".join(name.removesuffix(".npy") for name in _MEMBERS)
            raise DataError(f"it holds {came} where exactly {needed} are needed")
        return {entry.filename: _read_member(archive, entry) for entry in entries}


def _read_file(path: Path) -> bytes:
    """The whole file, so that what is checked is what is read."""
    if not path.is_file():
        raise DataError("it is not a file; an imdb.npz as from Keras is needed")
    with path.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if not content:
        raise DataError("it is empty; an imdb.npz as from Keras is needed")
    if len(content) > MAX_FILE_BYTES:
        raise DataError(f"it is larger than {MAX_FILE_BYTES:,} bytes; the real one has 17 million")
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise DataError(
            "it is no zip archive, or is cut short; an imdb.npz as from Keras is needed"
        )
    # zipfile builds an object for every entry before anything can look at them.
    if content.count(_CENTRAL_ENTRY) > MAX_ZIP_ENTRIES:
        raise DataError(f"it has over {MAX_ZIP_ENTRIES} entries where 4 are needed")
    return content


def _read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    name = entry.filename.removesuffix(".npy")
    limit = MAX_REVIEWS_BYTES if name.startswith("x") else MAX_LABELS_BYTES
    # LZMA is left out because its header can ask for a dictionary of 4 GiB.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(
            f"{name} has compression {entry.compress_type}; stored or deflated is needed"
        )
    if entry.flag_bits & 1:
        raise DataError(f"{name} is encrypted; a plain member is needed")
    with archive.open(entry) as stream:
        content = b"" if entry.file_size > limit else stream.read(limit + 1)
    if max(entry.file_size, len(content)) > limit:
        raise DataError(f"{name} unpacks to over {limit:,} bytes, the most that is allowed")
    return content


def _read_half(members: dict[str, bytes], half: str) -> Half:
    labels = _read_labels(members[f"y_{half}.npy"], f"y_{half}")
    rows = _read_rows(members[f"x_{half}.npy"], f"x_{half}")
    if len(rows) != len(labels):
        raise DataError(f"x_{half} has {len(rows):,} reviews and y_{half} {len(labels):,} labels")
    lengths = [len(row) for row in rows]
    return Half(
        tokens=_flatten_rows(rows, sum(lengths), f"x_{half}"),
        offsets=np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))),
        labels=labels,
    )


@dataclass(frozen=True, slots=True)
class _Npy:
    """One `.npy` member: its header, and where the data starts."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]  # any: the file says which
    start: int


def _read_header(content: bytes, name: str) -> _Npy:
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        # 3.0 is 2.0 with names in UTF-8; numpy has no public reader of its own for it.
        if version[0] == 1:
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    except Exception as err:  # the header is a Python literal: parsing it fails in many ways
        raise DataError(f"{name} has no readable .npy header; a numpy array is needed") from err
    return _Npy(shape, dtype, stream.tell())


def _read_labels(content: bytes, name: str) -> NDArray[np.int8]:
    """int8 `(n_reviews,)`, each 0 or 1."""
    npy = _read_header(content, name)
    if npy.dtype.kind not in "iu" or len(npy.shape) != 1:
        found = f"{npy.dtype} of shape {npy.shape}"[:100]
        raise DataError(f"{name} is {found}; a one-dimensional integer array is needed")
    if npy.shape[0] * npy.dtype.itemsize != len(content) - npy.start:
        raise DataError(f"{name} does not hold the {npy.shape[0]:,} labels that its header names")
    labels = np.frombuffer(content, npy.dtype, offset=npy.start)
    if not np.isin(labels, (0, 1)).all():
        raise DataError(f"{name} holds labels beside 0 and 1")
    return labels.astype(np.int8)


def _read_rows(content: bytes, name: str) -> list[list[Any]]:  # any: elements come unchecked
    """The reviews as lists, whose elements are still to be checked."""
    npy = _read_header(content, name)
    if npy.dtype != object or len(npy.shape) != 1:
        found = f"{npy.dtype} of shape {npy.shape}"[:100]
        raise DataError(f"{name} is {found}; a one-dimensional array of lists is needed")
    try:
        rows = load_object_array(content, npy.start)
    except DataError as err:
        raise DataError(f"{name} {err}") from err
    if len(rows) != npy.shape[0]:
        raise DataError(f"{name} does not hold the {npy.shape[0]:,} reviews that its header names")
    for row in rows:
        if type(row) is not list:
            raise DataError(
                f"{name} holds {type(row).__name__} where a list of word ranks is needed"
            )
    return rows


def _flatten_rows(rows: list[list[Any]], n_tokens: int, name: str) -> NDArray[np.int32]:
    """int32 `(n_tokens,)`: all reviews, one after the other."""
    if n_tokens == 0:
        raise DataError(f"{name} holds no words at all")
    # A pickle can name one long list many times over.
    if n_tokens > MAX_TOKENS:
        raise DataError(f"{name} holds {n_tokens:,} tokens; at most {MAX_TOKENS:,} are allowed")
    for kind in set(map(type, chain.from_iterable(rows))) - {int}:
        raise DataError(f"{name} holds lists of {kind.__name__} where word ranks (int) are needed")
    try:
        tokens = np.fromiter(chain.from_iterable(rows), np.int32, n_tokens)
    except OverflowError as err:
        raise DataError(f"{name} holds a word rank that is not in 0 to {MAX_RANK:,}") from err
    if not 0 <= tokens.min() <= tokens.max() <= MAX_RANK:
        raise DataError(f"{name} holds a word rank that is not in 0 to {MAX_RANK:,}")
    return tokens
