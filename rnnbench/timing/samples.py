"""What one process measured of an arm, and whether it can be believed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Any

from rnnbench.errors import UsageError

__all__ = ["MOST_DRIFT", "Sample", "drift", "find_problem"]

MOST_AMOUNT = 1e12  # of milliseconds, MiB and steps: 31 years, an exabyte
MOST_DRIFT = 0.10
"""How far the medians of the two halves of a measurement may lie apart, as a fraction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One repeat of an arm, in a process of its own.

    Args:
        train_ms, evaluate_ms, predict_ms: milliseconds a step, one value a block of steps.
        steps: training steps in a block.
        warm_up_blocks: blocks of training before it was steady, left out.
        compile_seconds: the first training step, which compiles it.
        loss_first, loss_last: of the first step, and of the last block.
        jit: what Keras made of the arm's `jit`.
        peak_host_mib: largest resident memory of the process.
        peak_device_mib: of the GPU; None on a CPU, or where the back end does not say.
        load: processes waiting for a core just before, the mean of a minute.
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
    operations: tuple[str, ...] | None = None
    problem: str | None = None

    @classmethod
    def from_json(cls, values: Any) -> Sample:  # Any: JSON values
        """The sample that `dataclasses.asdict` described.

        Raises:
            UsageError: values that are none.
        """
        names = {item.name for item in fields(cls)}
        if not isinstance(values, dict) or set(values) != names:
            raise UsageError(f"a sample has the fields {', '.join(sorted(names))}")
        changed = dict(values)
        for name in ("train_ms", "evaluate_ms", "predict_ms"):
            changed[name] = tuple(map(_number, _list(values[name])))
        for name in ("compile_seconds", "loss_first", "loss_last", "peak_host_mib", "load"):
            changed[name] = _number(values[name], finite=not name.startswith("loss"))
        for name in ("steps", "warm_up_blocks"):
            changed[name] = int(_number(values[name]))
        if values["peak_device_mib"] is not None:
            changed["peak_device_mib"] = _number(values["peak_device_mib"])
        if values["operations"] is not None:
            changed["operations"] = tuple(map(str, _list(values["operations"])))
        changed["jit"] = bool(values["jit"])
        times = (*changed["train_ms"], *changed["evaluate_ms"], *changed["predict_ms"])
        is_complete = all(changed[name] for name in ("train_ms", "evaluate_ms", "predict_ms"))
        if values["problem"] is None and not (is_complete and min(times) > 0):
            raise UsageError("a sample without a problem has times above 0 of every kind")
        changed["problem"] = None if values["problem"] is None else str(values["problem"])
        return cls(**changed)


def find_problem(
    train_ms: Sequence[float], loss_first: float, loss_last: float, n_blocks: int
) -> str | None:
    """Why a measurement cannot be believed; None if it can.

    A step that computes nothing, or something else than training, would be fast.
    """
    if not (math.isfinite(loss_first) and math.isfinite(loss_last)):
        return "the loss is not finite"
    if not loss_last < loss_first:
        return f"the loss does not fall ({loss_first:.4f} to {loss_last:.4f})"
    if len(train_ms) < n_blocks:
        return f"{len(train_ms)} blocks instead of {n_blocks} were measured"
    if drift(train_ms) > MOST_DRIFT:
        return f"its two halves differ by {100 * drift(train_ms):.0f} %"
    return None


def drift(values: Sequence[float]) -> float:
    """How far the medians of the two halves lie apart, as a fraction; 0 below two values."""
    half = len(values) // 2
    if not half:
        return 0.0
    first, second = median(values[:half]), median(values[half:])
    return abs(second - first) / min(first, second)


def _list(value: Any) -> list[Any]:  # Any: JSON values
    if not isinstance(value, list | tuple):
        raise UsageError(f"a list was expected, got {value!r}")
    return list(value)


def _number(value: Any, *, finite: bool = True) -> float:  # Any: JSON values
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"a number was expected, got {value!r}")
    if finite and not 0 <= value <= MOST_AMOUNT:
        raise UsageError(f"a number from 0 to {MOST_AMOUNT:g} was expected, got {value!r}")
    return float(value)
