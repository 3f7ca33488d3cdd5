"""The same training twice: after which epoch do the weights differ, if ever?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnnbench.models import import_keras
from rnnbench.timing.arms import Arm
from rnnbench.timing.measure import Answer, describe_error, make_model, make_reviews
from rnnbench.training.engine import require_gpu

__all__ = ["EPOCHS", "EpochBits", "find_first_difference", "follow_epochs"]

EPOCHS = 10
N_STEPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochBits:
    """Where a training stands after an epoch.

    Args:
        loss: the epoch's running average.
        weights: SHA-256 (hex) of every weight's bytes.
    """

    loss: float
    weights: str


def follow_epochs(pipe: Answer, arm: Arm, seed: int, epochs: int) -> None:
    """Train, and send the list of `EpochBits`, or the sentence that says why there is none."""
    try:
        pipe.send(_train(arm, seed, epochs))
    except Exception as err:  # whatever a back end raises
        pipe.send(describe_error(err))


def find_first_difference(a: Sequence[EpochBits], b: Sequence[EpochBits]) -> int | None:
    """The first epoch, from 1 up, after which the weights differ; None if none does."""
    for epoch, (one, other) in enumerate(zip(a, b, strict=True), start=1):
        if one.weights != other.weights:
            return epoch
    return None


def _train(arm: Arm, seed: int, epochs: int) -> list[EpochBits]:
    import_keras()
    import keras

    found: list[EpochBits] = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            digest = hashlib.sha256()
            for weight in self.model.get_weights():
                digest.update(weight.tobytes())
            found.append(EpochBits(loss=float(logs["loss"]), weights=digest.hexdigest()))

    if arm.device == "gpu":
        require_gpu(arm.backend)
    model = make_model(arm, seed)
    tokens, labels = make_reviews(N_STEPS * arm.batch_size, seed)
    model.fit(
        tokens,
        labels,
        batch_size=arm.batch_size,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[Watch()],
    )
    return found
