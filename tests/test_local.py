"""The schedule of the local executor: which waiting run a worker takes next."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rnnbench.execution.executor import Task, choose_task
from rnnbench.specs import RunSpec


@pytest.fixture
def task(make_spec: Callable[..., RunSpec]) -> Callable[..., Task]:
    def make(architecture: str = "lstm", seed: int = 0, seconds: float = 1.0) -> Task:
        return Task(spec=make_spec(architecture, seed=seed), expected_seconds=seconds)

    return make


Make = Callable[..., Task]


def test_the_longest_run_goes_first(task: Make) -> None:
    waiting = [task(seed=0, seconds=1), task(seed=1, seconds=5), task(seed=2, seconds=3)]
    assert choose_task(waiting, None, set()) is waiting[1]


def test_a_worker_stays_with_the_shape_that_it_has_compiled(task: Make) -> None:
    short, long = task("lstm", seconds=1), task("gru", seconds=100)
    assert choose_task([short, long], short.spec.shape, set()) is short


def test_the_shape_with_most_work_left_goes_first(task: Make) -> None:
    long = task("lstm", seconds=5)
    many = [task("gru", seed=seed, seconds=3) for seed in (0, 1)]
    assert choose_task([long, *many], None, set()) is many[0]


def test_workers_spread_over_shapes(task: Make) -> None:
    long, short = task("lstm", seconds=100), task("gru", seconds=1)
    assert choose_task([long, short], None, {long.spec.shape}) is short


def test_a_worker_helps_out_where_no_other_shape_is_left(task: Make) -> None:
    left = task("lstm")
    assert choose_task([left], "another shape", {left.spec.shape}) is left


def test_of_equal_runs_the_lowest_seed_goes_first(task: Make) -> None:
    waiting = [task(seed=seed) for seed in (2, 0, 1)]
    assert choose_task(waiting, None, set()) is waiting[1]


def test_nothing_waiting_is_nothing_to_do() -> None:
    assert choose_task([], None, set()) is None


def test_two_workers_work_everything_off_with_few_changes_of_shape(task: Make) -> None:
    waiting = [task(name, seed) for name in ("lstm", "gru", "simple-rnn") for seed in range(4)]
    shapes: list[str | None] = [None, None]
    n_compiled = 0
    for turn in range(len(waiting)):
        worker = turn % 2
        chosen = choose_task(waiting, shapes[worker], {shapes[1 - worker]})
        assert chosen is not None
        waiting.remove(chosen)
        n_compiled += chosen.spec.shape != shapes[worker]
        shapes[worker] = chosen.spec.shape
    assert waiting == []
    assert n_compiled <= 4  # three shapes, one of them on both workers
