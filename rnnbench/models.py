"""From a canonical form to an uncompiled Keras model."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnbench.architectures import installed_code
from rnnbench.building import find_build
from rnnbench.data.cache import cache_folder
from rnnbench.data.files import write_whole
from rnnbench.errors import StudyError
from rnnbench.specs import CanonicalForm, Form, PluginForm, RunSpec

if TYPE_CHECKING:
    import keras

# Keras imports these where they are installed, for plots and wrappers that nothing here uses.
_UNUSED = ("matplotlib", "pandas", "sklearn")


def import_keras() -> None:
    """Import Keras in a process of our own, without what it need not have: half of the seconds.

    It has the settings that it comes with. Whatever its user has set, in `keras.json` (precision,
    epsilon) or in variables (`KERAS_MAX_EPOCHS`), would change numbers that nothing tells apart.

    Side effect: unless it is the back end, TensorFlow cannot be imported here afterwards; Keras
    would do so to save a model (500 MiB, 3 s).
    """
    if "keras" in sys.modules:
        return
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # makes the import fail
    hidden = [name for name in _UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # likewise
    try:
        with _no_settings():
            import keras  # noqa: F401
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


@contextmanager
def _no_settings() -> Iterator[None]:
    """No variable of Keras's but the back end's, and a home whose `keras.json` sets nothing.

    Without one Keras writes its defaults there, which another version would take for settings.
    What a plug-in downloads with Keras goes there too.
    """
    names = [name for name in os.environ if name.startswith("KERAS_") and name != "KERAS_BACKEND"]
    theirs = {name: os.environ.pop(name) for name in names}
    home = cache_folder() / "keras"
    with suppress(OSError):  # Keras can do no more
        write_whole(home / "keras.json", b"{}")
    os.environ["KERAS_HOME"] = str(home)
    try:
        yield
    finally:
        del os.environ["KERAS_HOME"]
        os.environ.update(theirs)


def build_model(spec: RunSpec) -> keras.Model:
    """The spec's network with initial weights from its seed; see `assemble_model`.

    Side effect: seeds the global generators that Keras's initializers draw from.

    Raises:
        StudyError: a network of others that cannot be imported, or returns what is none.
    """
    import keras

    form = spec.form
    make: Callable[[Any], Any]  # Any: as Keras, which is untyped
    if isinstance(form, CanonicalForm):
        make = lambda _: recurrent_layers(form)  # noqa: E731  # a function has no other name here
    else:
        make = find_build(spec)  # before the seeds: what its import draws is its own
    seed_keras(spec.seed, keras.backend.backend())
    return assemble_model(
        make,
        max_len=spec.data.max_len,
        num_words=spec.data.num_words,
        embedding_size=spec.embedding_size,
        n_classes=spec.data.n_classes,
    )


def assemble_model(
    make: Callable[[Any], Any],  # Any: Keras is untyped
    *,
    max_len: int,
    num_words: int,
    embedding_size: int,
    n_classes: int = 2,
) -> keras.Model:
    """Embedding, the layers that are made in order, one sigmoid: int32 `(n, max_len)` → `(n, 1)`.

    Of more than two classes a softmax instead: → `(n, n_classes)`. A tensor that is made stands in
    place of embedding and layers, a model in place of all.

    Args:
        make: called with the symbolic tokens after the embedding is made, so that seeds are drawn
            in that order.
    """
    import keras

    inputs = keras.Input((max_len,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(num_words, embedding_size, name="embedding")(inputs)
    made = make(inputs)
    if isinstance(made, keras.Model):
        return made
    if isinstance(made, keras.KerasTensor):
        x = made
    else:
        for layer in made:
            x = layer(x)
    last: dict[str, Any] = {"units": 1, "activation": "sigmoid"}
    if n_classes > 2:
        last = {"units": n_classes, "activation": "softmax"}
    output = keras.layers.Dense(**last, name="probability")(x)
    return keras.Model(inputs, output, name="reviews")


def recurrent_layers(form: CanonicalForm, **options: Any) -> list[Any]:  # Any: as above
    """The layers between embedding and output; `options` go to each."""
    return [_layer(form, index, options) for index in range(form.depth)]


def refuse_edited(form: Form) -> None:
    """Train nothing with other code than was asked for.

    Raises:
        StudyError: a plug-in's code was edited since, or is another on this node.
    """
    if not isinstance(form, PluginForm) or form.is_of_file:  # its code came with it
        return
    if form.code not in ("", installed_code(form.name)):
        raise StudyError(
            f"the code of {form.name} here is not the code that the command began with; "
            "if it was edited since, the same command goes on with the new code, and if this is "
            "another node of a cluster, install the same version of the plug-in on all"
        )


def build_optimizer(spec: RunSpec) -> keras.optimizers.Optimizer:
    """The recipe's optimizer, not yet built."""
    import keras

    kind = {
        "rmsprop": keras.optimizers.RMSprop,
        "adam": keras.optimizers.Adam,
        "sgd": keras.optimizers.SGD,
    }[spec.recipe.optimizer]
    optimizer: keras.optimizers.Optimizer = kind(learning_rate=spec.recipe.learning_rate)
    return optimizer


def seed_keras(seed: int, backend: str) -> None:
    """Seed what initializers draw from.

    `keras.utils.set_random_seed` imports TensorFlow whatever the back end is, in every worker.
    On JAX the initializers' seeds come from Python's generator alone.
    """
    import keras

    if backend != "jax":
        keras.utils.set_random_seed(seed)
        return
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  # a plug-in's layer may draw from it


def _layer(form: CanonicalForm, index: int, options: dict[str, Any]) -> Any:  # Any: as above
    import keras

    kind = {
        "lstm": keras.layers.LSTM,
        "gru": keras.layers.GRU,
        "simple-rnn": keras.layers.SimpleRNN,
    }[form.cell]
    extra = {} if form.reset_after is None else {"reset_after": form.reset_after}
    return kind(
        form.units,
        dropout=form.dropout,
        recurrent_dropout=form.recurrent_dropout,
        return_sequences=index < form.depth - 1,
        name=f"recurrent_{index + 1}",
        **extra,
        **options,
    )
