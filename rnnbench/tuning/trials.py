"""A trial: asked, at work beside the others of its batch, and what came out of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeGuard, get_args

from rnnbench.specs import EpochRow, RunResult, RunSpec
from rnnbench.tuning.space import Params

if TYPE_CHECKING:
    from rnnbench.tuning.search import Search

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


@dataclass(kw_only=True)
class Attempt:
    """A trial at work.

    Args:
        trial: as it was asked.
        specs: its runs, one a tuning seed; only the first can get the trial pruned, so that the
            outcome is the same in whatever order the runs end.
        pruned_after: epochs of the first run when the trial was given up; None while it goes on.
        is_lost: a run of it failed; the others are given up.
        is_shown: whether people were told how it ended.
    """

    search: Search
    trial: Trial
    specs: tuple[RunSpec, ...]
    pruned_after: int | None = None
    is_lost: bool = False
    is_shown: bool = False
    reason: str | None = None

    @property
    def first(self) -> str:
        """The fingerprint of the run that pruning looks at."""
        return self.specs[0].fingerprint

    @property
    def is_decided(self) -> bool:
        """Whether the runs that are left can change nothing."""
        return self.is_lost or self.pruned_after is not None


class Round:
    """The trials of one batch of each search.

    Told of every epoch and result, it answers which runs are to be given up.

    Args:
        paid: fingerprints of runs that earlier trials were charged for.

    Attributes:
        holders: by fingerprint the trials that a run belongs to: several where they ask the same.
    """

    def __init__(self, attempts: Sequence[Attempt], paid: Collection[str] = ()) -> None:
        self.attempts = attempts
        self._paid = paid
        self._rows: dict[str, list[EpochRow]] = {}
        self._results: dict[str, RunResult] = {}
        self.holders: dict[str, list[Attempt]] = {}
        for attempt in attempts:
            for spec in attempt.specs:
                self._rows[spec.fingerprint] = []
                self.holders.setdefault(spec.fingerprint, []).append(attempt)
        searches = {attempt.search.name: attempt.search for attempt in attempts}
        self._pruners = {name: search.pruning() for name, search in searches.items()}

    @property
    def specs(self) -> list[RunSpec]:
        """Every run of the round, each once, the first seeds first."""
        by_seed = itertools.zip_longest(*(attempt.specs for attempt in self.attempts))
        every = (spec for specs in by_seed for spec in specs if spec is not None)
        return list({spec.fingerprint: spec for spec in every}.values())

    def forget(self, fingerprint: str) -> None:
        """The run starts over: its epochs so far no longer count."""
        self._rows[fingerprint] = []
        self._results.pop(fingerprint, None)

    def is_wanted(self, fingerprint: str) -> bool:
        """Whether some trial still waits for the run's result."""
        return fingerprint not in self._results and not all(
            attempt.is_decided for attempt in self.holders[fingerprint]
        )

    def observe_epoch(self, fingerprint: str, row: EpochRow) -> list[str]:
        """Take an epoch into account; the runs that nobody waits for any longer."""
        self._rows[fingerprint].append(row)
        losses = [row.val_loss for row in self._rows[fingerprint]]
        return self._prune(
            fingerprint,
            "earlier trials did better by then: the median was lower",
            lambda search: self._pruners[search.name](losses),
        )

    def observe_result(self, fingerprint: str, result: RunResult) -> list[str]:
        """Take a run's end into account; the runs that nobody waits for any longer."""
        self._results[fingerprint] = result
        if result.status == "failed":
            for attempt in self.holders[fingerprint]:
                attempt.is_lost = True
            return self._unwanted(self.holders[fingerprint])
        if result.status == "diverged":
            return self._prune(fingerprint, f"diverged: {result.reason}", lambda _: True)
        return []

    def reason(self, fingerprint: str) -> str:
        """Why a run was given up."""
        reasons = (attempt.reason for attempt in self.holders[fingerprint] if attempt.reason)
        return next(reasons, "nobody waits for it")

    def outcomes(self) -> list[tuple[Attempt, Trial]]:
        """Every trial as it ended, in the order of the numbers."""
        ordered = sorted(self.attempts, key=lambda attempt: attempt.trial.number)
        return [(attempt, self.outcome(attempt)) for attempt in ordered]

    def is_over(self, attempt: Attempt) -> bool:
        """Whether nothing more can change the trial's outcome."""
        return attempt.is_decided or all(s.fingerprint in self._results for s in attempt.specs)

    def outcome(self, attempt: Attempt) -> Trial:
        """The trial as it ended; it must be over."""
        losses = [row.val_loss for row in self._rows[attempt.first][: attempt.pruned_after]]
        rows = [
            row
            for s in attempt.specs
            if self._pays(attempt, s)
            for row in self._rows[s.fingerprint]
        ]
        trial = replace(
            attempt.trial,
            state="pruned",
            curve=tuple(itertools.takewhile(math.isfinite, losses)),
            epochs=len(rows),
            seconds=sum(row.epoch_seconds for row in rows),
            reason=attempt.reason,
        )
        if attempt.pruned_after is not None:
            return trial
        return _conclude(trial, [self._results.get(spec.fingerprint) for spec in attempt.specs])

    def _pays(self, attempt: Attempt, spec: RunSpec) -> bool:
        """Whether the run is charged to this trial: a run that several share is charged once."""
        fingerprint = spec.fingerprint
        return fingerprint not in self._paid and self.holders[fingerprint][0] is attempt

    def _prune(self, fingerprint: str, reason: str, is_bad: Callable[[Search], bool]) -> list[str]:
        """Give up the trials whose first run this is, where it is bad for their search."""
        pruned = [
            attempt
            for attempt in self.holders[fingerprint]
            if attempt.first == fingerprint
            and attempt.pruned_after is None
            and is_bad(attempt.search)
        ]
        for attempt in pruned:
            attempt.reason = reason
            attempt.pruned_after = len(self._rows[fingerprint])
        return self._unwanted(pruned)

    def _unwanted(self, attempts: Iterable[Attempt]) -> list[str]:
        """Runs of these trials that nobody waits for any longer."""
        touched = dict.fromkeys(spec.fingerprint for a in attempts for spec in a.specs)
        return [
            fingerprint
            for fingerprint in touched
            if fingerprint not in self._results and not self.is_wanted(fingerprint)
        ]


def count_points(trials: Iterable[Trial]) -> int:
    """How many distinct points the trials tried: a sampler may ask for one again."""
    return len({tuple(sorted(trial.params.items())) for trial in trials})


def count_trials(trials: Sequence[Trial]) -> str:
    """`12 trials`, or where points were tried again `12 trials of 2 distinct points`."""
    n_trials, n_points = len(trials), count_points(trials)
    words = "1 trial" if n_trials == 1 else f"{n_trials} trials"
    if n_points == n_trials:
        return words
    return f"{words} of {n_points} distinct point{'' if n_points == 1 else 's'}"


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


def _conclude(trial: Trial, results: Sequence[RunResult | None]) -> Trial:
    """The trial with the results of all its runs."""
    known = [result for result in results if result is not None]
    for result in known:
        if result.status == "failed":
            return replace(trial, state="failed", reason=f"failed: {result.reason}")
    if len(known) < len(results):
        return replace(trial, state="failed", reason="a run was lost")
    for result in known:
        if result.status == "diverged":
            return replace(trial, reason=f"diverged: {result.reason}")
    losses = tuple(result.val_loss for result in known if result.val_loss is not None)
    return replace(trial, state="complete", value=sum(losses) / len(losses), losses=losses)
