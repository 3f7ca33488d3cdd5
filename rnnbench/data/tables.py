"""Labelled texts from a file of the user's: CSV, TSV, JSON lines or Parquet."""

from __future__ import annotations

import codecs
import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rnnbench.errors import DataError, UsageError, unknown_name

__all__ = ["SUFFIXES", "Table", "TableChoices", "read_table"]

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
FEWEST_ROWS = 50
FEWEST_OF_A_CLASS = 5
MOST_CLASSES = 100

PartWord = Literal["train", "validation", "test"]

_TEXT_NAMES: tuple[str, ...] = (
    "text",
    "review",
    "document",
    "sentence",
    "content",
    "comment",
    "body",
    "message",
)
_TEXT_NAMES += ("리뷰", "본문", "내용", "문장", "댓글")
_LABEL_NAMES: tuple[str, ...] = (
    "label",
    "sentiment",
    "class",
    "category",
    "target",
    "polarity",
    "y",
)
_LABEL_NAMES += ("라벨", "레이블", "감성", "분류")
_SPLIT_NAMES = ("split", "part", "subset")
_PARTS: Mapping[str, PartWord] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChoices:
    """What the user says of a file; None is to be found out.

    Args:
        separator: between the columns of a CSV file.
        encoding: of a CSV, TSV or JSON lines file, as Python names it.
    """

    text_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None
    separator: str | None = None
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows with a text and a label each.

    Args:
        parts: where the file says it, the part that each row belongs to.
        notes: what was guessed or left out, in sentences.
    """

    texts: list[str]
    labels: list[str]
    parts: list[PartWord] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Raw:
    """Columns by name, each a list of texts (None where there is nothing), and each row's line."""

    columns: dict[str, list[str | None]]
    lines: list[int]
    unit: str = "line"

    def name_rows(self, rows: Sequence[int]) -> str:
        """`lines 4, 9 and 12 more`."""
        shown = ", ".join(str(self.lines[row]) for row in rows[:3])
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        return f"{self.unit}{'s' if len(rows) > 1 else ''} {shown}{more}"


def read_table(path: Path, choices: TableChoices, *, for_training: bool = True) -> Table:
    """The file's rows, each with a label.

    Args:
        for_training: whether there must be enough of each class to train and test on.

    Raises:
        UsageError: a column or an encoding that there is not.
        DataError: a file that cannot be read, or from which nothing can be learnt.
    """
    raw = _READERS[path.suffix.lower()](path, choices)
    if not raw.lines:
        raise DataError(f"{path} has no rows")
    text, label, split, notes = _find_columns(path, raw, choices)
    texts, labels = raw.columns[text], raw.columns[label]
    bare = [row for row, value in enumerate(labels) if value is None or not value.strip()]
    if bare:
        raise DataError(
            f"{path}: the column '{label}' is empty in {raw.name_rows(bare)}; "
            "give these rows a label, or remove them"
        )
    empty = [row for row, value in enumerate(texts) if value is None or not value.strip()]
    if empty:
        notes.append(f"left out, because the text is empty: {raw.name_rows(empty)}")
    kept = sorted(set(range(len(texts))) - set(empty))
    parts = _read_parts(path, raw, split) if split is not None and for_training else None
    table = Table(
        texts=[texts[row] or "" for row in kept],
        labels=[(labels[row] or "").strip() for row in kept],
        parts=None if parts is None else [parts[row] for row in kept],
        notes=tuple(notes),
    )
    if not table.texts:
        raise DataError(f"{path}: every text is empty")
    if for_training:
        _check_labels(path, label, table.labels)
    return table


def _read_csv(path: Path, choices: TableChoices) -> _Raw:
    default = "\t" if path.suffix.lower() == ".tsv" else ","
    separator = choices.separator or default
    text = _decode(path, choices.encoding)
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a text may be as long as it is
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    except TypeError as err:
        raise UsageError(f"--separator takes one character, got '{separator}'") from err
    lines: list[int] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, separator)
        columns: list[list[str | None]] = [[] for _ in header]
        before = reader.line_num
        for row in reader:
            line, before = before + 1, reader.line_num
            if not row:
                continue
            if len(row) != len(header):
                raise DataError(
                    f"{path}: line {line} has {len(row)} fields where the header has {len(header)};"
                    f" a text that holds {_SEPARATORS.get(separator, 'the separator')} "
                    "must stand in double quotes"
                )
            lines.append(line)
            for values, value in zip(columns, row, strict=True):
                values.append(value)
    except csv.Error as err:
        raise DataError(
            f"{path}: line {reader.line_num} is not quoted as CSV is ({err}); a double quote "
            "inside a quoted text is written twice"
        ) from err
    return _Raw(dict(zip(header, columns, strict=True)), lines)


def _check_header(path: Path, header: Sequence[str], separator: str) -> None:
    """Say what is wrong with a first line that names no columns."""
    if not header:
        raise DataError(f"{path} is empty")
    if len(header) == 1:
        others = [mark for mark in _SEPARATORS if mark != separator and mark in header[0]]
        if others:
            shown = "'\\t'" if others[0] == "\t" else f"'{others[0]}'"
            raise DataError(
                f"{path} has one column, '{_short(header[0])}'; its columns seem to be separated "
                f"by {_SEPARATORS[others[0]]}: say --separator {shown}"
            )
        raise DataError(
            f"{path} has one column, '{_short(header[0])}'; two are needed, texts and labels"
        )
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise DataError(f"{path}: two columns are called '{_short(twice[0])}'; rename one")


def _read_json_lines(path: Path, choices: TableChoices) -> _Raw:
    columns: dict[str, list[str | None]] = {}
    lines: list[int] = []
    for number, line in enumerate(_decode(path, choices.encoding).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as err:
            raise DataError(f"{path}: line {number} is not JSON: {err}") from err
        if not isinstance(row, dict):
            raise DataError(f'{path}: line {number} is no object like {{"text": …, "label": …}}')
        for name, value in row.items():
            values = columns.setdefault(name, [])
            values += [None] * (len(lines) - len(values))
            values.append(None if value is None else _plain(value))
        lines.append(number)
    for values in columns.values():
        values += [None] * (len(lines) - len(values))
    return _Raw(columns, lines)


def _read_parquet(path: Path, choices: TableChoices) -> _Raw:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as err:
        raise DataError(f"{path} cannot be read: {str(err).splitlines()[0]}") from err
    columns: dict[str, list[str | None]] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pyarrow.types.is_nested(column.type):
            continue  # embeddings and the like
        with suppress(UnicodeDecodeError):  # pictures and the like
            columns[name] = [None if v is None else _plain(v) for v in column.to_pylist()]
    named = (choices.text_column, choices.label_column, choices.split_column)
    for name in (name for name in table.column_names if name not in columns):
        if name in named or len(columns) < 2:
            raise DataError(
                f"{path}: the column '{name}' holds no texts in utf-8, but {table[name].type}"
            )
    return _Raw(columns, list(range(1, table.num_rows + 1)), unit="row")


def _plain(value: Any) -> str:  # Any: JSON values
    """A value as text: 1.0 and 1 are one label, and bytes are UTF-8.

    Raises:
        UnicodeDecodeError: they are not.
    """
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _decode(path: Path, encoding: str) -> str:
    try:
        content = path.read_bytes()
    except OSError as err:
        raise DataError(f"{path} cannot be read: {err.strerror or err}") from err
    try:
        is_usual = codecs.lookup(encoding).name == "utf-8"
        "".encode(encoding)  # some are no encodings of texts
    except (LookupError, UnicodeError) as err:
        raise UsageError(f"there is no encoding '{encoding}'; cp949 and latin-1 are two") from err
    if is_usual and content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif is_usual:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        name = encoding.removesuffix("-sig")
        raise DataError(
            f"{path}: line {line} is not {name}; if the whole file has another encoding, name "
            "it (--encoding cp949, --encoding latin-1); if encodings are mixed, mend that line"
        ) from err


def _find_columns(
    path: Path, raw: _Raw, choices: TableChoices
) -> tuple[str, str, str | None, list[str]]:
    """The names of text, label and split column, and what was guessed."""
    names = list(raw.columns)
    for chosen in (choices.text_column, choices.label_column, choices.split_column):
        if chosen is not None and chosen not in names:
            raise UsageError(f"{path}: {unknown_name('column', chosen, names)}")
    text = choices.text_column or _by_name(names, _TEXT_NAMES, {choices.label_column})
    label = choices.label_column or _by_name(names, _LABEL_NAMES, {text})
    split = choices.split_column or _by_name(names, _SPLIT_NAMES, {text, label})
    if split is not None and choices.split_column is None and not _is_split(raw.columns[split]):
        split = None  # a column that is only called so
    rest = [name for name in names if name not in (text, label, split)]
    if text is None and label is None and len(rest) == 2:
        text, label = sorted(rest, key=lambda name: -_mean_length(raw.columns[name]))
    elif len(rest) == 1:  # the other one of two
        text, label = text or rest[0], label or rest[0]
    if text is None or label is None or text == label:
        missing = "--text-column" if text is None else "--label-column"
        raise UsageError(
            f"{path}: it is not obvious which column is which; say {missing}, one of "
            f"{', '.join(_short(name) for name in names)} "
            "(if these are no names but a row, give the file a first line with names)"
        )
    if _looks_like_a_row(raw, text, label):
        raise DataError(
            f"{path}: its first line, '{_short(text)}', '{_short(label)}', looks like a row and "
            "not like names; give the file a first line with names, such as text,label"
        )
    guessed = [
        f"{what} '{name}'"
        for what, name, chosen in (
            ("texts in", text, choices.text_column),
            ("labels in", label, choices.label_column),
            ("parts in", split, choices.split_column),
        )
        if name is not None and chosen is None
    ]
    return text, label, split, [f"guessed: {', '.join(guessed)}"] if guessed else []


def _by_name(names: Iterable[str], usual: Sequence[str], taken: set[str | None]) -> str | None:
    """The one column with a usual name."""
    found = [name for name in names if name.casefold() in usual and name not in taken]
    return found[0] if len(found) == 1 else None


def _is_split(values: Sequence[str | None]) -> bool:
    """Whether a column names parts, be it with a slip that `_read_parts` will tell."""
    return any((value or "").strip().casefold() in _PARTS for value in values)


def _mean_length(values: Sequence[str | None]) -> float:
    return sum(len(value or "") for value in values) / len(values)


def _looks_like_a_row(raw: _Raw, text: str, label: str) -> bool:
    """Whether the names are a row: the label's 'name' is one of its own values."""
    usual = {*_TEXT_NAMES, *_LABEL_NAMES}
    if {text.casefold(), label.casefold()} & usual:
        return False
    return label in {(value or "").strip() for value in raw.columns[label]}


def _read_parts(path: Path, raw: _Raw, column: str) -> list[PartWord]:
    parts: list[PartWord] = []
    for row, value in enumerate(raw.columns[column]):
        word = (value or "").strip().casefold()
        if word not in _PARTS:
            raise DataError(
                f"{path}: {raw.unit} {raw.lines[row]} belongs to the part '{_short(value or '')}'; "
                "the parts are train, validation and test"
            )
        parts.append(_PARTS[word])
    return parts


def _check_labels(path: Path, column: str, labels: Sequence[str]) -> None:
    counts = Counter(labels)
    if len(labels) < FEWEST_ROWS:
        raise DataError(
            f"{path} has {len(labels)} rows; to train, validate and test on them takes "
            f"{FEWEST_ROWS} at least"
        )
    if len(counts) == 1:
        raise DataError(
            f"{path}: every row has the label '{_short(labels[0])}'; two classes are needed"
        )
    if len(counts) > MOST_CLASSES or len(counts) * FEWEST_OF_A_CLASS > len(labels):
        raise DataError(
            f"{path}: the column '{column}' has {len(counts):,} different values in "
            f"{len(labels):,} rows, too many for classes; say --label-column for another"
        )
    rare = [name for name, count in counts.items() if count < FEWEST_OF_A_CLASS]
    if rare:
        raise DataError(
            f"{path}: the class '{_short(rare[0])}' has {counts[rare[0]]} rows; every part needs "
            f"some, so {FEWEST_OF_A_CLASS} at least: add rows, or merge it with another class"
        )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39]}…"


_READERS = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
}
