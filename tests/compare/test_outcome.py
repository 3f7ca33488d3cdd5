"""What is said first: nothing learnt, cut short, too few texts, a better bag of words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import finished, made_up

from rnnbench.compare.outcome import Outcome, find_outcome
from rnnbench.compare.predictions import PREDICTIONS
from rnnbench.compare.rows import ArmRow, BaselineRow
from rnnbench.compare.sections import divide_runs
from rnnbench.data.cache import store_corpus
from rnnbench.data.corpus import Corpus, Half
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import SYNTHETIC, RunResult
from rnnbench.training.loop import pack_predictions

N_TEXTS = 400
COMMAND = "rnnbench run lstm gru --dataset mine.csv"
CUT = {"epochs": 100, "best_epoch": 99}


def baselines(majority: float | None, bag: float | None = None) -> list[ArmRow]:
    rows = {"majority class": majority, "bag of words": bag}
    return [
        ArmRow(
            section="",
            arm=name,
            n=1,
            test_accuracy=score,
            is_baseline=True,
            is_majority=name == "majority class",
        )
        for name, score in rows.items()
        if score is not None
    ]


def runs(**scores: Sequence[float | RunResult | None]) -> list[RecordedRun]:
    return [
        made_up(name, seed, each, dataset="mine", fingerprint="ab")
        for name, found in scores.items()
        for seed, each in enumerate(found)
    ]


def outcome_of(
    found: Sequence[RecordedRun],
    rows: Sequence[ArmRow] = (),
    *,
    n_test: int | None = N_TEXTS,
    unlearned: bool = False,
) -> Outcome:
    lost = frozenset(run.spec.fingerprint for run in found) if unlearned else frozenset[str]()
    return find_outcome(
        divide_runs(found, "architecture", unlearned=lost),
        rows,
        n_test=n_test,
        margin=0.005,
        command=COMMAND,
    )


def test_sound_runs_need_no_word() -> None:
    found = outcome_of(runs(lstm=[0.8, 0.82, 0.81]), baselines(0.5, 0.79))
    assert (found.sentences, found.next_step) == ((), "")


def test_runs_that_did_not_learn_beat_nothing() -> None:
    found = outcome_of(runs(lstm=[0.98] * 3), baselines(0.98, 1.0), unlearned=True)
    first, second = found.sentences
    assert first == (
        "Nothing beats the majority class: in validation none of 3 runs did clearly better than "
        "always predicting the most common class. On the test texts that scores 98.00 %, a bag of "
        "words 100.00 %."
    )
    assert second == f"To try next: {COMMAND} --learning-rate 0.01"


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"lstm": [0.98, 0.98]}, "Nothing beats the majority class: always predicting"),
        ({"lstm": [0.97, 0.995]}, "Nothing clearly beats the majority class: always predicting"),
        ({"lstm": [0.99]}, "Nothing clearly beats the majority class: always predicting"),
        (
            {"lstm": [0.99, 0.991, 0.992], "gru": [0.97, 0.995, 0.985]},
            "Not clearly better than the majority class: gru; always predicting the most common",
        ),
    ],
    ids=["level", "around", "one run", "one of two"],
)
def test_what_beats_the_majority_class(scores: dict[str, list[float]], said: str) -> None:
    first, *_ = outcome_of(runs(**scores), baselines(0.98)).sentences
    assert first.startswith(said)


def test_where_one_network_beats_the_majority_nothing_is_to_be_tried() -> None:
    scores = {"lstm": [0.99, 0.991, 0.992], "gru": [0.97, 0.995, 0.985]}
    assert not outcome_of(runs(**scores), baselines(0.98)).next_step


def test_a_bag_of_words_that_is_better_than_all_is_named_with_its_lead() -> None:
    """t of 0.54, 0.55 and 0.56 with 2 degrees of freedom: 0.55 ± 4.303 · 0.01 / √3 = ± 0.0248."""
    found = outcome_of(runs(lstm=[0.54, 0.55, 0.56], gru=[0.5, 0.51, 0.52]), baselines(0.3, 0.88))
    assert found.sentences[0] == (
        "A bag of words, without any order, is better by 33.00 points [30.52, 35.48]: it scores "
        "88.00 %, the best network, lstm, 55.00 %."
    )
    assert found.next_step == f"{COMMAND} --learning-rate 0.01"


def test_networks_that_are_level_are_both_the_best() -> None:
    found = outcome_of(runs(lstm=[0.54, 0.56], gru=[0.56, 0.54]), baselines(None, 0.9))
    assert found.sentences[0].endswith("the best networks, lstm, gru, 55.00 %.")


@pytest.mark.parametrize(
    "scores",
    [{"lstm": [0.7, 0.9]}, {"lstm": [0.5, 0.5], "gru": [0.9, 0.9]}, {"lstm": [0.5]}],
    ids=["about as good", "one network is better", "one run without predictions"],
)
def test_a_bag_of_words_is_not_called_better_without_an_interval(
    scores: dict[str, list[float]],
) -> None:
    assert not outcome_of(runs(**scores), baselines(None, 0.85)).says("bag of words")


def test_with_predictions_one_run_is_compared_text_by_text(tmp_path: Path) -> None:
    """Of 400 texts the bag is right on 40 more than the network: 10 points, ± 2.9."""
    labels = np.zeros(N_TEXTS, dtype=np.int8)
    half = Half(
        tokens=np.ones(N_TEXTS, dtype=np.int32),
        offsets=np.arange(N_TEXTS + 1, dtype=np.int64),
        labels=labels,
    )
    fingerprint = store_corpus(Corpus(name="mine", train=half, test=half))
    wrong = np.arange(N_TEXTS) < 80
    (tmp_path / PREDICTIONS).write_bytes(pack_predictions(wrong.astype(np.float32)))
    run = made_up("lstm", 0, 0.8, run={"folder": tmp_path}, dataset="mine", fingerprint=fingerprint)
    bag = BaselineRow(
        section="", arm="bag of words", n=1, test_accuracy=0.9, right=np.arange(N_TEXTS) >= 40
    )
    first, *_ = outcome_of([run], [bag]).sentences
    assert "is better by 10.00 points [7.05, 12.95]: it scores 90.00 %" in first


def test_runs_at_the_limit_that_still_improve_are_counted() -> None:
    found = outcome_of(runs(lstm=[finished(0.8, **CUT), finished(0.8)], gru=[finished(0.8, **CUT)]))
    assert found.sentences == (
        "Stopped at the limit of 100 epochs, still improving: 2 of 3 runs (lstm 1, gru 1).",
        f"To try next: {COMMAND} --epochs 300",
    )


def test_a_run_that_waits_for_its_stop_is_not_still_improving() -> None:
    assert not outcome_of(runs(lstm=[finished(0.8, epochs=100, best_epoch=98)])).findings


def test_a_run_that_is_always_right_has_nothing_to_go_on_for() -> None:
    assert not outcome_of(runs(lstm=[finished(1.0, val_accuracy=1.0, **CUT)])).findings


def test_few_test_texts_are_told_and_compared_with_nothing() -> None:
    found = outcome_of(runs(lstm=[0.5, 0.51]), baselines(0.5, 1.0), n_test=12)
    assert [kind for kind, _ in found.findings] == ["few texts"]
    assert found.sentences[0].startswith("Too few test texts: one is 8 points of accuracy")


def test_while_runs_are_missing_nothing_is_compared() -> None:
    assert not outcome_of(runs(lstm=[0.5, 0.5, None]), baselines(0.5, 0.9)).findings


def test_synthetic_reviews_are_no_matter_of_learning() -> None:
    synthetic: dict[str, Any] = {"dataset": SYNTHETIC, "fingerprint": "ab"}
    run = made_up("lstm", 0, finished(0.5, **CUT), **synthetic)
    assert outcome_of([run], baselines(0.5, 0.9)) == Outcome()


def test_no_runs_have_no_outcome() -> None:
    assert outcome_of([]) == Outcome()
