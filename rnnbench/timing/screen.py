"""What `rnnbench timing` shows."""

from __future__ import annotations

import time
from collections import Counter

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from rnnbench.output.amounts import plural
from rnnbench.page.consoles import PlainConsole
from rnnbench.page.screen import Screen
from rnnbench.page.texts import count, duration, number
from rnnbench.timing.arms import Arm
from rnnbench.timing.page import write_ms, write_ratio
from rnnbench.timing.rows import Slowdown, TimedArm, TimingPart
from rnnbench.timing.sessions import Sample, Session

SECONDS_A_PROCESS = 14.0
"""Measured on two cores of a virtual server, CPU arms of 8 units on JAX; TensorFlow takes 20."""


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
        n_left = sum(times.n_missing(session.repeats) for times in session.arms)
        n_done = sum(len(times.samples) for times in session.arms)
        done = f", {n_done} done already" if n_done else ""
        self.say(
            f"processes {n_left} ({plural(session.repeats, 'repeat')} an arm, each in a process of "
            f"its own, in random order){done}"
        )
        self.say(
            f"time      about {duration(n_left * SECONDS_A_PROCESS)}; noisy arms are repeated, up "
            "to twice. Let nothing else run meanwhile"
        )
        self._began = time.monotonic()

    def show_sample(self, arm: Arm, outcome: Sample | str, session: Session) -> None:
        """A process is done."""
        self._n_taken += 1
        n_left = sum(times.n_missing(session.repeats) for times in session.arms)
        n_done = sum(len(times.samples) for times in session.arms)
        if isinstance(outcome, str):
            words = f"failed: {outcome}"
        else:
            ms = sorted(outcome.train_ms)[len(outcome.train_ms) // 2]
            words = f"{ms:.2f} ms a step"
            words += f"; not counted: {outcome.problem}" if outcome.problem else ""
        seconds = (time.monotonic() - self._began) / self._n_taken * n_left
        left = f"  (about {duration(seconds)} left)" if n_left else ""
        self.say(f"[{n_done}/{n_done + n_left}] {arm.name}: {words}{left}")

    def show_times(self, part: TimingPart) -> None:
        """The tables at the end."""
        for machine in part.machines:
            self.console.print()
            self.say(machine)
            self.console.print(_arms_table([row for row in part.arms if row.machine == machine]))
            slowdowns = [row for row in part.slowdowns if row.machine == machine]
            if any(row.slowdown is not None for row in slowdowns):
                self.console.print(_slowdowns_table(slowdowns))
        for row in part.devices:
            self.say(
                f"{row.arm}: {write_ratio(row.ratio)} times the GPU's step time on the CPU of its "
                "host"
            )


def _arms_table(rows: list[TimedArm]) -> Table:
    table = _open_table("Milliseconds a step, median over the repeats; training: [quartiles]")
    table.add_column("arm", overflow="fold", min_width=28)
    for heading in ("n", "train", "evaluate", "predict", "compile\ns", "MiB"):
        table.add_column(Text(heading), justify="right")
    table.add_column("kernel")
    table.add_column("note", min_width=14)
    for row in rows:
        evaluate, predict = (row.times.summary(step) for step in ("evaluate", "predict"))
        table.add_row(
            row.arm.name,
            str(row.n),
            write_ms(row.times.summary("train")),
            number(evaluate.median if evaluate else None),
            number(predict.median if predict else None),
            number(row.middle("compile_seconds"), 1),
            _memory(row),
            row.kernel.path,
            row.note,
        )
    return table


def _slowdowns_table(rows: list[Slowdown]) -> Table:
    table = _open_table("What recurrent dropout costs a training step: ratio of medians [95 %]")
    for heading in ("architecture", "back end", "device"):
        table.add_column(heading, no_wrap=True)
    for heading in ("in all", "use_cudnn\n=False", "implemen-\ntation 1", "masks", "as\nwritten"):
        table.add_column(Text(heading), justify="right")
    table.add_column("note", min_width=16)
    for row in rows:
        ratios = (row.slowdown, row.cudnn_off, row.implementation, row.masks, row.as_written)
        table.add_row(
            row.name, row.arm.backend, row.arm.device, *map(write_ratio, ratios), row.note
        )
    return table


def _open_table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)


def _memory(row: TimedArm) -> str:
    device = row.middle("peak_device_mib")
    return f"{count(row.middle('peak_host_mib'))}{f' + {count(device)} GPU' if device else ''}"
