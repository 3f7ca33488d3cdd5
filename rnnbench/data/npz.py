"""Keras's `imdb.npz` read without trusting it: nothing in the file can run or exhaust memory.

The reviews are lists of word ranks in a pickled object array. Its opcodes are walked first, and
only those that such an array is made of go on to an unpickler, which builds stand-ins instead of
numpy's own objects. Lists, tuples, strings and integers are all that can come out, and no more of
them than the bytes pay for. Sizes are bounded before anything of that size is read or built.
"""

import io
import pickle
import pickletools
import re
import resource
import zipfile
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import Corpus, Half
from rnnbench.errors import DataError
from rnnbench.formats import why_failed

# The real file has 17 MB, its members 14 MB and 0.2 MB, a half 6 million tokens in 25,000 reviews.
MAX_FILE_BYTES = 48 * 2**20
MAX_REVIEWS_BYTES = 40 * 2**20
MAX_LABELS_BYTES = 4 * 2**20
MAX_ZIP_ENTRIES = 64
MAX_TOKENS = 16_000_000
MAX_RANK = 10_000_000
# Opcodes beside numbers, marks and the memo: one for each list, tuple, string, call and frame.
# The reviews' 25,000 lists need about as many.
MAX_OBJECTS = 300_000

_MEMBERS = ("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy")
_CENTRAL_ENTRY = b"PK\x01\x02"
_NEEDED = "an imdb.npz as from Keras is needed"


def read_npz(path: Path) -> Corpus:
    """The reviews of an `imdb.npz` in file order, their ranks as stored, without a start token.

    The real file takes about 2 s and 220 MiB.

    Raises:
        DataError: the file is not what Keras publishes, whatever is wrong with it.
    """
    try:
        members = _read_members(path)
        train, test = (_read_half(members, half) for half in ("train", "test"))
        return Corpus(name="imdb", train=train, test=test)
    except DataError as err:
        raise DataError(f"{path} is refused: {err}") from err
    except MemoryError as err:
        excess = "it asks for more memory than an imdb.npz needs"
        raise DataError(f"{path} is refused: {excess}") from err
    except OSError as err:
        raise DataError(f"{path} cannot be read: {why_failed(err)}") from err
    except Exception as err:  # whatever a hostile file makes zipfile, numpy or pickle raise
        found = f"damaged, {type(err).__name__}: {str(err)[:200]!a}"
        raise DataError(f"{path} is refused: {found}; {_NEEDED}") from err


def limit_memory(n_bytes: int) -> None:
    """Holds this process to `n_bytes` of address space; beyond it is a MemoryError.

    For a process that does nothing but read the file.
    """
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
        raise DataError(f"it is not a file; {_NEEDED}")
    with path.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if not content:
        raise DataError(f"it is empty; {_NEEDED}")
    if len(content) > MAX_FILE_BYTES:
        raise DataError(f"it is larger than {MAX_FILE_BYTES:,} bytes; the real one has 17 million")
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise DataError(f"it is not a zip archive, or is cut short; {_NEEDED}")
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


def _read_header(
    content: bytes, name: str, kinds: str, needed: str
) -> tuple[np.dtype[Any], int, int]:  # any: the file says which
    """A `.npy` member's type, its number of elements, and where its data starts."""
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
    if dtype.kind not in kinds or len(shape) != 1:
        found = f"{dtype} of shape {shape}"[:100]
        raise DataError(f"{name} is {found}; a one-dimensional {needed} is needed")
    return dtype, shape[0], stream.tell()


def _read_labels(content: bytes, name: str) -> NDArray[np.int8]:
    """int8 `(n_reviews,)`, each 0 or 1."""
    dtype, n_labels, start = _read_header(content, name, "iu", "integer array")
    if n_labels * dtype.itemsize != len(content) - start:
        raise DataError(f"{name} does not hold the {n_labels:,} labels that its header names")
    labels = np.frombuffer(content, dtype, offset=start)
    if not np.isin(labels, (0, 1)).all():
        raise DataError(f"{name} holds labels beside 0 and 1")
    return labels.astype(np.int8)


def _read_rows(content: bytes, name: str) -> list[list[Any]]:  # any: elements come unchecked
    """The reviews as lists, whose elements are still to be checked."""
    _, n_rows, start = _read_header(content, name, "O", "array of lists")
    try:
        rows = _load_object_array(content, start)
    except DataError as err:
        raise DataError(f"{name} {err}") from err
    if len(rows) != n_rows:
        raise DataError(f"{name} does not hold the {n_rows:,} reviews that its header names")
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
        if 0 <= tokens.min() <= tokens.max() <= MAX_RANK:
            return tokens
    except OverflowError:  # beyond 32 bits
        pass
    raise DataError(f"{name} holds a word rank that is not in 0 to {MAX_RANK:,}")


def _load_object_array(content: bytes, start: int) -> list[Any]:  # any: elements come unchecked
    """The elements of the one-dimensional object array pickled in `content` from `start` on.

    Raises:
        DataError: the pickle holds more, or something else. Torn or inconsistent pickles raise
            what `pickle` raises: `UnpicklingError`, `EOFError`, `TypeError` and others.
    """
    _check_opcodes(content, start)
    # Without a buffer, an unpickler calls `read` once for every number outside a frame.
    stream = io.BufferedReader(io.BytesIO(content))
    stream.seek(start)
    array = _Unpickler(stream).load()
    if type(array) is not _ObjectArray:
        raise DataError(f"holds {type(array).__name__} where an array of lists is needed")
    return array.rows


# Numbers, marks and memo entries below 2**20: one alternative is one opcode with its argument.
# Possessive, so that 12 million opcodes cost 0.4 s and no memory for backtracking.
_NUMBERS = re.compile(
    rb"(?:K.|M..|J.{4}|[(eaN)\x88\x89\x94]|[qh].|[jr]..[\x00-\x0f]\x00)*+", re.DOTALL
)
_GLOBAL = re.compile(rb"[^\n]{1,80}\n[^\n]{1,80}\n")
_BARE = frozenset(b"]tRb\x85\x86\x87\x93")  # lists, tuples, REDUCE, BUILD, STACK_GLOBAL
_COUNT_BYTES = {0x8C: 1, ord("C"): 1, ord("U"): 1, 0x8A: 1, ord("X"): 4}  # strings, a long integer

_OPCODE_NAMES = {opcode.code: opcode.name for opcode in pickletools.opcodes}


def _check_opcodes(content: bytes, start: int) -> None:
    """Refuses a pickle with any opcode that an array of lists does not need.

    So nothing asks for memory that the file does not fill (a memo index or a length of 2**32), and
    no opcode reaches an import, a call or an object beside those of `_Unpickler`.
    """
    position = start
    for _ in range(MAX_OBJECTS):
        numbers = _NUMBERS.match(content, position)
        position = numbers.end() if numbers else position
        if position >= len(content):
            raise DataError("is cut short; a whole pickle is needed")
        if content[position] == ord("."):
            return
        position += 1 + _argument_bytes(content, position)
    raise DataError(f"holds over {MAX_OBJECTS:,} objects where 25,000 reviews are needed")


def _argument_bytes(content: bytes, position: int) -> int:
    """Length of the argument of the opcode at `position`."""
    opcode, after = content[position], position + 1
    if opcode in _BARE:
        return 0
    if opcode == 0x80:  # PROTO
        return 1
    if opcode == 0x95 and int.from_bytes(content[after : after + 8], "little") < len(content):
        return 8  # FRAME: its length says how much to read ahead
    if width := _COUNT_BYTES.get(opcode):
        return width + int.from_bytes(content[after : after + width], "little")
    if opcode == ord("c") and (names := _GLOBAL.match(content, after)):
        return names.end() - after
    label = _OPCODE_NAMES.get(chr(opcode), hex(opcode))
    raise DataError(f"holds pickle opcode {label} where plain lists of word ranks are needed")


class _ObjectArray:
    """Stands in for `numpy.ndarray`, and keeps the list that an object array is pickled as."""

    rows: list[Any]  # any: elements come unchecked

    def __init__(self) -> None:
        self.rows = []

    def __setstate__(self, state: object) -> None:
        match state:
            case (int(), (int(),), _ObjectDtype(), bool(), list(rows)):
                self.rows = rows
            case _:
                raise DataError("holds an array that is not a one-dimensional array of lists")


class _ObjectDtype:
    """Stands in for `numpy.dtype`, of which only `object` is taken."""

    def __init__(self, code: object, align: object, copy: object) -> None:
        if code not in ("O8", "O4", "O"):
            raise DataError("holds an array of numbers or records where one of lists is needed")

    def __setstate__(self, state: object) -> None:
        """Byte order and the like, which mean nothing for lists."""


def _reconstruct(subtype: object, shape: object, typecode: object) -> _ObjectArray:
    """Stands in for the function of that name, with which every pickled array starts."""
    match (subtype, shape):
        case (kind, (0,)) if kind is _ObjectArray:
            return _ObjectArray()
    raise DataError("rebuilds something other than a plain array")


_STAND_INS: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _ObjectArray,
    ("numpy", "dtype"): _ObjectDtype,
}


class _Unpickler(pickle.Unpickler):
    """Knows the names that an object array needs, none of which leads to real code."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _STAND_INS:
            asked = ascii(f"{module}.{name}"[:80])
            raise DataError(f"asks for {asked} where plain lists of word ranks are needed")
        return _STAND_INS[module, name]

    def persistent_load(self, pid: object) -> object:
        raise DataError("refers to objects outside the file")
