"""What a trial asks for, and what came out of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rnnbench.tuning.space import Params

__all__ = ["Proposal", "Trial", "TrialState", "best_so_far", "find_winner"]

TrialState: TypeAlias = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A point to be tried, and the trial's number, from 0 up."""

    number: int
    params: Params


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial that is over.

    Args:
        value: mean over the tuning seeds of the best validation loss; None unless complete.
        losses: that of each seed, in their order.
        curve: validation loss after each epoch of the first seed, the only one that pruning sees,
            as long as it was finite.
        epochs: trained in all, over the seeds.
        seconds: their training time, compilation apart.
        reason: why it was pruned or failed.
    """

    number: int
    params: Params
    state: TrialState
    value: float | None = None
    losses: tuple[float, ...] = ()
    curve: tuple[float, ...] = ()
    epochs: int = 0
    seconds: float = 0.0
    reason: str | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Trial:  # Any: JSON values
        """The trial as `dataclasses.asdict` and JSON wrote it."""
        lists = {key: tuple(values[key]) for key in ("losses", "curve")}
        return cls(**{**values, **lists})


def find_winner(trials: Iterable[Trial]) -> Trial | None:
    """The complete trial of the lowest value, the first of equals; None if none is complete."""
    complete = [trial for trial in trials if trial.value is not None]
    return min(complete, key=lambda trial: (trial.value, trial.number), default=None)


def best_so_far(losses: Sequence[float], n_epochs: int | None = None) -> list[float]:
    """The lowest of the losses up to each epoch; what is not finite counts as infinitely bad.

    Args:
        n_epochs: how long the list shall be: a run that has stopped keeps its best.
    """
    best, lowest = math.inf, []
    for loss in losses:
        best = min(best, loss) if math.isfinite(loss) else best
        lowest.append(best)
    return lowest + [best] * (0 if n_epochs is None else n_epochs - len(lowest))
