"""What tuning cost and gave: budgets, tuned against textbook, how soon, and in which order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from made_up import ENVIRONMENT, curves, finished, made_up

from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import RunResult
from rnnbench.tuning.page import tuning_tables
from rnnbench.tuning.record import TuningRecord
from rnnbench.tuning.trials import Trial
from rnnbench.tuning.tuned import (
    ReachRow,
    TuningPart,
    compose_tuning_part,
    match_textbook,
    scores_compared,
    search_curve,
    textbook_loss,
)

RATE = {"learning_rate": 0.005}
BOTH = {"lstm": RATE, "gru": RATE}
SPREAD = (0.001, -0.001, 0.002, -0.002, 0.0005, -0.0005, 0.0015, -0.0015)
OTHER_MACHINE = {**ENVIRONMENT, "processor": "Xeon"}


def tuned(architecture: str, *results: RunResult | float, first: int = 0) -> list[RecordedRun]:
    """Runs with the tuned learning rate, of the seeds from `first` on."""
    return [
        made_up(architecture, seed, result, study="tuned", **RATE)
        for seed, result in enumerate(results, start=first)
    ]


def textbook(architecture: str, *results: RunResult | float, first: int = 0) -> list[RecordedRun]:
    """Runs with the textbook's values."""
    return [
        made_up(architecture, seed, result, study="textbook")
        for seed, result in enumerate(results, start=first)
    ]


def around(mean: float, sign: int = 1) -> list[float]:
    """Eight accuracies around a mean; the same seed is off by as much, in `sign`'s direction."""
    return [mean + sign * off for off in SPREAD]


def trial(number: int, value: float | None = None, rate: float = 0.005, **values: Any) -> Trial:
    """A complete trial, or a pruned one if it has no value."""
    state = "pruned" if value is None else "complete"
    fields = {"state": state, "value": value, "epochs": 30, "seconds": 12.0, **values}
    return Trial(number=number, params={"learning_rate": rate}, **fields)


def record(architecture: str, *trials: Trial, **values: Any) -> TuningRecord:
    """A search on the seeds 1000 and 1001 that is over."""
    declaration = {
        "architecture": {"name": architecture},
        "settings": {"epochs": 100},
        "space": {"learning_rate": {"low": 1e-5, "high": 0.1}},
        "tuning_seeds": [1000, 1001],
        "sampler": {"name": "tpe"},
        "pruner": "median",
        **values.pop("declaration", {}),
    }
    return TuningRecord(
        **{
            "tuning": "tuning",
            "architecture": architecture,
            "dataset": "imdb",
            "fingerprint": "ab",
            "declaration": declaration,
            "seeds": (1000, 1001),
            "n_trials": len(trials),
            "trials": trials,
            "hardware": "cpu (AMD EPYC)",
            **values,
        }
    )


TWO = (trial(0, 0.45, rate=1e-4), trial(1, 0.42))


def compose(
    runs: Sequence[RecordedRun] = (),
    others: Sequence[RecordedRun] = (),
    *records: TuningRecord,
    values: dict[str, dict[str, float]] = BOTH,
) -> TuningPart:
    return compose_tuning_part(
        values,
        match_textbook(values, runs, others),
        {each.architecture: each for each in records},
        margin=0.005,
        is_paired=True,
    )


def reach_of(runs: Sequence[RecordedRun], others: Sequence[RecordedRun]) -> ReachRow:
    (row,) = compose(runs, others).reach
    return row


def with_history(run: RecordedRun, *val_losses: float) -> RecordedRun:
    return replace(run, history=curves(*val_losses))


def test_a_budget_counts_trials_epochs_and_seconds() -> None:
    lost = trial(3, state="failed", epochs=0, seconds=0.0)
    part = compose([], [], record("lstm", *TWO, trial(2, epochs=10, seconds=4.0), lost))
    (line,) = tuning_tables(part)["tuning_budgets"].splitlines()[1:]
    assert line == "lstm,4,2,1,1,2,70,28.0,cpu (AMD EPYC),learning_rate=0.005,0.42,0.45"


def test_a_winner_that_has_learnt_nothing_is_said_with_the_budgets() -> None:
    part = compose([], [], record("lstm", trial(0, 8.1), chance_loss=0.6931), values={"lstm": RATE})
    assert part.audit[-1] == (
        "The best values for lstm have a validation loss of 8.1000, which is not below the 0.6931"
        " of always predicting the class frequencies: they have learnt nothing."
    )


def test_points_that_were_tried_again_are_said_with_the_budgets() -> None:
    twelve = record("lstm", *(trial(number, 0.4) for number in range(12)))
    part = compose([], [], twelve, values={"lstm": RATE})
    assert "the same: 12 trials of 1 distinct point in the same space" in part.audit[0]


def test_a_first_trial_elsewhere_is_not_the_textbooks() -> None:
    found = record("lstm", trial(0, 0.45, rate=2e-4))
    assert textbook_loss(found) is None


@pytest.mark.parametrize("trials", [(), (trial(0), trial(1))], ids=["not begun", "all pruned"])
def test_a_search_without_a_winner_gave_no_values(trials: tuple[Trial, ...]) -> None:
    """It was started over since."""
    part = compose([], [], record("lstm", *trials, n_trials=30))
    assert part.searches == ()
    assert part.audit == ("The searches behind these values are not in this folder.",)


def test_a_search_curve_is_the_best_so_far_and_what_other_orders_give() -> None:
    curve = search_curve(record("lstm", trial(0), trial(1, 0.45), trial(2, 0.42)))
    assert curve == {
        "best": [math.inf, 0.45, 0.42],
        "low": [0.42, 0.42, 0.42],
        "median": [0.45, 0.42, 0.42],
        "high": [math.inf, 0.45, 0.42],
    }


def test_equal_budgets_are_said_to_be_equal() -> None:
    part = compose([], [], record("lstm", *TWO), record("gru", *TWO))
    (sentence,) = part.audit
    assert sentence.startswith(
        "Every architecture was given the same: 2 trials in the same space,"
        " each on tuning seeds 1000, 1001, with the same sampler, pruner and recipe."
    )


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"space": {"learning_rate": {"low": 1e-4, "high": 0.1}}}, "space"),
        ({"tuning_seeds": [1000]}, "tuning_seeds"),
        ({"sampler": {"name": "random"}}, "sampler"),
        ({"pruner": "none"}, "pruner"),
        ({"settings": {"epochs": 20}}, "settings"),
        ({"pruner": "none", "sampler": {"name": "random"}}, "sampler, pruner"),
    ],
)
def test_an_unequal_budget_is_said_with_what_differs(other: dict[str, Any], words: str) -> None:
    part = compose([], [], record("lstm", *TWO), record("gru", *TWO, declaration=other))
    assert part.audit == (
        f"The architectures were not tuned alike: they differ in {words}. The comparison favours"
        " whoever was given more.",
    )


def test_a_search_with_fewer_trials_is_said_to_be_unequal_and_not_over() -> None:
    values = {"lstm": TWO[1].params, "gru": TWO[0].params}
    found = record("lstm", *TWO), record("gru", *TWO[:1], n_trials=2)
    part = compose([], [], *found, values=values)
    assert "they differ in trials." in part.audit[0]
    assert part.audit[1] == "Not over yet: gru."


def test_a_search_that_found_other_values_since_is_not_shown() -> None:
    part = compose([], [], record("lstm", *TWO), record("gru", trial(0, 0.4, rate=0.07)))
    assert part.audit[0].startswith("Not in this folder: the search that gave the values of gru.")
    assert [row.architecture for row in part.searches] == ["lstm"]


def test_searches_that_are_not_here_are_said_to_be_missing() -> None:
    part = compose(tuned("lstm", 0.82), textbook("lstm", 0.80))
    assert part.audit == ("The searches behind these values are not in this folder.",)
    assert part.searches == ()
    assert len(part.pairs) == 1


def test_a_search_of_an_architecture_that_the_study_does_not_tune_is_left_out() -> None:
    part = compose([], [], record("lstm", *TWO), record("simple-rnn", *TWO))
    assert [row.architecture for row in part.searches] == ["lstm"]


def test_tuned_is_compared_with_the_textbook_on_the_seeds_that_both_have() -> None:
    runs = tuned("lstm", 0.83, 0.84, 0.85)
    part = compose(runs, textbook("lstm", 0.80, 0.82, 0.70, first=1))
    assert [(row.kind, row.scores) for row in part.scores] == [
        ("textbook", (0.80, 0.82)),
        ("tuned", (0.83, 0.84, 0.85)),
    ]
    (pair,) = part.pairs
    assert (pair.section, pair.a, pair.b, pair.n_a, pair.n_b) == ("lstm", "tuned", "textbook", 2, 2)
    assert pair.difference == pytest.approx((0.84 + 0.85 - 0.80 - 0.82) / 2)


def test_a_look_keeps_the_textbooks_scores_apart_from_those_that_were_compared() -> None:
    (run,), (other,) = tuned("gru", 0.81), textbook("gru", 0.8)
    assert scores_compared({"gru": RATE}, [run], [other]) == {
        run.spec.fingerprint: 0.81,
        f"textbook {other.spec.fingerprint}": 0.8,
    }
    assert scores_compared({}, [run], [other]) == {run.spec.fingerprint: 0.81}


def test_runs_that_did_not_learn_are_no_scores_of_tuned_or_textbook() -> None:
    runs = tuned("lstm", 0.83, 0.5, 0.85, 0.86)
    others = textbook("lstm", 0.80, 0.82, 0.5, 0.81)
    lost = frozenset({runs[1].spec.fingerprint, others[2].spec.fingerprint})
    part = compose_tuning_part(
        {"lstm": RATE},
        match_textbook({"lstm": RATE}, runs, others, lost),
        {},
        margin=0.005,
        is_paired=True,
    )
    assert [row.scores for row in part.scores] == [(0.80, 0.81), (0.83, 0.85, 0.86)]
    (pair,) = part.pairs
    assert (pair.n_a, pair.is_paired) == (2, True)


def test_textbook_runs_may_belong_to_the_study_itself() -> None:
    part = compose([*tuned("lstm", 0.83, 0.84), *textbook("lstm", 0.80, 0.81)])
    assert [row.kind for row in part.scores] == ["textbook", "tuned"]


@pytest.mark.parametrize(
    "others",
    [
        [],
        textbook("lstm", 0.80, 0.81, first=5),
        textbook("gru", 0.80, 0.81),
        textbook("lstm", *[RunResult(status="failed", epochs=0)] * 2),
        [made_up("lstm", seed, 0.8, max_len=200) for seed in (0, 1)],
    ],
    ids=["none", "other seeds", "another architecture", "failed ones", "another recipe"],
)
def test_without_textbook_runs_nothing_is_compared(others: list[RecordedRun]) -> None:
    part = compose(tuned("lstm", 0.83, 0.84), others, record("lstm", *TWO))
    assert (part.scores, part.pairs, part.reach, part.ranking) == ((), (), (), ())
    assert len(part.searches) == 1


def test_runs_with_other_values_than_the_declared_are_not_the_tuned_ones() -> None:
    other = [made_up("lstm", seed, 0.9, learning_rate=0.02) for seed in (0, 1)]
    part = compose([*tuned("lstm", 0.83, 0.84), *other], textbook("lstm", 0.80, 0.81))
    assert part.scores[1].scores == (0.83, 0.84)


def test_tuned_units_are_matched_with_the_textbooks_units() -> None:
    runs = [made_up("gru", seed, 0.83, units=32, dropout=0.2, **RATE) for seed in (0, 1)]
    values = {"gru": {**RATE, "units": 32, "dropout": 0.2}}
    part = compose(runs, textbook("gru", 0.80, 0.80), values=values)
    assert [(row.kind, len(row.scores)) for row in part.scores] == [("textbook", 2), ("tuned", 2)]


def test_on_own_texts_the_textbooks_runs_are_those_of_the_race() -> None:
    mine: dict[str, Any] = {"dataset": "mine", "units": 32}
    runs = [made_up("gru", seed, 0.83, **mine, **RATE) for seed in (0, 1)]
    raced = [made_up("gru", s, 0.80, **mine, learning_rate=0.01, race="a" * 8) for s in (0, 1)]
    assert [row.kind for row in compose(runs, raced).scores] == ["textbook", "tuned"]
    twice = [made_up("gru", s, 0.70, **mine, learning_rate=0.02) for s in (0, 1)]
    assert compose(runs, [*raced, *twice]).scores == ()  # nobody knows which


def test_a_plug_in_that_is_not_installed_leaves_the_others() -> None:
    values = {"not-here": RATE, "lstm": RATE}
    part = compose(tuned("lstm", 0.83), textbook("lstm", 0.80), values=values)
    assert [row.architecture for row in part.scores] == ["lstm", "lstm"]


def test_a_score_has_its_mean_and_interval() -> None:
    part = compose(tuned("lstm", 0.83, 0.85), textbook("lstm", 0.80))
    one, two = part.scores
    assert (len(one.scores), one.mean, one.mean_t) == (1, 0.80, None)
    assert (len(two.scores), two.mean) == (2, pytest.approx(0.84))
    assert two.mean_t is not None
    # t(1) = 12.706, and the standard error is 0.01
    assert two.mean_t.low == pytest.approx(0.84 - 0.12706, abs=1e-5)


def test_reaching_the_textbooks_loss_is_counted_in_epochs_and_seconds() -> None:
    book = [finished(val_loss=loss, best_epoch=40, epoch_seconds=0.5) for loss in (0.44, 0.46)]
    a, b, c = tuned("lstm", *[finished(epoch_seconds=0.25)] * 3)
    runs = [
        with_history(a, 0.6, 0.45, 0.40),  # at the mean, 0.45, counts
        with_history(b, 0.6, 0.5, 0.46, 0.44),
        with_history(c, 0.6, 0.5),
    ]
    row = reach_of(runs, textbook("lstm", *book))
    assert (row.val_loss, row.n, row.n_reached) == (pytest.approx(0.45), 3, 2)
    assert (row.textbook_epochs, row.textbook_seconds) == (40, 20)
    assert (row.epochs, row.seconds) == (3, 0.75)


def test_what_no_tuned_run_reaches_took_no_epochs() -> None:
    row = reach_of([with_history(tuned("lstm", 0.8)[0], 0.6, math.nan)], textbook("lstm", 0.8))
    assert (row.n, row.n_reached, row.epochs, row.seconds) == (1, 0, None, None)


def test_runs_whose_history_was_not_read_are_not_counted() -> None:
    row = reach_of(tuned("lstm", 0.8, 0.8), textbook("lstm", 0.8, 0.8))
    assert (row.n, row.n_reached) == (0, 0)


def test_seconds_of_different_hardware_are_not_compared() -> None:
    runs = [with_history(tuned("lstm", 0.8)[0], 0.6, 0.4)]
    row = reach_of(runs, textbook("lstm", finished(environment=OTHER_MACHINE)))
    assert (row.textbook_seconds, row.seconds) == (None, None)
    assert (row.textbook_epochs, row.epochs) == (6, 2)


def test_rows_stand_in_the_designs_order_whatever_order_they_came_in() -> None:
    names = ("gru", "lstm-dropout", "lstm")
    part = compose(
        [run for name in names for run in tuned(name, 0.83, 0.84)],
        [run for name in names for run in textbook(name, 0.80, 0.81)],
        *(record(name, *TWO) for name in names),
        values=dict.fromkeys(names, RATE),
    )
    order = ["lstm", "lstm-dropout", "gru"]
    assert [row.architecture for row in part.searches] == order
    assert [row.architecture for row in part.scores[::2]] == order
    assert [row.section for row in part.pairs] == order
    assert [row.architecture for row in part.reach] == order


def ranked(lstm: float, gru: float, textbook_lstm: float, textbook_gru: float) -> TuningPart:
    """Two architectures of eight seeds with these mean accuracies."""
    return compose(
        tuned("lstm", *around(lstm)) + tuned("gru", *around(gru)),
        textbook("lstm", *around(textbook_lstm, -1)) + textbook("gru", *around(textbook_gru, -1)),
    )


def test_ranks_are_counted_among_tuned_and_among_textbook() -> None:
    part = ranked(0.84, 0.85, 0.80, 0.79)
    assert [(row.architecture, row.kind, row.rank) for row in part.scores] == [
        ("lstm", "textbook", 1),
        ("lstm", "tuned", 2),
        ("gru", "textbook", 2),
        ("gru", "tuned", 1),
    ]


def test_equal_means_share_a_rank() -> None:
    part = compose(
        tuned("lstm", 0.84) + tuned("gru", 0.84), textbook("lstm", 0.80) + textbook("gru", 0.80)
    )
    assert {row.rank for row in part.scores} == {1}


def test_a_changed_order_is_said() -> None:
    assert ranked(0.84, 0.85, 0.80, 0.79).ranking[0] == (
        "By mean test accuracy the order is lstm, gru with the textbook's values, and gru, lstm"
        " with tuned ones; lstm, gru change places."
    )


def test_an_order_that_stays_is_said() -> None:
    assert ranked(0.85, 0.84, 0.80, 0.79).ranking[0] == (
        "Tuning does not change the order by mean test accuracy: lstm, gru."
    )


def test_gains_and_losses_are_said_by_architecture() -> None:
    assert ranked(0.85, 0.77, 0.80, 0.79).ranking[1] == (
        "Tuned lstm is better than with the textbook's values; tuned gru is worse than with the"
        " textbook's values. Which architectures differ when all are tuned, the pairs say."
    )


def test_equivalence_is_said_and_what_is_undetermined_is_not() -> None:
    part = compose(
        tuned("lstm", *around(0.80)) + tuned("gru", *[0.7, 0.9] * 4),
        textbook("lstm", *around(0.80, -1)) + textbook("gru", *[0.9, 0.7] * 4),
    )
    assert [pair.verdict for pair in part.pairs] == ["equivalent", "undetermined"]
    assert part.ranking[1].startswith(
        "Tuned lstm is equivalent to it with the textbook's values. Which"
    )


def test_what_cannot_be_told_apart_is_said() -> None:
    wide = [0.7, 0.9] * 4
    part = compose(
        tuned("lstm", *wide) + tuned("gru", *wide),
        textbook("lstm", *wide[::-1]) + textbook("gru", *wide[::-1]),
    )
    assert part.ranking[1].startswith("For no architecture can tuned and textbook be told apart.")


def test_a_handful_of_seeds_is_too_few_to_tell() -> None:
    part = compose(
        tuned("lstm", 0.84, 0.85) + tuned("gru", 0.84, 0.85),
        textbook("lstm", 0.80, 0.81) + textbook("gru", 0.79, 0.80),
    )
    assert part.ranking[1].startswith("Too few seeds to tell tuned from textbook.")


def test_one_architecture_has_no_order() -> None:
    assert compose(tuned("lstm", 0.84), textbook("lstm", 0.80)).ranking == ()
