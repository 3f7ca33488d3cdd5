"""Studies: bundled ones, files with mistakes, seeds, and what they expand to."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnnbench.architectures import display_name
from rnnbench.errors import StudyError
from rnnbench.limits import parse_seeds
from rnnbench.specs import DataSpec, RunSpec
from rnnbench.study import OTHER_CELLS, Study, expand_study
from rnnbench.study_files import bundled_studies, load_study

SOUND = 'name = "mine"\narchitectures = ["lstm", "gru"]\nseeds = 2\n'


def expand(study: Study) -> list[RunSpec]:
    return expand_study(study, DataSpec(dataset="made-up", fingerprint="ab"), backend="jax")


def write(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "n_runs"),
    [
        ("textbook", 12),
        ("quick", 8),
        ("units-dropout", 48),
        ("frozen-order", 80),
        ("long-sequences", 48),
        ("thousand-seeds", 4000),
        ("engines", 20),
    ],
)
def test_a_bundled_study_loads_and_expands(name: str, n_runs: int) -> None:
    specs = expand(load_study(name))
    assert len(specs) == n_runs
    assert len({spec.fingerprint for spec in specs}) == n_runs


def test_those_are_all_bundled_studies_and_each_says_what_it_is() -> None:
    found = bundled_studies()
    assert len(found) == 7
    assert all(load_study(path).description for path in found.values())
    assert all(load_study(path).name == name for name, path in found.items())


def test_the_textbook_study_is_the_recipe_of_the_notes() -> None:
    spec = expand(load_study("textbook"))[0]
    recipe = spec.recipe
    assert (recipe.optimizer, recipe.learning_rate, recipe.batch_size) == ("rmsprop", 1e-4, 64)
    assert (recipe.epochs, recipe.patience) == (100, 3)
    assert (spec.data.num_words, spec.data.max_len, spec.embedding_size) == (500, 100, 16)
    assert (spec.data.validation_fraction, spec.data.split_seed) == (0.2, 42)


def test_a_file_is_read_with_its_grid(tmp_path: Path) -> None:
    text = SOUND + "[hyperparameters]\nunits = [4, 8]\n[recipe]\nlearning_rate = [1e-3, 1e-4]\n"
    specs = expand(load_study(write(tmp_path, text)))
    assert len(specs) == 2 * 2 * 2 * 2  # architectures, units, rates, seeds
    assert [spec.seed for spec in specs[:2]] == [0, 1]


def test_how_a_file_is_read_may_stand_in_the_study(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = "name = 'mine'\narchitectures = ['lstm']\nseeds = 1\n[data]\ndataset = 'r.tsv'\n"
    path.write_text(f"{text}quoting = 'none'\ntext_column = 'review'\n")
    assert load_study(path).own == {"quoting": "none", "text_column": "review"}
    path.write_text(f"{text}quoting = false\n")
    with pytest.raises(StudyError, match="'quoting' must be text, got False"):
        load_study(path)


def test_requests_of_one_network_are_one_run() -> None:
    study = Study(
        name="mine",
        architectures=("lstm", "lstm-dropout", "lstm"),
        seeds=(0,),
        hyperparameters={"dropout": (0.3, 0.0)},
    )
    assert [display_name(spec.form) for spec in expand(study)] == ["lstm-dropout", "lstm"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("name = 'mine'\nseeds = [1, 2", r"study\.toml, at its end|study\.toml:2:\d+"),
        ("name = \nseeds = 3\n", r"study\.toml:1:8"),
        ("name = 'a'\nname = 'b'\n", r"study\.toml:2:\d+"),
        ("name 'mine'\n", r"study\.toml:1:6"),
    ],
    ids=["open bracket", "no value", "a key twice", "no equals sign"],
)
def test_a_syntax_error_is_told_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(StudyError, match=f"({place}): not valid TOML: .+"):
        load_study(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (SOUND + "sedes = 3\n", "unknown study key 'sedes' .did you mean 'seeds'"),
        (SOUND + "[recipe]\nlearning_rates = 1\n", r"recipe\] .* mean 'learning_rate'"),
        (SOUND + "[data]\nmaxlen = 1\n", r"data\] .*did you mean 'max_len'"),
        (SOUND + "[data]\nfingerprint = 'ab'\n", "unknown key .* 'fingerprint'"),
        (SOUND + "[hyperparameters]\ndroput = 0.1\n", "did you mean 'dropout'"),
        (SOUND.replace("gru", "grU"), "unknown architecture 'grU' .did you mean 'gru'"),
        (SOUND + "contrast = 'orders'\n", "did you mean 'order'"),
    ],
    ids=["top", "recipe", "data", "not theirs", "hyperparameter", "architecture", "contrast"],
)
def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(StudyError, match=rf"study\.toml: .*{sentence}"):
        load_study(write(tmp_path, text))


BAD_TABLES = {
    "dropout 1.5": "[hyperparameters]\ndropout = 1.5",
    "one bad of two": "[hyperparameters]\ndropout = [0.1, 1.5]",
    "0 units": "[hyperparameters]\nunits = 0",
    "half a unit": "[hyperparameters]\nunits = 8.5",
    "units in words": "[hyperparameters]\nunits = 'eight'",
    "no units": "[hyperparameters]\nunits = []",
    "units in a list in a list": "[hyperparameters]\nunits = [[8]]",
    "units in a table": "[hyperparameters]\nunits = {a = 1}",
    "depth in words": "[hyperparameters]\ndepth = 'two'",
    "0 embedding": "[hyperparameters]\nembedding_size = 0",
    "an embedding in words": "[hyperparameters]\nembedding_size = 'x'",
    "negative learning rate": "[recipe]\nlearning_rate = -1e-4",
    "NaN learning rate": "[recipe]\nlearning_rate = nan",
    "learning rate in a list in a list": "[recipe]\nlearning_rate = [[1e-4]]",
    "0 epochs": "[recipe]\nepochs = 0",
    "a list of epochs": "[recipe]\nepochs = [10, 20]",
    "an unknown order": "[recipe]\norder = 'sorted'",
    "an order in a list in a list": "[recipe]\norder = [['frozen']]",
    "3 words": "[data]\nnum_words = 3",
    "true words": "[data]\nmax_len = true",
    "a data set that is a number": "[data]\ndataset = 3",
    "a split seed in words": "[data]\nsplit_seed = 'x'",
    "a negative split seed": "[data]\nsplit_seed = -1",
    "a table that is none": "recipe = 3",
    "a text that is none": "description = 3",
}


@pytest.mark.parametrize("table", BAD_TABLES.values(), ids=BAD_TABLES.keys())
def test_a_value_that_cannot_be_is_refused(tmp_path: Path, table: str) -> None:
    with pytest.raises(StudyError, match=r"study\.toml: "):
        load_study(write(tmp_path, f"{SOUND}{table}\n"))


@pytest.mark.parametrize("key", ["name", "architectures", "seeds"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    lines = [line for line in SOUND.splitlines() if not line.startswith(key)]
    with pytest.raises(StudyError, match=f"the key '{key}' is missing"):
        load_study(write(tmp_path, "\n".join(lines)))


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden", "a" * 65, "a/b", "mine\n"])
def test_a_name_that_could_not_be_a_folder_is_refused(name: str) -> None:
    with pytest.raises(StudyError, match="a study's name takes"):
        Study(name=name, architectures=("lstm",), seeds=(0,))


def test_a_file_that_is_not_there_is_named_with_the_bundled_ones() -> None:
    with pytest.raises(StudyError, match=r"unknown study 'txtbook'.*frozen-order.*textbook"):
        load_study("txtbook")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyError, match="cannot read"):
        load_study(tmp_path / "study.toml")


@pytest.mark.parametrize(
    ("given", "seeds"),
    [
        (3, (0, 1, 2)),
        ("3", (0, 1, 2)),
        (" 1 ", (0,)),
        ("5-7", (5, 6, 7)),
        ("4-4", (4,)),
        ("1,4,7", (1, 4, 7)),
        ("1, 4", (1, 4)),
        ("7,", (7,)),
        ([2, 9], (2, 9)),
    ],
    ids=repr,
)
def test_seeds_are_a_number_a_range_or_a_list(given: Any, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(given) == seeds


@pytest.mark.parametrize(
    "given",
    [
        *("x", "", "0", "-1", "1.5", "5-3", "1,1", "1,x", "1-2-3", "0-999999999", "9" * 12, "³"),
        *([], [1, 1], [1.5], [True], ["1"], [-1]),
        *(0, -3, 1.5, True),
    ],
    ids=repr,
)
def test_other_seeds_are_refused(given: Any) -> None:
    with pytest.raises(StudyError):
        Study(name="mine", architectures=("lstm",), seeds=parse_seeds(given))


def test_choices_replace_what_they_name_and_nothing_else() -> None:
    study = load_study("textbook")
    changed = study.with_choices(seeds=(9,), recipe={"epochs": (5,)}, dataset=None)
    assert changed.seeds == (9,)
    assert changed.dataset == study.dataset
    assert changed.recipe == {**study.recipe, "epochs": (5,)}
    with pytest.raises(StudyError, match="epochs"):
        study.with_choices(recipe={"epochs": (0,)})


def test_runs_come_architecture_by_architecture_and_seed_by_seed() -> None:
    specs = expand(Study(name="mine", architectures=("gru", "lstm"), seeds=(5, 2)))
    found = [(display_name(spec.form), spec.seed) for spec in specs]
    assert found == list(itertools.product(("gru", "lstm"), (5, 2)))


def test_what_a_study_declares_is_what_its_file_says(tmp_path: Path) -> None:
    text = f"{SOUND}description = 'mine'\nmargin_points = 1\npairing = 'none'\nvary_split = true\n"
    assert load_study(write(tmp_path, text)).declaration == {
        "description": "mine",
        "contrast": "architecture",
        "pairing": "none",
        "margin_points": 1.0,
        "vary_split": True,
    }


def test_a_metric_is_declared_and_the_usual_one_as_it_was_before_there_was_another(
    tmp_path: Path,
) -> None:
    study = load_study(write(tmp_path, f"{SOUND}metric = 'test_macro_f1'\n"))
    assert study.declaration["metric"] == "test_macro_f1"
    usual = load_study(write(tmp_path, f"{SOUND}metric = 'test_accuracy'\n"))
    assert "metric" not in usual.declaration
    with pytest.raises(StudyError, match="unknown metric 'macro'"):
        load_study(write(tmp_path, f"{SOUND}metric = 'macro'\n"))


def test_half_a_point_matters_unless_a_study_says_otherwise() -> None:
    study = Study(name="mine", architectures=("lstm",), seeds=(0,))
    assert (study.margin_points, study.pairing, study.vary_split) == (0.5, "seed", False)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("margin_points = 0", "margin_points must lie between 0 and 100, got 0"),
        ("margin_points = -0.5", "margin_points must lie between"),
        ("margin_points = nan", "margin_points must lie between"),
        ("margin_points = 100", "margin_points must lie between"),
        ("margin_points = 150", "margin_points must lie between 0 and 100, got 150"),
        ("margin_points = 'half'", "'margin_points' must be a number, got 'half'"),
        ("margin_points = true", "'margin_points' must be a number, got True"),
        ("pairing = 'seeds'", "unknown pairing 'seeds' .did you mean 'seed'"),
        ("vary_split = 1", "'vary_split' must be true or false, got 1"),
        ("vary_split = true\n[data]\nsplit_seed = 3", "vary_split draws the split from the seed"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence):
        load_study(write(tmp_path, f"{SOUND}{line}\n"))


def test_a_varied_split_is_that_of_the_seed() -> None:
    study = Study(name="mine", architectures=("lstm", "gru"), seeds=(3, 5), vary_split=True)
    assert [spec.data.split_seed for spec in expand(study)] == [3, 5, 3, 5]
    fixed = study.with_choices(vary_split=False)
    assert {spec.data.split_seed for spec in expand(fixed)} == {42}


def test_networks_run_at_the_rates_that_a_race_gave_their_cells() -> None:
    rates = {"lstm": 0.001, "gru": 0.01, OTHER_CELLS: 0.003}
    names = ("lstm", "lstm-stacked", "gru", "simple-rnn", "lstm")
    specs = expand(Study(name="s", architectures=names, seeds=(0,), rates=rates))
    assert [spec.recipe.learning_rate for spec in specs] == [0.001, 0.001, 0.01, 0.003]
    assert len({spec.race for spec in specs}) == 1
    assert specs[0].race
    assert all(RunSpec.from_json(spec.to_json()) == spec for spec in specs)


def test_a_rate_that_was_set_or_tuned_goes_before_that_of_a_race() -> None:
    rates = {"lstm": 0.001, "gru": 0.01, OTHER_CELLS: 0.003}
    study = Study(name="s", architectures=("lstm", "gru"), seeds=(0,), rates=rates)
    tuned = expand(replace(study, tuned={"gru": {"learning_rate": 0.5}, "lstm": {"units": 12}}))
    assert [(spec.recipe.learning_rate, bool(spec.race)) for spec in tuned] == [
        (0.001, True),
        (0.5, False),
    ]
    (held, _) = expand(replace(study, recipe={"learning_rate": (0.2,)}))
    assert (held.recipe.learning_rate, held.race) == (0.2, "")
