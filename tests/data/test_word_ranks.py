"""Ranks of words, from the training part alone."""

from __future__ import annotations

import numpy as np

from rnnbench.data.ranks import encode_texts, rank_words
from rnnbench.data.words import cut_words


def test_ranks_come_from_the_training_texts_and_the_commonest_word_first() -> None:
    labels = np.zeros(3, dtype=np.int8)
    known, texts = encode_texts(["b a a", "a c", "c c c d"], labels, cut_words)
    words, ranked = rank_words(known, texts, np.array([True, True, False]))
    assert words == ("a", "b", "c")
    assert ranked.tokens.tolist() == [5, 4, 4, 4, 6, 6, 6, 6, 2]


def test_texts_without_any_word_have_no_tokens() -> None:
    known, texts = encode_texts(["...", "!"], np.zeros(2, dtype=np.int8), cut_words)
    words, ranked = rank_words(known, texts, np.array([True, True]))
    assert words == ()
    assert ranked.tokens.tolist() == []
    assert ranked.offsets.tolist() == [0, 0, 0]
