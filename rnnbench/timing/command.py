"""`rnnbench timing`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnbench.errors import UsageError
from rnnbench.options import here, numbers, switches, this_command, whole_numbers, words

__all__ = ["timing"]


def timing(
    architectures: Annotated[
        list[str] | None,
        typer.Argument(help="lstm, gru, lstm-stacked, simple-rnn; all of them by default."),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, gpu or cpu,gpu; by default what is here.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="Of jax, tensorflow, torch; by default what is here.")
    ] = None,
    units: Annotated[str | None, typer.Option(help="Units a layer; a list measures each.")] = None,
    batch_size: Annotated[str | None, typer.Option(help="Reviews a step; a list too.")] = None,
    recurrent_dropout: Annotated[
        str | None,
        typer.Option(
            help="0,0.3 for instance. With this or an option below, every combination is measured "
            "instead of the arms that take the cost of recurrent dropout apart."
        ),
    ] = None,
    dropout: Annotated[str | None, typer.Option(help="Dropout of the inputs; a list too.")] = None,
    use_cudnn: Annotated[
        str | None, typer.Option(help="auto, off, on: what the layers are told; a list too.")
    ] = None,
    implementation: Annotated[
        str | None, typer.Option(help="1 or 2, Keras's argument of that name; a list too.")
    ] = None,
    jit: Annotated[
        str | None, typer.Option(help="on, off: compile the whole step; a list too.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(help="Processes an arm, at least 5 for numbers to rely on.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order in which arms are taken.")] = 0,
    export: Annotated[
        Path | None, typer.Option(help="A file for these measurements, to be taken in elsewhere.")
    ] = None,
    import_: Annotated[
        Path | None, typer.Option("--import", help="Take in what another machine exported.")
    ] = None,
    determinism: Annotated[
        bool,
        typer.Option(
            "--determinism", help="Train twice alike, and show the first epoch that differs."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the arms and stop.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again from the start.")] = False,
) -> None:
    """Measure what a training step costs, with and without recurrent dropout, and say why.

    Each arm is measured in processes of its own, in random order; let nothing else run meanwhile.
    """
    from rnnbench.timing.determinism import check_determinism
    from rnnbench.timing.plan import TimingChoices
    from rnnbench.timing.screen import TimingScreen
    from rnnbench.timing.work import measure_arms, take_in

    choices = TimingChoices(
        architectures=tuple(architectures or ()),
        backend=words(backend),
        device=words(device),
        units=whole_numbers("--units", units),
        batch_size=whole_numbers("--batch-size", batch_size),
        dropout=numbers("--dropout", dropout),
        recurrent_dropout=numbers("--recurrent-dropout", recurrent_dropout),
        use_cudnn=words(use_cudnn),
        implementation=whole_numbers("--implementation", implementation),
        jit=switches("--jit", jit),
        repeats=repeats,
        seed=seed,
        export=export,
        dry_run=dry_run,
        fresh=fresh,
        command=this_command(),
    )
    screen = TimingScreen()
    if import_ is not None:
        if export is not None or determinism or dry_run:
            raise UsageError("--import stands alone; leave the other options out")
        take_in(import_, screen, here())
        return
    if determinism:
        n_differing = check_determinism(choices, screen, here())
        raise typer.Exit(1 if n_differing else 0)
    outcome = measure_arms(choices, screen, here())
    if outcome.interrupted:
        raise typer.Exit(130)
    raise typer.Exit(1 if outcome.n_failed else 0)
