"""How large a count of a run may be, and the checks of such values."""

from __future__ import annotations

from rnnbench.errors import StudyError, unknown_name

MOST: dict[str, int] = {
    "depth": 100,
    "units": 10_000,
    "embedding_size": 10_000,
    "num_words": 10_000_000,
    "max_len": 10_000,
    "batch_size": 100_000,
    "epochs": 10_000,
    "patience": 10_000,
    "n_classes": 128,
    "seed": 2**32 - 1,
    "split_seed": 2**32 - 1,
}
"""The largest value of each count: far beyond any use, and what a file of others may ask for."""
MOST_RUNS = 20_000  # of a study, and in an archive
MOST_OF_A_NAME = 255  # characters, of a data set


def check_number(name: str, value: object) -> float:
    """The value, if it is a number.

    Raises:
        StudyError: it is not, as in each of these checks.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudyError(f"{name} must be a number, got {value!r}")
    return float(value)


def check_fraction(name: str, value: object) -> float:
    """The value, if it is at least 0 and below 1."""
    found = check_number(name, value)
    if not 0 <= found < 1:
        raise StudyError(f"{name} must be at least 0 and below 1, got {value}")
    return found


def check_count(name: str, value: object, least: int = 1) -> None:
    """See that the value is a whole number from `least` to the most of that name."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST[name]:
        raise StudyError(
            f"{name} must be a whole number from {least} to {MOST[name]:,}, got {value!r}"
        )


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """See that the value is one of the choices."""
    if value not in choices:
        raise StudyError(unknown_name(name, str(value), choices))
