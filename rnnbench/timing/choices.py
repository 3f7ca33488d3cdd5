"""What `rnnbench timing` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rnnbench.errors import UsageError
from rnnbench.options import (
    MOST_SECONDS,
    numbers,
    percentage,
    seconds,
    switches,
    whole_numbers,
    words,
)

LEAST_PRECISION = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingChoices:
    """What to measure; what is empty is left to `benchmarks/timing.toml`.

    Args:
        precision: how far above its ratio the widest interval may reach: 0.05 for 5 %.
        budget: seconds.
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
    precision: Annotated[
        float,
        typer.Option(
            help="How far a ratio's 95 % interval may reach: 5% by default. Processes are added "
            "until none reaches further."
        ),
        percentage,
    ] = 0.05
    budget: Annotated[
        float,
        typer.Option(
            help="When to stop, precise or not: 90s, 30m (by default) or 2h. The same command "
            "goes on."
        ),
        seconds,
    ] = 1_800.0
    repeats: Annotated[
        int | None, typer.Option(help="Processes per arm at least; 3 by default.")
    ] = None
    seed: Annotated[int, typer.Option(help="Seed of the order in which arms are measured.")] = 0
    export: Annotated[
        Path | None, typer.Option(help="A file for these measurements, to be taken in elsewhere.")
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the arms and stop.")] = False
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again from the start.")] = False
    ladder_dropout: float = 0.3
    command: str = "rnnbench timing"

    def __post_init__(self) -> None:
        if not LEAST_PRECISION <= self.precision < 1:
            raise UsageError(
                f"precision must be from {100 * LEAST_PRECISION:g}% to below 100%, "
                f"got {100 * self.precision:g}%"
            )
        if not 0 < self.budget <= MOST_SECONDS:
            raise UsageError(f"budget must be above 0 seconds, a year at most, got {self.budget:g}")

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
