"""The heats of a race: who takes part, who is left out, and what a cut leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from rnnbench.execution.executor import Task
from rnnbench.racing.race import RATES, Heats, choose_batch_size, list_settings
from rnnbench.racing.record import Entrant
from rnnbench.specs import CanonicalForm, EpochEnded, EpochRow, Event, Failed, Finished, RunResult

MakeSpec = Callable[..., object]
Loss = Callable[[int, float], float]
"""The validation loss by units and learning rate."""


class Played:
    """An executor that plays each run in one epoch.

    Args:
        is_lost: whether a run of so many units fails.
    """

    def __init__(self, loss: Loss, is_lost: Callable[[int], bool] = lambda _: False) -> None:
        self._loss, self._is_lost = loss, is_lost
        self.stopped: set[str] = set()
        self.tasks: list[Task] = []

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        self.tasks += tasks
        for task in tasks:
            spec, key = task.spec, task.spec.fingerprint
            if key in self.stopped:
                continue
            assert isinstance(spec.form, CanonicalForm)
            if self._is_lost(spec.form.units):
                yield Failed(fingerprint=key, reason="made up", traceback="")
                continue
            loss = self._loss(spec.form.units, spec.recipe.learning_rate)
            row = EpochRow(
                epoch=1,
                loss=loss,
                accuracy=0.5,
                val_loss=loss,
                val_accuracy=0.5,
                epoch_seconds=0.1,
                ended_at=0.0,
            )
            yield EpochEnded(fingerprint=key, row=row, state=b"")
            result = RunResult(status="finished", epochs=1)
            if key not in self.stopped:
                yield Finished(fingerprint=key, result=result, model=b"", predictions=b"")

    def stop(self, fingerprint: str) -> None:
        self.stopped.add(fingerprint)


def race(make_spec: MakeSpec, executor: Played, seconds: float = 60.0) -> list[Entrant]:
    heats = Heats(
        base=make_spec(),  # type: ignore[arg-type]
        executor=executor,  # type: ignore[arg-type]
        deadline=time.perf_counter() + seconds,
        on_entrant=lambda _: None,
    )
    return list(heats.carry_out(list_settings({})))


def best(entrants: Sequence[Entrant]) -> tuple[int, float]:
    found = min((e for e in entrants if e.loss is not None), key=lambda e: e.loss or 0.0)
    return found.setting.units, found.setting.learning_rate


def test_larger_networks_are_tried_where_more_units_helped(make_spec: MakeSpec) -> None:
    entrants = race(make_spec, Played(lambda units, rate: 1 / units + rate))
    assert {e.setting.units for e in entrants} == {8, 32, 128 // 2}
    assert best(entrants) == (64, RATES[0])


def test_larger_networks_are_left_out_where_smaller_ones_did_better(make_spec: MakeSpec) -> None:
    entrants = race(make_spec, Played(lambda units, rate: units + rate))
    assert {e.setting.units for e in entrants} == {8, 32}
    assert best(entrants) == (8, RATES[0])


def test_race_never_meets_the_test_part(make_spec: MakeSpec) -> None:
    executor = Played(lambda units, rate: 1.0)
    race(make_spec, executor)
    assert {task.spec.purpose for task in executor.tasks} == {"tuning"}


def test_when_the_time_is_over_the_rest_is_stopped_and_no_further_heat_begins(
    make_spec: MakeSpec,
) -> None:
    executor = Played(lambda units, rate: 1.0)
    entrants = race(make_spec, executor, seconds=0.0)
    assert {e.setting.units for e in entrants} == {32}
    assert not any(e.is_over for e in entrants)


def test_setting_of_which_a_network_failed_cannot_win(make_spec: MakeSpec) -> None:
    entrants = race(make_spec, Played(lambda units, rate: 1 / units, lambda units: units == 64))
    assert [e.loss for e in entrants if e.setting.units == 64] == [None] * 3
    assert best(entrants)[0] == 32


def test_values_that_are_held_are_not_raced() -> None:
    heats = list_settings({"units": 20, "learning_rate": 0.5})
    settings = [setting for heat in heats for setting in heat]
    assert {(s.units, s.learning_rate) for s in settings} == {(20, 0.5)}
    assert [s.embedding_size for s in settings] == [64, 16, 128]


@pytest.mark.parametrize(
    ("n_train", "size"), [(40, 4), (2400, 8), (4800, 16), (9600, 32), (19_200, 64), (10**6, 64)]
)
def test_few_texts_take_small_steps(n_train: int, size: int) -> None:
    assert choose_batch_size(n_train) == size
