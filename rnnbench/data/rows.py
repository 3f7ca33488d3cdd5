"""What a file of the user's holds before anything is made of it: its text, columns and labels."""

import codecs
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnbench.data.files import reading
from rnnbench.errors import DataError, UsageError

MOST_LINES = 20_000_000

_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_KOREAN_SHARE = 0.8  # of letters that are in use; Chinese and Japanese in cp949 come out half Hanja
_USUAL_JAMO = "ㅋㅎㅠㅜㅡ"  # the others are what Japanese kana come out as
_FIRST, _LAST = b"\xb0\xa1", b"\xc8\xfe"  # of the syllables that are in use

# As many digits as a float is sure of; a number that starts with 0 is a name.
_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
_TRUTHS = {"true": "True", "false": "False"}
_MISSING = {"nan", "<na>", "n/a", "#n/a", "null"}  # as pandas, spreadsheets and databases write it


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns by name, each a list of texts (empty where there is nothing), and each row's line.

    Args:
        header, separator: of a file whose fields may stand in quotes, with the names left out.
        notes: what was inferred or left out, in sentences.
    """

    columns: dict[str, list[str]]
    lines: list[int]
    unit: str = "line"
    header: tuple[str, ...] = ()
    separator: str = ""
    notes: tuple[str, ...] = ()

    def name_rows(self, rows: Sequence[int]) -> str:
        """`lines 4, 9 and 12 more`."""
        shown = ", ".join(str(self.lines[row]) for row in rows[:3])
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        return f"{self.unit}{'s' if len(rows) > 1 else ''} {shown}{more}"


def clean_name(name: str) -> str:
    """A column's name in composed letters, without space around it."""
    return unicodedata.normalize("NFC", name.strip())


def as_text(value: Any) -> str:  # Any: JSON and Parquet values
    """A value as text, whole numbers without a point; empty for None and a number that is none.

    Raises:
        UnicodeDecodeError: bytes that are not UTF-8.
    """
    if isinstance(value, bytes):
        return value.decode()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def shorten(text: str) -> str:
    """On one line of 40 characters at most, for messages."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39]}…"


def decode_file(path: Path, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """The file's text, and what should be said of how it was read.

    Args:
        encoding: as Python names it; None for UTF-8, UTF-16 with a mark, or Korean cp949.

    Raises:
        UsageError: there is no such encoding.
        DataError: the file cannot be read, or is not in it.
    """
    with reading(path):
        content = path.read_bytes()
    n_lines = content.count(b"\n")
    if n_lines > MOST_LINES:
        raise DataError(f"{path} has {n_lines:,} lines, of at most {MOST_LINES:,}")
    name = _check_encoding(encoding or "utf-8")
    if name == "utf-8":
        name = "utf-16" if content.startswith(_BYTE_ORDER_MARKS) else "utf-8-sig"
    try:
        return content.decode(name), ()
    except UnicodeDecodeError as err:
        if encoding is None and (text := _decode_korean(content)) is not None:
            return text, ("read as cp949, a Korean encoding, because it is not UTF-8",)
        line = content.count(b"\n", 0, err.start) + 1
        raise DataError(
            f"{path}: line {line} is not {name.removesuffix('-sig')}; if the whole file has "
            "another encoding, name it (--encoding cp949 for Korean, latin-1 for western "
            "European languages); if encodings are mixed, fix that line"
        ) from err


def normalise_label(text: str) -> str:
    """The one spelling of a label: `1` for `1.0` and `+1`, `True` for `true`, composed letters."""
    label = clean_name(text)
    if _NUMBER.fullmatch(label):
        label = label.removeprefix("+")
        label = label.rstrip("0").rstrip(".") if "." in label else label
        return "0" if label == "-0" else label
    return _TRUTHS.get(label.casefold(), label)


def is_missing(label: str) -> bool:
    """Whether it is empty, or what programs write where there is no label, such as `NaN`."""
    return not label or label.casefold() in _MISSING


def label_key(label: str) -> str:
    """The same for labels that are one class: they differ in upper and lower case at most."""
    return normalise_label(label).casefold()


def merge_spellings(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Each label in the commonest spelling of its class, and what was merged, in sentences."""
    spellings: dict[str, Counter[str]] = {}
    for label, count in Counter(labels).items():
        spellings.setdefault(label_key(label), Counter())[label] += count
    chosen = {key: max(found, key=lambda s: (found[s], s)) for key, found in spellings.items()}
    notes = [
        f"one class, '{chosen[key]}', because only upper and lower case differ: "
        + ", ".join(f"'{label}' ({count:,})" for label, count in found.most_common())
        + "; if they are several, rename them in the file"
        for key, found in spellings.items()
        if len(found) > 1
    ]
    return [chosen[label_key(label)] for label in labels], notes


def sort_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """Each class once: numbers by size, anything else by name."""
    found = set(labels)
    are_numbers = all(_NUMBER.fullmatch(label) for label in found)
    return tuple(sorted(found, key=float if are_numbers else None))


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
