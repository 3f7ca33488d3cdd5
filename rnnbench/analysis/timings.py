"""What was timed, as rows: each arm, what recurrent dropout costs, and a GPU against its host.

Nothing is pooled or divided across sittings, let alone machines: a ratio takes both sides from one
command's interleaved measurements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rnnbench.stats.intervals import Interval
from rnnbench.stats.ratios import MedianIqr, Ratio, median_ratio
from rnnbench.timing.arms import Arm, DeviceKind, ladder
from rnnbench.timing.kernels import kernel_path, shows_cudnn
from rnnbench.timing.sittings import ArmTimes, Sitting, Status

__all__ = [
    "ArmTimeRow",
    "DeviceRow",
    "SlowdownRow",
    "TimingPart",
    "compose_timing_part",
    "describe_timing",
    "name_machine",
    "warn_of_timing",
    "write_timing_answer",
]

_MOST_NAMES = 4


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
        plain_ms, dropout_ms: without it and with it.
        slowdown: with it over without it; None where a side was not measured.
        cudnn_off, implementation, masks: each arm of the ladder over the one before: the fused
            kernel forbidden, a matrix product a gate, the masks themselves.
        note: why there is no number.
    """

    machine: str
    architecture: str
    backend: str
    device: str
    units: int
    batch_size: int
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


def compose_timing_part(sittings: Sequence[Sitting]) -> TimingPart | None:
    """The rows of all sittings; of arms timed twice on a machine, the later. None without any."""
    latest = _keep_latest(sittings)
    if not latest:
        return None
    return TimingPart(
        arms=tuple(_describe_arm(sitting, times) for sitting, times in latest),
        slowdowns=tuple(row for sitting in _used(latest) for row in _slowdowns(sitting, latest)),
        devices=tuple(row for sitting in _used(latest) for row in _devices(sitting, latest)),
        commands=tuple((each.began_at, each.command) for each in _used(latest)),
    )


def write_timing_answer(part: TimingPart) -> tuple[str, ...]:
    """What recurrent dropout costs, a sentence for each back end and device."""
    sentences = []
    measured = [row for row in part.slowdowns if row.slowdown is not None]
    places = dict.fromkeys((row.machine, row.backend, row.device) for row in measured)
    for place in places:
        rows = [row for row in measured if (row.machine, row.backend, row.device) == place]
        first = min(rows, key=lambda row: (row.architecture != "lstm", row.units))
        sentences.append(_tell(first))
    missing = [row for row in part.slowdowns if row.slowdown is None and row.device == "gpu"]
    if missing and not any(row.device == "gpu" for row in measured):
        sentences.append("On a GPU: not measured; this machine has none.")
    return tuple(sentences) or ("Nothing was measured yet.",)


def warn_of_timing(part: TimingPart) -> tuple[str, ...]:
    """What must not be overlooked: arms without numbers, and noisy ones; a sentence each."""
    sentences = []
    for status, words in (
        ("failed", "failed"),
        ("invalid", "could not be measured: too few repeats can be believed"),
        ("unfinished", "not finished; the same command goes on"),
        ("noisy", "noisy: the interquartile range is above 10 % of the median, after repeating"),
    ):
        names = [row.name for row in part.arms if row.status == status]
        if names:
            shown = ", ".join(names[:_MOST_NAMES])
            rest = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            sentences.append(f"{len(names)} of {len(part.arms)} arms {words}: {shown}{rest}.")
    return tuple(sentences)


def describe_timing(part: TimingPart) -> list[tuple[str, str]]:
    """How it was measured, as names and values."""
    return [
        *((f"machine {n}", name) for n, name in enumerate(part.machines, start=1)),
        *((f"measured at {words}", command) for words, command in part.commands),
    ]


def _tell(row: SlowdownRow) -> str:
    place = f"On the {row.device.upper()} with {row.backend}"
    text = (
        f"{place}, recurrent dropout makes a training step of {row.architecture}({row.units}) "
        f"{row.slowdown:.2f} times as long{_bounds(row.slowdown_interval)}"
    )
    if row.cudnn_off is None or row.implementation is None or row.masks is None:
        return f"{text}."
    lost = f"{row.cudnn_off:.2f}{_bounds(row.cudnn_off_interval)} for the loss of cuDNN, times "
    return (
        f"{text}: {lost if row.device == 'gpu' else ''}"
        f"{row.implementation:.2f}{_bounds(row.implementation_interval)} for a matrix product a "
        f"gate, times {row.masks:.2f}{_bounds(row.masks_interval)} for the masks themselves."
    )


def _bounds(interval: Interval | None) -> str:
    return "" if interval is None else f" [{interval.low:.2f}, {interval.high:.2f}]"


def name_machine(sitting: Sitting, backend: str) -> str:
    """Processor, cores, GPU and versions of a back end's measurements, in one line."""
    machine, versions = sitting.machine, sitting.versions.get(backend, {})
    words = [f"{machine.get('processor', 'unknown processor')}, {machine.get('cores', '?')} cores"]
    if "gpu" in machine:
        words.append(f"{machine['gpu']}, driver {machine.get('driver', 'unknown')}")
    words.append(", ".join(f"{name} {number}" for name, number in sorted(versions.items())))
    return "; ".join(words)


def _keep_latest(sittings: Sequence[Sitting]) -> list[tuple[Sitting, ArmTimes]]:
    """Of each group of arms that is compared, on each machine, the latest sitting's."""
    found: dict[tuple[object, ...], Sitting] = {}
    for sitting in sorted(sittings, key=lambda each: each.began_at):
        for times in sitting.arms:
            if times.samples or times.failure is not None:
                found[_group(sitting, times.arm)] = sitting
    kept = [
        (sitting, times)
        for sitting in _distinct(found.values())
        for times in sitting.arms
        if found.get(_group(sitting, times.arm)) is sitting
    ]
    return sorted(kept, key=lambda pair: name_machine(pair[0], pair[1].arm.backend))


def _group(sitting: Sitting, arm: Arm) -> tuple[object, ...]:
    return (
        name_machine(sitting, arm.backend),
        arm.architecture,
        arm.backend,
        arm.units,
        arm.batch_size,
        arm.dropout,
        arm.jit,
    )


def _used(kept: Iterable[tuple[Sitting, ArmTimes]]) -> list[Sitting]:
    return _distinct(sitting for sitting, _ in kept)


def _distinct(sittings: Iterable[Sitting]) -> list[Sitting]:
    return list({sitting.id: sitting for sitting in sittings}.values())


def _describe_arm(sitting: Sitting, times: ArmTimes) -> ArmTimeRow:
    arm, valid = times.arm, times.valid
    train, evaluate, predict = map(times.summary, ("train", "evaluate", "predict"))
    rule = kernel_path(arm)
    seen = next((each.operations for each in times.samples if each.operations is not None), None)
    device_mib = [each.peak_device_mib for each in valid if each.peak_device_mib is not None]
    return ArmTimeRow(
        machine=name_machine(sitting, arm.backend),
        sitting=sitting.id,
        name=arm.name,
        architecture=arm.architecture,
        backend=arm.backend,
        device=arm.device,
        units=arm.units,
        batch_size=arm.batch_size,
        dropout=arm.dropout,
        recurrent_dropout=arm.recurrent_dropout,
        use_cudnn=arm.use_cudnn,
        implementation=arm.implementation,
        jit=arm.jit,
        status=times.status(sitting.repeats),
        n=len(valid),
        n_invalid=len(times.samples) - len(valid),
        train_ms=_median(train),
        train_quartiles=_quartiles(train),
        evaluate_ms=_median(evaluate),
        evaluate_quartiles=_quartiles(evaluate),
        predict_ms=_median(predict),
        predict_quartiles=_quartiles(predict),
        reviews_per_second=None if train is None else 1_000 * arm.batch_size / train.median,
        compile_seconds=_middle(each.compile_seconds for each in valid),
        peak_host_mib=_middle(each.peak_host_mib for each in valid),
        peak_device_mib=_middle(device_mib),
        path=rule.path,
        reason=rule.reason,
        observed=", ".join(seen or ()),
        is_confirmed=_is_confirmed(times, seen),
        note=_note(sitting, times),
    )


def _is_confirmed(times: ArmTimes, seen: Sequence[str] | None) -> bool | None:
    """Whether kernel and jit are what the rule says."""
    if seen is None:
        return None
    rule = kernel_path(times.arm)
    jits = {sample.jit for sample in times.samples}
    return shows_cudnn(seen) == (rule.path == "cuDNN") and jits == {rule.jit}


def _note(sitting: Sitting, times: ArmTimes) -> str:
    status = times.status(sitting.repeats)
    if status == "failed":
        return f"failed: {times.failure}"
    problems = list(dict.fromkeys(each.problem for each in times.samples if each.problem))
    if status == "invalid":
        return f"invalid: {'; '.join(map(str, problems))}"
    found = times.summary("train")
    if status == "noisy" and found is not None:
        return f"noisy: interquartile range {100 * found.spread:.0f} % of the median"
    return "not finished" if status == "unfinished" else ""


def _slowdowns(sitting: Sitting, kept: Sequence[tuple[Sitting, ArmTimes]]) -> Iterator[SlowdownRow]:
    for times in (times for each, times in kept if each is sitting):
        arm = times.arm
        is_plain = arm.use_cudnn == "auto" and arm.implementation is None
        if is_plain and not arm.recurrent_dropout:
            yield from _slowdown(sitting, times)
            if arm.device == "cpu" and "gpu" not in sitting.machine:
                yield replace(
                    _empty_slowdown(sitting, replace(arm, device="gpu")),
                    note="not measured on this machine: it has no GPU",
                )


def _slowdown(sitting: Sitting, plain: ArmTimes) -> Iterator[SlowdownRow]:
    """A row for each value of recurrent dropout that was measured beside the plain arm."""
    arm = plain.arm
    rates = sorted(
        {
            times.arm.recurrent_dropout
            for times in sitting.arms
            if times.arm.recurrent_dropout
            and replace(times.arm, recurrent_dropout=0.0, use_cudnn="auto", implementation=None)
            == arm
        }
    )
    for rate in rates:
        steps = [
            sitting.find(replace(each, jit=arm.jit, dropout=arm.dropout))
            for each in ladder(
                arm.architecture, arm.backend, arm.device, arm.units, arm.batch_size, rate
            )
        ]
        as_written = sitting.find(replace(arm, recurrent_dropout=rate))
        is_whole = len(steps) >= 4
        with_dropout = as_written or steps[3 if is_whole else -1]
        if with_dropout is None:
            continue
        total = _ratio(with_dropout, plain)
        off, implementation, masks = (
            [_ratio(after, before) for before, after in pairwise(steps[:4])]
            if is_whole
            else [None, None, total]
        )
        before, after = plain.summary("train"), with_dropout.summary("train")
        yield replace(
            _empty_slowdown(sitting, replace(arm, recurrent_dropout=rate)),
            n=min(len(plain.valid), len(with_dropout.valid)),
            plain_ms=_median(before),
            plain_quartiles=_quartiles(before),
            dropout_ms=_median(after),
            dropout_quartiles=_quartiles(after),
            slowdown=_value(total),
            slowdown_interval=_interval(total),
            cudnn_off=_value(off),
            cudnn_off_interval=_interval(off),
            implementation=_value(implementation),
            implementation_interval=_interval(implementation),
            masks=_value(masks),
            masks_interval=_interval(masks),
            note="; ".join(
                dict.fromkeys(
                    note for times in (plain, with_dropout) if (note := _note(sitting, times))
                )
            ),
        )


def _empty_slowdown(sitting: Sitting, arm: Arm) -> SlowdownRow:
    return SlowdownRow(
        machine=name_machine(sitting, arm.backend),
        architecture=arm.architecture,
        backend=arm.backend,
        device=arm.device,
        units=arm.units,
        batch_size=arm.batch_size,
        recurrent_dropout=arm.recurrent_dropout,
        n=0,
    )


def _devices(sitting: Sitting, kept: Sequence[tuple[Sitting, ArmTimes]]) -> Iterator[DeviceRow]:
    gpu: DeviceKind = "gpu"
    for times in (times for each, times in kept if each is sitting):
        if times.arm.device != "cpu":
            continue
        other = sitting.find(replace(times.arm, device=gpu))
        found = None if other is None else _ratio(times, other)
        here, there = times.summary("train"), other.summary("train") if other else None
        if found is not None and here is not None and there is not None:
            yield DeviceRow(
                machine=name_machine(sitting, times.arm.backend),
                arm=times.arm.name.replace(" cpu", "", 1),
                cpu_ms=here.median,
                gpu_ms=there.median,
                ratio=found.value,
                ratio_interval=found.interval,
            )


def _ratio(a: ArmTimes | None, b: ArmTimes | None) -> Ratio | None:
    if a is None or b is None:
        return None
    import numpy as np

    return median_ratio(a.values("train"), b.values("train"), np.random.default_rng(0))


def _value(ratio: Ratio | None) -> float | None:
    return None if ratio is None else ratio.value


def _interval(ratio: Ratio | None) -> Interval | None:
    return None if ratio is None else ratio.interval


def _median(found: MedianIqr | None) -> float | None:
    return None if found is None else found.median


def _quartiles(found: MedianIqr | None) -> Interval | None:
    return None if found is None else found.quartiles


def _middle(values: Iterable[float]) -> float | None:
    listed = sorted(values)
    return listed[len(listed) // 2] if listed else None
