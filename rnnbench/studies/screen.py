"""What `rnnbench run` and `rnnbench plan` show."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from rich.live import Live

from rnnbench.datasets import DatasetRef
from rnnbench.metrics import METRICS
from rnnbench.output.amounts import plural, size
from rnnbench.page.consoles import PlainConsole, is_in_kernel, open_console
from rnnbench.page.screen import Screen
from rnnbench.page.texts import duration
from rnnbench.specs import SPLIT_KEYS, Recipe
from rnnbench.studies.forecast import Budget, Forecast, Power
from rnnbench.studies.plan import Plan
from rnnbench.studies.progress import LiveBoard, NotebookBoard, PlainBoard, StudyProgress
from rnnbench.studies.results import Results, print_results

_NOT_SHOWN = ("dataset", "fingerprint", "backend", "engine", "race", *SPLIT_KEYS)


class RunScreen(Screen):
    """Shows what is to be run, how it goes, and the table at the end.

    Args:
        shows_results: False where whoever called is handed the table, and shows that.
    """

    def __init__(self, *, console: PlainConsole | None = None, shows_results: bool = True) -> None:
        super().__init__(console=console)
        self._shows_results = shows_results

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
        if is_in_kernel() and plan.tasks:
            cell_board = NotebookBoard(plan)
            try:
                yield cell_board
            finally:
                cell_board.end()
            return
        if not self.can_redraw:
            yield PlainBoard(plan, self.console)
            return
        board = LiveBoard(plan)
        with Live(board, console=self.console, refresh_per_second=2, transient=True):
            yield board

    def show_results(self, results: Results) -> None:
        """The table at the end, and what is to be said of it, unless the caller's value is that."""
        if not self._shows_results:
            return
        self.console.print()
        self.show_notice(results.notice)
        print_results(results, self.console)
        self.say("Browse the runs: rnnbench ui (or mlflow ui)")


class PreviewScreen(RunScreen):
    """Prints the plan as it is known before anything is started."""

    def show_dataset(self, dataset: DatasetRef, *, with_sizes: bool = True) -> None:
        """What is learnt from, or that it is yet to be read."""
        if dataset.fingerprint:
            super().show_dataset(dataset, with_sizes=with_sizes)
        else:
            self.say(f"data      {dataset.name}, {dataset.origin}")

    def show_work(self, plan: Plan) -> None:
        """How many workers; how long they take only where runs here tell it."""
        workers = plural(plan.n_workers, "worker")
        if plan.is_timed:
            time = f", about {duration(plan.expected_seconds)}, as long as such runs took here"
        else:
            time = "; `rnnbench plan` with the same options measures how long they take"
        self.say(f"work      {workers}{time}")

    def show_settings(self, plan: Plan, open_: Collection[str]) -> None:
        """The seeds, the values that all runs share, and what is yet to be chosen."""
        seeds = plan.study.seeds
        is_range = len(seeds) > 2 and seeds == tuple(range(seeds[0], seeds[-1] + 1))
        self.say(
            f"seeds     {f'{seeds[0]}-{seeds[-1]}' if is_range else ', '.join(map(str, seeds))}"
        )
        first, *others = [spec.settings for spec in plan.specs]
        shared = [
            f"{name} {value}"
            for name, value in first.items()
            if name not in (*_NOT_SHOWN, *open_) and all(each.get(name) == value for each in others)
        ]
        self.say(f"each run  {', '.join(shared)}")
        if open_:
            self.say(f"chosen    before the first run, for these texts: {', '.join(sorted(open_))}")

    def show_results(self, results: Results) -> None:
        """The table of the study as it stands."""
        if self._shows_results:
            self.console.print()
            print_results(results, self.console)


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

    def show_measuring(
        self, n_networks: int, seconds: float, limit: float, pilot_limit: float
    ) -> None:
        """What is measured now, and how long that takes.

        Args:
            seconds: expected, of `limit`, for a few epochs of each network.
            pilot_limit: seconds for runs to the early stop; 0 for none.
        """
        then = (
            f"; then one run of each to its early stop (none after {duration(pilot_limit)} more)"
            if pilot_limit
            else ""
        )
        of_each = "the network" if n_networks == 1 else f"each of {n_networks} networks"
        self.say(
            f"measures  a few epochs of {of_each}, about {duration(seconds)} "
            f"(no epoch begins after {duration(limit)}){then}"
        )

    def show_forecast(self, plan: Plan, found: Forecast, command: str) -> None:
        """What the plan will take and decide."""
        epochs = ", ".join(
            f"{name} {least}" if least == most else f"{name} {least} to {most}"
            for name, (least, most) in found.epochs.items()
        )
        self.say(f"epochs    {_basis(plan, found)}: {epochs}")
        self.say(f"disk      about {size(found.disk_bytes)}")
        self.say(f"decides   {describe_power(found.verdict)}")
        self.say(f"time      about {duration(found.wall_seconds)} for `{command}`, as measured now")

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
