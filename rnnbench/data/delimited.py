"""CSV and TSV: fields between separators, which may stand in double quotes."""

import csv
import io
import sys
from collections import Counter
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rnnbench.data.rows import Rows, clean_name, normalise_label, shorten
from rnnbench.errors import DataError, UsageError

_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_REMEDY = "close it, or use --no-quotes if double quotes are characters like any other here"


class _LineError(Exception):
    """The row that starts in `line` cannot be read so."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read_delimited(path: Path, text: str, separator: str, *, quotes: bool | None) -> Rows:
    """The rows of a file's text, without the columns that have no name.

    Args:
        path: for messages.
        quotes: whether a field may stand in double quotes; None decides it for a file with tabs,
            whose writers rarely mean them so.

    Raises:
        UsageError: a separator that cannot be.
        DataError: a line that does not fit the header, or a quote without its other half.
    """
    try:
        if quotes is None and separator == "\t":
            return _read_tabs(path, text)
        return _read(path, text, separator, quotes=quotes is not False)
    except _LineError as err:
        raise DataError(str(err)) from err


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


def _read_tabs(path: Path, text: str) -> Rows:
    """Without quotes where they would join lines each of which fits the header by itself."""
    problem: _LineError | None = None
    try:
        rows = _read(path, text, "\t", quotes=True)
        joined = [row for row in range(len(rows.lines)) if _spans_lines(rows, row)]
        if not joined:
            return rows
        line = rows.lines[joined[0]]
    except _LineError as err:
        problem, line = err, err.line
    if '"' not in text.partition("\n")[0]:  # where the header has them, all fields do
        with suppress(_LineError):
            plain = _read(path, text, "\t", quotes=False)
            note = (
                "read with double quotes as characters like any other, because the one in line "
                f"{line} would join it with lines below it; --quotes reads them as CSV does"
            )
            return replace(plain, notes=(note, *plain.notes))
    if problem is not None:
        raise problem
    note = (
        f"texts in double quotes run over several lines ({rows.name_rows(joined)}); if each line "
        "is a row, use --no-quotes"
    )
    return replace(rows, notes=(note, *rows.notes))


def _spans_lines(rows: Rows, row: int) -> bool:
    return any("\n" in values[row] for values in rows.columns.values())


def _read(path: Path, text: str, separator: str, *, quotes: bool) -> Rows:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a text may be as long as it is
    try:
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=separator,
            quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
            strict=True,
        )
    except (TypeError, ValueError) as err:
        raise UsageError(f"--separator takes one character, got '{separator}'") from err
    first = 1  # line of the row that is being read
    lines: list[int] = []
    try:
        header = [clean_name(name) for name in next(filter(any, reader), [])]
        _check_header(path, header, separator)
        named = [place for place, name in enumerate(header) if name]
        columns: list[list[str]] = [[] for _ in named]
        first = reader.line_num + 1
        for row in reader:
            line, first = first, reader.line_num + 1
            if not any(field.strip() for field in row):
                continue
            if any(row[len(header) :]) or len(row) <= named[-1]:
                raise _LineError(
                    _tell_misfit(path, line, len(row), len(header), separator, quotes), line
                )
            lines.append(line)
            for values, place in zip(columns, named, strict=True):
                values.append(row[place])
    except csv.Error as err:
        raise _LineError(_tell_quote(path, first, reader.line_num, err), first) from err
    n_unnamed = len(header) - len(named)
    unnamed = f"left out, because they have no name: {n_unnamed} of {len(header)} columns"
    return Rows(
        dict(zip((header[place] for place in named), columns, strict=True)),
        lines,
        header=tuple(header) if quotes else (),
        separator=separator,
        notes=(unnamed,) if n_unnamed else (),
    )


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
        "written twice, and --no-quotes reads them as characters like any other"
    )


def _check_header(path: Path, header: Sequence[str], separator: str) -> None:
    """Say what is wrong with a first line that names no columns."""
    names = [name for name in header if name]
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
        raise DataError(
            f"{path} has one column, '{shorten(names[0])}'; two are needed, texts and labels"
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{path}: two columns are called '{shorten(twice[0])}'; rename one")
