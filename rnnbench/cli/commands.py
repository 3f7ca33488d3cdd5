"""One function a command; each calls one workflow."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from rnnbench.options import (
    Dataset,
    Json,
    OwnFileChoices,
    flatten,
    given,
    here,
    this_command,
    words,
)
from rnnbench.output.characters import plain
from rnnbench.published.command import reproduce
from rnnbench.runs.command import evaluate, predict, show
from rnnbench.runs.share_command import export, import_, relocate
from rnnbench.studies.command import plan, run
from rnnbench.timing.command import timing
from rnnbench.tuning.command import tune

__all__ = ["register"]

data_app = typer.Typer(
    no_args_is_help=True, help="Fetch reviews, describe a file of yours, or show what is cached."
)


def register(app: typer.Typer) -> None:
    """Add every command to the application."""
    app.command("run")(run)
    app.command("plan")(plan)
    app.command("tune")(tune)
    app.command("timing")(timing)
    app.command("report")(report)
    app.command("reproduce")(reproduce)
    app.command("show")(show)
    app.command("predict")(predict)
    app.command("evaluate")(evaluate)
    app.command("list")(list_)
    app.command("export")(export)
    app.command("import")(import_)
    app.command("relocate")(relocate)
    app.command("ui")(ui)
    app.command("doctor")(doctor)
    app.add_typer(data_app, name="data")


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
    from rnnbench.page.screen import Screen
    from rnnbench.reports.report import ReportChoices, report_study

    choices = ReportChoices(
        study=study, out=out, formats=words(formats), claims=claims, open_page=open_
    )
    report_study(choices, Screen(), here())


def list_(
    what: Annotated[
        str | None, typer.Argument(help="architectures, studies or runs; all by default.")
    ] = None,
    csv: Annotated[
        bool,
        typer.Option("--csv", help="The runs that are over, and not deleted in MLflow, as CSV."),
    ] = False,
    json: Json = False,
) -> None:
    """Show the architectures, the studies, and the runs of this folder."""
    from rnnbench.page.json_text import print_json
    from rnnbench.page.screen import Screen
    from rnnbench.runs.listing import list_all, runs_as_csv
    from rnnbench.runs.listing_screen import show_listing

    warn = Screen().warn
    if csv:
        print(runs_as_csv(here(), warn), end="")
        return
    found = list_all(here(), what, warn)
    if json:
        print_json({listing.title: listing.records for listing in found})
    else:
        show_listing(found)


def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on; the default is private.")] = (
        "127.0.0.1"
    ),
) -> None:
    """Open the runs of this folder in MLflow's page, started light."""
    from rnnbench.page.screen import Screen
    from rnnbench.runs.ui import serve_ui

    raise typer.Exit(serve_ui(here(), host, port, Screen()))


def doctor(json: Json = False) -> None:
    """Check versions, devices, data and store; say what is missing and how to get it."""
    from rnnbench.page.json_text import print_json
    from rnnbench.studies.doctor import check_all, show_checks

    checks = check_all(here())
    if json:
        print_json(checks)
    else:
        show_checks(checks)
    raise typer.Exit(0 if all(check.ok for check in checks) else 3)


@data_app.command("fetch")
def data_fetch(dataset: Dataset = "imdb") -> None:
    """Download (IMDB) or generate (synthetic) the reviews and prepare them."""
    from rnnbench.page.screen import Screen
    from rnnbench.studies.fetch import fetch_dataset

    fetch_dataset(dataset or "imdb", Screen())


@data_app.command("describe")
@flatten
def data_describe(
    file: Annotated[str, typer.Argument(help="A .csv, .tsv, .jsonl or .parquet of yours.")],
    own: OwnFileChoices,
    json: Json = False,
) -> None:
    """Say what would be read of a file: columns, classes, words, lengths, duplicates."""
    from rnnbench.datasets import OwnChoices
    from rnnbench.page.json_text import print_json
    from rnnbench.page.screen import Screen
    from rnnbench.studies.fetch import describe_file

    found = describe_file(file, OwnChoices.of(given(own)))
    if json:
        print_json(found)
        return
    screen = Screen()
    screen.say(f"data      {found.name} ({found.origin}), content {found.fingerprint[:12]}")
    for note in found.notes:
        screen.say(f"          {note}")
    again = this_command().replace("data describe", "run --all", 1)
    word = plain(quote(file))
    again = again.replace(f" {word}", f" --dataset {word}", 1)
    screen.say(f"To train on it: {again}")


@data_app.command("show")
def data_show(json: Json = False) -> None:
    """Show what is cached, with its fingerprint."""
    from rnnbench.data.cache import cache_folder, list_corpora
    from rnnbench.page.json_text import print_json
    from rnnbench.runs.listing_screen import show_corpora

    if json:
        print_json(list_corpora())
    else:
        show_corpora(cache_folder(), list_corpora())
