"""How many words a network is shown where nobody says it."""

from __future__ import annotations

from rnnbench.data.own import make_corpus
from rnnbench.data.sight import choose_sight
from rnnbench.data.tables import OwnChoices, Table


def test_there_are_no_more_words_than_texts_that_train() -> None:
    words = [f"word{n}" for n in range(100)]
    texts = [" ".join(words[n % 10 :: 10]) for n in range(50)]
    corpus, _ = make_corpus("mine", Table(texts=texts, labels=["a", "b"] * 25), OwnChoices())
    assert corpus.n_training == 32
    assert choose_sight(corpus).num_words == 4 + 32


def test_a_word_that_stands_once_is_left_out() -> None:
    texts = [f"always lone{n}" for n in range(50)]
    corpus, _ = make_corpus("mine", Table(texts=texts, labels=["a", "b"] * 25), OwnChoices())
    assert choose_sight(corpus).num_words == 4 + 1
