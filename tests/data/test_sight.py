"""How many words a network is shown where nobody says it."""

from __future__ import annotations

import numpy as np

from rnnbench.data.own import make_corpus
from rnnbench.data.sight import choose_sight
from rnnbench.data.tables import OwnChoices, Table


def test_there_are_no_more_words_than_texts_that_train() -> None:
    words = [f"word{n}" for n in range(100)]
    texts = [" ".join(words[n % 10 :: 10]) for n in range(50)]
    corpus, _ = make_corpus("mine", Table(texts=texts, labels=["a", "b"] * 25), OwnChoices())
    assert corpus.n_training == 32
    assert choose_sight(corpus).num_words == 4 + 32


def test_of_subwords_there_may_be_more() -> None:
    rng = np.random.default_rng(0)
    letters = [chr(ord("一") + n) for n in range(60)]
    texts = ["".join(rng.choice(letters, size=30)) for _ in range(50)]
    table = Table(texts=texts, labels=["a", "b"] * 25)
    single, _ = make_corpus("mine", table, OwnChoices(tokens="characters"))
    assert choose_sight(single).num_words == 4 + 32
    pieces, _ = make_corpus("mine", table, OwnChoices(tokens="subwords"))
    assert choose_sight(pieces).num_words > 4 + 50


def test_a_word_that_stands_once_is_left_out() -> None:
    texts = [f"always lone{n}" for n in range(50)]
    corpus, _ = make_corpus("mine", Table(texts=texts, labels=["a", "b"] * 25), OwnChoices())
    assert choose_sight(corpus).num_words == 4 + 1
