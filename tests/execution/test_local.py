"""The schedule of the local executor: which waiting run a worker takes next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rnnbench.execution.executor import Task, TaskQueue
from rnnbench.specs import PluginForm, RunSpec


@pytest.fixture
def task(make_spec: Callable[..., RunSpec]) -> Callable[..., Task]:
    def make(architecture: str = "lstm", seed: int = 0, seconds: float = 1.0) -> Task:
        return Task(spec=make_spec(architecture, seed=seed), expected_seconds=seconds)

    return make


Make = Callable[..., Task]


def test_the_longest_run_goes_first(task: Make) -> None:
    waiting = [task(seed=0, seconds=1), task(seed=1, seconds=5), task(seed=2, seconds=3)]
    assert TaskQueue(waiting).take() == (waiting[1],)


def test_a_worker_stays_with_the_shape_that_it_has_compiled(task: Make) -> None:
    short, long = task("lstm", seconds=1), task("gru", seconds=100)
    assert TaskQueue([short, long]).take(short.spec.shape) == (short,)


def test_the_shape_with_most_work_left_goes_first(task: Make) -> None:
    long = task("lstm", seconds=5)
    many = [task("gru", seed=seed, seconds=3) for seed in (0, 1)]
    waiting = TaskQueue([long, *many])
    assert waiting.take() == (many[0],)
    assert waiting.take() == (long,)  # 5 s are left of it, 3 s of the other


def test_workers_spread_over_shapes(task: Make) -> None:
    long, short = task("lstm", seconds=100), task("gru", seconds=1)
    assert TaskQueue([long, short]).take(None, {long.spec.shape}) == (short,)


def test_a_worker_stays_with_the_code_of_others_that_it_has_carried_out(task: Make) -> None:
    first = task("lstm", seconds=1)
    form = PluginForm(name="net.py:build", code="0" * 12)
    own = replace(first, spec=replace(first.spec, form=form))
    waiting = [own, task("gru", seconds=100)]
    assert TaskQueue(waiting).take(None, code=own.spec.others_code) == (own,)
    assert TaskQueue(waiting).take() == (waiting[1],)


def test_a_worker_helps_out_where_no_other_shape_is_left(task: Make) -> None:
    left = task("lstm")
    assert TaskQueue([left]).take("another shape", {left.spec.shape}) == (left,)


def test_of_equal_runs_the_lowest_seed_goes_first(task: Make) -> None:
    waiting = [task(seed=seed) for seed in (2, 0, 1)]
    assert TaskQueue(waiting).take() == (waiting[1],)


def test_nothing_waiting_is_nothing_to_do() -> None:
    assert TaskQueue().take() == ()


def test_a_dropped_task_does_not_come(task: Make) -> None:
    first, second = task(seed=0), task(seed=1)
    waiting = TaskQueue([first, second])
    waiting.drop(first.spec.fingerprint)
    waiting.drop("one that does not wait")
    assert len(waiting) == 1
    assert waiting.take() == (second,)


def test_two_tasks_of_one_run_both_wait(task: Make) -> None:
    waiting = TaskQueue([task(), task()])
    assert [len(waiting.take()), len(waiting.take()), len(waiting.take())] == [1, 1, 0]
    waiting = TaskQueue([task(), task()])
    waiting.drop(task().spec.fingerprint)
    assert len(waiting) == 0


def test_a_task_that_is_given_back_is_the_next_of_its_shape(task: Make) -> None:
    waiting = TaskQueue([task(seed=seed) for seed in range(3)])
    taken = waiting.take()
    waiting.give_back(taken[0])
    assert len(waiting) == 3
    assert waiting.take() == taken


def test_two_workers_work_everything_off_with_few_changes_of_shape(task: Make) -> None:
    names = ("lstm", "gru", "simple-rnn")
    waiting = TaskQueue(task(name, seed) for name in names for seed in range(4))
    shapes: list[str | None] = [None, None]
    n_compiled = 0
    for turn in range(12):
        worker = turn % 2
        (chosen,) = waiting.take(shapes[worker], {shapes[1 - worker]})
        n_compiled += chosen.spec.shape != shapes[worker]
        shapes[worker] = chosen.spec.shape
    assert len(waiting) == 0
    assert n_compiled <= 4  # three shapes, one of them on both workers


def test_tasks_of_one_shape_and_one_data_set_share_a_fleet(
    make_spec: Callable[..., RunSpec],
) -> None:
    one, two, three = (Task(spec=make_spec(seed=n, engine="fleet")) for n in range(3))
    other = Task(spec=make_spec("gru", engine="fleet"), expected_seconds=0.5)
    alone = Task(spec=make_spec(seed=9), expected_seconds=0.5)
    waiting = [one, other, two, alone, three]
    assert TaskQueue(waiting).take(n_lanes=8) == (one, two, three)
    assert TaskQueue(waiting).take(n_lanes=2) == (one, two)
    assert TaskQueue(waiting).take(alone.spec.shape, n_lanes=8) == (alone,)
