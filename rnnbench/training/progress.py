"""A run between two epochs, and its durable form."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

import numpy as np

from rnnbench.specs import EpochRow, Recipe
from rnnbench.training.early_stopping import EarlyStopping
from rnnbench.training.engine import Arrays, Variables

__all__ = ["Progress"]


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


def _numbered(kind: str, arrays: Arrays) -> dict[str, np.ndarray]:
    return {f"{kind}_{index:03}": array for index, array in enumerate(arrays)}


def _keys(names: Iterable[str], kind: str) -> list[str]:
    return sorted(name for name in names if name.startswith(f"{kind}_"))
