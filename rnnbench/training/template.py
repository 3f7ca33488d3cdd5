"""One Keras model of a shape, whose variables runs take turns in."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnbench.models import build_model, build_optimizer, refuse_edited
from rnnbench.specs import RunSpec
from rnnbench.training.engine import Arrays, Variables

if TYPE_CHECKING:
    import keras


class Template:
    """A model and its optimizer, as Keras builds them; engines compile around it.

    Attributes:
        weight_variables: the model's variables in Keras's order, random streams left out.
        stream_variables: the states of its seed generators, uint32 `(2,)` each.
        optimizer_variables: iteration, learning rate, moments.
        is_binary: one probability a review; of more classes there are as many as classes.
    """

    def __init__(self, spec: RunSpec) -> None:
        refuse_edited(spec.form)
        self.spec = spec
        self.model: keras.Model = build_model(spec)
        self.optimizer: keras.optimizers.Optimizer = build_optimizer(spec)
        self.optimizer.build(self.model.trainable_variables)
        self.weight_variables = [v for v in self.model.variables if not is_stream(v)]
        self.stream_variables = [v for v in self.model.variables if is_stream(v)]
        self.optimizer_variables = list(self.optimizer.variables)
        self.is_binary = spec.data.n_classes == 2

    @property
    def loss(self) -> str:
        """Keras's name of the loss."""
        return "binary_crossentropy" if self.is_binary else "sparse_categorical_crossentropy"

    @property
    def n_parameters(self) -> int:
        """Trainable parameters of the whole model."""
        return sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)

    def initial(self, spec: RunSpec) -> Variables:
        """Weights that Keras draws for the spec's seed, and an optimizer at rest."""
        model = build_model(spec)
        optimizer = build_optimizer(spec)
        optimizer.build(model.trainable_variables)
        return Variables(
            weights=to_arrays(v for v in model.variables if not is_stream(v)),
            optimizer=to_arrays(optimizer.variables),
        )

    def streams(self, dropout_seed: int) -> list[np.ndarray]:
        """States for the seed generators, one apart from the other."""
        return [
            np.array([(dropout_seed + index) % 2**32, 0], dtype=np.uint32)
            for index in range(len(self.stream_variables))
        ]

    def save(self, weights: Arrays, path: Path, learning_rate: float) -> None:
        """Write a compiled model: `load_model(path).evaluate(x, y)` works as in the notes."""
        assign(self.weight_variables, weights)
        if not self.model.compiled:
            optimizer = build_optimizer(self.spec)
            optimizer.build(self.model.trainable_variables)  # else loading it warns
            self.model.compile(optimizer=optimizer, loss=self.loss, metrics=["accuracy"])
        # The template may have been built for a run with another learning rate.
        self.model.optimizer.learning_rate = learning_rate
        self.model.save(path)

    def load(self, path: Path) -> Arrays:
        """The weights in a `.keras` file, read in safe mode, in the template's order."""
        return to_arrays(v for v in self.reopen(path).variables if not is_stream(v))

    def reopen(self, path: Path) -> Any:  # Any: Keras is untyped
        """The model in a `.keras` file, read in safe mode; of layers of a user's, these ones."""
        import keras

        own = {type(layer) for layer in self.model._flatten_layers()}
        names = {keras.saving.get_registered_name(kind): kind for kind in own}
        # Two networks may each have registered a layer of that name.
        with keras.saving.custom_object_scope({k: v for k, v in names.items() if ">" in k}):
            return keras.models.load_model(path, safe_mode=True, compile=False)


def is_stream(variable: Any) -> bool:  # Any: Keras variables are untyped
    """Whether a variable is the state of a seed generator."""
    return str(variable.name) == "seed_generator_state"


def to_arrays(variables: Any) -> Arrays:  # Any: Keras variables are untyped
    """The variables' values as NumPy arrays of their own."""
    import keras

    return tuple(np.array(keras.ops.convert_to_numpy(v.value)) for v in variables)


def assign(variables: Any, arrays: Any) -> None:  # Any: Keras variables are untyped
    """Set each variable to the array at its place."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
