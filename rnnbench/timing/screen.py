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
from rnnbench.page.texts import duration
from rnnbench.stats.intervals import Interval
from rnnbench.timing.arms import Arm
from rnnbench.timing.rows import ArmTimeRow, SlowdownRow, TimingPart
from rnnbench.timing.samples import Sample
from rnnbench.timing.sittings import Sitting

__all__ = ["TimingScreen"]

SECONDS_A_PROCESS = 14.0
"""Measured on two cores of a virtual server, CPU arms of 8 units on JAX; TensorFlow takes 20."""


class TimingScreen(Screen):
    """Prints times for people."""

    def __init__(self, *, console: PlainConsole | None = None) -> None:
        super().__init__(console=console)
        self._began = time.monotonic()
        self._n_taken = 0

    def show_arms(self, sitting: Sitting) -> None:
        """What is going to be measured."""
        machine = sitting.machine
        self.say(f"machine   {machine.get('processor')}, {machine.get('cores')} cores")
        if "gpu" in machine:
            self.say(f"GPU       {machine['gpu']}, driver {machine.get('driver')}")
        n_places = Counter((t.arm.backend, t.arm.device) for t in sitting.arms)
        for (backend, device), n in n_places.items():
            self.say(f"arms      {n} on {backend}, {device}")
        for times in sitting.arms:
            self.say(f"          {times.arm.name}")
        n_left = sum(times.n_missing(sitting.repeats) for times in sitting.arms)
        n_done = sum(len(times.samples) for times in sitting.arms)
        done = f", {n_done} done already" if n_done else ""
        self.say(
            f"processes {n_left} ({plural(sitting.repeats, 'repeat')} an arm, each in a process of "
            f"its own, in random order){done}"
        )
        self.say(
            f"time      about {duration(n_left * SECONDS_A_PROCESS)}; noisy arms are repeated, up "
            "to twice. Let nothing else run meanwhile"
        )
        self._began = time.monotonic()

    def show_sample(self, arm: Arm, outcome: Sample | str, sitting: Sitting) -> None:
        """A process is done."""
        self._n_taken += 1
        n_left = sum(times.n_missing(sitting.repeats) for times in sitting.arms)
        n_done = sum(len(times.samples) for times in sitting.arms)
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
            rows = [row for row in part.arms if row.machine == machine]
            self.console.print(_arms_table(rows))
            slowdowns = [row for row in part.slowdowns if row.machine == machine]
            if any(row.slowdown is not None for row in slowdowns):
                self.console.print(_slowdowns_table(slowdowns))
        for row in part.devices:
            self.say(
                f"{row.arm}: {row.ratio:.2f} times the GPU's step time on the CPU of its host "
                f"{_bounds(row.ratio_interval)}"
            )


def _arms_table(rows: list[ArmTimeRow]) -> Table:
    table = Table(
        title="Milliseconds a step, median over the repeats; training: [quartiles]",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("arm", overflow="fold", min_width=28)
    for heading in ("n", "train", "evaluate", "predict", "reviews/s", "compile\ns", "MiB"):
        table.add_column(Text(heading), justify="right")
    table.add_column("kernel")
    table.add_column("note")
    for row in rows:
        table.add_row(
            row.name,
            str(row.n),
            _ms(row.train_ms, row.train_quartiles),
            _ms(row.evaluate_ms),
            _ms(row.predict_ms),
            "–" if row.reviews_per_second is None else f"{row.reviews_per_second:,.0f}",
            "–" if row.compile_seconds is None else f"{row.compile_seconds:.1f}",
            _memory(row),
            row.path,
            row.note,
        )
    return table


def _slowdowns_table(rows: list[SlowdownRow]) -> Table:
    table = Table(
        title="What recurrent dropout costs a training step: ratio of medians [95 %]",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for heading in ("architecture", "back end", "device"):
        table.add_column(heading, no_wrap=True)
    for heading in ("in all", "use_cudnn\n=False", "implemen-\ntation 1", "masks", "as\nwritten"):
        table.add_column(Text(heading), justify="right")
    table.add_column("note")
    for row in rows:
        table.add_row(
            row.name,
            row.backend,
            row.device,
            _ratio(row.slowdown, row.slowdown_interval),
            _ratio(row.cudnn_off, row.cudnn_off_interval),
            _ratio(row.implementation, row.implementation_interval),
            _ratio(row.masks, row.masks_interval),
            _ratio(row.as_written, row.as_written_interval),
            row.note,
        )
    return table


def _ms(value: float | None, quartiles: Interval | None = None) -> str:
    return "–" if value is None else f"{value:.2f} {_bounds(quartiles)}".strip()


def _memory(row: ArmTimeRow) -> str:
    if row.peak_host_mib is None:
        return "–"
    device = "" if row.peak_device_mib is None else f" + {row.peak_device_mib:,.0f} GPU"
    return f"{row.peak_host_mib:,.0f}{device}"


def _ratio(value: float | None, interval: Interval | None) -> str:
    return "–" if value is None else f"{value:.2f} {_bounds(interval)}".strip()


def _bounds(interval: Interval | None) -> str:
    return "" if interval is None else f"[{interval.low:.2f}, {interval.high:.2f}]"
