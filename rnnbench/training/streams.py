"""Batch order and dropout seeds: functions of the run's seed and the epoch, of nothing else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnnbench.specs import Order

__all__ = ["batch_order", "dropout_seed"]

_ORDER, _DROPOUT = 1, 2  # keeps the two streams of one seed apart


def batch_order(seed: int, epoch: int, n_reviews: int, order: Order) -> NDArray[np.int64]:
    """The permutation of `n_reviews` that `epoch` (from 1 up) trains in."""
    drawn_in = 1 if order == "frozen" else epoch
    return np.random.default_rng([seed, _ORDER, drawn_in]).permutation(n_reviews)


def dropout_seed(seed: int, epoch: int) -> int:
    """A 32-bit seed for the epoch's dropout masks, never frozen."""
    return int(np.random.SeedSequence([seed, _DROPOUT, epoch]).generate_state(1)[0])
