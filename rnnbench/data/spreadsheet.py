"""The rows of a sheet in an `.xlsx` file, read as values and within bounds."""

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnnbench.data.files import reading
from rnnbench.data.rows import Rows, as_text, name_columns
from rnnbench.errors import DataError, UsageError, unknown_name
from rnnbench.formats import FormatError, open_zip
from rnnbench.output.characters import first_line

MOST_ENTRIES = 10_000
MOST_UNPACKED_BYTES = 2**30
MOST_COLUMNS = 1000
MOST_ROWS = 1_048_576  # of a sheet, as the format has it


def read_spreadsheet(path: Path, sheet: str | None) -> Rows:
    """The rows below the first row with two names or more; formulas as they were last computed.

    Args:
        sheet: by name; None for the first.

    Raises:
        UsageError: there is no such sheet, or openpyxl is not installed.
        DataError: it is no such file, damaged, or expands to more than is allowed.
    """
    _check_archive(path)
    with _opened(path) as book:
        names = [each.title for each in book.worksheets]
        if sheet is not None and sheet not in names:
            raise UsageError(f"{path}: {unknown_name('sheet', sheet, names)}")
        if not names:
            raise DataError(f"{path} has no sheet of cells")
        chosen = sheet or names[0]
        return _read_sheet(path, book[chosen], _tell_sheet(chosen, names) if sheet is None else ())


def _check_archive(path: Path) -> None:
    """See that no entry is too large; what is read of one ends at the size that it claims."""
    with reading(path):
        try:
            with open_zip(path, MOST_ENTRIES) as file:
                n_bytes = sum(item.file_size for item in file.infolist())
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as err:
            raise FormatError(f"it is no .xlsx file, or damaged ({first_line(err)})") from err
    if n_bytes > MOST_UNPACKED_BYTES:
        raise DataError(f"{path} unpacks to {n_bytes:,} bytes, of at most {MOST_UNPACKED_BYTES:,}")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:  # Any: openpyxl is untyped
    try:
        import openpyxl
    except ImportError as err:
        raise UsageError(
            f"{path} is a spreadsheet; install what reads it (pip install 'rnnbench[excel]'), or "
            "save it as CSV in UTF-8"
        ) from err
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and rules, which no text hangs on
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        except MemoryError:
            raise
        except Exception as err:  # of many kinds, after what is wrong inside
            raise DataError(f"{path} cannot be read: {first_line(err)}") from err
        try:
            yield book
        finally:
            book.close()


def _tell_sheet(chosen: str, names: Sequence[str]) -> tuple[str, ...]:
    if len(names) == 1:
        return ()
    return (f"read the sheet '{chosen}', the first of {len(names)}; --sheet names another",)


def _read_sheet(path: Path, sheet: Any, notes: tuple[str, ...]) -> Rows:  # Any: openpyxl is untyped
    cells = enumerate(_cells(path, sheet), start=1)
    first, header = next(
        ((number, values) for number, values in cells if sum(map(_is_filled, values)) > 1), (0, [])
    )
    if not header:
        raise DataError(f"{path} has no row with two names or more; two columns are needed")
    if first > 1:
        notes += (f"names are taken from row {first}, the first with two or more",)
    names, unnamed = name_columns(path, header)
    columns: dict[str, list[str]] = {name: [] for name in names}
    lines: list[int] = []
    for number, values in cells:
        if any(map(_is_filled, values)):
            lines.append(number)
            for name, place in names.items():
                columns[name].append(values[place] if place < len(values) else "")
    return Rows(columns, lines, unit="row", notes=(*notes, *unnamed))


def _cells(path: Path, sheet: Any) -> Iterator[list[str]]:  # Any: openpyxl is untyped
    """The rows as texts; the size that a sheet claims to have is not believed."""
    sheet.reset_dimensions()
    try:
        for values in sheet.iter_rows(values_only=True, max_row=MOST_ROWS):
            if len(values) > MOST_COLUMNS:
                raise DataError(
                    f"{path} has a row of {len(values):,} cells, of at most {MOST_COLUMNS:,}"
                )
            yield [as_text(value) for value in values]
    except (MemoryError, DataError):
        raise
    except Exception as err:  # of many kinds, after what is wrong inside
        raise DataError(f"{path} cannot be read: {first_line(err)}") from err


def _is_filled(value: str) -> bool:
    return bool(value.strip())
