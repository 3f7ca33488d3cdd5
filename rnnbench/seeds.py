"""Seeds as users write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rnnbench.errors import StudyError
from rnnbench.limits import MOST_RUNS


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
