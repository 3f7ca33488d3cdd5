"""How logistic regression does on the texts: on a bag of words, and on TF-IDF of whole texts."""

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.cache import open_corpus
from rnnbench.data.corpus import PartName
from rnnbench.data.dataset import Part, balanced_weights, load_part, score_grades, split_of
from rnnbench.data.linear_scores import LinearScores
from rnnbench.data.terms import find_terms
from rnnbench.errors import DataError
from rnnbench.specs import DataSpec
from rnnbench.stats.confusions import count_confusions, mean_f1

Counted: TypeAlias = tuple[Any, NDArray[Any]]  # Any: SciPy is untyped
"""A part as features, sparse `(n_texts, n_features)`, and labels, `(n_texts,)`."""


def score_bag_of_words(data: DataSpec, *, is_balanced: bool = False) -> LinearScores:
    """Fit on the training part, choose nothing, score on the others.

    The features are counts of the same `num_words` words in the same last `max_len` tokens that
    the networks see; padding is not counted.

    Args:
        is_balanced: each class counts the same in the fit, however rare it is.

    Raises:
        DataError: the reviews are not cached, or those to train on are all of one kind.
    """
    began = time.perf_counter()

    def count(name: PartName) -> Counted:
        part = load_part(data, name)
        return _count_words(part, data), part.labels

    # The padding's column is zero.
    return _score(count, data, began, n_features=data.num_words - 1, is_balanced=is_balanced)


def score_tf_idf(data: DataSpec, *, is_balanced: bool = False) -> LinearScores:
    """The same on TF-IDF of the whole texts (`find_terms`), whatever of them the networks see.

    Source: sklearn.feature_extraction.text.TfidfVectorizer, with its defaults.

    Raises:
        DataError: as of a bag of words; or there is no term to count.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    began = time.perf_counter()
    corpus, split = open_corpus(data.fingerprint), split_of(data)
    terms = find_terms(corpus, split.train)
    test = np.arange(corpus.test.n_reviews)
    rows = {"train": terms.rows, "validation": split.validation, "test": test}
    weights = TfidfTransformer()

    def count(name: PartName) -> Counted:
        half = corpus.test if name == "test" else corpus.train
        counts, labels = terms.count(half, rows[name]), half.labels[rows[name]]
        weigh = weights.fit_transform if name == "train" else weights.transform
        return weigh(counts), labels

    return _score(count, data, began, n_features=len(terms.codes), is_balanced=is_balanced)


def _score(
    count: Callable[[PartName], Counted],
    data: DataSpec,
    began: float,
    *,
    n_features: int,
    is_balanced: bool,
) -> LinearScores:
    """Fitted on the training part.

    Args:
        count: the features of a part, and its labels; the training part is asked for first.
        began: when work on it began, by `time.perf_counter`.
        n_features: those that are not zero in every text.
    """
    from sklearn.linear_model import LogisticRegression

    features, labels = count("train")
    if np.ptp(labels) == 0:
        raise DataError("a classifier needs texts of two classes to learn from")
    weights = balanced_weights(labels, data.n_classes) if is_balanced else None
    model = LogisticRegression(max_iter=1000, class_weight="balanced" if is_balanced else None)
    model.fit(features, labels)
    fit_seconds = time.perf_counter() - began
    train_loss = _loss(_predict(model, features, data.n_classes), labels, weights)
    features, labels = count("validation")
    probability = _predict(model, features, data.n_classes)
    val_loss = _loss(probability, labels, weights)
    val_accuracy = float(np.mean(probability.argmax(axis=1) == labels))
    features, labels = count("test")
    probability = _predict(model, features, data.n_classes)
    predicted = probability.argmax(axis=1)
    confusions = count_confusions(labels, predicted, data.n_classes)
    return LinearScores(
        train_loss=train_loss,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        test_loss=_loss(probability, labels),
        test_accuracy=float(np.mean(predicted == labels)),
        test_macro_f1=mean_f1(confusions),
        n_parameters=(n_features + 1) * (1 if data.n_classes == 2 else data.n_classes),
        fit_seconds=fit_seconds,
        test_right="".join("01"[int(each)] for each in predicted == labels),
        **score_grades(data, confusions),
    )


def _predict(model: Any, features: Any, n_classes: int) -> NDArray[np.float64]:
    """`(n_texts, n_classes)`: how probable each class is, 0 for one that it did not learn."""
    probability = np.zeros((features.shape[0], n_classes))
    probability[:, model.classes_.astype(np.int64)] = model.predict_proba(features)
    return probability


def _loss(
    probability: NDArray[np.float64],
    labels: NDArray[Any],
    weights: NDArray[np.float32] | None = None,
) -> float:
    """The mean cross-entropy, in which a text counts as its class does."""
    from sklearn.metrics import log_loss

    classes = range(probability.shape[1])
    if weights is None:
        return float(log_loss(labels, probability, labels=classes))
    of_texts = weights[labels.astype(np.int64)]
    return float(
        of_texts.mean() * log_loss(labels, probability, labels=classes, sample_weight=of_texts)
    )


def _count_words(part: Part, data: DataSpec) -> Any:  # Any: SciPy is untyped
    """Sparse float64 `(n_reviews, num_words)`: how often each word stands in each review."""
    from scipy.sparse import csr_matrix

    n_reviews, max_len = part.tokens.shape
    rows = np.repeat(np.arange(n_reviews), max_len)
    words = part.tokens.ravel().copy()
    seen = words > 0
    ones = np.ones(int(seen.sum()))
    return csr_matrix((ones, (rows[seen], words[seen])), shape=(n_reviews, data.num_words))
