"""Runs divided into tables: which stand together, under what name, in what order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from made_up import made_up

from rnnbench.architectures import display_name, make_form
from rnnbench.compare.sections import Section, divide_runs, without
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import PluginForm
from rnnbench.studies.summary import summarise


def runs(*architectures: str, seeds: Sequence[int] = (0, 1), **values: Any) -> list[RecordedRun]:
    return [made_up(name, seed, 0.8, **values) for name in architectures for seed in seeds]


def names(section: Section) -> list[str]:
    return [arm.name for arm in section.arms]


@pytest.mark.parametrize(
    ("arguments", "codes", "labels"),
    [
        ((8, 8), "ab", ["(units=8, code=aaaaaaaaaaaa)", "(units=8, code=bbbbbbbbbbbb)"]),
        ((4, 8), "aa", ["(units=4, code=aaaaaaaaaaaa)", "(units=8, code=aaaaaaaaaaaa)"]),
    ],
    ids=["codes", "defaults"],
)
def test_two_networks_of_one_name_are_two_arms(
    arguments: Sequence[int], codes: str, labels: list[str]
) -> None:
    forms = [
        PluginForm(name="net.py:build", arguments=own, defaults=own, code=code * 12)
        for units, code in zip(arguments, codes, strict=True)
        for own in [(("units", units),)]
    ]
    found = [replace(run, spec=replace(run.spec, form=f)) for f in forms for run in runs("lstm")]
    (section,) = divide_runs(found, "architecture")
    assert names(section) == [f"net.py:build{label}" for label in labels]
    assert len({arm.base for arm in section.arms}) == len({*codes})
    assert [row.architecture for row in summarise(found)] == names(section)
    (tuned,) = divide_runs(found, "architecture", tuned={"net.py:build": {}})
    assert len(tuned.arms) == 2
    assert len({each.name for each in divide_runs(found, "order")}) == 2


def test_architectures_of_one_recipe_are_one_section_without_a_name() -> None:
    (section,) = divide_runs(runs("gru", "lstm"), "architecture")
    assert section.name == ""
    assert names(section) == ["lstm", "gru"]  # the design's order


def test_an_arm_holds_its_runs_by_seed_the_failed_ones_too() -> None:
    found = [made_up("lstm", 2, 0.8), made_up("lstm", 1), made_up("lstm", 0, 0.7)]
    (section,) = divide_runs(found, "architecture")
    (arm,) = section.arms
    assert [run.spec.seed for run in arm.runs] == [0, 1, 2]
    assert [run.spec.seed for run in arm.finished] == [0, 2]


def test_runs_with_class_weights_have_a_section_of_their_own() -> None:
    found = runs("gru", "lstm", class_weight="balanced") + runs("gru", "lstm")
    sections = divide_runs(found, "architecture")
    assert [section.name for section in sections] == ["class_weight=balanced", "class_weight=none"]
    assert {len(section.arms) for section in sections} == {2}


def test_other_architectures_follow_the_presets_by_name() -> None:
    found = runs("gru", "lstm") + runs("gru", "lstm", units=16)
    (section,) = divide_runs(found, "architecture")
    assert names(section) == ["lstm", "gru", "gru(units=16)", "lstm(units=16)"]


@pytest.mark.parametrize(
    ("factor", "one", "other"),
    [
        ("max_len", 50, 100),
        ("learning_rate", 1e-4, 1e-3),
        ("order", "frozen", "reshuffled"),
        ("split_seed", 1, 42),
        ("embedding_size", 8, 16),
        ("backend", "jax", "tensorflow"),
    ],
)
def test_what_differs_besides_the_contrast_makes_a_section(
    factor: str, one: object, other: object
) -> None:
    found = runs("lstm", **{factor: other}) + runs("lstm", **{factor: one})
    sections = divide_runs(found, "architecture")
    assert [section.name for section in sections] == [f"{factor}={one}", f"{factor}={other}"]
    assert all(len(arm.runs) == 2 for section in sections for arm in section.arms)


def test_sections_are_ordered_by_the_size_of_numbers() -> None:
    found = [run for length in (200, 50, 1000) for run in runs("lstm", max_len=length)]
    sections = divide_runs(found, "architecture")
    assert [section.name for section in sections] == ["max_len=50", "max_len=200", "max_len=1000"]


def test_each_data_set_has_a_section_of_its_own() -> None:
    found = runs("lstm") + runs("lstm", dataset="mine", fingerprint="ab" * 32)
    sections = divide_runs(found, "architecture")
    assert [section.name for section in sections] == [
        "fingerprint=70e42a433819",
        "fingerprint=abababababab",
    ]


def test_the_name_of_the_data_alone_makes_no_section() -> None:
    found = runs("lstm", seeds=(0,)) + runs("lstm", seeds=(1,), dataset="a.npz")
    (section,) = divide_runs(found, "architecture")
    assert len(section.arms[0].runs) == 2


def test_orders_are_arms_and_architectures_are_sections() -> None:
    found = runs("gru", "lstm", order="frozen") + runs("gru", "lstm")
    sections = divide_runs(found, "order")
    assert [section.name for section in sections] == ["lstm", "gru"]
    assert names(sections[0]) == ["order=reshuffled", "order=frozen"]


def test_units_are_arms_and_dropouts_are_sections() -> None:
    found = [
        run
        for units in (16, 4, 8)
        for dropout in (0.3, 0.0)
        for run in runs("lstm", units=units, dropout=dropout)
    ]
    sections = divide_runs(found, "units")
    assert [section.name for section in sections] == ["lstm", "lstm-dropout"]
    assert names(sections[0]) == names(sections[1]) == ["units=4", "units=8", "units=16"]


def test_dropouts_are_arms() -> None:
    found = runs("lstm", "lstm-dropout", "gru")
    sections = divide_runs(found, "dropout")
    assert [section.name for section in sections] == ["lstm", "gru"]
    assert names(sections[0]) == ["dropout=0.0", "dropout=0.3"]
    assert names(sections[1]) == ["dropout=0.0"]


def test_lengths_are_arms() -> None:
    found = [run for length in (200, 50) for run in runs("lstm", max_len=length)]
    (section,) = divide_runs(found, "max_len")
    assert names(section) == ["max_len=50", "max_len=200"]


def test_a_split_for_each_seed_is_no_difference_where_the_study_varies_it() -> None:
    found = [made_up("lstm", seed, 0.8, split_seed=seed) for seed in range(3)]
    (section,) = divide_runs(found, "architecture", vary_split=True)
    assert section.name == ""
    assert len(section.arms[0].runs) == 3
    assert len(divide_runs(found, "architecture")) == 3


def test_runs_of_the_one_split_stand_apart_from_those_of_each_seeds_own() -> None:
    own = [made_up("lstm", seed, 0.8, split_seed=seed) for seed in range(3)]
    sections = divide_runs([*own, *runs("lstm")], "architecture", vary_split=True)
    assert [section.name for section in sections] == [
        "split_seed=42",
        "split_seed=each seed's own",
    ]


def test_no_runs_make_no_sections() -> None:
    assert divide_runs([], "architecture") == ()


def test_a_plug_in_loses_the_argument_that_is_the_contrast() -> None:
    form = PluginForm(name="attention", arguments=(("heads", 2), ("units", 4)))
    assert without(form, "units") == PluginForm(name="attention", arguments=(("heads", 2),))


def test_a_preset_without_its_dropout_is_the_plain_one() -> None:
    assert display_name(without(make_form("lstm-dropout"), "dropout")) == "lstm"


def test_tuned_architectures_at_their_own_rates_are_one_section() -> None:
    tuned = {"gru": {"learning_rate": 0.005}, "lstm": {"learning_rate": 0.0156, "units": 12}}
    found = runs("gru", learning_rate=0.005) + runs("lstm", learning_rate=0.0156, units=12)
    (section,) = divide_runs(found, "architecture", tuned=tuned)
    assert set(names(section)) == {"tuned gru", "tuned lstm"}


def test_tuned_architectures_of_another_size_are_called_by_it() -> None:
    tuned = {"gru": {"learning_rate": 0.005}}
    found = runs("gru", learning_rate=0.005, units=32) + runs("gru", learning_rate=0.005)
    (section,) = divide_runs(found, "architecture", tuned=tuned)
    assert set(names(section)) == {"tuned gru", "tuned gru(units=32)"}


def test_what_an_earlier_search_had_found_is_an_arm_of_its_own() -> None:
    tuned = {"lstm": {"learning_rate": 0.0156}}
    found = runs("lstm", learning_rate=0.0156) + runs("lstm", learning_rate=0.00213)
    (section,) = divide_runs(found, "architecture", tuned=tuned)
    assert set(names(section)) == {"tuned lstm", "tuned lstm (learning_rate=0.00213)"}


def test_networks_at_the_rates_that_a_race_gave_them_are_one_section() -> None:
    raced = runs("lstm", learning_rate=0.001, race="a" * 8)
    raced += runs("gru", learning_rate=0.01, race="a" * 8)
    (section,) = divide_runs(raced, "architecture")
    assert [arm.name for arm in section.arms] == ["lstm", "gru"]
    others = runs("gru", learning_rate=0.01) + runs("gru", learning_rate=0.003, race="b" * 8)
    sections = divide_runs(raced + others, "architecture")
    assert {s.name: len(s.arms) for s in sections} == {
        "learning_rate=0.01": 1,
        "learning_rate=each cell's own (race aaaaaaaa)": 2,
        "learning_rate=each cell's own (race bbbbbbbb)": 1,
    }
    rates = divide_runs(raced, "tuned")
    assert [arm.name for s in rates for arm in s.arms] == [
        "learning_rate=0.001",
        "learning_rate=0.01",
    ]
