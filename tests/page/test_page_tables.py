"""A table stated once: how much of it a page shows, and how it looks on a terminal and as CSV."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from rnnbench.page.consoles import PlainConsole
from rnnbench.page.csv_files import write_rows
from rnnbench.page.tables import Column, Table, rich_table
from rnnbench.stats.intervals import Interval


@dataclass(frozen=True)
class Row:
    name: str
    mean: float | None
    interval: Interval | None = None


COLUMNS: list[Column[Row]] = [
    Column("arm", lambda row: row.name, is_number=False),
    Column("mean\n%", lambda row: f"{row.mean}"),
]


def printed(*rows: Row, width: int = 60) -> list[str]:
    file = io.StringIO()
    PlainConsole(file=file, width=width).print(rich_table("Arms", COLUMNS, rows))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_page_shows_500_rows_in_all_and_counts_the_others() -> None:
    many = [Row("lstm", 0.8)] * 400
    table = Table("Arms", "arms", COLUMNS, [("a", many), ("", []), ("b", many)])
    assert [(heading, len(rows)) for heading, rows in table.shown] == [("a", 400), ("b", 100)]
    assert table.n_left_out == 300
    assert table.write(many[0]) == ["lstm", "0.8"]


def test_numbers_are_to_the_right_of_a_terminals_columns() -> None:
    lines = [line for line in printed(Row("lstm", 0.5), Row("gru", 10.25)) if line]
    assert lines == [
        "Arms",
        "         mean",
        " arm        %",
        " ────────────",
        " lstm     0.5",
        " gru    10.25",
    ]


def test_an_interval_has_a_column_for_each_end_and_what_is_missing_is_empty() -> None:
    rows = [Row("a", 0.5, Interval(0.25, 0.75)), Row("b", math.nan), Row("=c", None)]
    assert write_rows(Row, rows).splitlines() == [
        "name,mean,interval_low,interval_high",
        "a,0.5,0.25,0.75",
        "b,,,",
        "'=c,,,",
    ]
