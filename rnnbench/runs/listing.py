"""`rnnbench list`: what there is to run, and what was run."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

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
from rnnbench.recorded_runs import read_runs
from rnnbench.specs import Form, PluginForm, RunResult, RunSpec
from rnnbench.study import bundled_studies, load_study

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A titled table of words."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str

    @property
    def records(self) -> list[dict[str, str]]:
        """The rows by heading."""
        return [dict(zip(self.headings, row, strict=True)) for row in self.rows]


def list_all(
    root: Path, what: str | None = None, on_problem: Callable[[str], None] = lambda _: None
) -> list[Listing]:
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
    makers: dict[str, Callable[[], Listing]] = {
        "architectures": _architectures,
        "studies": lambda: _studies(root),
        "runs": lambda: _runs(root, on_problem),
    }
    return [make() for name, make in makers.items() if what in (None, name)]


def show_listing(listings: Sequence[Listing]) -> None:
    """Print each listing as a table."""
    console = open_console()
    for listing in listings:
        if not listing.rows:
            console.print(f"{listing.title}: {listing.empty}")
            continue
        table = Table(*listing.headings, title=listing.title, title_justify="left")
        for row in listing.rows:
            table.add_row(*row)
        console.print(table)


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
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({key: csv_text(value) for key, value in record.items()})
    return text.getvalue()


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


def _architectures() -> Listing:
    rows = []
    for name in architecture_names():
        form = make_form(name)
        n_parameters = model_parameters(form)
        count = "counted by Keras" if n_parameters is None else f"{n_parameters:,}"
        rows.append((name, _describe(form), count))
    return Listing(
        title="architectures",
        headings=("name", "recurrent part", "parameters of the model"),
        rows=rows,
        empty="none",
    )


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
    paths = [*bundled_studies().values(), *sorted(root.glob("*.toml"))]
    rows: dict[str, tuple[str, ...]] = {}
    for path in paths:
        try:
            study = load_study(path)
        except StudyError:
            continue  # another program's TOML file
        rows.setdefault(
            study.name,
            (study.name, study.contrast, str(len(study.seeds)), study.description),
        )
    return Listing(
        title="studies (rnnbench run --study NAME)",
        headings=("name", "contrast", "seeds", "about"),
        rows=list(rows.values()),
        empty="none",
    )


def _runs(root: Path, on_problem: Callable[[str], None]) -> Listing:
    rows = []
    for run in read_runs(Ledger(root, writable=False, on_problem=on_problem)):
        spec, result = run.spec, run.result
        status = result.status if result else f"{plural(len(run.entry.history()), 'epoch')} done"
        if run.is_deleted:
            status = "deleted in MLflow"
        score = f"{result.test_accuracy:.4f}" if result and result.test_accuracy else "–"
        rows.append(
            (
                run.study,
                display_name(spec.form),
                str(spec.seed),
                spec.data.dataset,
                status,
                score,
                run.entry.fingerprint,
            )
        )
    rows.sort(key=lambda row: (row[0], row[1], int(row[2])))
    return Listing(
        title="runs in this folder",
        headings=("study", "architecture", "seed", "data", "status", "test accuracy", "run"),
        rows=rows,
        empty="none yet; start with `rnnbench run --all`",
    )
