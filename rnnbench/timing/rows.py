"""The rows of what was timed: arms, slowdowns, devices."""

from __future__ import annotations

from dataclasses import dataclass

from rnnbench.stats.intervals import Interval
from rnnbench.timing.sittings import Status

__all__ = ["ArmTimeRow", "DeviceRow", "SlowdownRow", "TimingPart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTimeRow:
    """One arm in one sitting; milliseconds a step, with quartiles over the repeats.

    Args:
        machine: with versions; rows of one machine may be read side by side.
        name: of the arm, with all that differs from Keras's defaults.
        n: repeats that can be believed.
        n_invalid: repeats that cannot.
        jit: what the arm was told.
        reviews_per_second: of training.
        path, reason: the kernel by Keras's rule.
        observed: what was seen to run; empty where nobody looked.
        is_confirmed: whether that agrees with the rule; None where nobody looked.
        note: why there are no numbers, or why to beware of them.
    """

    machine: str
    sitting: str
    name: str
    architecture: str
    backend: str
    device: str
    units: int
    batch_size: int
    dropout: float
    recurrent_dropout: float
    use_cudnn: str
    implementation: int | None
    jit: bool
    status: Status
    n: int
    n_invalid: int
    train_ms: float | None
    train_quartiles: Interval | None
    evaluate_ms: float | None
    evaluate_quartiles: Interval | None
    predict_ms: float | None
    predict_quartiles: Interval | None
    reviews_per_second: float | None
    compile_seconds: float | None
    peak_host_mib: float | None
    peak_device_mib: float | None
    path: str
    reason: str
    observed: str
    is_confirmed: bool | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowdownRow:
    """What recurrent dropout costs a training step, in all and step by step.

    Args:
        name: architecture, units, and what else differs from the default arms.
        n: repeats on the side that has fewer.
        plain_ms, dropout_ms: without recurrent dropout and with it.
        slowdown: with it over without it; None where a side was not measured.
        cudnn_off, implementation, masks: each arm of the ladder over the one before: the fused
            kernel (and what Keras has in its place) forbidden, a matrix product a gate, the masks.
        as_written: recurrent dropout with `use_cudnn` left alone, over the ladder's end; None
            where the two are the same. All that are there multiply to the slowdown.
        dropout_failure: why a step with recurrent dropout could not be measured; None if it was,
            or was not tried.
        plain_ran: whether a step without it was measured.
        note: why there is no number, or why to beware of it.
    """

    machine: str
    name: str
    architecture: str
    backend: str
    device: str
    units: int
    batch_size: int
    dropout: float
    jit: bool
    recurrent_dropout: float
    n: int
    plain_ms: float | None = None
    plain_quartiles: Interval | None = None
    dropout_ms: float | None = None
    dropout_quartiles: Interval | None = None
    slowdown: float | None = None
    slowdown_interval: Interval | None = None
    cudnn_off: float | None = None
    cudnn_off_interval: Interval | None = None
    implementation: float | None = None
    implementation_interval: Interval | None = None
    masks: float | None = None
    masks_interval: Interval | None = None
    as_written: float | None = None
    as_written_interval: Interval | None = None
    dropout_failure: str | None = None
    plain_ran: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A training step on the CPU over the same on the GPU of the same host."""

    machine: str
    arm: str
    cpu_ms: float
    gpu_ms: float
    ratio: float
    ratio_interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingPart:
    """Everything that was timed.

    Args:
        arms: machine by machine.
        commands: when each sitting began, and the words that measured it.
    """

    arms: tuple[ArmTimeRow, ...]
    slowdowns: tuple[SlowdownRow, ...]
    devices: tuple[DeviceRow, ...]
    commands: tuple[tuple[str, str], ...]

    @property
    def machines(self) -> tuple[str, ...]:
        """Every machine, in the order of the rows."""
        return tuple(dict.fromkeys(row.machine for row in self.arms))
