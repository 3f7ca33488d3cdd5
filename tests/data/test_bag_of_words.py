"""The bag of words beside an independent count, and on the real reviews."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnbench.compare import baseline
from rnnbench.compare.baseline import BAG_OF_WORDS, find_baselines
from rnnbench.compare.rows import BaselineRow
from rnnbench.data.cache import split_indices, store_corpus
from rnnbench.data.corpus import Corpus, Half
from rnnbench.data.files import write_json
from rnnbench.data.linear import score_bag_of_words
from rnnbench.data.linear_scores import LinearScores
from rnnbench.errors import DataError
from rnnbench.specs import CanonicalForm, DataSpec, RunSpec


@pytest.fixture
def data(make_spec: Any) -> DataSpec:
    spec: RunSpec = make_spec(num_words=40, max_len=12)
    return spec.data


def find_baseline(data: DataSpec, *, fits: bool = True) -> BaselineRow | None:
    """The bag of words of these texts."""
    found = find_baselines([spec_of(data)], fits=fits)
    return next((row for row in found if row.arm == BAG_OF_WORDS), None)


def spec_of(data: DataSpec) -> RunSpec:
    return RunSpec(form=CanonicalForm(cell="lstm"), data=data, seed=0)


def place_of(data: DataSpec) -> Path:
    return baseline._Fit(name=BAG_OF_WORDS, data=data, is_balanced=False).place


def count_by_hand(half: Half, rows: Any, n_words: int, max_len: int) -> np.ndarray:
    """One review after the other, one word after the other."""
    counts = np.zeros((len(rows), n_words))
    for place, row in enumerate(rows):
        words = half.tokens[half.offsets[row] : half.offsets[row + 1]].tolist()
        for word in words[-max_len:]:
            counts[place, word if word < n_words else 2] += 1
    return counts


def test_scores_are_those_of_words_counted_by_hand(data: DataSpec, small_corpus: Corpus) -> None:
    from sklearn.linear_model import LogisticRegression

    found = score_bag_of_words(data)
    train = split_indices(data.fingerprint).train
    half = small_corpus.train
    model = LogisticRegression(max_iter=1000)
    model.fit(count_by_hand(half, train, 40, 12), half.labels[train])
    test = count_by_hand(small_corpus.test, range(64), 40, 12)
    right = model.predict(test) == small_corpus.test.labels
    odds = model.decision_function(test) * np.where(small_corpus.test.labels == 1, 1, -1)
    assert found.test_accuracy == right.mean()
    assert found.test_loss == pytest.approx(np.log1p(np.exp(-odds)).mean(), abs=1e-4)
    assert (found.n_parameters, found.test_accuracy > 0.6) == (40, True)
    assert found.test_right == "".join("01"[int(each)] for each in right)


def test_the_same_reviews_score_the_same_again(data: DataSpec) -> None:
    first, second = score_bag_of_words(data), score_bag_of_words(data)
    assert (first.test_loss, first.val_loss) == (second.test_loss, second.val_loss)
    assert first.train_loss < first.val_loss


def corpus_of(labels: list[int], test_labels: list[int]) -> DataSpec:
    """Six-word reviews with these labels, in the cache."""

    def half(kinds: list[int]) -> Half:
        rows = [[1, 4 + kind, 6, 7, 8, 9] for kind in kinds]
        return Half(
            tokens=np.concatenate(rows).astype(np.int32),
            offsets=6 * np.arange(len(kinds) + 1, dtype=np.int64),
            labels=np.array(kinds, dtype=np.int8),
        )

    corpus = Corpus(name="few", train=half(labels), test=half(test_labels))
    return DataSpec(dataset="few", fingerprint=store_corpus(corpus), num_words=20, max_len=6)


def test_a_part_of_one_kind_has_a_score() -> None:
    found = score_bag_of_words(corpus_of([0, 1] * 10, [1, 1, 1]))
    assert found.test_accuracy == 1
    assert math.isfinite(found.test_loss)


def test_reviews_of_one_kind_teach_nothing() -> None:
    data = corpus_of([1] * 10, [0, 1])
    with pytest.raises(DataError, match="of two classes to learn from"):
        score_bag_of_words(data)
    assert find_baseline(data) is None


def test_reviews_that_are_not_here_have_no_row() -> None:
    assert find_baseline(DataSpec(dataset="gone", fingerprint="ab" * 32)) is None


def test_a_row_of_an_earlier_version_is_computed_anew_where_it_may_be(data: DataSpec) -> None:
    data = replace(data, max_len=11)
    values = asdict(score_bag_of_words(data))
    del values["test_right"]
    write_json(place_of(data), values)
    kept, row = find_baseline(data, fits=False), find_baseline(data)
    assert kept is not None
    assert (kept.test_accuracy, kept.right) == (values["test_accuracy"], None)
    assert row is not None
    assert row.right is not None


def test_a_row_of_an_earlier_version_is_kept_where_the_texts_are_gone() -> None:
    gone = DataSpec(dataset="gone", fingerprint="cd" * 32)
    values = asdict(score_bag_of_words(corpus_of([0, 1] * 10, [1, 0, 1])))
    write_json(place_of(gone), values | {"test_right": ""})
    row = find_baseline(gone)
    assert row is not None
    assert row.test_accuracy == values["test_accuracy"]


def test_nothing_is_computed_where_only_the_cache_is_asked() -> None:
    data = corpus_of([0, 1] * 10, [1, 0, 1])
    assert find_baseline(data, fits=False) is None
    assert find_baseline(data) is not None
    assert find_baseline(data, fits=False) is not None


def test_the_row_is_computed_once(data: DataSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    row = find_baseline(data)
    assert row is not None
    assert (row.arm, row.n, row.is_baseline) == (BAG_OF_WORDS, 1, True)
    monkeypatch.setattr(baseline, "score_bag_of_words", never)
    assert find_baseline(data) == row
    assert row.right is not None
    assert row.right.mean() == row.test_accuracy
    other = DataSpec(dataset="renamed", fingerprint=data.fingerprint, num_words=40, max_len=12)
    assert find_baseline(other) == row


def never(_: DataSpec) -> LinearScores:
    raise AssertionError("it was known already")


def test_a_file_of_another_version_is_written_anew(data: DataSpec) -> None:
    row = find_baseline(data)
    place_of(data).write_text('{"score": 1}')
    again = find_baseline(data)
    assert row is not None
    assert again is not None
    assert again.test_loss == row.test_loss


def test_a_cache_that_cannot_be_written_costs_time_only(
    data: DataSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(baseline, "cache_folder", lambda: tmp_path / "file")
    assert find_baseline(data) is not None


@pytest.mark.campaign
def test_a_bag_of_words_on_the_real_reviews(real_reviews: Corpus) -> None:
    data = DataSpec(dataset="imdb", fingerprint=store_corpus(real_reviews))
    found = score_bag_of_words(data)
    assert found.test_accuracy == pytest.approx(0.798, abs=0.001)
    assert found.n_parameters == 500
