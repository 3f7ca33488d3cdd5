"""One flat record a run, for CSV files and data frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from rnnbench.architectures import display_name
from rnnbench.output.characters import csv_text
from rnnbench.specs import RunResult, RunSpec

__all__ = ["COLUMNS", "run_record", "write_records"]

COLUMNS = (
    "study",
    "dataset",
    "order",
    "backend",
    "engine",
    "architecture",
    "seed",
    "best_epoch",
    "val_loss",
    "val_accuracy",
    "test_loss",
    "test_accuracy",
    "epochs",
    "fit_seconds",
    "status",
)


def run_record(study: str, spec: RunSpec, result: RunResult) -> dict[str, object]:
    """A run's values by column; None where there is none."""
    values: dict[str, object] = {
        "study": study,
        "dataset": spec.data.dataset,
        "order": spec.recipe.order,
        "backend": spec.backend,
        "engine": spec.engine,
        "architecture": display_name(spec.form),
        "seed": spec.seed,
    }
    return values | {name: getattr(result, name) for name in COLUMNS if name not in values}


def write_records(records: Iterable[Mapping[str, object]]) -> str:
    """The records as CSV, empty cells for None."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({key: csv_text(value) for key, value in record.items()})
    return text.getvalue()
