"""How large a count of a run may be, and the checks of such values; seeds as users write them."""

import re
from collections.abc import Sequence

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


def parse_seeds(text: str | int | Sequence[int]) -> tuple[int, ...]:
    """Seeds from `3` (0, 1, 2), `5-9` (both ends included) or `1,4,7`.

    Raises:
        StudyError: anything else, a seed twice, or none.
    """
    if isinstance(text, Sequence) and not isinstance(text, str):
        seeds = tuple(text)
        if not all(isinstance(seed, int) and not isinstance(seed, bool) for seed in seeds):
            raise StudyError(f"seeds must be whole numbers, got {list(seeds)}")
    else:
        seeds = _parse_seed_text(str(text).strip())
    if not seeds or len(set(seeds)) < len(seeds):
        raise StudyError(f"seeds must be given once each, and at least one, got '{text}'")
    return seeds


def _parse_seed_text(text: str) -> tuple[int, ...]:
    if re.fullmatch(r"\d{1,15}", text):
        return _seed_range(0, int(text) - 1, text)
    if match := re.fullmatch(r"(\d{1,15})-(\d{1,15})", text):
        return _seed_range(int(match[1]), int(match[2]), text)
    if re.fullmatch(r"\d{1,15}(\s*,\s*\d{1,15})+,?|\d{1,15},", text):
        return tuple(int(part) for part in text.split(",") if part.strip())
    raise StudyError(f"seeds are a number (3), a range (0-9) or a list (1,4,7), got '{text}'")


def _seed_range(first: int, last: int, text: str) -> tuple[int, ...]:
    if last < first:
        raise StudyError(f"'{text}' holds no seed; ask for 1 or more")
    if last - first >= MOST_RUNS:
        raise StudyError(f"'{text}' holds {last - first + 1:,} seeds, of at most {MOST_RUNS:,}")
    return tuple(range(first, last + 1))
