"""What the study notes published."""

from __future__ import annotations

import pytest

from rnnbench.data.corpus import Corpus
from rnnbench.published.notes import REVIEWS, published_runs


def test_the_four_architectures_of_the_notes_are_there() -> None:
    assert set(published_runs()) == {"lstm", "lstm-dropout", "lstm-stacked", "gru"}


def test_only_the_stacked_model_was_scored_on_the_test_half() -> None:
    scored = {name for name, run in published_runs().items() if run.test_accuracy is not None}
    assert scored == {"lstm-stacked"}
    stacked = published_runs()["lstm-stacked"]
    assert (stacked.test_loss, stacked.test_accuracy) == (0.4673, 0.7848)


@pytest.mark.parametrize(
    ("name", "epochs", "val_loss"),
    [
        ("lstm", 52, 0.4368),
        ("lstm-dropout", 33, 0.4473),
        ("lstm-stacked", 17, 0.4670),
        ("gru", 100, 0.4317),
    ],
)
def test_length_and_lowest_validation_loss_of_each_run(
    name: str, epochs: int, val_loss: float
) -> None:
    run = published_runs()[name]
    assert (len(run.history), run.val_loss) == (epochs, val_loss)
    assert 1 <= run.best_epoch <= epochs


def test_older_notes_stop_after_ten_epochs() -> None:
    assert {len(run.history) for run in published_runs("notes-2022").values()} == {10}


def test_a_source_that_there_is_not_has_no_runs() -> None:
    assert published_runs("notes-1999") == {}


def test_the_reviews_of_the_notes_are_the_published_file(real_reviews: Corpus) -> None:
    assert real_reviews.fingerprint() == REVIEWS
