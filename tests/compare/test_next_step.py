"""What to try next: the user's own command with other options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_up import spec_of

from rnnbench.compare.next_step import next_step
from rnnbench.data.cache import store_corpus
from rnnbench.data.corpus import FIRST_WORD, Corpus, Half
from rnnbench.options import flag_names, option_names
from rnnbench.run_options import RunChoices
from rnnbench.tuning.choices import TuneChoices

RUN = "rnnbench run lstm gru --dataset mine.csv"


@pytest.fixture(autouse=True)
def _the_usual_race(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RNNBENCH_RACE", raising=False)


def step(*, has_learnt: bool = False, is_cut: bool = False, command: str = RUN, **spec: Any) -> str:
    return next_step([spec_of(**spec)], command, has_learnt=has_learnt, is_cut_short=is_cut)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (RUN, f"{RUN} --epochs 300"),
        ("rnnbench run lstm --epochs 5 --seeds 3", "rnnbench run lstm --seeds 3 --epochs 300"),
        ("rnnbench run lstm --epochs=5", "rnnbench run lstm --epochs 300"),
        ("rnnbench run --quick lstm", "rnnbench run lstm --quick --epochs 300"),
        (
            "rnnbench run lstm --dataset '내 파일.csv'",
            "rnnbench run lstm --dataset '내 파일.csv' --epochs 300",
        ),
        (
            "rnnbench run lstm --dataset - --separator -",
            "rnnbench run lstm --dataset … --separator - --epochs 300",
        ),
        ("rnnbench.run(…)", "rnnbench.run(…, epochs=300)"),
        (
            "rnnbench run lstm --set a=1,2 --set=b=3 --epochs 5",
            "rnnbench run lstm --set a=1,2 --set b=3 --epochs 300",
        ),
        ("rnnbench run net.py:build lstm", ""),
        ("", "rnnbench run … --epochs 300"),
        ("rnnbench run lstm --dataset it's.csv", ""),
    ],
    ids=[
        *("added", "replaced", "with =", "flag", "quoted", "standard input", "in Python"),
        *("each --set", "a file that is not here"),
        *("unknown", "no command line"),
    ],
)
def test_an_option_of_the_users_command_is_changed(command: str, expected: str) -> None:
    assert step(has_learnt=True, is_cut=True, command=command) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            f"{RUN} --seeds 5 --quoting none --max-len 60 --learning-rate 0.01 --no-report",
            "lstm gru --dataset mine.csv --quoting none --max-len 60",
        ),
        ("rnnbench run --study my.toml --dataset d.csv", "lstm --dataset d.csv"),
        ("rnnbench run --quick lstm --dataset d.csv", "lstm --dataset d.csv"),
        ("rnnbench run --all --device gpu --lanes 8", "--all --device gpu"),
        ("rnnbench.run(…)", "…"),
    ],
    ids=["networks and data", "a study's file", "a flag", "where it runs", "in Python"],
)
def test_tuning_takes_the_networks_and_the_data(command: str, expected: str) -> None:
    found = step(learning_rate=0.01, command=command)
    assert found.startswith(f"rnnbench tune {expected}; then rnnbench")
    assert "tuned" in found


@pytest.mark.parametrize(
    "options",
    ["--units 32", "--optimizer adam", "--batch-size 16", "--max-len 50,100", "--set a=1"],
)
def test_what_tuning_does_not_take_is_not_tuned(options: str) -> None:
    assert not step(learning_rate=0.01, command=f"{RUN} {options}")


def test_a_study_with_networks_or_texts_of_its_own_is_not_tuned() -> None:
    command = "rnnbench run --study my.toml"
    assert not step(learning_rate=0.01, command=command, units=4)
    assert not step(learning_rate=0.01, command=command, dataset="mine", fingerprint="ab")
    own: dict[str, Any] = {"dataset": "mine", "fingerprint": "ab", "units": 32}
    found = step(learning_rate=0.01, command=f"{command} --train d.csv", **own)
    assert found.startswith("rnnbench tune lstm --train d.csv; ")


def test_advice_knows_the_options_of_both_commands() -> None:
    both = {*option_names(RunChoices)} & {*option_names(TuneChoices)} - {"fresh", "architectures"}
    for name in both:
        option = f"--{name.replace('_', '-').rstrip('-')}"
        value = "" if option in flag_names(RunChoices) else " 1"
        assert f"{option}{value}" in step(learning_rate=0.01, command=f"{RUN} {option}{value}")


def test_what_was_forgone_is_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The race that chooses settings, on texts of the user's own."""
    own: dict[str, Any] = {"dataset": "mine", "fingerprint": "ab"}
    raced = f"{RUN}, with a race for the settings"
    assert step(command=f"{RUN} --race none", **own) == raced
    assert step(command=f"{RUN} --race=none", has_learnt=True, is_cut=True, **own) == raced
    cut = f"{RUN} --race none --epochs 6"
    assert step(command=cut, is_cut=True, **own) == raced
    monkeypatch.setenv("RNNBENCH_RACE", "none")
    assert step(**own) == f"{RUN} --race 3m, with a race for the settings"
    assert step(command=f"{RUN} --race 5m", **own).endswith(" --learning-rate 0.01")
    assert "--race" not in step(command=f"{RUN} --learning-rate 0.0001", **own)
    assert "--race" not in step(learning_rate=0.01, **own) + step()


def test_runs_that_were_cut_short_get_three_times_the_epochs() -> None:
    assert step(has_learnt=True, is_cut=True) == f"{RUN} --epochs 300"
    assert step(has_learnt=True, is_cut=True, epochs=5) == f"{RUN} --epochs 100"


def test_networks_that_learnt_nothing_get_a_higher_rate_first() -> None:
    assert step() == f"{RUN} --learning-rate 0.01"
    assert step(is_cut=True) == f"{RUN} --learning-rate 0.01"  # a hundred epochs are enough then
    assert step(is_cut=True, epochs=5) == f"{RUN} --learning-rate 0.01 --epochs 100"


def test_with_a_high_rate_the_next_step_is_to_tune() -> None:
    found = step(learning_rate=0.01, command=f"{RUN} --learning-rate 0.01")
    assert found == f"rnnbench tune lstm gru --dataset mine.csv; then {RUN} --tuned"


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
    data: dict[str, Any] = {
        "dataset": "long",
        "fingerprint": store_corpus(corpus),
        "num_words": 500,
    }
    rate = "--learning-rate 0.01"
    assert step(max_len=10, **data) == f"{RUN} --max-len 41 --num-words 500 {rate}"
    assert step(max_len=60, **data) == f"{RUN} {rate}"
