"""When training stops and which epoch counts as the best."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["EarlyStopping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopping:
    """`keras.callbacks.EarlyStopping(patience, restore_best_weights=True)` as a value.

    Source: keras/src/callbacks/early_stopping.py, `on_epoch_end`, with `monitor="val_loss"`.

    Args:
        best: lowest validation loss so far, as float32 has it; infinite before the first.
        best_epoch: its epoch, from 1 up; 0 before the first.
        wait: epochs since then.
    """

    patience: int
    best: float = math.inf
    best_epoch: int = 0
    wait: int = 0
    stop: bool = False

    def observe(self, epoch: int, val_loss: float) -> EarlyStopping:
        """The state after `epoch` (from 1 up) ended with `val_loss`.

        The first epoch always counts as an improvement, and a NaN there is never improved upon.
        """
        value = float(np.float32(val_loss))  # Keras compares in float32
        if epoch == 1 or value < self.best:
            return replace(self, best=value, best_epoch=epoch, wait=0)
        wait = self.wait + 1
        return replace(self, wait=wait, stop=wait >= self.patience)
