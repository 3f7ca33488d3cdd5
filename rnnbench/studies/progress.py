"""Where a running study stands: counted here, drawn as a live table or as plain lines."""

import statistics
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Group
from rich.text import Text

from rnnbench.architectures import display_name
from rnnbench.output.amounts import plural
from rnnbench.page.consoles import PlainConsole
from rnnbench.page.notebooks import Cell, html_lines, html_table
from rnnbench.page.tables import Column, rich_table
from rnnbench.page.texts import duration
from rnnbench.specs import EpochEnded, Event, Failed, Finished, RunSpec, Started
from rnnbench.studies.plan import Plan

HEARTBEAT_SECONDS = 30.0
REDRAW_SECONDS = 0.5  # of a notebook
N_PACES = 100  # the last runs tell how long the next take


@dataclass(kw_only=True)
class RunCounts:
    """One architecture's runs."""

    n_runs: int
    n_over: int = 0
    n_failed: int = 0
    running: dict[str, tuple[int, int]] = field(default_factory=dict)  # run → seed, epochs done
    val_loss: float | None = None


class StudyProgress:
    """Counts what has happened in a study, and says how long the rest may take."""

    def __init__(self, plan: Plan) -> None:
        self.began = time.monotonic()
        self.n_workers = max(plan.n_workers, 1)
        self.n_tasks = len(plan.tasks)
        self.counts: dict[str, RunCounts] = {}
        open_runs = {task.spec.fingerprint for task in plan.tasks}
        for spec in plan.specs:
            counts = self.counts.setdefault(display_name(spec.form), RunCounts(n_runs=0))
            counts.n_runs += 1
            counts.n_over += spec.fingerprint not in open_runs
        self.n_over = 0  # tasks of this command that have ended
        self._expected = {task.spec.fingerprint: task.expected_seconds for task in plan.tasks}
        self._waiting = Counter(self._expected.values())  # how many wait that long; few lengths
        self._spent: dict[str, float] = {}  # by the runs at work
        self._resumed: set[str] = set()  # their few last epochs say nothing of a whole run
        self._pace: deque[float] = deque(maxlen=N_PACES)  # actual over expected, of the last runs

    def observe(self, spec: RunSpec, event: Event) -> None:
        """Take one event into account."""
        counts = self.counts[display_name(spec.form)]
        if isinstance(event, Started):
            counts.running[event.fingerprint] = (spec.seed, event.first_epoch - 1)
            self._begin(event.fingerprint)
            if event.first_epoch > 1:
                self._resumed.add(event.fingerprint)
        elif isinstance(event, EpochEnded):
            counts.running[event.fingerprint] = (spec.seed, event.row.epoch)
            counts.val_loss = event.row.val_loss
            self._begin(event.fingerprint)
            self._spent[event.fingerprint] += event.row.epoch_seconds
        elif isinstance(event, Finished | Failed):
            counts.running.pop(event.fingerprint, None)
            counts.n_over += 1
            counts.n_failed += isinstance(event, Failed)
            self.n_over += 1
            self._begin(event.fingerprint)  # a worker can die before it says that it has begun
            spent = self._spent.pop(event.fingerprint)
            expected = self._expected.pop(event.fingerprint)
            if expected and isinstance(event, Finished) and event.fingerprint not in self._resumed:
                self._pace.append(spent / expected)

    def seconds_left(self) -> float:
        """Estimate: what was expected of the open runs, corrected by how the others went."""
        pace = statistics.median(self._pace) if self._pace else 1.0
        begun = [max(self._expected[key] * pace - spent, 0.0) for key, spent in self._spent.items()]
        waiting = [seconds * pace for seconds in self._waiting]
        total = sum(begun) + sum(seconds * pace * n for seconds, n in self._waiting.items())
        return max(total / self.n_workers, *begun, *waiting, 0.0)

    def _begin(self, fingerprint: str) -> None:
        """A run no longer waits."""
        if fingerprint in self._spent:
            return
        self._spent[fingerprint] = 0.0
        seconds = self._expected[fingerprint]
        self._waiting[seconds] -= 1
        if not self._waiting[seconds]:
            del self._waiting[seconds]


class PlainBoard(StudyProgress):
    """A line when a run ends, and one now and then: for logs and pipes."""

    def __init__(self, plan: Plan, console: PlainConsole) -> None:
        super().__init__(plan)
        self._console = console
        self._last = time.monotonic()

    def observe(self, spec: RunSpec, event: Event) -> None:
        """Take one event into account, and print what there is to say of it."""
        super().observe(spec, event)
        name = f"{display_name(spec.form)} seed {spec.seed}"
        if isinstance(event, Started) and event.first_epoch > 1:
            self._print(f"{name}: goes on from epoch {event.first_epoch}")
        elif isinstance(event, Finished):
            self._print(f"{name}: {_outcome(event)}")
        elif isinstance(event, Failed):
            self._print(f"{name}: failed: {event.reason}")
        elif isinstance(event, EpochEnded) and self._is_due():
            self._print(f"{name}: epoch {event.row.epoch}, val_loss {event.row.val_loss:.4f}")

    def _is_due(self) -> bool:
        return time.monotonic() - self._last >= HEARTBEAT_SECONDS

    def _print(self, text: str) -> None:
        self._last = time.monotonic()
        left = duration(self.seconds_left())
        self._console.print(
            f"[{self.n_over}/{self.n_tasks}] {text}  (about {left} left)", soft_wrap=True
        )


class LiveBoard(StudyProgress):
    """A table that is drawn anew in place."""

    def __rich__(self) -> Group:
        """The table as it stands."""
        table = rich_table("", _COLUMNS, self.counts.items(), box=None)
        return Group(table, Text(_tell_progress(self), style="dim"))


class NotebookBoard(StudyProgress):
    """The same table below the running cell of a notebook; at the end it makes way for a line."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._cell = Cell()
        self._draw()

    def observe(self, spec: RunSpec, event: Event) -> None:
        """Take one event into account; the table is drawn twice a second at most."""
        super().observe(spec, event)
        if time.monotonic() - self._drawn >= REDRAW_SECONDS:
            self._draw()

    def end(self) -> None:
        """Leave one line of it."""
        took = duration(time.monotonic() - self.began)
        self._show(f"{self.n_over} of {plural(self.n_tasks, 'run')} done in {took}")

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        self._show(_tell_progress(self), html_table("", _COLUMNS, self.counts.items()))

    def _show(self, line: str, table: str = "") -> None:
        self._cell.draw(table + html_lines([line]), line)


def _tell_progress(progress: StudyProgress) -> str:
    idle = not (progress.n_over or any(counts.running for counts in progress.counts.values()))
    return ("the workers are starting; " if idle else "") + (
        f"{progress.n_over} of {plural(progress.n_tasks, 'run')} done, "
        f"{duration(time.monotonic() - progress.began)} so far, "
        f"about {duration(progress.seconds_left())} left"
    )


def _outcome(event: Finished) -> str:
    result = event.result
    if result.status == "diverged":
        return f"diverged: {result.reason}"
    assert result.val_loss is not None
    test = "" if result.test_accuracy is None else f"test accuracy {result.test_accuracy:.4f}, "
    return (
        f"{test}best val_loss {result.val_loss:.4f} in epoch {result.best_epoch} of {result.epochs}"
    )


def _done(counts: RunCounts, width: int = 10) -> str:
    filled = round(width * counts.n_over / counts.n_runs)
    bar = "█" * filled + "░" * (width - filled)
    failed = f" ({counts.n_failed} failed)" if counts.n_failed else ""
    return f"{bar} {counts.n_over}/{counts.n_runs}{failed}"


def _running(counts: RunCounts) -> str:
    return ", ".join(
        f"seed {seed}: epoch {epoch}" for seed, epoch in sorted(counts.running.values())
    )


def _val_loss(counts: RunCounts) -> str:
    return "" if counts.val_loss is None else f"{counts.val_loss:.4f}"


_COLUMNS: Sequence[Column[tuple[str, RunCounts]]] = (
    Column("architecture", lambda named: named[0], is_number=False),
    Column("done", lambda named: _done(named[1]), is_number=False),
    Column("running", lambda named: _running(named[1]), is_number=False),
    Column("latest val_loss", lambda named: _val_loss(named[1]), is_number=False),
)
