"""The notes' numbers against the prediction interval of one new run of ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from made_up import curves, finished, made_up, only_section

from rnnbench.compare.sections import divide_runs
from rnnbench.published.notes import published_runs
from rnnbench.published.rows import PublishedRow, compare_with_published, published_curves
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import RunResult

LOSSES = (0.43, 0.44, 0.45)


def runs(architecture: str = "lstm", *, n_epochs: int = 60, **values: Any) -> list[RecordedRun]:
    """A run for each of the losses, lowest in the last epoch but one."""
    return [
        made_up(
            architecture,
            seed,
            finished(0.78 + 0.01 * seed, test_loss=loss),
            run={"history": curves(*[0.7] * (n_epochs - 2), loss, 0.6)},
            **values,
        )
        for seed, loss in enumerate(LOSSES)
    ]


def compare(found: list[RecordedRun]) -> dict[tuple[str, str], PublishedRow]:
    return {(row.source, row.summary): row for row in compare_with_published([only_section(found)])}


def test_a_published_loss_is_set_against_one_new_run() -> None:
    row = compare(runs())["notes-2025", "best val_loss"]
    assert (row.published, row.n, row.mean) == (0.4368, 3, pytest.approx(0.44))
    # 4.302653 * 0.01 * sqrt(1 + 1/3) = 0.049683
    assert row.interval is not None
    assert row.interval.low == pytest.approx(0.44 - 0.049683, abs=1e-6)
    assert row.interval.high == pytest.approx(0.44 + 0.049683, abs=1e-6)
    assert row.is_inside


def test_a_number_outside_the_interval_is_said_to_be() -> None:
    found = [
        made_up("lstm", seed, 0.8, run={"history": curves(0.7, 0.4, 0.6, val_accuracy=accuracy)})
        for seed, accuracy in enumerate((0.749, 0.750, 0.751))
    ]
    row = compare(found)["notes-2025", "its val_accuracy"]
    assert (row.mean, row.published) == (pytest.approx(0.75), published_runs()["lstm"].val_accuracy)
    assert row.is_inside is False


def test_runs_all_alike_do_not_show_how_far_another_would_lie() -> None:
    row = compare(runs())["notes-2025", "its val_accuracy"]
    assert (row.mean, row.interval, row.is_inside) == (pytest.approx(0.75), None, None)


def test_the_best_epoch_counts_from_one() -> None:
    row = compare(runs(n_epochs=51))["notes-2025", "best epoch"]
    assert (row.published, row.mean) == (published_runs()["lstm"].best_epoch, 50)


def test_no_new_run_is_best_before_the_first_epoch_or_right_on_more_than_all() -> None:
    early = [
        made_up("lstm", seed, 0.8, run={"history": curves(*losses, val_accuracy=accuracy)})
        for seed, (losses, accuracy) in enumerate(
            [((0.4, 0.5, 0.6), 0.99), ((0.6, 0.5, 0.4), 0.8), ((0.4, 0.5, 0.6), 0.9)]
        )
    ]
    found = compare(early)
    epoch, accuracy = (
        found["notes-2025", summary].interval for summary in ("best epoch", "its val_accuracy")
    )
    assert epoch is not None
    assert accuracy is not None
    assert (epoch.low, epoch.is_bounded) == (1.0, True)
    assert (accuracy.high, accuracy.is_bounded) == (1.0, True)


def test_only_the_stacked_model_has_a_published_test_score() -> None:
    assert ("notes-2025", "test accuracy") not in compare(runs("lstm"))
    row = compare(runs("lstm-stacked"))["notes-2025", "test accuracy"]
    assert (row.published, row.mean) == (0.7848, pytest.approx(0.79))
    assert compare(runs("lstm-stacked"))["notes-2025", "test loss"].published == 0.4673


def test_notes_that_stopped_after_ten_epochs_are_compared_up_to_there() -> None:
    found = [
        replace(run, history=curves(*[0.7] * 8, 0.5 + 0.01 * seed, 0.55, 0.3))
        for seed, run in enumerate(runs())
    ]
    row = compare(found)["notes-2022", "best val_loss"]
    assert published_runs("notes-2022")["lstm"].was_cut_short
    assert (row.published, row.mean) == (0.4739, pytest.approx(0.51))
    assert compare(found)["notes-2022", "best epoch"].mean == 9
    assert compare(found)["notes-2025", "best val_loss"].mean == pytest.approx(0.3)


def test_one_run_has_no_interval_and_no_verdict() -> None:
    row = compare(runs()[:1])["notes-2025", "best val_loss"]
    assert (row.n, row.mean, row.interval, row.is_inside) == (1, 0.43, None, None)


def test_failed_runs_stay_out() -> None:
    failed = RunResult(status="failed", epochs=1)
    found = [*runs(), made_up("lstm", 3, failed, run={"history": curves(0.1)})]
    assert compare(found)["notes-2025", "best val_loss"].n == 3


def test_a_run_that_did_not_learn_stays_out() -> None:
    *learned, lost = runs()
    found = compare_with_published(
        divide_runs([*learned, lost], "architecture", unlearned=frozenset({lost.spec.fingerprint}))
    )
    assert found == compare_with_published([only_section(learned)])
    assert {row.n for row in found} == {2}


def test_no_finished_run_leaves_the_published_number_alone() -> None:
    row = compare([made_up("lstm", 0, None)])["notes-2025", "best val_loss"]
    assert (row.published, row.n, row.mean, row.is_inside) == (0.4368, 0, None, None)


@pytest.mark.parametrize(
    "values",
    [{"max_len": 50}, {"learning_rate": 1e-3}, {"units": 16}, {"fingerprint": "ab"}],
    ids=lambda values: next(iter(values)),
)
def test_other_recipes_reviews_and_networks_are_not_compared(values: dict[str, Any]) -> None:
    assert compare(runs(**values)) == {}
    assert published_curves([only_section(runs(**values))]) == []


def test_both_orders_are_compared() -> None:
    row = compare(runs(order="frozen"))["notes-2025", "best val_loss"]
    assert (row.order, row.architecture) == ("frozen", "lstm")


def test_published_curves_are_those_of_the_architectures_shown() -> None:
    found = published_curves([only_section(runs("gru") + runs("lstm"))])
    shown = {(curve.section, curve.arm): curve.history for curve in found}
    assert set(shown) >= {("notes-2025", "lstm"), ("notes-2025", "gru")}
    assert not any(arm == "lstm-stacked" for _, arm in shown)
    assert shown["notes-2025", "lstm"].shape == (52, 4)
    assert tuple(shown["notes-2025", "lstm"][0]) == published_runs()["lstm"].history[0]


def test_the_distance_is_in_the_unit_of_the_number() -> None:
    rows = compare(runs())
    assert rows["notes-2025", "its val_accuracy"].mean is not None
    assert 0 < rows["notes-2025", "its val_accuracy"].mean < 1
