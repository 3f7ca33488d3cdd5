"""What was timed, as rows: each arm, what recurrent dropout costs, and a GPU against its host.

Nothing is pooled or divided across sessions, let alone machines: a ratio takes both sides from one
command's interleaved measurements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from rnnbench.stats.ratios import MedianIqr, Ratio, median_ratio, unpaired_ratio
from rnnbench.timing.arms import RUNGS, Arm
from rnnbench.timing.kernels import CUDNN, KernelPath, kernel_path, shows_cudnn
from rnnbench.timing.samples import ArmTimes, Group, Status
from rnnbench.timing.sessions import Session

FULL, FULL_APART = 3, 5
"""Repeats that an arm needs for its numbers to be relied on: where arms took turns, and where each
was measured apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedArm:
    """What one session measured of an arm."""

    session: Session
    times: ArmTimes

    @property
    def arm(self) -> Arm:
        """What was measured."""
        return self.times.arm

    @property
    def machine(self) -> str:
        """With versions; arms of one machine may be read side by side."""
        return self.session.machine_with(self.arm.backend)

    @property
    def status(self) -> Status:
        """How it stands with the arm."""
        return self.times.status(self.session.repeats)

    @property
    def n(self) -> int:
        """Repeats that can be believed."""
        return len(self.times.valid)

    @property
    def reviews_per_second(self) -> float | None:
        """Of training."""
        train = self.times.summary("train")
        return None if train is None else 1_000 * self.arm.batch_size / train.median

    @property
    def kernel(self) -> KernelPath:
        """By Keras's rule."""
        return kernel_path(self.arm)

    @property
    def observed(self) -> tuple[str, ...] | None:
        """What was seen to run; None where nobody looked."""
        seen = (each.operations for each in self.times.samples)
        return next((operations for operations in seen if operations is not None), None)

    @property
    def is_confirmed(self) -> bool | None:
        """Whether kernel and jit are what the rule says; None where nobody looked."""
        if self.observed is None:
            return None
        jits = {sample.jit for sample in self.times.samples}
        is_cudnn = self.kernel.path == CUDNN
        return shows_cudnn(self.observed) == is_cudnn and jits == {self.kernel.jit}

    @property
    def note(self) -> str:
        """Why there are no numbers, or why to beware of them; empty where all is well."""
        status = self.status
        if status == "failed":
            return f"failed: {self.times.failure}"
        if status == "invalid":
            problems = (sample.problem for sample in self.times.samples)
            return f"invalid: {'; '.join(dict.fromkeys(filter(None, problems)))}"
        found = self.times.summary("train")
        if status == "noisy" and found is not None:
            return f"noisy: IQR {100 * found.spread:.0f} %"
        return "not finished" if status == "unfinished" else ""

    def middle(self, name: str) -> float | None:
        """The median of a field of the valid samples, over those that know it."""
        values = [getattr(sample, name) for sample in self.times.valid]
        known = [value for value in values if value is not None]
        return median(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowdown:
    """What recurrent dropout costs a training step, in all and rung by rung.

    Args:
        arm: the plain arm, with the recurrent dropout that it is compared with.
        n: repeats that the ratio rests on: processes that both arms shared, or of arms measured
            apart those of the side that has fewer.
        plain, dropout: milliseconds a step without recurrent dropout and with it.
        slowdown: with it over without it; None where a side was not measured.
        cudnn_off, implementation, masks: each arm of the ladder over the one before: the fused
            kernel (and what Keras has in its place) forbidden, a matrix product a gate, the masks.
        as_written: recurrent dropout with `use_cudnn` left alone, over the ladder's end; None
            where the two are the same. All that are there multiply to the slowdown.
        is_full: whether so many are enough to rely on.
        dropout_failure: why a step with recurrent dropout could not be measured; None if it was,
            or was not tried.
        note: why there is no number, or why to beware of it.
    """

    machine: str
    arm: Arm
    n: int = 0
    is_full: bool = False
    plain: MedianIqr | None = None
    dropout: MedianIqr | None = None
    slowdown: Ratio | None = None
    cudnn_off: Ratio | None = None
    implementation: Ratio | None = None
    masks: Ratio | None = None
    as_written: Ratio | None = None
    dropout_failure: str | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """`lstm(8)`, and what differs from the arms that are measured by default."""
        arm = self.arm
        words = [f"{arm.architecture}({arm.units})"]
        words += [f"batch {arm.batch_size}"] if arm.batch_size != 64 else []
        words += [f"dropout={arm.dropout:g}"] if arm.dropout else []
        rate = arm.recurrent_dropout
        words += [f"rate {rate:g}"] if rate not in (0, 0.3) else []
        words += [] if arm.has_default_jit else ["jit on" if arm.jit else "jit off"]
        return ", ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """An arm over itself, measured a second time beside it under another name.

    Args:
        n: processes that measured both.
    """

    machine: str
    arm: Arm
    n: int
    ratio: Ratio

    @property
    def holds(self) -> bool:
        """Whether the interval has 1 in it, as it should; a ratio without one tells nothing."""
        return self.ratio.interval is None or self.ratio.interval.contains(1.0)

    @property
    def off_by(self) -> float:
        """How far the ratio is from 1: 0.02 for 2 %, to either side."""
        return max(self.ratio.value, 1 / self.ratio.value) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRatio:
    """A training step on the CPU over the same on the GPU of the same host."""

    machine: str
    arm: str
    cpu: MedianIqr
    gpu: MedianIqr
    ratio: Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingPart:
    """Everything that was timed; arms machine by machine."""

    arms: tuple[TimedArm, ...]
    slowdowns: tuple[Slowdown, ...]
    controls: tuple[Control, ...]
    devices: tuple[DeviceRatio, ...]

    @property
    def machines(self) -> tuple[str, ...]:
        """Every machine, in the order of the rows."""
        return tuple(dict.fromkeys(row.machine for row in self.arms))

    def number_of(self, machine: str, arm: Arm) -> int | None:
        """Which machine that is, from 1 up; None where no other has the arm's back end and device.

        Versions make machines differ too, so that most back ends have one of their own.
        """
        places = {(row.machine, row.arm.backend, row.arm.device) for row in self.arms}
        others = [place for place in places if place[1:] == (arm.backend, arm.device)]
        return self.machines.index(machine) + 1 if len(others) > 1 else None

    def control_of(self, row: Slowdown) -> Ratio | None:
        """The ratio of a row's plain arm to itself, measured again."""
        plain = row.arm.on("plain", 0.0)
        found = (each for each in self.controls if (each.machine, each.arm) == (row.machine, plain))
        return next((each.ratio for each in found), None)

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Every session that a row is from."""
        return _distinct(row.session for row in self.arms)


def compose_timing_part(sessions: Sequence[Session]) -> TimingPart | None:
    """The rows of the sessions, each arm once a machine (`_choose`); None without any."""
    arms = _choose(sessions)
    if not arms:
        return None
    used = _distinct(row.session for row in arms)
    mine = [(session, [row.times for row in arms if row.session is session]) for session in used]
    return TimingPart(
        arms=tuple(arms),
        slowdowns=tuple(row for session, times in mine for row in _slowdowns(session, times)),
        controls=tuple(row for session, times in mine for row in _controls(session, times)),
        devices=tuple(row for session, times in mine for row in _devices(session, times)),
    )


def _choose(sessions: Sequence[Session]) -> list[TimedArm]:
    """Of each group of arms that is compared, on each machine, the most telling session's.

    That is the one with most arms measured in full, and of several the latest: a first look with
    one repeat, or an interrupted command, hides no complete one.
    """
    found: dict[tuple[object, ...], tuple[tuple[int, int, str], Session]] = {}
    for session in sessions:
        groups: dict[tuple[object, ...], list[ArmTimes]] = {}
        for times in session.arms:
            if times.samples or times.failure is not None:
                groups.setdefault(_group(session, times.arm), []).append(times)
        for group, members in groups.items():
            n_full = sum(len(times.valid) >= _full_repeats(session) for times in members)
            n_any = sum(bool(times.valid) for times in members)
            rank = (n_full, n_any, session.began_at)
            if group not in found or rank > found[group][0]:
                found[group] = (rank, session)
    kept = [
        TimedArm(session=session, times=times)
        for session in _distinct(session for _, session in found.values())
        for times in session.arms
        if found.get(_group(session, times.arm), (None, None))[1] is session
    ]
    return sorted(kept, key=lambda row: row.machine)


def _full_repeats(session: Session) -> int:
    """How many repeats an arm of the session needs."""
    return FULL if session.protocol == "together" else FULL_APART


def _group(session: Session, arm: Arm) -> tuple[object, ...]:
    """What arms have in common that are compared, on whichever device and rung."""
    return session.machine_with(arm.backend), replace(arm.on("plain", 0.0), device="cpu")


def _distinct(sessions: Iterable[Session]) -> tuple[Session, ...]:
    return tuple({session.id: session for session in sessions}.values())


def _slowdowns(session: Session, mine: Sequence[ArmTimes]) -> Iterator[Slowdown]:
    devices = {(times.arm.backend, times.arm.device) for times in mine}
    for times in mine:
        arm = times.arm
        if arm.rung != "plain":
            continue
        yield from _of_plain_arm(session, times)
        if arm.device == "cpu" and (arm.backend, "gpu") not in devices:
            yield Slowdown(
                machine=session.machine_with(arm.backend),
                arm=replace(arm, device="gpu"),
                note=_why_no_gpu(session),
            )


def _why_no_gpu(session: Session) -> str:
    if "gpu" in session.machine:
        return "not measured: the back end has no CUDA there, or only the CPU was asked for"
    return "not measured on this machine: it has no GPU"


def _of_plain_arm(session: Session, plain: ArmTimes) -> Iterator[Slowdown]:
    """A row for each value of recurrent dropout that was measured beside the plain arm."""
    arm = plain.arm
    beside = {times.arm.recurrent_dropout for times in session.arms if _is_beside(times.arm, arm)}
    for rate in sorted(beside - {0.0}):
        *ladder, end, written = [session.find(arm.on(rung, rate)) for rung in RUNGS]
        with_dropout = written or end
        if with_dropout is None:
            continue
        cudnn_off, implementation = ladder[1:] if arm.has_layer_options else (None, None)
        before_end = implementation or cudnn_off or plain
        used = [plain, *filter(None, (cudnn_off, implementation, end, written))]
        n = _count_shared(session, plain, with_dropout)
        yield Slowdown(
            machine=session.machine_with(arm.backend),
            arm=replace(arm, recurrent_dropout=rate),
            n=n,
            is_full=n >= _full_repeats(session),
            plain=plain.summary("train"),
            dropout=with_dropout.summary("train"),
            slowdown=_divide(session, with_dropout, plain),
            cudnn_off=_divide(session, cudnn_off, plain),
            implementation=_divide(session, implementation, cudnn_off or plain),
            masks=_divide(session, end, before_end),
            as_written=_divide(session, written, end) if arm.has_layer_options else None,
            dropout_failure=with_dropout.failure,
            note=_note_of_ratio(session, used),
        )


def _is_beside(arm: Arm, plain: Arm) -> bool:
    """Whether the arm is the plain one with other options of its layers."""
    return arm.on("plain", 0.0) == plain and not arm.is_control


def _note_of_ratio(session: Session, used: Iterable[ArmTimes]) -> str:
    """What is wrong with any of the arms, each thing once; how noisy they are stands with them."""
    rows = [TimedArm(session=session, times=times) for times in used]
    notes = [row.note.split(": IQR ")[0] for row in rows]
    notes += [_say_imprecise(session.group_of(rows[0].arm))]
    return "; ".join(dict.fromkeys(filter(None, notes)))


def _say_imprecise(group: Group) -> str:
    """Empty where the ratios are as precise as asked."""
    if group.is_precise or group.precision is None:
        return ""
    asked = f"{100 * group.precision:g} % asked"
    if group.reached is None:
        return f"too few processes ({asked})"
    return f"± {100 * group.reached:.1f} % ({asked})"


def _controls(session: Session, mine: Sequence[ArmTimes]) -> Iterator[Control]:
    for again in mine:
        first = session.find(replace(again.arm, is_control=False))
        ratio = _divide(session, again, first) if again.arm.is_control else None
        if first is not None and ratio is not None:
            yield Control(
                machine=session.machine_with(again.arm.backend),
                arm=first.arm,
                n=_count_shared(session, again, first),
                ratio=ratio,
            )


def _devices(session: Session, mine: Sequence[ArmTimes]) -> Iterator[DeviceRatio]:
    for times in mine:
        on_gpu = session.find(replace(times.arm, device="gpu"))
        if times.arm.device != "cpu" or on_gpu is None or times.arm.is_control:
            continue
        cpu, gpu = times.summary("train"), on_gpu.summary("train")
        unpaired = _divide_apart if session.protocol == "apart" else unpaired_ratio
        ratio = unpaired(times.values("train"), on_gpu.values("train"))
        if cpu is not None and gpu is not None and ratio is not None:
            yield DeviceRatio(
                machine=session.machine_with(times.arm.backend),
                arm=times.arm.name.replace(" cpu", "", 1),
                cpu=cpu,
                gpu=gpu,
                ratio=ratio,
            )


def _divide(session: Session, a: ArmTimes | None, b: ArmTimes | None) -> Ratio | None:
    """The ratio of two arms of one group; None where a side was not measured."""
    if a is None or b is None:
        return None
    if session.protocol == "together":
        return session.group_of(a.arm).ratio(a.arm, b.arm)
    return _divide_apart(a.values("train"), b.values("train"))


def _divide_apart(a: Sequence[float], b: Sequence[float]) -> Ratio | None:
    """Of arms that were measured apart."""
    import numpy as np

    return median_ratio(a, b, np.random.default_rng(0))


def _count_shared(session: Session, a: ArmTimes, b: ArmTimes) -> int:
    """Repeats that a ratio of the two rests on."""
    if session.protocol == "apart":
        return min(len(a.valid), len(b.valid))
    return len(session.group_of(a.arm).turns.logs) if a.valid and b.valid else 0
