"""The made-up reviews: what they look like, and that word order matters in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rnnbench.data.corpus import Corpus, Half
from rnnbench.data.synthetic import (
    CONTRASTS,
    FLIPPED,
    MIN_REVIEWS,
    N_TEST,
    N_TRAIN,
    NEGATIVE,
    NEGATORS,
    POSITIVE,
    SCOPE,
    generate,
)
from rnnbench.errors import StudyError

ROOT = Path(__file__).parents[2]
MIN_LEAD = 0.03
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return generate(n_train=4000, n_test=1000, seed=3)


def reviews_of(half: Half) -> list[list[int]]:
    return [review.tolist() for review in np.split(half.tokens, half.offsets[1:-1])]


def judge_by_the_rule(
    review: list[int], *, knows_contrast: bool = True, knows_negation: bool = True
) -> int:
    """The score that the module's docstring describes, word by word."""
    score, last_negator = 0, -SCOPE - 1
    for place, word in enumerate(review):
        if word in CONTRASTS and knows_contrast:
            score = 0
        elif word in NEGATORS and knows_negation:
            last_negator = place
        elif word in POSITIVE or word in NEGATIVE:
            side = 1 if word in POSITIVE else -1
            score += -side if place - last_negator <= SCOPE else side
    return score


def test_same_arguments_give_the_same_corpus() -> None:
    first, again = (generate(n_train=50, n_test=40, seed=5) for _ in range(2))
    assert first.fingerprint() == again.fingerprint()


def test_another_seed_gives_another_corpus() -> None:
    fingerprints = {generate(n_train=50, n_test=40, seed=seed).fingerprint() for seed in range(3)}
    assert len(fingerprints) == 3


def test_test_half_does_not_depend_on_the_training_half() -> None:
    small, large = (generate(n_train=n_train, n_test=40) for n_train in (50, 60))
    np.testing.assert_array_equal(small.test.tokens, large.test.tokens)


def test_halves_have_the_default_sizes() -> None:
    corpus = generate()
    assert corpus.name == "synthetic"
    assert (corpus.train.n_reviews, corpus.test.n_reviews) == (N_TRAIN, N_TEST)


def test_arrays_have_the_types_of_a_half(corpus: Corpus) -> None:
    half = corpus.train
    arrays = (half.tokens, half.offsets, half.labels)
    assert [array.dtype.name for array in arrays] == ["int32", "int64", "int8"]


def test_each_review_starts_with_1_and_goes_on_with_words(corpus: Corpus) -> None:
    half = corpus.train
    is_start = np.zeros(len(half.tokens), bool)
    is_start[half.offsets[:-1]] = True
    assert (half.tokens[is_start] == 1).all()
    assert half.tokens[~is_start].min() >= 4
    assert half.tokens.max() < 20_000


def test_lengths_are_those_of_imdb() -> None:
    corpus = generate(n_train=25_000, n_test=MIN_REVIEWS)
    lengths = np.diff(corpus.train.offsets)
    assert lengths.min() >= 11
    assert lengths.max() <= 2500
    assert lengths.mean() == pytest.approx(239, abs=8)
    assert np.median(lengths) == pytest.approx(178, abs=8)


def test_both_halves_are_balanced(corpus: Corpus) -> None:
    for half in (corpus.train, corpus.test):
        assert half.labels.mean() == pytest.approx(0.5, abs=0.05)


def test_word_frequencies_follow_zipf(corpus: Corpus) -> None:
    counts = np.bincount(corpus.train.tokens, minlength=20_000)[4:]
    ranks = np.arange(4, 1000)
    slope, _ = np.polyfit(np.log(ranks), np.log(np.sort(counts)[::-1][: len(ranks)]), 1)
    assert slope == pytest.approx(-1.0, abs=0.15)
    assert np.corrcoef(np.log(ranks), np.log(counts[: len(ranks)]))[0, 1] < -0.95


def test_cut_at_500_words_hides_words_and_some_sentiment(corpus: Corpus) -> None:
    tokens = corpus.train.tokens
    sentiment = tokens[np.isin(tokens, POSITIVE + NEGATIVE)]
    assert 0.3 < (tokens >= 500).mean() < 0.5
    assert 0.05 < (sentiment >= 500).mean() < 0.25


def test_label_can_be_read_off_the_text_but_for_the_flipped(corpus: Corpus) -> None:
    scores = np.array([judge_by_the_rule(review) for review in reviews_of(corpus.test)])
    clear = scores != 0
    right = (scores > 0)[clear] == corpus.test.labels[clear]
    assert clear.mean() > 0.9
    assert right.mean() == pytest.approx(1 - FLIPPED, abs=0.025)


@pytest.mark.parametrize(
    ("knows_contrast", "knows_negation", "accuracy"),
    [(True, True, 0.93), (True, False, 0.87), (False, True, 0.79), (False, False, 0.76)],
)
def test_rules_are_worth_what_the_page_says(
    knows_contrast: bool, knows_negation: bool, accuracy: float
) -> None:
    """On what the recipe shows: 500 words, the last 100 tokens; a tie is half right."""
    half = generate(n_train=MIN_REVIEWS).test
    right = 0.0
    for review, label in zip(reviews_of(half)[:4000], half.labels, strict=False):
        seen = [word if word < 500 else 2 for word in review[-100:]]
        score = judge_by_the_rule(
            seen, knows_contrast=knows_contrast, knows_negation=knows_negation
        )
        right += 0.5 if score == 0 else (score > 0) == label
    assert right / 4000 == pytest.approx(accuracy, abs=0.015)


def test_full_imdb_size_takes_less_than_3_seconds() -> None:
    started = time.process_time()
    generate(n_train=25_000, n_test=25_000)
    assert time.process_time() - started < 3


@pytest.mark.parametrize("sizes", [(MIN_REVIEWS - 1, 50), (50, MIN_REVIEWS - 1), (-1, 50)])
def test_too_few_reviews_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(StudyError, match=f"must be at least {MIN_REVIEWS}, got"):
        generate(n_train=sizes[0], n_test=sizes[1])


def test_negative_seed_is_refused() -> None:
    with pytest.raises(StudyError, match="got -1"):
        generate(seed=-1)


# The recipe of the study notes in plain Keras, in a process of its own: the back end is chosen
# by the environment before the first import. Prints one JSON object.
MEASURE_LEAD = """
import json, sys
import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from rnnbench.data.synthetic import generate

def see(half):
    tokens = np.where(half.tokens < 500, half.tokens, 2)
    reviews = np.split(tokens, half.offsets[1:-1])
    return keras.utils.pad_sequences(reviews, maxlen=100), half.labels

def count(tokens):
    cells = np.arange(len(tokens))[:, None] * 500 + tokens
    return np.bincount(cells.ravel(), minlength=len(tokens) * 500).reshape(-1, 500)[:, 1:]

def score_bow():
    model = LogisticRegression(max_iter=1000).fit(count(x), y)
    return model.score(count(x_test), y_test)

def score_lstm(seed):
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential([keras.Input((100,)), layers.Embedding(500, 16), layers.LSTM(8),
                              layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.RMSprop(1e-4), "binary_crossentropy", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    x_fit, x_val, y_fit, y_val = train_test_split(x, y, test_size=0.2, random_state=42)
    history = model.fit(x_fit, y_fit, validation_data=(x_val, y_val), batch_size=64, epochs=100,
                        callbacks=[stop], verbose=0)
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    return {"epochs": len(history.epoch), "accuracy": accuracy}

corpus = generate()
(x, y), (x_test, y_test) = see(corpus.train), see(corpus.test)
lstm = [score_lstm(int(seed)) for seed in sys.argv[1:]]
print(json.dumps({"bow": score_bow(), "lstm": lstm}))
"""


@pytest.mark.campaign
@pytest.mark.timeout(1200)
def test_lstm_leads_bag_of_words_by_3_points_over_3_seeds() -> None:
    """About 3 minutes on one core; `-s` shows the scores."""
    command = [sys.executable, "-c", MEASURE_LEAD, *map(str, SEEDS)]
    one_thread = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    settings = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": one_thread}
    env = os.environ | settings
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    scores = json.loads(done.stdout.splitlines()[-1])
    lead = np.mean([run["accuracy"] for run in scores["lstm"]]) - scores["bow"]
    assert lead >= MIN_LEAD
