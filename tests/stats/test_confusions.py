"""Scores from counts of true and predicted classes, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from rnnbench.stats.confusions import count_confusions, mean_f1, score_classes

RNG = np.random.default_rng(1)
TRUTH = RNG.integers(0, 4, 200)
PREDICTED = np.where(RNG.uniform(size=200) < 0.6, TRUTH, RNG.integers(0, 4, 200))


def test_confusions_are_counted_by_true_class_and_then_by_predicted() -> None:
    found = count_confusions(TRUTH.astype(np.float32), PREDICTED.astype(np.int8), 4)
    np.testing.assert_array_equal(found, confusion_matrix(TRUTH, PREDICTED))


def test_precision_recall_and_f1_are_those_of_scikit_learn() -> None:
    found = score_classes(count_confusions(TRUTH, PREDICTED, 4))
    expected = precision_recall_fscore_support(TRUTH, PREDICTED)
    for scores, theirs in zip((found.precision, found.recall, found.f1), expected, strict=False):
        np.testing.assert_allclose(scores, theirs)
    assert mean_f1(count_confusions(TRUTH, PREDICTED, 4)) == pytest.approx(
        f1_score(TRUTH, PREDICTED, average="macro")
    )


def test_what_nothing_is_divided_by_is_not_a_number() -> None:
    """The second class is never predicted, the third is in no text, the fourth in neither."""
    found = score_classes(count_confusions(np.array([0, 0, 1]), np.array([0, 2, 0]), 4))
    np.testing.assert_array_equal(found.precision, [0.5, np.nan, 0, np.nan])
    np.testing.assert_array_equal(found.recall, [0.5, 0, np.nan, np.nan])
    np.testing.assert_array_equal(found.f1, [0.5, 0, 0, np.nan])
    confusions = count_confusions(np.array([0, 0, 1]), np.array([0, 2, 0]), 4)
    assert mean_f1(confusions) == pytest.approx(0.5 / 3)
