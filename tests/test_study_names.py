"""What a study is called on a file of the user's, and what it may be called."""

from __future__ import annotations

import unicodedata

import pytest

from rnnbench.errors import StudyError
from rnnbench.study_names import check_study_name, name_after_file

STEMS = [
    *("영화", "음식", "reviews", "my reviews", "my-reviews", "my_reviews", "my?reviews"),
    *("हिन्दी", "😍", "😡", "...", "a" * 80, "a" * 81, "가" * 80, "𠀀" * 80, "x-custom", "x"),
    "not\udc80utf-8",
]


def test_a_file_keeps_its_letters_in_the_studys_name() -> None:
    assert name_after_file("textbook", "영화") == "textbook-영화"
    assert name_after_file("textbook", "हिन्दी") == "textbook-हिन्दी"
    assert name_after_file("textbook", "my reviews").startswith("textbook-my-reviews-")


def test_two_files_never_make_one_study_and_every_name_can_be_a_folder() -> None:
    names = [name_after_file("textbook", stem) for stem in STEMS]
    names += [f"{name}-custom" for name in names]
    assert len(set(names)) == 2 * len(STEMS)
    for name in names:
        assert check_study_name(name) == name
        assert len(name.encode()) <= 200
    assert name_after_file("s" * 64, "one") != name_after_file("s" * 64, "two")


def test_a_name_is_one_however_its_letters_are_stored() -> None:
    stored = unicodedata.normalize("NFD", "영화-é")
    assert name_after_file("textbook", stored) == "textbook-영화-é"
    assert check_study_name(stored) == "영화-é"


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden", "-x", "a" * 65, "가" * 67, "a/b"])
def test_a_name_that_could_not_be_a_folder_is_refused(name: str) -> None:
    with pytest.raises(StudyError, match="a study's name takes letters of any script"):
        check_study_name(name)
