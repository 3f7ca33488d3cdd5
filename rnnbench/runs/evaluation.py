"""How a kept model scores on some texts, and class by class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.compare.classes import ClassRow, MistakeRow, describe_predictions
from rnnbench.compare.classes_page import class_columns, tell_mistake, tell_worst
from rnnbench.compare.predictions import Predictions
from rnnbench.data.labels import read_grades
from rnnbench.output.amounts import plural
from rnnbench.page.screen import Screen
from rnnbench.page.tables import rich_table
from rnnbench.page.texts import number
from rnnbench.stats.confusions import mean_absolute_error, quadratic_kappa

_N_MISTAKES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How a model scores on some texts.

    Args:
        classes: a row for each.
        confusions: texts of each true class (row) by predicted class, in the order of `classes`.
        mistakes: the surest first.
        absolute_error, quadratic_kappa: where the classes are grades; else None.
        worst: which classes come out worst, in a sentence.
        notes: what was inferred or left out of a file, and what makes the scores optimistic.
    """

    run: str
    title: str
    data: str
    n_texts: int
    loss: float
    accuracy: float
    macro_f1: float
    classes: tuple[ClassRow, ...]
    confusions: tuple[tuple[int, ...], ...]
    mistakes: tuple[MistakeRow, ...]
    worst: str
    absolute_error: float | None = None
    quadratic_kappa: float | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """All of it; a model by itself has no section and no arm."""
        values = asdict(self)
        for row in (*values["classes"], *values["mistakes"]):
            del row["section"], row["arm"]
        return values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """What a model said of labelled texts.

    Args:
        labels: int8 `(n_texts,)`.
        loss: the mean cross-entropy.
        write_text: a text as the network saw it, by its place; empty where it cannot be shown.
        notes: what should be known of them, in sentences.
    """

    predictions: Predictions
    labels: NDArray[np.int8]
    loss: float
    write_text: Callable[[int], str] = lambda _: ""
    notes: tuple[str, ...] = ()


def evaluate_predictions(
    scores: Scores,
    names: Sequence[str],
    *,
    run: str,
    title: str,
    data: str,
    notes: tuple[str, ...] = (),
) -> Evaluation:
    """How what a model said compares with the labels.

    Args:
        names: of the classes.
    """
    found = describe_predictions([scores.predictions], scores.labels, names, scores.write_text)
    grades, (table,) = read_grades(names), found.confusions
    return Evaluation(
        run=run,
        title=title,
        data=data,
        n_texts=len(scores.labels),
        loss=scores.loss,
        accuracy=float(np.mean(scores.predictions.predicted == scores.labels)),
        macro_f1=found.macro_f1,
        classes=tuple(found.rows()),
        confusions=tuple(tuple(map(int, row)) for row in table),
        mistakes=found.mistakes,
        worst=tell_worst(found),
        absolute_error=None if grades is None else mean_absolute_error(table, grades),
        quadratic_kappa=None if grades is None else quadratic_kappa(table, grades),
        notes=notes,
    )


def show_evaluation(found: Evaluation, screen: Screen) -> None:
    """Print the scores, those of each class, and the surest mistakes."""
    say = screen.say
    say(f"run       {found.run}: {found.title}")
    say(f"data      {found.data}, {plural(found.n_texts, 'text')}")
    say(
        f"scores    accuracy {found.accuracy:.4f}, macro-F1 {found.macro_f1:.4f}, "
        f"loss {found.loss:.4f}"
    )
    if found.absolute_error is not None:
        say(
            f"grades    mean absolute error {found.absolute_error:.2f}, quadratic kappa "
            f"{number(found.quadratic_kappa)}"
        )
    for note in found.notes:
        say(f"note      {note}")
    screen.console.print()
    screen.console.print(rich_table("", class_columns(), found.classes))
    say(found.worst)
    if shown := [mistake for mistake in found.mistakes[:_N_MISTAKES] if mistake.text]:
        say("The surest mistakes, each text as the network saw it:")
        for mistake in shown:
            say(f"  {tell_mistake(mistake)}")
