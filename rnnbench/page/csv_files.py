"""Rows as CSV: a line each, a column for each field."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from rnnbench.output.characters import csv_text

__all__ = ["write_lines", "write_records", "write_rows"]


def write_records(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> str:
    """The records as CSV; what is missing is empty."""
    return write_lines(columns, ([_known(record[name]) for name in columns] for record in records))


def write_rows(row_type: type[Any], rows: Iterable[Any]) -> str:  # any: any dataclass
    """The rows as CSV; what is missing is empty, an interval has a column for each end."""
    named = {field.name: "Interval" in str(field.type) for field in fields(row_type)}
    header = [
        column
        for name, is_interval in named.items()
        for column in ([f"{name}_low", f"{name}_high"] if is_interval else [name])
    ]
    return write_lines(header, (_cells(row, named) for row in rows))


def write_lines(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """The lines as CSV, as they are."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()


def _cells(row: object, named: dict[str, bool]) -> list[object]:
    return [
        cell for name, is_interval in named.items() for cell in _of_field(row, name, is_interval)
    ]


def _of_field(row: object, name: str, is_interval: bool) -> Iterator[object]:
    value = getattr(row, name)
    if not is_interval:
        yield _known(value)
    elif value is None:
        yield from ("", "")
    else:
        yield from (_known(value.low), _known(value.high))


def _known(value: object) -> object:
    """A cell's value; None and NaN are empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return csv_text(value)
