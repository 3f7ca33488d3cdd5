"""What `rnnbench timing` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rnnbench.options import numbers, switches, whole_numbers, words


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingChoices:
    """What to measure; what is empty is left to `benchmarks/timing.toml`.

    Args:
        ladder_dropout: the recurrent dropout of the arms that take its cost apart.
        command: the words that repeat this command.
    """

    architectures: Annotated[
        tuple[str, ...],
        typer.Argument(help="lstm, gru, lstm-stacked, simple-rnn; all of them by default."),
    ] = ()
    device: Annotated[
        tuple[str, ...], typer.Option(help="cpu, gpu or cpu,gpu; by default what is here."), words
    ] = ()
    backend: Annotated[
        tuple[str, ...],
        typer.Option(help="jax, tensorflow, torch or several; by default what is here."),
        words,
    ] = ()
    units: Annotated[
        tuple[int, ...], typer.Option(help="Units per layer; a list measures each."), whole_numbers
    ] = ()
    batch_size: Annotated[
        tuple[int, ...], typer.Option(help="Reviews per step; a list too."), whole_numbers
    ] = ()
    recurrent_dropout: Annotated[
        tuple[float, ...],
        typer.Option(
            help="0,0.3 for instance. With this or an option below, every combination is measured "
            "instead of the arms that take the cost of recurrent dropout apart."
        ),
        numbers,
    ] = ()
    dropout: Annotated[
        tuple[float, ...], typer.Option(help="Dropout of the inputs; a list too."), numbers
    ] = ()
    use_cudnn: Annotated[
        tuple[str, ...],
        typer.Option(help="auto, off, on: what the layers are told; a list too."),
        words,
    ] = ()
    implementation: Annotated[
        tuple[int, ...],
        typer.Option(help="1 or 2, Keras's argument of that name; a list too."),
        whole_numbers,
    ] = ()
    jit: Annotated[
        tuple[bool, ...],
        typer.Option(help="on, off: compile the whole step; a list too."),
        switches,
    ] = ()
    repeats: Annotated[
        int | None, typer.Option(help="Processes per arm, at least 5 for numbers to rely on.")
    ] = None
    seed: Annotated[int, typer.Option(help="Seed of the order in which arms are measured.")] = 0
    export: Annotated[
        Path | None, typer.Option(help="A file for these measurements, to be taken in elsewhere.")
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the arms and stop.")] = False
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again from the start.")] = False
    ladder_dropout: float = 0.3
    command: str = "rnnbench timing"

    @property
    def is_product(self) -> bool:
        """Whether combinations were asked for."""
        return bool(
            self.dropout
            or self.recurrent_dropout
            or self.use_cudnn
            or self.implementation
            or self.jit
        )
