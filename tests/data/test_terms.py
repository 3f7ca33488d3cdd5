"""What TF-IDF counts, beside scikit-learn's own count of the same texts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from rnnbench.data import terms
from rnnbench.data.corpus import Corpus, Tokens, gather
from rnnbench.data.ranks import encode_texts, rank_words
from rnnbench.data.terms import find_terms
from rnnbench.data.words import Cut, learn_cut, make_cut
from rnnbench.errors import DataError

ENGLISH = ["a plot was thin", "the plot, the plot!", "I laughed at a film", "laughed a lot", "a"]
CHINESE = ["这部电影很好", "电影不好", "iPhone很好很好", "好", "不 好 看"]


def corpus_of(texts: Sequence[str], kind: Tokens = "words", cut: Cut | None = None) -> Corpus:
    """All but the last train; the last tests, and may have words of its own."""
    labels = np.arange(len(texts), dtype=np.int8) % 2
    cut = cut or make_cut(kind)
    words, half = encode_texts(texts, labels, cut)
    rows = np.arange(len(texts))
    vocabulary, half = rank_words(words, half, rows < len(texts) - 1)
    return Corpus(
        name="mine",
        train=gather(half, rows[:-1]),
        test=gather(half, rows[-1:]),
        vocabulary=vocabulary,
        tokens=kind,
        subwords=cut.model,
    )


def count(corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Of the training and of the test texts."""
    rows = np.arange(corpus.train.n_reviews)
    found = find_terms(corpus, rows)
    return (
        found.count(corpus.train, rows).toarray(),
        found.count(corpus.test, np.arange(corpus.test.n_reviews)).toarray(),
    )


def by_sklearn(texts: Sequence[str], **choices: object) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(**choices)
    train = vectorizer.fit_transform(texts[:-1]).toarray()
    return train, vectorizer.transform(texts[-1:]).toarray()


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether it is the same but for the order of the terms."""
    return sorted(found.T.tolist()) == sorted(expected.T.tolist())


def test_words_of_a_script_with_spaces_are_those_of_scikit_learn() -> None:
    found, expected = count(corpus_of(ENGLISH)), by_sklearn(ENGLISH)
    assert same(np.vstack(found), np.vstack(expected))


@pytest.mark.parametrize(
    ("texts", "kind", "longest"),
    [(CHINESE, "words", 3), (CHINESE, "characters", 3), (ENGLISH, "characters", 5)],
    ids=["Chinese", "Chinese characters", "English characters"],
)
def test_else_runs_of_letters_without_what_stood_between_words(
    texts: list[str], kind: Tokens, longest: int
) -> None:
    joined = ["".join(make_cut("characters")(text)) for text in texts]
    expected = by_sklearn(joined, analyzer="char", ngram_range=(1, longest))
    assert same(np.vstack(count(corpus_of(texts, kind))), np.vstack(expected))


def test_of_subwords_of_a_script_with_spaces_one_or_two_pieces() -> None:
    cut = learn_cut("subwords", 20 * ENGLISH)
    corpus = corpus_of(ENGLISH, "subwords", cut)
    expected = by_sklearn(ENGLISH, analyzer=lambda text: pairs(cut(text)))
    assert same(np.vstack(count(corpus)), np.vstack(expected))


def pairs(pieces: list[str]) -> list[str]:
    return pieces + [f"{first} {second}" for first, second in itertools.pairwise(pieces)]


def test_a_text_in_many_blocks_is_counted_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = count(corpus_of(CHINESE))
    monkeypatch.setattr(terms, "_AT_ONCE", 3)
    assert [each.tolist() for each in count(corpus_of(CHINESE))] == [e.tolist() for e in whole]


def test_the_commonest_terms_count_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms, "MOST_TERMS", 2)
    train, _ = count(corpus_of(ENGLISH))
    assert sorted(train.sum(axis=0)) == [2, 3]  # laughed, plot


def test_of_many_texts_some_of_each_class_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = corpus_of(10 * ENGLISH)
    corpus.train.labels[7] = 2  # the only one, of classes that take turns
    monkeypatch.setattr(terms, "MOST_LEARNT", 110)  # of 214
    rows = np.arange(48)
    found = find_terms(corpus, rows).rows
    assert np.bincount(corpus.train.labels[found]).tolist() == [12, 12, 1]
    assert found.tolist() == find_terms(corpus, rows).rows.tolist()


def test_texts_without_words_have_no_terms() -> None:
    with pytest.raises(DataError, match="have no words to count"):
        find_terms(corpus_of(["a i", "a", "i a", "b"]), np.arange(3))
