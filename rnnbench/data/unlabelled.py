"""Texts without labels: the rows of a file as they are, or a plain text a line."""

from dataclasses import dataclass
from pathlib import Path

from rnnbench.data.columns import TEXT, find_text
from rnnbench.data.encodings import decode
from rnnbench.data.inputs import JSON_LINES, LINES, kind_of, read_content, refuse_unused
from rnnbench.data.rows import Rows
from rnnbench.data.tables import OwnChoices, read_columns
from rnnbench.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRows:
    """Rows of which a column holds texts.

    Args:
        columns: by name, as texts; empty where a row has nothing.
        text: the name of the column.
        objects: of a file of JSON, each row as it stands there; else none.
        notes: what was inferred or left out, in sentences.
    """

    columns: dict[str, list[str]]
    text: str
    objects: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def texts(self) -> list[str]:
        """A text a row; it may be empty."""
        return self.columns[self.text]


def read_texts(path: Path, choices: OwnChoices) -> TextRows:
    """Every row of a file in its order, whether it has a text or not.

    Raises:
        UsageError: a column or an encoding that there is not, or an option that says nothing of it.
        DataError: a file that cannot be read, or has no rows.
    """
    if path.suffix.lower() == LINES:
        refuse_unused([name for name in choices.given if name != "encoding"], [path])
        rows = _read_lines(path, choices.encoding)
    else:
        refuse_unused(choices.given, [path])
        rows = read_columns(path, choices, has_labels=False)
    if not rows.lines:
        raise DataError(f"{path} has no rows")
    if path.suffix.lower() == LINES:
        return TextRows(columns=rows.columns, text=TEXT, notes=rows.notes)
    text, notes = find_text(str(path), rows, choices.text_column)
    return TextRows(
        columns=rows.columns,
        text=text,
        objects=_read_objects(path, rows, choices.encoding),
        notes=(*rows.notes, *notes),
    )


def _read_objects(path: Path, rows: Rows, encoding: str | None) -> tuple[str, ...]:
    if kind_of(path) not in JSON_LINES:
        return ()
    (text,), _ = decode({str(path): read_content(path)}, encoding)
    lines = text.split("\n")
    return tuple(lines[int(number) - 1] for number in rows.lines)


def _read_lines(path: Path, encoding: str | None) -> Rows:
    (text,), notes = decode({str(path): read_content(path)}, encoding)
    lines = text.splitlines() if "\r" in text else text.removesuffix("\n").split("\n")
    lines = lines if text else []
    return Rows({TEXT: lines}, range(1, len(lines) + 1), notes=notes)
