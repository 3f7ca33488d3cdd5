"""The study notes' notebook as a script: the four models, plain TensorFlow `model.fit`, as written.

    python benchmarks/speed/notes_loop.py --data FILE --seeds 2 --epochs 10 [--jit]

`--jit` adds the one argument `jit_compile=True` that the notes leave out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
from sklearn.model_selection import train_test_split

MAX_LEN = 100


def load_reviews(path: Path) -> tuple[Any, Any, Any, Any]:  # Any: Keras is untyped
    """Training and validation sequences with their targets, as the notes prepare them."""
    from keras.src.datasets import imdb

    imdb.get_file = lambda *_, **__: str(path)  # the file is here; Keras would download it
    (train_input, train_target), _ = imdb.load_data(num_words=500)
    train_input, val_input, train_target, val_target = train_test_split(
        train_input, train_target, test_size=0.2, random_state=42
    )
    pad = keras.utils.pad_sequences
    return (
        pad(train_input, maxlen=MAX_LEN),
        train_target,
        pad(val_input, maxlen=MAX_LEN),
        val_target,
    )


def build_models() -> list[Any]:  # Any: Keras is untyped
    """LSTM, LSTM with dropout, two stacked LSTMs, GRU."""
    layers = keras.layers
    recurrent: list[list[Any]] = [
        [layers.LSTM(8)],
        [layers.LSTM(8, dropout=0.3)],
        [layers.LSTM(8, dropout=0.3, return_sequences=True), layers.LSTM(8, dropout=0.3)],
        [layers.GRU(8)],
    ]
    return [
        keras.Sequential(
            [
                keras.Input((MAX_LEN,)),
                layers.Embedding(500, 16),
                *middle,
                layers.Dense(1, activation="sigmoid"),
            ]
        )
        for middle in recurrent
    ]


def train(model: Any, reviews: tuple[Any, Any, Any, Any], epochs: int, extra: Any) -> float:
    """Train one model the notes' way; its best validation loss."""
    train_seq, train_target, val_seq, val_target = reviews
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=1e-4),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        **extra,
    )
    with tempfile.TemporaryDirectory() as folder:
        callbacks = [
            keras.callbacks.ModelCheckpoint(f"{folder}/best-model.keras", save_best_only=True),
            keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True),
        ]
        history = model.fit(
            train_seq,
            train_target,
            epochs=epochs,
            batch_size=64,
            validation_data=(val_seq, val_target),
            callbacks=callbacks,
            verbose=2,
        )
    return float(min(history.history["val_loss"]))


def main() -> None:
    """Train the four models once a seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--jit", action="store_true")
    choices = parser.parse_args()
    reviews = load_reviews(choices.data)
    for seed in range(choices.seeds):
        keras.utils.set_random_seed(seed)
        for model in build_models():
            loss = train(
                model, reviews, choices.epochs, {"jit_compile": True} if choices.jit else {}
            )
            print(f"seed {seed}: best val_loss {loss:.4f}", flush=True)


if __name__ == "__main__":
    main()
