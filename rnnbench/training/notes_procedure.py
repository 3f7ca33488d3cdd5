"""What the study notes of 2025 did, cell by cell, with Keras on TensorFlow; in a worker only.

Three things decide the notes' numbers to the fourth decimal:

- They seed once and make four models one after the other. Keras takes the seeds of initial weights
  and of dropout from Python's `random` where a layer is made, and nowhere else; the batch order
  follows from the seed alone and is the same in every epoch. So a later model depends on which
  layers were made before it, not on how the earlier models were trained.
- Keras 3.8 leaves dropout on in evaluation wherever an LSTM or a GRU runs on cuDNN. The notes'
  validation and test scores of the models with dropout are such scores.
- XLA draws other dropout masks than TensorFlow without it; the notes ran without.

Source: https://github.com/keras-team/keras/pull/20983, which repaired that evaluation in Keras 3.9.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, TypeAlias

from rnnbench.data.dataset import Part, load_part
from rnnbench.models import import_keras
from rnnbench.specs import DataSpec, EpochRow

NOTES_MODELS = ("lstm", "lstm-dropout", "lstm-stacked", "gru")
"""In the order in which the notes make them."""

EPOCHS = 100
SEED, BATCH_SIZE, PATIENCE, LEARNING_RATE = 42, 64, 3, 1e-4
WITH_DROPOUT = ("lstm-dropout", "lstm-stacked")
SCORED_ON_TEST = "lstm-stacked"
_LSTM_LAYERS: Mapping[str, Sequence[Mapping[str, Any]]] = {  # Any: arguments of Keras
    "lstm": [{}],
    "lstm-dropout": [{"dropout": 0.3}],
    "lstm-stacked": [{"dropout": 0.3, "return_sequences": True}, {"dropout": 0.3}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesTask:
    """Which of the notes' models to train.

    Args:
        models: names from `NOTES_MODELS`; the others are made, since they draw from the same
            generator, but not trained.
        epochs: at most this many; the notes' own number is `EPOCHS`.
        jit: compile the models without dropout with XLA: the same numbers, 3 times faster.
        folder: an existing one, for the checkpoints.
    """

    data: DataSpec
    models: tuple[str, ...]
    epochs: int
    jit: bool
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The best model by validation loss on some reviews.

    Args:
        dropout: left on, as in the notes; False is the score as it is meant.
    """

    part: Literal["validation", "test"]
    dropout: bool
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A model is trained and scored."""

    architecture: str
    history: tuple[EpochRow, ...]
    scores: tuple[Score, ...]
    fit_seconds: float


Message: TypeAlias = tuple[str, EpochRow] | Fitted
"""An architecture has gone through one more epoch, or is trained."""


def follow_notes(pipe: Connection, task: NotesTask) -> None:
    """Send a message an epoch, another a model, and None at the end, through `pipe`.

    Side effect: seeds the global generators of this process.
    """
    import_keras()
    import keras

    keras.utils.set_random_seed(SEED)
    parts = {name: load_part(task.data, name) for name in ("train", "validation", "test")}
    for architecture in NOTES_MODELS:
        model = _make_model(architecture, task.data, _lstm_as_on_cudnn())
        if architecture in task.models:
            pipe.send(_train(architecture, model, parts, task, pipe.send))
    pipe.send(None)


def _train(
    architecture: str,
    model: Any,  # Any: Keras is untyped
    parts: Mapping[str, Part],
    task: NotesTask,
    report: Callable[[Message], None],
) -> Fitted:
    """The notes' cell that compiles and fits, and then the scores of the best model."""
    import keras

    history: list[EpochRow] = []
    checkpoint = task.folder / f"best-{architecture}-model.keras"
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        jit_compile=task.jit and architecture not in WITH_DROPOUT,
    )
    began = time.perf_counter()
    model.fit(
        parts["train"].tokens,
        parts["train"].labels,
        epochs=task.epochs,
        batch_size=BATCH_SIZE,
        validation_data=(parts["validation"].tokens, parts["validation"].labels),
        callbacks=[
            keras.callbacks.ModelCheckpoint(str(checkpoint), save_best_only=True),
            keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True),
            _reporter(architecture, history, report),
        ],
        verbose=0,
    )
    seconds = time.perf_counter() - began
    return Fitted(
        architecture=architecture,
        history=tuple(history),
        scores=tuple(_score(architecture, model, checkpoint, parts, task.data)),
        fit_seconds=seconds,
    )


def _reporter(
    architecture: str, history: list[EpochRow], report: Callable[[Message], None]
) -> Any:  # Any: a Keras callback
    """A callback that appends each epoch to `history` and reports it."""
    import keras

    began = time.perf_counter()

    def note(epoch: int, logs: dict[str, float]) -> None:
        nonlocal began
        began, before = time.perf_counter(), began
        columns = ("loss", "accuracy", "val_loss", "val_accuracy")
        row = EpochRow(
            epoch=epoch + 1,
            **{name: float(logs[name]) for name in columns},
            epoch_seconds=began - before,
            ended_at=time.time(),
        )
        history.append(row)
        report((architecture, row))

    return keras.callbacks.LambdaCallback(on_epoch_end=note)


def _score(
    architecture: str,
    model: Any,  # Any: Keras is untyped
    checkpoint: Path,
    parts: Mapping[str, Part],
    data: DataSpec,
) -> Iterator[Score]:
    """The best model without dropout; the one that the notes score on the test half theirs too."""
    import keras

    with _generator_put_back():
        plain = _make_model(architecture, data, keras.layers.LSTM)
        plain.set_weights(model.get_weights())
        plain.compile(loss="binary_crossentropy", metrics=["accuracy"])
        yield _evaluate(plain, "validation", parts, dropout=False)
        yield _evaluate(plain, "test", parts, dropout=False)
    if architecture == SCORED_ON_TEST:
        with _generator_put_back():
            _make_model(NOTES_MODELS[-1], data, keras.layers.LSTM)  # the notes load the file last
            names = {_lstm_as_on_cudnn().__name__: _lstm_as_on_cudnn()}
            loaded = keras.models.load_model(checkpoint, custom_objects=names)
            yield _evaluate(loaded, "test", parts, dropout=True)


def _evaluate(
    model: Any,  # Any: Keras is untyped
    part: Literal["validation", "test"],
    parts: Mapping[str, Part],
    *,
    dropout: bool,
) -> Score:
    loss, accuracy = model.evaluate(parts[part].tokens, parts[part].labels, verbose=0)
    return Score(part=part, dropout=dropout, loss=float(loss), accuracy=float(accuracy))


@contextmanager
def _generator_put_back() -> Iterator[None]:
    """What the block draws from Python's generator is as if it had not been drawn."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


def _make_model(architecture: str, data: DataSpec, lstm: Any) -> Any:  # Any: Keras is untyped
    """A model as the notes build it; each layer is made when it is added, as making it draws."""
    from keras import Sequential, layers

    model = Sequential()
    model.add(layers.Input(shape=(data.max_len,)))
    model.add(layers.Embedding(data.num_words, 16))
    for arguments in _LSTM_LAYERS.get(architecture, ()):
        model.add(lstm(8, **arguments))
    if architecture == "gru":
        model.add(layers.GRU(8))
    model.add(layers.Dense(1, activation="sigmoid"))
    return model


@cache
def _lstm_as_on_cudnn() -> Any:  # Any: a class derived from an untyped one
    """An LSTM that leaves dropout on in evaluation, as Keras 3.8 does on cuDNN."""
    import keras

    class LSTMAsOnCudnn(keras.layers.LSTM):  # type: ignore[misc]  # Keras is untyped
        def call(
            self,
            sequences: Any,  # Any: a tensor
            initial_state: Any = None,  # Any: tensors
            mask: Any = None,  # Any: a tensor
            training: bool = False,
        ) -> Any:  # Any: a tensor
            return super().call(sequences, initial_state=initial_state, mask=mask, training=True)

    return LSTMAsOnCudnn
