"""Trials at work: those of one batch of each search, and which of their runs are to be given up."""

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from rnnbench.specs import EpochRow, RunResult, RunSpec
from rnnbench.tuning.search import Search
from rnnbench.tuning.trials import Trial


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
