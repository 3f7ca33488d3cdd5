"""One batch of trials while it is trained: what may be given up, and what came out in the end."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from rnnbench.specs import EpochRow, RunResult, RunSpec
from rnnbench.tuning.search import Search
from rnnbench.tuning.trials import Proposal, Trial

__all__ = ["Attempt", "Round"]


@dataclass(kw_only=True)
class Attempt:
    """A trial at work.

    Args:
        is_lost: a run of it failed; the others are given up.
        specs: its runs, one a tuning seed; only the first can get the trial pruned, so that the
            outcome is the same in whatever order the runs end.
        pruned_after: epochs of the first run when the trial was given up; None while it goes on.
    """

    architecture: str
    search: Search
    proposal: Proposal
    specs: tuple[RunSpec, ...]
    pruned_after: int | None = None
    is_lost: bool = False
    is_shown: bool = False
    reason: str | None = None

    @property
    def first(self) -> str:
        """The fingerprint of the run that pruning looks at."""
        return self.specs[0].fingerprint


@dataclass
class _Run:
    """What is known of a run."""

    rows: list[EpochRow] = field(default_factory=list)
    result: RunResult | None = None


class Round:
    """The trials of one batch of each search.

    Told of every epoch and result, it answers which runs are to be given up.

    Args:
        paid: fingerprints of runs that earlier trials were charged for.
    """

    def __init__(self, attempts: Sequence[Attempt], paid: Collection[str] = ()) -> None:
        self.attempts = attempts
        self._paid = paid
        self._runs: dict[str, _Run] = {}
        self._holders: dict[str, list[Attempt]] = {}
        self._prune: dict[str, Callable[[Sequence[float]], bool]] = {}
        for attempt in attempts:
            for spec in attempt.specs:
                self._runs.setdefault(spec.fingerprint, _Run())
                self._holders.setdefault(spec.fingerprint, []).append(attempt)
            if attempt.search.name not in self._prune:
                self._prune[attempt.search.name] = attempt.search.pruning()

    @property
    def specs(self) -> list[RunSpec]:
        """Every run of the round, each once, the first seeds first."""
        every = (
            spec
            for place in range(max((len(a.specs) for a in self.attempts), default=0))
            for attempt in self.attempts
            for spec in attempt.specs[place : place + 1]
        )
        return list({spec.fingerprint: spec for spec in every}.values())

    def holders(self, fingerprint: str) -> Sequence[Attempt]:
        """The trials that the run belongs to: more than one where they ask for the same."""
        return self._holders[fingerprint]

    def forget(self, fingerprint: str) -> None:
        """The run starts over: its epochs so far no longer count."""
        self._runs[fingerprint] = _Run()

    def is_wanted(self, fingerprint: str) -> bool:
        """Whether some trial still waits for the run's result."""
        return self._runs[fingerprint].result is None and any(
            attempt.pruned_after is None and not attempt.is_lost
            for attempt in self._holders[fingerprint]
        )

    def observe_epoch(self, fingerprint: str, row: EpochRow) -> list[str]:
        """Take an epoch into account; the runs that nobody waits for any longer."""
        self._runs[fingerprint].rows.append(row)
        losses = [row.val_loss for row in self._runs[fingerprint].rows]
        pruned = [
            attempt
            for attempt in self._open_firsts(fingerprint)
            if self._prune[attempt.search.name](losses)
        ]
        for attempt in pruned:
            attempt.reason = "earlier trials did better by then: the median was lower"
        return self._give_up(pruned, len(losses))

    def observe_result(self, fingerprint: str, result: RunResult) -> list[str]:
        """Take a run's end into account; the runs that nobody waits for any longer."""
        self._runs[fingerprint].result = result
        if result.status == "failed":
            for attempt in self._holders[fingerprint]:
                attempt.is_lost = True
            return self._unwanted(self._holders[fingerprint])
        if result.status != "diverged":
            return []
        pruned = list(self._open_firsts(fingerprint))
        for attempt in pruned:
            attempt.reason = f"diverged: {result.reason}"
        return self._give_up(pruned, len(self._runs[fingerprint].rows))

    def reason(self, fingerprint: str) -> str:
        """Why a run was given up."""
        reasons = [attempt.reason for attempt in self._holders[fingerprint] if attempt.reason]
        return reasons[0] if reasons else "nobody waits for it"

    def outcomes(self) -> list[tuple[Attempt, Trial]]:
        """Every trial as it ended, in the order of the numbers."""
        ordered = sorted(self.attempts, key=lambda attempt: attempt.proposal.number)
        return [(attempt, self.outcome(attempt)) for attempt in ordered]

    def is_over(self, attempt: Attempt) -> bool:
        """Whether nothing more can change the trial's outcome."""
        runs = (self._runs[spec.fingerprint] for spec in attempt.specs)
        is_decided = attempt.pruned_after is not None or attempt.is_lost
        return is_decided or all(run.result for run in runs)

    def outcome(self, attempt: Attempt) -> Trial:
        """The trial as it ended; it must be over."""
        runs = [self._runs[spec.fingerprint] for spec in attempt.specs]
        losses = [row.val_loss for row in runs[0].rows[: attempt.pruned_after]]
        own = [self._runs[s.fingerprint] for s in attempt.specs if self._pays(attempt, s)]
        trial = Trial(
            number=attempt.proposal.number,
            params=attempt.proposal.params,
            state="pruned",
            curve=tuple(itertools.takewhile(math.isfinite, losses)),
            epochs=sum(len(run.rows) for run in own),
            seconds=sum(row.epoch_seconds for run in own for row in run.rows),
            reason=attempt.reason,
        )
        if attempt.pruned_after is not None:
            return trial
        return _conclude(trial, [run.result for run in runs])

    def _pays(self, attempt: Attempt, spec: RunSpec) -> bool:
        """Whether the run is charged to this trial: a run that several share is charged once."""
        fingerprint = spec.fingerprint
        return fingerprint not in self._paid and self._holders[fingerprint][0] is attempt

    def _open_firsts(self, fingerprint: str) -> Iterable[Attempt]:
        return (
            attempt
            for attempt in self._holders[fingerprint]
            if attempt.first == fingerprint and attempt.pruned_after is None
        )

    def _give_up(self, pruned: Sequence[Attempt], n_epochs: int) -> list[str]:
        for attempt in pruned:
            attempt.pruned_after = n_epochs
        return self._unwanted(pruned)

    def _unwanted(self, attempts: Iterable[Attempt]) -> list[str]:
        """Runs of these trials that nobody waits for any longer."""
        touched = (spec.fingerprint for attempt in attempts for spec in attempt.specs)
        return [
            fingerprint
            for fingerprint in dict.fromkeys(touched)
            if self._runs[fingerprint].result is None and not self.is_wanted(fingerprint)
        ]


def _conclude(trial: Trial, results: Sequence[RunResult | None]) -> Trial:
    """The trial with the results of all its runs."""
    for result in results:
        if result is not None and result.status == "failed":
            return replace(trial, state="failed", reason=f"failed: {result.reason}")
    if any(result is None for result in results):
        return replace(trial, state="failed", reason="a run was lost")
    for result in results:
        if result is not None and result.status == "diverged":
            return replace(trial, reason=f"diverged: {result.reason}")
    losses = tuple(result.val_loss for result in results if result and result.val_loss is not None)
    return replace(trial, state="complete", value=sum(losses) / len(losses), losses=losses)
