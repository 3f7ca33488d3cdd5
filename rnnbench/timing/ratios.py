"""What was timed, as rows: each arm, what recurrent dropout costs, and a GPU against its host.

Nothing is pooled or divided across sittings, let alone machines: a ratio takes both sides from one
command's interleaved measurements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Any

from rnnbench.stats.intervals import Interval
from rnnbench.stats.ratios import MedianIqr, Ratio, median_ratio
from rnnbench.timing.arms import Arm, DeviceKind, default_jit, ladder
from rnnbench.timing.kernels import kernel_path, shows_cudnn
from rnnbench.timing.rows import ArmTimeRow, DeviceRow, SlowdownRow, TimingPart
from rnnbench.timing.sittings import ArmTimes, Sitting

__all__ = ["FULL", "compose_timing_part", "name_machine"]

FULL = 5
"""Repeats that an arm needs for its numbers to be relied on."""


def compose_timing_part(sittings: Sequence[Sitting]) -> TimingPart | None:
    """The rows of the sittings, each arm once a machine (`_choose`); None without any."""
    chosen = _choose(sittings)
    if not chosen:
        return None
    return TimingPart(
        arms=tuple(_describe_arm(sitting, times) for sitting, times in chosen),
        slowdowns=tuple(row for sitting in _used(chosen) for row in _slowdowns(sitting, chosen)),
        devices=tuple(row for sitting in _used(chosen) for row in _devices(sitting, chosen)),
        commands=tuple((each.began_at, each.command) for each in _used(chosen)),
    )


def name_machine(sitting: Sitting, backend: str) -> str:
    """Processor, cores, GPU and versions of a back end's measurements, in one line."""
    machine, versions = sitting.machine, sitting.versions.get(backend, {})
    words = [f"{machine.get('processor', 'unknown processor')}, {machine.get('cores', '?')} cores"]
    if "gpu" in machine:
        words.append(f"{machine['gpu']}, driver {machine.get('driver', 'unknown')}")
    words.append(", ".join(f"{name} {number}" for name, number in sorted(versions.items())))
    return "; ".join(words)


def _choose(sittings: Sequence[Sitting]) -> list[tuple[Sitting, ArmTimes]]:
    """Of each group of arms that is compared, on each machine, the most telling sitting's.

    That is the one with most arms measured in full, and of several the latest: a first look with
    one repeat, or an interrupted command, hides no complete one.
    """
    found: dict[tuple[object, ...], tuple[tuple[int, int, str], Sitting]] = {}
    for sitting in sittings:
        groups: dict[tuple[object, ...], list[ArmTimes]] = {}
        for times in sitting.arms:
            if times.samples or times.failure is not None:
                groups.setdefault(_group(sitting, times.arm), []).append(times)
        for group, members in groups.items():
            n_full = sum(len(times.valid) >= FULL for times in members)
            n_any = sum(bool(times.valid) for times in members)
            rank = (n_full, n_any, sitting.began_at)
            if group not in found or rank > found[group][0]:
                found[group] = (rank, sitting)
    kept = [
        (sitting, times)
        for sitting in _distinct(sitting for _, sitting in found.values())
        for times in sitting.arms
        if found.get(_group(sitting, times.arm), (None, None))[1] is sitting
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
        return f"noisy: IQR {100 * found.spread:.0f} %"
    return "not finished" if status == "unfinished" else ""


def _note_of_ratio(sitting: Sitting, used: Iterable[ArmTimes]) -> str:
    """What is wrong with any of the arms, each thing once; how noisy they are stands with them."""
    notes = (_note(sitting, times).split(": IQR ")[0] for times in used)
    return "; ".join(dict.fromkeys(filter(None, notes)))


def _slowdowns(sitting: Sitting, kept: Sequence[tuple[Sitting, ArmTimes]]) -> Iterator[SlowdownRow]:
    mine = [times for each, times in kept if each is sitting]
    devices = {(times.arm.backend, times.arm.device) for times in mine}
    for times in mine:
        arm = times.arm
        if arm.use_cudnn != "auto" or arm.implementation is not None or arm.recurrent_dropout:
            continue
        yield from _slowdown(sitting, times)
        if arm.device == "cpu" and (arm.backend, "gpu") not in devices:
            yield replace(
                _empty_slowdown(sitting, replace(arm, device="gpu")), note=_why_no_gpu(sitting)
            )


def _why_no_gpu(sitting: Sitting) -> str:
    if "gpu" in sitting.machine:
        return "not measured: the back end has no CUDA there, or only the CPU was asked for"
    return "not measured on this machine: it has no GPU"


def _slowdown(sitting: Sitting, plain: ArmTimes) -> Iterator[SlowdownRow]:
    """A row for each value of recurrent dropout that was measured beside the plain arm."""
    arm = plain.arm
    for rate in sorted({times.arm.recurrent_dropout for times in _beside(sitting, arm)} - {0.0}):
        rungs = [
            sitting.find(replace(each, jit=arm.jit, dropout=arm.dropout))
            for each in ladder(
                arm.architecture, arm.backend, arm.device, arm.units, arm.batch_size, rate
            )
        ]
        written = sitting.find(replace(arm, recurrent_dropout=rate))
        is_whole = len(rungs) >= 4
        end = rungs[3] if is_whole else None
        with_dropout = written or end
        if with_dropout is None:
            continue
        total = _ratio(with_dropout, plain)
        factors = (
            [_ratio(after, before) for before, after in pairwise(rungs[:4])]
            if is_whole
            else [None, None, total]
        )
        used = [plain, *(each for each in rungs if each is not None), with_dropout]
        yield _with_numbers(
            replace(
                _empty_slowdown(sitting, replace(arm, recurrent_dropout=rate)),
                n=min(len(plain.valid), len(with_dropout.valid)),
                dropout_failure=with_dropout.failure,
                plain_ran=bool(plain.valid),
                note=_note_of_ratio(sitting, used),
            ),
            (plain.summary("train"), with_dropout.summary("train")),
            (total, *factors, _ratio(written, end)),
        )


def _beside(sitting: Sitting, plain: Arm) -> Iterator[ArmTimes]:
    """What a sitting has of the arm with other options of its layers."""
    for times in sitting.arms:
        bare = replace(times.arm, recurrent_dropout=0.0, use_cudnn="auto", implementation=None)
        if bare == plain:
            yield times


def _with_numbers(
    row: SlowdownRow,
    times: tuple[MedianIqr | None, MedianIqr | None],
    ratios: Sequence[Ratio | None],
) -> SlowdownRow:
    values: dict[str, Any] = {}  # Any: numbers and intervals
    for name, found in zip(("plain", "dropout"), times, strict=True):
        values |= {f"{name}_ms": _median(found), f"{name}_quartiles": _quartiles(found)}
    for name, ratio in zip(_RATIOS, ratios, strict=True):
        values[name] = None if ratio is None else ratio.value
        values[f"{name}_interval"] = None if ratio is None else ratio.interval
    return replace(row, **values)


_RATIOS = ("slowdown", "cudnn_off", "implementation", "masks", "as_written")


def _empty_slowdown(sitting: Sitting, arm: Arm) -> SlowdownRow:
    return SlowdownRow(
        machine=name_machine(sitting, arm.backend),
        name=_name_setting(arm),
        architecture=arm.architecture,
        backend=arm.backend,
        device=arm.device,
        units=arm.units,
        batch_size=arm.batch_size,
        dropout=arm.dropout,
        jit=arm.jit,
        recurrent_dropout=arm.recurrent_dropout,
        n=0,
    )


def _name_setting(arm: Arm) -> str:
    """`lstm(8)`, and what differs from the default arms."""
    words = [f"{arm.architecture}({arm.units})"]
    words += [f"batch {arm.batch_size}"] if arm.batch_size != 64 else []
    words += [f"dropout={arm.dropout:g}"] if arm.dropout else []
    words += [f"rate {arm.recurrent_dropout:g}"] if arm.recurrent_dropout not in (0, 0.3) else []
    words += [] if arm.jit == default_jit(arm.backend) else ["jit on" if arm.jit else "jit off"]
    return ", ".join(words)


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


def _median(found: MedianIqr | None) -> float | None:
    return None if found is None else found.median


def _quartiles(found: MedianIqr | None) -> Interval | None:
    return None if found is None else found.quartiles


def _middle(values: Iterable[float]) -> float | None:
    listed = list(values)
    return median(listed) if listed else None
