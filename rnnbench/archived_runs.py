"""One run out of an archive: its files, checked for all that commands will do with them.

Nothing is taken in that would break the folder later: MLflow must hold every name and text, a
report must draw every number, and a model must be no larger than the run's spec makes it.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from numpy.lib import format as npy

from rnnbench.architectures import check_size
from rnnbench.entries import FLOATS, MOST_BYTES, LedgerEntry
from rnnbench.errors import ArchiveError, DamagedError, StoreError, UsageError
from rnnbench.formats import FormatError, check_names, check_text, open_zip, parse_json, read_bytes
from rnnbench.limits import MOST_OF_A_NAME
from rnnbench.networks.reading import source_digest
from rnnbench.sources import NETWORK_FILE, Source
from rnnbench.specs import CanonicalForm, EpochRow, PluginForm, RunResult, RunSpec

NEEDED = ("spec.json", "result.json")
MODEL_FILES = {"config.json", "metadata.json", "model.weights.h5"}
MOST_MEMBERS = 16  # of a zip archive inside
MOST_PARAMETERS = 10**9
MOST_SECONDS = 1e9  # 31 years
MOST_LOSS = 1e30  # what a figure can still draw
CHUNK_BYTES = 2**20


def read_run(study: str, folder: Path) -> LedgerEntry:
    """A run's folder, once its files have been read as every command reads them, and checked.

    Args:
        folder: named by the run's fingerprint.

    Raises:
        ArchiveError: one is missing, damaged, or holds what it must not.
        StoreError: one cannot be read just now.
    """
    missing = [name for name in NEEDED if not (folder / name).exists()]
    if missing:
        raise ArchiveError(f"the run {folder.name} has no {missing[0]}")
    try:
        spec = RunSpec.from_json(
            parse_json(read_bytes(folder / "spec.json", MOST_BYTES["spec.json"]), most_values=1000)
        )
        entry = LedgerEntry(study, folder)
        result, history = entry.result(), entry.history()
        _check_spec(spec)
        if result is not None:
            _check_result(result, len(history))
        _check_history(history, spec.recipe.epochs)
        LedgerEntry(study, folder, spec).tokenizer()
    except (DamagedError, UsageError, KeyError, TypeError, ValueError, AttributeError) as err:
        why = str(err).replace(f"{folder}/", "")[:200]
        raise ArchiveError(f"the run {folder.name} cannot be read ({why!a})") from err
    if spec.fingerprint != folder.name:
        raise ArchiveError(
            f"the run {folder.name} has the fingerprint {spec.fingerprint}: its spec was changed, "
            "or another version wrote it"
        )
    if (folder / NETWORK_FILE).exists():
        _check_network(folder / NETWORK_FILE, spec)
    if (folder / "predictions.npz").exists():
        _check_predictions(folder / "predictions.npz")
    if (folder / "best.keras").exists():
        _check_model(folder / "best.keras", spec)
    return LedgerEntry(study, folder, spec)


def check_run(study: str, folder: Path) -> None:
    """Check that another machine would take a run of this ledger in.

    Raises:
        ArchiveError: `read_run` would refuse it.
    """
    try:
        read_run(study, folder)
    except (ArchiveError, StoreError):
        raise
    except Exception as err:  # whatever a damaged file makes zipfile or numpy raise
        found = str(err)[:200] or type(err).__name__
        raise ArchiveError(f"the run {folder.name} is damaged: {found}") from err


def _check_spec(spec: RunSpec) -> None:
    """Names and sizes that the rest can work with.

    Raises:
        ValueError, StudyError: one that it cannot.
    """
    if spec.purpose != "report":
        raise ValueError("it was made for a search")
    check_text("the data's name", spec.data.dataset, MOST_OF_A_NAME)
    if not re.fullmatch("[0-9a-f]{64}", spec.data.fingerprint):
        raise ValueError("the data's fingerprint is not a SHA-256")
    if isinstance(spec.form, PluginForm):
        _check_plugin(spec.form)
    check_size(
        spec.form,
        num_words=spec.data.num_words,
        embedding_size=spec.embedding_size,
        n_classes=spec.data.n_classes,
    )


def _check_plugin(form: PluginForm) -> None:
    check_text("the architecture's name", form.name, 100)
    check_names("the architecture's arguments", dict(form.arguments))
    check_names("the architecture's defaults", dict(form.defaults))
    for name, value in (*form.arguments, *form.defaults):
        if isinstance(value, str):
            check_text(f"the argument {name}", value)
        elif not isinstance(value, bool | int | float):
            raise ValueError(f"the argument {name} is not a text, number or boolean")


def _check_network(path: Path, spec: RunSpec) -> None:
    """The code is text, and the code that the fingerprint covers; nothing of it is run."""
    form = spec.form
    if not (isinstance(form, PluginForm) and form.is_of_file):
        raise ArchiveError(f"the run {path.parent.name} has code, and its spec names none")
    try:
        source = Source.from_json(read_bytes(path, MOST_BYTES[NETWORK_FILE]))
        digest = source_digest(source)
    except (FormatError, RecursionError) as err:
        raise ArchiveError(f"the code of the run {path.parent.name} is damaged ({err})") from err
    if digest != form.code:
        raise ArchiveError(
            f"the code of the run {path.parent.name} is not what its spec names: it was changed"
        )


def _check_result(result: RunResult, n_epochs: int) -> None:
    """Values, read as a ledger reads them, within the bounds that every reader relies on.

    Raises:
        ValueError: one is not.
    """
    check_names("its environment", result.environment)
    for name, text in result.environment.items():
        check_text(f"{name} of its environment", text)
    if not result.environment.get("imported_from", "here").strip():
        raise ValueError("imported_from of its environment is empty")
    for name, most in (("epochs", n_epochs), ("n_parameters", MOST_PARAMETERS)):
        _check_count(name, getattr(result, name), most)
    _check_count("best_epoch", result.best_epoch, n_epochs)
    if result.status == "finished":
        if result.epochs != n_epochs:
            raise ValueError(f"{result.epochs} epochs, but a history of {n_epochs}")
        for name in _OF_A_FINISHED_RUN:
            if getattr(result, name) is None:
                raise ValueError(f"it finished without {name}")
    for name in FLOATS:
        _check_float(name, getattr(result, name))


def _check_count(name: str, value: object, most: int) -> None:
    if value is not None and not (type(value) is int and 0 <= value <= most):
        raise ValueError(f"{name} is not a whole number from 0 to {most:,}")


def _check_float(name: str, value: float | None) -> None:
    if value is None:
        return
    if name.endswith("seconds") and not 0 <= value < MOST_SECONDS:
        raise ValueError(f"{name} is not a time")
    if name.endswith("loss") and math.isfinite(value) and not abs(value) < MOST_LOSS:
        raise ValueError(f"{name} is not a loss")


def _check_history(history: Sequence[EpochRow], most_epochs: int) -> None:
    """Epochs as a ledger reads them, no more of them than the recipe has.

    Raises:
        ValueError: they are not.
    """
    if len(history) > most_epochs:
        raise ValueError(
            f"a history of {len(history):,} epochs, where {most_epochs:,} were asked for"
        )
    for row in history:
        for name in ("loss", "val_loss", "epoch_seconds"):
            _check_float(f"the history's {name}", getattr(row, name))


_OF_A_FINISHED_RUN = ("best_epoch", "val_loss", "val_accuracy", "test_loss", "test_accuracy")


def _check_predictions(path: Path) -> None:
    """Plain numbers, no more of them than the limit, whatever the arrays say of themselves."""
    with open_zip(path, MOST_MEMBERS) as file:
        if not {"probability.npy"} <= set(file.namelist()) <= {"probability.npy", "predicted.npy"}:
            raise ArchiveError("predictions.npz holds other arrays than predictions")
        if len(file.namelist()) > len(set(file.namelist())):
            raise ArchiveError("predictions.npz names an array twice")
        for name in file.namelist():
            with file.open(name) as stream:
                _check_array(stream)


def _check_array(stream: IO[bytes]) -> None:
    if npy.read_magic(stream) != (1, 0):  # a later one may have a header of 4 GiB
        raise ArchiveError("predictions.npz holds an array that rnnbench does not write")
    shape, _, dtype = npy.read_array_header_1_0(stream)
    size = math.prod(shape) * dtype.itemsize
    is_plain = dtype.kind in "fi" and len(shape) in (1, 2) and min(shape) >= 0
    if not is_plain or size > MOST_BYTES["predictions.npz"]:
        raise ArchiveError(f"predictions.npz holds {dtype} of shape {str(shape)[:100]}")
    left = size
    while chunk := stream.read(min(CHUNK_BYTES, left + 1)):
        left -= len(chunk)
        if left < 0:
            break
    if left:
        raise ArchiveError("predictions.npz is not as long as it says")


def _check_model(path: Path, spec: RunSpec) -> None:
    """A `.keras` file of the spec's network: a hostile one names layers of any size."""
    with open_zip(path, MOST_MEMBERS) as model:
        if set(model.namelist()) != MODEL_FILES or len(model.namelist()) > len(MODEL_FILES):
            raise ArchiveError(f"the model of the run {path.parent.name} is not a Keras model")
        with model.open("config.json") as stream:
            content = stream.read(2**20)
    try:
        found = Counter(_sizes(parse_json(content, most_values=10_000)))
    except (FormatError, AttributeError, TypeError) as err:
        raise ArchiveError(f"the model of the run {path.parent.name} is damaged ({err})") from err
    strange = found - Counter(_expected_sizes(spec))
    if isinstance(spec.form, CanonicalForm) and strange:
        (kind, *sizes), *_ = strange
        raise ArchiveError(
            f"the model of the run {path.parent.name} has a layer that its spec does not have: "
            f"{kind!a} of size {sizes}"
        )


def _sizes(config: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:  # Any: JSON values
    """The kind and the sizes of each layer that has weights."""
    for layer in config.get("config", {}).get("layers", ()):
        if layer["class_name"] != "InputLayer":
            sizes = (layer["config"].get(name) for name in ("input_dim", "output_dim", "units"))
            yield (str(layer["class_name"])[:40], *(str(size)[:40] for size in sizes if size))


def _expected_sizes(spec: RunSpec) -> Iterator[tuple[object, ...]]:
    data, form = spec.data, spec.form
    yield ("Embedding", str(data.num_words), str(spec.embedding_size))
    if isinstance(form, CanonicalForm):
        kind = {"lstm": "LSTM", "gru": "GRU", "simple-rnn": "SimpleRNN"}[form.cell]
        for _ in range(form.depth):
            yield (kind, str(form.units))
    yield ("Dense", str(1 if data.n_classes == 2 else data.n_classes))
