"""Which test reviews each run got right, from the predictions that are kept with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up import made_up

from rnnbench.compare.predictions import (
    PREDICTIONS,
    count_test_texts,
    read_correct,
    read_labels,
    read_predicted,
    weigh_texts,
)
from rnnbench.data.corpus import Corpus
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import DataSpec
from rnnbench.training.engine import macro_f1
from rnnbench.training.loop import pack_predictions

LABELS = np.array([1, 0, 1, 0], dtype=np.int8)


def run_with(folder: Path, *probability: float, seed: int = 0) -> RecordedRun:
    place = folder / str(seed)
    place.mkdir()
    packed = pack_predictions(np.array(probability, dtype=np.float32))
    (place / PREDICTIONS).write_bytes(packed)
    return made_up("lstm", seed, 0.8, run={"folder": place})


def test_a_review_is_right_on_its_side_of_a_half(tmp_path: Path) -> None:
    runs = [
        run_with(tmp_path, 0.9, 0.1, 0.2, 0.8),
        run_with(tmp_path, 0.500001, 0.5, 0.51, 0.0, seed=7),
    ]
    found = read_correct(runs, LABELS)
    assert list(found) == [0, 7]
    np.testing.assert_array_equal(found[0], [True, True, False, False])
    np.testing.assert_array_equal(found[7], [True, True, True, True])


def test_test_texts_are_counted_from_the_first_predictions_that_are_here(tmp_path: Path) -> None:
    runs = [made_up("lstm", 3, 0.8), run_with(tmp_path, 0.9, 0.1, 0.2)]
    assert count_test_texts(runs) == 3
    assert count_test_texts(runs[:1]) is count_test_texts([]) is None


def test_in_macro_f1_a_text_of_the_smallest_class_weighs_most() -> None:
    labels = np.array([0] * 90 + [1] * 10, dtype=np.int8)
    assert weigh_texts(labels, "test_accuracy") == 100
    assert weigh_texts(labels, "test_macro_f1") == 20
    assert weigh_texts(labels[:90], "test_macro_f1") == 90
    # One more mistake, as many texts being given each class: the score moves by about 1/20.
    wrong = np.array([0] * 89 + [1] + [1] * 9 + [0], dtype=np.int8)
    right = np.where(np.arange(100) == 99, 1, wrong).astype(np.int8)
    step = macro_f1(right, labels) - macro_f1(wrong, labels)
    assert step == pytest.approx(1 / 20, rel=0.5)


def test_the_share_that_is_right_is_the_accuracy(tmp_path: Path) -> None:
    (right,) = read_correct([run_with(tmp_path, 0.9, 0.1, 0.9, 0.9)], LABELS).values()
    assert right.mean() == 0.75


def test_classes_that_were_predicted_are_read_where_they_are_classes_of_the_run(
    tmp_path: Path,
) -> None:
    run = run_with(tmp_path, 0.9, 0.1, 0.2, 0.8)
    np.testing.assert_array_equal(read_predicted([run], LABELS)[0], [1, 0, 0, 1])
    assert read_predicted([run], None) == read_predicted([run], LABELS[:2]) == {}
    path = tmp_path / "0" / PREDICTIONS
    odd = np.array([9, 0, 0, 1], dtype=np.int8)
    np.savez(path, probability=np.full((4, 2), 0.5, np.float16), predicted=odd)
    assert read_predicted([run], LABELS) == {}


def test_a_run_whose_predictions_are_elsewhere_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    elsewhere = [
        made_up("lstm", 1, 0.8),
        made_up("lstm", 2, 0.8, run={"folder": tmp_path / "empty"}),
        made_up("lstm", 3, 0.8, run={"folder": tmp_path / "none"}),
    ]
    assert list(read_correct([run_with(tmp_path, 1, 0, 1, 0), *elsewhere], LABELS)) == [0]


def test_predictions_of_other_reviews_are_left_out(tmp_path: Path) -> None:
    assert read_correct([run_with(tmp_path, 0.9, 0.1)], LABELS) == {}


def write_pickle(path: Path) -> None:
    np.savez(path, allow_pickle=True, probability=np.array([None, "x"], dtype=object))


@pytest.mark.parametrize("content", ["text", "cut short", "other arrays", "pickle", "empty"])
def test_a_file_that_is_no_predictions_is_left_out(tmp_path: Path, content: str) -> None:
    run = run_with(tmp_path, 1, 0, 1, 0)
    path = tmp_path / "0" / PREDICTIONS
    if content == "other arrays":
        np.savez(path, x=np.zeros(4))
    elif content == "pickle":
        write_pickle(path)
    else:
        whole = path.read_bytes()
        path.write_bytes({"text": b"0.5", "cut short": whole[:60], "empty": b""}[content])
    assert read_correct([run], LABELS) == {}


def test_without_labels_nothing_is_known(tmp_path: Path) -> None:
    assert read_correct([run_with(tmp_path, 1, 0, 1, 0)], None) == {}


def test_labels_come_from_the_cache(small_corpus: Corpus) -> None:
    labels = read_labels(DataSpec(dataset="small", fingerprint=small_corpus.fingerprint()))
    assert labels is not None
    np.testing.assert_array_equal(labels, small_corpus.test.labels)
    assert read_labels(DataSpec(dataset="small", fingerprint="ab" * 32)) is None


def test_no_flipped_byte_ends_a_report(tmp_path: Path) -> None:
    run = run_with(tmp_path, *np.linspace(0, 1, 400).tolist())
    path = tmp_path / "0" / PREDICTIONS
    whole = path.read_bytes()
    assert read_correct([run], np.zeros(400, dtype=np.int8))
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        read_correct([run], np.zeros(400, dtype=np.int8))
