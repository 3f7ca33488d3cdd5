"""Labels as people write them: the spellings of one class, missing ones, and too few of a class."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from rnnbench.data.rows import shorten
from rnnbench.errors import DataError
from rnnbench.output.amounts import plural, some

FEWEST_ROWS = 50
FEWEST_OF_A_CLASS = 5
MOST_CLASSES = 100
MOST_LABEL_CHARACTERS = 200
_SHORT = 40
_MOST_TOLD = 5  # classes, or spellings of one, that a sentence names

# As many digits as a float is sure of; a number that starts with 0 is a name.
_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
_DOTTED_I = "i\u0307"  # what lower case makes of Turkish `İ`
_TRUTHS = {"true": "True", "false": "False"}
_MISSING = {"nan", "<na>", "n/a", "#n/a", "null"}  # as pandas, spreadsheets and databases write it


def normalise_label(text: str) -> str:
    """One spelling of a label: `1` for `1.0` and `+1`, `True` for `true`, single spaces."""
    label = " ".join(unicodedata.normalize("NFC", text).split())
    if _NUMBER.fullmatch(label):
        label = label.removeprefix("+")
        label = label.rstrip("0").rstrip(".") if "." in label else label
        return "0" if label == "-0" else label
    return _TRUTHS.get(label.casefold(), label)


def is_missing(label: str) -> bool:
    """Whether it is empty, or what programs write where there is no label, such as `NaN`."""
    label = label.strip()
    return not label or label.casefold() in _MISSING


def label_key(label: str) -> str:
    """The same for labels that are one class: case, spaces and number format alone differ.

    Lower case, not case folding, by which `Maß` would be `Mass`. `ΚΑΛΟΣ` is `καλος`. Turkish `İ` is
    `i`, and `I` is too, as in other languages.
    """
    return normalise_label(label).lower().replace(_DOTTED_I, "i")


def merge_spellings(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Each label in the commonest spelling of its class, and what was merged, in sentences."""
    spellings: dict[str, Counter[str]] = {}
    for label, count in Counter(labels).items():
        typed = unicodedata.normalize("NFC", label)
        spellings.setdefault(label_key(label), Counter())[typed] += count
    chosen = {
        key: normalise_label(max(found, key=lambda s: (found[s], s)))
        for key, found in spellings.items()
    }
    several = [key for key, found in spellings.items() if len(found) > 1]
    notes = [
        f"one class, '{shorten(chosen[key])}', because only case, spaces or number format differ: "
        f"{_tell_counts(spellings[key])}; --keep-labels keeps them apart"
        for key in several[:_MOST_TOLD]
    ]
    if (more := len(several) - _MOST_TOLD) > 0:
        notes.append(f"{more} more classes were merged in this way")
    by_label = {label: chosen[label_key(label)] for label in set(labels)}
    return [by_label[label] for label in labels], notes


def keep_spellings(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Each label as it is typed, but in composed letters, and what might have been merged."""
    typed = {label: unicodedata.normalize("NFC", label) for label in set(labels)}
    alike = Counter(label_key(label) for label in set(typed.values()))
    n_alike = sum(count > 1 for count in alike.values())
    kept = "1 class" if n_alike == 1 else f"{n_alike} classes"
    notes = [f"kept apart: {kept} in several spellings"] if n_alike else []
    return [typed[label] for label in labels], notes


def sort_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """Each class once: numbers by size, anything else by name."""
    found = sorted(set(labels))
    are_numbers = all(_NUMBER.fullmatch(label) for label in found)
    return tuple(sorted(found, key=float if are_numbers else None))


def read_grades(classes: Sequence[str]) -> tuple[float, ...] | None:
    """The numbers that the classes are; None where they have no order.

    Three classes or more that are all numbers are grades: to take a 5 for a 4 is a smaller mistake
    than to take it for a 1.
    """
    if len(classes) < 3 or not all(_NUMBER.fullmatch(name) for name in classes):
        return None
    return tuple(map(float, classes))


def find_small(labels: Sequence[str]) -> dict[str, int]:
    """The classes that are too small to be in every part, with their rows."""
    counts = Counter(labels)
    return {name: count for name, count in counts.items() if count < FEWEST_OF_A_CLASS}


def tell_small(small: dict[str, int]) -> str:
    """A sentence about the classes that were left out."""
    of = f"{len(small):,} classes" if len(small) > 1 else "one class"
    return (
        f"left out, because a class needs {FEWEST_OF_A_CLASS} rows: "
        f"{plural(sum(small.values()), 'row')} of {of}, {_tell_counts(Counter(small))}"
    )


def check_labels(source: str, column: str, labels: Sequence[str]) -> None:
    """See that there is something to learn.

    Args:
        source: the files, for messages.
        column: in which the labels are; empty if it has no name.

    Raises:
        DataError: too few rows, one class, too many, one that is too small, or a label too long.
    """
    counts = Counter(labels)
    longest = max(counts, key=len)
    where = f"the column '{shorten(column)}'" if column else "the label column"
    if len(longest) > MOST_LABEL_CHARACTERS:
        raise DataError(
            f"{source}: {where} holds a label of {len(longest):,} characters, of at most "
            f"{MOST_LABEL_CHARACTERS}; use --label-column for another"
        )
    if len(labels) < FEWEST_ROWS:
        raise DataError(
            f"{source} has {len(labels)} rows; to train, validate and test on them takes "
            f"{FEWEST_ROWS} at least"
        )
    if len(counts) == 1:
        raise DataError(
            f"{source}: every row has the label '{shorten(labels[0])}'; two classes are needed"
        )
    if len(counts) > MOST_CLASSES or len(counts) * FEWEST_OF_A_CLASS > len(labels):
        raise DataError(
            f"{source}: {where} has {len(counts):,} different values in {len(labels):,} rows, too "
            "many for classes; use --label-column for another, or --drop-small-classes"
        )
    if small := find_small(labels):
        raise DataError(
            f"{source}: the class '{shorten(min(small))}' has {plural(small[min(small)], 'row')}; "
            f"every part needs some, so {FEWEST_OF_A_CLASS} at least: add rows, merge it with "
            "another class, or leave such classes out with --drop-small-classes"
        )


def _tell_counts(found: Counter[str]) -> str:
    """`'Pos' (30), 'pos' (15) and 2 more`."""
    told = [
        f"'{label if len(label) <= _SHORT else shorten(label)}' ({count:,})"
        for label, count in found.most_common()
    ]
    return some(told, _MOST_TOLD)
