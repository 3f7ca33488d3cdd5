"""From a file's bytes to its text."""

from __future__ import annotations

import codecs
from collections import Counter
from pathlib import Path

from rnnbench.errors import DataError, UsageError

__all__ = ["MOST_LINES", "decode_file"]

MOST_LINES = 20_000_000

_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_KOREAN_SHARE = 0.8  # of letters that are in use; Chinese and Japanese in cp949 come out half Hanja
_USUAL_JAMO = "ㅋㅎㅠㅜㅡ"  # the others are what Japanese kana come out as
_FIRST, _LAST = b"\xb0\xa1", b"\xc8\xfe"  # of the syllables that are in use


def decode_file(path: Path, encoding: str | None) -> tuple[str, str | None]:
    """The file's text, and what should be said of how it was read.

    Args:
        encoding: as Python names it; None for UTF-8, UTF-16 with a mark, or Korean cp949.

    Raises:
        UsageError: there is no such encoding.
        DataError: the file cannot be read, or is not in it.
    """
    try:
        content = path.read_bytes()
    except OSError as err:
        raise DataError(f"{path} cannot be read: {err.strerror or err}") from err
    n_lines = content.count(b"\n")
    if n_lines > MOST_LINES:
        raise DataError(f"{path} has {n_lines:,} lines, of at most {MOST_LINES:,}")
    name = _check_encoding(encoding or "utf-8")
    if name == "utf-8":
        name = "utf-16" if content.startswith(_BYTE_ORDER_MARKS) else "utf-8-sig"
    try:
        return content.decode(name), None
    except UnicodeDecodeError as err:
        if encoding is None and (text := _decode_korean(content)) is not None:
            return text, "read as cp949, a Korean encoding, because it is not UTF-8"
        line = content.count(b"\n", 0, err.start) + 1
        raise DataError(
            f"{path}: line {line} is not {name.removesuffix('-sig')}; if the whole file has "
            "another encoding, name it (--encoding cp949 for Korean, latin-1 for western "
            "European languages); if encodings are mixed, mend that line"
        ) from err


def _check_encoding(encoding: str) -> str:
    """Its usual name."""
    try:
        "".encode(encoding)  # some are no encodings of texts
        return codecs.lookup(encoding).name
    except (LookupError, UnicodeError) as err:
        raise UsageError(f"there is no encoding '{encoding}'; cp949 and latin-1 are two") from err


def _decode_korean(content: bytes) -> str | None:
    """The text if it reads as Korean in cp949, which other languages' bytes do not."""
    try:
        text = content.decode("cp949")
    except UnicodeDecodeError:
        return None
    letters = Counter({c: n for c, n in Counter(text).items() if c.isalpha() and not c.isascii()})
    n_usual = sum(
        n for c, n in letters.items() if c in _USUAL_JAMO or _FIRST <= c.encode("cp949") <= _LAST
    )
    return text if n_usual and n_usual >= _KOREAN_SHARE * letters.total() else None
