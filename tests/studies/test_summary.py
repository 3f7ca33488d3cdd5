"""One row for each architecture: who is averaged, who is only counted."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Any

import pytest

from rnnbench.architectures import make_form
from rnnbench.compare.comparison import find_unlearned
from rnnbench.compare.rows import ArmRow
from rnnbench.published.notes import REVIEWS, published_runs
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import DataSpec, PluginForm, Recipe, RunResult, RunSpec
from rnnbench.studies.results import grade_columns
from rnnbench.studies.summary import (
    Row,
    is_comparable_with_notes,
    summarise,
    summarise_baselines,
)


def spec(architecture: str = "lstm", seed: int = 0, **values: Any) -> RunSpec:
    data = {key: values.pop(key) for key in ("num_words", "max_len") if key in values}
    content = values.pop("fingerprint", REVIEWS)
    run = {key: values.pop(key) for key in ("embedding_size",) if key in values}
    return RunSpec(
        form=make_form(architecture),
        data=DataSpec(dataset="imdb", fingerprint=content, **data),
        recipe=Recipe(**values),
        seed=seed,
        **run,
    )


def finished(accuracy: float, **values: Any) -> RunResult:
    return RunResult(
        **{
            "status": "finished",
            "epochs": 9,
            "best_epoch": 6,
            "val_loss": 0.5,
            "test_loss": 0.5,
            "test_accuracy": accuracy,
            "epoch_seconds": 0.5,
            **values,
        }
    )


def recorded(runs: Iterable[tuple[RunSpec, RunResult | None]]) -> list[RecordedRun]:
    return [RecordedRun(study="", spec=spec, result=result) for spec, result in runs]


DIVERGED = RunResult(status="diverged", epochs=2, epoch_seconds=0.5, reason="not finite")
FAILED = RunResult(status="failed", epochs=0, reason="ValueError: no")


def only_row(*results: RunResult | None, floor: float | None = None) -> Row:
    runs = recorded((spec(seed=seed), result) for seed, result in enumerate(results))
    (row,) = summarise(runs, unlearned=find_unlearned(runs, lambda _: floor) or frozenset())
    return row


def test_mean_and_spread_of_finished_runs() -> None:
    row = only_row(finished(0.7), finished(0.8), finished(0.9))
    assert row.test_accuracy.mean == pytest.approx(0.8)
    assert row.test_accuracy.sd == pytest.approx(0.1)
    assert (row.n, row.best_epoch.mean) == (3, 6)


@pytest.mark.parametrize("other", [DIVERGED, FAILED, None], ids=["diverged", "failed", "missing"])
def test_a_run_that_did_not_finish_is_counted_and_left_out_of_the_mean(
    other: RunResult | None,
) -> None:
    row = only_row(finished(0.7), other, finished(0.9))
    assert row.test_accuracy.mean == pytest.approx(0.8)
    assert row.epoch_seconds.n == row.n == 2
    assert row.n_diverged == (other is DIVERGED)
    assert row.n_failed == (other is FAILED)
    assert row.n_missing == (other is None)


LEARNED, LOST = finished(0.8, val_accuracy=0.8), finished(0.5, val_accuracy=0.51, fit_seconds=9.0)


def test_a_run_below_the_floor_is_counted_and_left_out_of_the_mean() -> None:
    row = only_row(LEARNED, LOST, LEARNED, floor=0.52)
    assert (row.n, row.n_unlearned) == (2, 1)
    assert (row.test_accuracy.mean, row.test_accuracy.sd) == (pytest.approx(0.8), 0)
    assert row.fit_seconds.mean == 0


def test_without_a_floor_every_finished_run_counts() -> None:
    row = only_row(LEARNED, LOST, LEARNED)
    assert (row.n, row.n_unlearned) == (3, 0)
    assert row.test_accuracy.mean == pytest.approx(0.7)


def test_an_arm_of_which_no_run_learned_has_no_mean() -> None:
    row = only_row(LOST, LOST, floor=0.52)
    assert (row.n, row.n_unlearned) == (0, 2)
    assert math.isnan(row.test_accuracy.mean)


def test_one_finished_run_has_no_spread() -> None:
    row = only_row(finished(0.7))
    assert row.test_accuracy.mean == 0.7
    assert math.isnan(row.test_accuracy.sd)


def test_no_finished_run_has_no_mean() -> None:
    row = only_row(FAILED)
    assert row.n == 0
    assert math.isnan(row.test_accuracy.mean)
    assert row.n_parameters == 8809


def test_a_score_that_is_not_a_number_leaves_the_mean_unknown() -> None:
    row = only_row(finished(0.7), finished(0.8, test_loss=math.nan))
    assert math.isnan(row.test_loss.mean)
    assert row.test_accuracy.mean == pytest.approx(0.75)


def test_a_score_that_is_unknown_of_one_run_is_a_mean_of_fewer_and_says_of_how_many() -> None:
    graded = {"test_absolute_error": 0.5}
    row = only_row(finished(0.7, **graded, test_quadratic_kappa=0.7), finished(0.8, **graded))
    assert (row.test_quadratic_kappa.mean, row.test_quadratic_kappa.n) == (0.7, 1)
    kappa = [*grade_columns([row])][-1]
    assert kappa.write(row) == "0.70 (of 1)"


def test_the_baselines_stand_below_once_for_each_way_of_seeing_the_texts() -> None:
    runs = [(spec(name, max_len=n), finished(0.7)) for name in ("lstm", "gru") for n in (50, 100)]

    def baselines(specs: Collection[RunSpec]) -> list[ArmRow]:
        (spec,) = specs
        return [ArmRow(section="", arm="bag", n=1, test_accuracy=spec.data.max_len / 1000)]

    found = summarise_baselines(summarise(recorded(runs)), baselines)
    assert [(row.architecture, row.varied, row.test_accuracy.mean) for row in found] == [
        ("bag", {"max_len": "50"}, 0.05),
        ("bag", {"max_len": "100"}, 0.1),
    ]
    assert all(row.is_baseline and row.best_epoch.n == 0 for row in found)


def test_nothing_makes_no_rows() -> None:
    assert summarise([]) == []


def test_rows_come_in_the_order_of_the_study() -> None:
    names = ["gru", "lstm", "simple-rnn"]
    runs = [(spec(name, seed), finished(0.7)) for seed in (0, 1) for name in names]
    assert [(row.architecture, row.n) for row in summarise(recorded(runs))] == [
        (name, 2) for name in names
    ]


def test_what_varies_besides_the_architecture_tells_rows_apart() -> None:
    runs = [
        (spec(max_len=length, order=order), finished(0.7))
        for length in (50, 100)
        for order in ("reshuffled", "frozen")
    ]
    assert [row.varied for row in summarise(recorded(runs))] == [
        {"order": "reshuffled", "max_len": "50"},
        {"order": "frozen", "max_len": "50"},
        {"order": "reshuffled", "max_len": "100"},
        {"order": "frozen", "max_len": "100"},
    ]


def test_where_nothing_varies_nothing_is_told() -> None:
    assert only_row(finished(0.7), finished(0.8)).varied == {}


def test_a_plug_ins_parameters_are_those_that_keras_counted() -> None:
    run = RunSpec(form=PluginForm(name="x"), data=DataSpec(dataset="d", fingerprint=""), seed=0)
    (row,) = summarise(recorded([(run, finished(0.7, n_parameters=123))]))
    assert row.n_parameters == 123


def test_the_notes_stand_beside_their_own_recipe() -> None:
    (row,) = summarise(recorded([(spec("gru"), finished(0.7))]))
    assert row.published == published_runs()["gru"]
    (row,) = summarise(recorded([(spec("simple-rnn"), finished(0.7))]))
    assert row.published is None  # the notes trained none


def test_batch_order_does_not_keep_the_notes_away() -> None:
    assert is_comparable_with_notes(spec(order="frozen"))


@pytest.mark.parametrize(
    "values",
    [
        {"fingerprint": "ab"},
        {"max_len": 50},
        {"num_words": 1000},
        {"embedding_size": 8},
        {"learning_rate": 1e-3},
        {"epochs": 12},
        {"patience": 5},
        {"batch_size": 32},
        {"optimizer": "adam"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_another_recipe_or_other_data_keep_the_notes_away(values: dict[str, Any]) -> None:
    assert not is_comparable_with_notes(spec(**values))
    (row,) = summarise(recorded([(spec(**values), finished(0.7))]))
    assert row.published is None
