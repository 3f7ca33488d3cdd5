"""A plug-in's network that cannot be trained or kept is refused before the first epoch, and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnbench import architectures
from rnnbench.architectures import Plugin, find_plugins, make_form
from rnnbench.errors import StudyError
from rnnbench.specs import DataSpec, RunSpec
from rnnbench.training.rehearsal import rehearse

MODULE = """
import keras

class Mean(keras.layers.Layer):
    def call(self, x):
        return keras.ops.mean(x, axis=1)

@keras.saving.register_keras_serializable(package="rehearsal")
class Known(Mean):
    pass

@keras.saving.register_keras_serializable(package="rehearsal")
class Forgetful(keras.layers.Layer):
    def __init__(self, factor=2, **values):
        super().__init__(**values)
        self.factor = factor

    def call(self, x):
        return self.factor * keras.ops.mean(x, axis=1)

    def get_config(self):
        return super().get_config()

class Silent(keras.layers.Layer):
    def call(self, x):
        keras.ops.mean(x, axis=1)

class Raising(keras.layers.Layer):
    def call(self, x):
        raise RuntimeError("this layer does not work")

def good(): return [Known()]
def two_lstms(): return [keras.layers.LSTM(2), keras.layers.LSTM(2)]
def sequences(): return [keras.layers.LSTM(2, return_sequences=True)]
def silent(): return [Silent()]
def states(): return [keras.layers.LSTM(2, return_state=True)]
def unregistered(): return [Mean()]
def forgetful(): return [Forgetful(5)]
def raising(): return [Raising()]
def function(): return [keras.layers.Lambda(lambda x: x[:, 0])]
def no_layers(): return 3
"""
NAMES = [line.split()[1].partition("(")[0] for line in MODULE.splitlines() if line[:4] == "def "]


@pytest.fixture(autouse=True)
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "rehearsed_layers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = {name: Plugin(name=name, build=f"rehearsed_layers:{name}") for name in NAMES}
    find_plugins.cache_clear()
    monkeypatch.setattr(architectures, "find_plugins", lambda: found)
    yield
    sys.modules.pop("rehearsed_layers", None)


def spec(name: str) -> RunSpec:
    data = DataSpec(dataset="made-up", fingerprint="ab", num_words=20, max_len=4)
    return RunSpec(form=make_form(name), data=data, seed=0, embedding_size=3)


def test_a_network_that_can_be_kept_is_let_through(keras_on_jax: Any) -> None:
    rehearse([spec("good")])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "two_lstms",
            r"layer 2 of 2 \(LSTM\) cannot take the shape \(None, 2\).*return_sequences=T",
        ),
        (
            "sequences",
            r"must end in one row of numbers a text.*and ends in \(None, 4, 2\); leave ret",
        ),
        ("silent", r"its layer 1 of 1 \(Silent\) returns nothing; its call must return"),
        (
            "states",
            r"its layer 1 of 1 \(LSTM\) returns several things.*leave return_state=True out",
        ),
        (
            "unregistered",
            r"know the layer Mean; write @keras.saving.register_keras_serializable\(\)",
        ),
        (
            "forgetful",
            r"answers otherwise than the one that was saved; Forgetful must save all its",
        ),
        ("raising", r"\(Raising\) cannot take the shape \(None, 4, 3\).*this layer does not work"),
        ("function", "no file may bring the code of a Lambda; write a layer class instead"),
        ("no_layers", "no_layers returns int '3'; return a layer, a list of layers, a tensor"),
    ],
)
def test_a_network_that_cannot_is_refused_with_the_reason(
    keras_on_jax: Any, name: str, sentence: str
) -> None:
    with pytest.raises(StudyError, match=sentence) as refused:
        rehearse([spec(name)])
    assert "\n" not in str(refused.value)
