"""`rnnbench run --tuned`: what is said where a study trains otherwise than was tuned."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnbench.study import Study, load_study
from rnnbench.tuning.record import TuningRecord, write_record
from rnnbench.tuning.trials import Trial
from rnnbench.workflows.datasets import DatasetRef
from rnnbench.workflows.tuning_plan import TuneChoices, compose_tuning
from rnnbench.workflows.winners import recipe_differences, tell_differences, with_winners

REVIEWS = DatasetRef(name="imdb", fingerprint="ab", origin="here")


@pytest.fixture
def searched(tmp_path: Path) -> Path:
    """A ledger's folder with a search for the learning rate of an LSTM(8) on 100 words."""
    tuning = compose_tuning(TuneChoices(architectures=("lstm",)))
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
        declaration=tuning.declaration("lstm", REVIEWS, "jax"),
        seeds=tuning.seeds,
        n_trials=1,
        trials=(trial,),
        hardware="cpu",
        command="rnnbench tune lstm",
    )
    write_record(tmp_path, record)
    return tmp_path


def study_with(searched: Path, **choices: dict[str, tuple[int, ...]]) -> tuple[Study, list[str]]:
    study = load_study("textbook").with_choices(architectures=("lstm",), **choices)
    study = with_winners(study, searched, REVIEWS, ())
    return study, recipe_differences(study, searched, REVIEWS, "jax")


def test_a_study_as_it_was_tuned_has_nothing_to_tell(searched: Path) -> None:
    study, differences = study_with(searched)
    assert differences == []
    assert tell_differences(study, differences) is study


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"hyperparameters": {"units": (16,)}}, "units 8, and runs with 16"),
        ({"hyperparameters": {"units": (8, 16)}}, "units 8, and runs with 8, 16"),
        ({"data": {"max_len": (500,)}}, "max_len 100, and runs with 500"),
        ({"recipe": {"epochs": (30,)}}, "epochs 100, and runs with 30"),
    ],
)
def test_what_differs_is_told_and_declared(
    searched: Path, choices: dict[str, dict[str, tuple[int, ...]]], words: str
) -> None:
    study, differences = study_with(searched, **choices)
    assert differences == [f"lstm was tuned with {words}"]
    declared = tell_differences(study, differences).declaration["description"]
    assert declared.endswith(f"found best for it. But lstm was tuned with {words}.")
