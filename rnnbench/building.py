"""What a function of others builds a network of: layers, a tensor made from the tokens, a model."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from rnnbench.architectures import find_plugin
from rnnbench.errors import StudyError
from rnnbench.networks.execution import find_function, telling
from rnnbench.networks.parameters import FILLED
from rnnbench.specs import PluginForm, RunSpec

Made = Any  # of Keras, which is untyped: a list of layers, a KerasTensor or a Model
ALLOWED = "return a layer, a list of layers, a tensor made from `tokens`, or a keras.Model"


def find_build(spec: RunSpec) -> Callable[[Any], Made]:  # Any: a KerasTensor
    """The function that makes the spec's network from the symbolic tokens, found and imported.

    Raises:
        StudyError: it is not here, or cannot be imported; what is returned raises it where the
            function raises, or returns what is no network.
    """
    form = spec.form
    assert isinstance(form, PluginForm)
    function = find_function(form) if form.is_of_file else _find_installed(form)

    def build(tokens: Any) -> Made:  # Any: a KerasTensor
        given = {
            "tokens": tokens,
            "num_words": spec.data.num_words,
            "max_len": spec.data.max_len,
            "embedding_size": spec.embedding_size,
            "n_classes": spec.data.n_classes,
        }
        arguments = dict(form.arguments)
        with telling(form, "cannot be built"):
            taken = inspect.signature(function).parameters
            filled = {name: given[name] for name in FILLED if name in taken}
            return _complete(_check(form, function(**{**filled, **arguments})), tokens)

    return build


def _complete(made: Made, tokens: Any) -> Made:  # Any: a KerasTensor
    """The same; a model that waits for its input, with the tokens as such."""
    import keras

    if not isinstance(made, keras.Model) or getattr(made, "inputs", None):
        return made
    return keras.Model(tokens, made(tokens), name="reviews")


def _find_installed(form: PluginForm) -> Callable[..., object]:
    missing = f"the architecture {form.name} is a plug-in that is not installed here"
    module, _, function = find_plugin(form.name, missing).build.partition(":")
    with telling(form, "cannot be imported"):
        found: Callable[..., object] = getattr(importlib.import_module(module), function)
        return found


def _check(form: PluginForm, made: object) -> Made:
    """What was returned, layers as a list.

    Raises:
        StudyError: it is something else.
    """
    import keras

    if isinstance(made, keras.Model | keras.KerasTensor):
        return made
    if isinstance(made, keras.layers.Layer):
        return [made]
    if made is None:
        raise StudyError(f"{form.name} returns nothing; {ALLOWED}")
    if not isinstance(made, Iterable) or isinstance(made, str | bytes | dict):
        raise StudyError(f"{form.name} returns {_shown(made)}; {ALLOWED}")
    layers = list(made)
    if not layers:
        raise StudyError(f"{form.name} returns an empty list; {ALLOWED}")
    for place, layer in enumerate(layers, start=1):
        if isinstance(layer, type) or not callable(layer):
            raise StudyError(
                f"{form.name} returns {_shown(layer)} in place {place} of its list, which is no "
                f"layer; {ALLOWED}"
            )
    return layers


def _shown(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__} (without parentheses?)"
    return f"{type(value).__name__} {str(value)[:40]!r}"
