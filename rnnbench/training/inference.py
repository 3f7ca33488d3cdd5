"""What a kept model says of reviews, in a process of its own."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnbench.architectures import display_name, installed_code
from rnnbench.errors import DataError
from rnnbench.formats import FormatError, open_zip
from rnnbench.models import build_model, import_keras
from rnnbench.specs import Form, PluginForm, RunSpec
from rnnbench.training.engine import PREDICT_BATCH

WEIGHTS = "model.weights.h5"
MOST_MEMBERS = 16
MOST_WEIGHTS_BYTES = 2**30


def predict_with(path: Path, spec: RunSpec, tokens: NDArray[np.int32]) -> NDArray[np.float32]:
    """The probabilities that a kept model gives.

    The network is the spec's, and only weights are read: a hostile file may name layers that fill
    any memory.

    Args:
        path: a `.keras` file.
        tokens: int32 `(n_reviews, max_len)`.

    Returns:
        float32 `(n_reviews,)` of a positive review; of more classes `(n_reviews, n_classes)`.

    Raises:
        DataError: the file is damaged, or another network's.
        StudyError: a plug-in that cannot be imported or does not return layers.
    """
    import_keras()
    model = build_model(spec)
    try:
        _check_weights(path)
        model.load_weights(path)
    except Exception as err:  # whatever Keras and HDF5 raise at a damaged file
        raise DataError(_unfit(path, spec.form, err)) from err
    probability = np.asarray(
        model.predict(tokens, batch_size=PREDICT_BATCH, verbose=0), dtype=np.float32
    )
    return probability[:, 0] if probability.shape[1] == 1 else probability


def _unfit(path: Path, form: Form, err: Exception) -> str:
    why = f"({type(err).__name__}); the run must be trained again"
    if (
        isinstance(form, PluginForm)
        and not form.is_of_file
        and form.code != installed_code(form.name)
    ):
        edited = "was edited since" if form.code else "may have been edited since"
        return (
            f"{path} is damaged, or does not fit what the code of {form.name} builds now, which "
            f"{edited} {why}"
        )
    return f"{path} is damaged, or not a model of {display_name(form)} {why}"


def _check_weights(path: Path) -> None:
    """See that the arrays are no larger than the file: HDF5 may state any shape.

    Raises:
        FormatError, BadZipFile, OSError: they are, or it is no such file.
    """
    import h5py

    with (
        open_zip(path, MOST_MEMBERS) as archive,
        archive.open(WEIGHTS) as stream,
        h5py.File(io.BytesIO(stream.read(MOST_WEIGHTS_BYTES)), "r") as file,
    ):
        sizes: list[int] = []
        file.visititems(lambda _, found: sizes.append(getattr(found, "nbytes", 0)))
        if sum(sizes) > archive.getinfo(WEIGHTS).file_size:
            raise FormatError(f"its arrays have {sum(sizes):,} bytes")
