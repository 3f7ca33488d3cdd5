"""What `rnnbench timing` shows."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from statistics import median

from rnnbench.output.amounts import plural
from rnnbench.page.consoles import PlainConsole
from rnnbench.page.screen import Screen
from rnnbench.page.tables import Column, rich_table
from rnnbench.page.texts import count, duration, number
from rnnbench.timing.page import warn_of_precision, write_controls, write_ms, write_ratio
from rnnbench.timing.rounds import Outcomes
from rnnbench.timing.rows import Slowdown, TimedArm, TimingPart
from rnnbench.timing.sessions import Session

SECONDS_A_TURN: dict[str, float] = {"jax": 10.3, "tensorflow": 26.0, "torch": 17.1}
"""Of a group of arms in one process, on a CPU: by back end, over the default table on two cores.
Measured: `benchmarks/results/timing-cpu.json`."""


class TimingScreen(Screen):
    """Prints times for people."""

    def __init__(self, *, console: PlainConsole | None = None) -> None:
        super().__init__(console=console)
        self._began = time.monotonic()
        self._until = math.inf
        self._n_taken = 0

    def show_arms(self, session: Session, budget: float = math.inf) -> None:
        """What is going to be measured, in so many seconds at most."""
        machine = session.machine
        self.say(f"machine   {machine.get('processor')}, {machine.get('cores')} cores")
        if "gpu" in machine:
            self.say(f"GPU       {machine['gpu']}, driver {machine.get('driver')}")
        n_places = Counter((t.arm.backend, t.arm.device) for t in session.arms)
        for (backend, device), n in n_places.items():
            self.say(f"arms      {n} on {backend}, {device}")
        for times in session.arms:
            self.say(f"          {times.arm.name}")
        n_left = _count_missing(session)
        n_done = max(len(times.samples) for times in session.arms)
        done = f"; {plural(n_done, 'time')} at most so far" if n_done else ""
        self.say(
            f"to do     {plural(n_left, 'turn')} of {plural(len(session.groups), 'group')} of arms,"
            f" each {plural(session.repeats, 'time')} at least, in a process in which its arms take"
            f" turns{done}"
        )
        if session.precision is not None:
            self.say(
                f"until     no interval reaches further than {100 * session.precision:g} %, for "
                f"{duration(budget)} at most"
            )
        if "at_once" in machine:
            self.say(f"          {machine['at_once']}")
        seconds = min(budget, _forecast(session))
        self.say(f"time      about {duration(seconds)}. Let nothing else run meanwhile")
        self._began = time.monotonic()
        self._until = self._began + budget

    def show_outcomes(self, outcomes: Outcomes, session: Session) -> None:
        """A group had its turn in one process."""
        self._n_taken += 1
        n_left = _count_missing(session)
        now = time.monotonic()
        seconds = min(self._until - now, (now - self._began) / self._n_taken * n_left)
        seconds = max(0.0, seconds)
        left = f" (about {duration(seconds)} left)" if n_left else ""
        group = session.group_of(next(iter(outcomes)))
        reached = "" if group.reached is None else f", ± {100 * group.reached:.1f} %"
        self.say(f"[{self._n_taken}/{self._n_taken + n_left}]{left}{reached}")
        for arm, outcome in outcomes.items():
            if isinstance(outcome, str):
                words = f"failed: {outcome}"
            else:
                words = f"{median(outcome.train_ms):.2f} ms a step" if outcome.train_ms else ""
                words += f"; not counted: {outcome.problem}" if outcome.problem else ""
            self.say(f"  {arm.name}: {words}")

    def show_times(self, part: TimingPart) -> None:
        """The tables at the end."""
        for machine in part.machines:
            self.console.print()
            self.say(machine)
            arms = [row for row in part.arms if row.machine == machine]
            self.console.print(rich_table(_ARMS_TITLE, _ARMS, arms))
            slowdowns = [row for row in part.slowdowns if row.machine == machine]
            if any(row.slowdown is not None for row in slowdowns):
                self.console.print(rich_table(_SLOWDOWNS_TITLE, _columns(part), slowdowns))
        for sentence in (*write_controls(part), *warn_of_precision(part)):
            self.say(sentence)
        for row in part.devices:
            self.say(
                f"{row.arm}: {write_ratio(row.ratio)} times the GPU's step time on the CPU of its "
                "host"
            )


_ARMS_TITLE = "Milliseconds a step, median over the repeats; training: [quartiles]"
_ARMS: Sequence[Column[TimedArm]] = (
    Column("arm", lambda row: row.arm.name, is_number=False, min_width=28),
    Column("n", lambda row: str(row.n)),
    Column("train", lambda row: write_ms(row.times.summary("train"))),
    Column("evaluate", lambda row: _median(row, "evaluate")),
    Column("predict", lambda row: _median(row, "predict")),
    Column("MiB", lambda row: _memory(row)),
    Column("kernel", lambda row: row.kernel.path, is_number=False),
    Column("note", lambda row: row.note, is_number=False, min_width=14),
)

_SLOWDOWNS_TITLE = "What recurrent dropout costs a training step: ratios [95 %]"


def _columns(part: TimingPart) -> Sequence[Column[Slowdown]]:
    return (
        *_SLOWDOWNS,
        Column("control", lambda row: write_ratio(part.control_of(row))),
        Column("note", lambda row: row.note, is_number=False, min_width=16),
    )


_SLOWDOWNS: Sequence[Column[Slowdown]] = (
    Column("architecture", lambda row: row.name, is_number=False, is_whole=True),
    Column("back end", lambda row: row.arm.backend, is_number=False, is_whole=True),
    Column("device", lambda row: row.arm.device, is_number=False, is_whole=True),
    Column("in all", lambda row: write_ratio(row.slowdown)),
    Column("use_cudnn\n=False", lambda row: write_ratio(row.cudnn_off)),
    Column("implemen-\ntation 1", lambda row: write_ratio(row.implementation)),
    Column("masks", lambda row: write_ratio(row.masks)),
    Column("as\nwritten", lambda row: write_ratio(row.as_written)),
)


def _count_missing(session: Session) -> int:
    """Turns that are still to come, as far as can be known."""
    return sum(group.n_missing for group in session.groups)


def _forecast(session: Session) -> float:
    """Seconds; what runs at once takes as long as the longer."""
    seconds: dict[str, float] = {}
    for group in session.groups:
        arm = group.arms[0].arm
        place = arm.device if "at_once" in session.machine else "all"
        of_group = group.n_missing * SECONDS_A_TURN[arm.backend]
        seconds[place] = seconds.get(place, 0.0) + of_group
    return max(seconds.values(), default=0.0)


def _median(row: TimedArm, step: str) -> str:
    found = row.times.summary(step)
    return number(found.median if found else None)


def _memory(row: TimedArm) -> str:
    device = row.middle("peak_device_mib")
    return f"{count(row.middle('peak_host_mib'))}{f' + {count(device)} GPU' if device else ''}"
