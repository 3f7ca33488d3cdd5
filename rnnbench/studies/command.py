"""`rnnbench run`, and `rnnbench plan`, which takes the same options."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnnbench.errors import UsageError
from rnnbench.options import (
    Backend,
    Dataset,
    Device,
    DropDuplicates,
    DropUnlabelled,
    Encoding,
    Epochs,
    Json,
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
    given,
    here,
    numbers,
    own_data,
    this_command,
    whole_numbers,
    words,
)

if TYPE_CHECKING:
    from rnnbench.studies.run import RunChoices

__all__ = ["plan", "run"]

MOST_BUDGET_SECONDS = 365 * 86_400.0


def run(
    architectures: Names = None,
    all_: NamedOrAll = False,
    seeds: Annotated[
        str | None, typer.Option(help="How many (3), a range (0-9) or a list (1,4,7).")
    ] = None,
    units: Annotated[str | None, typer.Option(help="Units a layer; a list makes a grid.")] = None,
    dropout: Annotated[
        str | None, typer.Option(help="Dropout of the inputs; a list makes a grid.")
    ] = None,
    recurrent_dropout: Annotated[
        str | None, typer.Option(help="Dropout of the state; a list makes a grid.")
    ] = None,
    embedding_size: Annotated[
        str | None, typer.Option(help="Embedding size; a list makes a grid.")
    ] = None,
    learning_rate: Annotated[
        str | None, typer.Option(help="Learning rate; a list makes a grid.")
    ] = None,
    epochs: Epochs = None,
    patience: Annotated[
        int | None, typer.Option(help="Epochs without improvement before stopping.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Reviews a step.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="rmsprop, adam or sgd.")] = None,
    order: Annotated[
        str | None, typer.Option(help="reshuffled every epoch, or frozen; a list makes a grid.")
    ] = None,
    max_len: Annotated[str | None, typer.Option(help="Words a review; a grid too.")] = None,
    num_words: Annotated[
        str | None, typer.Option(help="Size of the vocabulary; a list makes a grid.")
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="A study's TOML file, or the name of a bundled one.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the study, and of its MLflow experiment.")
    ] = None,
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
    engine: Annotated[
        str, typer.Option(help="auto, keras, or fleet: many runs in one compiled program.")
    ] = "auto",
    lanes: Annotated[
        int | None, typer.Option(help="Runs side by side in a fleet. Default: 64 a GPU, 1 a CPU.")
    ] = None,
    executor: Annotated[
        str, typer.Option(help="local processes, or the tasks of a ray cluster.")
    ] = "local",
    ray_address: Annotated[
        str | None, typer.Option(help="HOST:PORT of the cluster, or local: one of this machine.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A first look on synthetic reviews; decides nothing.")
    ] = False,
    tuned: Annotated[
        bool, typer.Option("--tuned", help="With the values that `rnnbench tune` found best.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what `rnnbench plan` does, and stop.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over; the old runs are put aside.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write the report at the end.")
    ] = True,
) -> None:
    """Train what is missing of a study, track it in MLflow, and compare the architectures.

    Finished runs are kept: the same command again does only what is missing.
    """
    from rnnbench.studies.run import run_study
    from rnnbench.studies.screen import RunScreen

    values = locals()
    if dry_run:
        _forecast(_choose(values), None, json=False)
        return
    choices = _choose(values)
    screen = RunScreen()
    try:
        outcome = run_study(choices, screen, here())
    except KeyboardInterrupt:  # Typer would end the command without a word
        screen.warn(f"interrupted; nothing is lost. To go on: {choices.command}")
        raise typer.Exit(130) from None
    if outcome.interrupted:
        raise typer.Exit(130)
    raise typer.Exit(1 if outcome.n_failed else 0)


def plan(
    budget: Annotated[
        str | None,
        typer.Option(help="Seconds, minutes or hours (90s, 30m, 2h): which seeds and epochs fit."),
    ] = None,
    json: Json = False,
    **values: Any,  # Any: the options of `run`
) -> None:
    """Say what `rnnbench run` with the same options would take, and what it could decide.

    Trains a few epochs of each network on this machine, for half a minute, and keeps nothing; where
    it cannot know when runs stop early, one run of each network too, for two minutes at most.
    """
    choices = _choose({**_defaults(run), **values})
    _forecast(choices, None if budget is None else _seconds(budget), json=json)


def _forecast(choices: RunChoices, budget_seconds: float | None, *, json: bool) -> None:
    from rnnbench.page.consoles import print_json
    from rnnbench.studies.forecast import plan_study
    from rnnbench.studies.forecast_screen import ForecastRecord, ForecastScreen

    record = ForecastRecord()
    screen = record if json else ForecastScreen()
    try:
        plan_study(choices, budget_seconds, screen, here())
    except KeyboardInterrupt:  # Typer would end the command without a word
        screen.warn("interrupted; nothing was to be kept")
        raise typer.Exit(130) from None
    if json:
        print_json(record.found)


def _borrow_options() -> None:
    """Give `plan` the options of `run`, which the command line reads off a signature."""
    own, theirs = (inspect.signature(each, eval_str=True) for each in (plan, run))
    kept = [
        p for name, p in theirs.parameters.items() if name not in ("dry_run", "fresh", "report")
    ]
    added = [
        own.parameters[name].replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name in ("budget", "json")
    ]
    plan.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
    plan.__annotations__ = {**run.__annotations__, **plan.__annotations__}


_borrow_options()


def _defaults(function: Any) -> dict[str, Any]:  # Any: a command and its options
    return {name: p.default for name, p in inspect.signature(function).parameters.items()}


def _seconds(text: str) -> float:
    """`90s`, `30m` or `2h` in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", text.strip())
    if match is None or float(match[1]) == 0:
        raise UsageError(f"--budget takes a time like 90s, 30m or 2h, got '{text}'")
    seconds = float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
    if seconds > MOST_BUDGET_SECONDS:
        raise UsageError(f"--budget takes a year (8760h) at most, got '{text[:40]}'")
    return seconds


def _choose(values: Mapping[str, Any]) -> RunChoices:  # Any: the options of `run` by name
    """What the options mean."""
    from rnnbench.execution.choices import ExecutorChoices
    from rnnbench.seeds import parse_seeds
    from rnnbench.studies.run import RunChoices

    o = SimpleNamespace(**values)
    return RunChoices(
        architectures=tuple(o.architectures or ()),
        all_architectures=o.all_,
        study=o.study,
        quick=o.quick,
        tuned=o.tuned,
        name=o.name,
        dataset=o.dataset,
        own=own_data(
            text_column=o.text_column,
            label_column=o.label_column,
            split_column=o.split_column,
            separator=o.separator,
            encoding=o.encoding,
            quotes=o.quotes,
            test_fraction=o.test_fraction,
            split_seed=o.split_seed,
            drop_duplicates=o.drop_duplicates,
            drop_unlabelled=o.drop_unlabelled,
        ),
        seeds=None if o.seeds is None else parse_seeds(o.seeds),
        embedding_sizes=whole_numbers("--embedding-size", o.embedding_size) or None,
        hyperparameters=given(
            units=whole_numbers("--units", o.units),
            dropout=numbers("--dropout", o.dropout),
            recurrent_dropout=numbers("--recurrent-dropout", o.recurrent_dropout),
        ),
        data=given(
            max_len=whole_numbers("--max-len", o.max_len),
            num_words=whole_numbers("--num-words", o.num_words),
        ),
        recipe=given(
            learning_rate=numbers("--learning-rate", o.learning_rate),
            epochs=() if o.epochs is None else (o.epochs,),
            patience=() if o.patience is None else (o.patience,),
            batch_size=() if o.batch_size is None else (o.batch_size,),
            optimizer=() if o.optimizer is None else (o.optimizer,),
            order=words(o.order),
        ),
        placing=ExecutorChoices(
            executor=o.executor,
            ray_address=o.ray_address,
            workers=o.workers,
            workers_per_gpu=o.workers_per_gpu,
            device=o.device,
            backend=o.backend,
            engine=o.engine,
            lanes=o.lanes,
        ),
        fresh=o.fresh,
        report=o.report,
        command=this_command(),
    )
