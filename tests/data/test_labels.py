"""Which labels are one class however they are typed, and which are two words."""

from __future__ import annotations

import pytest

from rnnbench.data.labels import label_key


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("GUT", "gut"),
        ("Très  bien", "très bien"),
        ("ΚΑΛΟΣ", "καλος"),
        ("İYİ", "iyi"),
        ("MAẞ", "Maß"),
        ("1.0", "+1"),
    ],
)
def test_case_spaces_and_number_format_make_no_class(one: str, same: str) -> None:
    assert label_key(one) == label_key(same)


@pytest.mark.parametrize(
    ("one", "other"), [("Maß", "Mass"), ("ﬁt", "fit"), ("sıcak", "sicak"), ("1", "01"), ("q̇", "q")]
)
def test_two_words_are_two_classes(one: str, other: str) -> None:
    assert label_key(one) != label_key(other)
