"""`rnnbench list`: what there is to run, and what was run."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from rich.table import Table

from rnnbench.architectures import (
    architecture_names,
    display_name,
    make_form,
    model_parameters,
    plugin_problems,
)
from rnnbench.compare.sections import hyperparameter
from rnnbench.errors import StudyError, UsageError, unknown_name
from rnnbench.ledger import Ledger
from rnnbench.output.amounts import plural
from rnnbench.output.characters import csv_text
from rnnbench.page.consoles import open_console
from rnnbench.page.csv_files import write_lines
from rnnbench.recorded_runs import RecordedRun, changed_at, read_runs
from rnnbench.specs import USUAL_SETTINGS, Form, PluginForm
from rnnbench.study_files import bundled_studies, load_study

SECTIONS = ("architectures", "studies", "runs")
COLUMNS = (
    "study",
    "dataset",
    "num_words",
    "max_len",
    "learning_rate",
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
_SETTINGS = ("order", "backend", "engine", "learning_rate", "class_weight", "num_words", "max_len")
_HYPERPARAMETERS = ("units", "dropout", "recurrent_dropout")
MEASURED = (
    "val_loss",
    "val_accuracy",
    "test_loss",
    "test_accuracy",
    "test_macro_f1",
    "test_absolute_error",
    "test_quadratic_kappa",
    "fit_seconds",
)
_RESULTS = ("status", "epochs", "best_epoch", *MEASURED)

Listing: TypeAlias = list[dict[str, str]]
"""Rows of words by heading."""

_NOTHING = dict.fromkeys(
    ("runs in this folder", "studies with runs in this folder (rnnbench report NAME)"),
    "none yet; start with `rnnbench run --all`",
)


def list_all(
    root: Path, what: str | None = None, on_problem: Callable[[str], None] = lambda _: None
) -> dict[str, Listing]:
    """The sections asked for, or all of them, by title.

    Args:
        on_problem: called with a sentence for each run that is left out, being damaged, and for
            each plug-in that cannot be used.

    Raises:
        UsageError: a section that there is not.
    """
    if what is not None and what not in SECTIONS:
        raise UsageError(unknown_name("section", what, SECTIONS))
    found: dict[str, Listing] = {}
    if what in (None, "architectures"):
        for problem in plugin_problems():
            on_problem(problem)
        found["architectures"] = _architectures()
    if what in (None, "studies"):
        found["studies (rnnbench run --study NAME)"] = _studies(root)
    runs = () if what == "architectures" else _read(root, on_problem)
    if what in (None, "studies"):
        found["studies with runs in this folder (rnnbench report NAME)"] = _begun_studies(runs)
    if what in (None, "runs"):
        found["runs in this folder"] = _runs(runs)
    return found


def show_listings(listings: Mapping[str, Listing]) -> None:
    """Print each as a table."""
    console = open_console()
    for title, rows in listings.items():
        if not rows:
            console.print(f"{title}: {_NOTHING.get(title, 'none')}")
            continue
        table = Table(*rows[0], title=title, title_justify="left")
        for row in rows:
            table.add_row(*row.values())
        console.print(table)


def runs_as_csv(root: Path, on_problem: Callable[[str], None] = lambda _: None) -> str:
    """Every run of the folder that is over, a line each, by study, architecture and seed.

    Those that somebody deleted in MLflow are left out.
    """
    return write_runs(describe_runs(_read(root, on_problem)))


def write_runs(records: Iterable[Mapping[str, object]]) -> str:
    """The runs as CSV: empty cells for None, NaN as it was measured."""
    return write_lines(COLUMNS, ([csv_text(r.get(name)) for name in COLUMNS] for r in records))


def describe_runs(
    runs: Iterable[RecordedRun],
) -> list[dict[str, Any]]:  # Any: a column's values
    """What was asked of the runs that are over and what came out, by study, architecture, seed."""
    records = []
    for run in runs:
        spec, result = run.spec, run.result
        if result is None or run.is_deleted:
            continue
        settings = {**USUAL_SETTINGS, **spec.settings}
        own = dict(spec.form.arguments) if isinstance(spec.form, PluginForm) else {}
        records.append(
            {
                "study": run.study,
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
                **{name: value for name, value in own.items() if name not in _HYPERPARAMETERS},
            }
        )
    return sorted(records, key=_row_order)


def _row_order(row: Mapping[str, object]) -> tuple[str, str, int]:
    return str(row["study"]), str(row["architecture"]), int(str(row["seed"]))


def _architectures() -> Listing:
    rows = []
    for name in architecture_names():
        form = make_form(name)
        n = model_parameters(form)
        count = "counted by Keras" if n is None else f"{n:,}"
        row = {"name": name, "recurrent part": _describe(form), "parameters of the model": count}
        rows.append(row)
    return rows


def _describe(form: Form) -> str:
    """The recurrent part as a Keras user writes it: `2 x LSTM(8, dropout=0.3)`."""
    if isinstance(form, PluginForm):
        return ", ".join(f"{key}={value}" for key, value in form.arguments)
    layer = {"lstm": "LSTM", "gru": "GRU", "simple-rnn": "SimpleRNN"}[form.cell]
    arguments = [str(form.units)]
    for key in ("dropout", "recurrent_dropout"):
        if getattr(form, key):
            arguments.append(f"{key}={getattr(form, key)}")
    if form.reset_after is not None:
        arguments.append(f"reset_after={form.reset_after}")
    times = f"{form.depth} x " if form.depth > 1 else ""
    return f"{times}{layer}({', '.join(arguments)})"


def _studies(root: Path) -> Listing:
    found: dict[str, dict[str, str]] = {}
    for path in (*bundled_studies().values(), *sorted(root.glob("*.toml"))):
        try:
            study = load_study(path)
        except StudyError:
            continue  # another program's TOML file
        row = {
            "name": study.name,
            "contrast": study.contrast,
            "seeds": str(len(study.seeds)),
            "about": study.description,
        }
        found.setdefault(study.name, row)
    return list(found.values())


def _read(root: Path, on_problem: Callable[[str], None]) -> list[RecordedRun]:
    return read_runs(Ledger(root, writable=False, on_problem=on_problem))


def _begun_studies(runs: Iterable[RecordedRun]) -> Listing:
    """The study that was worked on last comes last."""
    groups: dict[str, list[RecordedRun]] = {}
    for run in runs:
        groups.setdefault(run.study, []).append(run)
    last = {name: max(changed_at(run.entry) for run in group) for name, group in groups.items()}
    return [
        {
            "name": name,
            "data": ", ".join(dict.fromkeys(run.spec.data.dataset for run in groups[name])),
            "architectures": ", ".join(
                dict.fromkeys(display_name(run.spec.form) for run in groups[name])
            ),
            "runs": str(len(groups[name])),
            "finished": str(sum(run.is_finished for run in groups[name])),
            "last worked on": datetime.fromtimestamp(last[name]).strftime("%Y-%m-%d %H:%M"),
        }
        for name in sorted(groups, key=last.__getitem__)
    ]


def _runs(runs: Iterable[RecordedRun]) -> Listing:
    rows = []
    for run in runs:
        spec, result = run.spec, run.result
        status = result.status if result else f"{plural(len(run.entry.history()), 'epoch')} done"
        score = f"{result.test_accuracy:.4f}" if result and result.test_accuracy else "–"
        rows.append(
            {
                "study": run.study,
                "architecture": display_name(spec.form),
                "seed": str(spec.seed),
                "data": spec.data.dataset,
                "status": "deleted in MLflow" if run.is_deleted else status,
                "test accuracy": score,
                "run": run.entry.fingerprint,
            }
        )
    return sorted(rows, key=_row_order)
