"""Loss curves of single runs."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rnnbench.specs import EpochRow

__all__ = ["draw_loss_curve"]

# Okabe and Ito's palette: apart for colour-blind readers too.
TRAINING_COLOUR, VALIDATION_COLOUR = "#0072B2", "#D55E00"


def draw_loss_curve(history: Sequence[EpochRow], title: str) -> bytes:
    """PNG bytes: training and validation loss against the epoch, the best epoch marked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), dpi=110)
    FigureCanvasAgg(figure)
    # Every run has a curve: a layout that fits itself would draw each twice.
    axes = figure.add_axes((0.12, 0.13, 0.86, 0.79))
    epochs = [row.epoch for row in history]
    for name, colour, label in (
        ("loss", TRAINING_COLOUR, "training (running average)"),
        ("val_loss", VALIDATION_COLOUR, "validation"),
    ):
        values = [getattr(row, name) for row in history]
        axes.plot(epochs, values, color=colour, label=label, marker="." if len(epochs) < 3 else "")
    best = min(history, key=lambda row: row.val_loss)
    label = f"best: {best.val_loss:.4f} in epoch {best.epoch}"
    axes.plot(best.epoch, best.val_loss, "o", color=VALIDATION_COLOUR, label=label)
    axes.set(title=title, xlabel="epoch", ylabel="cross-entropy")
    axes.margins(y=0.12)
    axes.legend(frameon=False, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
