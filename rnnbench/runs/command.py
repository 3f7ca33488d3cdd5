"""`rnnbench show`, `predict` and `evaluate`: runs that are kept."""

from __future__ import annotations

from typing import Annotated

import typer

from rnnbench.errors import UsageError
from rnnbench.options import FileChoices, Json, flatten, given, here

__all__ = ["evaluate", "predict", "show"]

Run = Annotated[
    str,
    typer.Argument(
        help="A run's fingerprint or MLflow id (its beginning does), or an architecture: "
        "of its runs in the study worked on last, the one with the lowest validation loss."
    ),
]
Study = Annotated[str | None, typer.Option(help="Look for the run in this study only.")]


def show(run: Run, study: Study = None, json: Json = False) -> None:
    """Show one run: what was asked, its curve, its scores, and where its files are."""
    from rnnbench.page.json_text import print_json
    from rnnbench.page.screen import Screen
    from rnnbench.runs.screen import show_one
    from rnnbench.runs.show import show_run

    found = show_run(run, here(), study, Screen().warn)
    if json:
        print_json(found)
    else:
        show_one(found)


def predict(
    run: Run,
    texts: Annotated[list[str], typer.Argument(help="One text or several, each in quotes.")],
    study: Study = None,
    json: Json = False,
) -> None:
    """Say what a run's best model makes of a text, and which of its words the model knows."""
    from rnnbench.page.json_text import print_json
    from rnnbench.runs.predict import predict_text
    from rnnbench.runs.screen import show_prediction

    for prediction in (found := predict_text(run, texts, here(), study)):
        if not json:
            show_prediction(prediction)
    if json:
        print_json(found)


@flatten
def evaluate(
    run: Run,
    dataset: Annotated[
        str | None,
        typer.Option(help="A file of labelled texts; by default the run's own test half."),
    ] = None,
    study: Study = None,
    json: Json = False,
    *,
    file: FileChoices,
) -> None:
    """Score a run's best model, on the test half of its data or on a file of yours."""
    from rnnbench.datasets import OwnChoices
    from rnnbench.page.json_text import print_json
    from rnnbench.runs.predict import evaluate_run
    from rnnbench.runs.screen import show_evaluation

    chosen = given(file)
    if dataset is None and chosen:
        raise UsageError("columns are chosen for a file; say --dataset too")
    found = evaluate_run(run, dataset, OwnChoices.of(chosen).table, here(), study)
    if json:
        print_json(found)
    else:
        show_evaluation(found)
