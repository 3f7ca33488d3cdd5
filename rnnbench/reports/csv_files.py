"""Every table of a report as CSV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

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
from rnnbench.page.csv_files import write_lines, write_rows
from rnnbench.study import TIMING
from rnnbench.timing.page import write_timing_tables
from rnnbench.tuning.tuned import BudgetRow, ReachRow, TuningPart

if TYPE_CHECKING:
    from rnnbench.compare.rows import Curve
    from rnnbench.reports.document import Document

__all__ = ["CURVE_COLUMNS", "write_curves", "write_tables"]

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
    timing = write_timing_tables(document.timing) if document.timing else {}
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
        "tuning_curves": write_lines(
            ("architecture", "trial", "best", "low", "median", "high"), curves
        ),
        "tuning_scores": write_lines(("architecture", "kind", "test_accuracy"), scores),
        "tuning_pairs": write_rows(PairRow, part.pairs),
        "tuning_reach": write_rows(ReachRow, part.reach),
    }


def write_curves(curves: Iterable[Curve]) -> str:
    """The curves as CSV, a line for each epoch."""
    return write_lines(
        CURVE_COLUMNS,
        (
            [csv_text(curve.section), csv_text(curve.arm), curve.seed, epoch, *values]
            for curve in curves
            for epoch, values in enumerate(curve.history.tolist(), start=1)
        ),
    )
