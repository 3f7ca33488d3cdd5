"""What `rnnbench run` and `plan` take: what to run, and where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import typer

from rnnbench.completions import offer_studies
from rnnbench.limits import parse_seeds
from rnnbench.options import (
    ArchitectureChoices,
    ClassWeight,
    Epochs,
    ExecutorChoices,
    Metric,
    numbers,
    whole_numbers,
    words,
)
from rnnbench.own_options import Dataset, OwnFileChoices, RaceChoices
from rnnbench.specs import Argument


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChoices(ArchitectureChoices):
    """What to run, and where; None, or no value, leaves it to the study.

    Args:
        hyperparameters: those of networks of one's own, by name, the values of a grid.
        command: the words that repeat this command.
    """

    seeds: Annotated[
        tuple[int, ...],
        typer.Option(help="How many (3), a range (0-9) or a list (1,4,7)."),
        parse_seeds,
    ] = ()
    units: Annotated[
        tuple[int, ...], typer.Option(help="Units per layer; a list makes a grid."), whole_numbers
    ] = ()
    dropout: Annotated[
        tuple[float, ...], typer.Option(help="Dropout of the inputs; a list makes a grid."), numbers
    ] = ()
    recurrent_dropout: Annotated[
        tuple[float, ...],
        typer.Option(help="Dropout of the recurrent state; a list makes a grid."),
        numbers,
    ] = ()
    set_: Annotated[
        tuple[str, ...],
        typer.Option(
            "--set",
            help="NAME=VALUE of a hyperparameter, for networks that take it; a list makes a grid.",
        ),
    ] = ()
    embedding_size: Annotated[
        tuple[int, ...], typer.Option(help="Embedding size; a list makes a grid."), whole_numbers
    ] = ()
    learning_rate: Annotated[
        tuple[float, ...], typer.Option(help="Learning rate; a list makes a grid."), numbers
    ] = ()
    epochs: Epochs = None
    patience: Annotated[
        int | None, typer.Option(help="Epochs without improvement before stopping.")
    ] = None
    batch_size: Annotated[int | None, typer.Option(help="Texts per step.")] = None
    optimizer: Annotated[str | None, typer.Option(help="rmsprop, adam or sgd.")] = None
    order: Annotated[
        tuple[str, ...],
        typer.Option(help="reshuffled every epoch, or frozen; a list makes a grid."),
        words,
    ] = ()
    class_weight: ClassWeight = None
    max_len: Annotated[
        tuple[int, ...], typer.Option(help="Words per text; a list makes a grid."), whole_numbers
    ] = ()
    num_words: Annotated[
        tuple[int, ...],
        typer.Option(help="Size of the vocabulary; a list makes a grid."),
        whole_numbers,
    ] = ()
    study: Annotated[
        str | None,
        typer.Option(
            help="A study's TOML file, or the name of a bundled one.",
            autocompletion=offer_studies,
        ),
    ] = None
    metric: Metric = None
    name: Annotated[
        str | None, typer.Option(help="Name of the study, and of its MLflow experiment.")
    ] = None
    quick: Annotated[
        bool, typer.Option("--quick", help="A first look on synthetic reviews; decides nothing.")
    ] = False
    tuned: Annotated[
        bool, typer.Option("--tuned", help="Use the values that `rnnbench tune` found best.")
    ] = False
    dataset: Dataset = None
    own: OwnFileChoices = field(default_factory=OwnFileChoices)
    racing: RaceChoices = field(default_factory=RaceChoices)
    placing: ExecutorChoices = field(default_factory=ExecutorChoices)
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over; the old runs are put aside.")
    ] = False
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write the report at the end.")
    ] = True
    hyperparameters: Mapping[str, tuple[Argument, ...]] = field(default_factory=dict)
    command: str = "rnnbench run"
