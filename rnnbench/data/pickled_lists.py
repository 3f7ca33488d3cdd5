"""Lists of numbers out of a pickled numpy object array, with nothing in the pickle able to run.

The opcodes are walked first, and only those that such an array is made of go on to an unpickler,
which builds stand-ins instead of numpy's own objects. Lists, tuples, strings and integers are all
that can come out, and no more of them than the bytes pay for.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from typing import Any

from rnnbench.errors import DataError

__all__ = ["MAX_OBJECTS", "load_object_array"]

# Opcodes beside numbers, marks and the memo: one for each list, tuple, string, call and frame.
# The reviews' 25,000 lists need about as many.
MAX_OBJECTS = 300_000


def load_object_array(content: bytes, start: int = 0) -> list[Any]:  # any: elements come unchecked
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
                raise DataError("holds an array that is no one-dimensional array of lists")


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
