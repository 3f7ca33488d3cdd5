"""A study's runs as flat records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnnbench.architectures import display_name
from rnnbench.compare.sections import hyperparameter
from rnnbench.ledger import Ledger
from rnnbench.recorded_runs import find_runs

_SETTINGS = ("order", "backend", "engine", "learning_rate", "num_words", "max_len")
_HYPERPARAMETERS = ("units", "dropout", "recurrent_dropout")
_RESULTS = (
    "status",
    "epochs",
    "best_epoch",
    "val_loss",
    "val_accuracy",
    "test_loss",
    "test_accuracy",
    "test_macro_f1",
    "fit_seconds",
)


def result_records(study: str, root: Path) -> list[dict[str, Any]]:  # Any: a column's values
    """The runs that are over, by architecture and seed; None where there is no value.

    Those that somebody deleted in MLflow are left out.

    Raises:
        UsageError: there is no such study in the folder.
    """
    records = []
    for run in find_runs(Ledger(root, writable=False), study):
        spec, result = run.spec, run.result
        if result is None or run.is_deleted:
            continue
        settings = spec.settings
        records.append(
            {
                "study": study,
                "dataset": spec.data.dataset,
                "architecture": display_name(spec.form),
                "seed": spec.seed,
                **{name: settings[name] for name in _SETTINGS},
                **{name: hyperparameter(spec.form, name) for name in _HYPERPARAMETERS},
                **{name: getattr(result, name) for name in _RESULTS},
                "keras": result.environment.get("version.keras"),
                "backend_version": result.environment.get(f"version.{spec.backend}"),
                "processor": result.environment.get("processor"),
                "imported_from": result.imported_from,
                "fingerprint": run.entry.fingerprint,
            }
        )
    return sorted(records, key=lambda record: (record["architecture"], record["seed"]))
