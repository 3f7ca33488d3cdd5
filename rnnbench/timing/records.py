"""The tables of what was timed as CSV, a record a row."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rnnbench.page.csv_files import write_records
from rnnbench.timing.arms import Arm
from rnnbench.timing.rows import Control, DeviceRatio, Slowdown, TimedArm, TimingPart

if TYPE_CHECKING:
    from rnnbench.stats.ratios import MedianIqr, Ratio


def timing_tables(part: TimingPart) -> dict[str, str]:
    """The CSV text of every table, by the stem of its file."""
    return {
        "timing_arms": write_records(tuple(_arm_record(part.arms[0])), map(_arm_record, part.arms)),
        "timing_slowdowns": write_records(_OF_SLOWDOWN, map(_slowdown_record, part.slowdowns)),
        "timing_controls": write_records(_OF_CONTROL, map(_control_record, part.controls)),
        "timing_devices": write_records(_OF_DEVICE, map(_device_record, part.devices)),
    }


def _arm_record(row: TimedArm) -> dict[str, object]:
    return {
        "machine": row.machine,
        "sitting": row.session.id,
        "name": row.arm.name,
        **asdict(row.arm),
        "status": row.status,
        "n": row.n,
        "n_invalid": len(row.times.samples) - row.n,
        **_cells_of_times("train", row.times.summary("train")),
        **_cells_of_times("evaluate", row.times.summary("evaluate")),
        **_cells_of_times("predict", row.times.summary("predict")),
        "reviews_per_second": row.reviews_per_second,
        **{name: row.middle(name) for name in ("compile_seconds", "peak_host_mib")},
        "peak_device_mib": row.middle("peak_device_mib"),
        "path": row.kernel.path,
        "reason": row.kernel.reason,
        "observed": ", ".join(row.observed or ()),
        "is_confirmed": row.is_confirmed,
        "note": row.note,
    }


def _slowdown_record(row: Slowdown) -> dict[str, object]:
    of_arm = ("architecture", "backend", "device", "units", "batch_size", "dropout", "jit")
    ratios = ("slowdown", "cudnn_off", "implementation", "masks", "as_written")
    record: dict[str, object] = {
        "machine": row.machine,
        "name": row.name,
        **{name: getattr(row.arm, name) for name in (*of_arm, "recurrent_dropout")},
        "n": row.n,
        **_cells_of_times("plain", row.plain),
        **_cells_of_times("dropout", row.dropout),
    }
    for name in ratios:
        record |= _cells_of_ratio(name, getattr(row, name))
    return record | {
        "dropout_failure": row.dropout_failure,
        "plain_ran": row.plain is not None,
        "note": row.note,
    }


def _control_record(row: Control) -> dict[str, object]:
    return {
        "machine": row.machine,
        "arm": row.arm.name,
        "n": row.n,
        **_cells_of_ratio("ratio", row.ratio),
        "holds": row.holds,
    }


def _device_record(row: DeviceRatio) -> dict[str, object]:
    return {
        "machine": row.machine,
        "arm": row.arm,
        "cpu_ms": row.cpu.median,
        "gpu_ms": row.gpu.median,
        **_cells_of_ratio("ratio", row.ratio),
    }


def _cells_of_times(name: str, found: MedianIqr | None) -> dict[str, object]:
    low, high = (found.quartiles.low, found.quartiles.high) if found else (None, None)
    return {
        f"{name}_ms": found and found.median,
        f"{name}_quartiles_low": low,
        f"{name}_quartiles_high": high,
    }


def _cells_of_ratio(name: str, ratio: Ratio | None) -> dict[str, object]:
    bounds = ratio and ratio.interval
    return {
        name: ratio and ratio.value,
        f"{name}_interval_low": bounds and bounds.low,
        f"{name}_interval_high": bounds and bounds.high,
    }


# The headings, which stand where there is no row too.
_SOME_ARM = Arm(architecture="lstm", backend="jax", device="cpu")
_OF_SLOWDOWN = tuple(_slowdown_record(Slowdown(machine="", arm=_SOME_ARM)))
_OF_CONTROL = ("machine", "arm", "n", *_cells_of_ratio("ratio", None), "holds")
_OF_DEVICE = ("machine", "arm", "cpu_ms", "gpu_ms", *_cells_of_ratio("ratio", None))
