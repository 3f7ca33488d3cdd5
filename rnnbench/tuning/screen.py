"""What `rnnbench tune` shows."""

import time
from collections.abc import Callable, Mapping, Sequence

from rnnbench.output.amounts import plural
from rnnbench.page.consoles import PlainConsole, open_console
from rnnbench.page.screen import Screen
from rnnbench.page.tables import Column, rich_table
from rnnbench.page.texts import NONE, duration
from rnnbench.specs import EpochRow, RunSpec
from rnnbench.tuning.plan import BATCH, Tuning, run_command
from rnnbench.tuning.record import TuneOutcome, TuningRecord
from rnnbench.tuning.round import Attempt
from rnnbench.tuning.search import Search
from rnnbench.tuning.trials import Trial, count_points, count_trials, find_winner

HEARTBEAT_SECONDS = 30.0


class TuningScreen(Screen):
    """Prints searches for people.

    Args:
        quiet_output: leave standard output to the JSON; all this goes to standard error.
    """

    def __init__(self, *, quiet_output: bool = False, console: PlainConsole | None = None) -> None:
        super().__init__(console=open_console(stderr=True) if quiet_output else console)
        self._n_trials = self._n_before = self._n_over = 0
        self._began = self._last = time.monotonic()

    def show_search(self, tuning: Tuning, searches: Sequence[Search]) -> None:
        """What is about to be searched."""
        choices, placement = tuning.choices, tuning.placement
        seeds = choices.tuning_seeds
        self._n_trials = sum(search.n_trials for search in searches)
        self._n_before = self._n_over = sum(len(search.trials) for search in searches)
        done = f", {self._n_over} done already" if self._n_over else ""
        names = ", ".join(search.architecture for search in searches)
        self.show_notice(tuning.dataset.notice)
        self.say(f"tuning    {tuning.base.name}: {names}")
        self.say(f"space     {choices.space}: {', '.join(tuning.space.domains)}")
        self.say(
            f"method    {choices.sampler} in batches of {BATCH}, pruner {choices.pruner}, "
            f"sampler's seed {choices.sampler_seed}"
        )
        self.say(
            f"trials    {self._n_trials}, each the mean of {plural(len(seeds), 'tuning seed')} "
            f"({', '.join(map(str, seeds))}){done}"
        )
        self.show_dataset(tuning.dataset)
        self.say("          training and validation part only; the test half is never opened")
        self.say(f"back end  {placement.backend} on {placement.device}: {placement.reason}")
        self.say(f"storage   {searches[0].place}")

    def begin_trials(self) -> None:
        """From now on trials are trained."""
        self._began = self._last = time.monotonic()

    def show_epoch(self, attempt: Attempt, spec: RunSpec, row: EpochRow) -> None:
        """A line now and then, for an epoch in a run of the trial."""
        if time.monotonic() - self._last >= HEARTBEAT_SECONDS:
            words = f"seed {spec.seed}: epoch {row.epoch}, val_loss {row.val_loss:.4f}"
            self._print(f"{_name(attempt.search, attempt.trial)} {words}")

    def show_trial(self, search: Search, trial: Trial) -> None:
        """A line for a trial that is over."""
        self._n_over += 1
        if trial.value is not None:
            words = f"val_loss {trial.value:.4f}"
            best = find_winner(search.trials)
            is_better = best is not None and best.value is not None and trial.value < best.value
            words += ", better than all batches before" if is_better else ""
        elif trial.state == "pruned":
            words = f"pruned after {plural(len(trial.curve), 'epoch')}"
            words += f" ({trial.reason})" if (trial.reason or "").startswith("diverged") else ""
        else:
            words = str(trial.reason)
        self._print(f"{_name(search, trial)}: {words}")

    def _print(self, words: str) -> None:
        """The words with how far the command is, and an estimate from the trials so far."""
        self._last = time.monotonic()
        left = ""
        n_done = self._n_over - self._n_before
        if n_done >= BATCH:
            seconds = (self._last - self._began) / n_done * (self._n_trials - self._n_over)
            left = f"  (about {duration(seconds)} left)" if seconds >= 1 else ""
        self.say(f"[{self._n_over}/{self._n_trials}] {words}{left}")

    def show_winners(self, outcome: TuneOutcome, tuning: Tuning) -> None:
        """What was found."""
        records = outcome.records
        self.show_notice(tuning.dataset.notice)
        self.console.print()
        title = f"{records[0].tuning} on {records[0].dataset}"
        self.console.print(rich_table(title, _WINNERS, records))
        for record in records:
            self._show_doubts(record)
        unfinished = [record.architecture for record in records if not record.is_over]
        if unfinished:
            self.say(f"Not over yet: {', '.join(unfinished)}. The same command goes on.")
        elif outcome.has_all_winners:
            self.say(
                "The losses are the validation part's, and the best of many: they are optimistic. "
                "What the winners are worth on fresh seeds and the test half says"
            )
            self.say(f"  {run_command(tuning.choices.command)}")
        if outcome.n_failed:
            self.warn(
                f"{plural(outcome.n_failed, 'trial')} failed; they stay failed, --fresh starts "
                "all over"
            )
        self.say("Browse the trials: rnnbench ui (or optuna-dashboard with the storage above)")
        if outcome.interrupted:
            self.warn(f"interrupted; every whole epoch is kept. To go on: {tuning.choices.command}")

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
        if record.caveat is not None:
            self.warn(record.caveat)


def _name(search: Search, trial: Trial) -> str:
    return f"{search.architecture} trial {trial.number} ({_describe(trial.params)})"


def _describe(params: Mapping[str, float | int]) -> str:
    """`learning_rate 0.00213, units 12`."""
    return ", ".join(f"{name} {value:.3g}" for name, value in params.items())


def _of_winner(write: Callable[[Trial], str]) -> Callable[[TuningRecord], str]:
    """Writes the search's best trial; a dash where there is none."""
    return lambda record: NONE if record.winner is None else write(record.winner)


_WINNERS: Sequence[Column[TuningRecord]] = (
    Column("architecture", lambda record: record.architecture, is_number=False, is_whole=True),
    Column("best", _of_winner(lambda best: _describe(best.params)), is_number=False),
    Column("val_loss", _of_winner(lambda best: f"{best.value:.4f}")),
    Column("trial", _of_winner(lambda best: str(best.number))),
    Column("trials", lambda record: f"{len(record.trials)} of {record.n_trials}"),
    Column("pruned", lambda record: str(record.count("pruned"))),
    Column("failed", lambda record: str(record.count("failed"))),
    Column("epochs", lambda record: f"{record.epochs:,}"),
    Column("time", lambda record: duration(record.seconds)),
)
