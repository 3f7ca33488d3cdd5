"""A network of others taken once through all that a run does with it, before any run does."""

import ast
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.architectures import display_name
from rnnbench.building import find_build
from rnnbench.data.files import temporary_folder
from rnnbench.errors import StudyError
from rnnbench.models import import_keras
from rnnbench.networks.execution import line_of, telling, unwrap_error
from rnnbench.networks.reading import functions_of
from rnnbench.output.amounts import plural
from rnnbench.output.characters import first_line
from rnnbench.specs import PluginForm, RunSpec
from rnnbench.training.reproducibility import is_reproducible
from rnnbench.training.template import Template, assign, to_arrays

N_TEXTS = 64
N_DRAWS = 8  # of other, large weights: then no output stays between 0 and 1 by chance


def rehearse(specs: Sequence[RunSpec]) -> list[str]:
    """Build, save, load and predict once with each network; this process's back end is theirs.

    Returns:
        A sentence for each code whose runs do not come out the same again.

    Raises:
        StudyError: a network that could not be trained, or not be kept, and why.
    """
    import_keras()
    by_code: dict[str, str] = {}
    for spec in specs:
        form = spec.form
        assert isinstance(form, PluginForm)
        with telling(form, "cannot be tried out"):
            _rehearse_shapes(spec)
            _rehearse_file(spec)
            if spec.others_code not in by_code:
                by_code[spec.others_code] = _why_not_repeated(spec)
    return [sentence for sentence in by_code.values() if sentence]


def _why_not_repeated(spec: RunSpec) -> str:
    """Empty where its runs come out the same again."""
    if is_reproducible(spec):
        return ""
    return (
        f"runs of {_title(spec)} cannot be repeated: two trainings with the same seed came out "
        "differently, so it draws numbers from a generator that rnnbench does not seed, at each "
        "call or in every process anew; draw with keras.random and a keras.random.SeedGenerator, "
        "or from numpy.random.default_rng(a fixed number) inside the function"
    )


def _rehearse_shapes(spec: RunSpec) -> None:
    """What is returned fits between the tokens and a probability."""
    import keras

    tokens = keras.Input((spec.data.max_len,), dtype="int32", name="tokens")
    made = find_build(spec)(tokens)
    if isinstance(made, keras.Model):
        _check_model(spec, made)
    elif isinstance(made, keras.KerasTensor):
        _check_tensor(spec, tokens, made)
    else:
        _check_layers(spec, made)


def _check_layers(spec: RunSpec, layers: Sequence[Any]) -> None:  # Any: Keras is untyped
    """Each layer on the shape that the one before it leaves."""
    import keras

    x = keras.Input((spec.data.max_len, spec.embedding_size))
    for place, layer in enumerate(layers, start=1):
        name = _title(spec, place, len(layers))
        kind = getattr(layer, "__name__", type(layer).__name__)
        try:
            x = layer(x)
        except TimeoutError:
            raise
        except Exception as err:  # whatever a layer raises
            cause = unwrap_error(err)
            hint = "; the layer before it may need return_sequences=True" if x.ndim == 2 else ""
            raise StudyError(
                f"{_title(spec, place, len(layers), cause)}: its layer {place} of {len(layers)} "
                f"({kind}) cannot take the shape {x.shape} that comes to it: "
                f"{first_line(cause)}{hint}"
            ) from err
        if not isinstance(x, keras.KerasTensor):
            several = "several things, where one is taken; leave return_state=True out"
            raise StudyError(
                f"{name}: its layer {place} of {len(layers)} ({kind}) returns "
                f"{several if x else 'nothing; its call must return what comes out of it'}"
            )
    _check_row(_title(spec, len(layers), len(layers)), x)


def _check_tensor(spec: RunSpec, tokens: Any, made: Any) -> None:  # Any: Keras is untyped
    import keras

    try:
        keras.Model(tokens, made)
    except ValueError as err:
        raise StudyError(
            f"{_title(spec)}: the tensor that it returns is not made from `tokens` alone"
        ) from err
    _check_row(_title(spec), made)


def _check_row(title: str, x: Any) -> None:  # Any: a KerasTensor
    if len(x.shape) != 2:
        raise StudyError(
            f"{title} must end in one row of numbers a text, of the shape (None, n), and ends in "
            f"{x.shape}; leave return_sequences=True out of its last recurrent layer, or add a "
            "layer that pools over the words"
        )


def _check_model(spec: RunSpec, model: Any) -> None:  # Any: Keras is untyped
    """One input of tokens, one probability for each class that needs one."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise StudyError(
            f"{_title(spec)}: its model has {plural(len(model.inputs), 'input')} and "
            f"{plural(len(model.outputs), 'output')}, where one of each is taken"
        )
    (tokens,), length = model.inputs, spec.data.max_len
    if tuple(tokens.shape) not in ((None, length), (None, None)) or "int" not in tokens.dtype:
        raise StudyError(
            f"{_title(spec)}: the input of its model must take tokens, int32 of the shape "
            f"(None, {length}), and takes {tokens.dtype} {tokens.shape}; make it with "
            "keras.Input((max_len,), dtype='int32')"
        )


def _check_probability(spec: RunSpec, model: Any) -> None:  # Any: Keras is untyped
    """Its outputs stay between 0 and 1 whatever its weights are; those of a text sum to 1.

    Side effect: the weights are others then.
    """
    n = spec.data.n_classes
    wanted = (None, 1 if n == 2 else n)
    if tuple(model.output_shape) != wanted:
        last = "one sigmoid, of the second class" if n == 2 else f"a softmax of {n} classes"
        raise StudyError(
            f"{_title(spec)}: its model must return a probability, of the shape {wanted}, and "
            f"returns {model.output_shape}; end it in {last}"
        )
    tokens = _texts(spec)
    variables = model.trainable_variables
    rng = np.random.default_rng(0)
    for _ in range(N_DRAWS):
        answer = _predict(model, tokens)
        answer = answer[np.isfinite(answer).all(axis=1)]
        is_share = n == 2 or np.allclose(answer.sum(axis=1), 1, atol=1e-3)
        if not (is_share and ((answer >= 0) & (answer <= 1)).all()):
            end = "Dense(1, activation='sigmoid')" if n == 2 else "a softmax"
            raise StudyError(
                f"{_title(spec)}: what its model returns is no probability (it goes from "
                f"{answer.min():.3g} to {answer.max():.3g}"
                + ("" if is_share else ", and the classes of a text do not sum to 1")
                + f"); end it in {end}, or return the tensor before it"
            )
        assign(variables, [rng.normal(0, 3, v.shape) for v in variables])


def _rehearse_file(spec: RunSpec) -> None:
    """The network's file gives the same network again, as the run's test score assumes."""
    template = Template(spec)
    tokens = _texts(spec)
    with temporary_folder() as folder:
        path = folder / "rehearsal.keras"
        try:
            weights = to_arrays(template.weight_variables)
            template.save(weights, path, spec.recipe.learning_rate)
            loaded = template.reopen(path)
        except TimeoutError:
            raise
        except Exception as err:  # whatever a layer raises
            raise StudyError(_why_not_kept(spec, template.model, err)) from err
    answer = _predict(template.model, tokens)
    is_fixed = np.array_equal(answer, _predict(template.model, tokens), equal_nan=True)
    # Of one that draws numbers when it predicts, two answers cannot be compared.
    if is_fixed and not np.allclose(answer, _predict(loaded, tokens), rtol=1e-4, atol=1e-5):
        raise StudyError(
            f"{_title(spec)}: a model that is read back from its file answers otherwise than the "
            f"one that was saved; {_own_layers(template.model)} must save all its weights, and its "
            "get_config must return all that its __init__ takes"
        )
    _check_probability(spec, template.model)


def _texts(spec: RunSpec) -> NDArray[np.int32]:
    rng = np.random.default_rng(0)
    shape = (N_TEXTS, spec.data.max_len)
    return rng.integers(0, spec.data.num_words, shape).astype(np.int32)


def _predict(model: Any, tokens: NDArray[np.int32]) -> Any:  # Any: Keras is untyped
    import keras

    return keras.ops.convert_to_numpy(model(tokens, training=False))


def _why_not_kept(spec: RunSpec, model: Any, err: Exception) -> str:  # Any: Keras is untyped
    import keras

    lead = f"{_title(spec)}: a trained model could not be read back from its file"
    if any(isinstance(layer, keras.layers.Lambda) for layer in model._flatten_layers()):
        return f"{lead}, since no file may bring the code of a Lambda; write a layer class instead"
    for kind in _own_kinds(model):
        if keras.saving.get_registered_name(kind) == kind.__name__:
            return (
                f"{lead}, since Keras does not know the layer {kind.__name__}; write "
                "@keras.saving.register_keras_serializable() above its class"
                f"{_line_of_class(spec, kind)}"
            )
    reason = first_line(unwrap_error(err))
    return f"{lead}: {reason}; the get_config of {_own_layers(model)} may miss something"


def _own_layers(model: Any) -> str:  # Any: Keras is untyped
    return " and ".join(kind.__name__ for kind in _own_kinds(model)) or "its layers"


def _own_kinds(model: Any) -> list[Any]:  # Any: classes of layers
    """The classes of the model's layers that are not Keras's."""
    kinds = dict.fromkeys(type(layer) for layer in model._flatten_layers())
    return [kind for kind in kinds if not kind.__module__.startswith("keras.")]


def _title(
    spec: RunSpec, place: int = 0, n_layers: int = 0, err: BaseException | None = None
) -> str:
    """The network's name, and of a file's the line that matters: of an error, a layer, the `def`.

    Args:
        place: of a layer in the list of so many that the function returns, from 1 up.
    """
    name, form = display_name(spec.form), spec.form
    if not isinstance(form, PluginForm) or form.source is None:
        return name
    line = line_of(form, err) if err else ""
    if not line:
        entry, texts = form.source.entry, dict(form.source.files)
        function = functions_of(ast.parse(texts[entry]))[form.source.function]
        line = f"{entry}, line {_line_of_layer(function, place, n_layers)}"
    return f"{name} ({line})"


def _line_of_layer(function: ast.FunctionDef, place: int, n_layers: int) -> int:
    """The layer's line where the function returns one list that is written out; else its own."""
    lists = [
        node.value.elts
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.List | ast.Tuple)
    ]
    if place and len(lists) == 1 and len(lists[0]) == n_layers:
        return lists[0][place - 1].lineno
    return function.lineno


def _line_of_class(spec: RunSpec, kind: type) -> str:
    """Where a class stands in the files of the user's; empty where it does not."""
    form = spec.form
    if not isinstance(form, PluginForm) or form.source is None:
        return ""
    for name, text in form.source.files:
        with suppress(SyntaxError, ValueError):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
                    return f" ({name}, line {node.lineno})"
    return ""
