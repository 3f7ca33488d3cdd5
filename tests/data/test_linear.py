"""TF-IDF with logistic regression, and class weights, beside scikit-learn in three lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score, log_loss
from sklearn.pipeline import make_pipeline

from rnnbench.data import terms
from rnnbench.data.cache import open_corpus, store_corpus
from rnnbench.data.corpus import Corpus, Half
from rnnbench.data.linear import score_bag_of_words, score_tf_idf
from rnnbench.data.linear_scores import LinearScores
from rnnbench.data.prepare import prepare_table
from rnnbench.data.tables import OwnChoices
from rnnbench.errors import DataError
from rnnbench.specs import DataSpec

WORDS = ("thin", "plot", "good", "film", "long", "dull", "warm", "odd", "fine", "poor")


def prepare(folder: Path, n: int = 240) -> tuple[DataSpec, list[str], np.ndarray]:
    """Grades from 1 to 3, the middle one rare; rows in parts of thirds."""
    rng = np.random.default_rng(0)
    grades = rng.choice([1, 2, 3], size=n, p=[0.45, 0.1, 0.45])
    texts = [" ".join(rng.choice(WORDS[3 * (g - 1) : 3 * (g - 1) + 4], size=30)) for g in grades]
    parts = np.resize(["train", "validation", "test"], n)
    rows = "\n".join(f"{t},{g},{p}" for t, g, p in zip(texts, grades, parts, strict=True))
    path = folder / "mine.csv"
    path.write_text(f"text,label,split\n{rows}\n")
    data = DataSpec(
        dataset="mine",
        fingerprint=prepare_table(path, "key", "mine", OwnChoices()),
        n_classes=3,
        max_len=5,
        num_words=6,
    )
    return data, texts, grades


@pytest.mark.parametrize("is_balanced", [False, True])
def test_tf_idf_scores_as_scikit_learn_does_on_the_whole_texts(
    tmp_path: Path, is_balanced: bool
) -> None:
    data, texts, grades = prepare(tmp_path)
    weight = "balanced" if is_balanced else None
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000, class_weight=weight))
    model.fit(texts[::3], grades[::3])
    test, said = texts[2::3], grades[2::3]
    found = score_tf_idf(data, is_balanced=is_balanced)
    assert found.test_accuracy == pytest.approx(model.score(test, said))
    assert found.test_loss == pytest.approx(log_loss(said, model.predict_proba(test)), abs=1e-4)
    kappa = cohen_kappa_score(said, model.predict(test), weights="quadratic")
    assert found.test_quadratic_kappa == pytest.approx(kappa)
    assert found.test_absolute_error == pytest.approx(abs(said - model.predict(test)).mean())
    assert found == replace(
        score_tf_idf(data, is_balanced=is_balanced), fit_seconds=found.fit_seconds
    )


def test_a_loss_with_class_weights_is_weighted_as_a_networks_is(tmp_path: Path) -> None:
    data, texts, grades = prepare(tmp_path)
    model = make_pipeline(
        TfidfVectorizer(), LogisticRegression(max_iter=1000, class_weight="balanced")
    ).fit(texts[::3], grades[::3])
    counts = np.bincount(grades[::3])[1:]
    said = grades[1::3]
    weights = (len(grades[::3]) / (3 * counts))[said - 1]
    losses = -np.log(model.predict_proba(texts[1::3])[np.arange(len(said)), said - 1])
    found = score_tf_idf(data, is_balanced=True)
    assert found.val_loss == pytest.approx((weights * losses).mean(), abs=1e-4)


def test_tf_idf_sees_what_the_networks_do_not(tmp_path: Path) -> None:
    data, *_ = prepare(tmp_path)
    whole, cut = score_tf_idf(data), score_bag_of_words(data)
    assert score_tf_idf(replace(data, max_len=1)).test_loss == whole.test_loss
    assert whole.test_accuracy > cut.test_accuracy
    n_terms = len(open_corpus(data.fingerprint).vocabulary)
    assert whole.n_parameters == 3 * (n_terms + 1)


def test_of_many_texts_a_part_is_learnt_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, *_ = prepare(tmp_path)
    whole = score_tf_idf(data)
    monkeypatch.setattr(terms, "MOST_LEARNT", 1000)  # of 2480
    part = score_tf_idf(data)
    assert part.train_loss != whole.train_loss
    assert part.test_accuracy > 0.8


@pytest.mark.parametrize("score", [score_bag_of_words, score_tf_idf])
@pytest.mark.parametrize("is_balanced", [False, True])
def test_a_class_that_no_text_to_learn_from_has_is_never_named(
    score: Callable[..., LinearScores], is_balanced: bool
) -> None:
    labels = np.array([0, 2] * 20 + [0, 1, 2] * 10, dtype=np.int8)  # the last thirty validate
    tokens = np.stack([np.full(70, 1), 4 + labels], axis=1).astype(np.int32).ravel()
    half = Half(tokens=tokens, offsets=2 * np.arange(71, dtype=np.int64), labels=labels)
    corpus = Corpus(
        name="mine",
        train=half,
        test=half,
        classes=("a", "b", "c"),
        vocabulary=("one", "two", "three"),
        n_validation=30,
    )
    data = DataSpec(dataset="mine", fingerprint=store_corpus(corpus), n_classes=3, num_words=7)
    found = score(data, is_balanced=is_balanced)
    assert found.val_accuracy == pytest.approx(2 / 3)
    assert found.test_right == "".join("101"[label] for label in labels)
    assert np.isfinite(found.test_loss)


def test_texts_that_are_not_here_cannot_be_learnt_from() -> None:
    with pytest.raises(DataError):
        score_tf_idf(DataSpec(dataset="gone", fingerprint="ab" * 32))
