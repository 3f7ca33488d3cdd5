"""The notes' procedure run again: a page, its epochs as CSV, and a figure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnnbench.analysis.reproduction import EpochComparison, Reproduction, ReproductionReport
from rnnbench.training.notes_procedure import Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["describe_outcome", "draw_reproduction", "write_epochs", "write_page"]

# Okabe and Ito's palette: apart for colour-blind readers too.
PUBLISHED_COLOUR, MEASURED_COLOUR = "#E69F00", "#0072B2"

COLUMNS = (
    "architecture",
    "epoch",
    "published_val_loss",
    "val_loss",
    "published_val_accuracy",
    "val_accuracy",
    "agrees",
)

_CONDITIONS = """\
Three things decide these numbers to the fourth decimal:

1. **One seed for all.** The notes seed once with 42 and make the four models one after the other.
   Keras takes the seeds of initial weights and of dropout from Python's `random` where a layer is
   made, so a model's start depends on which layers were made before it. Training draws nothing
   from there, and the batch order follows from the seed alone: it is the same in every epoch.
2. **Dropout that stays on.** Up to version 3.8, which Colab had in March 2025, Keras leaves
   `dropout` on in evaluation wherever an LSTM or a GRU runs on cuDNN
   ([repaired in 3.9](https://github.com/keras-team/keras/pull/20983)). So what the notes print as
   validation and test scores of `lstm-dropout` and `lstm-stacked` was measured with 30 % of the
   inputs dropped, and it is by these scores that their training stopped. On a CPU, or with a later
   Keras, the same cells give other numbers. This procedure leaves dropout on as cuDNN did.
3. **No XLA where there is dropout.** XLA draws other masks from the same seed. The two models
   without dropout come out the same with XLA, three times faster on a CPU.
"""

_PLAIN = """\
The weights are the same, only scored with and without dropout. 'As the notes' is what they print,
or what the same way of scoring gives here.
"""


def write_page(report: ReproductionReport) -> str:
    """The page as Markdown; `curves.png` and `epochs.csv` lie beside it."""
    lines = [
        f"# {report.source}, run again",
        "",
        "The study notes' own procedure, with their seed, their order of models and Keras's own "
        "`fit`, compared with what they print, epoch by epoch.",
        "",
        f"**{describe_outcome(report)}**",
        "",
        *_table(_HEADINGS, [_cells(model) for model in report.models]),
        "",
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
        report.command,
        "```",
        "",
        _describe_run(report),
    ]
    return "\n".join(lines) + "\n"


def describe_outcome(report: ReproductionReport) -> str:
    """One sentence: what came out exactly, and what did not."""
    exact = [model for model in report.models if model.is_exact]
    other = [model for model in report.models if not model.is_exact]
    parts = []
    if exact:
        counts = ", ".join(f"{model.architecture} ({model.n_epochs} epochs)" for model in exact)
        parts.append(f"exactly, every epoch to the fourth decimal: {counts}")
    if other:
        counts = ", ".join(
            f"{model.architecture} ({model.n_exact} of {model.n_published} epochs agree)"
            for model in other
        )
        parts.append(f"not exactly: {counts}")
    return f"Reproduced {'; '.join(parts)}."


def write_epochs(report: ReproductionReport) -> str:
    """Every epoch as CSV, measured values to six decimals; empty where one side had stopped."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in report.epochs:
        writer.writerow(
            (
                row.architecture,
                row.epoch,
                _decimals(row.published_val_loss, 4),
                _decimals(row.val_loss, 6),
                _decimals(row.published_val_accuracy, 4),
                _decimals(row.val_accuracy, 6),
                str(row.agrees).lower(),
            )
        )
    return text.getvalue()


def draw_reproduction(report: ReproductionReport) -> bytes:
    """PNG bytes: validation loss against the epoch, published and measured, a panel a model."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n_columns = min(len(report.models), 2)
    n_rows = -(-len(report.models) // n_columns)
    figure = Figure(figsize=(4.6 * n_columns, 3.2 * n_rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True).flat
    for model, axes in zip(report.models, panels, strict=False):
        rows = [row for row in report.epochs if row.architecture == model.architecture]
        _draw_panel(axes, model, rows)
    for axes in list(panels)[len(report.models) :]:
        axes.set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


_HEADINGS = (
    "model",
    "epochs, notes",
    "epochs, here",
    "epochs that agree",
    "first that differs",
    "largest difference of val_loss",
    "of val_accuracy",
    "best val_loss, notes",
    "best val_loss, here",
)


def _cells(model: Reproduction) -> tuple[str, ...]:
    first = model.first_difference
    return (
        f"`{model.architecture}`",
        str(model.n_published),
        str(model.n_epochs),
        str(model.n_exact),
        "none" if first is None else f"epoch {first}",
        f"{model.loss_difference:.4f}",
        f"{model.accuracy_difference:.4f}",
        f"{model.published_val_loss:.4f}",
        f"{model.val_loss:.4f}",
    )


def _plain_section(report: ReproductionReport) -> list[str]:
    """What the best models score as it is meant; nothing where that was not measured."""
    rows = [
        (
            f"`{model.architecture}`",
            _decimals(model.val_loss, 4),
            _decimals(model.plain_validation.loss, 4),
            _accuracy(model.published_test),
            _accuracy(model.test),
            _accuracy(model.plain_test),
        )
        for model in report.models
        if model.plain_validation is not None
    ]
    if not rows:
        return []
    headings = (
        "model",
        "best val_loss, as the notes",
        "without dropout",
        "test accuracy, notes",
        "test accuracy, as the notes",
        "without dropout",
    )
    return ["## The same models, scored as it is meant", "", _PLAIN, *_table(headings, rows), ""]


def _describe_run(report: ReproductionReport) -> str:
    about = report.environment
    versions = ", ".join(
        f"{name} {about[f'version.{name}']}" for name in ("keras", "tensorflow", "numpy", "python")
    )
    xla = "the models without dropout with XLA" if report.jit else "without XLA"
    return (
        f"Measured on {about['processor']}, one core, {versions}, {xla}; reviews with content "
        f"fingerprint `{report.reviews[:12]}`."
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] + ["--:"] * (len(headings) - 1), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _accuracy(score: Score | None) -> str:
    return "–" if score is None else f"{score.accuracy:.4f}"


def _decimals(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _draw_panel(axes: Axes, model: Reproduction, rows: Sequence[EpochComparison]) -> None:
    epochs = [row.epoch for row in rows]
    published: list[Any] = [row.published_val_loss for row in rows]  # Any: None makes a gap
    measured: list[Any] = [row.val_loss for row in rows]
    axes.plot(epochs, published, color=PUBLISHED_COLOUR, linewidth=5, alpha=0.6)
    axes.plot(epochs, measured, color=MEASURED_COLOUR, linewidth=1.2)
    _label(axes, "published", PUBLISHED_COLOUR, rows, published, above=True)
    _label(axes, "measured here", MEASURED_COLOUR, rows, measured, above=False)
    axes.set_title(
        f"{model.architecture}: {model.n_exact} of {model.n_published} epochs agree",
        loc="left",
        fontsize=10,
    )
    axes.set(xlabel="epoch", ylabel="validation loss (cross-entropy)")
    axes.label_outer(remove_inner_ticks=False)
    axes.spines[["top", "right"]].set_visible(False)


def _label(
    axes: Axes,
    text: str,
    colour: str,
    rows: Sequence[EpochComparison],
    values: Sequence[float | None],
    *,
    above: bool,
) -> None:
    """Name a curve at a third of its length, where no other panel's text is."""
    known = [(row.epoch, value) for row, value in zip(rows, values, strict=True) if value]
    epoch, value = known[len(known) // 3]
    axes.annotate(
        text,
        (epoch, value),
        xytext=(8, 12) if above else (-4, -18),
        textcoords="offset points",
        color=colour,
        fontsize=9,
    )
