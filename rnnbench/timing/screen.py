"""What `rnnbench timing` shows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from statistics import median

from rnnbench.output.amounts import plural
from rnnbench.page.consoles import PlainConsole
from rnnbench.page.screen import Screen
from rnnbench.page.tables import Column, rich_table
from rnnbench.page.texts import count, duration, number
from rnnbench.timing.measure import Outcomes
from rnnbench.timing.page import write_compile_seconds, write_ms, write_ratio
from rnnbench.timing.rows import Slowdown, TimedArm, TimingPart
from rnnbench.timing.sessions import Session

SECONDS_AN_ARM, SECONDS_AT_ONCE = 9.0, 2.2
"""Measured, with 8 units: CPU arms on JAX on two cores of a virtual server; and both devices at
once, on JAX and PyTorch, on 16 cores and an H100."""


class TimingScreen(Screen):
    """Prints times for people."""

    def __init__(self, *, console: PlainConsole | None = None) -> None:
        super().__init__(console=console)
        self._began = time.monotonic()
        self._n_taken = 0

    def show_arms(self, session: Session) -> None:
        """What is going to be measured."""
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
        done = f", {session.n_samples} done already" if session.n_samples else ""
        self.say(
            f"to do     {plural(n_left, 'measurement')} ({plural(session.repeats, 'repeat')} an "
            f"arm; arms that are compared share a process, and take turns){done}"
        )
        seconds = n_left * SECONDS_AN_ARM
        if "at_once" in machine:
            self.say(f"          {machine['at_once']}")
            seconds = n_left * SECONDS_AT_ONCE
        self.say(f"time      about {duration(seconds)}. Let nothing else run meanwhile")
        self._began = time.monotonic()

    def show_outcomes(self, outcomes: Outcomes, session: Session) -> None:
        """A process is done."""
        self._n_taken += len(outcomes)
        n_left = _count_missing(session)
        seconds = (time.monotonic() - self._began) / self._n_taken * n_left
        left = f" (about {duration(seconds)} left)" if n_left else ""
        self.say(f"[{session.n_samples}/{session.n_samples + n_left}]{left}")
        for arm, outcome in outcomes.items():
            if isinstance(outcome, str):
                words = f"failed: {outcome}"
            else:
                words = f"{median(outcome.train_ms):.2f} ms a step"
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
                self.console.print(rich_table(_SLOWDOWNS_TITLE, _SLOWDOWNS, slowdowns))
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
    Column("compile\ns", write_compile_seconds),
    Column("MiB", lambda row: _memory(row)),
    Column("kernel", lambda row: row.kernel.path, is_number=False),
    Column("note", lambda row: row.note, is_number=False, min_width=14),
)

_SLOWDOWNS_TITLE = "What recurrent dropout costs a training step: ratios [95 %]"
_SLOWDOWNS: Sequence[Column[Slowdown]] = (
    Column("architecture", lambda row: row.name, is_number=False, is_whole=True),
    Column("back end", lambda row: row.arm.backend, is_number=False, is_whole=True),
    Column("device", lambda row: row.arm.device, is_number=False, is_whole=True),
    Column("in all", lambda row: write_ratio(row.slowdown)),
    Column("use_cudnn\n=False", lambda row: write_ratio(row.cudnn_off)),
    Column("implemen-\ntation 1", lambda row: write_ratio(row.implementation)),
    Column("masks", lambda row: write_ratio(row.masks)),
    Column("as\nwritten", lambda row: write_ratio(row.as_written)),
    Column("note", lambda row: row.note, is_number=False, min_width=16),
)


def _count_missing(session: Session) -> int:
    return sum(times.n_missing(session.repeats) for times in session.arms)


def _median(row: TimedArm, step: str) -> str:
    found = row.times.summary(step)
    return number(found.median if found else None)


def _memory(row: TimedArm) -> str:
    device = row.middle("peak_device_mib")
    return f"{count(row.middle('peak_host_mib'))}{f' + {count(device)} GPU' if device else ''}"
