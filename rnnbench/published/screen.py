"""The notes' procedure on the terminal: while it trains, and the table at the end."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.text import Text

from rnnbench.page.screen import Screen
from rnnbench.page.tables import Column, rich_table
from rnnbench.page.texts import duration
from rnnbench.published.reproduction import Reproduction, ReproductionReport
from rnnbench.published.reproduction_page import describe_outcome
from rnnbench.training.notes_procedure import Fitted, Message

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
                architecture, row = message
                text = f"{architecture}: epoch {row.epoch}, val_loss {row.val_loss:.4f}"
                status.update(Text(text))
                if not self.can_redraw and row.epoch % LINE_EVERY_EPOCHS == 0:
                    self.say(text)

            yield observe

    def show_reproduction(self, report: ReproductionReport) -> None:
        """The table at the end."""
        self.console.print()
        title = f"{report.choices.name}, published / measured"
        self.console.print(rich_table(title, _COLUMNS, report.models))
        self.say(describe_outcome(report))


def _describe_fitted(model: Fitted) -> str:
    lowest = min(row.val_loss for row in model.history)
    return (
        f"{model.architecture}: {len(model.history)} epochs, best val_loss {lowest:.4f}, "
        f"{duration(model.fit_seconds)}"
    )


_COLUMNS: Sequence[Column[Reproduction]] = (
    Column("architecture", lambda model: model.architecture, is_number=False, is_whole=True),
    Column("epochs", lambda model: f"{len(model.published.history)} / {len(model.fitted.history)}"),
    Column("that\nagree", lambda model: str(model.n_exact)),
    Column("first\nthat differs", lambda model: str(model.first_difference or "–")),
    Column("largest\ndifference: val_loss", lambda model: f"{model.loss_difference:.4f}"),
    Column("val_accuracy", lambda model: f"{model.accuracy_difference:.4f}"),
    Column("best\nval_loss", lambda model: _pair(model.published.val_loss, model.best.val_loss)),
    Column("test\naccuracy", lambda model: _tested(model)),
)


def _tested(model: Reproduction) -> str:
    score = model.score("test", dropout=True)
    if model.published.test_accuracy is None or score is None:
        return "–"
    return _pair(model.published.test_accuracy, score.accuracy)


def _pair(published: float, measured: float) -> str:
    return f"{published:.4f} / {measured:.4f}"
