"""Rows of a spreadsheet: where the header stands, what cells hold, and files that are none."""

from __future__ import annotations

import datetime
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rnnbench.data import spreadsheet
from rnnbench.data.tables import OwnChoices, Table, read_table
from rnnbench.errors import DataError, UsageError

ROWS = [[f"this film was number {n}", "good" if n % 2 else "bad"] for n in range(60)]


def save(path: Path, *sheets: list[list[Any]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def read(path: Path, **choices: Any) -> Table:
    return read_table(path, OwnChoices(**choices))


def test_a_sheet_is_read_as_a_csv_file_is(tmp_path: Path) -> None:
    table = read(save(tmp_path / "r.xlsx", [["text", "label"], *ROWS]))
    assert [*map(list, zip(table.texts, table.labels, strict=True))] == ROWS
    assert table.notes == ("inferred: texts in 'text', labels in 'label'",)


def test_the_header_may_stand_below_a_title_and_empty_rows_are_passed_over(tmp_path: Path) -> None:
    rows = [["Reviews of 2024"], [], [None, "text", "label"]]
    rows += [[None, *row] for row in ROWS[:30]] + [[]] + [[None, *row] for row in ROWS[30:]]
    rows.append([None, "a film", None])
    path = save(tmp_path / "r.xlsx", rows)
    with pytest.raises(DataError, match="'label' is empty in row 65"):
        read(path)
    table = read(path, drop_unlabelled=True)
    assert len(table.texts) == 60
    assert "names are taken from row 3, the first with two or more" in table.notes


def test_cells_are_values_not_formulas(tmp_path: Path) -> None:
    day = datetime.date(2024, 5, 1)
    rows = [["text", "label"], *ROWS, [day, 1.0], ["=1+1", 1], *[["a film", 1]] * 4]
    table = read(save(tmp_path / "r.xlsx", rows))
    assert table.texts[60] == "2024-05-01 00:00:00"
    assert table.labels[60] == "1"
    assert "left out, because the text is empty: 1 row, row 63" in table.notes


def test_the_first_sheet_is_taken_unless_another_is_named(tmp_path: Path) -> None:
    other = [["text", "label"], *([f"other {n}", n % 2] for n in range(60))]
    path = save(tmp_path / "r.xlsx", [["text", "label"], *ROWS], other)
    assert read(path).notes[0] == (
        "read the sheet 'Sheet 1', the first of 2; --sheet names another"
    )
    assert read(path, sheet="Sheet 2").texts[0] == "other 0"
    with pytest.raises(UsageError, match=r"unknown sheet 'sheet2' \(did you mean 'Sheet 2'\?\)"):
        read(path, sheet="sheet2")


def test_merged_labels_are_missing_below_the_first(tmp_path: Path) -> None:
    import openpyxl

    path = save(tmp_path / "r.xlsx", [["text", "label"], *ROWS])
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("B2:B5")
    book.save(path)
    with pytest.raises(DataError, match="'label' is empty in rows 3, 4, 5"):
        read(path)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no row with two names or more"),
        ([["text"], ["a film"]], "no row with two names or more"),
        ([["text", "label"]], "has no rows"),
        ([["text", "text"], ["a", "b"]], "two columns are called 'text'"),
        ([["text", "label"], ["a"] * 1001], "a row of 1,001 cells, of at most 1,000"),
    ],
)
def test_a_sheet_without_a_table_is_refused(
    rows: list[list[Any]], words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words):
        read(save(tmp_path / "r.xlsx", rows))


def test_what_is_no_spreadsheet_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "r.xlsx", [["text", "label"], *ROWS])
    whole = path.read_bytes()
    path.write_bytes(b"text,label\n")
    with pytest.raises(DataError, match=r"it is no \.xlsx file, or damaged"):
        read(path)
    path.write_bytes(whole[:-200])
    with pytest.raises(DataError, match=r"it is no \.xlsx file, or damaged"):
        read(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
    with pytest.raises(DataError, match=r"r\.xlsx cannot be read"):
        read(path)


def test_what_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "r.xlsx", [["text", "label"], *ROWS])
    monkeypatch.setattr(spreadsheet, "MOST_UNPACKED_BYTES", 1000)
    with pytest.raises(DataError, match=r"unpacks to .* bytes, of at most 1,000"):
        read(path)


def test_without_openpyxl_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "r.xlsx", [["text", "label"], *ROWS])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(UsageError, match=r"pip install 'rnnbench\[excel\]'"):
        read(path)
