"""The words behind IMDB's ranks, from a file that may be another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnbench.data.imdb import WORDS_NAME, read_imdb_words
from rnnbench.errors import DataError


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": 1000000000000}', "a rank that is not from 1 to 1,000,000"),
        (b'{"a": 0}', "a rank that is not"),
        (b'{"a": [1]}', "is not the imdb_word_index"),
        (b"[]", "is not the imdb_word_index"),
        (b'{"a": 1e999}', "not a finite number"),
    ],
)
def test_a_list_of_words_with_other_ranks_is_refused(
    content: bytes, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / WORDS_NAME).write_bytes(content)
    monkeypatch.setenv("RNNBENCH_DATA", str(tmp_path))
    with pytest.raises(DataError, match=reason):
        read_imdb_words()
