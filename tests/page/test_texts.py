"""Numbers as people read them."""

from __future__ import annotations

import pytest

from rnnbench.page.texts import duration, mean_with_sd
from rnnbench.stats.intervals import mean_sd


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (380, "6 min 20 s"),
        (3599.9, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [([], "–"), ([0.8], "0.8000"), ([0.8, 0.9], "0.8500 ± 0.0707")],
    ids=["none", "one", "two"],
)
def test_a_mean_has_a_spread_where_there_are_two(values: list[float], text: str) -> None:
    assert mean_with_sd(mean_sd(values), 4) == text
