"""Runs that did not learn: when a run is one, how many there are, and which arm has more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made_up import finished, made_up

from rnnbench.compare.baseline import find_floor
from rnnbench.compare.comparison import find_unlearned
from rnnbench.compare.rows import ArmRow
from rnnbench.compare.unlearned import UnlearnedRow, tell_unlearned, unlearned_blocks
from rnnbench.data.cache import split_indices, store_corpus
from rnnbench.data.corpus import Corpus, Half
from rnnbench.page.blocks import Block, Paragraph
from rnnbench.page.tables import Table
from rnnbench.specs import DataSpec, RunResult
from rnnbench.stats.shares import fisher_p, share_interval

if TYPE_CHECKING:
    from conftest import MakeSpec  # of several modules of that name the first is imported


def arm(name: str, n: int, n_unlearned: int = 0, **values: Any) -> ArmRow:
    return ArmRow(**{"section": "", "arm": name, "n": n, "n_unlearned": n_unlearned, **values})


def blocks(*arms: ArmRow) -> list[Block]:
    return [block for block in unlearned_blocks(arms, ("",)) if block is not None]


def lines(*arms: ArmRow) -> list[list[str]]:
    """Every row of every table, as the page writes it."""
    tables = [block for block in blocks(*arms) if isinstance(block, Table)]
    return [table.write(row) for table in tables for _, rows in table.shown for row in rows]


# Of n the share that leaves all or none with 2.5 % is 0.025^(1/n); the others are from the tables
# of Clopper and Pearson (1934).
@pytest.mark.parametrize(
    ("n_yes", "n", "low", "high"),
    [
        (0, 10, 0.0, 1 - 0.025 ** (1 / 10)),
        (10, 10, 0.025 ** (1 / 10), 1.0),
        (0, 1, 0.0, 0.975),
        (3, 10, 0.0667, 0.6525),
        (4, 10, 0.1216, 0.7376),
    ],
)
def test_the_interval_of_a_share_by_hand(n_yes: int, n: int, low: float, high: float) -> None:
    found = share_interval(n_yes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("n_unlearned", "words"),
    [(0, "0 of 10 (up to 31 %)"), (3, "3 of 10 (7 to 65 %)"), (10, "10 of 10 (69 to 100 %)")],
)
def test_a_count_says_how_far_it_reaches(n_unlearned: int, words: str) -> None:
    interval = share_interval(n_unlearned, 10)
    row = UnlearnedRow(section="", arm="gru", n=10, n_unlearned=n_unlearned, interval=interval)
    assert row.words == words


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [
        ((5, 10), (0, 10), 2 * 252 / 15_504),  # C(10, 5) of C(20, 5), at either end
        ((4, 10), (0, 10), 2 * 210 / 4_845),  # C(10, 4) of C(20, 4)
        ((3, 3), (0, 3), 2 / 20),
        ((2, 10), (2, 10), 1.0),
        ((0, 10), (0, 10), 1.0),
    ],
)
def test_fishers_p_by_hand(a: tuple[int, int], b: tuple[int, int], p: float) -> None:
    assert fisher_p(*a, *b) == pytest.approx(p)
    assert fisher_p(*b, *a) == pytest.approx(p)


def told(*arms: ArmRow, look: int = 1) -> list[str]:
    return tell_unlearned(arms, look)


def test_five_of_ten_against_none_is_more_often_and_four_is_not() -> None:
    """p = 0.033 and 0.087."""
    count = "gru: 4 of 10 (12 to 74 %) of the runs did not learn or diverged; scores are compared"
    assert told(arm("lstm", 10), arm("gru", 6, 4)) == [f"{count} among those that learned."]
    assert told(arm("lstm", 10), arm("gru", 5, 5))[1:] == [
        "gru fails to learn more often than lstm."
    ]


def test_diverged_runs_count_with_those_that_did_not_learn_and_failed_ones_do_not() -> None:
    row = arm("gru", 5, 2, n_diverged=3, n_failed=4, n_missing=1)
    assert told(arm("lstm", 10), row)[0].startswith("gru: 5 of 10 ")


def test_a_second_look_has_less_to_spend_here_too() -> None:
    assert len(told(arm("lstm", 10), arm("gru", 5, 5), look=2)) == 1


def test_all_pairs_with_such_runs_are_one_family() -> None:
    """Twice 0.033, of two pairs, is not enough; the pair without such runs is no test."""
    three = [arm("lstm", 10), arm("lstm-stacked", 10), arm("gru", 5, 5)]
    assert len(told(*three)) == 1
    assert [line[-1] for line in lines(*three)[3:]] == ["0.065", "0.065"]


def test_sections_are_not_compared_with_each_other() -> None:
    rows = [arm("gru", 10, section="units=2"), arm("gru", 2, 8, section="units=4")]
    (only,) = told(*rows)
    assert only.startswith("units=4: gru: 8 of 10 ")


def test_where_every_run_learned_the_page_says_how_sure_that_is() -> None:
    bag = arm("bag of words", 1, is_baseline=True)
    (only,) = blocks(arm("lstm", 12), arm("gru", 10), bag)
    assert isinstance(only, Paragraph)
    sentence = "In the smallest arm 0 of 10 (up to 31 %) did not."
    assert only.text.endswith(sentence)
    assert told(arm("lstm", 12), arm("gru", 10), bag) == []


def test_an_arm_of_which_no_run_learned_is_counted_and_one_without_runs_is_not() -> None:
    rows = lines(arm("lstm", 10), arm("gru", 0, 10), arm("rnn", 0, n_failed=3))
    assert rows[:2] == [
        ["lstm", "10", "0", "0.00", "[0.00, 30.85]"],
        ["gru", "10", "10", "100.00", "[69.15, 100.00]"],
    ]
    assert rows[2:] == [
        ["lstm and gru", "0 of 10 (up to 31 %)", "10 of 10 (69 to 100 %)", "< 0.001"]
    ]


def test_without_runs_nothing_is_counted() -> None:
    assert blocks(arm("gru", 0, n_failed=2)) == []
    assert blocks() == []


def unlearned(results: Sequence[RunResult | None], floor: float | None = 0.6) -> list[int]:
    """The seeds of the runs that did not learn."""
    runs = [made_up("gru", seed, result) for seed, result in enumerate(results)]
    found = find_unlearned(runs, lambda _: floor) or ()
    return [run.spec.seed for run in runs if run.spec.fingerprint in found]


def test_a_run_has_to_pass_the_floor_in_validation() -> None:
    accuracies = (0.5, 0.6, 0.6001, 0.9)
    assert unlearned([finished(0.9, val_accuracy=each) for each in accuracies]) == [0, 1]


def test_what_is_not_finished_or_not_known_is_not_called_unlearned() -> None:
    failed = RunResult(status="failed", epochs=1, val_accuracy=0.5)
    assert unlearned([None, failed, finished(val_accuracy=None)]) == []
    assert unlearned([finished(val_accuracy=0.1)], floor=None) == []
    assert find_unlearned([made_up("gru", 0, finished(val_accuracy=0.1))], lambda _: None) is None


def test_the_floor_of_the_same_reviews_is_asked_for_once() -> None:
    asked: list[DataSpec] = []

    def floor(data: DataSpec) -> float:
        asked.append(data)
        return 0.6

    find_unlearned([made_up("gru", seed, 0.8) for seed in range(5)], floor)
    find_unlearned([made_up("gru", seed, 0.8, split_seed=seed) for seed in range(3)], floor)
    assert len(asked) == 1 + 3


def test_the_floor_is_the_commonest_class_and_a_bit(
    small_corpus: Corpus, make_spec: MakeSpec
) -> None:
    """13 of 64 reviews are held out, and 1.645 standard errors of their share come on top."""
    data = make_spec().data
    split = split_indices(data.fingerprint, test_size=0.2, random_state=data.split_seed)
    commonest = np.bincount(small_corpus.train.labels[split.train]).argmax()
    n = int(np.sum(small_corpus.train.labels[split.validation] == commonest))
    assert len(split.validation) == 13
    expected = n / 13 + 1.645 * (n * (13 - n) / 13**3) ** 0.5
    assert find_floor(data) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("validation", "class_weight"),
    [([0] * 198 + [1] * 2, "none"), ([0] * 18 + [1] * 2, "none"), ([0, 0, 1], "balanced")],
)
def test_a_run_that_is_always_right_has_learned(validation: list[int], class_weight: str) -> None:
    """The standard errors of these few, or of a class so rare, lead beyond 1."""
    labels = np.array([0] * 20 + [1] * 2 + validation, dtype=np.int8)
    n = len(labels)
    tokens, offsets = np.ones(n, dtype=np.int32), np.arange(n + 1, dtype=np.int64)
    half = Half(tokens=tokens, offsets=offsets, labels=labels)
    corpus = Corpus(
        name="rare", train=half, test=half, n_validation=len(validation), vocabulary=("a",)
    )
    of = {"fingerprint": store_corpus(corpus), "dataset": "rare", "class_weight": class_weight}
    runs = [
        made_up("gru", seed, finished(val_accuracy=score, val_macro_recall=score), **of)
        for seed, score in enumerate((1.0, 1 - 1 / len(validation)))
    ]
    assert find_unlearned(runs, find_floor) == {runs[1].spec.fingerprint}


def test_reviews_that_are_not_here_have_no_floor() -> None:
    assert find_floor(DataSpec(dataset="imdb", fingerprint="ab" * 32)) is None


def test_a_run_with_class_weights_has_to_find_the_classes_instead(small_corpus: Corpus) -> None:
    """Of 13 validation reviews; half of the classes' mean recall is chance."""
    on = {"fingerprint": small_corpus.fingerprint(), "class_weight": "balanced"}
    runs = [
        made_up("gru", seed, finished(val_accuracy=0.1, val_macro_recall=recall), **on)
        for seed, recall in enumerate((0.5, 0.7, 0.8, None))
    ]
    unlearned = find_unlearned(runs, lambda _: 0.99)
    assert unlearned == {run.spec.fingerprint for run in runs[:2]}


def test_by_macro_f1_a_run_has_to_find_the_classes_where_that_was_kept(
    small_corpus: Corpus,
) -> None:
    """Who finds a rare class may be no more accurate than who never names it."""
    on = {"fingerprint": small_corpus.fingerprint()}
    kept = [(0.9, 0.5), (0.1, 0.8), (0.9, None), (0.1, None)]
    runs = [
        made_up("gru", seed, finished(val_accuracy=accuracy, val_macro_recall=recall), **on)
        for seed, (accuracy, recall) in enumerate(kept)
    ]
    seeds = {run.spec.fingerprint: run.spec.seed for run in runs}
    found = find_unlearned(runs, lambda _: 0.6, "test_macro_f1") or ()
    assert sorted(seeds[each] for each in found) == [0, 3]
    by_accuracy = find_unlearned(runs, lambda _: 0.6) or ()
    assert sorted(seeds[each] for each in by_accuracy) == [1, 3]


def test_the_page_says_what_a_run_with_class_weights_has_to_pass() -> None:
    found = [*unlearned_blocks([arm("gru", 9)], ("",), {"recall, weighted"})]
    assert isinstance(found[0], Paragraph)
    assert "recall of the classes in validation lies above one over their number" in found[0].text
    (both,) = unlearned_blocks([arm("gru", 9)], ("",), {"accuracy", "recall, weighted"})
    assert isinstance(both, Paragraph)
    assert "standard errors or, with class weights, its mean recall" in both.text
    (old,) = unlearned_blocks([arm("gru", 9)], ("",), {"accuracy", "recall, by macro-F1"})
    assert isinstance(old, Paragraph)
    assert "standard errors or, where that was kept, its mean recall" in old.text
