"""`rnnbench run --tuned`: what is said where a study trains otherwise than was tuned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_up import DATASET, tuning_of

from rnnbench.study import Study
from rnnbench.study_files import load_study
from rnnbench.tuning.record import TuneOutcome, TuningRecord, read_records, write_record
from rnnbench.tuning.trials import Trial
from rnnbench.tuning.winners import with_winners


@pytest.fixture
def searched(tmp_path: Path) -> Path:
    """A ledger's folder with a search for the learning rate of an LSTM(8) on 100 words."""
    tuning = tuning_of()
    trial = Trial(
        number=0,
        params={"learning_rate": 0.005},
        state="complete",
        value=0.4,
        epochs=30,
        seconds=1.0,
    )
    record = TuningRecord(
        tuning="tuning",
        architecture="lstm",
        dataset="imdb",
        fingerprint="ab",
        declaration=tuning.declaration("lstm"),
        seeds=tuning.choices.tuning_seeds,
        n_trials=1,
        trials=(trial,),
        hardware="cpu",
        command="rnnbench tune lstm",
    )
    write_record(tmp_path, record)
    return tmp_path


def test_a_winner_that_is_no_better_than_chance_is_warned_of(searched: Path) -> None:
    (record,) = read_records(searched, "ab").values()
    warnings: list[str] = []
    for chance_loss, n_warnings in ((None, 0), (0.41, 0), (0.4, 1)):
        write_record(searched, replace(record, chance_loss=chance_loss))
        study = load_study("textbook").with_choices(architectures=("lstm",))
        with_winners(study, searched, DATASET, "jax", (), warnings.append)
        assert len(warnings) == n_warnings
    assert "a validation loss of 0.4000, which is not below the 0.4000" in warnings[0]


def test_a_search_that_is_over_without_a_winner_has_not_gone_well(searched: Path) -> None:
    (record,) = read_records(searched, "ab").values()
    lost = replace(record, trials=(Trial(number=0, params={}, state="pruned"),))
    begun = replace(record, trials=(), n_trials=6)
    assert TuneOutcome(records=(record, begun)).has_all_winners
    assert not TuneOutcome(records=(record, lost)).has_all_winners


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"trials": 3}', b"\xff"])
def test_a_record_that_is_torn_is_named_and_left_out(searched: Path, content: bytes) -> None:
    (path,) = (searched / "tuning").glob("*/*/lstm.json")
    path.write_bytes(content)
    told: list[str] = []
    assert read_records(searched, "ab", told.append) == {}
    assert len(told) == 1
    assert told[0].startswith(f"{path} cannot be read (")


def study_with(searched: Path, **choices: dict[str, tuple[int, ...]]) -> tuple[Study, list[str]]:
    study = load_study("textbook").with_choices(architectures=("lstm",), **choices)
    differences: list[str] = []
    study = with_winners(study, searched, DATASET, "jax", (), differences.append)
    return study, differences


def test_a_study_as_it_was_tuned_has_nothing_to_tell(searched: Path) -> None:
    study, differences = study_with(searched)
    assert differences == []
    assert study.description.endswith("the values that 1 trial found best for it.")


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"hyperparameters": {"units": (16,)}}, "units 8, and runs with 16"),
        ({"hyperparameters": {"units": (8, 16)}}, "units 8, and runs with 8, 16"),
        ({"data": {"max_len": (500,)}}, "max_len 100, and runs with 500"),
        ({"recipe": {"epochs": (30,)}}, "epochs 100, and runs with 30"),
        ({"recipe": {"class_weight": ("balanced",)}}, "class_weight none, and runs with balanced"),
    ],
)
def test_what_differs_is_told_and_declared(
    searched: Path, choices: dict[str, dict[str, tuple[int, ...]]], words: str
) -> None:
    study, differences = study_with(searched, **choices)
    assert differences == [f"lstm was tuned with {words}"]
    declared = study.declaration["description"]
    assert declared.endswith(f"found best for it. But lstm was tuned with {words}.")
