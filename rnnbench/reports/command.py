"""`rnnbench report`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from rnnbench.completions import offer_begun_studies
from rnnbench.options import TrackingUri, here, words


def report(
    study: Annotated[
        str | None,
        typer.Argument(
            help="The study; by default the one worked on last.",
            autocompletion=offer_begun_studies,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; reports/STUDY by default.")] = None,
    formats: Annotated[
        str,
        typer.Option("--format", help="html, md and csv, or some of them, separated by commas."),
    ] = "html,md,csv",
    latex: Annotated[
        bool, typer.Option("--latex", help="Write tables for a paper too, into the folder latex.")
    ] = False,
    claims: Annotated[
        Path | None, typer.Option(help="A TOML file with claims of your own.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    tracking_uri: TrackingUri = None,
) -> None:
    """Say which conclusions hold, how sure that is, and what each choice costs."""
    from rnnbench.page.screen import Screen
    from rnnbench.reports.report import report_study

    if tracking_uri is not None:
        os.environ["MLFLOW_TRACKING_URI"] = tracking_uri
    report_study(
        study,
        Screen(),
        here(),
        out=out,
        formats=words(formats),
        claims=claims,
        latex=latex,
        open_page=open_,
    )
