"""Counts and sizes as people read them."""

from __future__ import annotations

import pytest

from rnnbench.output.amounts import listed, plural, size, some


def test_one_and_many() -> None:
    assert [plural(n, "seed") for n in (0, 1, 10_000)] == ["0 seeds", "1 seed", "10,000 seeds"]


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(0, "0 B"), (1024, "1 KiB"), (12.5 * 2**20, "12.5 MiB"), (2**31, "2.0 GiB")],
)
def test_sizes(n_bytes: float, text: str) -> None:
    assert size(n_bytes) == text


def test_names_are_listed_all_or_the_first() -> None:
    assert [listed(names) for names in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    assert listed("ab", "or") == "a or b"
    assert some("abcd", 3) == "a, b, c and 1 more"
