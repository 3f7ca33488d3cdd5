"""How long a study will take, what it can decide, and what fits into a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_up import workers_here

from rnnbench.datasets import DatasetRef
from rnnbench.execution.executor import Executor, Task
from rnnbench.ledger import Ledger
from rnnbench.page.consoles import open_console
from rnnbench.page.screen import Screen
from rnnbench.specs import (
    EpochEnded,
    EpochRow,
    Event,
    Finished,
    RunResult,
    RunSpec,
    Started,
    Status,
)
from rnnbench.studies import calibration
from rnnbench.studies.calibration import run_pilot
from rnnbench.studies.forecast import REPORT_SECONDS, Cost, fit_budget, forecast
from rnnbench.studies.plan import (
    WORKER_START_SECONDS,
    Plan,
    is_unlike_textbook,
    run_kind,
    typical_epochs,
)
from rnnbench.studies.screen import describe_power
from rnnbench.study import Study

OVERHEAD = WORKER_START_SECONDS + REPORT_SECONDS


@pytest.fixture
def plan(make_spec: Callable[..., RunSpec], tmp_path: Path) -> Plan:
    """Two architectures with three seeds each, on two workers."""
    specs = [
        make_spec(name, seed=n, epochs=100, learning_rate=1e-4)
        for name in ("lstm", "gru")
        for n in range(3)
    ]
    data = DatasetRef(name="small", fingerprint=specs[0].data.fingerprint, origin="a test")
    return Plan(
        # One of the 64 test texts is 1.6 points.
        study=Study(name="mine", architectures=("lstm", "gru"), seeds=(0, 1, 2), margin_points=2),
        specs=tuple(specs),
        dataset=data,
        workers=workers_here(),
        ledger=Ledger(tmp_path),
        n_train=100,
        fresh=False,
    ).refreshed()


def costs_of(plan: Plan, **changed: Any) -> Mapping[str, Cost]:
    values = {"start_seconds": 2.0, "epoch_seconds": 1.0, "end_seconds": 0.5, "file_bytes": 1000}
    return {spec.shape: Cost(**values | changed) for spec in plan.specs}


def test_the_time_is_that_of_the_longest_worker(plan: Plan) -> None:
    found = forecast(plan, costs_of(plan))
    lengths = [typical_epochs(spec) + 0.5 for spec in plan.specs]
    least, most = sum(lengths) / 2 + 2, sum(lengths) / 2 + 4 + max(lengths)
    assert least <= found.wall_seconds - OVERHEAD <= most
    assert set(found.epochs) == {"lstm", "gru"}
    assert found.epochs_from == ("imdb",)


def test_a_shape_without_a_cost_is_left_out(plan: Plan) -> None:
    one = {plan.specs[0].shape: costs_of(plan)[plan.specs[0].shape]}
    whole, part = (forecast(plan, costs) for costs in (costs_of(plan), one))
    assert part.wall_seconds < whole.wall_seconds
    assert part.disk_bytes < whole.disk_bytes


def test_the_verdict_says_what_it_rests_on(plan: Plan) -> None:
    verdict = forecast(plan, costs_of(plan)).verdict
    assert (verdict.n_seeds, verdict.n_pairs) == (3, 1)
    assert "IMDB, for" in verdict.basis
    assert "A verdict takes 6, because" in describe_power(verdict)
    enough = fit_budget(plan, costs_of(plan), 100_000).verdict
    assert enough is not None
    assert enough.n_seeds > 100
    words = "points of test accuracy in about four studies of five (1 pair)"
    assert words in describe_power(enough)


def test_a_budget_holds_as_many_seeds_as_fit(plan: Plan) -> None:
    small, large = (fit_budget(plan, costs_of(plan), s) for s in (1000, 2000))
    assert small.verdict is not None
    assert large.verdict is not None
    assert 3 <= small.verdict.n_seeds < large.verdict.n_seeds
    assert small.wall_seconds <= 1000
    assert small.epochs == large.epochs == 100


def test_epochs_are_given_up_before_the_third_seed_is(plan: Plan) -> None:
    slow = costs_of(plan, epoch_seconds=10.0)
    found = fit_budget(plan, slow, 600)
    assert found.verdict is not None
    assert found.epochs < 100
    assert found.wall_seconds <= 600
    assert fit_budget(plan, slow, 20).verdict is None


class Stopper:
    """An executor whose runs end after so many epochs each, but for those that are given up."""

    cpu_seconds = 0.0

    def __init__(self, *epochs: int) -> None:
        self._epochs = epochs
        self._stopped: set[str] = set()

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        for task, n in zip(tasks, self._epochs, strict=True):
            key = task.spec.fingerprint
            if key not in self._stopped:
                result = RunResult(status="finished", epochs=n)
                yield Finished(fingerprint=key, result=result, model=b"", predictions=b"")

    def start(self, n_tasks: int) -> None: ...

    def stop(self, fingerprint: str) -> None:
        self._stopped.add(fingerprint)

    def close(self) -> None: ...


class Listener(Screen):
    """Keeps what was warned of."""

    def __init__(self) -> None:
        super().__init__(console=open_console(quiet=True))
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def try_out(plan: Plan, executor: Executor) -> tuple[dict[str, int], list[str]]:
    """What a pilot with that executor finds, and what it warns of."""
    listener = Listener()
    plan = replace(plan, workers=replace(plan.workers, executor=executor))
    return run_pilot(plan, listener), listener.warnings


def test_a_pilot_finds_the_epochs_of_each_network(plan: Plan) -> None:
    pilot, warnings = try_out(plan, Stopper(90, 70))
    found = forecast(replace(plan, pilot=pilot), costs_of(plan))
    assert sorted(found.epochs.values()) == [(70, 70), (90, 90)]
    assert (found.epochs_from, warnings) == (("pilot",), [])
    assert found.wall_seconds > forecast(plan, costs_of(plan)).wall_seconds


def test_what_the_pilot_does_not_reach_does_as_the_others(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "PILOT_SECONDS", 0.0)
    pilot, warnings = try_out(plan, Stopper(90, 70))
    assert list(pilot.values()) == [90, 90]
    assert len(warnings) == 1


def test_where_no_pilot_stops_every_epoch_is_counted(plan: Plan) -> None:
    stopper = Stopper(90, 70)
    for spec in plan.specs:
        stopper.stop(spec.fingerprint)
    pilot, warnings = try_out(plan, stopper)
    assert list(pilot.values()) == [100, 100]
    assert warnings == ["lstm, gru did not stop within 2 minutes; the forecast is rough"]


class Trainer(Stopper):
    """Trains two networks, one epoch each and then, unless it is given up, to the end."""

    def __init__(self, *, diverging: bool = False) -> None:
        super().__init__()
        self._status: Status = "diverged" if diverging else "finished"

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        for task in tasks:
            key = task.spec.fingerprint
            if key in self._stopped:
                continue
            yield Started(fingerprint=key, first_epoch=1, environment={})
            yield EpochEnded(fingerprint=key, row=epoch_row(seconds=2.0), state=b"")
            if key not in self._stopped:
                result = RunResult(status=self._status, epochs=1)
                yield Finished(fingerprint=key, result=result, model=b"12", predictions=b"3")


def epoch_row(seconds: float) -> EpochRow:
    scores = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy", "ended_at"), 0.5)
    return EpochRow(epoch=1, epoch_seconds=seconds, **scores)


def test_a_calibration_measures_each_network(plan: Plan) -> None:
    costs, late = calibration.measure_costs(plan.specs, 2, Trainer())
    assert ({*costs}, late) == ({spec.shape for spec in plan.specs}, set())
    assert {(cost.epoch_seconds, cost.file_bytes) for cost in costs.values()} == {(2.0, 3)}


def test_a_network_without_time_in_the_calibration_costs_what_the_others_do(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "CALIBRATION_SECONDS", 0.0)
    costs, late = calibration.measure_costs(plan.specs, 2, Trainer())
    assert len(late) == 1
    assert {cost.epoch_seconds for cost in costs.values()} == {2.0}
    assert {*costs} == {spec.shape for spec in plan.specs}


def test_what_cannot_be_trained_has_no_cost(plan: Plan) -> None:
    assert calibration.measure_costs(plan.specs, 2, Trainer(diverging=True)) == ({}, set())


def test_the_calibration_is_expected_to_take_longer_for_more_networks_and_has_a_limit(
    plan: Plan,
) -> None:
    one, two = (calibration.expect_seconds(plan, plan.specs[:n], 1) for n in (3, 6))
    assert one < two < calibration.CALIBRATION_SECONDS
    large = replace(plan, n_train=10_000_000)
    found = calibration.expect_seconds(large, large.specs, 1)
    assert found == calibration.CALIBRATION_SECONDS


def test_a_budget_counts_runs_that_are_over(plan: Plan) -> None:
    fresh = fit_budget(plan, costs_of(plan), 300)
    over = fit_budget(replace(plan, tasks=()), costs_of(plan), 300)
    assert fresh.verdict is not None
    assert over.verdict is not None
    assert over.verdict.n_seeds == fresh.verdict.n_seeds + 3


def test_a_budget_knows_which_seeds_are_over(plan: Plan) -> None:
    known = {
        run_kind(spec): {seed: RunResult(status="finished", epochs=40) for seed in range(5, 10)}
        for spec in plan.specs
    }
    found = fit_budget(replace(plan, known=known), costs_of(plan), 60)
    assert found.epochs == 10  # not five seeds for nothing: the command begins with seed 0


def test_a_budget_asks_for_no_more_epochs_than_the_study_has(plan: Plan) -> None:
    specs = tuple(replace(s, recipe=replace(s.recipe, epochs=5)) for s in plan.specs)
    found = fit_budget(replace(plan, specs=specs, tasks=()), costs_of(plan, epoch_seconds=99), 9)
    assert found.epochs == 5


def test_runs_that_do_not_differ_say_nothing_of_the_spread(plan: Plan) -> None:
    equal = RunResult(status="finished", epochs=40, test_accuracy=0.8)
    known = {run_kind(spec): dict.fromkeys(range(4), equal) for spec in plan.specs}
    verdict = forecast(replace(plan, known=known), costs_of(plan)).verdict
    assert "IMDB, for" in verdict.basis


def test_a_network_that_cannot_be_trained_is_in_no_part_of_the_forecast(plan: Plan) -> None:
    left = plan.without({plan.specs[0].shape})
    found = forecast(left, costs_of(plan))
    assert (set(found.epochs), found.verdict.n_pairs) == ({"gru"}, 0)
    assert describe_power(found.verdict) == "3 seeds, and nothing to compare them with"


def test_what_diverges_in_the_pilot_did_not_run_out_of_time(plan: Plan) -> None:
    class Diverging(Stopper):
        def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
            for event in super().run(tasks):
                assert isinstance(event, Finished)
                yield replace(event, result=replace(event.result, status="diverged"))

    pilot, warnings = try_out(plan, Diverging(2, 3))
    assert (sorted(pilot.values()), warnings) == ([2, 3], [])


def test_only_other_texts_and_a_frozen_order_make_the_first_time_a_guess(
    make_spec: Callable[..., RunSpec],
) -> None:
    own = make_spec()
    imdb = replace(own, data=replace(own.data, dataset="imdb"))
    frozen = replace(imdb, recipe=replace(imdb.recipe, order="frozen"))
    assert [is_unlike_textbook(spec) for spec in (own, imdb, frozen)] == [True, False, True]
