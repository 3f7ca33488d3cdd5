"""The notes' procedure run again: a page, its epochs as CSV, and a figure."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnbench.errors import StoreError
from rnnbench.formats import why_failed
from rnnbench.page.csv_files import write_lines
from rnnbench.page.tables import Column
from rnnbench.published.notes import REVIEWS
from rnnbench.published.reproduction import DIGITS, Reproduction, ReproductionReport
from rnnbench.training.notes_procedure import Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette: apart for colour-blind readers too.
PUBLISHED_COLOUR, MEASURED_COLOUR, PLAIN_COLOUR = "#E69F00", "#0072B2", "#B2477F"
TEXT_COLOUR = "#9A6700"  # the published colour, dark enough to be read

_CONDITIONS = """\
Three things decide these numbers to the fourth decimal:

1. **One seed for all.** The notes do not show the cell, but they seed once with 42 and make the
   four models one after the other. Keras takes the seeds of initial weights and of dropout from
   Python's `random` where a layer is made, so a model's start depends on which layers were made
   before it. Training draws nothing from there, and the batch order follows from the seed alone: it
   is the same in every epoch.
2. **Dropout that stays on.** Keras 3.8 leaves `dropout` on in evaluation wherever an LSTM or a GRU
   runs on cuDNN ([repaired in 3.9](https://github.com/keras-team/keras/pull/20983)). So what the
   notes print as validation and test scores of `lstm-dropout` and `lstm-stacked` was measured with
   30 % of the inputs dropped, and it is by these scores that their training stopped. The notes do
   not name their version; that their scores come out like this, and not without, does. This
   procedure leaves dropout on as cuDNN did.
3. **No XLA where there is dropout.** XLA draws other masks from the same seed. The two models
   without dropout come out the same with XLA, three times faster on a CPU.
"""

_PLAIN = """\
The same weights, scored as in the notes (with dropout left on, where there is dropout) and without
dropout. Which epoch is the best was decided by the notes' scores in both cases.
"""


def write_reproduction(report: ReproductionReport, folder: Path) -> None:
    """Write the page, its epochs and its figure: `index.md`, `epochs.csv`, `curves.png`.

    Raises:
        StoreError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.md").write_text(write_page(report), "utf-8")
        (folder / "epochs.csv").write_text(write_epochs(report), "utf-8")
        (folder / "curves.png").write_bytes(draw_reproduction(report))
    except OSError as err:
        raise StoreError(f"cannot write to {folder}: {why_failed(err)}") from err


def write_page(report: ReproductionReport) -> str:
    """The page as Markdown; `curves.png` and `epochs.csv` lie beside it."""
    lines = [
        f"# {report.choices.name}, run again",
        "",
        "The study notes' own procedure, with their seed, their order of models and Keras's own "
        "`fit`, compared with what they print, epoch by epoch.",
        "",
        f"**{describe_outcome(report)}**",
        "",
        *_table(_EPOCHS, report.models),
        "",
        *_describe_tests(report),
        "An epoch agrees when validation loss and accuracy both print as in the notes, to the "
        "fourth decimal; the largest differences are between printed values. The notes' training "
        "columns are running averages of the progress bar and do not compare. Every epoch is a "
        "line of [epochs.csv](epochs.csv).",
        "",
        "![Validation loss against the epoch, published and measured, for each model](curves.png)",
        "",
        "## What it takes",
        "",
        _CONDITIONS,
        *_plain_section(report),
        "## How it was run",
        "",
        "```sh",
        report.choices.command,
        "```",
        "",
        _describe_run(report),
    ]
    return "\n".join(lines) + "\n"


def describe_outcome(report: ReproductionReport) -> str:
    """One sentence: what came out exactly, and what did not."""
    exact = ", ".join(
        f"{model.architecture} ({len(model.epochs)} epochs)"
        for model in report.models
        if model.is_exact
    )
    other = ", ".join(
        f"{model.architecture} ({_agreement(model)})"
        for model in report.models
        if not model.is_exact
    )
    if not exact:
        return f"Not reproduced exactly: {other}."
    sentence = f"Reproduced exactly, every epoch to the fourth decimal: {exact}"
    return f"{sentence}; not exactly: {other}." if other else f"{sentence}."


def write_epochs(report: ReproductionReport) -> str:
    """Every epoch as CSV, measured values to six decimals; empty where one side had stopped."""
    columns = ("published_val_loss", "val_loss", "published_val_accuracy", "val_accuracy")
    lines = []
    for model in report.models:
        for row in model.epochs:
            theirs = [f"{value:.4f}" for value in row.published or ()] or ["", ""]
            ours = [f"{value:.6f}" for value in row.measured or ()] or ["", ""]
            values = (theirs[0], ours[0], theirs[1], ours[1])
            lines.append((model.architecture, row.epoch, *values, str(row.agrees).lower()))
    return write_lines(("architecture", "epoch", *columns, "agrees"), lines)


def draw_reproduction(report: ReproductionReport) -> bytes:
    """PNG bytes: validation loss against the epoch, published and measured, a panel a model."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n_columns = min(len(report.models), 2)
    n_rows = -(-len(report.models) // n_columns)
    figure = Figure(figsize=(4.6 * n_columns, 3.2 * n_rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True)
    for model, axes in zip(report.models, panels.flat, strict=False):
        _draw_panel(axes, model)
    for axes in panels.flat[len(report.models) :]:
        axes.set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


_EPOCHS: Sequence[Column[Reproduction]] = (
    Column("model", lambda model: f"`{model.architecture}`"),
    Column("epochs, notes", lambda model: str(len(model.published.history))),
    Column("epochs, here", lambda model: str(len(model.fitted.history))),
    Column("epochs that agree", lambda model: str(model.n_exact)),
    Column("first that differs", lambda m: f"epoch {n}" if (n := m.first_difference) else "none"),
    Column("largest difference of val_loss", lambda model: f"{model.loss_difference:.4f}"),
    Column("of val_accuracy", lambda model: f"{model.accuracy_difference:.4f}"),
    Column("best val_loss, notes", lambda model: f"{model.published.val_loss:.4f}"),
    Column("best val_loss, here", lambda model: f"{model.best.val_loss:.4f}"),
)

_SCORES: Sequence[Column[Reproduction]] = (
    Column("model", lambda model: f"`{model.architecture}`"),
    Column("best val_loss, as the notes", lambda model: f"{model.best.val_loss:.4f}"),
    Column("without dropout", lambda model: _loss(model.score("validation", dropout=False))),
    Column(
        "test accuracy, as the notes", lambda model: _accuracy(model.score("test", dropout=True))
    ),
    Column("without dropout", lambda model: _accuracy(model.score("test", dropout=False))),
)


def _table(columns: Sequence[Column[Reproduction]], models: Sequence[Reproduction]) -> list[str]:
    headings = [column.title for column in columns]
    rows = [[column.write(model) for column in columns] for model in models]
    lines = [headings, ["---"] + ["--:"] * (len(headings) - 1), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _loss(score: Score | None) -> str:
    return "–" if score is None else f"{score.loss:.4f}"


def _accuracy(score: Score | None) -> str:
    return "–" if score is None else f"{score.accuracy:.4f}"


def _describe_tests(report: ReproductionReport) -> list[str]:
    """A line for each model that the notes score on the test half."""
    lines = []
    for model in report.models:
        theirs, ours = model.published, model.score("test", dropout=True)
        if theirs.test_loss is not None and theirs.test_accuracy is not None and ours is not None:
            lines += [
                f"`{model.architecture}` on the test half: loss {theirs.test_loss:.4f}, "
                f"accuracy {theirs.test_accuracy:.4f} in the notes; "
                f"loss {ours.loss:.4f}, accuracy {ours.accuracy:.4f} here.",
                "",
            ]
    return lines


def _plain_section(report: ReproductionReport) -> list[str]:
    """What the best models score as it is meant; nothing where that was not measured."""
    scored = [model for model in report.models if model.score("validation", dropout=False)]
    if not scored:
        return []
    return ["## The same models, scored as it is meant", "", _PLAIN, *_table(_SCORES, scored), ""]


def _describe_run(report: ReproductionReport) -> str:
    about = report.environment
    versions = ", ".join(
        f"{name} {about[f'version.{name}']}" for name in ("keras", "tensorflow", "numpy", "python")
    )
    xla = "the models without dropout with XLA" if report.choices.jit else "without XLA"
    return (
        f"Measured on {about['processor']}, one core, {versions}, {xla}; reviews with content "
        f"fingerprint `{REVIEWS[:12]}`."
    )


def _agreement(model: Reproduction) -> str:
    return f"{model.n_exact} of {len(model.published.history)} epochs agree"


def _draw_panel(axes: Axes, model: Reproduction) -> None:
    rows = model.epochs
    epochs = [row.epoch for row in rows]
    published: list[Any] = [row.published and row.published[0] for row in rows]  # Any: or a gap
    measured: list[Any] = [row.measured and row.measured[0] for row in rows]
    axes.plot(epochs, published, color=PUBLISHED_COLOUR, linewidth=5, alpha=0.6)
    axes.plot(epochs, measured, color=MEASURED_COLOUR, linewidth=1.2)
    # The curves fall from the upper left, and mostly coincide: their names stand where none is.
    for height, text, colour in (
        (0.92, "published (wide)", TEXT_COLOUR),
        (0.82, "measured here (thin)", MEASURED_COLOUR),
    ):
        axes.text(
            0.97, height, text, color=colour, fontsize=9, ha="right", transform=axes.transAxes
        )
    _mark_plain_score(axes, model)
    axes.set_title(f"{model.architecture}: {_agreement(model)}", loc="left", fontsize=10)
    axes.set(xlabel="epoch", ylabel="validation loss (cross-entropy)")
    axes.margins(y=0.12)
    axes.spines[["top", "right"]].set_visible(False)


def _mark_plain_score(axes: Axes, model: Reproduction) -> None:
    """A dot where the best model lies without dropout, if that changes the printed loss."""
    plain, best = model.score("validation", dropout=False), model.best
    if plain is None or round(plain.loss, DIGITS) == round(best.val_loss, DIGITS):
        return
    at = (best.epoch, plain.loss)
    axes.plot(*at, "o", color=PLAIN_COLOUR)
    axes.annotate(
        f"the best one without dropout: {plain.loss:.4f}",
        at,
        xytext=(0, -14),
        textcoords="offset points",
        horizontalalignment="right",
        color=PLAIN_COLOUR,
        fontsize=9,
    )
