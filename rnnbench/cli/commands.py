"""One function a command; each calls one workflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnbench.cli.options import (
    Backend,
    Dataset,
    Device,
    Epochs,
    NamedOrAll,
    Names,
    Workers,
    WorkersPerGpu,
    given,
    here,
    numbers,
    this_command,
    whole_numbers,
    words,
)
from rnnbench.cli.reproduce import reproduce
from rnnbench.cli.timing import timing
from rnnbench.cli.tune import tune

__all__ = ["register"]

data_app = typer.Typer(no_args_is_help=True, help="Fetch the reviews, or show what is cached.")


def register(app: typer.Typer) -> None:
    """Add every command to the application."""
    app.command("run")(run)
    app.command("tune")(tune)
    app.command("timing")(timing)
    app.command("report")(report)
    app.command("reproduce")(reproduce)
    app.command("list")(list_)
    app.command("ui")(ui)
    app.command("doctor")(doctor)
    app.add_typer(data_app, name="data")


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
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
    from rnnbench.study import parse_seeds
    from rnnbench.terminal.screen import Screen
    from rnnbench.workflows.executors import ExecutorChoices
    from rnnbench.workflows.run import RunChoices, run_study

    choices = RunChoices(
        architectures=tuple(architectures or ()),
        all_architectures=all_,
        study=study,
        quick=quick,
        tuned=tuned,
        name=name,
        dataset=dataset,
        seeds=None if seeds is None else parse_seeds(seeds),
        embedding_sizes=whole_numbers("--embedding-size", embedding_size) or None,
        hyperparameters=given(
            units=whole_numbers("--units", units),
            dropout=numbers("--dropout", dropout),
            recurrent_dropout=numbers("--recurrent-dropout", recurrent_dropout),
        ),
        data=given(
            max_len=whole_numbers("--max-len", max_len),
            num_words=whole_numbers("--num-words", num_words),
        ),
        recipe=given(
            learning_rate=numbers("--learning-rate", learning_rate),
            epochs=() if epochs is None else (epochs,),
            patience=() if patience is None else (patience,),
            batch_size=() if batch_size is None else (batch_size,),
            optimizer=() if optimizer is None else (optimizer,),
            order=words(order),
        ),
        placing=ExecutorChoices(
            executor=executor,
            ray_address=ray_address,
            workers=workers,
            workers_per_gpu=workers_per_gpu,
            device=device,
            backend=backend,
            engine=engine,
            lanes=lanes,
        ),
        dry_run=dry_run,
        fresh=fresh,
        report=report,
        command=this_command(),
    )
    screen = Screen()
    try:
        outcome = run_study(choices, screen, here())
    except KeyboardInterrupt:  # Typer would end the command without a word
        screen.warn(f"interrupted; nothing is lost. To go on: {choices.command}")
        raise typer.Exit(130) from None
    if outcome.interrupted:
        raise typer.Exit(130)
    raise typer.Exit(1 if outcome.n_failed else 0)


def report(
    study: Annotated[
        str | None, typer.Argument(help="The study; by default the one worked on last.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; reports/STUDY by default.")] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Which of html, md and csv, with commas.")
    ] = "html,md,csv",
    claims: Annotated[
        Path | None, typer.Option(help="A TOML file with claims of your own.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
) -> None:
    """Say which conclusions hold, how sure that is, and what each choice costs."""
    from rnnbench.terminal.screen import Screen
    from rnnbench.workflows.report import ReportChoices, report_study

    choices = ReportChoices(
        study=study, out=out, formats=words(formats), claims=claims, open_page=open_
    )
    report_study(choices, Screen(), here())


def list_(
    what: Annotated[
        str | None, typer.Argument(help="architectures, studies or runs; all by default.")
    ] = None,
    csv: Annotated[
        bool, typer.Option("--csv", help="The runs that are over as CSV, a line each.")
    ] = False,
) -> None:
    """Show the architectures, the studies, and the runs of this folder."""
    from rnnbench.terminal.listing import show_listing
    from rnnbench.workflows.listing import list_all, runs_as_csv

    if csv:
        typer.echo(runs_as_csv(here()), nl=False)
        return
    show_listing(list_all(here(), what))


def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on; the default is private.")] = (
        "127.0.0.1"
    ),
) -> None:
    """Open the runs of this folder in MLflow's page, started light."""
    from rnnbench.terminal.screen import Screen
    from rnnbench.workflows.ui import serve_ui

    raise typer.Exit(serve_ui(here(), host, port, Screen()))


def doctor() -> None:
    """Check versions, devices, data and store; say what is missing and how to get it."""
    from rnnbench.terminal.listing import show_checks
    from rnnbench.workflows.doctor import check_all

    checks = check_all(here())
    show_checks(checks)
    raise typer.Exit(0 if all(check.ok for check in checks) else 3)


@data_app.command("fetch")
def data_fetch(dataset: Dataset = "imdb") -> None:
    """Download (IMDB) or generate (synthetic) the reviews and prepare them."""
    from rnnbench.terminal.screen import Screen
    from rnnbench.workflows.fetch import fetch_dataset

    fetch_dataset(dataset or "imdb", Screen())


@data_app.command("show")
def data_show() -> None:
    """Show what is cached, with its fingerprint."""
    from rnnbench.data.cache import cache_folder, list_corpora
    from rnnbench.terminal.listing import show_corpora

    show_corpora(cache_folder(), list_corpora())
