"""`rnnbench run`; `rnnbench plan`, which takes the same options; `rnnbench doctor`."""

from dataclasses import replace
from typing import Annotated

import typer

from rnnbench.options import Json, flatten, here, read_text, seconds, tell_interrupted, this_command
from rnnbench.run_options import RunChoices


@flatten
def run(
    choices: RunChoices,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say at once what would be run, and stop.")
    ] = False,
) -> None:
    """Train what is missing of a study, track it in MLflow, and compare the architectures.

    Finished runs are kept: the same command again does only what is missing.
    """
    from rnnbench.studies.preview import preview_study
    from rnnbench.studies.run import run_study
    from rnnbench.studies.screen import PreviewScreen, RunScreen

    choices = replace(choices, command=this_command())
    if dry_run:
        preview_study(choices, PreviewScreen(), here())
        return
    screen = RunScreen()
    with tell_interrupted(screen.warn, f"what was trained is kept. To go on: {choices.command}"):
        results = run_study(choices, screen, here())
    if results.interrupted:
        raise typer.Exit(130)
    raise typer.Exit(1 if results.n_failed else 0)


@flatten
def plan(
    choices: RunChoices,
    budget: Annotated[
        str | None,
        typer.Option(help="A time such as 90s, 30m or 2h: show which seeds and epochs fit."),
    ] = None,
    json: Json = False,
) -> None:
    """Forecast what `rnnbench run` with the same options would take, and what it could decide.

    Trains a few epochs of each network on this machine, for two minutes at most, and keeps nothing
    but the race that chooses settings for texts of your own. Where it cannot know when runs stop
    early, it trains one run of each network too, for two minutes at most. It says beforehand how
    long it will take. `rnnbench run --dry-run` measures nothing, and answers at once.
    """
    choices = replace(choices, command=this_command())
    _forecast(choices, None if budget is None else read_text("budget", seconds, budget), json=json)


def doctor(json: Json = False) -> None:
    """Check versions, devices, data and store; say what is missing and how to get it."""
    from rnnbench.page.consoles import print_json
    from rnnbench.studies.doctor import check_all, show_checks

    checks = check_all(here())
    if json:
        print_json(checks)
    else:
        show_checks(checks)
    raise typer.Exit(0 if all(check.ok for check in checks) else 3)


def _forecast(choices: RunChoices, budget_seconds: float | None, *, json: bool) -> None:
    from rnnbench.page.consoles import print_json
    from rnnbench.studies.calibration import plan_study
    from rnnbench.studies.screen import ForecastScreen

    screen = ForecastScreen(quiet=json)
    with tell_interrupted(screen.warn, "nothing was to be kept"):
        found = plan_study(choices, budget_seconds, screen, here())
    if json:
        print_json(found)
