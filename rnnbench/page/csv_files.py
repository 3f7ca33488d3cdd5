"""Rows as CSV: a line each, a column for each field."""

import csv
import io
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args, get_type_hints

from rnnbench.output.characters import csv_text
from rnnbench.stats.intervals import Interval


def write_rows(
    row_type: type[Any],  # Any: any dataclass
    rows: Iterable[Any],
    optional: Collection[str] = (),
) -> str:
    """The rows as CSV, a column for each field.

    What is missing is empty, an interval has a column for each end.

    Args:
        optional: fields that are left out if no row has them.
    """
    rows = list(rows)
    is_interval = {
        name: Interval in (hint, *get_args(hint))
        for name, hint in get_type_hints(row_type).items()
        if name not in optional or any(getattr(row, name) is not None for row in rows)
    }
    header: list[str] = []
    for name, has_ends in is_interval.items():
        header += [f"{name}_low", f"{name}_high"] if has_ends else [name]
    return write_lines(header, (list(_cells(row, is_interval)) for row in rows))


def write_records(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> str:
    """The records as CSV; what is missing is empty."""
    return write_lines(columns, ([_known(record[name]) for name in columns] for record in records))


def write_lines(header: Sequence[str], lines: Iterable[Iterable[object]]) -> str:
    """The lines as CSV, as they are."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()


def _cells(row: object, is_interval: Mapping[str, bool]) -> Iterator[object]:
    for name, has_ends in is_interval.items():
        value = getattr(row, name)
        if not has_ends:
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
