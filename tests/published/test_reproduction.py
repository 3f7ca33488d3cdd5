"""The notes' own procedure: comparison, page, what is refused, and `lstm` to the last decimal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnnbench.data.corpus import Corpus
from rnnbench.datasets import DatasetRef
from rnnbench.errors import UsageError
from rnnbench.published import reproduce
from rnnbench.published.notes import NotesRun, published_runs
from rnnbench.published.reproduce import reproduce_notes
from rnnbench.published.reproduction import ReproduceChoices, Reproduction, ReproductionReport
from rnnbench.published.reproduction_page import (
    describe_outcome,
    draw_reproduction,
    write_epochs,
    write_page,
    write_reproduction,
)
from rnnbench.specs import EpochRow
from rnnbench.training.notes_procedure import Fitted, Message, Score

# An epoch each: loss, accuracy, val_loss, val_accuracy.
PUBLISHED = NotesRun(
    history=(
        (0.7, 0.5, 0.6911, 0.5864),
        (0.7, 0.5, 0.6874, 0.6258),
        (0.7, 0.5, 0.6874, 0.6562),
    )
)
EXACT = [(0.691138, 0.5864), (0.687391, 0.6258), (0.687449, 0.6562)]
TEST = Score(part="test", dropout=True, loss=0.46734, accuracy=0.78476)
PLAIN = Score(part="test", dropout=False, loss=0.45, accuracy=0.79)


class Listener:
    """What a workflow said; it stands for the terminal."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def say(self, text: str) -> None:
        pass

    def downloaded(self, n_bytes: int, n_total: int | None) -> None:
        pass

    @contextmanager
    def watch_models(
        self, models: Sequence[str], epochs: int
    ) -> Iterator[Callable[[Message], None]]:
        yield self.messages.append


def measured(values: Sequence[tuple[float, float]]) -> list[EpochRow]:
    return [
        EpochRow(
            epoch=epoch,
            loss=0.7,
            accuracy=0.5,
            val_loss=loss,
            val_accuracy=accuracy,
            epoch_seconds=1.0,
            ended_at=0.0,
        )
        for epoch, (loss, accuracy) in enumerate(values, start=1)
    ]


def summary(
    values: Sequence[tuple[float, float]],
    *,
    scores: Sequence[Score] = (),
    published: NotesRun = PUBLISHED,
) -> Reproduction:
    fitted = Fitted(
        architecture="lstm",
        history=tuple(measured(values)),
        scores=tuple(scores),
        fit_seconds=1.0,
    )
    return Reproduction(published=published, fitted=fitted)


def report_of(values: Sequence[tuple[float, float]], **more: Any) -> ReproductionReport:
    return ReproductionReport(
        choices=ReproduceChoices(name="notes-2025"),
        models=(summary(values, **more),),
        environment={
            "processor": "a processor",
            **{f"version.{name}": "1" for name in ("keras", "tensorflow", "numpy", "python")},
        },
    )


def test_epochs_that_print_alike_agree() -> None:
    found = summary(EXACT)
    assert (len(found.epochs), found.n_exact) == (3, 3)
    assert found.first_difference is None
    assert (found.loss_difference, found.accuracy_difference) == (0.0, 0.0)
    assert found.is_exact


def test_first_and_largest_difference_are_told() -> None:
    found = summary([EXACT[0], (0.6879, 0.6258), (0.6871, 0.6570)])
    assert (found.n_exact, found.first_difference) == (1, 2)
    assert (found.loss_difference, found.accuracy_difference) == (0.0005, 0.0008)
    assert not found.is_exact


def test_a_difference_in_accuracy_alone_is_a_difference() -> None:
    assert summary([EXACT[0], EXACT[1], (EXACT[2][0], 0.6564)]).n_exact == 2


@pytest.mark.parametrize("values", [EXACT[:2], [*EXACT, (0.6, 0.7)]], ids=["sooner", "later"])
def test_another_last_epoch_is_not_exact(values: list[tuple[float, float]]) -> None:
    found = summary(values)
    assert found.n_exact == min(len(values), 3)
    assert not found.is_exact
    assert found.first_difference == min(len(values), 3) + 1


def test_of_equal_published_losses_the_last_is_the_best() -> None:
    assert (PUBLISHED.val_loss, PUBLISHED.best_epoch) == (0.6874, 3)
    best = summary(EXACT).best
    assert (best.val_loss, best.epoch) == (0.687391, 2)


def test_scores_are_told_apart_by_part_and_dropout() -> None:
    found = summary(EXACT, scores=[PLAIN, TEST])
    assert found.score("test", dropout=True) == TEST
    assert found.score("test", dropout=False) == PLAIN
    assert found.score("validation", dropout=False) is None


@pytest.mark.parametrize(
    ("name", "n_epochs"), [("lstm", 52), ("lstm-dropout", 33), ("lstm-stacked", 17), ("gru", 100)]
)
def test_every_published_epoch_is_read(name: str, n_epochs: int) -> None:
    assert len(published_runs("notes-2025")[name].history) == n_epochs


def test_the_outcome_tells_exact_from_near() -> None:
    assert describe_outcome(report_of(EXACT)) == (
        "Reproduced exactly, every epoch to the fourth decimal: lstm (3 epochs)."
    )
    near = report_of([*EXACT[:2], (0.68, 0.6)])
    assert describe_outcome(near) == "Not reproduced exactly: lstm (2 of 3 epochs agree)."


def test_the_csv_leaves_what_was_not_there_empty() -> None:
    rows = list(csv.DictReader(io.StringIO(write_epochs(report_of(EXACT[:2])))))
    assert [row["agrees"] for row in rows] == ["true", "true", "false"]
    assert (rows[0]["published_val_loss"], rows[0]["val_loss"]) == ("0.6911", "0.691138")
    assert (rows[2]["published_val_loss"], rows[2]["val_loss"]) == ("0.6874", "")


def test_the_page_holds_the_table_and_the_command() -> None:
    page = write_page(report_of(EXACT))
    assert "| `lstm` | 3 | 3 | 3 | none | 0.0000 | 0.0000 | 0.6874 | 0.6874 |" in page
    assert "rnnbench reproduce notes-2025" in page
    assert "scored as it is meant" not in page


def test_the_page_sets_scores_with_and_without_dropout_side_by_side() -> None:
    scores = [TEST, PLAIN, replace(PLAIN, part="validation", loss=0.4444)]
    tested = replace(PUBLISHED, test_loss=0.4673, test_accuracy=0.7848)
    page = write_page(report_of(EXACT, scores=scores, published=tested))
    assert "| `lstm` | 0.6874 | 0.4444 | 0.7848 | 0.7900 |" in page
    assert "loss 0.4673, accuracy 0.7848 in the notes; loss 0.4673, accuracy 0.7848 here" in page


@pytest.mark.parametrize("scores", [[], [replace(PLAIN, part="validation")]], ids=["", "plain"])
def test_the_figure_is_a_png(scores: list[Score]) -> None:
    assert draw_reproduction(report_of(EXACT[:2], scores=scores)).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        (ReproduceChoices(name="notes-2022"), "unknown procedure 'notes-2022'"),
        (ReproduceChoices(name="notes-2025", only=("lstmm",)), "unknown architecture 'lstmm'"),
        (ReproduceChoices(name="notes-2025", epochs=0), "--epochs must be 1 or more"),
    ],
    ids=["procedure", "architecture", "epochs"],
)
def test_what_is_not_known_is_refused(
    choices: ReproduceChoices, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=sentence):
        reproduce_notes(choices, Listener(), tmp_path)


def test_other_reviews_are_refused(
    small_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = DatasetRef(name="small", fingerprint=small_corpus.fingerprint(), origin="a test")
    monkeypatch.setattr(reproduce, "resolve_dataset", lambda *_: other)
    with pytest.raises(UsageError, match="with the published IMDB reviews only"):
        reproduce_notes(ReproduceChoices(name="notes-2025"), Listener(), tmp_path)


def test_the_command_of_the_page_names_no_path() -> None:
    choices = ReproduceChoices(name="notes-2025", only=("lstm", "gru"), jit=False, epochs=3)
    assert choices.command == "rnnbench reproduce notes-2025 --only lstm,gru --epochs 3 --no-jit"


@pytest.mark.parametrize("fitted", [None, 3, {}, {"history": 3}, {"history": [{}], "scores": []}])
def test_a_kept_model_whose_file_was_changed_is_trained_again(
    tmp_path: Path, fitted: object
) -> None:
    content = {"conditions": {"jit": "True"}, "fitted": fitted}
    (tmp_path / "lstm.json").write_text(json.dumps(content))
    assert reproduce._load_kept(tmp_path, ["lstm"], {"jit": "True"}) == {}


@pytest.mark.campaign
@pytest.mark.timeout(2400)
def test_the_first_epochs_of_lstm_come_out_exactly_and_are_kept(
    real_imdb: Path, tmp_path: Path
) -> None:
    choices = ReproduceChoices(name="notes-2025", only=("lstm",), dataset=str(real_imdb), epochs=3)
    first, again = Listener(), Listener()
    report = reproduce_notes(choices, first, tmp_path)
    assert [model.is_exact for model in report.models] == [True]
    assert [type(message) for message in first.messages][-1] is Fitted
    write_reproduction(report, tmp_path / "page")
    assert {path.name for path in (tmp_path / "page").iterdir()} == {
        "index.md",
        "epochs.csv",
        "curves.png",
    }
    assert reproduce_notes(choices, again, tmp_path) == report
    assert again.messages == []


@pytest.mark.campaign
@pytest.mark.timeout(2400)
def test_dropout_left_on_in_evaluation_gives_the_published_first_epoch(
    real_imdb: Path, tmp_path: Path
) -> None:
    choices = ReproduceChoices(
        name="notes-2025", only=("lstm-dropout", "gru"), dataset=str(real_imdb), epochs=1
    )
    report = reproduce_notes(choices, Listener(), tmp_path)
    assert [model.is_exact for model in report.models] == [True, True]
