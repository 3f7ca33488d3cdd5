"""What `rnnbench run` shows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from rnnbench.output.amounts import plural
from rnnbench.page.screen import Screen
from rnnbench.page.texts import duration, mean_with_sd
from rnnbench.published.notes import SOURCE
from rnnbench.studies.plan import Plan
from rnnbench.studies.progress import Board, live_board, plain_board
from rnnbench.studies.summary import Row

__all__ = ["RunScreen"]


class RunScreen(Screen):
    """Shows what is to be run, how it goes, and the table at the end."""

    def show_plan(self, plan: Plan) -> None:
        """What is about to be run."""
        self.show_notice(plan.dataset.notice)
        study, placement, data = plan.study, plan.placement, plan.dataset
        self.say(f"study     {study.name}: {study.description or 'your choices'}")
        self.say(f"data      {data.name} ({data.origin}), content {data.fingerprint[:12]}")
        for note in data.notes:
            self.say(f"          {note}")
        self.say(f"back end  {placement.backend} on {placement.device}: {placement.reason}")
        engine = plan.engine
        lanes = f", {plural(engine.n_lanes, 'lane')}" if engine.engine == "fleet" else ""
        self.say(f"engine    {engine.engine}{lanes}: {engine.reason}")
        done = f", {plan.n_done} done already" if plan.n_done else ""
        resumed = f", {plan.n_resumed} to go on with" if plan.n_resumed else ""
        self.say(f"runs      {plural(len(plan.specs), 'run')}{done}{resumed}")
        if plan.tasks:
            self.say_work(plan)
        else:
            self.say("work      nothing left to do")

    def say_work(self, plan: Plan) -> None:
        """How many workers, and how long they will take."""
        workers = plural(plan.n_workers, "worker")
        guess = ", if they stop as early as the textbook study on IMDB" if plan.is_guess else ""
        self.say(f"work      {workers}, about {duration(plan.expected_seconds)}{guess}")

    def watch(self, plan: Plan) -> AbstractContextManager[Board]:
        """Show the study while the block runs."""
        if self.can_redraw:
            return live_board(plan, self.console)
        return plain_board(plan, self.console)

    def show_summary(self, rows: Sequence[Row], plan: Plan, advice: str) -> None:
        """The table at the end."""
        self.console.print()
        self.show_notice(plan.dataset.notice)
        self.console.print(_summary_table(rows, plan))
        for line in advice.splitlines():
            self.say(line)
        if any(row.published for row in rows):
            self.say(
                f"{SOURCE}: one run of the study notes, each batch order frozen; "
                "they score the stacked model on the test half only."
            )
        self.say("Browse the runs: rnnbench ui (or mlflow ui)")


def _summary_table(rows: Sequence[Row], plan: Plan) -> Table:
    caution = " · SYNTHETIC REVIEWS" if plan.dataset.notice else ""
    table = Table(
        title=f"{plan.study.name} on {plan.dataset.name}{caution}",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("architecture", no_wrap=True)
    if any(row.varied for row in rows):
        table.add_column("with")
    headings = ["n", "parameters", "test accuracy", "best val_loss", "best epoch", "s/epoch"]
    if any(row.published for row in rows):
        headings += [f"{SOURCE}: val_loss", f"{SOURCE}: test"]
    for heading in headings:
        table.add_column(Text(heading.replace(" ", "\n")), justify="right")
    for row in rows:
        varied = [row.varied] if any(row.varied for row in rows) else []
        table.add_row(row.architecture, *varied, *_cells(row)[: len(headings)])
    return table


def _cells(row: Row) -> list[str]:
    others = [
        f"{n} {word}"
        for n, word in (
            (row.n_failed, "failed"),
            (row.n_diverged, "diverged"),
            (row.n_missing, "missing"),
        )
        if n
    ]
    notes = row.published
    return [
        f"{row.n}" + (f" ({', '.join(others)})" if others else ""),
        "–" if row.n_parameters is None else f"{row.n_parameters:,}",
        mean_with_sd(row.test_accuracy, 4),
        mean_with_sd(row.val_loss, 4),
        mean_with_sd(row.best_epoch, 0),
        mean_with_sd(row.epoch_seconds, 2),
        "–" if notes is None else f"{notes.val_loss:.4f}",
        "–" if notes is None or notes.test_accuracy is None else f"{notes.test_accuracy:.4f}",
    ]
