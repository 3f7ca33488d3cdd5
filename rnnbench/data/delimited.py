"""CSV and TSV: fields between separators, which may stand in double quotes."""

import csv
import io
import itertools
import re
import sys
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from rnnbench.data.labels import normalise_label
from rnnbench.data.rows import Rows, clean_name, name_columns, shorten
from rnnbench.errors import DataError, UsageError

Quoting = Literal["auto", "minimal", "none"]
QUOTINGS: tuple[Quoting, ...] = get_args(Quoting)
"""Double quotes hold a field together, or are characters like any other; `auto` finds it out."""

_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_NAMED_SEPARATOR = re.compile("sep=(.)(?=\r?\n)")  # Excel's first line
_TRIED_ROWS = 200  # of which a separator makes as many fields as the header has
_REMEDY = "close it, or use --quoting none if double quotes are characters like any other here"


class _LineError(Exception):
    """The row that starts in `line` cannot be read so."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read_delimited(
    path: Path,
    text: str,
    usual: str,
    separator: str | None,
    quoting: Quoting,
    *,
    has_labels: bool = True,
) -> Rows:
    """The rows of a file's text, without the columns that have no name.

    Args:
        path: for messages.
        usual: what separates the columns of a file with this ending.
        separator: None to find it out.
        has_labels: whether one column is too few, and a row of empty fields none.

    Raises:
        UsageError: a separator that cannot be.
        DataError: a line that does not fit the header, or a quote without its other half.
    """
    if named := _NAMED_SEPARATOR.match(text):
        text = text[named.end() :]  # but for the line's end, so that lines keep their numbers
        separator = separator or named[1]
    found = separator or _find_separator(text, usual)
    try:
        rows = _read_either(path, text, found, quoting, has_labels)
    except _LineError as err:
        raise DataError(str(err)) from err
    if separator or found == usual:
        return rows
    note = f"columns are separated by {_SEPARATORS[found]}, as the header and most rows have it"
    return replace(rows, notes=(note, *rows.notes))


def find_swallowed(rows: Rows, column: str, labels: Container[str]) -> list[int]:
    """Rows of which a field holds a line that would be a row by itself, with a known label."""
    if column not in rows.header:
        return []
    place = rows.header.index(column)

    def is_row(line: str) -> bool:
        fields = line.split(rows.separator)
        return len(fields) == len(rows.header) and normalise_label(fields[place]) in labels

    return [
        row
        for row in range(len(rows.lines))
        if any(
            is_row(line)
            for values in rows.columns.values()
            if "\n" in values[row]
            for line in values[row].splitlines()
        )
    ]


def _find_separator(text: str, usual: str) -> str:
    """Of those in the header, the one with which the most of the first rows fit it."""
    header = next((line for line in io.StringIO(text) if line.strip()), "")
    candidates = sorted((mark for mark in _SEPARATORS if mark in header), key=usual.__ne__)
    if len(candidates) < 2:
        return candidates[0] if candidates else usual
    return max(candidates, key=lambda mark: _n_fitting(text, mark))


def _n_fitting(text: str, separator: str) -> int:
    """Of the first rows, those with as many fields as the header, two or more."""
    with suppress(csv.Error):
        rows = list(itertools.islice(_split(text, separator, quotes=True), _TRIED_ROWS))
        return sum(len(row) == len(rows[0]) > 1 for row in rows[1:])
    return 0


def _read_either(path: Path, text: str, separator: str, quoting: Quoting, has_labels: bool) -> Rows:
    """With quotes; without them where only so every line fits the header by itself."""
    if quoting != "auto":
        return _read(path, text, separator, quotes=quoting == "minimal", has_labels=has_labels)
    joined: list[int] = []
    problem: _LineError | None = None
    try:
        rows = _read(path, text, separator, quotes=True, has_labels=has_labels)
        if separator == "\t":  # between tabs they are rarely meant as quotes
            joined = [row for row in range(len(rows.lines)) if _spans_lines(rows, row)]
        if not joined:
            return rows
        reason = f"the one in line {rows.lines[joined[0]]} would join it with lines below it"
    except _LineError as err:
        problem, reason = err, f"in line {err.line} they do not pair"
    if '"' in text and '"' not in text.partition("\n")[0]:  # where the header has them, all do
        with suppress(_LineError):
            plain = _read(path, text, separator, quotes=False, has_labels=has_labels)
            note = (
                f"read with double quotes as characters like any other, because {reason}; "
                "--quoting minimal reads them as CSV does"
            )
            return replace(plain, notes=(note, *plain.notes))
    if problem is not None:
        raise problem
    note = (
        f"texts in double quotes run over several lines ({rows.name_rows(joined)}); if each line "
        "is a row, use --quoting none"
    )
    return replace(rows, notes=(note, *rows.notes))


def _spans_lines(rows: Rows, row: int) -> bool:
    return any("\n" in values[row] for values in rows.columns.values())


def _split(text: str, separator: str, *, quotes: bool) -> Any:  # Any: a csv reader has no name
    """The reader of the text's rows."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a text may be as long as it is
    try:
        return csv.reader(
            io.StringIO(text, newline=""),
            delimiter=separator,
            quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
            strict=True,
        )
    except (TypeError, ValueError) as err:
        raise UsageError(f"--separator takes one character, got '{separator}'") from err


def _read(path: Path, text: str, separator: str, *, quotes: bool, has_labels: bool) -> Rows:
    reader = _split(text, separator, quotes=quotes)
    first = 1  # line of the row that is being read
    lines: list[int] = []
    try:
        header: list[str] = next(filter(any, reader), [])
        _check_header(path, header, separator, 2 if has_labels else 1)
        named, notes = name_columns(path, header)
        columns: dict[str, list[str]] = {name: [] for name in named}
        takers = [(columns[name].append, place) for name, place in named.items()]
        n_names, last = len(header), max(named.values())
        first = reader.line_num + 1
        for row in reader:
            line, first = first, reader.line_num + 1
            if len(row) != n_names or not row[last].strip():
                is_row = len(row) == n_names and not has_labels
                if not is_row and not any(field.strip() for field in row):
                    continue
                if any(row[n_names:]) or len(row) <= last:
                    raise _LineError(
                        _tell_misfit(path, line, len(row), n_names, separator, quotes), line
                    )
            lines.append(line)
            for take, place in takers:
                take(row[place])
    except csv.Error as err:
        raise _LineError(_tell_quote(path, first, reader.line_num, err), first) from err
    shown = tuple(map(clean_name, header)) if quotes else ()
    return Rows(columns, lines, header=shown, separator=separator, notes=notes)


def _tell_misfit(
    path: Path, line: int, n_fields: int, n_names: int, separator: str, quotes: bool
) -> str:
    mark = _SEPARATORS.get(separator, "the separator")
    remedy = (
        f"a text that holds {mark} must stand in double quotes"
        if quotes
        else f"without quotes a text can hold neither {mark} nor a new line"
    )
    return f"{path}: line {line} has {n_fields} fields where the header has {n_names}; {remedy}"


def _tell_quote(path: Path, first: int, last: int, err: csv.Error) -> str:
    if "unexpected end" in str(err):
        return f"{path}: the double quote that opens in line {first} is never closed; {_REMEDY}"
    where = f"line {last}"
    if first < last:
        where += f", in a text whose double quote opens in line {first},"
    return (
        f"{path}: {where} is not quoted as CSV is ({err}); a double quote inside a quoted text is "
        "written twice, and --quoting none reads them as characters like any other"
    )


def _check_header(path: Path, header: Sequence[str], separator: str, fewest: int) -> None:
    """Say what is wrong with a first line that names no columns."""
    names = [name.strip() for name in header if name.strip()]
    if not names:
        raise DataError(f"{path} is empty")
    if len(names) == 1:
        others = [mark for mark in _SEPARATORS if mark != separator and mark in names[0]]
        if others:
            shown = "'\\t'" if others[0] == "\t" else f"'{others[0]}'"
            raise DataError(
                f"{path} has one column, '{shorten(names[0])}'; its columns seem to be separated "
                f"by {_SEPARATORS[others[0]]}: use --separator {shown}"
            )
        if fewest > 1:
            raise DataError(
                f"{path} has one column, '{shorten(names[0])}'; two are needed, texts and labels"
            )
