"""The checks of single values that a study declares."""

from collections.abc import Callable, Mapping
from typing import Any

from rnnbench.errors import StudyError, unknown_name

MOST_TUNED = 100


def refuse_unknown(kind: str, values: Mapping[str, object], known: set[str]) -> None:
    """Raises StudyError at the first key that is not known."""
    for key in values:
        if key not in known:
            raise StudyError(unknown_name(kind, key, known))


def check_text_value(key: str, value: object) -> str:
    """The value; StudyError if it is no text."""
    if not isinstance(value, str):
        raise StudyError(f"'{key}' must be text, got {value!r}")
    return value


def check_number_value(key: str, value: object) -> float:
    """The value as a float; StudyError if it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudyError(f"'{key}' must be a number, got {value!r}")
    return float(value)


def check_truth_value(key: str, value: object) -> bool:
    """The value; StudyError if it is neither true nor false."""
    if not isinstance(value, bool):
        raise StudyError(f"'{key}' must be true or false, got {value!r}")
    return value


def check_tuned(key: str, value: object) -> Mapping[str, Mapping[str, float]]:
    """By architecture, which need not be installed here, a few numbers by name."""
    if not isinstance(value, Mapping) or len(value) > MOST_TUNED:
        raise StudyError(f"'{key}' must be a table of at most {MOST_TUNED} architectures")
    for name, values in value.items():
        if not isinstance(values, Mapping) or not name.isprintable() or len(name) > 100:
            raise StudyError(f"'{key}' must hold a table of numbers for each architecture")
        for number in values.values():
            check_number_value(f"{key}.{name}", number)
    return value


DECLARED: Mapping[str, Callable[[str, object], Any]] = {  # Any: what each makes of a value
    "description": check_text_value,
    "contrast": check_text_value,
    "pairing": check_text_value,
    "metric": check_text_value,
    "margin_points": check_number_value,
    "vary_split": check_truth_value,
}
"""What a study lays down before anything is run, and how each value is checked."""
