"""What was measured of an arm, process by process, and of the arms that took turns there."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from statistics import median
from typing import Any, Literal, TypeAlias

from rnnbench.errors import UsageError
from rnnbench.stats.ratios import MedianIqr, Ratio, median_iqr
from rnnbench.stats.turns import Turns
from rnnbench.timing.arms import Arm

MOST_SPREAD = 0.10
"""Of arms measured apart: an interquartile range above this part of the median is noisy."""
MOST_TRIES = 3
"""So many times the repeats are measured at most, where some cannot be believed."""
MOST_PROCESSES = 40
"""So many processes measure a group at most, precise or not."""
MOST_AMOUNT = 1e12  # of milliseconds, MiB and steps: 31 years, an exabyte

Status: TypeAlias = Literal["measured", "noisy", "invalid", "failed", "unfinished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One repeat of an arm.

    Args:
        train_ms: milliseconds a step, one value a block of steps. Arms of one process have their
            blocks in the same rounds.
        evaluate_ms, predict_ms: the same; empty in processes that did not measure it.
        steps: training steps in a block.
        warm_up_blocks: blocks of training before those that count.
        compile_seconds: the first training step, which compiles it.
        loss_first, loss_last: of the first step, and of the last block.
        jit: what Keras made of the arm's `jit`.
        peak_host_mib: largest resident memory of the process, with all arms that it held.
        peak_device_mib: the same of the GPU; None on a CPU, or where the back end does not say.
        load: other processes at work when it began.
        process: its process's number in the session; None where it had one of its own.
        operations: what `find_operations` saw; None where nobody looked.
        problem: why the numbers cannot be believed; None if they can.
    """

    train_ms: tuple[float, ...]
    evaluate_ms: tuple[float, ...]
    predict_ms: tuple[float, ...]
    steps: int
    warm_up_blocks: int
    compile_seconds: float
    loss_first: float
    loss_last: float
    jit: bool
    peak_host_mib: float
    peak_device_mib: float | None
    load: float
    process: int | None = None
    operations: tuple[str, ...] | None = None
    problem: str | None = None

    @classmethod
    def from_json(cls, values: Any) -> Sample:  # Any: JSON values
        """The sample that `dataclasses.asdict` described.

        Raises:
            UsageError: values that are none.
        """
        names = {item.name for item in fields(cls)}
        if not isinstance(values, dict) or {"process", *values} != names:
            raise UsageError(f"a sample has the fields {', '.join(sorted(names))}")
        known = {"process": None, **values}
        for name in ("train_ms", "evaluate_ms", "predict_ms"):
            known[name] = tuple(map(number, _list(values[name])))
        for name in ("compile_seconds", "loss_first", "loss_last", "peak_host_mib", "load"):
            known[name] = number(values[name], finite=not name.startswith("loss"))
        known |= {name: int(number(values[name])) for name in ("steps", "warm_up_blocks")}
        known["jit"] = bool(values["jit"])
        for name, parse in (
            ("peak_device_mib", number),
            ("process", lambda found: whole_number("process", found, int(MOST_AMOUNT))),
            ("operations", lambda names: tuple(map(str, _list(names)))),
            ("problem", str),
        ):
            known[name] = None if known[name] is None else parse(known[name])
        times = (*known["train_ms"], *known["evaluate_ms"], *known["predict_ms"])
        if known["problem"] is None and not (known["train_ms"] and min(times) > 0):
            raise UsageError("a sample without a problem has times above 0, of training at least")
        return cls(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTimes:
    """Every repeat of an arm.

    Args:
        samples: in the order they were taken, those that cannot be believed among them.
        failure: why the arm cannot be measured; None if it can.
    """

    arm: Arm
    samples: tuple[Sample, ...] = ()
    failure: str | None = None

    @property
    def valid(self) -> tuple[Sample, ...]:
        """The samples that can be believed."""
        return tuple(sample for sample in self.samples if sample.problem is None)

    def values(self, step: str) -> list[float]:
        """Of each valid sample that has some the median over its blocks, in milliseconds a step.

        Args:
            step: `train`, `evaluate` or `predict`.
        """
        blocks = (getattr(sample, f"{step}_ms") for sample in self.valid)
        return [median(each) for each in blocks if each]

    def summary(self, step: str) -> MedianIqr | None:
        """Median and quartiles over the valid samples; None without any."""
        return median_iqr(self.values(step))

    def with_outcome(self, outcome: Sample | str) -> ArmTimes:
        """The same with one more sample, or with why there can be none; the first reason stands."""
        if isinstance(outcome, str):
            return replace(self, failure=self.failure or outcome)
        return replace(self, samples=(*self.samples, outcome))

    def n_missing(self, repeats: int) -> int:
        """How many more samples are to be taken, invalid ones to be replaced."""
        if self.failure is not None:
            return 0
        room = max(MOST_TRIES * repeats - len(self.samples), 0)
        return min(room, max(repeats - len(self.valid), 0))

    def status(self, repeats: int) -> Status:
        """How it stands with the arm."""
        if self.failure is not None:
            return "failed"
        if self.n_missing(repeats):
            return "unfinished"
        if len(self.valid) < repeats:
            return "invalid"
        return "noisy" if self._is_noisy else "measured"

    @property
    def _is_noisy(self) -> bool:
        """Of an arm that was measured apart: nothing beside it had the same noise."""
        found = self.summary("train")
        is_apart = any(sample.process is None for sample in self.valid)
        return is_apart and found is not None and found.spread > MOST_SPREAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Arms that shared processes, and took turns there.

    Args:
        repeats, precision: as in the session.
    """

    arms: tuple[ArmTimes, ...]
    repeats: int
    precision: float | None

    @property
    def turns(self) -> Turns:
        """Of `measured`, in the processes that all of them were measured in."""
        ms = [{s.process: s.train_ms for s in times.valid} for times in self.measured]
        shared = [n for n in ms[0] if n is not None and all(n in each for each in ms)] if ms else []
        return Turns.of([[each[n] for each in ms] for n in shared])

    @property
    def measured(self) -> tuple[ArmTimes, ...]:
        """The arms whose ratios can be told: what failed later has been measured all the same."""
        return tuple(
            times
            for times in self.arms
            if times.valid
            and (times.failure is None or len(times.valid) >= self.repeats)
            and times.status(self.repeats) != "invalid"
        )

    def ratio(self, a: Arm, b: Arm) -> Ratio | None:
        """The time of one arm over another's; None where a side was not measured."""
        order = [times.arm for times in self.measured]
        if a not in order or b not in order:
            return None
        return self.turns.ratio(order.index(a), order.index(b))

    @property
    def reached(self) -> float | None:
        """How far above its ratio the widest interval reaches; None while nobody can say."""
        found = self.turns.precision
        return found if math.isfinite(found) else None

    @property
    def is_precise(self) -> bool:
        """Whether no interval reaches further than asked; without a ratio none does."""
        told = self.measured
        n_to_tell = sum(times in told or self._goes_on(times) for times in self.arms)
        if self.precision is None or n_to_tell < 2:
            return True
        return self.turns.precision <= self.precision

    @property
    def n_missing(self) -> int:
        """How many more processes are to measure it: for its repeats, or one to be precise."""
        missing = max(times.n_missing(self.repeats) for times in self.arms)
        n = max(len(times.samples) for times in self.arms)
        can_be = all(map(self._goes_on, self.measured))
        return missing or int(can_be and n < MOST_PROCESSES and not self.is_precise)

    def _goes_on(self, times: ArmTimes) -> bool:
        return times.status(self.repeats) not in ("failed", "invalid")


def whole_number(name: str, value: object, most: int) -> int:
    """The value, a whole number from 0 up to `most`; UsageError says what it is instead."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise UsageError(f"{name} must be a whole number up to {most:,}, got {value!r}")
    return value


def _list(value: Any) -> list[Any]:  # Any: JSON values
    if not isinstance(value, list | tuple):
        raise UsageError(f"a list was expected, got {value!r}")
    return list(value)


def number(value: Any, *, finite: bool = True) -> float:  # Any: JSON values
    """The value, a number of a sensible size; UsageError says what it is instead."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"a number was expected, got {value!r}")
    if finite and not 0 <= value <= MOST_AMOUNT:
        raise UsageError(f"a number from 0 to {MOST_AMOUNT:g} was expected, got {value!r}")
    return float(value)
