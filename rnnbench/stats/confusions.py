"""Counts of true and predicted classes, and every score that can be had from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ClassScores:
    """Scores of each class, float64 `(n_classes,)`; NaN where nothing is divided by.

    Args:
        precision: of the texts that were given the class, the share that has it.
        recall: of the texts that have the class, the share that was given it.
        f1: the harmonic mean of both; NaN only of a class that is neither there nor given.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]


def count_confusions(
    truth: NDArray[Any], predicted: NDArray[Any], n_classes: int | None = None
) -> NDArray[np.int64]:
    """int64 `(n_classes, n_classes)`: texts of each true class (row) by predicted class (column).

    Args:
        truth, predicted: numbers of classes, `(n_texts,)`, of any type.
        n_classes: None for those up to the highest that is there or was given.

    Source: sklearn.metrics.confusion_matrix.
    """
    if n_classes is None:
        n_classes = int(max(truth.max(), predicted.max())) + 1
    cells = truth.astype(np.int64) * n_classes + predicted
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def score_classes(confusions: NDArray[np.int64]) -> ClassScores:
    """Precision, recall and F1 of each class.

    Source: sklearn.metrics.precision_recall_fscore_support(zero_division=nan).
    """
    hits = np.diag(confusions).astype(np.float64)
    given, there = confusions.sum(axis=0), confusions.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return ClassScores(
            precision=hits / given, recall=hits / there, f1=2 * hits / (given + there)
        )


def mean_f1(confusions: NDArray[np.int64]) -> float:
    """The mean F1 of the classes that are there or were given.

    Source: sklearn.metrics.f1_score(average="macro", zero_division=0).
    """
    return float(np.nanmean(score_classes(confusions).f1))


def mean_absolute_error(confusions: NDArray[np.int64], grades: Sequence[float]) -> float:
    """How far the predicted grade is from the true one, in grades; the mean over the texts.

    Source: sklearn.metrics.mean_absolute_error.

    Args:
        grades: the number that each class is.
    """
    return float((confusions * np.abs(_distances(grades))).sum() / confusions.sum())


def quadratic_kappa(confusions: NDArray[np.int64], grades: Sequence[float]) -> float:
    """Agreement beyond chance, 1 at most, in which a mistake counts by the square of its distance.

    0 for who gives grades by chance, as often as now; NaN where all texts have and were given one
    grade.

    Source: Cohen (1968), Psychological Bulletin 70:213-220. For grades of equal distance it is
    sklearn.metrics.cohen_kappa_score(weights="quadratic").
    """
    squares = _distances(grades) ** 2
    by_chance = np.outer(confusions.sum(axis=1), confusions.sum(axis=0)) / confusions.sum()
    expected = float((by_chance * squares).sum())
    return 1 - float((confusions * squares).sum()) / expected if expected else float("nan")


def _distances(grades: Sequence[float]) -> NDArray[np.float64]:
    column = np.array(grades, dtype=np.float64)
    return column[:, None] - column
