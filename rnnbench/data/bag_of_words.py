"""A bag-of-words classifier on the same words: what a recurrent network has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnbench.data.dataset import Part, load_part
from rnnbench.errors import DataError
from rnnbench.specs import DataSpec

__all__ = ["BagOfWords", "score_bag_of_words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BagOfWords:
    """How logistic regression on word counts scores; it has no seed.

    Args:
        fit_seconds: counting and fitting.
        n_parameters: one a word, and the intercept.
    """

    val_loss: float
    val_accuracy: float
    train_loss: float
    test_loss: float
    test_accuracy: float
    test_macro_f1: float
    n_parameters: int
    fit_seconds: float


def score_bag_of_words(data: DataSpec) -> BagOfWords:
    """Fit on the training part, choose nothing, score on the others.

    The features are counts of the same `num_words` words in the same last `max_len` tokens that
    the networks see; padding is not counted.

    Raises:
        DataError: the reviews are not cached, or those to train on are all of one kind.
    """
    import time

    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score, log_loss

    began = time.perf_counter()
    train = load_part(data, "train")
    if np.ptp(train.labels) == 0:
        raise DataError("a classifier needs reviews of two classes to learn from")
    classes = range(data.n_classes)
    model = LogisticRegression(max_iter=1000).fit(_count_words(train, data), train.labels)
    fit_seconds = time.perf_counter() - began
    scores = {}
    for name in ("train", "validation", "test"):
        part = load_part(data, name)
        probability = model.predict_proba(_count_words(part, data))
        predicted = probability.argmax(axis=1)
        scores[name] = (
            float(log_loss(part.labels, probability, labels=list(classes))),
            float(np.mean(predicted == part.labels)),
            float(f1_score(part.labels, predicted, average="macro", zero_division=0)),
        )
    return BagOfWords(
        train_loss=scores["train"][0],
        val_loss=scores["validation"][0],
        val_accuracy=scores["validation"][1],
        test_loss=scores["test"][0],
        test_accuracy=scores["test"][1],
        test_macro_f1=scores["test"][2],
        # The padding's column is zero, and the intercept takes its place.
        n_parameters=data.num_words * (1 if data.n_classes == 2 else data.n_classes),
        fit_seconds=fit_seconds,
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
