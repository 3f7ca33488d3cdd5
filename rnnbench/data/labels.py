"""How a class is spelled: one way, whatever the format of the file."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["is_missing", "label_key", "merge_spellings", "sort_classes", "spell_label"]

# As many digits as a float is sure of; a number that starts with 0 is a name.
_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
_TRUTHS = {"true": "True", "false": "False"}
_MISSING = {"nan", "<na>", "n/a", "#n/a", "null"}  # as pandas, spreadsheets and databases write it


def spell_label(text: str) -> str:
    """The one spelling of a label: `1` for `1.0` and `+1`, `True` for `true`, composed letters."""
    label = unicodedata.normalize("NFC", text.strip())
    if _NUMBER.fullmatch(label):
        label = label.removeprefix("+")
        label = label.rstrip("0").rstrip(".") if "." in label else label
        return "0" if label == "-0" else label
    return _TRUTHS.get(label.casefold(), label)


def is_missing(label: str) -> bool:
    """Whether it is empty, or what programs write where there is no label, such as `NaN`."""
    return not label or label.casefold() in _MISSING


def label_key(label: str) -> str:
    """The same for labels that are one class: they differ in upper and lower case at most."""
    return spell_label(label).casefold()


def merge_spellings(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Each label in the commonest spelling of its class, and what was merged, in sentences."""
    spellings: dict[str, Counter[str]] = {}
    for label, count in Counter(labels).items():
        spellings.setdefault(label_key(label), Counter())[label] += count
    chosen = {key: max(found, key=lambda s: (found[s], s)) for key, found in spellings.items()}
    notes = [
        f"one class, '{chosen[key]}', because only upper and lower case differ: {_list(found)}; "
        "if they are several, rename them in the file"
        for key, found in spellings.items()
        if len(found) > 1
    ]
    return [chosen[label_key(label)] for label in labels], notes


def sort_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """Each class once: numbers by size, anything else by name."""
    found = set(labels)
    if all(_NUMBER.fullmatch(label) for label in found):
        return tuple(sorted(found, key=float))
    return tuple(sorted(found))


def _list(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"'{label}' ({count:,})" for label, count in ordered)
