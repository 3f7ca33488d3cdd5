"""The part on time: what recurrent dropout costs, where, and which kernel ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rnnbench.output.amounts import plural
from rnnbench.page.blocks import Block, Folded, Paragraph, Part, Subheading, make_part
from rnnbench.page.csv_files import write_rows
from rnnbench.page.drawing import (
    BLUE,
    GREEN,
    ORANGE,
    SKY,
    VERMILLION,
    Picture,
    grid_of_axes,
    house_style,
)
from rnnbench.page.tables import Column, Table, Tone
from rnnbench.page.texts import NONE, count, number, within
from rnnbench.timing.rows import ArmTimeRow, DeviceRow, SlowdownRow, TimingPart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rnnbench.stats.intervals import Interval

__all__ = ["LADDER", "find_lines", "picture_times", "timing_part", "timing_tables"]

_MAX_PANELS = 12

LADDER = (
    ("as Keras chooses", BLUE),
    ("cuDNN off", SKY),
    ("… and implementation 1", GREEN),
    ("… and recurrent dropout", VERMILLION),
    ("recurrent dropout, as written", ORANGE),
)


def timing_part(part: TimingPart) -> Part:
    """Tables, figure and what to read them by."""
    return make_part("timing", "Time", _blocks(part))


def timing_tables(part: TimingPart) -> dict[str, str]:
    """The CSV text of each table, by the stem of its file."""
    return {
        "timing_arms": write_rows(ArmTimeRow, part.arms),
        "timing_slowdowns": write_rows(SlowdownRow, part.slowdowns),
        "timing_devices": write_rows(DeviceRow, part.devices),
    }


def _blocks(part: TimingPart) -> Iterator[Block | None]:
    yield Paragraph(
        "Milliseconds of one training step: the median over processes of their own, and in brackets"
        " the quartiles. A ratio is one of medians of the same sitting, with a 95 % bootstrap"
        " interval; it never crosses machines. Recurrent dropout costs in three places: cuDNN's"
        " fused kernel, or the loop that Keras has in its place for a GRU on JAX and on PyTorch,"
        " neither of which knows such masks (use_cudnn=False); the products of all gates in one,"
        " which Keras gives up for it (implementation 1); and the masks themselves. On TensorFlow"
        " with a GPU, use_cudnn=False gives a step the XLA that Keras leaves out beside cuDNN, and"
        " recurrent dropout as it is written loses it (as written). The ratios multiply to the"
        " whole. On a CPU, on TensorFlow and for an LSTM on JAX, the first is a control: both arms"
        " run the same code, and what it differs from 1 by is this machine's noise."
    )
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
    yield Folded(f"Every arm ({plural(len(part.arms), 'arm')})", _tabulate_arms(part))


def find_lines(rows: Sequence[ArmTimeRow]) -> list[tuple[str, str, list[tuple[int, ArmTimeRow]]]]:
    """Of one panel's rows the lines: name, colour, and by rising units the row."""
    lines = []
    for name, colour in LADDER:
        points = sorted(
            (row.units, row) for row in rows if _step_of(row) == name and row.train_ms is not None
        )
        if points:
            lines.append((name, colour, points))
    return lines


def picture_times(part: TimingPart) -> Picture | None:
    """Step time against units, a panel for each architecture, back end and device."""
    panels: dict[tuple[str, str], list[ArmTimeRow]] = {}
    for row in part.arms:
        if row.train_ms is not None and not row.dropout:
            panels.setdefault((row.machine, _panel_title(row)), []).append(row)
    shown = [(title, rows) for (_, title), rows in panels.items()][:_MAX_PANELS]
    if not shown:
        return None
    caption = (
        "Dots: the median over the repeats; bars: the quartiles. Both axes are logarithmic. A panel"
        " for each architecture, back end and device."
    )
    if len(shown) < len(panels):
        caption += f" The first {len(shown)} of {len(panels)} panels are shown."
    return Picture(
        name="timing",
        title="Milliseconds of a training step against units",
        alt=_describe(part.slowdowns),
        caption=caption,
        figure=_draw(shown),
    )


def _panel_title(row: ArmTimeRow) -> str:
    words = [row.architecture, row.backend, row.device]
    words += [f"batch {row.batch_size}"] if row.batch_size != 64 else []
    words += [] if row.jit else ["jit off"]
    return ", ".join(words)


def _describe(rows: Sequence[SlowdownRow]) -> str:
    texts = [
        f"{row.name} on {row.backend}, {row.device}: {row.plain_ms:.2f} ms"
        f" without and {row.dropout_ms:.2f} ms with recurrent dropout"
        for row in rows
        if row.plain_ms is not None and row.dropout_ms is not None
    ]
    return "; ".join(texts[:6]) + "."


def _draw(panels: Sequence[tuple[str, Sequence[ArmTimeRow]]]) -> Figure:
    with house_style():
        figure, grid = grid_of_axes([2.4] * len(panels), n_columns=min(4, len(panels)), sharey=True)
        names: dict[str, Any] = {}  # Any: matplotlib's artists
        for axes, (title, rows) in zip(grid, panels, strict=True):
            names |= _draw_panel(axes, title, rows)
        values = [row.train_ms for _, rows in panels for row in rows if row.train_ms]
        units = [row.units for _, rows in panels for row in rows]
        grid[0].set_yticks(_ticks(min(values), max(values)))
        columns = min(4, len(panels))
        for index, axes in enumerate(grid):
            axes.set_xlim(min(units) / 1.5, max(units) * 1.5)
            axes.set_xlabel("units" if index >= len(panels) - columns else "")
            axes.set_ylabel("ms a step" if index % columns == 0 else "")
        figure.legend(
            list(names.values()),
            list(names),
            loc="outside upper center",
            ncols=len(names),
            frameon=False,
        )
    return figure


def _draw_panel(axes: Axes, title: str, rows: Sequence[ArmTimeRow]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for place, (name, colour, points) in enumerate(find_lines(rows)):
        shift = 1.03 ** (place - 1.5)  # so that bars of equal arms do not hide each other
        units = [n * shift for n, _ in points]
        values = [row.train_ms or 0.0 for _, row in points]
        ends = [(row.train_quartiles, row.train_ms or 0.0) for _, row in points]
        names[name] = axes.errorbar(
            units,
            values,
            yerr=[
                [value - q.low if q else 0.0 for q, value in ends],
                [q.high - value if q else 0.0 for q, value in ends],
            ],
            color=colour,
            marker="o",
            markersize=4,
            linewidth=1.4,
            capsize=2,
        )
    every = sorted({row.units for row in rows})
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(every, [str(n) for n in every])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_title(title)
    axes.grid(axis="y")
    return names


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from below `low` to above `high`."""
    rounds = [digit * 10.0**power for power in range(-3, 6) for digit in (1, 2, 5)]
    first = max((n for n in rounds if n <= low), default=rounds[0])
    last = min((n for n in rounds if n >= high), default=rounds[-1])
    return [n for n in rounds if first <= n <= last]


def _step_of(row: ArmTimeRow) -> str | None:
    """The rung of the ladder that an arm stands on; None for an arm beside it."""
    is_control = row.architecture == "simple-rnn"
    match (row.use_cudnn, row.implementation, bool(row.recurrent_dropout)):
        case ("auto", None, False):
            return LADDER[0][0]
        case ("off", None, False):
            return LADDER[1][0]
        case ("off", 1, False):
            return LADDER[2][0]
        case ("off", 1, True):
            return LADDER[3][0]
        case ("auto", None, True):
            return LADDER[3][0] if is_control else LADDER[4][0]
    return None


def _tabulate_slowdowns(part: TimingPart) -> Table[SlowdownRow]:
    columns: list[Column[SlowdownRow]] = [
        Column("architecture", lambda row: row.name, is_number=False),
        Column("back end", lambda row: row.backend, is_number=False),
        Column("device", lambda row: row.device.upper(), is_number=False),
        Column("n", lambda row: count(row.n) if row.n else NONE),
        Column("without (ms)", lambda row: _ms(row.plain_ms, row.plain_quartiles)),
        Column("with (ms)", lambda row: _ms(row.dropout_ms, row.dropout_quartiles)),
        Column("slowdown [95 %]", _slowdown),
        Column("use_cudnn=False", lambda row: _ratio(row.cudnn_off, row.cudnn_off_interval)),
        Column(
            "implementation 1", lambda row: _ratio(row.implementation, row.implementation_interval)
        ),
        Column("masks", lambda row: _ratio(row.masks, row.masks_interval)),
        *_written_column(part),
        Column("note", lambda row: row.note or NONE, is_number=False),
    ]
    groups = [
        (name, [row for row in part.slowdowns if row.machine == name]) for name in part.machines
    ]
    return Table(
        "What recurrent dropout costs a training step", "timing_slowdowns", columns, groups
    )


def _written_column(part: TimingPart) -> list[Column[SlowdownRow]]:
    """Only where recurrent dropout as written is another arm than the ladder's end."""
    if not any(row.as_written for row in part.slowdowns):
        return []
    return [Column("as written", lambda row: _ratio(row.as_written, row.as_written_interval))]


def _tabulate_devices(part: TimingPart) -> Table[DeviceRow]:
    columns: list[Column[DeviceRow]] = [
        Column("arm", lambda row: row.arm, is_number=False),
        Column("CPU (ms)", lambda row: number(row.cpu_ms)),
        Column("GPU (ms)", lambda row: number(row.gpu_ms)),
        Column("CPU / GPU [95 %]", lambda row: _ratio(row.ratio, row.ratio_interval)),
    ]
    names = dict.fromkeys(row.machine for row in part.devices)
    groups = [(name, [row for row in part.devices if row.machine == name]) for name in names]
    return Table(
        "A training step on the CPU and on the GPU of one host", "timing_devices", columns, groups
    )


def _tabulate_kernels(part: TimingPart) -> Table[ArmTimeRow]:
    """An arm of each kind: units and batch size choose no kernel."""
    columns: list[Column[ArmTimeRow]] = [
        Column("architecture", lambda row: row.architecture, is_number=False),
        Column("arm", _options, is_number=False),
        Column("back end", lambda row: row.backend, is_number=False),
        Column("device", lambda row: row.device.upper(), is_number=False),
        Column("kernel", lambda row: row.path, is_number=False),
        Column("why", lambda row: row.reason, is_number=False),
        Column("seen", _seen, is_number=False, tone=_seen_tone),
    ]
    kinds: dict[tuple[object, ...], ArmTimeRow] = {}
    for row in part.arms:
        kind = (row.machine, row.architecture, _options(row), row.backend, row.device)
        # A row that contradicts the rule stands for its kind, and else one that was looked at.
        before = kinds.get(kind)
        if before is None or before.is_confirmed is None or row.is_confirmed is False:
            kinds[kind] = row
    groups = [
        (name, [row for row in kinds.values() if row.machine == name]) for name in part.machines
    ]
    return Table("Kernels", "timing_arms", columns, groups)


def _tabulate_arms(part: TimingPart) -> Table[ArmTimeRow]:
    columns: list[Column[ArmTimeRow]] = [
        Column("arm", lambda row: row.name, is_number=False),
        Column("n", lambda row: count(row.n)),
        Column("train (ms)", lambda row: _ms(row.train_ms, row.train_quartiles)),
        Column("evaluate (ms)", lambda row: _ms(row.evaluate_ms, row.evaluate_quartiles)),
        Column("predict (ms)", lambda row: _ms(row.predict_ms, row.predict_quartiles)),
        Column("reviews/s", lambda row: count(row.reviews_per_second)),
        Column("compile (s)", lambda row: number(row.compile_seconds, 1)),
        Column("host (MiB)", lambda row: count(row.peak_host_mib)),
        Column("GPU (MiB)", lambda row: count(row.peak_device_mib)),
        Column("repeats not counted", lambda row: count(row.n_invalid)),
        Column("note", lambda row: row.note or NONE, is_number=False),
    ]
    groups = [(name, [row for row in part.arms if row.machine == name]) for name in part.machines]
    return Table("Every arm", "timing_arms", columns, groups)


def _slowdown(row: SlowdownRow) -> str:
    if row.slowdown is None:
        return "not measured"
    return _ratio(row.slowdown, row.slowdown_interval)


def _options(row: ArmTimeRow) -> str:
    words = [f"use_cudnn={row.use_cudnn}"] if row.use_cudnn != "auto" else []
    words += [f"implementation={row.implementation}"] if row.implementation else []
    words += [f"dropout={row.dropout:g}"] if row.dropout else []
    words += [f"recurrent_dropout={row.recurrent_dropout:g}"] if row.recurrent_dropout else []
    words += ["jit on" if row.jit else "jit off"]
    return ", ".join(words)


def _seen(row: ArmTimeRow) -> str:
    if row.is_confirmed is None:
        return "not looked"
    return row.observed if row.is_confirmed else f"not as the rule says: {row.observed}"


def _seen_tone(row: ArmTimeRow) -> Tone:
    return "bad" if row.is_confirmed is False else ""


def _ms(value: float | None, quartiles: Interval | None) -> str:
    return NONE if value is None else f"{number(value)} {within(quartiles, number)}"


def _ratio(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return NONE
    return f"{number(value)} {within(interval, number)}" if interval else number(value)
