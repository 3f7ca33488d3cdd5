"""`rnnbench reproduce`."""

from pathlib import Path
from typing import Annotated

import typer

from rnnbench.options import here, tell_interrupted, words
from rnnbench.own_options import Dataset


def reproduce(
    name: Annotated[str, typer.Argument(help="The procedure to follow: notes-2025.")],
    only: Annotated[
        str | None, typer.Option(help="Only these models: lstm,lstm-dropout,lstm-stacked,gru.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A folder for the page, the figure and the epochs as CSV.")
    ] = None,
    epochs: Annotated[
        int, typer.Option(help="Train and compare at most this many epochs, for a first look.")
    ] = 100,
    jit: Annotated[
        bool, typer.Option("--jit/--no-jit", help="XLA for the models without dropout: faster.")
    ] = True,
    dataset: Dataset = "imdb",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Train again what an earlier command has kept.")
    ] = False,
) -> None:
    """Follow the study notes' own procedure, and compare every epoch with what they print.

    Takes about 10 minutes on one core; models that are done are kept.
    """
    from rnnbench.published.reproduce import reproduce_notes
    from rnnbench.published.reproduction import ReproduceChoices
    from rnnbench.published.reproduction_page import write_reproduction
    from rnnbench.published.screen import ReproductionScreen

    choices = ReproduceChoices(
        name=name, only=words(only), dataset=dataset or "imdb", epochs=epochs, jit=jit, fresh=fresh
    )
    screen = ReproductionScreen()
    consequence = f"models that are done are kept. To go on: {choices.command}"
    with tell_interrupted(screen.warn, consequence):
        report = reproduce_notes(choices, screen, here())
        screen.show_reproduction(report)
        if out is not None:
            write_reproduction(report, out)
            screen.say(f"written to {out}: index.md, epochs.csv, curves.png")
