"""The catalogue: parameter counts, one form for one network, names, plug-ins."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnbench.architectures import (
    ALL,
    PRESETS,
    architecture_names,
    display_name,
    find_plugin,
    find_plugins,
    make_form,
    model_parameters,
    recurrent_parameters,
)
from rnnbench.errors import StudyError
from rnnbench.models import build_model, refuse_edited
from rnnbench.plugin_code import code_digest
from rnnbench.runs.listing import list_all
from rnnbench.specs import CanonicalForm, DataSpec, PluginForm, RunSpec
from rnnbench.studies.doctor import check_all
from rnnbench.study import Study, expand_study
from rnnbench.study_files import load_study

COUNTS: dict[str, tuple[int, tuple[int, ...]]] = {
    "lstm": (8809, (800,)),
    "lstm-dropout": (8809, (800,)),
    "lstm-stacked": (9353, (800, 544)),
    "gru": (8633, (624,)),
    "simple-rnn": (8209, (200,)),
    "lstm-recurrent-dropout": (8809, (800,)),
    "gru-recurrent-dropout": (8633, (624,)),
    "gru-classic": (8609, (600,)),
}
DATA = DataSpec(dataset="made-up", fingerprint="ab")


def fingerprint(name: str, **hyperparameters: Any) -> str:
    return RunSpec(form=make_form(name, **hyperparameters), data=DATA, seed=1).fingerprint


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_are_those_of_the_notes(name: str) -> None:
    form = PRESETS[name]
    n_model, n_layers = COUNTS[name]
    assert recurrent_parameters(form) == n_layers
    assert model_parameters(form) == n_model


def test_every_preset_is_counted_and_all_means_the_first_four() -> None:
    assert list(COUNTS) == list(PRESETS)
    assert tuple(COUNTS)[:4] == ALL


@pytest.mark.parametrize(
    "form",
    [
        *PRESETS.values(),
        CanonicalForm(cell="gru", depth=3, units=5, reset_after=False),
        CanonicalForm(cell="simple-rnn", depth=2, units=3),
    ],
    ids=display_name,
)
def test_keras_counts_the_same(keras_on_jax: Any, form: CanonicalForm) -> None:
    model = build_model(RunSpec(form=form, data=DATA, seed=1, embedding_size=7))
    recurrent = [layer for layer in model.layers if layer.name.startswith("recurrent")]
    assert n_trainable(model) == model_parameters(form, embedding_size=7)
    assert tuple(map(n_trainable, recurrent)) == recurrent_parameters(form, embedding_size=7)


def n_trainable(layer: Any) -> int:
    return sum(math.prod(variable.shape) for variable in layer.trainable_variables)


@pytest.mark.parametrize(
    ("name", "hyperparameters", "shown"),
    [
        ("lstm", {}, "lstm"),
        ("lstm", {"dropout": 0.3}, "lstm-dropout"),
        ("lstm-dropout", {"dropout": 0}, "lstm"),
        ("lstm", {"depth": 2, "dropout": 0.3}, "lstm-stacked"),
        ("lstm", {"units": 16, "dropout": 0.2}, "lstm(units=16, dropout=0.2)"),
        ("lstm-stacked", {"units": 4}, "lstm(depth=2, units=4, dropout=0.3)"),
        ("gru", {"reset_after": False}, "gru-classic"),
        ("gru-classic", {"units": 4}, "gru(units=4, reset_after=False)"),
        ("simple-rnn", {"recurrent_dropout": 0.1}, "simple-rnn(recurrent_dropout=0.1)"),
    ],
)
def test_a_form_is_shown_by_its_preset_or_by_what_differs(
    name: str, hyperparameters: dict[str, Any], shown: str
) -> None:
    assert display_name(make_form(name, **hyperparameters)) == shown


def test_one_network_has_one_fingerprint_whatever_it_was_called() -> None:
    assert fingerprint("lstm", dropout=0.3) == fingerprint("lstm-dropout")
    assert fingerprint("lstm-stacked", depth=1, dropout=0) == fingerprint("lstm", units=8)
    assert fingerprint("gru", reset_after=False) == fingerprint("gru-classic")
    assert fingerprint("lstm") != fingerprint("gru")


def test_arguments_that_look_alike_are_networks_of_several_names() -> None:
    values = (1, "1", 1.0, True, "True", "true", "one")
    forms = {PluginForm(name="net.py:build", arguments=(("mode", value),)) for value in values}
    names = {display_name(form) for form in forms}
    shown = ("1", "'1'", "1.0", "True", "'True'", "true", "one")
    assert names == {f"net.py:build(mode={each})" for each in shown}


def test_a_grid_keeps_values_that_look_alike(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("def build(mode): return []\n")
    modes = {"mode": (1, "1", 1.0, True, 1)}
    names = (str(tmp_path / "net.py"),)
    study = Study(name="mine", architectures=names, seeds=(0,), hyperparameters=modes)
    data = DataSpec(dataset="made-up", fingerprint="")
    assert len(expand_study(study, data, backend="jax")) == 4


def test_an_unknown_name_comes_with_the_nearest_and_all() -> None:
    sentence = r"unknown architecture 'lstmm' \(did you mean 'lstm'\?\); choose from gru, .*simple"
    with pytest.raises(StudyError, match=sentence):
        make_form("lstmm")


def test_an_unknown_hyperparameter_names_those_that_there_are() -> None:
    with pytest.raises(StudyError, match=r"lstm: unknown hyperparameter 'width'.*units"):
        make_form("lstm", width=3)
    with pytest.raises(StudyError, match="unknown hyperparameter 'cell'"):
        make_form("lstm", cell="gru")


MODULE = """
from rnnbench.architectures import Plugin

BUILD = "plugin_package:build"
plugin = Plugin(name="two-dense", build=BUILD, arguments={"width": 4, "bias": True})
taken = Plugin(name="lstm", build=BUILD)
no_plugin = 3

def build(width, bias):
    import keras
    return [keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(width, use_bias=bias)]
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, one of which may have entry points."""
    folder = tmp_path / "site"
    (folder / "plugin_package-1.0.dist-info").mkdir(parents=True)
    (folder / "plugin_package.py").write_text(MODULE)
    metadata = "Metadata-Version: 2.1\nName: plugin-package\nVersion: 1.0\n"
    (folder / "plugin_package-1.0.dist-info" / "METADATA").write_text(metadata)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr("rnnbench.plugin_code._known", {})  # the same names lay elsewhere before
    find_plugins.cache_clear()
    yield folder
    find_plugins.cache_clear()
    sys.modules.pop("plugin_package", None)


def install(site: Path, *objects: str) -> None:
    lines = [f"entry{index} = plugin_package:{name}" for index, name in enumerate(objects)]
    text = "\n".join(["[rnnbench.architectures]", *lines, ""])
    (site / "plugin_package-1.0.dist-info" / "entry_points.txt").write_text(text)
    importlib.invalidate_caches()


def test_a_plug_in_is_found_through_its_entry_point(site: Path) -> None:
    install(site, "plugin")
    assert architecture_names() == (*PRESETS, "two-dense")
    assert find_plugin("two-dense").arguments == {"width": 4, "bias": True}
    form = make_form("two-dense", width=6)
    assert form == PluginForm(
        name="two-dense",
        arguments=(("bias", True), ("width", 6)),
        code=code_digest("plugin_package:build"),
    )
    assert display_name(form) == "two-dense(width=6)"
    assert display_name(make_form("two-dense")) == "two-dense"
    assert model_parameters(form) is None


def test_a_plug_in_takes_part_in_a_study(site: Path) -> None:
    install(site, "plugin")
    study = Study(name="mine", architectures=("two-dense", "lstm"), seeds=(0,))
    specs = expand_study(study, DataSpec(dataset="made-up", fingerprint="ab"), backend="jax")
    assert [display_name(spec.form) for spec in specs] == ["two-dense", "lstm"]
    assert RunSpec.from_json(specs[0].to_json()) == specs[0]


def test_a_plug_ins_layers_become_a_model(site: Path, keras_on_jax: Any) -> None:
    install(site, "plugin")
    model = build_model(RunSpec(form=make_form("two-dense", width=6), data=DATA, seed=1))
    assert model.count_params() == 500 * 16 + 6 * (16 + 1) + 6 + 1


def test_a_plug_in_takes_only_its_own_hyperparameters(site: Path) -> None:
    install(site, "plugin")
    with pytest.raises(StudyError, match="two-dense: unknown hyperparameter 'units'"):
        make_form("two-dense", units=3)


@pytest.mark.parametrize(
    ("objects", "sentence"),
    [
        (("taken",), "'lstm' is also the name of one from rnnbench itself"),
        (("plugin", "plugin"), "'two-dense' is also the name of one from plugin_package:plugin"),
        (("no_plugin",), "plugin_package:no_plugin is not an rnnbench Plugin with a name"),
        (("missing",), "plugin_package:missing cannot be loaded: "),
    ],
    ids=["a preset's name", "a name twice", "another object", "nothing there"],
)
def test_a_plug_in_that_cannot_be_is_named_and_keeps_nothing_else_from_its_work(
    site: Path, objects: tuple[str, ...], sentence: str
) -> None:
    install(site, *objects)
    assert architecture_names() == tuple(PRESETS)
    assert make_form("lstm") == PRESETS["lstm"]
    for ask in (make_form, lambda name: load_study("textbook").with_choices(architectures=(name,))):
        with pytest.raises(StudyError, match=f"unknown architecture 'two-dense'.*{sentence}"):
            ask("two-dense")
    told: list[str] = []
    list_all(site, "architectures", told.append)
    assert [sentence in problem for problem in told] == [True]
    (check,) = (check for check in check_all(site) if check.name == "plug-ins")
    assert sentence in check.finding
    assert not check.ok


def test_edited_code_is_another_architecture(site: Path) -> None:
    install(site, "plugin")
    before, old = fingerprint("two-dense"), make_form("two-dense", width=6)
    edited = MODULE.replace("return [", "# one more layer\n    return [keras.layers.ReLU(), ")
    (site / "plugin_package.py").write_text(edited)
    assert fingerprint("two-dense") != before
    assert isinstance(old, PluginForm)
    assert display_name(old) == f"two-dense(width=6, code={old.code})"
    assert display_name(make_form("two-dense", width=6)) == "two-dense(width=6)"


def test_a_run_from_before_the_code_was_noted_keeps_its_fingerprint(site: Path) -> None:
    install(site, "plugin")
    arguments = (("bias", True), ("width", 4))
    old = RunSpec(form=PluginForm(name="two-dense", arguments=arguments), data=DATA, seed=1)
    assert old.fingerprint == "2fe011aecd1f6bc0"
    values = old.to_json()
    del values["form"]["code"]
    assert RunSpec.from_json(values) == old
    assert old.fingerprint != fingerprint("two-dense")
    assert display_name(old.form) == "two-dense(code=unknown)"


def test_a_worker_that_finds_other_code_than_was_asked_for_trains_nothing(site: Path) -> None:
    install(site, "plugin")
    form = make_form("two-dense")
    refuse_edited(form)
    (site / "plugin_package.py").write_text(MODULE.replace("width,", "1 + width,"))
    with pytest.raises(StudyError, match=r"two-dense here is not .* edited since.*another node"):
        refuse_edited(form)


def test_a_run_of_a_plug_in_that_is_gone_is_still_shown(site: Path) -> None:
    form = PluginForm(name="gone", arguments=(("width", 4),))
    assert display_name(form) == "gone(width=4)"
