"""`rnnbench tune`."""

from __future__ import annotations

from typing import Annotated

import typer

from rnnbench.options import (
    Backend,
    Dataset,
    Device,
    DropDuplicates,
    DropUnlabelled,
    Encoding,
    Epochs,
    LabelColumn,
    NamedOrAll,
    Names,
    Quotes,
    Separator,
    SplitColumn,
    SplitSeed,
    TestFraction,
    TextColumn,
    Workers,
    WorkersPerGpu,
    here,
    own_data,
    this_command,
)

__all__ = ["tune"]


def tune(
    architectures: Names = None,
    all_: NamedOrAll = False,
    trials: Annotated[int, typer.Option(help="For each architecture; more later adds to them.")] = (
        30
    ),
    tuning_seeds: Annotated[
        str,
        typer.Option(
            help="Of each trial: how many (counted from 1000), a range or a list. "
            "No report may use them."
        ),
    ] = "3",
    space: Annotated[
        str, typer.Option(help="learning-rate, full (units and dropout too), or a TOML file.")
    ] = "learning-rate",
    sampler: Annotated[str, typer.Option(help="tpe, random or grid.")] = "tpe",
    pruner: Annotated[
        str, typer.Option(help="median gives up what does worse than most; or none.")
    ] = "median",
    sampler_seed: Annotated[int, typer.Option(help="Another one asks for other trials.")] = 0,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Optuna's storage: sqlite:///file.db, postgresql://…; by default "
            "optuna-journal.log in this folder."
        ),
    ] = None,
    epochs: Epochs = None,
    max_len: Annotated[int | None, typer.Option(help="Words a review.")] = None,
    num_words: Annotated[int | None, typer.Option(help="Size of the vocabulary.")] = None,
    dataset: Dataset = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    separator: Separator = None,
    encoding: Encoding = None,
    quotes: Quotes = None,
    test_fraction: TestFraction = None,
    split_seed: SplitSeed = None,
    drop_duplicates: DropDuplicates = None,
    drop_unlabelled: DropUnlabelled = None,
    workers: Workers = None,
    workers_per_gpu: WorkersPerGpu = 1,
    device: Device = "auto",
    backend: Backend = "auto",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over; the old trials are put aside.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="The winners as JSON on standard output.")
    ] = False,
) -> None:
    """Find each architecture's best learning rate with the same budget, on validation data only.

    Trials that are over are kept: the same command again goes on where it stopped.
    Then `rnnbench run --all --tuned` measures the winners on fresh seeds.
    """
    from rnnbench.execution.choices import ExecutorChoices
    from rnnbench.tuning.coordinator import tune as tune_architectures
    from rnnbench.tuning.plan import TuneChoices, parse_tuning_seeds
    from rnnbench.tuning.record import winners_as_json
    from rnnbench.tuning.screen import TuningScreen

    choices = TuneChoices(
        architectures=tuple(architectures or ()),
        all_=all_,
        trials=trials,
        tuning_seeds=parse_tuning_seeds(tuning_seeds),
        space=space,
        sampler=sampler,
        pruner=pruner,
        sampler_seed=sampler_seed,
        storage=storage,
        epochs=epochs,
        max_len=max_len,
        num_words=num_words,
        dataset=dataset,
        own=own_data(
            text_column=text_column,
            label_column=label_column,
            split_column=split_column,
            separator=separator,
            encoding=encoding,
            quotes=quotes,
            test_fraction=test_fraction,
            split_seed=split_seed,
            drop_duplicates=drop_duplicates,
            drop_unlabelled=drop_unlabelled,
        ),
        placing=ExecutorChoices(
            workers=workers,
            workers_per_gpu=workers_per_gpu,
            device=device,
            backend=backend,
        ),
        fresh=fresh,
        command=this_command(),
    )
    screen = TuningScreen(quiet_output=json)
    try:
        outcome = tune_architectures(choices, screen, here())
    except KeyboardInterrupt:  # Typer would end the command without a word
        screen.warn(f"interrupted; nothing is lost. To go on: {choices.command}")
        raise typer.Exit(130) from None
    if outcome.interrupted:
        raise typer.Exit(130)
    if json:
        print(winners_as_json(outcome.records))
    raise typer.Exit(0 if outcome.has_all_winners and not outcome.n_failed else 1)
