"""What a model card says of networks and of how they were trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from made_archives import make_ledger

from rnnbench.recorded_runs import find_runs
from rnnbench.reports.report import find_declaration
from rnnbench.runs.card import write_card


def card_of(tmp_path: Path, dataset: str = "imdb") -> str:
    """That of a run on such texts."""
    (run,) = find_runs(make_ledger(tmp_path), "made-up")
    data = replace(run.spec.data, dataset=dataset)
    spec = replace(run.spec, data=data, recipe=replace(run.spec.recipe, patience=5))
    run = replace(run, spec=spec)
    return write_card("made-up", [run], find_declaration("made-up", []), "s.zip")


def test_a_card_says_when_training_ended_and_how_texts_are_asked(tmp_path: Path) -> None:
    card = card_of(tmp_path)
    assert "1 network for classifying texts" in card
    assert "each with what cuts texts into the tokens" in card
    assert "had not gone below its lowest for 5 epochs" in card
    assert "rnnbench predict" in card
    assert "Seeds: 1, all on one split of the texts. Others were not measured." in card


def test_a_card_of_synthetic_reviews_promises_no_answers(tmp_path: Path) -> None:
    card = card_of(tmp_path, "synthetic")
    for words in ("what cuts texts", "a text", "gets no answer", "texts.csv"):
        assert words not in card.replace("of a text apart", ""), words
    assert "rnnbench report made-up" in card
