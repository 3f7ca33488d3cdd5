"""Layers of one's own and settings of one's own, through the command as a user runs it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from project import Project, write_project

pytestmark = pytest.mark.campaign

PACKAGE = """
from rnnbench.architectures import Plugin

MEAN, ONE, TWO, SEQUENCES, STRANGE = (
    Plugin(name=name, build=f"own_package.layers:{function}")
    for name, function in (
        ("mean", "mean"),
        ("one-lstm", "one_lstm"),
        ("two-lstms", "two_lstms"),
        ("sequences", "sequences"),
        ("strange", "strange"),
    )
)
"""
LAYERS = """
import keras

@keras.saving.register_keras_serializable()
class Mean(keras.layers.Layer):
    def call(self, x):
        return keras.ops.mean(x, axis=1)

class Strange(keras.layers.Layer):
    def call(self, x):
        return keras.ops.mean(x, axis=1)

def mean(): return [Mean()]
def one_lstm(): return [keras.layers.LSTM(2)]
def two_lstms(): return [keras.layers.LSTM(2), keras.layers.LSTM(2)]
def sequences(): return [keras.layers.LSTM(2, return_sequences=True)]
def strange(): return [Strange()]
"""


@pytest.fixture
def project(tmp_path: Path, shared: Path) -> Project:
    """A project beside an installed package of architectures."""
    site = tmp_path / "site"
    info = site / "own_package-1.0.dist-info"
    for folder in (site / "own_package", info):
        folder.mkdir(parents=True)
    (site / "own_package" / "__init__.py").write_text(PACKAGE)
    (site / "own_package" / "layers.py").write_text(LAYERS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-package\nVersion: 1.0\n")
    names = {"mean": "MEAN", "one-lstm": "ONE", "two-lstms": "TWO"}
    names |= {"sequences": "SEQUENCES", "strange": "STRANGE"}
    lines = [f"{name} = own_package:{value}" for name, value in names.items()]
    (info / "entry_points.txt").write_text("\n".join(["[rnnbench.architectures]", *lines, ""]))
    project = write_project(tmp_path / "project", shared, has_database=True)
    path = project.folder / "study.toml"
    path.write_text(
        path.read_text().replace("[hyperparameters]\nunits = [2]\n", "[hyperparameters]\n")
    )
    paths = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
    return replace(project, environment={**project.environment, "PYTHONPATH": paths})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("two-lstms", "its layer 2 of 2 (LSTM) cannot take the shape"),
        ("sequences", "must end in one row of numbers a text"),
        ("strange", "@keras.saving.register_keras_serializable()"),
    ],
)
def test_a_network_that_cannot_be_is_refused_before_the_first_epoch(
    project: Project, name: str, words: str
) -> None:
    done = project.run(name, "--seeds", "3")
    assert done.returncode == 2, done.stderr
    assert words in " ".join(done.stderr.split())
    assert done.stderr.count("error") == 1
    assert project.run_folders() == {}


def test_a_layer_of_ones_own_predicts_and_an_edit_is_another_network(
    project: Project, tmp_path: Path
) -> None:
    layers = tmp_path / "site" / "own_package" / "layers.py"
    assert (first := project.run("mean")).returncode == 0, first.stderr
    (trained,) = project.run_folders()
    scored = project.command("evaluate", trained)
    assert scored.returncode == 0, scored.stderr
    layers.write_text(f"# a comment\n{LAYERS}")
    assert "nothing left to do" in project.run("mean").stdout
    layers.write_text(LAYERS.replace("ops.mean(x", "ops.sum(x", 1))
    assert (again := project.run("mean", "--seeds", "2")).returncode == 0, again.stderr
    assert len(project.run_folders()) == 3
    listed = project.command("list", "runs").stdout
    assert "mean(code=" in listed
    edited = project.command("evaluate", trained)
    assert "was edited since it trained this model" in edited.stdout


def test_a_model_whose_plug_in_builds_another_network_or_is_gone_is_not_called_damaged(
    project: Project, tmp_path: Path
) -> None:
    assert project.run("one-lstm").returncode == 0
    (trained,) = project.run_folders()
    package = tmp_path / "site" / "own_package"
    (package / "layers.py").write_text(LAYERS.replace("[keras.layers.LSTM(2)]", "[Mean()]"))
    edited = project.command("evaluate", trained)
    assert edited.returncode == 3
    assert "does not fit what the code of one-lstm builds now, which was edited" in edited.stderr
    (package / "__init__.py").write_text("import no_such_module")
    broken = project.command("evaluate", trained)
    assert broken.returncode == 2
    assert "one-lstm is a plug-in that is not installed here; the plug-in own_pack" in broken.stderr
    listed = project.command("list", "runs")
    assert listed.returncode == 0, listed.stderr
    assert project.run("lstm", "--dry-run").returncode == 0
    gone = project.command("list", "architectures").stderr
    assert "own_package:ONE cannot be loaded: No module named 'no_such_module'" in gone


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_settings_of_ones_own_for_keras_change_no_number(
    project: Project, tmp_path: Path, shared: Path, backend: str
) -> None:
    options = ("lstm", "--backend", backend, "--units", "2", "--epochs", "2")
    assert (plain := project.run(*options)).returncode == 0, plain.stderr
    (tmp_path / "keras.json").write_text('{"floatx": "float16", "epsilon": 0.1}')
    settings = {
        "KERAS_HOME": str(tmp_path),
        "KERAS_MAX_EPOCHS": "1",
        "KERAS_MAX_STEPS_PER_EPOCH": "1",
    }
    other = write_project(tmp_path / "other", shared, has_database=True)
    (other.folder / "study.toml").write_text((project.folder / "study.toml").read_text())
    other = replace(other, environment={**project.environment, **settings})
    assert (done := other.run(*options)).returncode == 0, done.stderr
    assert other.histories() == project.histories()
