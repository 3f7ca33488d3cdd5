"""A run between two epochs: when it stops, which epoch is its best, and its durable form."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

import numpy as np

from rnnbench.specs import EpochRow, Recipe
from rnnbench.training.engine import Arrays, Variables


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """All that the next epoch depends on.

    Args:
        best: the weights after the best epoch so far; empty before the first.
    """

    variables: Variables
    stopping: EarlyStopping
    best: Arrays = ()
    history: tuple[EpochRow, ...] = ()

    @classmethod
    def begin(cls, variables: Variables, recipe: Recipe) -> Progress:
        """Before the first epoch."""
        return cls(variables=variables, stopping=EarlyStopping(patience=recipe.patience))

    @property
    def diverged(self) -> bool:
        """Whether a loss of the last epoch is not finite."""
        if not self.history:
            return False
        last = self.history[-1]
        return not (math.isfinite(last.loss) and math.isfinite(last.val_loss))

    @property
    def improved(self) -> bool:
        """Whether the last epoch is the best so far."""
        return bool(self.history) and self.stopping.best_epoch == self.history[-1].epoch

    def is_over(self, recipe: Recipe) -> bool:
        """Whether training stops here."""
        return self.diverged or self.stopping.stop or len(self.history) >= recipe.epochs

    def after(self, variables: Variables, row: EpochRow) -> Progress:
        """The progress once the epoch of `row` has ended with `variables`."""
        stopping = self.stopping.observe(row.epoch, row.val_loss)
        improved = stopping.best_epoch == row.epoch
        return replace(
            self,
            variables=variables,
            stopping=stopping,
            best=variables.weights if improved else self.best,
            history=(*self.history, row),
        )

    def to_bytes(self) -> bytes:
        """An .npz file: arrays without pickle, the rest as JSON in one of them."""
        plain = {
            "stopping": asdict(self.stopping),
            "history": [asdict(row) for row in self.history],
        }
        arrays = {
            **_numbered("weights", self.variables.weights),
            **_numbered("optimizer", self.variables.optimizer),
            **_numbered("best", self.best),
            "json": np.frombuffer(json.dumps(plain).encode(), dtype=np.uint8),
        }
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Progress:
        """The progress that `to_bytes` wrote, bit for bit."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            plain = json.loads(arrays["json"].tobytes())
            stored = {
                kind: tuple(arrays[key] for key in _keys(arrays.files, kind))
                for kind in ("weights", "optimizer", "best")
            }
        return cls(
            variables=Variables(weights=stored["weights"], optimizer=stored["optimizer"]),
            stopping=EarlyStopping(**plain["stopping"]),
            best=stored["best"],
            history=tuple(EpochRow(**row) for row in plain["history"]),
        )


def read_history(content: bytes) -> tuple[EpochRow, ...]:
    """The epochs of the progress that `to_bytes` wrote, its weights left unread."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        rows = json.loads(arrays["json"].tobytes())["history"]
    return tuple(EpochRow(**row) for row in rows)


def _numbered(kind: str, arrays: Arrays) -> dict[str, np.ndarray]:
    return {f"{kind}_{index:03}": array for index, array in enumerate(arrays)}


def _keys(names: Iterable[str], kind: str) -> list[str]:
    return sorted(name for name in names if name.startswith(f"{kind}_"))
