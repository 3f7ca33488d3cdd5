"""`rnnbench list`: what there is to run, and what was run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import HEAVY_HEAD

from rnnbench.architectures import (
    architecture_names,
    display_name,
    make_form,
    model_parameters,
    plugin_problems,
)
from rnnbench.errors import StudyError, UsageError, unknown_name
from rnnbench.ledger import Ledger
from rnnbench.output.amounts import plural
from rnnbench.output.characters import csv_text
from rnnbench.page.consoles import open_console
from rnnbench.page.csv_files import write_lines
from rnnbench.page.tables import Column, RowT, Table, rich_table
from rnnbench.page.texts import NONE
from rnnbench.recorded_runs import RecordedRun, read_runs
from rnnbench.specs import Form, PluginForm, RunResult, RunSpec
from rnnbench.study import Study, bundled_studies, load_study

SECTIONS = ("architectures", "studies", "runs")
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


def list_all(
    root: Path, what: str | None = None, on_problem: Callable[[str], None] = lambda _: None
) -> list[Table[Any]]:  # Any: rows of any kind
    """The sections asked for, or all of them.

    Args:
        on_problem: called with a sentence for each run that is left out, being damaged, and for
            each plug-in that cannot be used.

    Raises:
        UsageError: a section that there is not.
    """
    if what is not None and what not in SECTIONS:
        raise UsageError(unknown_name("section", what, SECTIONS))
    if what in (None, "architectures"):
        for problem in plugin_problems():
            on_problem(problem)
    makers: dict[str, Callable[[], Table[Any]]] = {
        "architectures": _architectures,
        "studies": lambda: _studies(root),
        "runs": lambda: _runs(root, on_problem),
    }
    return [make() for name, make in makers.items() if what in (None, name)]


def show_listing(tables: Sequence[Table[Any]]) -> None:  # Any: rows of any kind
    """Print each table; of one without a row, how to come to some."""
    console = open_console()
    for table in tables:
        ((_, rows),) = table.groups
        if rows:
            columns, look = table.columns, {"box": HEAVY_HEAD, "pad_edge": True}
            console.print(rich_table(table.caption, columns, rows, **look))
        else:
            console.print(f"{table.caption}: none yet; start with `rnnbench run --all`")


def as_records(table: Table[Any]) -> list[dict[str, str]]:  # Any: rows of any kind
    """The rows, each by heading."""
    headings = [column.title for column in table.columns]
    return [
        dict(zip(headings, table.write(row), strict=True))
        for _, rows in table.groups
        for row in rows
    ]


def runs_as_csv(root: Path, on_problem: Callable[[str], None] = lambda _: None) -> str:
    """Every run of the folder that is over, a line each, by study, architecture and seed.

    Those that somebody deleted in MLflow are left out.
    """
    runs = read_runs(Ledger(root, writable=False, on_problem=on_problem))
    records = [
        _run_record(run.study, run.spec, run.result)
        for run in runs
        if run.result is not None and not run.is_deleted
    ]
    return write_records(sorted(records, key=_record_order))


def write_records(records: Iterable[Mapping[str, object]]) -> str:
    """The records as CSV, empty cells for None."""
    lines = ([csv_text(record.get(name)) for name in COLUMNS] for record in records)
    return write_lines(COLUMNS, lines)


def _run_record(study: str, spec: RunSpec, result: RunResult) -> dict[str, object]:
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


def _record_order(record: Mapping[str, object]) -> tuple[str, str, int]:
    return str(record["study"]), str(record["architecture"]), int(str(record["seed"]))


def _architectures() -> Table[str]:
    columns: list[Column[str]] = [
        _column("name", lambda name: name),
        _column("recurrent part", lambda name: _describe(make_form(name))),
        _column("parameters of the model", _n_parameters),
    ]
    return Table("architectures", "architectures", columns, [("", architecture_names())])


def _column(title: str, write: Callable[[RowT], str]) -> Column[RowT]:
    return Column(title, write, is_number=False)


def _n_parameters(name: str) -> str:
    n_parameters = model_parameters(make_form(name))
    return "counted by Keras" if n_parameters is None else f"{n_parameters:,}"


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


def _studies(root: Path) -> Table[Study]:
    studies: dict[str, Study] = {}
    for path in [*bundled_studies().values(), *sorted(root.glob("*.toml"))]:
        try:
            study = load_study(path)
        except StudyError:
            continue  # another program's TOML file
        studies.setdefault(study.name, study)
    columns: list[Column[Study]] = [
        _column("name", lambda study: study.name),
        _column("contrast", lambda study: study.contrast),
        _column("seeds", lambda study: str(len(study.seeds))),
        _column("about", lambda study: study.description),
    ]
    title = "studies (rnnbench run --study NAME)"
    return Table(title, "studies", columns, [("", list(studies.values()))])


def _runs(root: Path, on_problem: Callable[[str], None]) -> Table[RecordedRun]:
    runs = read_runs(Ledger(root, writable=False, on_problem=on_problem))
    columns: list[Column[RecordedRun]] = [
        _column("study", lambda run: run.study),
        _column("architecture", lambda run: display_name(run.spec.form)),
        _column("seed", lambda run: str(run.spec.seed)),
        _column("data", lambda run: run.spec.data.dataset),
        _column("status", _status),
        _column("test accuracy", _test_accuracy),
        _column("run", lambda run: run.entry.fingerprint),
    ]
    rows = sorted(runs, key=lambda run: (run.study, display_name(run.spec.form), run.spec.seed))
    return Table("runs in this folder", "runs", columns, [("", rows)])


def _status(run: RecordedRun) -> str:
    if run.is_deleted:
        return "deleted in MLflow"
    return run.result.status if run.result else f"{plural(len(run.entry.history()), 'epoch')} done"


def _test_accuracy(run: RecordedRun) -> str:
    return f"{run.result.test_accuracy:.4f}" if run.result and run.result.test_accuracy else NONE
