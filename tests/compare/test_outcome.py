"""What is said first: nothing learnt, cut short, too few texts, a better bag of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import finished, made_up

from rnnbench.compare.baseline import TF_IDF
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
CUT = {"epochs": 100, "best_epoch": 100}


@pytest.fixture(autouse=True)
def _the_usual_race(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RNNBENCH_RACE", raising=False)


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


def kept(
    folder: Path, name: str, rights: Sequence[int], n: int = N_TEXTS, **values: Any
) -> list[RecordedRun]:
    """Runs with predictions, the first so many of which are right."""
    labels = np.zeros(n, dtype=np.int8)
    tokens, offsets = np.ones(n, dtype=np.int32), np.arange(n + 1, dtype=np.int64)
    half = Half(tokens=tokens, offsets=offsets, labels=labels)
    fingerprint = store_corpus(Corpus(name="mine", train=half, test=half))
    found = []
    for seed, n_right in enumerate(rights):
        place = folder / f"{name}-{seed}"
        place.mkdir()
        wrong = np.arange(n) >= n_right
        (place / PREDICTIONS).write_bytes(pack_predictions(wrong.astype(np.float32)))
        of = {"dataset": "mine", "fingerprint": fingerprint, **values}
        found.append(made_up(name, seed, n_right / n, run={"folder": place}, **of))
    return found


def judged(n_right: int, n: int = N_TEXTS, **values: Any) -> BaselineRow:
    """A baseline that is right about the last so many."""
    row: dict[str, Any] = {"section": "", "arm": "bag of words", "n": 1, "is_baseline": True}
    right = np.arange(n) >= n - n_right
    return BaselineRow(**{**row, "test_accuracy": n_right / n, "right": right, **values})


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
    metric: str = "test_accuracy",
) -> Outcome:
    lost = frozenset(run.spec.fingerprint for run in found) if unlearned else frozenset[str]()
    return find_outcome(
        divide_runs(found, "architecture", unlearned=lost),
        rows,
        n_test=n_test,
        n_texts=n_test,
        metric=metric,
        margin=0.005,
        command=COMMAND,
    )


def test_sound_runs_need_no_word() -> None:
    found = outcome_of(runs(lstm=[0.8, 0.82, 0.81]), baselines(0.5, 0.79))
    assert (found.sentences, found.next_step) == ((), "")


def test_runs_that_did_not_learn_are_told_with_what_the_baselines_score() -> None:
    found = outcome_of(runs(lstm=[0.98] * 3), baselines(0.98, 1.0), unlearned=True)
    first, second = found.sentences
    assert first == (
        "No network learned: in validation none of 3 runs did clearly better than always "
        "predicting the most common class. On the test texts that scores 98.00 %, a bag of words "
        "100.00 %."
    )
    assert second == f"To try next: {COMMAND} --learning-rate 0.01"


def test_of_one_run_and_few_texts_only_validation_is_told() -> None:
    found = outcome_of(runs(lstm=[0.5]), baselines(0.5, 1.0), n_test=12, unlearned=True)
    assert found.findings[1][1] == (
        "No network learned: in validation the only run did not do clearly better than always "
        "predicting the most common class."
    )


def test_runs_with_class_weights_are_told_by_their_own_rule() -> None:
    balanced = [
        made_up("lstm", seed, 0.4, dataset="mine", fingerprint="ab", class_weight="balanced")
        for seed in range(2)
    ]
    found = outcome_of(balanced, baselines(0.5, 0.9), unlearned=True)
    assert found.sentences[0] == (
        "No network learned: in validation none of 2 runs did clearly better than guessing, by "
        "the mean recall of the classes."
    )
    assert not outcome_of(balanced, baselines(0.5, 0.9)).findings


def test_runs_that_learned_before_the_metric_was_kept_are_not_called_unlearned() -> None:
    assert not outcome_of(runs(lstm=[0.9, 0.91]), baselines(0.5), metric="test_macro_f1").findings


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"lstm": [0.98, 0.98]}, "No network clearly beats the majority class: always"),
        ({"lstm": [0.4, 0.59]}, "No network clearly beats the majority class: always predicting"),
        (
            {"lstm": [0.985, 0.99], "gru": [0.97, 0.98, 0.985]},
            "Not clearly better than the majority class: gru; always predicting the most common",
        ),
    ],
    ids=["level", "around", "one of two"],
)
def test_without_predictions_a_mean_at_or_below_the_majority_is_told(
    scores: dict[str, list[float]], said: str
) -> None:
    first, *_ = outcome_of(runs(**scores), baselines(0.98)).sentences
    assert first.startswith(said)


@pytest.mark.parametrize("scores", [[0.95], [0.86, 0.99]])
def test_without_predictions_a_mean_above_the_majority_needs_no_word(scores: list[float]) -> None:
    assert not outcome_of(runs(lstm=scores), baselines(0.5)).findings


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        ([344, 360], ""),
        ([205, 205], "No network clearly beats the majority class: always"),
        ([100, 150], "No network beats the majority class: always predicting the most common"),
    ],
    ids=["far apart, far above", "about as good", "worse"],
)
def test_what_beats_the_majority_class_is_asked_of_other_texts(
    tmp_path: Path, rights: list[int], said: str
) -> None:
    """Two runs that lie apart: Student's t of one degree of freedom would reach anywhere."""
    row = judged(200, arm="majority class", is_majority=True)
    found = outcome_of(kept(tmp_path, "lstm", rights), [row])
    assert found.says("majority") == bool(said)
    assert "".join(found.sentences).startswith(said)


def test_macro_f1_of_one_run_far_above_the_majority_needs_no_word() -> None:
    row = ArmRow(
        section="", arm="majority class", n=1, test_macro_f1=0.1, is_baseline=True, is_majority=True
    )
    found = runs(lstm=[finished(0.95, test_macro_f1=0.95)])
    assert not outcome_of(found, [row], metric="test_macro_f1").findings


def test_a_section_is_set_against_its_own_baselines() -> None:
    apart = [
        made_up("lstm", seed, 0.6, dataset="mine", fingerprint="ab", max_len=max_len)
        for max_len in (10, 20)
        for seed in range(2)
    ]
    first, second = (row.name for row in divide_runs(apart, "architecture"))
    rows = [
        replace(baselines(score)[0], section=name)
        for name, score in {first: 0.7, second: 0.8, "another": 0.9}.items()
    ]
    assert outcome_of(apart, rows).sentences[0] == (
        "No network clearly beats the majority class: always predicting the most common class "
        f"scores 70.00 % ({first}), 80.00 % ({second})."
    )


def test_where_one_network_beats_the_majority_nothing_is_to_be_tried() -> None:
    scores = {"lstm": [0.99, 0.991, 0.992], "gru": [0.97, 0.98, 0.985]}
    assert not outcome_of(runs(**scores), baselines(0.98)).next_step


def test_a_bag_of_words_that_is_better_than_all_is_named_with_its_lead(tmp_path: Path) -> None:
    """All of 10 points lie between the texts: 40 of 400, ± 1.966 · √(0.09 · 400 / 399 / 400)."""
    found = outcome_of(
        [*kept(tmp_path, "lstm", [320, 320]), *kept(tmp_path, "gru", [300, 302])],
        [judged(360, right=np.arange(N_TEXTS) < 360)],
    )
    assert found.sentences[0] == (
        "A bag of words, without any order, is better by 10.00 points [7.05, 12.95]: it scores "
        "90.00 %, the best network, lstm, 80.00 %."
    )
    assert found.next_step == f"{COMMAND} --learning-rate 0.01"


def tf_idf(n_right: int, **values: Any) -> BaselineRow:
    """Right about the first so many, as `kept` runs are."""
    return judged(n_right, **{"arm": TF_IDF, "right": np.arange(N_TEXTS) < n_right, **values})


def test_more_than_two_points_behind_tf_idf_is_said_with_its_interval(tmp_path: Path) -> None:
    found = outcome_of(kept(tmp_path, "lstm", [320, 320]), [tf_idf(360)])
    assert found.sentences[0] == (
        "TF-IDF with logistic regression is better by 10.00 points [7.05, 12.95]: it scores "
        "90.00 %, the best network, lstm, 80.00 %."
    )
    assert found.next_step == f"{COMMAND} --learning-rate 0.01"


def test_a_lead_of_tf_idf_that_is_not_sure_is_said_as_that(tmp_path: Path) -> None:
    found = outcome_of(kept(tmp_path, "lstm", [280, 340]), [tf_idf(330)])
    assert found.sentences[0].startswith(
        "TF-IDF with logistic regression is ahead by 5.00 points [−"
    )
    assert "] on these texts, not clearly: it scores 82.50 %," in found.sentences[0]


@pytest.mark.parametrize("rights", [[322, 322], [320]], ids=["two points", "one run"])
def test_tf_idf_needs_no_word_where_it_is_near_or_one_run_is_all(
    tmp_path: Path, rights: list[int]
) -> None:
    assert not outcome_of(kept(tmp_path, "lstm", rights), [tf_idf(330)]).findings


def test_the_best_network_alone_is_set_against_tf_idf(tmp_path: Path) -> None:
    """One that is here today and there tomorrow has an interval that reaches anywhere."""
    found = [*kept(tmp_path, "lstm", [320, 320]), *kept(tmp_path, "gru", [100, 300])]
    assert "is better by 10.00 points" in outcome_of(found, [tf_idf(360)]).sentences[0]
    near = [*kept(tmp_path, "lstm-dropout", [355, 356]), *found]
    assert not outcome_of(near, [tf_idf(360)]).findings


@pytest.mark.parametrize(
    ("bag", "first"), [(350, "TF-IDF with logistic"), (380, "A bag of words, without")]
)
def test_of_two_linear_models_that_are_better_the_larger_is_told(
    tmp_path: Path, bag: int, first: str
) -> None:
    rows = [judged(bag, right=np.arange(N_TEXTS) < bag), tf_idf(360)]
    found = outcome_of(kept(tmp_path, "lstm", [320, 320]), rows)
    assert [kind for kind, _ in found.findings] == ["linear model"]
    assert found.sentences[0].startswith(first)


def test_what_is_sure_comes_before_what_is_larger(tmp_path: Path) -> None:
    unsure = np.roll(np.arange(N_TEXTS) < 342, 200)  # right and wrong about quite other texts
    rows = [judged(340, right=np.arange(N_TEXTS) < 340), tf_idf(342, right=unsure)]
    found = outcome_of(kept(tmp_path, "lstm", [320, 320]), rows)
    assert found.sentences[0].startswith("A bag of words, without any order, is better by 5.00")


def test_few_texts_macro_f1_and_class_weights_are_not_set_against_tf_idf(tmp_path: Path) -> None:
    found = kept(tmp_path, "lstm", [200, 200])
    assert not outcome_of(found, [tf_idf(360)], metric="test_macro_f1").findings
    assert not outcome_of(found, [tf_idf(360)], n_test=40).says("linear model")
    weighted = kept(tmp_path, "gru", [200, 200], class_weight="balanced")
    assert not outcome_of(weighted, [tf_idf(360)]).findings


def test_networks_that_are_level_are_both_the_best(tmp_path: Path) -> None:
    found = outcome_of(
        [*kept(tmp_path, "lstm", [220, 220]), *kept(tmp_path, "gru", [220, 220])], [judged(360)]
    )
    assert found.sentences[0].endswith("the best networks, lstm, gru, 55.00 %.")


def test_of_one_run_each_a_bag_of_words_is_not_called_better(tmp_path: Path) -> None:
    assert not outcome_of(kept(tmp_path, "lstm", [200]), [judged(360)]).findings


def test_without_predictions_a_bag_of_words_is_not_called_better() -> None:
    """Runs alone do not show how far the difference would be another on other texts."""
    assert not outcome_of(runs(lstm=[0.5, 0.5, 0.51]), baselines(None, 0.85)).findings


def test_runs_that_lie_far_apart_are_not_behind_a_bag_of_words(tmp_path: Path) -> None:
    assert not outcome_of(kept(tmp_path, "lstm", [280, 360]), [judged(340)]).findings


def test_runs_at_the_limit_that_still_improve_are_counted() -> None:
    found = outcome_of(runs(lstm=[finished(0.8, **CUT), finished(0.8)], gru=[finished(0.8, **CUT)]))
    assert found.sentences == (
        "Stopped at the limit of 100 epochs, still improving: 2 of 3 runs (lstm 1, gru 1).",
        f"To try next: {COMMAND} --epochs 300",
    )


def test_a_run_that_waits_for_its_stop_is_not_still_improving() -> None:
    assert not outcome_of(runs(lstm=[finished(0.8, epochs=100, best_epoch=99)])).findings


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
