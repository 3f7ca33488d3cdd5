"""The first sentences of a report, and its warnings, from rows alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from made_reports import EMPTY

from rnnbench.compare.answer import warn_of, write_answer
from rnnbench.compare.comparison import Comparison, Declaration
from rnnbench.compare.outcome import Outcome
from rnnbench.compare.rows import ArmRow, PairRow, PairUncertainty
from rnnbench.compare.uncertainty import Uncertainty
from rnnbench.compare.verdicts import Verdict
from rnnbench.stats.intervals import Interval

MARGIN = 0.005


def arm(name: str, accuracy: float | None = 0.8, **values: Any) -> ArmRow:
    defaults: dict[str, Any] = {
        "section": "",
        "arm": name,
        "n": 0 if accuracy is None else 10,
        "test_accuracy": accuracy,
        "epoch_seconds": 0.5,
        "fit_seconds": 20.0,
        "hardware": "cpu (AMD EPYC)",
    }
    return ArmRow(**{**defaults, **values})


def pair(a: str, b: str, verdict: Verdict, difference: float, **values: Any) -> PairRow:
    decided = verdict in ("better", "worse")
    defaults: dict[str, Any] = {
        "section": "",
        "a": a,
        "b": b,
        "n_a": 10,
        "n_b": 10,
        "is_paired": True,
        "correlation": 0.5,
        "difference": difference,
        "difference_interval": None,
        "typical": difference,
        "probability": None,
        "probability_interval": None,
        "p": None,
        "p_holm": None,
        "n_family": 1,
        "margin": MARGIN,
        "verdict": verdict,
        "size": ("beyond" if abs(difference) > MARGIN else "within") if decided else None,
        "is_descriptive_only": False,
    }
    return PairRow(**{**defaults, **values})


def on_other_reviews(
    pair: PairRow, verdict: Verdict, both_se: float | None = 0.001
) -> PairUncertainty:
    return PairUncertainty(
        section=pair.section,
        a=pair.a,
        b=pair.b,
        seed_se=None,
        review_se=None,
        both_se=both_se,
        both_interval=None,
        opposite=None,
        n_opposite_seeds=None,
        n_seeds=10,
        seeds_needed=None,
        new_reviews=verdict,
        new_reviews_size=pair.size if verdict == pair.verdict else None,
    )


def compared(
    arms: list[ArmRow],
    pairs: list[PairRow] | None = None,
    n_test: int | None = None,
    uncertainty: list[PairUncertainty] | None = None,
) -> Comparison:
    return replace(
        EMPTY.comparison,
        declared=Declaration(margin_points=100 * MARGIN),
        arms=tuple(arms),
        pairs=tuple(pairs or ()),
        uncertainty=Uncertainty((), tuple(uncertainty or ())),
        n_test=n_test,
    )


def warn(
    arms: list[ArmRow],
    pairs: list[PairRow] | None = None,
    n_test: int | None = None,
    **values: Any,
) -> tuple[str, ...]:
    return warn_of(compared(arms, pairs, n_test), **values)


def answer(
    arms: list[ArmRow],
    pairs: list[PairRow],
    uncertainty: list[PairUncertainty] | None = None,
) -> tuple[str, ...]:
    return write_answer(compared(arms, pairs, uncertainty=uncertainty))


OPEN = pair("lstm", "gru", "undetermined", 0.001)


def test_the_best_is_named_with_its_score_and_what_it_beats() -> None:
    best = arm("lstm", 0.8030, test_accuracy_t=Interval(0.8012, 0.8048))
    first, second, *_ = answer([best, arm("gru", 0.7982)], [pair("lstm", "gru", "better", 0.0048)])
    assert first == (
        "lstm has the highest mean test accuracy, 80.30 % [80.12, 80.48] over 10 seeds."
    )
    assert second == (
        "It is typically better than gru (by 0.48 points, within the margin); the margin is 0.5"
        " points."
    )


def test_a_pair_that_names_the_best_second_tells_the_same() -> None:
    arms = [arm("gru", 0.79), arm("lstm", 0.80)]
    second = answer(arms, [pair("gru", "lstm", "worse", -0.01)])[1]
    assert second.startswith("It is typically better than gru (by 1.00 points, beyond the margin)")


def test_what_is_equivalent_and_what_is_open_is_told_apart() -> None:
    arms = [arm("lstm", 0.803), arm("dropout", 0.802), arm("gru", 0.801), arm("rnn", 0.79)]
    pairs = [
        pair("lstm", "dropout", "equivalent", 0.001),
        pair("lstm", "gru", "undetermined", 0.002),
        pair("lstm", "rnn", "better", 0.013),
        pair("dropout", "gru", "undetermined", 0.001),
        pair("dropout", "rnn", "better", 0.012),
    ]
    _, second, third, *_ = answer(arms, pairs)
    assert second == (
        "It is typically better than rnn (by 1.30 points, beyond the margin); equivalent to"
        " dropout; not distinguishable from gru; the margin is 0.5 points."
    )
    assert third == "Not told apart among the others: dropout and gru."


def test_many_open_pairs_are_counted() -> None:
    others = [f"arm-{index}" for index in range(5)]
    pairs = [pair("best", other, "better", 0.01) for other in others]
    pairs += [pair(a, b, "undetermined", 0.0) for a in others for b in others if a < b]
    told = answer([arm("best", 0.9), *map(arm, others)], pairs)[2]
    assert told.endswith("arm-0 and arm-4; and 6 more pairs.")


LSTM_GRU = pair("lstm", "gru", "better", 0.01)
LSTM_RNN = pair("lstm", "rnn", "better", 0.02)


@pytest.mark.parametrize(
    ("of_gru", "of_rnn", "sentence"),
    [
        ("better", "better", "That holds for other test reviews as well."),
        (
            "undetermined",
            "better",
            "That holds on these test reviews; for others it is shown of lstm and rnn.",
        ),
        (
            "undetermined",
            "undetermined",
            "That holds on these test reviews; for others none of it is shown.",
        ),
        (None, None, "That holds on these test reviews; for others it was not measured."),
        (
            None,
            "better",
            "That holds on these test reviews; for others it is shown of lstm and rnn.",
        ),
    ],
    ids=["both", "one", "none", "not measured", "one not measured"],
)
def test_the_answer_says_on_which_reviews_it_holds(
    of_gru: Verdict | None, of_rnn: Verdict | None, sentence: str
) -> None:
    rows = [
        on_other_reviews(found, verdict or "undetermined", 0.001 if verdict else None)
        for found, verdict in ((LSTM_GRU, of_gru), (LSTM_RNN, of_rnn))
    ]
    arms = [arm("lstm", 0.82), arm("gru", 0.81), arm("rnn", 0.80)]
    assert answer(arms, [LSTM_GRU, LSTM_RNN], rows)[2] == sentence


def test_where_nothing_is_decided_nothing_is_said_of_other_reviews() -> None:
    arms = [arm("lstm", 0.81), arm("gru", 0.80)]
    found = answer(arms, [OPEN], [on_other_reviews(OPEN, "better")])
    assert not any("test reviews" in sentence for sentence in found)


def test_too_few_seeds_decide_nothing() -> None:
    arms = [arm("lstm", 0.81, n=3), arm("gru", 0.80, n=3)]
    found = answer(arms, [pair("lstm", "gru", "undetermined", 0.01, is_descriptive_only=True)])
    assert found[0].endswith("81.00 % over 3 seeds; too few seeds to say whether that is luck.")
    assert not any("better than" in sentence for sentence in found)


def test_one_arm_with_few_seeds_does_not_silence_the_others() -> None:
    arms = [arm("lstm", 0.81), arm("gru", 0.80), arm("rnn", 0.79, n=3)]
    pairs = [
        pair("lstm", "gru", "better", 0.01),
        pair("lstm", "rnn", "undetermined", 0.02, is_descriptive_only=True),
        pair("gru", "rnn", "undetermined", 0.01, is_descriptive_only=True),
    ]
    second = answer(arms, pairs)[1]
    assert "typically better than gru" in second
    assert "on too few seeds to be compared with rnn" in second


def test_the_highest_mean_may_be_typically_worse() -> None:
    """It has more seeds than the other, or the other has a run that collapsed."""
    arms = [arm("lstm", 0.81, n=20), arm("gru", 0.80)]
    second = answer(arms, [pair("lstm", "gru", "worse", 0.01, typical=-0.002, size="within")])[1]
    assert "typically worse than gru (by 0.20 points, within the margin)" in second


def test_one_arm_has_nothing_to_be_compared_with() -> None:
    (only,) = answer([arm("lstm", 0.8, n=1)], [])
    assert only.endswith("80.00 % over 1 seed; there is nothing to compare it with.")


@pytest.mark.parametrize("arms", [[], [arm("lstm", None)]], ids=["no runs", "all failed"])
def test_no_finished_run_says_so(arms: list[ArmRow]) -> None:
    assert answer(arms, []) == ("No run has finished yet: there is nothing to say.",)


def test_runs_that_all_came_to_nothing_are_not_waited_for() -> None:
    lost = [arm("lstm", None, n_diverged=2), arm("gru", None, n_diverged=1, n_failed=1)]
    assert answer(lost, []) == ("No run has a score to compare: 1 failed and 3 diverged.",)


def test_runs_that_did_not_learn_are_no_scores_to_compare() -> None:
    lost = [arm("lstm", None, n_unlearned=3), arm("gru", None, n_unlearned=2, n_diverged=1)]
    first, *_ = answer(lost, [])
    assert first == "No run has a score to compare: 1 diverged and 5 did not learn."


def test_runs_that_still_train_are_waited_for() -> None:
    found = answer([arm("lstm", None, n_unlearned=3, n_missing=1)], [])
    assert found == ("No run has finished yet: there is nothing to say.",)


def test_the_answer_says_which_arm_fails_to_learn_more_often() -> None:
    """Five of ten against none of ten: p = 2 · C(10, 5) / C(20, 5) = 0.033."""
    arms = [arm("lstm", n=5, n_unlearned=5), arm("gru", 0.7)]
    assert answer(arms, [OPEN])[-2:] == (
        "lstm: 5 of 10 (19 to 81 %) of the runs did not learn or diverged; scores are compared"
        " among those that learned.",
        "lstm fails to learn more often than gru.",
    )


def test_the_cost_names_the_cheapest_epoch_and_the_first_to_be_done() -> None:
    arms = [
        arm("lstm", epoch_seconds=0.5, fit_seconds=25.0),
        arm("stacked", epoch_seconds=0.9, fit_seconds=14.0),
    ]
    found = answer(arms, [pair("lstm", "stacked", "undetermined", 0.0)])
    assert found[-1] == (
        "An epoch costs least with lstm (0.50 s) and most with stacked (0.90 s); "
        "trained to its early stop, stacked is done first (14.0 s)."
    )


@pytest.mark.parametrize(
    ("at_limit", "end"),
    [((10, 10), "the epoch limit"), ((10, 0), "its early stop or the epoch limit")],
    ids=["all", "some"],
)
def test_runs_at_the_epoch_limit_were_not_trained_to_an_early_stop(
    at_limit: tuple[int, int], end: str
) -> None:
    arms = [arm("lstm", n_at_limit=at_limit[0]), arm("gru", 0.7, n_at_limit=at_limit[1])]
    cost = answer(arms, [OPEN])[-1]
    assert cost == (
        "An epoch costs the same with each (0.50 s); "
        f"trained to {end}, lstm and gru are done first (20.0 s)."
    )


def test_equal_means_are_all_the_highest() -> None:
    arms = [arm("rnn", 0.7), arm("lstm", 0.8), arm("gru", 0.8, n=9)]
    pairs = [
        pair("rnn", "lstm", "worse", -0.1),
        pair("rnn", "gru", "worse", -0.1),
        pair("lstm", "gru", "undetermined", 0.0, is_without_spread=True),
    ]
    first, second, *_ = answer(arms, pairs)
    assert first == (
        "lstm and gru have the same highest mean test accuracy, 80.00 % over 9 and 10 seeds each."
    )
    assert second == (
        "lstm is typically better than rnn (by 10.00 points, beyond the margin); in every run"
        " level with gru; the margin is 0.5 points."
    )


def test_a_pair_without_spread_is_told_and_warned_of() -> None:
    flat = pair("lstm", "gru", "undetermined", 0.02, is_without_spread=True)
    open_pair = pair("lstm", "rnn", "undetermined", 0.04)
    arms = [arm("lstm", 0.82), arm("gru", 0.80), arm("rnn", 0.78)]
    second = answer(arms, [flat, open_pair])[1]
    assert "without spread, so not to be called better than gru;" in second
    (warning,) = warn(arms, [flat, open_pair])
    assert warning.startswith("No spread: every run of some arms scored the same")


def test_a_bounded_interval_is_called_so() -> None:
    best = arm("lstm", 0.95, test_accuracy_t=Interval(0.9, 1.1).bounded(0, 1))
    assert "95.00 % [90.00, 100.00] (bounded) over" in answer([best], [])[0]


def test_too_few_test_texts_decide_nothing() -> None:
    coarse = pair("lstm", "gru", "undetermined", 0.08, is_descriptive_only=True, n_test=12)
    found = answer([arm("lstm", 0.9), arm("gru", 0.82)], [coarse])
    assert found[0].endswith("; too few test texts to say whether that is luck.")
    # Where the outcome tells it, the warning does not; of synthetic reviews there is none.
    told = Outcome(findings=(("few texts", "Too few test texts."),))
    assert warn([arm("lstm"), arm("gru")], [coarse], n_test=12, outcome=told) == ()
    (warning,) = warn([arm("lstm"), arm("gru")], [coarse], n_test=12)
    assert warning.startswith("Too few test texts:")


def test_the_outcome_is_told_first_and_once() -> None:
    outcome = Outcome(findings=(("linear model", "A bag of words is better."),), next_step="x")
    bag = arm("bag of words", 0.9, is_baseline=True, n=1)
    found = write_answer(compared([arm("lstm", 0.8), bag]), outcome)
    assert found[:2] == ("A bag of words is better.", "To try next: x")
    assert not any("without any order" in sentence for sentence in found)


def test_where_nothing_was_learnt_no_run_is_counted_again() -> None:
    lost = [arm("lstm", None, n_unlearned=3)]
    outcome = Outcome(findings=(("nothing learnt", "Nothing beats the majority class."),))
    assert write_answer(compared(lost), outcome) == ("Nothing beats the majority class.",)
    assert warn(lost) == ()


def test_networks_that_are_done_at_the_same_time_are_level() -> None:
    arms = [arm("lstm", 0.8), arm("gru", 0.7)]
    assert answer(arms, [OPEN])[-1].endswith(
        "its early stop, lstm and gru are done first (20.0 s)."
    )


def test_seconds_of_different_hardware_are_not_compared() -> None:
    arms = [arm("lstm"), arm("gru", hardware="gpu (NVIDIA H200)")]
    found = answer(arms, [pair("lstm", "gru", "undetermined", 0.0)])
    assert not any("epoch costs" in sentence for sentence in found)


def test_the_networks_are_set_against_the_bag_of_words() -> None:
    bag = arm("bag of words", 0.798, is_baseline=True, n=1)
    found = answer([arm("lstm", 0.803), arm("gru", 0.797), bag], [])
    assert found[-1] == (
        "A bag of words, without any order, scores 79.80 %: "
        "the networks' means lie -0.10 to +0.50 points from it."
    )


def test_of_two_linear_models_the_networks_are_set_against_the_better() -> None:
    models = [
        arm(name, score, is_baseline=True, n=1)
        for name, score in (("bag of words", 0.798), ("TF-IDF", 0.813))
    ]
    found = answer([arm("lstm", 0.803), arm("gru", 0.797), *models], [])
    assert found[-1] == (
        "TF-IDF with logistic regression scores 81.30 %: "
        "the networks' means lie -1.60 to -1.00 points from it."
    )


def test_networks_that_score_as_the_bag_of_words_does_are_level_with_it() -> None:
    bag = arm("bag of words", 1.0, is_baseline=True, n=1)
    found = answer([arm("lstm", 1.0), arm("gru", 1.0), bag], [])
    assert found[-1] == "A bag of words, without any order, scores the same: 100.00 %."


def test_the_bag_of_words_is_never_the_best() -> None:
    bag = arm("bag of words", 0.9, is_baseline=True)
    assert answer([arm("lstm", 0.8), bag], [])[0].startswith("lstm has the highest")


def test_each_section_has_its_own_sentence() -> None:
    arms = [
        arm(name, accuracy, section=section)
        for section in ("max_len=50", "max_len=100")
        for name, accuracy in (("lstm", 0.8), ("rnn", 0.7))
    ]
    pairs = [
        pair("lstm", "rnn", "better", 0.1, section=section)
        for section in ("max_len=50", "max_len=100")
    ]
    found = answer(arms, pairs)
    assert len(found) == 6
    assert found[0].startswith("max_len=50: lstm has the highest")
    assert found[3].startswith("max_len=100: lstm has the highest")


def test_sections_beyond_the_fourth_are_counted() -> None:
    arms = [arm("lstm", section=f"units={units}") for units in range(6)]
    assert answer(arms, [])[-1] == "2 more sections below."


def test_enough_sound_runs_need_no_warning() -> None:
    assert warn([arm("lstm", n=6), arm("gru", n=6)], [OPEN], n_test=200) == ()


def test_few_seeds_are_descriptive_only() -> None:
    bag = arm("bag of words", is_baseline=True, n=1)
    (warning,) = warn([arm("lstm"), arm("gru", n=5), bag], [OPEN])
    assert warning.startswith("Descriptive only: 5 seeds in the smallest arm.")
    assert "A verdict takes 6, because" in warning


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"n_failed": 1}, "1 run failed and is left out of every mean."),
        ({"n_failed": 2}, "2 runs failed and are left out of every mean."),
        ({"n_diverged": 3}, "3 runs diverged and are left out of every mean."),
        ({"n_unlearned": 1}, "1 run did not learn and is left out of every mean."),
        ({"n_unlearned": 2}, "2 runs did not learn and are left out of every mean."),
        ({"n_missing": 1}, "1 run is not over yet; this is what there is so far."),
        ({"n_missing": 2}, "2 runs are not over yet; this is what there is so far."),
    ],
    ids=["failed", "twice", "diverged", "unlearned", "both unlearned", "missing", "both missing"],
)
def test_runs_without_a_score_are_counted_in_a_warning(
    counts: dict[str, int], sentence: str
) -> None:
    assert warn([arm("lstm", **counts), arm("gru")]) == (sentence,)


def test_runs_that_were_deleted_are_counted_in_a_warning() -> None:
    sentence = "Left out, because deleted in MLflow: 2 runs."
    assert warn([arm("lstm"), arm("gru")], n_deleted=2) == (sentence,)


def test_a_notice_is_given_once_and_a_store_that_was_not_read_is_named() -> None:
    found = warn([arm("lstm")], notices=["SYNTHETIC", "SYNTHETIC"], problem="it is gone")
    assert found[0] == "SYNTHETIC"
    assert found[1:] == (
        "MLflow could not be read, so this rests on the ledger alone: it is gone.",
    )
