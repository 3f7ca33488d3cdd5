"""What `rnnbench run` and `rnnbench plan` show."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Literal

from rich.live import Live

from rnnbench.metrics import METRICS, USUAL_METRIC
from rnnbench.output.amounts import plural, size
from rnnbench.page.consoles import open_console
from rnnbench.page.screen import Screen
from rnnbench.page.tables import Column, rich_table
from rnnbench.page.texts import NONE, count, duration, mean_with_sd, number, of_fewer
from rnnbench.published.notes import SOURCE, NotesRun
from rnnbench.specs import Recipe
from rnnbench.studies.forecast import Budget, Forecast, Power
from rnnbench.studies.plan import Plan
from rnnbench.studies.progress import LiveBoard, PlainBoard, StudyProgress
from rnnbench.studies.summary import Row
from rnnbench.study import Study


class RunScreen(Screen):
    """Shows what is to be run, how it goes, and the table at the end."""

    def show_plan(self, plan: Plan) -> None:
        """What is about to be run."""
        self.show_notice(plan.dataset.notice)
        study, placement = plan.study, plan.workers.placement
        self.say(f"study     {study.name}: {study.description or 'your choices'}")
        self.show_dataset(plan.dataset)
        self.say(f"back end  {placement.backend} on {placement.device}: {placement.reason}")
        engine = plan.workers.engine
        lanes = f", {plural(engine.n_lanes, 'lane')}" if engine.engine == "fleet" else ""
        self.say(f"engine    {engine.engine}{lanes}: {engine.reason}")
        done = f", {plan.n_done} done already" if plan.n_done else ""
        resumed = f", {plan.n_resumed} to go on with" if plan.n_resumed else ""
        self.say(f"runs      {plural(len(plan.specs), 'run')}{done}{resumed}")
        if plan.tasks:
            self.show_work(plan)
        else:
            self.say("work      nothing left to do")

    def show_work(self, plan: Plan) -> None:
        """How many workers, and how long they will take."""
        workers = plural(plan.n_workers, "worker")
        guess = ", if they stop as early as the textbook study on IMDB" if plan.is_guess else ""
        lanes = "; side by side in lanes they take less" if plan.workers.engine.n_lanes > 1 else ""
        self.say(f"work      {workers}, about {duration(plan.expected_seconds)}{guess}{lanes}")

    @contextmanager
    def watch(self, plan: Plan) -> Iterator[StudyProgress]:
        """Show the study while the block runs: as a table, or line by line."""
        if not self.can_redraw:
            yield PlainBoard(plan, self.console)
            return
        board = LiveBoard(plan)
        with Live(board, console=self.console, refresh_per_second=2, transient=True):
            yield board

    def show_summary(self, rows: Sequence[Row], plan: Plan, advice: str) -> None:
        """The table at the end, and what is to be said of it."""
        self.console.print()
        self.show_notice(plan.dataset.notice)
        caution = " · SYNTHETIC REVIEWS" if plan.dataset.notice else ""
        title = f"{plan.study.name} on {plan.dataset.name}{caution}"
        self.console.print(rich_table(title, list(_summary_columns(rows, plan.study)), rows))
        graded = [row for row in rows if not math.isnan(row.test_absolute_error.mean)]
        if not all(row.is_baseline for row in graded):
            self.console.print(rich_table("As grades", list(_grade_columns(graded)), graded))
        for line in advice.splitlines():
            self.say(line)
        if any(row.published for row in rows):
            self.say(
                f"{SOURCE}: one run of the study notes, each batch order frozen; "
                "they score the stacked model on the test half only."
            )
        self.say("Browse the runs: rnnbench ui (or mlflow ui)")


class ForecastScreen(RunScreen):
    """Prints the plan, then the forecast.

    Args:
        quiet: leave standard output to the JSON; warnings go to standard error.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(console=open_console(quiet=True) if quiet else None)

    def show_work(self, plan: Plan) -> None:
        """How many workers; the time comes with the forecast."""
        self.say(f"work      {plural(plan.n_workers, 'worker')}")

    def show_forecast(self, plan: Plan, found: Forecast) -> None:
        """What the plan will take and decide."""
        self.say(f"time      about {duration(found.wall_seconds)}, from a calibration just now")
        epochs = ", ".join(
            f"{name} {least}" if least == most else f"{name} {least} to {most}"
            for name, (least, most) in found.epochs.items()
        )
        self.say(f"epochs    {_basis(plan, found)}: {epochs}")
        self.say(f"disk      about {size(found.disk_bytes)}")
        self.say(f"decides   {describe_power(found.verdict)}")

    def show_budget(self, budget: Budget, seconds: float, command: str) -> None:
        """What fits into the time."""
        if budget.verdict is None:
            self.warn(
                f"{duration(seconds)} are not enough for one seed of {budget.epochs} epochs, which "
                f"takes about {duration(budget.wall_seconds)}; name fewer architectures"
            )
            return
        self.say(
            f"budget    {duration(seconds)} hold {plural(budget.verdict.n_seeds, 'seed')} of at "
            f"most {plural(budget.epochs, 'epoch')}: about {duration(budget.wall_seconds)}"
        )
        self.say(f"decides   {describe_power(budget.verdict)}")
        self.say(f"To run them: {command}")


def _name_columns(rows: Sequence[Row]) -> Iterator[Column[Row]]:
    yield Column("architecture", lambda row: row.architecture, is_number=False, is_whole=True)
    for name in dict.fromkeys(name for row in rows for name in row.varied):
        yield Column(name.replace("_", "\n"), partial(_varied, name))


def _varied(name: str, row: Row) -> str:
    return row.varied.get(name, "")


def _grade_columns(rows: Sequence[Row]) -> Iterator[Column[Row]]:
    yield from _name_columns(rows)
    yield Column("mean absolute error", lambda row: mean_with_sd(row.test_absolute_error, 2))
    yield Column(
        "quadratic kappa",
        lambda row: (
            mean_with_sd(row.test_quadratic_kappa, 2) + of_fewer(row.test_quadratic_kappa.n, row.n)
        ),
    )


def _summary_columns(rows: Sequence[Row], study: Study) -> Iterator[Column[Row]]:
    yield from _name_columns(rows)
    yield Column("n", _n_runs)
    yield Column("parameters", lambda row: count(row.n_parameters))
    if study.metric != USUAL_METRIC:
        title = METRICS[study.metric].replace(" ", "\n")
        yield Column(title, lambda row: mean_with_sd(row.score(study.metric), 4))
    yield Column("test\naccuracy", lambda row: mean_with_sd(row.test_accuracy, 4))
    yield Column("best\nval_loss", lambda row: mean_with_sd(row.val_loss, 4))
    yield Column("best\nepoch", lambda row: mean_with_sd(row.best_epoch, 0))
    yield Column("s/epoch", lambda row: mean_with_sd(row.epoch_seconds, 2))
    if any(row.published for row in rows):
        yield Column(f"{SOURCE}:\nval_loss", lambda row: _of_notes(row.published, "val_loss"))
        yield Column(f"{SOURCE}:\ntest", lambda row: _of_notes(row.published, "test_accuracy"))


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


def _basis(plan: Plan, found: Forecast) -> str:
    """Where the number of epochs is taken from."""
    imdb = "the textbook study on IMDB"
    if {spec.recipe.learning_rate for spec in plan.specs} != {Recipe().learning_rate}:
        imdb = "the textbook and the tuned study on IMDB, a guess"
    texts = {"runs": "runs here", "pilot": "one run of each just now", "imdb": imdb}
    limit = max(spec.recipe.epochs for spec in plan.specs)
    is_reached = any(most >= limit for _, most in found.epochs.values())
    end = "the early stop or the epoch limit" if is_reached else "the early stop"
    return f"until {end}, as in {' and '.join(texts[s] for s in found.epochs_from)}"


def describe_power(verdict: Power) -> str:
    """What the seeds can tell, in one sentence."""
    seeds = plural(verdict.n_seeds, "seed")
    if not verdict.n_pairs:
        return f"{seeds}, and nothing to compare them with"
    pairs = plural(verdict.n_pairs, "pair")
    if verdict.limit or verdict.detectable is None:
        return verdict.limit or f"{seeds} cannot show one of {pairs} to be better"
    return (
        f"{seeds} find a true difference of {100 * verdict.detectable:.2f} points of "
        f"{METRICS[verdict.metric]} in about four studies of five ({pairs}), if seeds differ as in "
        f"{verdict.basis}; smaller ones mostly stay undetermined"
    )
