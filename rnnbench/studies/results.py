"""What `rnnbench run` found: the table and what it decides; in Python also as data frames."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rnnbench.data.text_summaries import summaries_at_hand
from rnnbench.ledger import Ledger
from rnnbench.metrics import METRICS, USUAL_METRIC
from rnnbench.page.consoles import PIPE_WIDTH, PlainConsole
from rnnbench.page.notebooks import html_lines, html_table
from rnnbench.page.screen import Screen
from rnnbench.page.tables import Column, rich_table
from rnnbench.page.texts import NONE, count, mean_with_sd, number, of_fewer
from rnnbench.published.notes import SOURCE, NotesRun
from rnnbench.recorded_runs import RecordedRun
from rnnbench.reports.report import report_study
from rnnbench.studies.frames import frame_curves, frame_predictions, frame_results
from rnnbench.studies.plan import Plan
from rnnbench.studies.summary import Row

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Results:
    """The runs of a study as they stand: a table in a notebook, and as text where it is printed.

    Args:
        study: its name.
        title: of the table: the study and its data.
        notice: what must stand beside every number; None where nothing must.
        metric: what the runs are compared by.
        folder: of the project.
        runs: those of the study, but for such as were deleted in MLflow.
        rows: of the table: one for each configuration, then those of the baselines.
        sentences: what the runs decide, or why they decide nothing, and what to do next.
        interrupted: whether somebody broke the command off.
    """

    study: str
    title: str
    notice: str | None
    metric: str
    folder: Path
    runs: tuple[RecordedRun, ...]
    rows: tuple[Row, ...]
    sentences: tuple[str, ...]
    interrupted: bool = False

    @property
    def n_failed(self) -> int:
        """Runs that failed, which the same command tries again."""
        return sum(run.result is not None and run.result.status == "failed" for run in self.runs)

    @property
    def frame(self) -> pandas.DataFrame:
        """A row for each run that is over, with the columns of `rnnbench.load_results`."""
        return frame_results(self.runs)

    @property
    def curves(self) -> pandas.DataFrame:
        """A row for each run and epoch, also of runs that are not over.

        Columns: architecture, seed, fingerprint (of the run, as in `frame`), epoch (from 1), loss
        and accuracy (running means over the epoch's batches, with dropout), val_loss (nats),
        val_accuracy (0 to 1), epoch_seconds.
        """
        return frame_curves(self.runs)

    @property
    def predictions(self) -> pandas.DataFrame:
        """A row for each finished run and test text: what the run's best model said of it.

        Columns: architecture, seed, fingerprint (of the run, as in `frame`), text_number (from 0,
        in the order of the test part), truth and predicted (names of classes), probability (of
        `predicted`, 0 to 1), text (its words as the network sees them; None where it, or they, are
        not known here).

        Raises:
            rnnbench.errors.DataError: nothing here tells the labels of the texts.
        """
        ledger = Ledger(self.folder, writable=False)
        with summaries_at_hand(ledger.summaries(run.spec.data.fingerprint for run in self.runs)):
            return frame_predictions(self.runs)

    def report(self, out: str | Path | None = None) -> Path:
        """Write the study's report; the page's path.

        Args:
            out: the folder for the page; None takes `reports/<study>`.
        """
        return report_study(
            self.study, Screen(), self.folder, out=None if out is None else Path(out)
        )

    def __str__(self) -> str:
        """The notice, the table and what it decides."""
        written = io.StringIO()
        console = PlainConsole(file=written, width=PIPE_WIDTH, force_terminal=False)
        Screen(console=console).show_notice(self.notice)
        print_results(self, console)
        return written.getvalue().rstrip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same for a notebook; IPython asks for it by this name."""
        parts = [html_lines([self.notice]) if self.notice else ""]
        parts.append(html_table(self.title, list(self._columns()), self.rows))
        if graded := self._graded:
            parts.append(html_table("As grades", list(grade_columns(graded)), graded))
        return "".join([*parts, html_lines(self.sentences)])

    @property
    def _graded(self) -> tuple[Row, ...]:
        """Rows of networks on grades, and of baselines beside them; none without networks."""
        graded = tuple(row for row in self.rows if not math.isnan(row.test_absolute_error.mean))
        return () if all(row.is_baseline for row in graded) else graded

    def _columns(self) -> Iterator[Column[Row]]:
        yield from _name_columns(self.rows)
        yield Column("n", _n_runs)
        yield Column("parameters", lambda row: count(row.n_parameters))
        if self.metric != USUAL_METRIC:
            title = METRICS[self.metric].replace(" ", "\n")
            yield Column(title, lambda row: mean_with_sd(row.score(self.metric), 4))
        yield Column("test\naccuracy", lambda row: mean_with_sd(row.test_accuracy, 4))
        yield Column("best\nval_loss", lambda row: mean_with_sd(row.val_loss, 4))
        yield Column("best\nepoch", lambda row: mean_with_sd(row.best_epoch, 0))
        yield Column("s/epoch", lambda row: mean_with_sd(row.epoch_seconds, 2))
        if any(row.published for row in self.rows):
            yield Column(f"{SOURCE}:\nval_loss", lambda row: _of_notes(row.published, "val_loss"))
            yield Column(f"{SOURCE}:\ntest", lambda row: _of_notes(row.published, "test_accuracy"))


def _name_columns(rows: Sequence[Row]) -> Iterator[Column[Row]]:
    yield Column("architecture", lambda row: row.architecture, is_number=False, is_whole=True)
    for name in dict.fromkeys(name for row in rows for name in row.varied):
        yield Column(name.replace("_", "\n"), partial(_varied, name))


def _varied(name: str, row: Row) -> str:
    return row.varied.get(name, "")


def print_results(results: Results, console: PlainConsole) -> None:
    """Print the table and what it decides, but for the notice."""
    console.print(rich_table(results.title, list(results._columns()), results.rows))
    if graded := results._graded:
        console.print(rich_table("As grades", list(grade_columns(graded)), graded))
    for line in results.sentences:
        console.print(line, soft_wrap=True)


def title_of(plan: Plan) -> str:
    """Of the table: the study and its data."""
    caution = " · SYNTHETIC REVIEWS" if plan.dataset.notice else ""
    return f"{plan.study.name} on {plan.dataset.name}{caution}"


def grade_columns(rows: Sequence[Row]) -> Iterator[Column[Row]]:
    """Of the table 'As grades'."""
    yield from _name_columns(rows)
    yield Column("mean absolute error", lambda row: mean_with_sd(row.test_absolute_error, 2))
    yield Column(
        "quadratic kappa",
        lambda row: (
            mean_with_sd(row.test_quadratic_kappa, 2) + of_fewer(row.test_quadratic_kappa.n, row.n)
        ),
    )


def _of_notes(notes: NotesRun | None, name: Literal["val_loss", "test_accuracy"]) -> str:
    return NONE if notes is None else number(getattr(notes, name), 4)


def _n_runs(row: Row) -> str:
    if row.is_baseline:
        return NONE
    counts = {
        "did not learn": row.n_unlearned,
        "failed": row.n_failed,
        "diverged": row.n_diverged,
        "missing": row.n_missing,
    }
    others = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    return f"{row.n} ({others})" if others else f"{row.n}"
