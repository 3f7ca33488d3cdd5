"""`rnnbench tune`."""

from dataclasses import replace
from typing import Annotated

import typer

from rnnbench.options import flatten, here, tell_interrupted, this_command
from rnnbench.tuning.choices import TuneChoices


@flatten
def tune(
    choices: TuneChoices,
    json: Annotated[
        bool, typer.Option("--json", help="The winners as JSON on standard output.")
    ] = False,
) -> None:
    """Find each architecture's best learning rate with the same budget, on validation data only.

    Trials that are over are kept: the same command again goes on where it stopped.
    Then `rnnbench run --all --tuned` measures the winners on fresh seeds.
    """
    from rnnbench.tuning.coordinator import tune as tune_architectures
    from rnnbench.tuning.record import winners_as_json
    from rnnbench.tuning.screen import TuningScreen

    choices = replace(choices, command=this_command())
    screen = TuningScreen(quiet_output=json)
    with tell_interrupted(screen.warn, f"nothing is lost. To go on: {choices.command}"):
        outcome = tune_architectures(choices, screen, here())
    if outcome.interrupted:
        raise typer.Exit(130)
    if json:
        print(winners_as_json(outcome.records))
    raise typer.Exit(0 if outcome.has_all_winners and not outcome.n_failed else 1)
