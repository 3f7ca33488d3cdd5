"""Scores from counts of true and predicted classes, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)
from sklearn.metrics import (
    mean_absolute_error as sklearn_absolute_error,
)

from rnnbench.stats.confusions import (
    count_confusions,
    mean_absolute_error,
    mean_f1,
    quadratic_kappa,
    score_classes,
)

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


def test_grades_are_scored_as_by_scikit_learn() -> None:
    confusions = count_confusions(TRUTH, PREDICTED, 4)
    error = mean_absolute_error(confusions, (1, 2, 3, 4))
    assert error == pytest.approx(sklearn_absolute_error(TRUTH, PREDICTED))
    kappa = cohen_kappa_score(TRUTH, PREDICTED, weights="quadratic")
    assert quadratic_kappa(confusions, (1, 2, 3, 4)) == pytest.approx(kappa)
    assert quadratic_kappa(confusions, (1, 1.5, 2, 2.5)) == pytest.approx(kappa)


def test_a_grade_that_no_text_has_still_lies_between_the_others() -> None:
    """Grades 1, 2, 4 and 5: what scikit-learn says once it is told of 3."""
    grades = np.array([1, 2, 4, 5])
    confusions = count_confusions(TRUTH, PREDICTED, 4)
    with_three = cohen_kappa_score(
        grades[TRUTH], grades[PREDICTED], labels=[1, 2, 3, 4, 5], weights="quadratic"
    )
    assert quadratic_kappa(confusions, grades) == pytest.approx(with_three)
    error = sklearn_absolute_error(grades[TRUTH], grades[PREDICTED])
    assert mean_absolute_error(confusions, grades) == pytest.approx(error)


def test_who_always_gives_the_same_grade_agrees_by_chance_alone() -> None:
    assert quadratic_kappa(count_confusions(TRUTH, np.full(200, 2), 4), (1, 2, 3, 4)) == 0
    one = count_confusions(np.zeros(5), np.zeros(5, dtype=np.int8), 3)
    assert np.isnan(quadratic_kappa(one, (1, 2, 3)))
    assert mean_absolute_error(one, (1, 2, 3)) == 0
