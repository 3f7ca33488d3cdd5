"""Scores of single classes, confusions and the surest mistakes, from predictions that are kept."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_reports import HOSTILE
from made_up import made_up, only_section

from rnnbench.compare.classes import ArmClasses, describe_arms, describe_predictions
from rnnbench.compare.classes_page import (
    classes_part,
    classes_tables,
    picture_confusions,
    tell_mistake,
    tell_worst,
)
from rnnbench.compare.predictions import PREDICTIONS, take_predictions
from rnnbench.compare.sections import divide_runs
from rnnbench.data.cache import store_corpus
from rnnbench.data.corpus import Corpus
from rnnbench.data.own import make_corpus
from rnnbench.data.tables import OwnChoices, Table
from rnnbench.page.blocks import Page, Paragraph
from rnnbench.page.drawing import Picture, write_svg
from rnnbench.page.render import render_html
from rnnbench.recorded_runs import RecordedRun
from rnnbench.training.loop import pack_predictions

NAMES = ("bad", "fair", "good")
LABELS = np.array([0, 0, 1, 2], dtype=np.int8)
ONE = np.array([[0.9, 0.1, 0], [0.1, 0.9, 0], [0.8, 0.1, 0.1], [0, 0.4, 0.6]], dtype=np.float32)
OTHER = np.array([[0.9, 0.1, 0], [0.6, 0.4, 0], [1, 0, 0], [0, 0.4, 0.6]], dtype=np.float32)


def described(names: tuple[str, ...] = NAMES) -> ArmClasses:
    kept = [take_predictions(ONE), take_predictions(OTHER)]
    return describe_predictions(kept, LABELS, names, lambda place: f"text {place}", arm="gru")


def test_scores_are_means_over_the_runs_with_their_spread() -> None:
    bad, fair, good = described().rows()
    assert (bad.n_texts, bad.n_predicted, bad.n_runs) == (2, 2.5, 2)
    assert bad.recall == pytest.approx(0.75)
    assert bad.recall_sd == pytest.approx(math.sqrt(0.125))
    assert (good.precision, good.recall, good.f1, good.f1_sd) == (1, 1, 1, 0)
    assert (fair.precision, fair.recall, fair.f1) == (0, 0, 0)  # one run gave it to no text
    assert math.isnan(fair.precision_sd)


def test_each_cell_is_the_mean_of_the_runs_and_a_share_of_the_true_class() -> None:
    found = described()
    cells = {(cell.truth, cell.predicted): cell for cell in found.cells()}
    assert len(cells) == 9
    assert (cells["bad", "fair"].n_predicted, cells["bad", "fair"].share) == (0.5, 0.25)
    assert [(c.truth, c.predicted) for c in found.worst_confusions()] == [
        ("fair", "bad"),
        ("bad", "fair"),
    ]
    assert tell_worst(found).startswith("Lowest F1: 'fair' with 0.0 % (1 test text, 100 % of them")


def test_the_surest_mistake_of_the_mean_comes_first() -> None:
    first, second = described().mistakes
    assert (first.truth, first.predicted, first.text, first.n_wrong) == ("fair", "bad", "text 2", 2)
    assert first.probability == pytest.approx(0.9)
    assert (second.text, second.n_wrong, second.n_runs) == ("text 1", 1, 2)
    assert tell_mistake(first) == "'fair' taken for 'bad' (90 %): text 2"


def test_without_a_mistake_that_is_said() -> None:
    kept = [take_predictions(np.eye(3, dtype=np.float32)[LABELS])]
    found = describe_predictions(kept, LABELS, NAMES, str)
    assert found.mistakes == ()
    assert tell_worst(found) == "Every test text was given its class."
    assert "takes no class for another" in picture_confusions([found]).alt


@pytest.fixture
def corpus() -> Corpus:
    words = {"bad": "dull", "good": "fun"}
    labels = ["bad", "good"] * 20
    texts = [f"a {words[label]} film number {at}" for at, label in enumerate(labels)]
    return make_corpus("films", Table(texts=texts, labels=labels), OwnChoices())[0]


def run_with(folder: Path, corpus: Corpus, probability: list[float], seed: int = 0) -> RecordedRun:
    place = folder / str(seed)
    place.mkdir()
    (place / PREDICTIONS).write_bytes(pack_predictions(np.array(probability, dtype=np.float32)))
    data = {"dataset": "films", "fingerprint": store_corpus(corpus), "num_words": 6, "max_len": 4}
    return made_up("lstm", seed, 0.8, run={"folder": place}, **data)


def test_a_text_is_shown_as_the_network_saw_it(tmp_path: Path, corpus: Corpus) -> None:
    n = corpus.test.n_reviews
    run = run_with(tmp_path, corpus, [1.0] * n)
    (arm,) = describe_arms([only_section([run])])
    assert arm.confusions.tolist() == [[[0, n // 2], [0, n // 2]]]
    assert {mistake.truth for mistake in arm.mistakes} == {"bad"}
    # Two words are known, the start of the text is cut, and its number is in no training text.
    assert arm.mistakes[0].text.split()[-1] == "[?]"
    assert len(arm.mistakes[0].text.split()) == 4


def test_runs_on_imdb_and_predictions_of_other_texts_are_left_out(
    tmp_path: Path, corpus: Corpus
) -> None:
    short = run_with(tmp_path, corpus, [1.0])
    assert describe_arms([only_section([short])]) == ()
    assert describe_arms([only_section([made_up("lstm", 0, 0.8)])]) == ()


def test_where_no_run_learned_the_part_is_of_the_finished_ones_and_says_so(
    tmp_path: Path, corpus: Corpus
) -> None:
    run = run_with(tmp_path, corpus, [1.0] * corpus.test.n_reviews)
    (section,) = divide_runs([run], "architecture", unlearned=frozenset({run.spec.fingerprint}))
    found = describe_arms([section])
    assert "No run learned; this is what they make of the test texts. " in told(*found)
    assert "'bad', which is never predicted" in told(*found)
    assert "finished runs, none of which learned, ±" in told(*found)


def told(*arms: ArmClasses) -> str:
    return " ".join(b.text for b in classes_part(arms).blocks if isinstance(b, Paragraph))


def test_equal_arms_are_named_together_and_sections_not_ranked() -> None:
    gru = described()
    lstm = replace(gru, arm="lstm")
    assert told(gru, lstm).startswith("gru and lstm have the same highest mean macro-F1. In detail")
    short = [replace(each, section="max_len=5") for each in (gru, lstm)]
    worse = replace(lstm, confusions=lstm.confusions[:, ::-1])
    text = told(gru, worse, *short)
    assert text.startswith("gru has the highest mean macro-F1. max_len=5: gru and lstm have the")
    assert "highest" not in told(gru, short[1])


@pytest.mark.parametrize("n_classes", [2, 12, 21])
def test_odd_names_of_classes_are_drawn_and_written(n_classes: int) -> None:
    names = tuple(f"{HOSTILE} \u05d0\u05d1 \x1b[31m {'x' * 10_000} {at}" for at in range(n_classes))
    labels = np.arange(n_classes, dtype=np.int8)
    probability = np.roll(np.eye(n_classes, dtype=np.float32), 1, axis=1)
    found = describe_predictions([take_predictions(probability)], labels, names, str, arm="gru")
    part = classes_part([found])
    pictures = [block for block in part.blocks if isinstance(block, Picture)]
    assert len(pictures) == (n_classes <= 20)
    assert all("<script" not in write_svg(picture) for picture in pictures)
    page = Page(study="s", description="", made_at="", parts=(part,))
    html = render_html(page, has_csv=True)
    assert "<script>alert" not in html
    assert "\x1b" not in html + "".join(classes_tables([found]).values())
    assert len(html) < 300_000
