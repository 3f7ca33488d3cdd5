"""What reports ask of texts, told by the cache or by what came with a study."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rnnbench.compare.baseline import find_floor
from rnnbench.data.corpus import Corpus
from rnnbench.data.dataset import chance_recall
from rnnbench.data.describe import Findings, Repeats
from rnnbench.data.linear_scores import LinearScores
from rnnbench.data.sight import Sight
from rnnbench.data.text_summaries import (
    BASELINE_HARDWARE,
    SplitCounts,
    TextSummary,
    count_split,
    find_summary,
    parse_summary,
    summaries_at_hand,
    summarise_texts,
)
from rnnbench.errors import DataError
from rnnbench.formats import FormatError
from rnnbench.ledger import Ledger

if TYPE_CHECKING:
    from conftest import MakeSpec  # of several modules of that name the first is imported

SCORES = LinearScores(
    val_loss=0.6,
    val_accuracy=0.7,
    train_loss=0.5,
    test_loss=0.6,
    test_accuracy=0.75,
    test_macro_f1=0.7,
    n_parameters=30,
    fit_seconds=0.1,
    test_right="1110",
)
BASELINE = {**asdict(SCORES), BASELINE_HARDWARE: "a processor"}
OWN = TextSummary(
    classes=("blame", "praise"),
    test_labels=np.array([0, 1, 1, 0], np.int8),
    is_own=True,
    splits={(0.2, 42): SplitCounts(train=(6, 5), validation=(2, 1))},
    sight=Sight(max_len=12, num_words=30),
    findings=Findings(
        class_counts={"blame": [6, 2, 2], "praise": [5, 1, 2]},
        repeats=Repeats(n_duplicates={"test": 1}, dropped=False, n_contradictory=2),
        html_share=0.5,
        n_words=40,
        cut_texts={12: 0.1},
        lost_words={30: 0.2},
        max_len=12,
        num_words=30,
    ),
    baselines={"a" * 16: BASELINE},
)


def test_what_was_kept_tells_what_the_cache_told(small_corpus: Corpus, make_spec: MakeSpec) -> None:
    data = make_spec().data
    kept = parse_summary(summarise_texts([data, replace(data, split_seed=1)], {}).to_json())
    elsewhere = replace(data, fingerprint="ab" * 32)
    with summaries_at_hand({elsewhere.fingerprint: kept}):
        for split_seed in (42, 1):
            here, there = (replace(each, split_seed=split_seed) for each in (data, elsewhere))
            assert count_split(there) == count_split(here)
            assert find_floor(there) == find_floor(here)
            assert chance_recall(there) == chance_recall(here)
        labels = find_summary(elsewhere).test_labels
        assert labels.tolist() == small_corpus.test.labels.tolist()
        with pytest.raises(DataError):
            count_split(replace(elsewhere, split_seed=7))
    with pytest.raises(DataError):
        find_summary(elsewhere)


def test_what_two_studies_tell_of_the_same_texts_is_kept_together(tmp_path: Path) -> None:
    said: list[str] = []
    ledger = Ledger(tmp_path, on_problem=said.append)
    split = {(0.2, 7): SplitCounts(train=(7, 4), validation=(1, 2))}
    second = replace(OWN, splits=split, baselines={"b" * 16: BASELINE})
    for summary in (OWN, second, OWN):
        ledger.keep_summary("ab" * 32, summary)
    kept = ledger.summaries(["ab" * 32])["ab" * 32]
    assert kept.splits == {**OWN.splits, **split}
    assert kept.baselines.keys() == {"a" * 16, "b" * 16}
    assert not said


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"classes": ("blame", "other"), "findings": None}, "the classes are others"),
        ({"test_labels": np.array([1, 0, 1, 0], np.int8)}, "the labels are others"),
        ({"splits": {(0.2, 42): SplitCounts(train=(5, 5), validation=(3, 1))}}, "a split is"),
        ({"splits": {(0.2, 7): SplitCounts(train=(9, 9), validation=(2, 1))}}, "counted alike"),
    ],
)
def test_what_contradicts_the_first_study_is_told_and_left_out(
    tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    said: list[str] = []
    ledger = Ledger(tmp_path, on_problem=said.append)
    ledger.keep_summary("ab" * 32, OWN)
    before = ledger.summary_file("ab" * 32).read_bytes()
    ledger.keep_summary("ab" * 32, replace(OWN, **changed))
    assert ledger.summary_file("ab" * 32).read_bytes() == before
    (sentence,) = said
    assert why in sentence


def refused(change: Callable[[dict[str, Any]], object]) -> str:
    """Why a summary is, of which something was changed."""
    values = json.loads(OWN.to_json())
    assert parse_summary(json.dumps(values).encode()).findings == OWN.findings
    change(values)
    with pytest.raises(FormatError) as caught:
        parse_summary(json.dumps(values).encode())
    return str(caught.value)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"html_share": "0.5"}, "what of HTML"),
        ({"html_share": True}, "what of HTML"),
        ({"strips_html": 0}, "what of HTML"),
        ({"cut_texts": {}}, "cut_texts"),
        ({"cut_texts": {"12": "0.1"}}, "cut_texts"),
        ({"lost_words": {"30": 1e300}}, "lost_words"),
        ({"n_words": 4.5}, "whole number"),
        ({"class_counts": {"blame": [6, 2, 1], "praise": [5, 1, 3]}}, "as they are labelled"),
        ({"class_counts": {"blame": [60, 2, 2], "praise": [5, 1, 2]}}, "counted alike"),
        ({"class_counts": {"blame": [6, 2, 2.0], "praise": [5, 1, 2]}}, "in each part"),
    ],
)
def test_findings_that_no_texts_have_are_refused(changed: dict[str, Any], why: str) -> None:
    assert why in refused(lambda values: values["findings"].update(changed))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"n_duplicates": {"test": 2**31}}, "earlier part than there are"),
        ({"n_duplicates": {"test": True}}, "earlier part than there are"),
        ({"n_duplicates": {"others": 1}}, "which texts"),
        ({"dropped": 1}, "which texts"),
        ({"n_contradictory": 19}, "different labels than there are"),
    ],
)
def test_no_more_texts_repeat_than_there_are(changed: dict[str, Any], why: str) -> None:
    assert why in refused(lambda values: values["findings"]["repeats"].update(changed))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"test_accuracy": 7}, "test_accuracy must be from 0 to 1"),
        ({"test_accuracy": 0.5}, "is not what it scores"),
        ({"test_accuracy": None}, "test_accuracy is not a number"),
        ({"test_accuracy": True}, "test_accuracy is not a number"),
        ({"n_parameters": 1.5}, "whole number"),
        ({"val_loss": -1}, "val_loss must be"),
        ({"test_right": "111"}, "is not what it scores"),
        ({"test_right": "112?"}, "0 or 1"),
        ({"hardware": 5}, "printable"),
        ({"stranger": 1}, "stranger"),
    ],
)
def test_scores_that_no_baseline_has_are_refused(changed: dict[str, Any], why: str) -> None:
    assert why in refused(lambda values: values["baselines"]["a" * 16].update(changed))


def test_a_sight_of_nothing_is_refused() -> None:
    assert "see nothing" in refused(lambda values: values["sight"].update(num_words=0))


def test_a_baseline_is_called_by_its_settings() -> None:
    assert "digest" in refused(lambda values: values.update(baselines={"../x": BASELINE}))
