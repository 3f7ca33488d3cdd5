"""Which rows a table's networks have to beat, and what the cache keeps of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnnbench.compare import baseline
from rnnbench.compare.baseline import (
    BAG_OF_WORDS,
    MAJORITY,
    TF_IDF,
    find_baselines,
    list_unfitted,
    tell_fitting,
)
from rnnbench.data.cache import store_corpus
from rnnbench.data.corpus import Corpus, Half
from rnnbench.data.files import read_json, write_json
from rnnbench.errors import DataError
from rnnbench.specs import CanonicalForm, ClassWeight, DataSpec, Recipe, RunSpec

WORDS = ("one", "two", "three", "four", "five")


def store(
    classes: tuple[str, ...] = ("1", "2", "3"), n: int = 90, words: tuple[str, ...] = WORDS
) -> DataSpec:
    """Texts of three words, whose second tells the class; a third validates."""
    labels = np.arange(n, dtype=np.int8) % len(classes)
    tokens = np.stack([np.full(n, 1), 4 + labels, np.full(n, 8)], axis=1).astype(np.int32)
    half = Half(tokens=tokens.ravel(), offsets=3 * np.arange(n + 1, dtype=np.int64), labels=labels)
    corpus = Corpus(
        name="mine", train=half, test=half, classes=classes, vocabulary=words, n_validation=n // 3
    )
    return DataSpec(
        dataset="mine", fingerprint=store_corpus(corpus), n_classes=len(classes), num_words=9
    )


def spec_of(data: DataSpec, class_weight: ClassWeight = "none") -> RunSpec:
    recipe = Recipe(class_weight=class_weight)
    return RunSpec(form=CanonicalForm(cell="lstm"), data=data, seed=0, recipe=recipe)


def names(*specs: RunSpec) -> list[str]:
    return [row.arm for row in find_baselines(specs)]


def test_own_texts_have_three_rows_and_reviews_of_the_notes_a_bag_of_words() -> None:
    data = store()
    assert names(spec_of(data)) == [BAG_OF_WORDS, TF_IDF, MAJORITY]
    assert TF_IDF not in names(spec_of(replace(data, dataset="imdb")))


def test_networks_that_see_parts_of_the_same_texts_have_those_rows_that_see_them_whole() -> None:
    data = store(n=99)
    assert names(spec_of(data), spec_of(replace(data, max_len=2))) == [TF_IDF, MAJORITY]
    assert not list_unfitted([spec_of(data), spec_of(replace(data, max_len=2))])
    assert list_unfitted([spec_of(data)]) == [BAG_OF_WORDS]  # none was fitted in vain
    assert names(spec_of(data), spec_of(replace(data, split_seed=1))) == []


def test_grades_and_right_answers_stand_in_every_row() -> None:
    rows = find_baselines([spec_of(store())])
    for row in rows:
        assert row.right is not None
        assert row.right.mean() == row.test_accuracy
        assert (row.test_absolute_error, row.test_quadratic_kappa) == (
            (1.0, 0.0) if row.is_majority else (0.0, 1.0)
        )
    of_names = find_baselines([spec_of(store(("a", "b", "c")))])
    assert all(row.test_absolute_error is None for row in of_names)


def test_where_all_networks_have_class_weights_so_have_the_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []
    fit = baseline.score_tf_idf

    def score(data: DataSpec, *, is_balanced: bool) -> object:
        asked.append(is_balanced)
        return fit(data, is_balanced=is_balanced)

    monkeypatch.setattr(baseline, "score_tf_idf", score)
    data = store(n=93)
    weighted, plain = spec_of(data, "balanced"), spec_of(data)
    for specs in ([weighted], [plain], [weighted], [weighted, plain]):
        find_baselines(specs)
    assert asked == [True, False]  # each is fitted once


def test_grades_that_an_earlier_version_did_not_keep_are_filled_in(tmp_path: Path) -> None:
    data = store(n=96)
    find_baselines([spec_of(data)])
    place = baseline._Fit(name=BAG_OF_WORDS, data=data, is_balanced=False).place
    kept = read_json(place)
    del kept["test_absolute_error"], kept["test_quadratic_kappa"]
    write_json(place, kept)
    assert list_unfitted([spec_of(data)]) == [BAG_OF_WORDS]
    assert find_baselines([spec_of(data)])[0].test_quadratic_kappa == 1
    assert not list_unfitted([spec_of(data)])


def test_what_cannot_be_fitted_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data = store(n=102, words=("a", "b", "c", "d", "e"))  # of one letter: TF-IDF has none
    assert names(spec_of(data)) == [BAG_OF_WORDS, MAJORITY]
    assert not list_unfitted([spec_of(data)])
    monkeypatch.delattr(baseline, "score_tf_idf")
    assert names(spec_of(data)) == [BAG_OF_WORDS, MAJORITY]


def test_texts_that_are_not_here_may_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    data = store(n=105)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(baseline, "open_corpus", open_nothing)
        assert TF_IDF not in names(spec_of(data))
    assert list_unfitted([spec_of(data)]) == [BAG_OF_WORDS, TF_IDF]
    assert TF_IDF in names(spec_of(data))


def open_nothing(fingerprint: str) -> Corpus:
    raise DataError("gone")


def test_texts_that_are_not_here_have_no_rows() -> None:
    gone = DataSpec(dataset="gone", fingerprint="ef" * 32)
    assert find_baselines([spec_of(gone)]) == []


@pytest.mark.parametrize(
    ("fitted", "said"),
    [
        ([BAG_OF_WORDS], "A bag of words is fitted now, to stand beside the networks."),
        ([BAG_OF_WORDS, TF_IDF], "A bag of words and TF-IDF are fitted now, to stand beside"),
    ],
)
def test_the_wait_for_what_is_fitted_is_told(fitted: list[str], said: str) -> None:
    assert tell_fitting(fitted).startswith(said)
