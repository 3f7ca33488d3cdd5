"""Labelled texts from a file of the user's: CSV, TSV, JSON lines or Parquet."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnnbench.data.corpus import PartName
from rnnbench.data.delimited import find_swallowed, read_delimited
from rnnbench.data.parquet import read_parquet
from rnnbench.data.rows import (
    Rows,
    as_text,
    clean_name,
    decode_file,
    is_missing,
    merge_spellings,
    normalise_label,
    shorten,
)
from rnnbench.errors import DataError, UsageError, unknown_name
from rnnbench.formats import FormatError, parse_json
from rnnbench.limits import MOST

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
FEWEST_ROWS = 50
FEWEST_OF_A_CLASS = 5
MOST_CLASSES = 100
MOST_LABEL_CHARACTERS = 200
MOST_FILE_BYTES = 2**30  # of a file, of which seven times as many become resident
MOST_VALUES_OF_A_ROW = 1_000_000  # commas in its texts are counted too

_TEXT_NAMES = (
    *("text", "review", "document", "sentence", "content", "comment", "body", "message"),
    *("리뷰", "본문", "내용", "문장", "댓글"),
)
_LABEL_NAMES = (
    *("label", "sentiment", "class", "category", "target", "polarity", "y"),
    *("라벨", "레이블", "감성", "분류"),
)
_SPLIT_NAMES = ("split", "part", "subset")
_PARTS: Mapping[str, PartName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnChoices:
    """What the user says of a file, and how its rows are divided where the file does not say it.

    Args:
        text_column, label_column, split_column: None for one that is to be found.
        separator: between the columns of a CSV file.
        encoding: of a CSV, TSV or JSON lines file, as Python names it.
        quotes: whether double quotes hold a field of a CSV or TSV file together.
        drop_unlabelled: leave out rows without a label, which are refused otherwise.
        test_fraction: of all rows.
        validation_fraction: of the rest.
        split_seed: `random_state` of both splits, which are stratified by class.
        drop_duplicates: leave out a validation or test row whose text is in an earlier part.

    Raises:
        UsageError: a fraction or a seed that cannot be.
    """

    text_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None
    separator: str | None = None
    encoding: str | None = None
    quotes: bool | None = None
    drop_unlabelled: bool = False
    test_fraction: float = 0.2
    validation_fraction: float = 0.2
    split_seed: int = 42
    drop_duplicates: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.test_fraction < 1:
            raise UsageError(f"test_fraction must lie between 0 and 1, got {self.test_fraction}")
        if not 0 <= self.split_seed <= MOST["split_seed"]:
            raise UsageError(
                f"split_seed must be from 0 to {MOST['split_seed']:,}, got {self.split_seed}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows with a text and a label each.

    Args:
        parts: where the file says it, the part that each row belongs to.
        notes: what was inferred or left out, in sentences.
    """

    texts: list[str]
    labels: list[str]
    parts: list[PartName] | None = None
    notes: tuple[str, ...] = ()


def read_table(path: Path, choices: OwnChoices, *, for_training: bool = True) -> Table:
    """The file's rows, each with a label.

    Args:
        path: a plain file of at most `MOST_FILE_BYTES`.
        for_training: whether there must be enough of each class to train and test on.

    Raises:
        UsageError: a column or an encoding that there is not.
        DataError: a file that cannot be read, or from which nothing can be learnt.
    """
    rows = _read_rows(path, choices)
    if not rows.lines:
        raise DataError(f"{path} has no rows")
    text, label, split, inferred = _find_columns(path, rows, choices)
    texts = rows.columns[text]
    spelled = {value: normalise_label(value) for value in set(rows.columns[label])}
    labels = [spelled[value] for value in rows.columns[label]]
    empty = {row for row, value in enumerate(texts) if not value.strip()}
    missing = [row for row, name in enumerate(labels) if row not in empty and is_missing(name)]
    if missing and not choices.drop_unlabelled:
        raise DataError(_tell_missing(path, rows, label, missing, labels[missing[0]]))
    kept = sorted(set(range(len(texts))) - empty - set(missing))
    if not kept:
        raise DataError(f"{path}: every text is empty, or without a label")
    parts = _read_parts(path, rows, split) if split is not None and for_training else None
    merged, merges = merge_spellings([labels[row] for row in kept])
    notes = []
    if swallowed := find_swallowed(rows, label, {labels[row] for row in kept}):
        notes = [
            "a field in double quotes holds lines that look like rows of their own "
            f"({rows.name_rows(swallowed)}); if they are, close the quote, or use --no-quotes"
        ]
    left_out = {"the text is empty": sorted(empty), "the label is missing": missing}
    table = Table(
        texts=[texts[row] for row in kept],
        labels=merged,
        parts=None if parts is None else [parts[row] for row in kept],
        notes=(
            *rows.notes,
            *inferred,
            *(f"left out, because {why}: {rows.name_rows(o)}" for why, o in left_out.items() if o),
            *notes,
            *merges,
        ),
    )
    if for_training:
        _check_labels(path, label, table.labels)
    return table


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


def _read_rows(path: Path, choices: OwnChoices) -> Rows:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        named = (choices.text_column, choices.label_column, choices.split_column)
        return read_parquet(path, named)
    text, notes = decode_file(path, choices.encoding)
    if suffix in (".jsonl", ".ndjson"):
        rows = _read_json_lines(path, text)
    else:
        separator = choices.separator or ("\t" if suffix == ".tsv" else ",")
        rows = read_delimited(path, text, separator, quotes=choices.quotes)
    return replace(rows, notes=(*notes, *rows.notes))


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
        for name, value in row.items():
            values = columns.setdefault(clean_name(name), [])
            values += [""] * (len(lines) - len(values))
            values.append(as_text(value))
        lines.append(number)
    for values in columns.values():
        values += [""] * (len(lines) - len(values))
    return Rows(columns, lines)


def _find_columns(
    path: Path, rows: Rows, choices: OwnChoices
) -> tuple[str, str, str | None, list[str]]:
    """The names of text, label and split column, and what was inferred."""
    names = list(rows.columns)
    for chosen in (choices.text_column, choices.label_column, choices.split_column):
        if chosen is not None and chosen not in names:
            raise UsageError(f"{path}: {unknown_name('column', chosen, names)}")
    text = choices.text_column or _by_name(names, _TEXT_NAMES, {choices.label_column})
    label = choices.label_column or _by_name(names, _LABEL_NAMES, {text})
    split = choices.split_column or _by_name(names, _SPLIT_NAMES, {text, label})
    if split is not None and choices.split_column is None and not _is_split(rows.columns[split]):
        split = None  # a column that is only called so
    rest = [name for name in names if name not in (text, label, split)]
    if text is None and label is None and len(rest) == 2:
        text, label = sorted(rest, key=lambda name: -sum(map(len, rows.columns[name])))
    elif len(rest) == 1:  # the other one of two
        text, label = text or rest[0], label or rest[0]
    if text is None or label is None or text == label:
        missing = "--text-column" if text is None else "--label-column"
        raise UsageError(
            f"{path}: it is ambiguous which column is which; say {missing}, one of "
            f"{', '.join(shorten(name) for name in names)} "
            "(if this is a row, not names, give the file a first line with names)"
        )
    if _looks_like_a_row(rows, text, label):
        raise DataError(
            f"{path}: its first line, '{shorten(text)}', '{shorten(label)}', looks like a row and "
            "not like names; give the file a first line with names, such as text,label"
        )
    inferred = [
        f"{what} '{name}'"
        for what, name, chosen in (
            ("texts in", text, choices.text_column),
            ("labels in", label, choices.label_column),
            ("parts in", split, choices.split_column),
        )
        if name is not None and chosen is None
    ]
    return text, label, split, [f"inferred: {', '.join(inferred)}"] if inferred else []


def _by_name(names: Iterable[str], usual: Sequence[str], taken: set[str | None]) -> str | None:
    """The one column with a usual name."""
    found = [name for name in names if name.casefold() in usual and name not in taken]
    return found[0] if len(found) == 1 else None


def _is_split(values: Sequence[str]) -> bool:
    """Whether a column names parts, be it with a slip that `_read_parts` will tell."""
    return any(value.strip().casefold() in _PARTS for value in values)


def _looks_like_a_row(rows: Rows, text: str, label: str) -> bool:
    """Whether the names are a row: the label's 'name' is one of its own values."""
    usual = {*_TEXT_NAMES, *_LABEL_NAMES}
    if {text.casefold(), label.casefold()} & usual:
        return False
    return label in {value.strip() for value in rows.columns[label]}


def _read_parts(path: Path, rows: Rows, column: str) -> list[PartName]:
    parts: list[PartName] = []
    for row, value in enumerate(rows.columns[column]):
        word = value.strip().casefold()
        if word not in _PARTS:
            raise DataError(
                f"{path}: {rows.name_rows([row])} belongs to the part '{shorten(value)}'; "
                "the parts are train, validation and test"
            )
        parts.append(_PARTS[word])
    return parts


def _check_labels(path: Path, column: str, labels: Sequence[str]) -> None:
    counts = Counter(labels)
    longest = max(counts, key=len)
    if len(longest) > MOST_LABEL_CHARACTERS:
        raise DataError(
            f"{path}: the column '{column}' holds a label of {len(longest):,} characters, of at "
            f"most {MOST_LABEL_CHARACTERS}; use --label-column for another"
        )
    if len(labels) < FEWEST_ROWS:
        raise DataError(
            f"{path} has {len(labels)} rows; to train, validate and test on them takes "
            f"{FEWEST_ROWS} at least"
        )
    if len(counts) == 1:
        raise DataError(
            f"{path}: every row has the label '{shorten(labels[0])}', in upper or lower case; two "
            "classes are needed"
        )
    if len(counts) > MOST_CLASSES or len(counts) * FEWEST_OF_A_CLASS > len(labels):
        raise DataError(
            f"{path}: the column '{column}' has {len(counts):,} different values in "
            f"{len(labels):,} rows, too many for classes; use --label-column for another"
        )
    rare = [name for name, count in counts.items() if count < FEWEST_OF_A_CLASS]
    if rare:
        raise DataError(
            f"{path}: the class '{shorten(rare[0])}' has {counts[rare[0]]} rows; every part needs "
            f"some, so {FEWEST_OF_A_CLASS} at least: add rows, or merge it with another class"
        )
