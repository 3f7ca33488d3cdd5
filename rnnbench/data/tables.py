"""Labelled texts from files of the user's: tables of several formats, and folders of texts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from rnnbench.data.columns import LABEL, SPLIT, TEXT, Columns, find_columns, read_parts, tell_split
from rnnbench.data.corpus import PARTS, TOKENS, PartName
from rnnbench.data.delimited import QUOTINGS, Quoting, find_swallowed, read_delimited
from rnnbench.data.encodings import decode
from rnnbench.data.folders import read_folder
from rnnbench.data.html_text import has_html, strip_html
from rnnbench.data.inputs import JSON_LINES, kind_of, read_content, refuse_unused
from rnnbench.data.labels import (
    check_labels,
    find_small,
    is_missing,
    keep_spellings,
    merge_spellings,
    tell_small,
)
from rnnbench.data.parquet import read_parquet
from rnnbench.data.rows import Rows, as_text, clean_name
from rnnbench.data.spreadsheet import read_spreadsheet
from rnnbench.errors import DataError, UsageError, unknown_name
from rnnbench.formats import FormatError, parse_json
from rnnbench.limits import MOST
from rnnbench.output.amounts import plural

MOST_VALUES_OF_A_ROW = 1_000_000  # commas in its texts are counted too


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnChoices:
    """What the user says of a file, and how its rows are divided where the file does not say it.

    Args:
        test, validation: files of these parts; None where the file holds all.
        text_column, label_column, split_column: None for one that is to be found.
        separator: between the columns of a CSV file; None to find it out.
        encoding: of a text file, as Python names it; None to find it out.
        quoting: whether double quotes hold a field of a CSV or TSV file together.
        sheet: of a spreadsheet, by name; None for the first.
        strip_html: take tags and entities out of the texts.
        keep_labels: labels that are alike but for case, spaces or number format stay apart.
        drop_unlabelled: leave out rows without a label, which are refused otherwise.
        drop_small_classes: leave out classes too small to be in every part, refused otherwise.
        test_fraction: of all rows; None for a fifth.
        validation_fraction: of the rest.
        split_seed: `random_state` of both splits, which are stratified by class; None for 42.
        drop_duplicates: leave out a validation or test row whose text is in an earlier part.
        tokens: what texts are cut into; `auto` goes by the script of the training texts.

    Raises:
        UsageError: a value that cannot be, or that another rules out.
    """

    test: str | None = None
    validation: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None
    separator: str | None = None
    encoding: str | None = None
    quoting: Quoting = "auto"
    sheet: str | None = None
    strip_html: bool = False
    keep_labels: bool = False
    drop_unlabelled: bool = False
    drop_small_classes: bool = False
    test_fraction: float | None = None
    validation_fraction: float = 0.2
    split_seed: int | None = None
    drop_duplicates: bool = False
    tokens: str = "auto"

    def __post_init__(self) -> None:
        if self.test_fraction is not None and not 0 < self.test_fraction < 1:
            raise UsageError(f"test_fraction must lie between 0 and 1, got {self.test_fraction}")
        if self.split_seed is not None and not 0 <= self.split_seed <= MOST["split_seed"]:
            raise UsageError(
                f"split_seed must be from 0 to {MOST['split_seed']:,}, got {self.split_seed}"
            )
        if self.tokens not in ("auto", *TOKENS):
            raise UsageError(unknown_name("kind of tokens", self.tokens, ("auto", *TOKENS)))
        if self.quoting not in QUOTINGS:
            raise UsageError(unknown_name("quoting", self.quoting, QUOTINGS))
        if self.validation is not None and self.test is None:
            raise UsageError("a file to validate on needs one to test on: use --test FILE too")
        if self.test is not None and self.split_column is not None:
            raise UsageError(
                "files say which part a row belongs to, or a column does: leave --test or "
                "--split-column out"
            )
        if self.test is not None:
            self.check_parts("the files say", has_validation=self.validation is not None)

    @property
    def given(self) -> list[str]:
        """The names of what is not as usual."""
        return [item.name for item in fields(self) if getattr(self, item.name) != item.default]

    def check_parts(self, by: str, *, has_validation: bool) -> None:
        """See that nothing asks for a draw where the parts are there.

        Args:
            by: `the files say`, or what else says which part a row belongs to.

        Raises:
            UsageError: something does.
        """
        if self.test_fraction is not None:
            raise UsageError(
                f"{by} which rows test, so that none are drawn: leave --test-fraction out"
            )
        if has_validation and self.split_seed is not None:
            raise UsageError(
                f"{by} which part each row belongs to, so that none is drawn: leave "
                "--split-seed out"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows with a text and a label each.

    Args:
        parts: where the user says it, the part that each row belongs to.
        column: in which the labels are; empty where files call it differently.
        split: in which the parts are; empty where there is none.
        notes: what was inferred or left out, in sentences.
    """

    texts: list[str]
    labels: list[str]
    parts: list[PartName] | None = None
    column: str = ""
    split: str = ""
    notes: tuple[str, ...] = ()


def read_table(path: Path, choices: OwnChoices, *, for_training: bool = True) -> Table:
    """The rows of a file, or of the files of all parts, each with a label.

    Args:
        path: a folder, or a plain file of at most `MOST_FILE_BYTES`.
        for_training: whether there must be enough of each class to train and test on.

    Raises:
        UsageError: a column or an encoding that there is not.
        DataError: a file that cannot be read, or from which nothing can be learnt.
    """
    named = (path, choices.validation, choices.test) if for_training else (path,)
    files = [(part, Path(file)) for part, file in zip(PARTS, named, strict=False) if file]
    _refuse_twice([file for _, file in files])
    refuse_unused(choices.given, [file for _, file in files])
    if len(files) == 1:
        table = _read_file(path, choices, with_parts=for_training)
        if table.parts is not None:
            by = "the folders say" if path.is_dir() else f"the column '{table.split}' says"
            choices.check_parts(by, has_validation="validation" in table.parts)
    else:
        table = _join([(part, file, _read_file(file, choices)) for part, file in files])
    merge = keep_spellings if choices.keep_labels else merge_spellings
    labels, merges = merge(table.labels)
    table = replace(table, labels=labels, notes=(*table.notes, *merges))
    if for_training and choices.drop_small_classes:
        table = _drop_small(table)
    if for_training:
        check_labels(" and ".join(str(file) for _, file in files), table.column, table.labels)
    return table


def read_columns(path: Path, choices: OwnChoices, *, has_labels: bool = True) -> Rows:
    """What a file or folder holds, whatever its columns are.

    Args:
        has_labels: see `read_delimited`.

    Raises:
        UsageError, DataError: see `read_table`.
    """
    if path.is_dir():
        return read_folder(path, choices.encoding)
    kind = kind_of(path)
    if kind == ".parquet":
        named = (choices.text_column, choices.label_column, choices.split_column)
        return read_parquet(path, named)
    if kind == ".xlsx":
        return read_spreadsheet(path, choices.sheet)
    (text,), notes = decode({str(path): read_content(path)}, choices.encoding)
    if kind in JSON_LINES:
        rows = _read_json_lines(path, text)
    else:
        usual = "\t" if kind == ".tsv" else ","
        how = choices.separator, choices.quoting
        rows = read_delimited(path, text, usual, *how, has_labels=has_labels)
    return replace(rows, notes=(*notes, *rows.notes))


def _refuse_twice(files: Sequence[Path]) -> None:
    """See that no file is two parts."""
    twice = [file for file, count in Counter(file.resolve() for file in files).items() if count > 1]
    if twice:
        raise UsageError(f"{twice[0].name} is named for two parts; a part needs a file of its own")


def _join(read: Sequence[tuple[PartName, Path, Table]]) -> Table:
    """The rows of several files, each of which is a part; what is noted of all is said once."""
    of_all = [note for note in read[0][2].notes if all(note in table.notes for *_, table in read)]
    of_one = [
        f"{file.name}: {note}"
        for _, file, table in read
        for note in table.notes
        if note not in of_all
    ]
    columns = {table.column for *_, table in read}
    return Table(
        texts=[text for _, _, table in read for text in table.texts],
        labels=[label for _, _, table in read for label in table.labels],
        parts=[part for part, _, table in read for _ in table.texts],
        column=columns.pop() if len(columns) == 1 else "",
        notes=(*of_all, *of_one),
    )


def _read_file(path: Path, choices: OwnChoices, *, with_parts: bool = False) -> Table:
    """A file's rows with labels as they are typed, and with the parts that it says if asked for."""
    rows = read_columns(path, choices)
    if not rows.lines:
        raise DataError(f"{path} has no rows")
    found = _find_columns(path, rows, choices, with_parts=with_parts)
    texts, labels = rows.columns[found.text], rows.columns[found.label]
    stripped: tuple[str, ...] = ()
    if choices.strip_html:
        if n_html := sum(map(has_html, texts)):
            stripped = (f"tags and entities of HTML are taken out of {plural(n_html, 'text')}",)
        texts = [strip_html(text) for text in texts]
    kept, left_out = _choose_rows(path, rows, texts, found, choices)
    parts = read_parts(str(path), rows, found.split) if found.split and with_parts else None
    swallowed = find_swallowed(rows, found.label, {labels[row] for row in kept})
    passed_over = () if with_parts or path.is_dir() else tell_split(rows, (found.text, found.label))
    return Table(
        texts=[texts[row] for row in kept],
        labels=[labels[row] for row in kept],
        parts=None if parts is None else [parts[row] for row in kept],
        column=found.label,
        split=found.split or "",
        notes=(
            *rows.notes,
            *found.notes,
            *passed_over,
            *stripped,
            *left_out,
            *(_tell_swallowed(rows.name_rows(swallowed)) if swallowed else ()),
        ),
    )


def _find_columns(path: Path, rows: Rows, choices: OwnChoices, *, with_parts: bool) -> Columns:
    if not path.is_dir():
        return find_columns(
            str(path),
            rows,
            text=choices.text_column,
            label=choices.label_column,
            split=choices.split_column,
            with_parts=with_parts,
        )
    split = SPLIT if SPLIT in rows.columns else None
    if split and choices.test is not None:
        raise UsageError(f"{path} has folders for the parts itself; leave --test out")
    return Columns(text=TEXT, label=LABEL, split=split, notes=())


def _choose_rows(
    path: Path, rows: Rows, texts: Sequence[str], found: Columns, choices: OwnChoices
) -> tuple[list[int], tuple[str, ...]]:
    """The rows with a text and a label, and what should be said of the others."""
    labels = rows.columns[found.label]
    missing_label = {label for label in set(labels) if is_missing(label)}
    empty = [row for row, text in enumerate(texts) if not text or text.isspace()]
    left_out = set(empty)
    missing = [
        row for row, label in enumerate(labels) if label in missing_label and row not in left_out
    ]
    if missing and not choices.drop_unlabelled:
        raise DataError(_tell_missing(path, rows, found.label, missing, labels[missing[0]].strip()))
    left_out.update(missing)
    kept = [row for row in range(len(texts)) if row not in left_out]
    if not kept:
        raise DataError(f"{path}: every text is empty, or without a label")
    reasons = {"the text is empty": empty, "the label is missing": missing}
    return kept, tuple(
        f"left out, because {why}: {plural(len(out), 'row')}, {rows.name_rows(out)}"
        for why, out in reasons.items()
        if out
    )


def _drop_small(table: Table) -> Table:
    small = find_small(table.labels)
    if not small:
        return table
    kept = [row for row, label in enumerate(table.labels) if label not in small]
    if not kept:
        raise DataError(f"every class is too small: {tell_small(small)}")
    return replace(
        table,
        texts=[table.texts[row] for row in kept],
        labels=[table.labels[row] for row in kept],
        parts=None if table.parts is None else [table.parts[row] for row in kept],
        notes=(*table.notes, tell_small(small)),
    )


def _tell_missing(path: Path, rows: Rows, column: str, missing: Sequence[int], first: str) -> str:
    where = rows.name_rows(missing)
    if not first:
        return (
            f"{path}: the column '{column}' is empty in {where}; give these rows a label, or "
            "leave them out with --drop-unlabelled"
        )
    return (
        f"{path}: does '{first}' in the column '{column}' ({where}) mean that there is no label? "
        "Then --drop-unlabelled leaves such rows out; if it is a class, give it another name"
    )


def _tell_swallowed(where: str) -> tuple[str]:
    return (
        f"a field in double quotes holds lines that look like rows of their own ({where}); if "
        "they are, close the quote, or use --quoting none",
    )


def _read_json_lines(path: Path, text: str) -> Rows:
    columns: dict[str, list[str]] = {}
    lines: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line.encode(), most_values=MOST_VALUES_OF_A_ROW, allow_nan=True)
        except FormatError as err:
            raise DataError(f"{path}: line {number} cannot be read: {err}") from err
        if not isinstance(row, dict):
            raise DataError(
                f'{path}: line {number} is not an object like {{"text": …, "label": …}}'
            )
        named = {clean_name(name): value for name, value in row.items()}
        if len(named) < len(row):
            raise DataError(f"{path}: line {number} has a name twice, but for spaces; rename one")
        for name, value in named.items():
            values = columns.setdefault(name, [])
            values += [""] * (len(lines) - len(values))
            values.append(as_text(value))
        lines.append(number)
    for values in columns.values():
        values += [""] * (len(lines) - len(values))
    return Rows(columns, lines)
