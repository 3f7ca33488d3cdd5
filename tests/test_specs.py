"""Specs check themselves, and their fingerprints tell exactly what can change a run's numbers."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import Any

import pytest

from rnnbench.errors import StudyError
from rnnbench.specs import CanonicalForm, DataSpec, PluginForm, Recipe, RunResult, RunSpec

SPEC = RunSpec(
    form=CanonicalForm(cell="lstm"), data=DataSpec(dataset="imdb", fingerprint="ab" * 32), seed=1
)

BAD_FORMS: dict[str, dict[str, Any]] = {
    "unknown cell": {"cell": "lstmm"},
    "0 units": {"units": 0},
    "half a unit": {"units": 1.5},
    "true units": {"units": True},
    "0 layers": {"depth": 0},
    "dropout 1.5": {"dropout": 1.5},
    "dropout 1": {"dropout": 1.0},
    "negative dropout": {"dropout": -0.1},
    "NaN dropout": {"dropout": math.nan},
    "dropout in words": {"dropout": "some"},
    "recurrent dropout 1": {"recurrent_dropout": 1},
    "reset_after of an LSTM": {"reset_after": True},
    "a GRU without reset_after": {"cell": "gru"},
}


@pytest.mark.parametrize("values", BAD_FORMS.values(), ids=BAD_FORMS.keys())
def test_a_form_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(StudyError):
        CanonicalForm(**{"cell": "lstm", **values})


BAD_RECIPES: dict[str, dict[str, Any]] = {
    "negative learning rate": {"learning_rate": -1},
    "learning rate 0": {"learning_rate": 0.0},
    "NaN learning rate": {"learning_rate": math.nan},
    "infinite learning rate": {"learning_rate": math.inf},
    "learning rate in words": {"learning_rate": "fast"},
    "0 epochs": {"epochs": 0},
    "0 patience": {"patience": 0},
    "0 reviews a batch": {"batch_size": 0},
    "unknown optimizer": {"optimizer": "lion"},
    "unknown order": {"order": "sorted"},
}


@pytest.mark.parametrize("values", BAD_RECIPES.values(), ids=BAD_RECIPES.keys())
def test_a_recipe_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    (name,) = values
    with pytest.raises(StudyError, match=name):
        Recipe(**values)


BAD_RUNS: dict[str, dict[str, Any]] = {
    "negative seed": {"seed": -1},
    "true seed": {"seed": True},
    "unknown engine": {"engine": "steam"},
    "unknown back end": {"backend": "numpy"},
    "empty embedding": {"embedding_size": 0},
}


@pytest.mark.parametrize("values", BAD_RUNS.values(), ids=BAD_RUNS.keys())
def test_a_run_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(StudyError):
        replace(SPEC, **values)


BAD_DATA: dict[str, dict[str, Any]] = {
    "3 words": {"num_words": 3},
    "no length": {"max_len": 0},
    "no validation part": {"validation_fraction": 0},
    "nothing to train on": {"validation_fraction": 1.0},
    "a split seed in words": {"split_seed": "x"},
    "a negative split seed": {"split_seed": -1},
    "a split seed beyond 32 bits": {"split_seed": 2**32},
}


@pytest.mark.parametrize("values", BAD_DATA.values(), ids=BAD_DATA.keys())
def test_data_that_cannot_be_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(StudyError):
        replace(SPEC.data, **values)


CHANGES: dict[str, RunSpec] = {
    "seed": replace(SPEC, seed=2),
    "engine's back end": replace(SPEC, backend="tensorflow"),
    "race": replace(SPEC, race="0" * 8),
    "embedding": replace(SPEC, embedding_size=8),
    "units": replace(SPEC, form=replace(SPEC.form, units=9)),
    "content": replace(SPEC, data=replace(SPEC.data, fingerprint="cd" * 32)),
    "length": replace(SPEC, data=replace(SPEC.data, max_len=50)),
    "words": replace(SPEC, data=replace(SPEC.data, num_words=400)),
    "split": replace(SPEC, data=replace(SPEC.data, split_seed=1)),
    "validation part": replace(SPEC, data=replace(SPEC.data, validation_fraction=0.1)),
    **{
        name: replace(SPEC, recipe=replace(SPEC.recipe, **{name: value}))
        for name, value in {
            "optimizer": "adam",
            "learning_rate": 1e-3,
            "batch_size": 32,
            "epochs": 50,
            "patience": 2,
            "order": "frozen",
        }.items()
    },
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES.keys())
def test_what_can_change_the_numbers_changes_the_fingerprint(changed: RunSpec) -> None:
    assert changed.fingerprint != SPEC.fingerprint


def test_every_field_of_a_run_is_among_those_changes() -> None:
    # A field added later must be thought of here: does it belong to the fingerprint?
    assert set(CHANGES["race"].to_json()) == {
        "form",
        "data",
        "seed",
        "recipe",
        "embedding_size",
        "engine",
        "backend",
        "purpose",
        "race",
    }


def test_the_name_of_the_data_is_for_people_only() -> None:
    renamed = replace(SPEC, data=replace(SPEC.data, dataset="reviews"))
    assert renamed.fingerprint == SPEC.fingerprint


def test_whole_numbers_and_floats_of_one_value_are_one_fingerprint() -> None:
    whole = replace(SPEC, form=CanonicalForm(cell="lstm", dropout=0, recurrent_dropout=0))
    assert whole.fingerprint == SPEC.fingerprint
    rates = [replace(SPEC, recipe=Recipe(learning_rate=rate)).fingerprint for rate in (1, 1.0)]
    assert rates[0] == rates[1]


def test_a_fingerprint_stays_what_it_was() -> None:
    # Ledgers hold it: a change here makes every finished run unfinished.
    assert SPEC.fingerprint == "c8efac3206200e98"


@pytest.mark.parametrize("name", ["seed", "learning_rate", "epochs", "patience", "order"])
def test_runs_that_one_program_can_train_have_one_shape(name: str) -> None:
    assert CHANGES[name].shape == SPEC.shape


@pytest.mark.parametrize("name", ["units", "length", "words", "batch_size", "optimizer"])
def test_runs_that_need_another_program_have_another_shape(name: str) -> None:
    assert CHANGES[name].shape != SPEC.shape


@pytest.mark.parametrize(
    "form",
    [
        CanonicalForm(cell="gru", reset_after=False, dropout=0.1),
        PluginForm(
            name="attention", arguments=(("heads", 2), ("causal", True)), code="0123456789ab"
        ),
    ],
    ids=["built in", "plug-in"],
)
def test_a_spec_comes_back_from_json(form: CanonicalForm | PluginForm) -> None:
    spec = replace(SPEC, form=form)
    restored = RunSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert restored == spec
    assert restored.fingerprint == spec.fingerprint


@pytest.mark.parametrize("code", ["<b>", "ab", "0123456789AB", ["0123456789ab"], None])
def test_a_digest_of_code_is_one(code: Any) -> None:
    with pytest.raises(StudyError, match="12 hex digits"):
        PluginForm(name="attention", code=code)


def test_the_order_of_a_plugins_arguments_means_nothing() -> None:
    pairs = (("a", 1), ("b", 2))
    assert PluginForm(name="x", arguments=pairs) == PluginForm(name="x", arguments=pairs[::-1])


def test_a_result_of_a_later_version_can_be_read() -> None:
    result = RunResult(status="finished", epochs=3, test_accuracy=0.75)
    assert RunResult.from_json({**asdict(result), "of_tomorrow": 1}) == result


def test_settings_are_all_that_changes_the_numbers_but_form_and_seed() -> None:
    for name, changed in CHANGES.items():
        differing = {
            key for key, value in changed.settings.items() if value != SPEC.settings.get(key)
        }
        assert len(differing) == (name not in ("seed", "units")), name
    assert "dataset" not in SPEC.settings


def test_a_run_for_tuning_is_kept_apart_and_needs_no_other_program() -> None:
    tuning = replace(SPEC, purpose="tuning")
    assert tuning.fingerprint != SPEC.fingerprint
    assert tuning.shape == SPEC.shape
    assert RunSpec.from_json(tuning.to_json()) == tuning
    old = {key: value for key, value in SPEC.to_json().items() if key != "purpose"}
    assert RunSpec.from_json(old) == SPEC


def test_a_split_is_data_and_no_other_program() -> None:
    assert CHANGES["split"].shape == SPEC.shape
