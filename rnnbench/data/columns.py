"""Which column of a file holds the texts, which the labels, and which says the part of a row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rnnbench.data.corpus import PartName
from rnnbench.data.rows import Rows, shorten
from rnnbench.errors import DataError, UsageError, unknown_name

TEXT, LABEL, SPLIT = "text", "label", "split"
PART_NAMES: Mapping[str, PartName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
_TEXT_NAMES = (
    *(TEXT, "review", "document", "sentence", "content", "comment", "body", "message"),
    *("리뷰", "본문", "내용", "문장", "댓글"),
)
_LABEL_NAMES = (
    *(LABEL, "sentiment", "class", "category", "target", "polarity", "y"),
    *("라벨", "레이블", "감성", "분류"),
)
_SPLIT_NAMES = (SPLIT, "part", "subset")


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns that are used, and what was inferred, in sentences."""

    text: str
    label: str
    split: str | None
    notes: tuple[str, ...]


def find_columns(
    source: str,
    rows: Rows,
    *,
    text: str | None,
    label: str | None,
    split: str | None,
    with_parts: bool,
) -> Columns:
    """The columns that were named, and the others by their names where that is unambiguous.

    Args:
        source: the file, for messages.
        text, label, split: None for one that is to be found.
        with_parts: whether one that says the part of a row is looked for.

    Raises:
        UsageError: a column that there is not, or several that may be meant.
        DataError: a first line that is a row.
    """
    names = list(rows.columns)
    named = (text, label, split)
    for name in named:
        if name is not None and name not in names:
            raise UsageError(f"{source}: {unknown_name('column', name, names)}")
    text = text or _by_name(names, _TEXT_NAMES, {label})
    label = label or _by_name(names, _LABEL_NAMES, {text})
    if split is None and with_parts:
        split = _by_name(names, _SPLIT_NAMES, {text, label})
        if split is not None and not _is_split(rows.columns[split]):
            split = None  # a column that is only called so
    rest = [name for name in names if name not in (text, label, split)]
    if text is None and label is None and len(rest) == 2:
        text, label = sorted(rest, key=lambda name: -sum(map(len, rows.columns[name])))
    elif len(rest) == 1:  # the other one of two
        text, label = text or rest[0], label or rest[0]
    if text is None or label is None or text == label:
        raise UsageError(_tell_ambiguous(source, names, "label" if text else "text"))
    if _looks_like_a_row(rows, text, label):
        raise DataError(
            f"{source}: its first line, '{shorten(text)}', '{shorten(label)}', looks like a row "
            "and not like names; give the file a first line with names, such as text,label"
        )
    inferred = [
        f"{what} in '{name}'"
        for what, name, known in zip(
            ("texts", "labels", "parts"), (text, label, split), named, strict=True
        )
        if name is not None and known is None
    ]
    notes = (f"inferred: {', '.join(inferred)}",) if inferred else ()
    return Columns(text=text, label=label, split=split, notes=notes)


def find_text(source: str, rows: Rows, named: str | None) -> tuple[str, tuple[str, ...]]:
    """The column with the texts, where none has labels; and what was inferred, in sentences.

    It is the one that was named, or that is called as such columns are, or the only one that may
    not hold labels.

    Raises:
        UsageError: a column that there is not, or several that may be meant.
    """
    names = list(rows.columns)
    if named is not None and named not in names:
        raise UsageError(f"{source}: {unknown_name('column', named, names)}")
    others = [name for name in names if name.casefold() not in (*_LABEL_NAMES, *_SPLIT_NAMES)]
    found = named or _by_name(names, _TEXT_NAMES, set())
    if found is None and len(others) != 1:
        listed = ", ".join(shorten(name) for name in names)
        raise UsageError(
            f"{source}: it is ambiguous which column has the texts; say --text-column, one of "
            f"{listed}"
        )
    found = found or others[0]
    return found, () if named else (f"inferred: texts in '{shorten(found)}'",)


def read_parts(source: str, rows: Rows, column: str) -> list[PartName]:
    """The part of each row, as the column says it.

    Raises:
        DataError: another word.
    """
    parts: list[PartName] = []
    for row, value in enumerate(rows.columns[column]):
        word = value.strip().casefold()
        if word not in PART_NAMES:
            raise DataError(
                f"{source}: {rows.name_rows([row])} belongs to the part '{shorten(value)}'; "
                "the parts are train, validation and test"
            )
        parts.append(PART_NAMES[word])
    return parts


def tell_split(rows: Rows, taken: Sequence[str]) -> tuple[str, ...]:
    """A sentence where a column says parts that nobody asks for."""
    split = _by_name(list(rows.columns), _SPLIT_NAMES, {*taken})
    if split is None or not _is_split(rows.columns[split]):
        return ()
    return (f"the column '{split}' is not used: the file is one part as a whole",)


def _by_name(names: Iterable[str], usual: Sequence[str], taken: set[str | None]) -> str | None:
    """The one column with a usual name."""
    found = [name for name in names if name.casefold() in usual and name not in taken]
    return found[0] if len(found) == 1 else None


def _is_split(values: Sequence[str]) -> bool:
    """Whether a column names parts, be it with a slip that `read_parts` will tell."""
    return any(value.strip().casefold() in PART_NAMES for value in values)


def _tell_ambiguous(source: str, names: Sequence[str], missing: str) -> str:
    listed = ", ".join(shorten(name) for name in names)
    return (
        f"{source}: it is ambiguous which column is which; say --{missing}-column, one of {listed} "
        "(if this is a row, not names, give the file a first line with names)"
    )


def _looks_like_a_row(rows: Rows, text: str, label: str) -> bool:
    """Whether the names are a row: the label's 'name' is one of its own values."""
    usual = {*_TEXT_NAMES, *_LABEL_NAMES}
    if {text.casefold(), label.casefold()} & usual:
        return False
    return label in {value.strip() for value in rows.columns[label]}
