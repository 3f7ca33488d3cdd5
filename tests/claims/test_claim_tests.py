"""Verdicts on claims: each kind, each verdict, and runs that must not be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from rnnbench.architectures import make_form
from rnnbench.claims.claims import load_claims
from rnnbench.claims.judge import judge_claims
from rnnbench.claims.kinds import (
    Claim,
    ClaimTest,
    CloseTest,
    CompareTest,
    Expectation,
    LeadTest,
    ParametersRatioTest,
    ParametersTest,
    TimingTest,
)
from rnnbench.page.blocks import ClaimRow
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import DataSpec, Recipe, RunResult, RunSpec

# Deviations of mean 0 and standard deviation 0.001, different for the two arms of a pair.
NOISE_A = (0.0010, -0.0010, 0.0004, -0.0004, 0.0016, -0.0016, 0.0008, -0.0008)
NOISE_B = (-0.0002, 0.0002, 0.0010, -0.0010, 0.0006, -0.0006, -0.0014, 0.0014)
CPU = {"processor": "AMD EPYC", "device": "cpu"}


def make_run(architecture: str = "lstm", seed: int = 0, **values: Any) -> RecordedRun:
    """A finished run; keywords go to the result, the recipe, the data or the spec."""
    recipe = {key: values.pop(key) for key in ("order",) if key in values}
    data = {key: values.pop(key) for key in ("max_len", "split_seed", "n_classes") if key in values}
    own = {key: values.pop(key) for key in ("backend", "embedding_size") if key in values}
    spec = RunSpec(
        form=make_form(architecture),
        data=DataSpec(dataset="made-up", fingerprint="ab", **data),
        recipe=Recipe(**recipe),
        seed=seed,
        **own,
    )
    result = RunResult(**{"status": "finished", "epochs": 9, "environment": CPU, **values})
    return RecordedRun(study="textbook", spec=spec, result=result)


def make_arm(
    architecture: str,
    mean: float,
    noise: Sequence[float] = NOISE_A,
    *,
    metric: str = "test_accuracy",
    **values: Any,
) -> list[RecordedRun]:
    """A run for each seed, its metric being the mean and a seed's deviation."""
    return [
        make_run(architecture, seed, **{metric: mean + own}, **values)
        for seed, own in enumerate(noise)
    ]


def make_pair(difference: float, *, n: int = 8, **values: Any) -> list[RecordedRun]:
    """GRU and LSTM runs whose mean metric differs by about so much, GRU less LSTM."""
    return [
        *make_arm("gru", 0.8 + difference, NOISE_A[:n], **values),
        *make_arm("lstm", 0.8, NOISE_B[:n], **values),
    ]


def judge(
    test: ClaimTest, runs: Iterable[RecordedRun], *, margin: float = 0.005, is_paired: bool = True
) -> ClaimRow:
    claim = Claim(id="mine", claim="So it is.", made_in="a talk", test=test)
    (row,) = judge_claims([claim], list(runs), margin=margin, is_paired=is_paired)
    return row


def compare(expect: Any, metric: str = "test_accuracy", **values: Any) -> CompareTest:
    return CompareTest(metric=metric, a="gru", b="lstm", expect=expect, **values)


# The pairs' differences have a standard deviation of 0.00148: an interval of ± 0.12 points.
@pytest.mark.parametrize(
    ("expect", "difference", "verdict"),
    [
        ("higher", 0.010, "supported"),
        ("higher", 0.003, "supported"),
        ("higher", -0.010, "contradicted"),
        ("higher", 0.0, "smaller than the margin"),
        ("lower", -0.010, "supported"),
        ("lower", 0.010, "contradicted"),
        ("lower", 0.0, "smaller than the margin"),
        ("equivalent", 0.0, "supported"),
        ("equivalent", 0.003, "supported"),
        ("equivalent", 0.005, "undetermined"),
        ("equivalent", 0.010, "contradicted"),
        ("equivalent", -0.010, "contradicted"),
        ("not lower", 0.010, "supported"),
        ("not lower", -0.003, "supported"),
        ("not lower", -0.005, "undetermined"),
        ("not lower", -0.010, "contradicted"),
        ("not higher", -0.010, "supported"),
        ("not higher", 0.005, "undetermined"),
        ("not higher", 0.010, "contradicted"),
    ],
)
def test_a_comparison_is_judged(expect: str, difference: float, verdict: str) -> None:
    assert judge(compare(expect), make_pair(difference)).verdict == verdict


@pytest.mark.parametrize("expect", ["higher", "lower"])
def test_a_tenth_of_a_point_that_is_not_shown_is_smaller_than_the_margin(expect: str) -> None:
    """It is there, so that 'contradicted' would be wrong of 'higher'; it is too small to matter."""
    row = judge(compare(expect), make_pair(0.001))
    assert row.verdict == "smaller than the margin"


def test_a_tenth_of_a_point_that_is_shown_supports_the_claim() -> None:
    steady = [value / 20 for value in NOISE_A]
    runs = [*make_arm("gru", 0.801, steady), *make_arm("lstm", 0.8, NOISE_B[:1] * 8)]
    row = judge(compare("higher"), runs)
    assert row.verdict == "supported"
    assert row.numbers.endswith("; within the margin of 0.50 points")
    assert judge(compare("lower"), runs).verdict == "contradicted"


def test_a_claim_at_a_second_look_has_less_to_spend() -> None:
    """Eight of eight: p = 2 / 256, above the 0.125 % of the second look."""
    claim = Claim(id="x", claim="x", made_in="x", test=compare("higher"))
    found = [
        judge_claims([claim], make_pair(0.01), margin=0.005, is_paired=True, look=number)[0]
        for number in (1, 2)
    ]
    assert [row.verdict for row in found] == ["supported", "undetermined"]


def test_runs_that_did_not_learn_are_left_out_and_counted() -> None:
    lost = make_run("gru", 8, test_accuracy=0.5)
    claim = Claim(id="x", claim="x", made_in="x", test=compare("higher"))
    (row,) = judge_claims(
        [claim],
        [*make_pair(0.01), lost],
        margin=0.005,
        is_paired=True,
        unlearned=frozenset({lost.spec.fingerprint}),
    )
    assert (row.verdict, "8 paired seeds" in row.numbers) == ("supported", True)
    assert row.numbers.endswith("; 1 run that failed, diverged or did not learn left out")


def test_an_architecture_of_which_no_run_learned_leaves_the_claim_open() -> None:
    runs = make_pair(0.01)
    lost = frozenset(run.spec.fingerprint for run in runs[:8])
    claim = Claim(id="x", claim="x", made_in="x", test=compare("higher"))
    (row,) = judge_claims([claim], runs, margin=0.005, is_paired=True, unlearned=lost)
    assert row.verdict == "undetermined"


def test_a_difference_that_luck_could_make_is_undetermined() -> None:
    noisy = [value * 20 for value in NOISE_A]
    runs = [*make_arm("gru", 0.801, noisy), *make_arm("lstm", 0.8, NOISE_B)]
    assert judge(compare("higher"), runs).verdict == "undetermined"
    assert judge(compare("equivalent"), runs).verdict == "undetermined"


def test_the_numbers_of_a_comparison_read_well() -> None:
    row = judge(compare("lower"), make_pair(-0.01))
    assert row.numbers == (
        "test accuracy 79.00 % with gru and 80.00 % with lstm: typically 1.00 points lower "
        "[0.86, 1.14], "
        "8 paired seeds, p = 0.008; beyond the margin of 0.50 points"
    )
    assert row.runs == "gru, lstm, seeds 0-7 (jax, keras engine)"


def test_a_claim_on_two_versions_says_so() -> None:
    older, newer = ({**CPU, "version.keras": version} for version in ("3.4.1", "3.15.1"))
    runs = [
        *make_arm("gru", 0.79, NOISE_A, environment=older),
        *make_arm("lstm", 0.8, NOISE_B, environment=newer),
    ]
    row = judge(compare("lower"), runs)
    assert row.runs.endswith("(jax, keras engine; not made alike: keras 3.15.1 or 3.4.1)")


def test_a_supported_difference_can_be_within_the_margin() -> None:
    assert (
        "; within the margin of 0.50 points" in judge(compare("higher"), make_pair(0.003)).numbers
    )


def test_a_loss_has_no_margin_unless_the_claim_declares_one() -> None:
    runs = make_pair(0.0, metric="test_loss")
    assert judge(compare("higher", "test_loss"), runs).verdict == "undetermined"
    row = judge(compare("higher", "test_loss", margin=0.01), runs)
    assert row.verdict == "smaller than the margin"
    assert row.numbers.endswith("; no room for a difference of the margin, 0.0100, that way")


def test_what_is_worse_beyond_luck_is_not_laid_to_the_margin() -> None:
    row = judge(compare("higher"), make_pair(-0.01))
    assert row.numbers.endswith("p = 0.008; margin 0.50 points")


def test_a_claims_own_margin_is_in_points_of_accuracy() -> None:
    row = judge(compare("equivalent", margin=2), make_pair(0.01))
    assert row.verdict == "supported"
    assert "; margin 2.00 points" in row.numbers


def test_the_gap_is_validation_less_training_loss() -> None:
    runs = [
        *make_arm("gru", 0.5, NOISE_A, metric="val_loss", train_loss_at_best=0.48),
        *make_arm("lstm", 0.5, NOISE_B, metric="val_loss", train_loss_at_best=0.46),
    ]
    row = judge(compare("lower", "gap"), runs)
    assert row.verdict == "supported"
    assert row.numbers.startswith(
        "gap 0.0200 with gru and 0.0400 with lstm: typically 0.0200 lower ["
    )


def test_unpaired_runs_are_compared_unpaired() -> None:
    row = judge(compare("higher"), make_pair(0.01), is_paired=False)
    assert row.verdict == "supported"
    assert "8 and 8 runs, p < 0.001" in row.numbers


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_runs_are_descriptive_only(n: int) -> None:
    row = judge(compare("higher"), make_pair(0.05, n=n))
    assert row.verdict == "undetermined"
    assert "descriptive only (fewer than 6)" in row.numbers
    assert "p =" not in row.numbers


def test_one_run_has_no_interval() -> None:
    assert (
        "higher [no interval], 1 paired seed,"
        in judge(compare("lower"), make_pair(0.05, n=1)).numbers
    )


def test_missing_runs_are_named() -> None:
    row = judge(compare("higher"), make_arm("lstm", 0.8))
    assert row.verdict == "undetermined"
    assert row.numbers == "no finished runs of gru with the notes' recipe in this study"
    assert row.runs == ""


def test_without_any_runs_nothing_is_determined_but_parameters() -> None:
    rows = judge_claims(load_claims(), [], margin=0.005, is_paired=True)
    verdicts = {row.id: row.verdict for row in rows}
    assert verdicts.pop("lstm-four-times-simple-rnn") == "supported"
    assert verdicts.pop("gru-624-parameters") == "supported"
    assert verdicts.pop("recurrent-dropout-no-gpu") == "not measured"
    assert verdicts.pop("recurrent-dropout-much-slower") == "not measured"
    assert set(verdicts.values()) == {"undetermined"}


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_run_without_a_score_is_left_out_and_counted(status: str) -> None:
    runs = [*make_pair(0.01), make_run("gru", 8, status=status, environment={})]
    row = judge(compare("higher"), runs)
    assert row.verdict == "supported"
    assert row.numbers.endswith("; 1 run that failed, diverged or did not learn left out")


def test_a_running_or_incomplete_run_does_not_enter() -> None:
    running = RecordedRun(study="textbook", spec=make_run("gru", 8).spec, result=None)
    runs = [*make_pair(0.01), running, make_run("gru", 9, test_accuracy=float("nan"))]
    assert "8 paired seeds" in judge(compare("higher"), runs).numbers


def test_all_runs_failed() -> None:
    runs = [make_run(name, 0, status="failed") for name in ("gru", "lstm")]
    row = judge(compare("higher"), runs)
    assert row.numbers == "no finished runs of gru and lstm with the notes' recipe in this study"


def test_only_seeds_in_common_are_paired() -> None:
    runs = [*make_arm("gru", 0.81, NOISE_A), *make_arm("lstm", 0.8, NOISE_B[:6])]
    row = judge(compare("higher"), runs)
    assert "6 paired seeds" in row.numbers
    assert row.runs.startswith("gru, lstm, seeds 0-5 ")


@pytest.mark.parametrize(
    "other",
    [
        {"backend": "tensorflow"},
        {"order": "frozen"},
        {"max_len": 50},
        {"split_seed": 99},
    ],
    ids=["back end", "recipe", "length", "split"],
)
def test_runs_that_differ_in_more_than_the_architecture_are_not_compared(
    other: dict[str, Any],
) -> None:
    runs = [*make_arm("gru", 0.81, **other), *make_arm("lstm", 0.8)]
    row = judge(compare("higher"), runs)
    assert row.verdict == "undetermined"
    assert "no finished runs of" in row.numbers


def test_two_fixed_splits_are_no_split_for_each_seed() -> None:
    runs = [*make_arm("gru", 0.81, split_seed=98), *make_arm("lstm", 0.8, split_seed=99)]
    assert judge(compare("higher"), runs).verdict == "undetermined"


def test_of_several_back_ends_the_one_with_most_seeds_is_taken() -> None:
    runs = [*make_pair(-0.01, n=6), *make_pair(0.01, backend="torch")]
    row = judge(compare("higher"), runs)
    assert row.verdict == "supported"
    assert row.runs.endswith("(torch, keras engine)")


def test_a_back_end_can_be_asked_for() -> None:
    runs = [*make_pair(-0.01, n=6), *make_pair(0.01, backend="torch")]
    row = judge(compare("lower", settings={"backend": "jax"}), runs)
    assert row.verdict == "supported"
    assert " at backend=jax " in row.numbers


def test_settings_choose_the_runs() -> None:
    runs = [*make_pair(-0.01), *make_pair(0.01, order="frozen", max_len=50)]
    settings: dict[str, str | int] = {"order": "frozen", "max_len": 50}
    row = judge(compare("higher", settings=settings), runs)
    assert row.verdict == "supported"
    assert row.numbers.startswith("test accuracy at order=frozen, max_len=50 81.00 % with gru")


def test_runs_with_a_split_for_each_seed_are_a_set_of_their_own() -> None:
    runs = [
        make_run(name, seed, split_seed=seed, test_accuracy=mean + own)
        for name, mean, noise in (("gru", 0.81, NOISE_A), ("lstm", 0.8, NOISE_B))
        for seed, own in enumerate(noise)
    ]
    row = judge(compare("higher"), runs)
    assert row.verdict == "supported"
    assert row.runs.endswith("(jax, keras engine, a split for each seed)")
    mixed = [*runs[:8], *make_arm("lstm", 0.8)]
    assert judge(compare("higher"), mixed).verdict == "undetermined"


def test_seconds_of_different_hardware_are_not_compared() -> None:
    other = {"processor": "another", "device": "cpu"}
    runs = [
        *make_arm("gru", 0.5, metric="epoch_seconds"),
        *make_arm("lstm", 0.8, metric="epoch_seconds", environment=other),
    ]
    row = judge(compare("lower", "epoch_seconds"), runs)
    assert row.verdict == "undetermined"
    assert "that agree in all else" in row.numbers


def test_seconds_of_the_same_hardware_are_compared_and_it_is_named() -> None:
    runs = [
        *make_arm("gru", 0.5, NOISE_A, metric="epoch_seconds"),
        *make_arm("lstm", 0.8, NOISE_B, metric="epoch_seconds"),
    ]
    row = judge(compare("lower", "epoch_seconds"), runs)
    assert row.verdict == "supported"
    assert "0.500 s with gru and 0.800 s with lstm: typically 0.300 s lower" in row.numbers
    assert "AMD EPYC" in row.runs


def test_a_failed_run_is_counted_beside_seconds_too() -> None:
    runs = [
        *make_pair(0.1, metric="fit_seconds"),
        make_run("gru", 8, status="failed", environment={}),
    ]
    assert (
        "; 1 run that failed, diverged or did not learn left out"
        in judge(compare("lower", "fit_seconds"), runs).numbers
    )


def lead(**values: Any) -> LeadTest:
    chosen = {"metric": "test_accuracy", "values": (50, 100), "factor": "max_len", **values}
    return LeadTest(a="gru", b="lstm", **chosen)


@pytest.mark.parametrize(
    ("at_50", "at_100", "verdict"),
    [
        (0.010, 0.008, "supported"),
        (0.010, -0.010, "contradicted"),
        (0.010, 0.0, "smaller than the margin"),
        (-0.010, 0.0, "contradicted"),
        (0.010, None, "undetermined"),
        (-0.010, None, "contradicted"),
    ],
    ids=[
        *("ahead", "behind at 100", "no lead at 100", "behind at 50"),
        *("missing at 100", "behind, and missing"),
    ],
)
def test_a_lead_has_to_hold_at_every_value(
    at_50: float, at_100: float | None, verdict: str
) -> None:
    runs = make_pair(at_50, max_len=50)
    runs += [] if at_100 is None else make_pair(at_100, max_len=100)
    assert judge(lead(), runs).verdict == verdict


def test_the_numbers_of_a_lead_stand_value_by_value() -> None:
    runs = [*make_pair(0.01, max_len=50), *make_pair(0.008)]
    row = judge(lead(), runs)
    assert row.numbers == (
        "test accuracy with gru against lstm: at max_len=50 typically 1.00 points higher "
        "[0.86, 1.14], "
        "8 paired seeds, p = 0.016; at max_len=100 typically 0.80 points higher [0.66, 0.94], "
        "8 paired seeds, p = 0.016; p adjusted over 2 values (Holm); margin 0.50 points"
    )
    assert row.runs == (
        "max_len=50: gru, lstm, seeds 0-7 (jax, keras engine); "
        "max_len=100: gru, lstm, seeds 0-7 (jax, keras engine)"
    )


def test_a_value_without_runs_is_named() -> None:
    row = judge(lead(), make_pair(0.01, max_len=50))
    assert "; no finished runs of gru and lstm at max_len=100 in this study" in row.numbers
    assert judge(lead(), []).verdict == "undetermined"


def test_too_few_seeds_for_the_family_leave_a_lead_open() -> None:
    runs = [*make_pair(0.002, max_len=50, n=6), *make_pair(0.002, n=6)]
    assert judge(lead(values=(100,)), runs).verdict == "supported"
    assert judge(lead(margin=0.1), runs).verdict == "undetermined"  # 2 * 0.031 > 0.05


@pytest.mark.parametrize("is_paired", [True, False])
def test_no_room_for_a_lead_is_shown_for_all_values(is_paired: bool) -> None:
    # At 100 the lead is 0. Of the margin it is ruled out with p = 0.027 (unpaired 0.028) by itself,
    # and with twice that of two values.
    margin = 0.13 if is_paired else 0.11
    runs = [*make_pair(0.01, max_len=50), *make_pair(0.0)]
    one, both = lead(values=(100,), margin=margin), lead(margin=margin)
    assert judge(one, runs, is_paired=is_paired).verdict == "smaller than the margin"
    assert judge(both, runs, is_paired=is_paired).verdict == "undetermined"


def test_a_lead_can_be_the_lower_number() -> None:
    runs = make_pair(-0.01, metric="test_loss")
    row = judge(lead(metric="test_loss", expect="lower", values=(100,)), runs)
    assert row.verdict == "supported"
    assert "at max_len=100 typically 0.0100 lower [" in row.numbers
    assert "Holm" not in row.numbers


CLOSE = CloseTest(
    metric="test_accuracy",
    reference="val_accuracy",
    architectures=("gru", "lstm"),
    margin=1,
)


def on_own_splits(architecture: str, mean: float, noise: Sequence[float]) -> list[RecordedRun]:
    """Runs with 80 % validation accuracy, each seed with a split of its own."""
    return [
        make_run(architecture, seed, split_seed=seed, test_accuracy=mean + own, val_accuracy=0.8)
        for seed, own in enumerate(noise)
    ]


@pytest.mark.parametrize(
    ("of_gru", "of_lstm", "verdict"),
    [
        (0.002, -0.002, "supported"),
        (0.002, 0.010, "undetermined"),
        (0.002, 0.011, "undetermined"),
        (0.002, 0.020, "contradicted"),
        (-0.020, 0.0, "contradicted"),
    ],
)
def test_closeness_has_to_hold_for_every_architecture(
    of_gru: float, of_lstm: float, verdict: str
) -> None:
    runs = [
        *on_own_splits("gru", 0.8 + of_gru, NOISE_A),
        *on_own_splits("lstm", 0.8 + of_lstm, NOISE_B),
    ]
    assert judge(CLOSE, runs).verdict == verdict


def test_closeness_that_fails_by_itself_may_be_open_among_several() -> None:
    """Of 1.1 points one difference is at the margin and two of the 128 signs are as extreme.

    That makes p = 6 / 128 = 0.047, and twice as much for two architectures.
    """
    runs = [*on_own_splits("gru", 0.802, NOISE_A), *on_own_splits("lstm", 0.811, NOISE_B)]
    assert judge(replace(CLOSE, architectures=("lstm",)), runs).verdict == "contradicted"
    assert judge(CLOSE, runs).verdict == "undetermined"


@pytest.mark.parametrize("of_lstm", [0.0, 0.05], ids=["close", "far off"])
def test_closeness_to_validation_is_open_on_one_split(of_lstm: float) -> None:
    runs = [
        *make_arm("gru", 0.8, NOISE_A, val_accuracy=0.8),
        *make_arm("lstm", 0.8 + of_lstm, NOISE_B, val_accuracy=0.8),
    ]
    assert judge(CLOSE, runs).verdict == "undetermined"


def test_closeness_of_two_numbers_of_other_parts_is_decided_on_one_split() -> None:
    """Which reviews are held out for validation is no part of the test or training loss."""
    others = {"train_loss_at_best": 0.45, "val_loss": 0.45}
    runs = [
        *make_arm("gru", 0.45, NOISE_A, metric="test_loss", **others),
        *make_arm("lstm", 0.45, NOISE_B, metric="test_loss", **others),
    ]
    close = replace(CLOSE, metric="test_loss", reference="train_loss_at_best", margin=0.01)
    assert judge(close, runs).verdict == "supported"
    assert judge(replace(close, reference="val_loss"), runs).verdict == "undetermined"


def test_the_numbers_of_closeness_say_that_they_hold_for_one_split() -> None:
    runs = [
        *make_arm("gru", 0.802, NOISE_A, val_accuracy=0.8),
        *make_arm("lstm", 0.798, NOISE_B[:6], val_accuracy=0.8),
        make_run("lstm", 6, status="failed"),
    ]
    assert judge(CLOSE, runs).numbers == (
        "test accuracy minus validation accuracy, typically: 0.20 points [0.10, 0.30] with gru, "
        "8 seeds; "
        "-0.20 points [-0.30, -0.10] with lstm, 6 seeds; margin 1.00 points; on one fixed split, "
        "whose own error no seed shows; 1 run that failed, diverged or did not learn left out"
    )


@pytest.mark.parametrize(
    ("n", "words"), [(1, "[no interval] with lstm, 1 seed"), (5, "] with lstm, 5 seeds")]
)
def test_closeness_of_few_runs_is_descriptive_only(n: int, words: str) -> None:
    runs = [
        *make_arm("gru", 0.8, NOISE_A, val_accuracy=0.8),
        *make_arm("lstm", 0.8, NOISE_B[:n], val_accuracy=0.8),
    ]
    row = judge(CLOSE, runs)
    assert row.verdict == "undetermined"
    assert f"{words}, descriptive only (fewer than 6)" in row.numbers


def test_closeness_without_one_architecture_is_undetermined() -> None:
    row = judge(CLOSE, make_arm("gru", 0.8, val_accuracy=0.8))
    assert row.verdict == "undetermined"
    assert row.numbers == "no finished runs of lstm with the notes' recipe in this study"


def test_runs_that_came_to_the_epoch_limit_are_told_where_that_cuts_the_number_short() -> None:
    runs = make_pair(0.01, metric="fit_seconds", best_epoch=99)
    limited = [replace(run, result=replace(run.result, epochs=100)) for run in runs if run.result]
    told = judge(compare("lower", "fit_seconds"), limited).numbers
    assert told.endswith("; 16 runs came to the epoch limit")
    assert "epoch limit" not in judge(compare("lower", "fit_seconds"), runs).numbers


@pytest.mark.parametrize("expect", ["equivalent", "not lower", "higher"])
def test_runs_that_all_score_the_same_leave_a_claim_open(expect: Expectation) -> None:
    for other in (0.98, 0.983, 0.9):
        runs = [
            make_run(name, n, test_accuracy=score)
            for name, score in (("lstm", 0.98), ("gru", other))
            for n in range(8)
        ]
        row = judge(compare(expect), runs)
        assert row.verdict == "undetermined"
        assert ", no spread" in row.numbers


@pytest.mark.parametrize("score", [0.98, 0.9])
def test_runs_that_all_lie_as_far_apart_leave_closeness_open(score: float) -> None:
    runs = [
        make_run(name, n, test_accuracy=score, val_accuracy=0.98)
        for name in ("lstm", "gru")
        for n in range(8)
    ]
    assert judge(CLOSE, runs).verdict == "undetermined"


@pytest.mark.parametrize(
    ("n_test", "verdict"), [(12, "undetermined"), (200, "supported"), (None, "supported")]
)
def test_few_test_texts_leave_a_claim_open(n_test: int | None, verdict: str) -> None:
    claim = Claim(id="x", claim="x", made_in="x", test=compare("higher"))
    (row,) = judge_claims(
        [claim], make_pair(0.02), margin=0.005, is_paired=True, n_test={"test_accuracy": n_test}
    )
    assert row.verdict == verdict
    assert ("descriptive only (too few test texts)" in row.numbers) == (n_test == 12)


@pytest.mark.parametrize(
    ("metric", "margin", "n_test", "is_few"),
    [
        ("test_accuracy", 2, 50, False),
        ("test_accuracy", 2, 49, True),
        ("test_accuracy", 0.1, 400, True),
        ("val_accuracy", 0.5, 12, False),
        ("test_loss", 0.005, 12, False),
    ],
)
def test_test_texts_are_few_for_a_claims_own_margin_of_test_accuracy(
    metric: str, margin: float, n_test: int, is_few: bool
) -> None:
    test = compare("higher", metric, margin=margin)
    claim = Claim(id="x", claim="x", made_in="x", test=test)
    runs = make_pair(0.03, metric=metric)
    (row,) = judge_claims(
        [claim], runs, margin=0.005, is_paired=True, n_test={"test_accuracy": n_test}
    )
    assert row.verdict == ("undetermined" if is_few else "supported")


@pytest.mark.parametrize("n_test", [99, 100])
def test_closeness_to_test_accuracy_counts_test_texts(n_test: int) -> None:
    runs = [*on_own_splits("gru", 0.8, NOISE_A), *on_own_splits("lstm", 0.8, NOISE_B)]
    claim = Claim(id="x", claim="x", made_in="x", test=CLOSE)
    (row,) = judge_claims(
        [claim], runs, margin=0.005, is_paired=True, n_test={"test_accuracy": n_test}
    )
    assert row.verdict == ("supported" if n_test == 100 else "undetermined")


@pytest.mark.parametrize(("ratio", "verdict"), [(4, "supported"), (3, "contradicted")])
def test_a_ratio_of_parameters_is_exact(ratio: float, verdict: str) -> None:
    row = judge(ParametersRatioTest(a="lstm", b="simple-rnn", ratio=ratio), [])
    assert row.verdict == verdict
    assert (
        row.numbers == "parameters by the formula: 800 with lstm and 200 with simple-rnn: 4 times"
    )
    assert row.runs == "none needed"


@pytest.mark.parametrize(("number", "verdict"), [(624, "supported"), (600, "contradicted")])
def test_parameters_are_counted(number: int, verdict: str) -> None:
    assert judge(ParametersTest(expect={"gru": number}), []).verdict == verdict


def test_what_keras_counted_stands_beside_the_formula() -> None:
    runs = [make_run("gru", seed, n_parameters=8633) for seed in range(3)]
    row = judge(ParametersTest(expect={"gru": 624}), runs)
    assert row.verdict == "supported"
    assert row.numbers.endswith("624 with gru; Keras counted the same in 3 runs")
    assert row.runs == "3 runs"


def test_a_softmax_over_several_classes_is_no_part_of_the_layer() -> None:
    # 500 words of 16, 800 of the LSTM, (8 + 1) · 5 of the softmax
    run = make_run("lstm", n_classes=5, n_parameters=8_845)
    row = judge(ParametersTest(expect={"lstm": 800}), [run])
    assert row.verdict == "supported"
    assert row.numbers.endswith("800 with lstm; Keras counted the same in 1 run")


def test_another_embedding_is_no_part_of_the_layer() -> None:
    # 500 words of 8, 432 = 3 · 8 · (8 + 8 + 2) of the GRU behind them, 9 of the sigmoid
    run = make_run("gru", embedding_size=8, n_parameters=4_441)
    row = judge(ParametersTest(expect={"gru": 624}), [run])
    assert row.verdict == "supported"
    assert row.numbers.endswith("624 with gru; Keras counted the same in 1 run")


def test_a_claim_on_parameters_that_keras_does_not_bear_out_is_contradicted() -> None:
    row = judge(ParametersTest(expect={"gru": 624}), [make_run("gru", n_parameters=8609)])
    assert row.verdict == "contradicted"
    assert row.numbers.endswith("; but Keras counted 600 with gru")


def test_timing_is_not_measured_by_runs() -> None:
    test = TimingTest(
        a="lstm-recurrent-dropout", b="lstm", expect="cannot run", measured_by="a step on one GPU"
    )
    row = judge(test, make_pair(0.01))
    assert row.verdict == "not measured"
    assert row.numbers == "not measured on a GPU. To be measured: a step on one GPU"


def test_rows_keep_order_and_text_of_the_claims() -> None:
    hostile = "<script>alert(1)</script>"
    claims = [
        Claim(id=name, claim=hostile, made_in=hostile, test=compare("higher"))
        for name in ("second", "first")
    ]
    rows = judge_claims(claims, make_pair(0.01), margin=0.005, is_paired=True)
    assert [row.id for row in rows] == ["second", "first"]
    assert {row.claim for row in rows} == {row.made_in for row in rows} == {hostile}
