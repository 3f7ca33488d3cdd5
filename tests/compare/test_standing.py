"""Which look a study is at, what was planned, and what was declared after a look."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from made_up import finished, made_up

from rnnbench.compare.comparison import Comparison, Declaration, compare_runs
from rnnbench.compare.sections import divide_runs
from rnnbench.compare.standing import (
    Interim,
    Standing,
    find_standing,
    looks_that_count,
    tell_changes,
    tell_interim,
    tell_look,
)
from rnnbench.looks import Look
from rnnbench.recorded_runs import RecordedRun, scores_of
from rnnbench.specs import RunResult

DECLARED = Declaration()
FAILED = RunResult(status="failed", epochs=0, reason="ValueError: no")


def runs(n_seeds: int = 7, *architectures: str, lead: float = 0.02) -> list[RecordedRun]:
    """Each better than the next by the lead in every seed."""
    return [
        made_up(name, seed, 0.8 - place * lead - 0.0011 * (seed % 4) + 0.0003 * seed * place)
        for place, name in enumerate(architectures or ("lstm", "gru"))
        for seed in range(n_seeds)
    ]


def look_at(found: list[RecordedRun], **values: Any) -> Look:
    look = Look(
        looked_at=0.0,
        runs=scores_of(found),
        n_seeds=7,
        declaration=DECLARED.rule,
    )
    return replace(look, **values)


def compare(found: list[RecordedRun], *looks: Look, planned: set[str] | None = None) -> Comparison:
    sections = divide_runs(found, DECLARED.contrast)
    standing = find_standing(scores_of(found), sections, looks, planned, DECLARED.rule)
    return compare_runs(sections, DECLARED, lambda _: (), standing=standing)


def words(comparison: Comparison) -> list[str]:
    return [row.verdict_words for row in comparison.pairs]


def test_the_first_look_decides_at_its_own_level_and_later_ones_at_less() -> None:
    seven, ten = runs(7), runs(10)
    assert words(compare(seven)) == ["better, beyond the margin"]  # p = 0.016
    other = look_at([])
    assert words(compare(seven, other)) == ["undetermined (descriptive only)"]  # at 0.125 %
    assert compare(ten, other, look_at(seven)).look == 3


def test_what_an_earlier_look_found_stands() -> None:
    comparison = compare(runs(8), look_at(runs(7)))
    assert words(comparison) == ["better, beyond the margin, found at the first look"]
    assert comparison.pairs[0].look == 1


def test_the_same_runs_looked_at_again_are_at_the_same_look() -> None:
    seven = runs(7)
    comparison = compare(seven, look_at(seven))
    assert comparison.look == 1
    assert len(comparison.standing.earlier) < len(comparison.standing.looks)


def test_a_look_whose_runs_are_gone_counts_and_finds_nothing_any_more() -> None:
    comparison = compare(runs(7)[3:], look_at(runs(7)))
    assert (comparison.look, comparison.standing.seen) == (2, (frozenset(),))
    assert words(comparison) == ["undetermined (descriptive only)"]
    (told,) = tell_changes(comparison.pairs, comparison.standing, DECLARED.rule)
    assert told.startswith("Runs of the first look are not in this study")


def test_a_run_made_anew_until_it_fits_turns_nothing() -> None:
    anew = [replace(run, result=replace(run.result, test_accuracy=0.9)) for run in runs(7)[:1]]
    comparison = compare([*anew, *runs(7)[1:]], look_at(runs(7)))
    assert words(comparison) == ["undetermined (descriptive only)"]


def planned(found: list[RecordedRun]) -> set[str]:
    return {found[0].spec.fingerprint}


def test_before_all_planned_seeds_are_there_nothing_is_decided() -> None:
    found = [*runs(7), made_up("gru", 7), made_up("gru", 8), made_up("lstm", 7, 0.8)]
    comparison = compare(found, planned=planned(found))
    assert comparison.standing.interim == Interim(7, 9)
    assert words(comparison) == ["undetermined (interim)"]
    assert words(compare(found)) == ["better, beyond the margin"]  # nobody planned


@pytest.mark.parametrize("result", [FAILED, replace(finished(), status="diverged")])
def test_a_run_that_came_to_nothing_is_there(result: RunResult) -> None:
    found = [*runs(7), made_up("gru", 7, result), made_up("lstm", 7, 0.8)]
    assert compare(found, planned=planned(found)).standing.interim is None


def test_what_another_back_end_has_not_finished_holds_nothing_up() -> None:
    left = [made_up(name, 0, backend="torch") for name in ("lstm", "gru")]
    found = [*runs(7), *left]
    assert compare(found, planned=planned(found)).standing.interim is None


def test_an_arm_with_nothing_beside_it_holds_nothing_up() -> None:
    found = [made_up("lstm", 0, 0.8), made_up("lstm", 1)]
    assert compare(found, planned=planned(found)).standing.interim is None


def test_a_changed_margin_is_said_in_the_verdict() -> None:
    look = look_at(runs(7), declaration={**DECLARED.rule, "margin_points": 1.0})
    comparison = compare(runs(12), look)
    assert words(comparison) == ["better, beyond the margin, declared after a look"]
    (told,) = tell_changes(comparison.pairs, comparison.standing, DECLARED.rule)
    assert told.startswith("The practical margin, in points, was 1 at the first look and is 0.5")


@pytest.mark.parametrize(
    ("name", "value"), [("contrast", "units"), ("pairing", "none"), ("margin_points", 1.0)]
)
def test_what_was_found_of_other_comparisons_does_not_stand(name: str, value: str) -> None:
    seven = runs(7)
    comparison = compare(seven, look_at(seven, declaration={**DECLARED.rule, name: value}))
    assert comparison.look == 2
    assert words(comparison) == ["undetermined (descriptive only)"]
    (told,) = tell_changes(comparison.pairs, comparison.standing, DECLARED.rule)
    assert "at the first look and is" in told
    assert "now: what it found does not stand" in told


def test_where_looks_cannot_be_kept_nothing_is_decided() -> None:
    found = runs(7)
    sections = divide_runs(found, DECLARED.contrast)
    scores = scores_of(found)
    standing = find_standing(scores, sections, (), None, DECLARED.rule, is_kept=False)
    comparison = compare_runs(sections, DECLARED, lambda _: (), standing=standing)
    assert words(comparison) == ["undetermined (look not on record)"]
    assert comparison.withheld == "look not on record"


def test_a_look_of_another_study_counts_where_it_had_half_of_the_pairs() -> None:
    two, three = runs(7), runs(7, "lstm", "gru", "simple-rnn")
    four = runs(7, "lstm", "gru", "simple-rnn", "lstm-dropout")
    sections = {n: divide_runs(found, "architecture") for n, found in enumerate((two, three, four))}
    early, own = look_at(three), look_at(two, looked_at=1.0)
    count = partial(looks_that_count, contrast="architecture")
    assert count([own], [early], sections[0]) == [early, own]
    assert count([own], [early], sections[2]) == [early, own]  # three of six
    assert count([], [look_at(two)], sections[1]) == []  # one of three
    assert count([], [early], divide_runs(two, "units")) == []  # nothing compared
    other = look_at(three, declaration={**DECLARED.rule, "contrast": "order"})
    assert count([], [other], sections[0]) == []  # it had them, and compared other things
    again = look_at(two, looked_at=2.0)
    assert count([own], [again], sections[0]) == [own]


def test_an_arm_of_the_same_name_that_came_in_after_a_look_is_late() -> None:
    longer = [
        made_up(run.spec.form.cell, run.spec.seed, run.result, max_len=200) for run in runs(12)
    ]
    comparison = compare([*runs(12), *longer], look_at(runs(7)))
    late = {row.section: row.is_declared_late for row in comparison.pairs}
    assert late == {"max_len=100": False, "max_len=200": True}
    (told,) = tell_changes(comparison.pairs, comparison.standing, DECLARED.rule)
    assert told.endswith("declared after it: max_len=200: lstm, max_len=200: gru.")


def test_pairs_of_an_arm_that_came_in_after_a_look_say_so() -> None:
    found = runs(12, "lstm", "gru", "simple-rnn")
    comparison = compare(found, look_at(runs(7)))
    late = {(row.a, row.b): row.is_declared_late for row in comparison.pairs}
    assert late == {
        ("lstm", "gru"): False,
        ("lstm", "simple-rnn"): True,
        ("gru", "simple-rnn"): True,
    }
    (told,) = tell_changes(comparison.pairs, comparison.standing, DECLARED.rule)
    assert told == "Not among the runs of the first look, so declared after it: simple-rnn."


def test_looks_are_told_with_their_seeds_their_level_and_the_price_of_the_next() -> None:
    first, second = look_at([], n_seeds=8), look_at([], n_seeds=12)
    assert tell_look(Standing(), n_pairs=6, is_paired=True) == (
        "This is the first look at this study's verdicts on record here; one with more seeds "
        "would decide at 0.125 %, for which 6 pairs take at least 14 seeds."
    )
    told = tell_look(
        Standing(looks=(first, second), earlier=(first, second)), n_pairs=1, is_paired=True
    )
    assert told == (
        "This is the third look at this study's verdicts on record here (the first had 8 seeds, "
        "the second 12). Looks share 5 %, and what an earlier one found stands: this one decides "
        "at 0.042 %; the next would at 0.021 %, for which a pair takes at least 14 seeds."
    )


@pytest.mark.parametrize(
    ("interim", "words"),
    [
        (Interim(5, 10), "5 of the 10 planned seeds are there; verdicts come with the tenth."),
        (Interim(0, 21), "0 of the 21 planned seeds are there; verdicts come with the 21st."),
        (Interim(1, 3), "1 of the 3 planned seeds are there, and no verdict is given below 8."),
    ],
)
def test_an_interim_is_told_with_its_end(interim: Interim, words: str) -> None:
    assert tell_interim(interim, 8) == f"Interim: {words}"
