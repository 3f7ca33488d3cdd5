"""`rnnbench timing`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from rnnbench.errors import UsageError
from rnnbench.options import flatten, here, this_command
from rnnbench.timing.choices import TimingChoices


@flatten
def timing(
    choices: TimingChoices,
    import_: Annotated[
        Path | None, typer.Option("--import", help="Take in what another machine exported.")
    ] = None,
    determinism: Annotated[
        bool,
        typer.Option(
            "--determinism", help="Train twice alike, and show the first epoch that differs."
        ),
    ] = False,
) -> None:
    """Measure what a training step costs, with and without recurrent dropout, and say why.

    Arms that are compared share processes and take turns there; let nothing else run meanwhile.
    """
    from rnnbench.timing.determinism import check_determinism
    from rnnbench.timing.screen import TimingScreen
    from rnnbench.timing.work import measure_arms, take_in

    screen = TimingScreen()
    if import_ is not None:
        if choices.export is not None or determinism or choices.dry_run:
            raise UsageError("--import stands alone; leave the other options out")
        take_in(import_, screen, here())
        return
    if determinism:
        n_differing = check_determinism(choices, screen, here())
        raise typer.Exit(1 if n_differing else 0)
    outcome = measure_arms(replace(choices, command=this_command()), screen, here())
    if outcome.interrupted:
        raise typer.Exit(130)
    raise typer.Exit(1 if outcome.n_failed else 0)
