"""What to try next: the user's own command with other options."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import spec_of

from rnnbench.compare.next_step import next_step, tuning_of, with_options
from rnnbench.data.cache import store_corpus
from rnnbench.data.corpus import FIRST_WORD, Corpus, Half

RUN = "rnnbench run lstm gru --dataset mine.csv"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (RUN, f"{RUN} --epochs 300"),
        ("rnnbench run lstm --epochs 5 --seeds 3", "rnnbench run lstm --seeds 3 --epochs 300"),
        ("rnnbench run lstm --epochs=5", "rnnbench run lstm --epochs 300"),
        ("rnnbench run --no-report lstm", "rnnbench run --no-report lstm --epochs 300"),
        (
            "rnnbench run lstm --dataset '내 파일.csv'",
            "rnnbench run lstm --dataset '내 파일.csv' --epochs 300",
        ),
        ("rnnbench.run(…)", "rnnbench run … --epochs 300"),
        ("", "rnnbench run … --epochs 300"),
    ],
    ids=["added", "replaced", "with =", "flag", "quoted", "in Python", "unknown"],
)
def test_an_option_of_the_users_command_is_changed(command: str, expected: str) -> None:
    assert with_options(command, {"epochs": 300}) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            f"{RUN} --seeds 5 --no-quotes --max-len 60 --learning-rate 0.01 --no-report",
            "rnnbench tune lstm gru --dataset mine.csv --no-quotes --max-len 60",
        ),
        ("rnnbench run --study mine.toml", "rnnbench tune …"),
        ("rnnbench.run(…)", "rnnbench tune …"),
    ],
    ids=["networks and data", "a study's file", "in Python"],
)
def test_tuning_takes_the_networks_and_the_data(command: str, expected: str) -> None:
    assert tuning_of(command) == expected


def step(
    *, has_learnt: bool = False, is_cut: bool = False, command: str = RUN, **spec: float
) -> str:
    return next_step([spec_of(**spec)], command, has_learnt=has_learnt, is_cut_short=is_cut)


def test_runs_that_were_cut_short_get_three_times_the_epochs() -> None:
    assert step(has_learnt=True, is_cut=True) == f"{RUN} --epochs 300"
    assert step(has_learnt=True, is_cut=True, epochs=5) == f"{RUN} --epochs 100"


def test_networks_that_learnt_nothing_get_a_higher_rate_first() -> None:
    assert step() == f"{RUN} --learning-rate 0.01"
    assert step(is_cut=True) == f"{RUN} --learning-rate 0.01"  # a hundred epochs are enough then
    assert step(is_cut=True, epochs=5) == f"{RUN} --learning-rate 0.01 --epochs 100"


def test_with_a_high_rate_the_next_step_is_to_tune() -> None:
    found = step(learning_rate=0.01)
    assert found == f"rnnbench tune lstm gru --dataset mine.csv; then {RUN} --tuned"


def test_what_was_tuned_is_not_given_as_well() -> None:
    found = step(learning_rate=0.01, command=f"{RUN} --learning-rate 0.01 --max-len 50,100")
    assert found.startswith("rnnbench tune lstm gru --dataset mine.csv; then ")
    assert found.endswith(f"then {RUN} --max-len 50,100 --tuned")


def test_after_tuning_there_is_nothing_to_name() -> None:
    assert step(command=f"{RUN} --tuned") == step(has_learnt=True) == ""


def test_texts_of_ones_own_that_are_cut_are_shown_whole_first() -> None:
    rows = [[1, *[FIRST_WORD + n % 9 for n in range(40)]]] * 30
    half = Half(
        tokens=np.concatenate(rows).astype(np.int32),
        offsets=41 * np.arange(31, dtype=np.int64),
        labels=np.array([0, 1] * 15, dtype=np.int8),
    )
    words = tuple(f"w{n}" for n in range(9))
    corpus = Corpus(name="long", train=half, test=half, n_validation=6, vocabulary=words)
    data = {"dataset": "long", "fingerprint": store_corpus(corpus), "num_words": 500}
    rate = "--learning-rate 0.01"
    assert step(max_len=10, **data) == f"{RUN} --max-len 41 --num-words 500 {rate}"  # type: ignore[arg-type]
    assert step(max_len=60, **data) == f"{RUN} {rate}"  # type: ignore[arg-type]
