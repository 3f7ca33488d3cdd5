"""A trial, what came out of it, and what many of them say together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeGuard, get_args

from rnnbench.output.amounts import plural
from rnnbench.tuning.space import Params

_LONGEST_SECONDS = 1e10  # three centuries: what every date that is reckoned from it can bear
TrialState: TypeAlias = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A point of the space, and what came out of it.

    Args:
        number: from 0 up.
        state: None until the trial is over.
        value: mean over the tuning seeds of the best validation loss; None unless complete.
        losses: that of each seed, in their order.
        curve: validation loss after each epoch of the first seed, the only one that pruning sees,
            as long as it was finite.
        epochs: trained in all, over the seeds.
        seconds: their training time, compilation apart.
        reason: why it was pruned or failed.

    Raises:
        ValueError: no trial of this program could be so; a file that holds it was changed.
    """

    number: int
    params: Params
    state: TrialState | None
    value: float | None = None
    losses: tuple[float, ...] = ()
    curve: tuple[float, ...] = ()
    epochs: int = 0
    seconds: float = 0.0
    reason: str | None = None

    def __post_init__(self) -> None:
        numbers = (*self.params.values(), *self.losses, *self.curve, self.seconds)
        if not all(_is_number(number) for number in numbers):
            raise ValueError("a parameter, a loss or a time is not a number")
        if (self.state == "complete") != (_is_number(self.value) and math.isfinite(self.value)):
            raise ValueError("it has a value exactly if it is complete")
        if not all(type(count) is int and count >= 0 for count in (self.number, self.epochs)):
            raise ValueError("its number and its epochs must be non-negative integers")
        if not 0 <= self.seconds < _LONGEST_SECONDS:
            raise ValueError(f"it took {self.seconds} seconds")
        if not isinstance(self.reason, str | None):
            raise ValueError("its reason is not a text")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Trial:  # Any: JSON values
        """A trial that is over, as `dataclasses.asdict` and JSON wrote it."""
        if (state := values.get("state")) not in get_args(TrialState):
            raise ValueError(f"its state is {str(state)[:50]!a}")
        lists = {key: tuple(values[key]) for key in ("losses", "curve")}
        return cls(**{**values, **lists})


def count_points(trials: Iterable[Trial]) -> int:
    """How many distinct points the trials tried: a sampler may ask for one again."""
    return len({tuple(sorted(trial.params.items())) for trial in trials})


def count_trials(trials: Sequence[Trial]) -> str:
    """`12 trials`, or where points were tried again `12 trials of 2 distinct points`."""
    n_trials, n_points = len(trials), count_points(trials)
    words = plural(n_trials, "trial")
    return words if n_points == n_trials else f"{words} of {plural(n_points, 'distinct point')}"


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


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
