"""What a study will take and decide, on the terminal."""

from __future__ import annotations

from typing import Any

from rnnbench.output.amounts import plural, size
from rnnbench.page.texts import duration
from rnnbench.specs import Recipe
from rnnbench.studies.forecast import Budget, Forecast, Verdict
from rnnbench.studies.plan import Plan
from rnnbench.studies.screen import RunScreen

__all__ = ["ForecastRecord", "ForecastScreen"]


class ForecastScreen(RunScreen):
    """Prints the plan, then the forecast."""

    def say_work(self, plan: Plan) -> None:
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
        self.say(f"decides   {decides(found.verdict)}")

    def show_budget(self, plan: Plan, budget: Budget, seconds: float, command: str) -> None:
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
        self.say(f"decides   {decides(budget.verdict)}")
        self.say(f"To run them: {command}")


class ForecastRecord(ForecastScreen):
    """Keeps the forecast for a program; warnings go to standard error."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, Any] = {}  # Any: what `as_json` takes

    def say(self, text: str) -> None:
        """Nothing: it is for people."""

    def show_plan(self, plan: Plan) -> None:
        """What there is to do."""
        self.found |= {"study": plan.study.name, "runs": len(plan.specs), "done": plan.n_done}

    def show_forecast(self, plan: Plan, found: Forecast) -> None:
        """What the plan will take and decide."""
        self.found["forecast"] = found

    def show_budget(self, plan: Plan, budget: Budget, seconds: float, command: str) -> None:
        """What fits into the time."""
        self.found |= {"budget_seconds": seconds, "budget": budget, "command": command}


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


def decides(verdict: Verdict) -> str:
    """What the seeds can tell, in one sentence."""
    seeds = plural(verdict.n_seeds, "seed")
    if not verdict.n_pairs:
        return f"{seeds}, and nothing to compare them with"
    pairs = plural(verdict.n_pairs, "pair")
    if verdict.limit or verdict.detectable is None:
        return verdict.limit or f"{seeds} cannot show one of {pairs} to be better"
    return (
        f"{seeds} find a true difference of {100 * verdict.detectable:.2f} points of test accuracy "
        f"in about four studies of five ({pairs}), if seeds differ as in {verdict.basis}; smaller "
        "ones mostly stay undetermined"
    )
