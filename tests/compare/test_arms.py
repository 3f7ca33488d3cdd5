"""One row an arm and one a run: who is averaged, who is only counted; and responses."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from made_up import ENVIRONMENT, arm_of, finished, made_up

from rnnbench.compare.arms import (
    describe_arm,
    describe_responses,
    describe_seeds,
    gap_of,
    hardware_of,
)
from rnnbench.compare.rows import ResponseRow
from rnnbench.compare.sections import divide_runs
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import RunResult

FAILED = RunResult(status="failed", epochs=0, reason="ValueError: no")
DIVERGED = RunResult(status="diverged", epochs=2, epoch_seconds=9.0, reason="not finite")


def test_mean_spread_and_intervals_of_three_runs() -> None:
    row = describe_arm("", arm_of(0.7, 0.8, 0.9))
    assert row.n == 3
    assert row.test_accuracy == pytest.approx(0.8)
    assert row.test_accuracy_sd == pytest.approx(0.1)
    assert (row.test_accuracy_min, row.test_accuracy_max) == (0.7, 0.9)
    assert row.test_accuracy_t is not None
    # t with 2 degrees of freedom is 4.302653; 4.302653 * 0.1 / sqrt(3) = 0.248414
    assert row.test_accuracy_t.low == pytest.approx(0.8 - 0.248414, abs=1e-6)
    assert (row.test_accuracy_t.high, row.test_accuracy_t.is_bounded) == (1.0, True)
    assert row.test_accuracy_iqm is None  # below five runs


def test_the_bootstrap_of_three_runs_reaches_from_one_end_to_the_other() -> None:
    row, again = describe_arm("", arm_of(0.7, 0.8, 0.9)), describe_arm("", arm_of(0.7, 0.8, 0.9))
    assert row.test_accuracy_bootstrap is not None
    # One draw in 27, more than 2.5 %, takes the lowest run three times.
    assert row.test_accuracy_bootstrap.low == pytest.approx(0.7)
    assert row.test_accuracy_bootstrap.high == pytest.approx(0.9)
    assert row.test_accuracy_bootstrap == again.test_accuracy_bootstrap


def test_the_middle_half_of_five_runs() -> None:
    row = describe_arm("", arm_of(0.1, 0.7, 0.8, 0.75, 0.99))
    assert row.test_accuracy_iqm == pytest.approx((0.7 + 0.75 + 0.8) / 3)


# `finished` waits three epochs for a better loss than that of epoch 6, as the notes' patience says.
@pytest.mark.parametrize(
    ("epochs", "n_at_limit"),
    [({}, 0), ({"epochs": 8}, 1), ({"epochs": 9}, 0)],
    ids=["stopped early", "at the limit", "stopped at the limit"],
)
def test_runs_that_came_to_the_epoch_limit_are_counted(
    epochs: dict[str, int], n_at_limit: int
) -> None:
    limit = epochs.get("epochs", 100)
    row = describe_arm("", arm_of(FAILED, finished(**epochs), None, epochs=limit))
    assert (row.n, row.n_at_limit) == (1, n_at_limit)


@pytest.mark.parametrize("other", [FAILED, DIVERGED, None], ids=["failed", "diverged", "missing"])
def test_a_run_without_a_score_is_counted_and_left_out(other: RunResult | None) -> None:
    row = describe_arm("", arm_of(0.7, other, 0.9))
    assert row.n == 2
    assert row.test_accuracy == pytest.approx(0.8)
    assert row.epoch_seconds == 0.5
    assert row.total_seconds == 9.0
    counts = (row.n_failed, row.n_diverged, row.n_missing)
    assert counts == (other is FAILED, other is DIVERGED, other is None)


def test_an_arm_whose_runs_all_failed_has_its_parameters_and_nothing_else() -> None:
    row = describe_arm("", arm_of(FAILED, FAILED))
    assert (row.n, row.n_failed, row.n_parameters) == (0, 2, 8809)
    assert row.test_accuracy is row.test_accuracy_t is row.test_accuracy_bootstrap is None
    assert row.gap is row.epoch_seconds is row.total_seconds is row.test_accuracy_min is None


def test_one_run_has_a_mean_and_no_spread() -> None:
    row = describe_arm("", arm_of(0.7))
    assert (row.n, row.test_accuracy) == (1, 0.7)
    assert row.test_accuracy_sd is row.test_accuracy_t is row.test_accuracy_bootstrap is None


def test_equal_runs_have_an_interval_without_width() -> None:
    row = describe_arm("", arm_of(0.7, 0.7, 0.7))
    assert row.test_accuracy_sd == 0
    assert row.test_accuracy_t is not None
    assert row.test_accuracy_t.low == row.test_accuracy_t.high == pytest.approx(0.7)


def test_the_gap_is_between_losses_of_the_best_model_without_dropout() -> None:
    wide = finished(val_loss=0.50, train_loss_at_best=0.40)
    narrow = finished(val_loss=0.50, train_loss_at_best=0.46)
    row = describe_arm("", arm_of(wide, narrow))
    assert row.gap == pytest.approx(0.07)
    assert row.gap_sd == pytest.approx(0.06 / 2**0.5)
    assert gap_of(finished(train_loss_at_best=None)) is None


def test_seconds_are_means_and_the_total_is_a_sum() -> None:
    quick = finished(epoch_seconds=0.5, fit_seconds=10.0)
    slow = finished(epoch_seconds=1.5, fit_seconds=20.0)
    row = describe_arm("", arm_of(quick, slow))
    assert (row.epoch_seconds, row.fit_seconds, row.total_seconds) == (1.0, 15.0, 30.0)
    assert row.hardware == "cpu (AMD EPYC)"


def test_seconds_of_different_hardware_are_not_pooled() -> None:
    other = finished(environment={**ENVIRONMENT, "processor": "Intel Xeon"})
    row = describe_arm("", arm_of(0.8, other))
    assert row.epoch_seconds is row.fit_seconds is row.total_seconds is None
    assert row.hardware == "cpu (AMD EPYC); cpu (Intel Xeon)"
    assert row.n == 2  # their scores are


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"device": "cpu", "processor": "AMD EPYC"}, "cpu (AMD EPYC)"),
        ({"device": "gpu:1", "processor": "AMD EPYC", "gpu": "NVIDIA H200"}, "gpu (NVIDIA H200)"),
        ({"device": "gpu:1", "processor": "AMD EPYC"}, "gpu (AMD EPYC)"),
        ({}, "device unknown"),
    ],
    ids=["cpu", "gpu", "gpu without a name", "nothing"],
)
def test_hardware_has_a_name(environment: dict[str, str], name: str) -> None:
    assert hardware_of(finished(environment=environment)) == name


def test_a_plug_ins_parameters_are_those_that_a_run_counted() -> None:
    from dataclasses import replace

    from rnnbench.specs import PluginForm

    run = made_up(result=finished(n_parameters=77))
    run = replace(run, spec=replace(run.spec, form=PluginForm(name="attention")))
    (section,) = divide_runs([run], "architecture")
    assert describe_arm("", section.arms[0]).n_parameters == 77


def test_a_dot_for_each_finished_run() -> None:
    rows = describe_seeds("s", arm_of(0.7, FAILED, None, 0.9))
    assert [(row.seed, row.test_accuracy) for row in rows] == [(0, 0.7), (3, 0.9)]
    assert (rows[0].section, rows[0].arm) == ("s", "lstm")
    assert rows[0].gap == pytest.approx(0.05)


def test_a_run_without_all_of_its_numbers_is_no_dot() -> None:
    assert describe_seeds("", arm_of(finished(test_loss=None))) == []


def grid(*architectures: str, **values: tuple[Any, ...]) -> list[RecordedRun]:
    """Two seeds of each combination; the accuracy is made of its place."""
    chosen = [
        dict(zip(values, choice, strict=True)) for choice in itertools.product(*values.values())
    ]
    return [
        made_up(name, seed, 0.7 + 0.01 * place, **each)
        for name in architectures
        for place, each in enumerate(chosen)
        for seed in (0, 1)
    ]


def respond(runs: list[RecordedRun], contrast: str = "architecture") -> list[ResponseRow]:
    return describe_responses(divide_runs(runs, contrast))


@pytest.mark.parametrize("contrast", ["architecture", "units"])
def test_a_row_for_each_value_that_a_study_tries(contrast: str) -> None:
    rows = respond(grid("lstm", "gru", units=(16, 4, 8)), contrast)
    assert [(row.architecture, row.value) for row in rows] == [
        *(("gru", 4), ("gru", 8), ("gru", 16)),
        *(("lstm", 4), ("lstm", 8), ("lstm", 16)),
    ]
    assert {row.factor for row in rows} == {"units"}
    assert (rows[0].n, rows[0].others) == (2, "")
    assert [row.test_accuracy for row in rows[3:]] == pytest.approx([0.71, 0.72, 0.70])
    # 3u(u + 16 + 2) for the GRU with reset_after, 500 · 16 for the words, u + 1 for the output
    assert rows[0].n_parameters == 3 * 4 * (4 + 18) + 8000 + 5


def test_two_values_of_one_architecture_are_a_response_too() -> None:
    rows = respond(grid("lstm", max_len=(50, 100)))
    assert [(row.factor, row.value) for row in rows] == [("max_len", 50), ("max_len", 100)]


def test_names_that_differ_in_dropout_are_no_response() -> None:
    assert respond(grid("lstm", "lstm-dropout", "lstm-stacked", "gru")) == []


def test_nothing_varied_is_no_response() -> None:
    assert respond(grid("lstm", "gru")) == []
    assert respond([]) == []


def test_two_factors_make_a_line_for_each_value_of_the_other() -> None:
    rows = respond(grid("lstm", "gru", units=(4, 8), dropout=(0.0, 0.3)), "units")
    of_units = [row for row in rows if row.factor == "units" and row.architecture == "lstm"]
    assert [(row.others, row.value) for row in of_units] == [
        *(("dropout=0", 4), ("dropout=0", 8)),
        *(("dropout=0.3", 4), ("dropout=0.3", 8)),
    ]
    of_dropout = {row.others for row in rows if row.factor == "dropout"}
    assert of_dropout == {"units=4", "units=8"}


def test_what_else_varies_tells_lines_apart_too() -> None:
    rows = respond(grid("lstm", units=(4, 8), order=("reshuffled", "frozen")), "order")
    assert [(row.others, row.value) for row in rows] == [
        *(("order=frozen", 4), ("order=frozen", 8)),
        *(("order=reshuffled", 4), ("order=reshuffled", 8)),
    ]


def test_a_value_whose_runs_failed_stays_in_the_response() -> None:
    runs = [made_up(units=units, result=FAILED if units == 8 else 0.7) for units in (4, 8)]
    rows = respond(runs)
    assert [(row.value, row.n, row.test_accuracy) for row in rows] == [(4, 1, 0.7), (8, 0, None)]
