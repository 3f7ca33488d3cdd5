"""A network that cannot be trained or kept is refused before the first epoch, and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnnbench import architectures
from rnnbench.architectures import Plugin, find_plugins, make_form
from rnnbench.errors import StudyError
from rnnbench.networks import execution
from rnnbench.networks.reading import read_network
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


FILE = """
import random

import keras
import numpy as np
from keras import layers

@keras.saving.register_keras_serializable(package="rehearsal")
class Noise(layers.Layer):
    def call(self, x):
        return keras.ops.mean(x, axis=1) * (1 + np.random.random())

class Mean(layers.Layer):
    def call(self, x):
        return keras.ops.mean(x, axis=1)

def pooled(max_len, num_words):
    tokens = keras.Input((max_len,), dtype="int32")
    return tokens, layers.GlobalMaxPooling1D()(layers.Embedding(num_words, 4)(tokens))

def tensor(tokens, num_words):
    return layers.GlobalMaxPooling1D()(layers.Embedding(num_words, 4)(tokens))
def one_layer(): return layers.GRU(2)
def model(max_len, num_words):
    tokens, x = pooled(max_len, num_words)
    return keras.Model(tokens, layers.Dense(1, activation="sigmoid")(x))
def sequential(num_words):
    last = layers.Dense(1, "sigmoid")
    return keras.Sequential([layers.Embedding(num_words, 4), layers.GRU(2), last])
def seeded():
    start = random.random()
    return [layers.GRU(2, kernel_initializer=keras.initializers.Constant(start))]

shared_layer, rng = layers.GRU(2), np.random.default_rng(0)
def shared(): return [shared_layer]
def drawn():
    return [layers.GRU(2, kernel_initializer=keras.initializers.Constant(rng.random()))]

def own_layer():
    return [Mean()]
def two_lstms():
    return [
        layers.LSTM(2),
        layers.LSTM(2),
    ]
def nothing(): pass
def empty(): return []
def a_class(): return [layers.LSTM]
def raises():
    return [layers.Dense(1 / 0)]
def sequences(tokens, num_words): return layers.Embedding(num_words, 4)(tokens)
def foreign(max_len): return layers.Dense(3)(keras.Input((max_len,)))
def two_outputs(max_len, num_words):
    tokens, x = pooled(max_len, num_words)
    return keras.Model(tokens, [layers.Dense(1)(x), layers.Dense(1)(x)])
def floats(max_len): return keras.Model(t := keras.Input((max_len,)), layers.Dense(1, "sigmoid")(t))
def softmax(max_len, num_words):
    tokens, x = pooled(max_len, num_words)
    return keras.Model(tokens, layers.Dense(2, activation="softmax")(x))
def relu(max_len, num_words):
    tokens, x = pooled(max_len, num_words)
    return keras.Model(tokens, layers.Dense(1, activation="relu")(x))

def unseeded():
    start = float(np.random.default_rng().random())
    return [layers.GRU(2, kernel_initializer=keras.initializers.Constant(start))]
def noise(): return [Noise()]

@keras.saving.register_keras_serializable(package="rehearsal")
class Endless(layers.Layer):
    def call(self, x):
        while True: pass
def endless(): return [Endless()]

class Whole(keras.Model):
    def build(self, shape):
        self.embed, self.last = layers.Embedding(20, 2), layers.Dense(1, "sigmoid")
    def call(self, tokens):
        return self.last(self.embed(tokens)[:, 0] / self.divisor)
def subclass():
    model = Whole()
    return model
"""


def of_file(folder: Path, function: str) -> RunSpec:
    (folder / "net.py").write_text(FILE)
    form = read_network(f"{folder / 'net.py'}:{function}").form()
    return replace(spec("good"), form=form)


@pytest.mark.parametrize(
    "function", ["tensor", "one_layer", "model", "sequential", "seeded", "shared", "drawn"]
)
def test_whatever_gives_a_probability_is_let_through(
    keras_on_jax: Any, tmp_path: Path, function: str
) -> None:
    assert rehearse([of_file(tmp_path, function)]) == []


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (
            "own_layer",
            r"\(net.py, line 39\).*_serializable.* above its class \(net.py, line 13\)$",
        ),
        ("two_lstms", r"\(net.py, line 44\): its layer 2 of 2 \(LSTM\) cannot take"),
        ("nothing", "net.py:nothing returns nothing; return a layer, a list of layers, a tensor"),
        ("empty", "net.py:empty returns an empty list; return a layer"),
        ("a_class", r"returns the class LSTM \(without parentheses\?\) in place 1 of its list"),
        ("raises", "cannot be built: net.py, line 50: ZeroDivisionError: division by zero"),
        ("sequences", r"\(net.py, line 51\) must end in one row of numbers a text"),
        ("foreign", r"\(net.py, line 52\): the tensor that it returns is not made from `tokens`"),
        ("two_outputs", "its model has 1 input and 2 outputs, where one of each is taken"),
        ("floats", r"must take tokens, int32 of the shape \(None, 4\), and takes float32"),
        ("softmax", r"of the shape \(None, 1\), and returns \(None, 2\); end it in one sigmoid"),
        ("subclass", "cannot be built: net.py, line 79: AttributeError: .*divisor"),
        ("relu", r"what its model returns is no probability \(it goes from 0 to [0-9.]+\); end it"),
    ],
)
def test_what_a_file_returns_is_refused_with_its_line(
    keras_on_jax: Any, tmp_path: Path, function: str, sentence: str
) -> None:
    with pytest.raises(StudyError, match=sentence):
        rehearse([of_file(tmp_path, function)])


@pytest.mark.parametrize("function", ["unseeded", "noise"])
def test_runs_that_cannot_be_repeated_are_told(
    keras_on_jax: Any, tmp_path: Path, function: str
) -> None:
    (warning,) = rehearse([of_file(tmp_path, function)])
    assert f"runs of net.py:{function} (net.py, line " in warning
    assert "cannot be repeated" in warning


def test_a_layer_that_never_returns_is_told_with_its_line(
    keras_on_jax: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "BUILD_SECONDS", 2)
    sentence = r"endless cannot be tried out: net.py, line 72: .*not done after 2 seconds"
    with pytest.raises(StudyError, match=sentence):
        rehearse([of_file(tmp_path, "endless")])
