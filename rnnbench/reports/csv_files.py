"""Rows as CSV: a line each, a column for each field."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from rnnbench.compare.rows import (
    ArmRow,
    ArmUncertainty,
    PairRow,
    PairUncertainty,
    PublishedRow,
    ResponseRow,
    SeedRow,
)
from rnnbench.output.characters import csv_text
from rnnbench.page.blocks import ClaimRow, Fact
from rnnbench.study import TIMING
from rnnbench.timing.rows import ArmTimeRow, DeviceRow, SlowdownRow, TimingPart
from rnnbench.tuning.tuned import BudgetRow, ReachRow, TuningPart

if TYPE_CHECKING:
    from rnnbench.compare.rows import Curve
    from rnnbench.reports.document import Document

__all__ = ["CURVE_COLUMNS", "write_curves", "write_rows", "write_tables"]

CURVE_COLUMNS = (
    "section",
    "arm",
    "seed",
    "epoch",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
)


def write_tables(document: Document) -> dict[str, str]:
    """The CSV text of every table, by the stem of its file."""
    timing = _write_timing(document.timing) if document.timing else {}
    if document.study == TIMING:
        claims, facts = write_rows(ClaimRow, document.claims), write_rows(Fact, document.facts)
        return {**timing, "claims": claims, "facts": facts}
    return {
        "architectures": write_rows(ArmRow, document.arms),
        "seeds": write_rows(SeedRow, document.seeds),
        "responses": write_rows(ResponseRow, document.responses),
        "pairs": write_rows(PairRow, document.pairs),
        "uncertainty_arms": write_rows(ArmUncertainty, document.arm_uncertainty),
        "uncertainty_pairs": write_rows(PairUncertainty, document.pair_uncertainty),
        "curves": write_curves(document.curves),
        "published_curves": write_curves(document.published_curves),
        "published": write_rows(PublishedRow, document.published),
        "claims": write_rows(ClaimRow, document.claims),
        "facts": write_rows(Fact, document.facts),
        **(_write_tuning(document.tuning) if document.tuning else {}),
        **timing,
    }


def _write_timing(part: TimingPart) -> dict[str, str]:
    return {
        "timing_arms": write_rows(ArmTimeRow, part.arms),
        "timing_slowdowns": write_rows(SlowdownRow, part.slowdowns),
        "timing_devices": write_rows(DeviceRow, part.devices),
    }


def _write_tuning(part: TuningPart) -> dict[str, str]:
    curves = (
        (csv_text(curve.architecture), number, *values)
        for curve in part.curves
        for number, values in enumerate(
            zip(curve.best, curve.low, curve.median, curve.high, strict=True)
        )
    )
    scores = (
        (csv_text(row.architecture), row.kind, seed_score)
        for row in part.scores
        for seed_score in row.scores
    )
    return {
        "tuning_budgets": write_rows(BudgetRow, part.budgets),
        "tuning_curves": _write(("architecture", "trial", "best", "low", "median", "high"), curves),
        "tuning_scores": _write(("architecture", "kind", "test_accuracy"), scores),
        "tuning_pairs": write_rows(PairRow, part.pairs),
        "tuning_reach": write_rows(ReachRow, part.reach),
    }


def write_rows(row_type: type[Any], rows: Iterable[Any]) -> str:  # any: any dataclass
    """The rows as CSV; what is missing is empty, an interval has a column for each end."""
    named = {field.name: "Interval" in str(field.type) for field in fields(row_type)}
    header = [
        column
        for name, is_interval in named.items()
        for column in ([f"{name}_low", f"{name}_high"] if is_interval else [name])
    ]
    return _write(header, (_cells(row, named) for row in rows))


def write_curves(curves: Iterable[Curve]) -> str:
    """The curves as CSV, a line for each epoch."""
    return _write(
        CURVE_COLUMNS,
        (
            [csv_text(curve.section), csv_text(curve.arm), curve.seed, epoch, *values]
            for curve in curves
            for epoch, values in enumerate(curve.history.tolist(), start=1)
        ),
    )


def _write(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()


def _cells(row: object, named: dict[str, bool]) -> list[object]:
    return [
        cell for name, is_interval in named.items() for cell in _of_field(row, name, is_interval)
    ]


def _of_field(row: object, name: str, is_interval: bool) -> Iterator[object]:
    value = getattr(row, name)
    if not is_interval:
        yield _known(value)
    elif value is None:
        yield from ("", "")
    else:
        yield from (_known(value.low), _known(value.high))


def _known(value: object) -> object:
    """A cell's value; None and NaN are empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return csv_text(value)
