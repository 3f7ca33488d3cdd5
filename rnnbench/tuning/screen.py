"""What `rnnbench tune` shows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.table import Table

from rnnbench.output.amounts import plural
from rnnbench.page.consoles import PlainConsole, open_console
from rnnbench.page.screen import Screen
from rnnbench.page.texts import duration
from rnnbench.specs import EpochEnded, Event, RunSpec
from rnnbench.tuning.coordinator import SearchPlan, TrialBoard
from rnnbench.tuning.plan import run_command
from rnnbench.tuning.record import TuningRecord
from rnnbench.tuning.rounds import Attempt
from rnnbench.tuning.search import BATCH
from rnnbench.tuning.trials import Trial, count_points, count_trials

__all__ = ["TuningScreen"]

HEARTBEAT_SECONDS = 30.0


class TuningScreen(Screen):
    """Prints searches for people.

    Args:
        quiet_output: leave standard output to the JSON; all this goes to standard error.
    """

    def __init__(self, *, quiet_output: bool = False, console: PlainConsole | None = None) -> None:
        super().__init__(console=open_console(stderr=True) if quiet_output else console)

    def show_search(self, plan: SearchPlan) -> None:
        """What is about to be searched."""
        self.show_notice(plan.dataset.notice)
        tuning, placement, data = plan.tuning, plan.placement, plan.dataset
        domains = ", ".join(tuning.space.domains)
        known = sum(len(search.trials) for search in plan.searches.values())
        n_trials = sum(search.n_trials for search in plan.searches.values())
        self.say(f"tuning    {tuning.name}: {', '.join(plan.searches)}")
        self.say(f"space     {tuning.space_name}: {domains}")
        self.say(
            f"method    {tuning.method.sampler} in batches of {BATCH}, pruner "
            f"{tuning.method.pruner}, sampler's seed {tuning.method.seed}"
        )
        self.say(
            f"trials    {n_trials}, each the mean of {plural(len(tuning.seeds), 'tuning seed')} "
            f"({', '.join(map(str, tuning.seeds))}){f', {known} done already' if known else ''}"
        )
        self.say(f"data      {data.name} ({data.origin}), content {data.fingerprint[:12]}")
        for note in data.notes:
            self.say(f"          {note}")
        self.say("          training and validation part only; the test half is never opened")
        self.say(f"back end  {placement.backend} on {placement.device}: {placement.reason}")
        self.say(f"storage   {plan.storage}")

    @contextmanager
    def watch_trials(self, plan: SearchPlan) -> Iterator[TrialBoard]:
        """Show the trials while the block runs."""
        yield _Lines(self, plan)

    def show_winners(self, records: Sequence[TuningRecord], plan: SearchPlan) -> None:
        """What was found."""
        self.show_notice(plan.dataset.notice)
        self.console.print()
        self.console.print(_winners_table(records))
        for record in records:
            self._show_doubts(record)
        unfinished = [record.architecture for record in records if not record.is_over]
        if unfinished:
            self.say(f"Not over yet: {', '.join(unfinished)}. The same command goes on.")
        elif all(record.winner is not None for record in records):
            self.say(
                "The losses are the validation part's, and the best of many: they flatter. "
                "What the winners are worth on fresh seeds and the test half says"
            )
            self.say(f"  {run_command(records[0].command)}")
        n_failed = sum(trial.state == "failed" for record in records for trial in record.trials)
        if n_failed:
            self.warn(
                f"{plural(n_failed, 'trial')} failed; they stay failed, --fresh starts all over"
            )
        self.say("Browse the trials: rnnbench ui (or optuna-dashboard with the storage above)")

    def _show_doubts(self, record: TuningRecord) -> None:
        """What the table does not say of a search."""
        trials = count_trials(record.trials)
        if count_points(record.trials) < len(record.trials):
            self.say(f"{record.architecture}: {trials}; one that is tried again says nothing new.")
        if record.is_over and record.winner is None:
            self.warn(
                f"{record.architecture}: there is no winner, for none of {trials} was complete: "
                "most diverge at too high a learning rate; choose another --space with --fresh"
            )
        if record.reservation is not None:
            self.warn(record.reservation)


class _Lines:
    """A line when a trial is over, and one now and then."""

    def __init__(self, screen: Screen, plan: SearchPlan) -> None:
        self._screen = screen
        self._n_trials = sum(search.n_trials for search in plan.searches.values())
        self._n_over = sum(len(search.trials) for search in plan.searches.values())
        self._n_before = self._n_over
        self._began = self._last = time.monotonic()

    def observe(self, attempt: Attempt, spec: RunSpec, event: Event) -> None:
        """See `TrialBoard.observe`."""
        if isinstance(event, EpochEnded) and time.monotonic() - self._last >= HEARTBEAT_SECONDS:
            self._print(
                f"{attempt.architecture} trial {attempt.proposal.number} "
                f"({describe_params(attempt.proposal.params)}) seed {spec.seed}: "
                f"epoch {event.row.epoch}, val_loss {event.row.val_loss:.4f}"
            )

    def tell(self, architecture: str, trial: Trial, best: Trial | None) -> None:
        """See `TrialBoard.tell`."""
        self._n_over += 1
        words = f"{architecture} trial {trial.number} ({describe_params(trial.params)}): "
        if trial.value is not None:
            words += f"val_loss {trial.value:.4f}"
            is_better = best is not None and best.value is not None and trial.value < best.value
            words += ", better than all batches before" if is_better else ""
        elif trial.state == "pruned":
            words += f"pruned after {plural(len(trial.curve), 'epoch')}"
            words += f" ({trial.reason})" if (trial.reason or "").startswith("diverged") else ""
        else:
            words += str(trial.reason)
        self._print(words)

    def _print(self, words: str) -> None:
        self._last = time.monotonic()
        self._screen.say(f"[{self._n_over}/{self._n_trials}] {words}{self._left()}")

    def _left(self) -> str:
        """Estimate: the trials to come take as long as those of this command took."""
        n_done = self._n_over - self._n_before
        if n_done < BATCH:
            return ""
        seconds = (time.monotonic() - self._began) / n_done * (self._n_trials - self._n_over)
        return f"  (about {duration(seconds)} left)" if seconds >= 1 else ""


def describe_params(params: Mapping[str, float | int]) -> str:
    """`learning_rate 0.00213, units 12`."""
    return ", ".join(f"{name} {value:.3g}" for name, value in params.items())


def _winners_table(records: Sequence[TuningRecord]) -> Table:
    table = Table(
        title=f"{records[0].tuning} on {records[0].dataset}",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("architecture", no_wrap=True)
    for heading in ("best", "val_loss", "trial", "trials", "pruned", "failed", "epochs", "time"):
        table.add_column(heading, justify="left" if heading == "best" else "right")
    for record in records:
        best, states = record.winner, [trial.state for trial in record.trials]
        table.add_row(
            record.architecture,
            describe_params(best.params) if best else "–",
            f"{best.value:.4f}" if best and best.value is not None else "–",
            str(best.number) if best else "–",
            f"{len(record.trials)} of {record.n_trials}",
            str(states.count("pruned")),
            str(states.count("failed")),
            f"{sum(trial.epochs for trial in record.trials):,}",
            duration(sum(trial.seconds for trial in record.trials)),
        )
    return table
