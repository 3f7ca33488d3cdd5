"""A plug-in's network taken once through all that a run does with it, before any run does."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.architectures import display_name
from rnnbench.data.files import temporary_folder
from rnnbench.errors import StudyError
from rnnbench.models import import_keras, recurrent_layers, unwrap_error
from rnnbench.output.characters import first_line
from rnnbench.specs import RunSpec
from rnnbench.training.template import Template, to_arrays

N_TEXTS = 2


def rehearse(specs: Sequence[RunSpec]) -> None:
    """Build, save, load and predict once with each network; this process's back end is theirs.

    Raises:
        StudyError: a plug-in that could not be trained, or not be kept, and why.
    """
    import_keras()
    for spec in specs:
        _rehearse_shapes(spec)
        _rehearse_file(spec)


def _rehearse_shapes(spec: RunSpec) -> None:
    """Each layer on the shape that the one before it leaves."""
    import keras

    name, layers = display_name(spec.form), recurrent_layers(spec.form)
    x = keras.Input((spec.data.max_len, spec.embedding_size))
    for place, layer in enumerate(layers, start=1):
        try:
            x = layer(x)
        except Exception as err:  # whatever a layer raises
            hint = "; the layer before it may need return_sequences=True" if x.ndim == 2 else ""
            raise StudyError(
                f"{name}: its layer {place} of {len(layers)} ({type(layer).__name__}) cannot take "
                f"the shape {x.shape} that comes to it: {first_line(unwrap_error(err))}{hint}"
            ) from err
        if not isinstance(x, keras.KerasTensor):
            several = "several things, where one is taken; leave return_state=True out"
            raise StudyError(
                f"{name}: its layer {place} of {len(layers)} ({type(layer).__name__}) returns "
                f"{several if x else 'nothing; its call must return what comes out of it'}"
            )
    if len(x.shape) != 2:
        raise StudyError(
            f"{name} must end in one row of numbers a text, of the shape (None, n), and ends in "
            f"{x.shape}; leave return_sequences=True out of its last recurrent layer, or add a "
            "layer that pools over the words"
        )


def _rehearse_file(spec: RunSpec) -> None:
    """The network's file gives the same network again, as the run's test score assumes."""
    import keras

    name, template = display_name(spec.form), Template(spec)
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, spec.data.num_words, (N_TEXTS, spec.data.max_len)).astype(np.int32)
    with temporary_folder() as folder:
        path = folder / "rehearsal.keras"
        try:
            weights = to_arrays(template.weight_variables)
            template.save(weights, path, spec.recipe.learning_rate)
            loaded = keras.models.load_model(path, safe_mode=True, compile=False)
        except Exception as err:  # whatever a layer raises
            raise StudyError(_why_not_kept(name, template.model, err)) from err
    answer = _predict(template.model, tokens)
    if not np.array_equal(answer, _predict(template.model, tokens)):
        return  # it draws numbers when it predicts, so that two answers cannot be compared
    if not np.allclose(answer, _predict(loaded, tokens), rtol=1e-4, atol=1e-5):
        raise StudyError(
            f"{name}: a model that is read back from its file answers otherwise than the one that "
            f"was saved; {_own_layers(template.model)} must save all its weights, and its "
            "get_config must return all that its __init__ takes"
        )


def _predict(model: Any, tokens: NDArray[np.int32]) -> Any:  # Any: Keras is untyped
    import keras

    return keras.ops.convert_to_numpy(model(tokens, training=False))


def _why_not_kept(name: str, model: Any, err: Exception) -> str:  # Any: Keras is untyped
    import keras

    lead = f"{name}: a trained model could not be read back from its file"
    if any(isinstance(layer, keras.layers.Lambda) for layer in model._flatten_layers()):
        return f"{lead}, since no file may bring the code of a Lambda; write a layer class instead"
    for kind in _own_kinds(model):
        if keras.saving.get_registered_name(kind) == kind.__name__:
            return (
                f"{lead}, since Keras does not know the layer {kind.__name__}; write "
                "@keras.saving.register_keras_serializable() above its class"
            )
    reason = first_line(unwrap_error(err))
    return f"{lead}: {reason}; the get_config of {_own_layers(model)} may miss something"


def _own_layers(model: Any) -> str:  # Any: Keras is untyped
    return " and ".join(kind.__name__ for kind in _own_kinds(model)) or "its layers"


def _own_kinds(model: Any) -> list[Any]:  # Any: classes of layers
    """The classes of the model's layers that are not Keras's."""
    kinds = dict.fromkeys(type(layer) for layer in model._flatten_layers())
    return [kind for kind in kinds if not kind.__module__.startswith("keras.")]
