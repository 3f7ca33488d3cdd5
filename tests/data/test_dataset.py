"""What a network sees: cut, padded and split as Keras and scikit-learn do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnbench.data.cache import split_indices
from rnnbench.data.corpus import UNKNOWN, Corpus, Half
from rnnbench.data.dataset import chance_loss, cut_and_pad, load_part
from rnnbench.errors import DataError
from rnnbench.specs import RunSpec

MakeSpec = Callable[..., RunSpec]


def half_of(*reviews: list[int]) -> Half:
    lengths = [len(review) for review in reviews]
    return Half(
        tokens=np.concatenate(reviews).astype(np.int32),
        offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        labels=np.zeros(len(reviews), np.int8),
    )


def keras_pads(keras: Any, half: Half, rows: np.ndarray, num_words: int, max_len: int) -> Any:
    """As `load_data(num_words=…)` and `pad_sequences(maxlen=…)` of the notes."""
    reviews = [half.tokens[half.offsets[row] : half.offsets[row + 1]] for row in rows]
    rare = [[UNKNOWN if word >= num_words else int(word) for word in r] for r in reviews]
    return keras.utils.pad_sequences(rare, maxlen=max_len)


@pytest.mark.parametrize("max_len", [1, 5, 20, 100])
@pytest.mark.parametrize("num_words", [4, 30, 1000])
def test_reviews_are_cut_and_padded_as_keras_does(
    keras_on_jax: Any, small_corpus: Corpus, num_words: int, max_len: int
) -> None:
    rows = np.random.default_rng(1).permutation(64)
    found = cut_and_pad(small_corpus.train, rows, num_words=num_words, max_len=max_len)
    assert found.dtype == np.int32
    expected = keras_pads(keras_on_jax, small_corpus.train, rows, num_words, max_len)
    np.testing.assert_array_equal(found, expected)


def test_the_real_reviews_are_cut_and_padded_as_keras_does(
    keras_on_jax: Any, real_reviews: Corpus
) -> None:
    half = real_reviews.test
    rows = np.arange(0, half.n_reviews, 50)
    found = cut_and_pad(half, rows, num_words=500, max_len=100)
    np.testing.assert_array_equal(found, keras_pads(keras_on_jax, half, rows, 500, 100))


def test_a_long_review_loses_its_beginning_and_a_short_one_is_padded_in_front() -> None:
    half = half_of([1, 4, 5, 6, 7], [1, 9])
    found = cut_and_pad(half, np.array([0, 1]), num_words=9, max_len=3)
    assert found.tolist() == [[5, 6, 7], [0, 1, UNKNOWN]]


def test_an_empty_review_is_all_padding() -> None:
    half = half_of([], [1, 4], [])
    found = cut_and_pad(half, np.array([0, 2]), num_words=9, max_len=2)
    assert found.tolist() == [[0, 0], [0, 0]]


def test_more_tokens_than_memory_can_hold_are_refused_before_they_are_cut() -> None:
    with pytest.raises(DataError, match="100,000 texts of max_len 10,000 are 1,000,000,000 tokens"):
        cut_and_pad(half_of([1]), np.zeros(100_000, np.int64), num_words=9, max_len=10_000)


def test_no_rows_make_no_reviews() -> None:
    found = cut_and_pad(half_of([1, 4]), np.array([], np.int64), num_words=9, max_len=2)
    assert found.shape == (0, 2)


def test_train_and_validation_are_the_training_half_split_as_scikit_learn_does(
    make_spec: MakeSpec, small_corpus: Corpus
) -> None:
    from sklearn.model_selection import train_test_split

    data = make_spec().data
    half = small_corpus.train
    whole = cut_and_pad(half, np.arange(64), num_words=60, max_len=10)
    train, validation, y_train, y_validation = train_test_split(
        whole, half.labels, test_size=0.2, random_state=42
    )
    for name, tokens, labels in (
        ("train", train, y_train),
        ("validation", validation, y_validation),
    ):
        part = load_part(data, name)
        np.testing.assert_array_equal(part.tokens, tokens)
        np.testing.assert_array_equal(part.labels, labels)
        assert part.labels.dtype == np.float32


def test_another_split_seed_is_another_split(make_spec: MakeSpec) -> None:
    first, second = (
        split_indices(make_spec().data.fingerprint, random_state=seed) for seed in (42, 43)
    )
    assert sorted(first.validation) != sorted(second.validation)


def test_the_test_part_is_the_test_half_in_its_order(
    make_spec: MakeSpec, small_corpus: Corpus
) -> None:
    part = load_part(make_spec().data, "test")
    np.testing.assert_array_equal(part.labels, small_corpus.test.labels)
    assert part.tokens.shape == (64, 10)


def test_reviews_that_are_not_in_the_cache_are_told(make_spec: MakeSpec) -> None:
    with pytest.raises(DataError, match="run 'rnnbench data fetch'"):
        load_part(replace(make_spec().data, fingerprint="0" * 64), "train")


def test_chance_is_the_entropy_of_the_validation_labels(
    small_corpus: Corpus, make_spec: MakeSpec
) -> None:
    data = make_spec().data
    labels = load_part(data, "validation").labels
    share = labels.mean()
    expected = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert chance_loss(data) == pytest.approx(expected)
    assert chance_loss(data) <= np.log(2)
