"""The part of a report on time: what recurrent dropout costs, where, and which kernel ran."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from rnnbench.output.amounts import plural, some
from rnnbench.page.blocks import Block, Fact, Paragraph, Part, Subheading, make_part
from rnnbench.page.tables import Column, Table, Tone
from rnnbench.page.texts import NONE, count, number, with_interval
from rnnbench.timing.arms import Arm
from rnnbench.timing.figure import picture_times
from rnnbench.timing.rows import DeviceRatio, Slowdown, TimedArm, TimingPart
from rnnbench.timing.sessions import PROTOCOLS, Protocol, Session

if TYPE_CHECKING:
    from rnnbench.stats.ratios import MedianIqr, Ratio

_MOST_NAMES = 4
_STATUS_WORDS = {
    "failed": "failed",
    "invalid": "could not be measured: too few repeats can be believed",
    "unfinished": "not finished; the same command goes on",
    "noisy": "noisy: the interquartile range (IQR) is above 10 % of the median, after repeating",
}

_PROTOCOLS: dict[Protocol, str] = {
    "together": "the median over processes, in which arms that are compared take turns, and in"
    " brackets the quartiles. A ratio comes from the rounds, not from these medians: within a round"
    " each arm is held against the mean of all; a process counts with the interquartile mean of its"
    " rounds, and the ratio is the mean over processes, in logarithms, with Student's 95 %"
    " interval in which processes are clusters and rounds lie within them (CPU against GPU, which"
    " share no process: Welch's). Where a precision was asked for, processes were added until it"
    " was reached. Of many such intervals one in twenty may miss. A ratio never crosses machines.",
    "apart": "the median over processes of their own, and in brackets the quartiles. A ratio is one"
    " of medians of the same session, with a 95 % bootstrap interval; it never crosses machines.",
}

RowT = TypeVar("RowT", TimedArm, Slowdown, DeviceRatio)


def write_timing_answer(part: TimingPart) -> tuple[str, ...]:
    """What recurrent dropout costs, a sentence for each back end and device."""
    measured = [row for row in part.slowdowns if row.slowdown is not None]
    places: dict[tuple[str, str, str], list[Slowdown]] = {}
    for row in measured:
        places.setdefault((row.machine, row.arm.backend, row.arm.device), []).append(row)
    sentences = [
        _tell(part, min(rows, key=lambda row: (row.arm.architecture != "lstm", row.arm.units)))
        for rows in places.values()
    ]
    on_gpu = [row for row in part.slowdowns if row.arm.device == "gpu"]
    if on_gpu and all(row.slowdown is None for row in on_gpu):
        sentences.append(f"On a GPU: {on_gpu[0].note}.")
    return tuple(sentences) or ("Nothing was measured yet.",)


def warn_of_timing(part: TimingPart) -> tuple[str, ...]:
    """What must not be overlooked: arms without numbers, and noisy ones; a sentence each."""
    sentences = []
    for status, words in _STATUS_WORDS.items():
        names = [row.arm.name for row in part.arms if row.status == status]
        if names:
            shown = some(names, _MOST_NAMES)
            sentences.append(f"{len(names)} of {len(part.arms)} arms {words}: {shown}.")
    sentences += warn_of_precision(part)
    odd = [row.arm.name for row in part.arms if row.is_confirmed is False]
    if odd:
        sentences.append(f"Another kernel ran than Keras's rule says: {', '.join(odd)}.")
    return tuple(sentences)


def write_controls(part: TimingPart) -> tuple[str, ...]:
    """How far the controls are off, in a sentence; none without controls."""
    told = [control for control in part.controls if control.ratio.interval is not None]
    if not told:
        return ()
    worst = max(told, key=lambda control: control.off_by)
    return (
        f"Controls with 1 in their 95 % interval: {sum(control.holds for control in told)} of"
        f" {len(told)}; the furthest, {worst.arm.name}, is off by {100 * worst.off_by:.1f} %.",
    )


def warn_of_precision(part: TimingPart) -> tuple[str, ...]:
    """Which groups are less precise than was asked, in a sentence; none where all are."""
    groups = {
        (row.session.id, row.arm.group): row.session.group_of(row.arm) for row in part.arms
    }.values()
    wide = [group for group in groups if not group.is_precise]
    if not wide:
        return ()
    first = max(wide, key=lambda group: group.reached or math.inf)
    reached = first.reached
    how_far = "is not known yet" if reached is None else f"reaches {100 * reached:.1f} % beyond it"
    return (
        f"Groups of arms that are less precise than asked: {len(wide)} of {len(groups)}. The widest"
        f" interval of a ratio, of {first.arms[0].arm.name}, {how_far}.",
    )


def describe_timing(part: TimingPart) -> tuple[Fact, ...]:
    """How it was measured, as names and values."""
    return (
        *((f"machine {n}", name) for n, name in enumerate(part.machines, start=1)),
        *(
            (f"measured {_tell_protocol(each)} at {each.began_at}", each.command)
            for each in part.sessions
        ),
    )


def _tell_protocol(session: Session) -> str:
    if session.protocol == "apart":
        return "apart"
    if session.precision is None:  # of the format in which their number was fixed
        return "in turns, in so many processes as were asked for and without controls,"
    return "in turns"


def timing_part(part: TimingPart) -> Part:
    """Tables, figure and what to read them by."""
    return make_part("timing", "Time", _blocks(part))


def _blocks(part: TimingPart) -> Iterator[Block | None]:
    yield Paragraph(
        f"Milliseconds of one training step: {_tell_protocols(part)} Recurrent dropout costs in"
        " three places: cuDNN's fused kernel, or the loop that Keras has in its place for a GRU on"
        " JAX and on PyTorch,"
        " neither of which knows such masks (use_cudnn=False); the products of all gates in one,"
        " which Keras gives up for it (implementation 1); and the masks themselves. On TensorFlow"
        " with a GPU, use_cudnn=False gives a step the XLA that Keras leaves out beside cuDNN, and"
        " recurrent dropout as it is written loses it (as written). The ratios multiply to the"
        " whole. Where the first changes nothing (on a CPU, for an LSTM on JAX, for everything on"
        " TensorFlow), it is left out. A control is an arm over itself, measured a second time"
        " beside it: what it differs from 1 by, the measurement is off by at least; ratios of"
        " different arms can be off by more."
    )
    sentences = write_controls(part)
    yield Paragraph(" ".join(sentences)) if sentences else None
    yield _tabulate_slowdowns(part)
    yield picture_times(part)
    yield Subheading("CPU against GPU")
    if part.devices:
        yield _tabulate_devices(part)
    else:
        yield Paragraph("Not measured on this machine: a CPU and a GPU of one host are needed.")
    yield Subheading("Which kernel ran, and why")
    yield Paragraph(
        "By the rule in Keras's source; 'seen' are the operations of the compiled program (JAX), of"
        " the graph (TensorFlow) or of the profiler (PyTorch) that tell a fused kernel from a loop."
    )
    yield _tabulate_kernels(part)
    yield _tabulate_arms(part)


def _tell_protocols(part: TimingPart) -> str:
    """Where times and ratios come from, for each protocol of the sessions."""
    protocols = {session.protocol for session in part.sessions}
    return " Measured apart: ".join(_PROTOCOLS[name] for name in PROTOCOLS if name in protocols)


def _tabulate_slowdowns(part: TimingPart) -> Table[Slowdown]:
    """What recurrent dropout costs, rung by rung."""
    columns: list[Column[Slowdown]] = [
        Column("architecture", lambda row: row.name, is_number=False),
        Column("back end", lambda row: row.arm.backend, is_number=False),
        Column("device", lambda row: row.arm.device.upper(), is_number=False),
        Column("n", lambda row: count(row.n) if row.n else NONE),
        Column("without (ms)", lambda row: write_ms(row.plain)),
        Column("with (ms)", lambda row: write_ms(row.dropout)),
        Column(
            "slowdown [95 %]",
            lambda row: write_ratio(row.slowdown) if row.slowdown else "not measured",
        ),
        Column("use_cudnn=False", lambda row: write_ratio(row.cudnn_off)),
        Column("implementation 1", lambda row: write_ratio(row.implementation)),
        Column("masks", lambda row: write_ratio(row.masks)),
        Column("as written", lambda row: write_ratio(row.as_written)),
        Column("control", lambda row: write_ratio(part.control_of(row))),
        Column("note", lambda row: row.note or NONE, is_number=False),
    ]
    if not any(row.as_written for row in part.slowdowns):  # the same arm as the ladder's end
        columns = [column for column in columns if column.title != "as written"]
    caption = "What recurrent dropout costs a training step"
    return Table(caption, "timing_slowdowns", columns, _by_machine(part, part.slowdowns))


def _tabulate_devices(part: TimingPart) -> Table[DeviceRatio]:
    columns: list[Column[DeviceRatio]] = [
        Column("arm", lambda row: row.arm, is_number=False),
        Column("CPU (ms)", lambda row: number(row.cpu.median)),
        Column("GPU (ms)", lambda row: number(row.gpu.median)),
        Column("CPU / GPU [95 %]", lambda row: write_ratio(row.ratio)),
    ]
    caption = "A training step on the CPU and on the GPU of one host"
    return Table(caption, "timing_devices", columns, _by_machine(part, part.devices))


def _tabulate_kernels(part: TimingPart) -> Table[TimedArm]:
    """An arm of each kind: units and batch size choose no kernel."""
    columns: list[Column[TimedArm]] = [
        Column("architecture", lambda row: row.arm.architecture, is_number=False),
        Column("arm", lambda row: _options(row.arm), is_number=False),
        Column("back end", lambda row: row.arm.backend, is_number=False),
        Column("device", lambda row: row.arm.device.upper(), is_number=False),
        Column("kernel", lambda row: row.kernel.path, is_number=False),
        Column("why", lambda row: row.kernel.reason, is_number=False),
        Column("seen", _seen, is_number=False, tone=_seen_tone),
    ]
    kinds: dict[tuple[object, ...], TimedArm] = {}
    for row in part.arms:
        arm = row.arm
        kind = (row.machine, arm.architecture, _options(arm), arm.backend, arm.device)
        # A row that contradicts the rule stands for its kind, and else one that was looked at.
        before = kinds.get(kind)
        if before is None or before.is_confirmed is None or row.is_confirmed is False:
            kinds[kind] = row
    return Table("Kernels", "timing_arms", columns, _by_machine(part, tuple(kinds.values())))


def _tabulate_arms(part: TimingPart) -> Table[TimedArm]:
    """Every arm."""
    columns: list[Column[TimedArm]] = [
        Column("arm", lambda row: row.arm.name, is_number=False),
        Column("n", lambda row: count(row.n)),
        Column("train (ms)", lambda row: write_ms(row.times.summary("train"))),
        Column("evaluate (ms)", lambda row: write_ms(row.times.summary("evaluate"))),
        Column("predict (ms)", lambda row: write_ms(row.times.summary("predict"))),
        Column("reviews/s", lambda row: count(row.reviews_per_second)),
        Column("compile (s)", _write_compile_seconds),
        Column("host (MiB)", lambda row: count(row.middle("peak_host_mib"))),
        Column("GPU (MiB)", lambda row: count(row.middle("peak_device_mib"))),
        Column("repeats not counted", lambda row: count(len(row.times.samples) - row.n)),
        Column("note", lambda row: row.note or NONE, is_number=False),
    ]
    summary = f"Every arm ({plural(len(part.arms), 'arm')})"
    caption = "Every arm"
    if any(row.session.protocol == "together" for row in part.arms):
        caption += "; where arms took turns, memory is that of their process, with all it held"
    return Table(caption, "timing_arms", columns, _by_machine(part, part.arms), summary)


def _by_machine(part: TimingPart, rows: Sequence[RowT]) -> list[tuple[str, list[RowT]]]:
    """The rows under their machines' names, which have numbers where the text uses these."""
    has_numbers = any(part.number_of(row.machine, row.arm) for row in part.arms)
    return [
        (f"Machine {n}: {name}" if has_numbers else name, [r for r in rows if r.machine == name])
        for n, name in enumerate(part.machines, start=1)
    ]


def _options(arm: Arm) -> str:
    words = [f"use_cudnn={arm.use_cudnn}"] if arm.use_cudnn != "auto" else []
    words += [f"implementation={arm.implementation}"] if arm.implementation else []
    words += [f"dropout={arm.dropout:g}"] if arm.dropout else []
    words += [f"recurrent_dropout={arm.recurrent_dropout:g}"] if arm.recurrent_dropout else []
    words += ["jit on" if arm.jit else "jit off"]
    return ", ".join(words)


def _seen(row: TimedArm) -> str:
    if row.is_confirmed is None:
        return "not looked"
    seen = ", ".join(map(_shorten_kernel, row.observed or ()))
    return seen if row.is_confirmed else f"not as the rule says: {seen}"


def _shorten_kernel(name: str) -> str:
    """The name of a CUDA kernel without its types; another operation's as it is."""
    return name.removeprefix("void ").split("<")[0].split("(")[0]


def _seen_tone(row: TimedArm) -> Tone:
    return "bad" if row.is_confirmed is False else ""


def write_ms(found: MedianIqr | None) -> str:
    """`2.00 [1.90, 2.10]`: milliseconds a step and quartiles; a dash where there are none."""
    if found is None:
        return NONE
    return with_interval(found.median, found.quartiles if found.n > 1 else None, number)


def _write_compile_seconds(row: TimedArm) -> str:
    """A dash for an arm that shared its process: the first arm there has started the back end."""
    is_apart = row.session.protocol == "apart"
    return number(row.middle("compile_seconds"), 1) if is_apart else NONE


def write_ratio(ratio: Ratio | None) -> str:
    """`1.50 [1.40, 1.60]`; a dash where there is none."""
    return NONE if ratio is None else with_interval(ratio.value, ratio.interval, number)


def _tell(part: TimingPart, row: Slowdown) -> str:
    assert row.slowdown is not None
    number_ = part.number_of(row.machine, row.arm)
    where = f" of machine {number_}" if number_ else ""
    text = (
        f"On the {row.arm.device.upper()}{where} with {row.arm.backend}, recurrent dropout makes a"
        f" training step of {row.name} {row.slowdown.value:.2f} times as long"
        f"{_bounds(row.slowdown)}"
    )
    told = [
        f"{ratio.value:.2f}{_bounds(ratio)} {words}"
        for ratio, words in (
            (row.cudnn_off, "with `use_cudnn=False`"),
            (row.implementation, "for a matrix product a gate"),
            (row.masks, "for the masks themselves"),
            (row.as_written, "for the XLA that Keras leaves out"),
        )
        if ratio is not None
    ]
    return f"{text}: {', times '.join(told)}." if len(told) > 1 else f"{text}."


def _bounds(ratio: Ratio) -> str:
    bounds = ratio.interval
    return "" if bounds is None else f" [{bounds.low:.2f}, {bounds.high:.2f}]"
