"""What can be done with runs that are kept: list, show, predict, evaluate, export and import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnbench.completions import offer_begun_studies, offer_runs
from rnnbench.errors import UsageError
from rnnbench.options import Json, TrackingUri, flatten, given, here
from rnnbench.own_options import FileChoices, TextChoices

if TYPE_CHECKING:
    from rnnbench.page.screen import Screen

Run = Annotated[
    str,
    typer.Argument(
        help="A run's fingerprint or MLflow id (its beginning does), or an architecture: "
        "the run of it with the lowest validation loss in the study worked on last.",
        autocompletion=offer_runs,
    ),
]
Study = Annotated[
    str | None,
    typer.Option(help="Look for the run in this study only.", autocompletion=offer_begun_studies),
]
TrustCode = Annotated[
    bool,
    typer.Option(
        "--trust-code",
        help="Run the code of a network that came with a run from elsewhere; "
        "`rnnbench show RUN --code` prints it.",
    ),
]


def list_(
    what: Annotated[
        str | None, typer.Argument(help="architectures, studies or runs; all by default.")
    ] = None,
    csv: Annotated[
        bool,
        typer.Option(
            "--csv", help="Print the runs that are over, and not deleted in MLflow, as CSV."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Show the architectures, the studies, and the runs of this folder."""
    from rnnbench.page.consoles import print_json
    from rnnbench.page.screen import Screen
    from rnnbench.runs.listing import list_all, runs_as_csv, show_listings

    warn = Screen().warn
    if csv:
        print(runs_as_csv(here(), warn), end="")
        return
    found = list_all(here(), what, warn)
    if json:
        print_json(found)
    else:
        show_listings(found)


def show(
    run: Run,
    study: Study = None,
    code: Annotated[
        bool, typer.Option("--code", help="Print the code of your own network that it trained.")
    ] = False,
    json: Json = False,
) -> None:
    """Show one run: what was asked, its curve, its scores, and where its files are."""
    from rnnbench.page.consoles import print_json
    from rnnbench.recorded_runs import find_run
    from rnnbench.runs.show import describe_run, show_code, show_run

    screen = _screen()
    found = find_run(run, here(), study, screen.warn)
    if code:
        show_code(found, screen)
    elif json:
        print_json(describe_run(found))
    else:
        show_run(found, screen)


@flatten
def predict(
    run: Run,
    texts: Annotated[
        list[str] | None, typer.Argument(help="One text or several, each in quotes.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            help="A file of texts instead: .csv, .tsv, .jsonl (each also .gz), .parquet or .xlsx, "
            "a .txt with a text a line, or - for such lines on standard input."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A new .csv, .tsv or .jsonl file for the rows of --file, with class, probability "
            "and the share of tokens that are known; by default they are printed."
        ),
    ] = None,
    study: Study = None,
    trust_code: TrustCode = False,
    json: Json = False,
    *,
    how: TextChoices,
) -> None:
    """Classify texts with a run's best model, and show which of their words it knows."""
    from rnnbench.data.tables import OwnChoices
    from rnnbench.page.consoles import print_json
    from rnnbench.runs.predict import predict_text, show_prediction
    from rnnbench.runs.scored_file import predict_file

    if file is not None and not texts:
        choices = OwnChoices(**given(how))
        predict_file(
            run, file, out, choices, here(), study=study, trusts_code=trust_code, as_json=json
        )
        return
    if file is not None or not texts:
        raise UsageError("give texts in quotes, or name a file of them with --file: one of the two")
    _refuse_without("--file", {**given(how), **({"out": out} if out else {})})
    found = predict_text(run, texts, here(), study, trusts_code=trust_code)
    if json:
        print_json(found)
        return
    for prediction in found:
        show_prediction(prediction, _screen())


@flatten
def evaluate(
    run: Run,
    dataset: Annotated[
        str | None,
        typer.Option(help="A file of labelled texts; by default the run's own test half."),
    ] = None,
    study: Study = None,
    trust_code: TrustCode = False,
    json: Json = False,
    *,
    file: FileChoices,
) -> None:
    """Score a run's best model, on the test half of its data or on your own file."""
    from rnnbench.data.tables import OwnChoices
    from rnnbench.page.consoles import print_json
    from rnnbench.runs.evaluation import show_evaluation
    from rnnbench.runs.predict import evaluate_run

    chosen = given(file)
    if dataset is None:
        _refuse_without("--dataset", chosen)
    table = OwnChoices(**chosen)
    found = evaluate_run(run, dataset, table, here(), study, trusts_code=trust_code)
    if json:
        print_json(found.to_json())
    else:
        show_evaluation(found, _screen())


def export(
    study: Annotated[
        str,
        typer.Argument(
            help="The study's name, as `rnnbench list runs` has it.",
            autocompletion=offer_begun_studies,
        ),
    ],
    file: Annotated[Path, typer.Argument(help="The zip file to write.")],
) -> None:
    """Write a study's runs into one file, for another machine."""
    from rnnbench.page.screen import Screen
    from rnnbench.runs.share import export_study

    export_study(study, file, Screen(), here())


def import_(
    source: Annotated[
        str,
        typer.Argument(help="What `rnnbench export` wrote elsewhere, or mlflow:EXPERIMENT."),
    ],
    tracking_uri: TrackingUri = None,
) -> None:
    """Take in runs from elsewhere, checked first, each once; a file as a whole or not at all."""
    from rnnbench.page.screen import Screen
    from rnnbench.runs.share import import_study

    import_study(source, tracking_uri, Screen(), here())


def relocate() -> None:
    """Fix artifact addresses in MLflow after this folder was moved or copied, as run and ui do."""
    from rnnbench.page.screen import Screen
    from rnnbench.runs.share import relocate_store

    relocate_store(Screen(), here())


def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 5000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default is this machine only.")
    ] = ("127.0.0.1"),
) -> None:
    """Open the runs of this folder in MLflow's own page, on a lightweight server."""
    from rnnbench.page.screen import Screen
    from rnnbench.runs.ui import serve_ui

    raise typer.Exit(serve_ui(here(), host, port, Screen()))


def _refuse_without(name: str, chosen: Mapping[str, object]) -> None:
    """See that nothing says how a file is read that nobody named."""
    from rnnbench.data.inputs import option
    from rnnbench.output.amounts import listed

    if chosen:
        raise UsageError(
            f"there is no file to read with {listed(list(map(option, chosen)))}: name one with "
            f"{name}"
        )


def _screen() -> Screen:
    """A screen that --quiet does not silence: what it shows is what was asked for."""
    from rnnbench.page.consoles import open_console
    from rnnbench.page.screen import Screen

    return Screen(console=open_console())
