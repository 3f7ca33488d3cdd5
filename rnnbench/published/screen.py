"""The notes' procedure on the terminal: while it trains, and the table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from rnnbench.page.screen import Screen
from rnnbench.page.texts import duration
from rnnbench.published.reproduction import Reproduction, ReproductionReport
from rnnbench.published.reproduction_page import describe_outcome
from rnnbench.training.notes_procedure import Fitted, Message

__all__ = ["ReproductionScreen"]

LINE_EVERY_EPOCHS = 10  # where there is no terminal to draw on


class ReproductionScreen(Screen):
    """A screen that also shows `rnnbench reproduce`."""

    @contextmanager
    def watch_models(
        self, models: Sequence[str], epochs: int
    ) -> Iterator[Callable[[Message], None]]:
        """Show the training while the block runs; what it gives is called with every message."""
        self.say(f"training {', '.join(models)}, at most {epochs} epochs each, one after the other")
        with self.console.status("the worker is starting") as status:

            def observe(message: Message) -> None:
                if isinstance(message, Fitted):
                    self.say(_describe_fitted(message))
                    return
                row = message.row
                text = f"{message.architecture}: epoch {row.epoch}, val_loss {row.val_loss:.4f}"
                status.update(Text(text))
                if not self.can_redraw and row.epoch % LINE_EVERY_EPOCHS == 0:
                    self.say(text)

            yield observe

    def show_reproduction(self, report: ReproductionReport) -> None:
        """The table at the end."""
        self.console.print()
        self.console.print(_reproduction_table(report))
        self.say(describe_outcome(report))


def _describe_fitted(model: Fitted) -> str:
    lowest = min(row.val_loss for row in model.history)
    return (
        f"{model.architecture}: {len(model.history)} epochs, best val_loss {lowest:.4f}, "
        f"{duration(model.fit_seconds)}"
    )


def _reproduction_table(report: ReproductionReport) -> Table:
    table = Table(
        title=f"{report.source}, published / measured",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("architecture", no_wrap=True)
    for heading in (
        "epochs",
        "that agree",
        "first that differs",
        "largest difference: val_loss",
        "val_accuracy",
        "best val_loss",
        "test accuracy",
    ):
        table.add_column(Text(heading.replace(" ", "\n", 1)), justify="right")
    for model in report.models:
        table.add_row(*_cells(model))
    return table


def _cells(model: Reproduction) -> tuple[str, ...]:
    test = "–"
    if model.published_test is not None and model.test is not None:
        test = f"{model.published_test.accuracy:.4f} / {model.test.accuracy:.4f}"
    return (
        model.architecture,
        f"{model.n_published} / {model.n_epochs}",
        str(model.n_exact),
        "–" if model.first_difference is None else str(model.first_difference),
        f"{model.loss_difference:.4f}",
        f"{model.accuracy_difference:.4f}",
        f"{model.published_val_loss:.4f} / {model.val_loss:.4f}",
        test,
    )
