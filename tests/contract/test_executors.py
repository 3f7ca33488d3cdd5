"""What every executor owes: each run's events in order, one end each, the same numbers."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
from project import ON_RAY, build_once

from rnnbench.architectures import find_plugins
from rnnbench.data.corpus import PartName
from rnnbench.data.dataset import Part, load_part
from rnnbench.execution import worker as worker_module
from rnnbench.execution.executor import Executor, Task
from rnnbench.execution.local import LocalExecutor
from rnnbench.execution.worker import InlineExecutor
from rnnbench.networks.reading import read_network
from rnnbench.specs import (
    DataSpec,
    EpochEnded,
    Event,
    Failed,
    Finished,
    Improved,
    RunSpec,
    Started,
)

MakeSpec = Callable[..., RunSpec]

EXECUTORS: dict[str, Callable[[], Executor]] = {
    "inline": InlineExecutor,
    "local, 1 worker": lambda: LocalExecutor(backend="jax", gpus=(None,)),
    "local, 2 workers": lambda: LocalExecutor(backend="jax", gpus=(None, None)),
}
EVERYWHERE = [*EXECUTORS, pytest.param("ray, 2 workers", marks=ON_RAY)]
STOPPABLE = ["inline", "local, 1 worker", pytest.param("ray, 1 worker", marks=ON_RAY)]
EXECUTORS["ray, 1 worker"] = lambda: open_ray(1)
EXECUTORS["ray, 2 workers"] = lambda: open_ray(2)
RAISING = "raising"
PLUGIN = """
from rnnbench.architectures import Plugin

PLUGIN = Plugin(name="raising", build="raising_plugin:layers")

def layers():
    import keras

    class Raising(keras.layers.Layer):
        def call(self, x):
            raise RuntimeError("this layer does not work")

    return [Raising()]
"""


@pytest.fixture(autouse=True)
def no_worker_left() -> Iterator[None]:
    """Workers stay until their executor is closed, or the test is over."""
    yield
    for worker in active_children():
        worker.kill()
        worker.join()


@pytest.fixture(scope="module", autouse=True)
def raising_plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An installed package whose architecture raises when it is built."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "raising_plugin.py").write_text(PLUGIN)
    info = folder / "raising_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: raising-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[rnnbench.architectures]\n{RAISING} = raising_plugin:PLUGIN\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))  # a spawned worker gets its parent's path
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)  # a node of a cluster this
        find_plugins.cache_clear()
        yield
    find_plugins.cache_clear()


@pytest.fixture
def specs(make_spec: MakeSpec) -> list[RunSpec]:
    """Three runs that work, and one between them that does not."""
    return [
        make_spec("simple-rnn", epochs=4),
        make_spec("simple-rnn", seed=1, epochs=4),
        make_spec(RAISING),
        make_spec("gru", epochs=4),
    ]


def open_ray(n_cpus: int) -> Executor:
    from rnnbench.execution.cluster import LOCAL, RayExecutor, connect

    connect(LOCAL, "jax", n_cpus)
    return RayExecutor(backend="jax", n_at_once=n_cpus)


def record_events(name: str, specs: list[RunSpec], shared: Path) -> list[Event]:
    """What the executor says of the runs; each is asked once in a test run."""
    path = shared / "events" / name / "events.pickle"

    def record() -> None:
        executor = EXECUTORS[name]()
        events = list(executor.run([Task(spec=spec) for spec in specs]))
        executor.close()
        path.write_bytes(pickle.dumps(events))

    build_once(path.parent, record)
    found: list[Event] = pickle.loads(path.read_bytes())
    return found


@pytest.fixture(params=EVERYWHERE)
def events(
    request: pytest.FixtureRequest, specs: list[RunSpec], shared: Path, keras_on_jax: Any
) -> list[Event]:
    return record_events(request.param, specs, shared)


def test_every_run_ends_exactly_once(events: list[Event], specs: list[RunSpec]) -> None:
    ends = [event.fingerprint for event in events if isinstance(event, Finished | Failed)]
    assert sorted(ends) == sorted(spec.fingerprint for spec in specs)


def test_the_events_of_a_run_come_in_order(events: list[Event], specs: list[RunSpec]) -> None:
    for spec in specs:
        mine = [event for event in events if event.fingerprint == spec.fingerprint]
        assert isinstance(mine[-1], Finished | Failed)
        if isinstance(mine[-1], Failed):
            continue
        assert isinstance(mine[0], Started)
        epochs = [event.row.epoch for event in mine if isinstance(event, EpochEnded)]
        assert epochs == [1, 2, 3, 4]
        for before, event in itertools.pairwise(mine):
            if isinstance(event, Improved):
                assert isinstance(before, EpochEnded)
                assert before.row.epoch == event.epoch


def test_a_run_that_raises_fails_with_its_traceback_and_the_others_go_on(
    events: list[Event],
) -> None:
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert "this layer does not work" in failed.reason
    assert "\n" not in failed.reason
    assert failed.traceback.startswith("Traceback")
    assert "raising_plugin.py" in failed.traceback
    finished = [event.result.status for event in events if isinstance(event, Finished)]
    assert finished == ["finished"] * 3


def test_numbers_do_not_depend_on_the_executor_or_on_how_many_workers_there_are(
    events: list[Event], specs: list[RunSpec], shared: Path
) -> None:
    first = record_events("inline", specs, shared)
    assert curves(events) == curves(first)
    assert scores(events) == scores(first)


@pytest.mark.parametrize("name", STOPPABLE)
def test_a_stopped_run_says_nothing_more_and_the_next_one_starts(
    name: str, make_spec: MakeSpec, keras_on_jax: Any
) -> None:
    endless, short = endless_spec(make_spec), make_spec("simple-rnn", seed=1, epochs=4)
    executor = EXECUTORS[name]()
    after: list[Event] = []
    stopped = False
    for event in executor.run([Task(spec=endless, expected_seconds=9), Task(spec=short)]):
        if stopped:
            after.append(event)
        elif isinstance(event, EpochEnded):
            executor.stop(endless.fingerprint)
            stopped = True
    executor.close()
    assert {event.fingerprint for event in after} == {short.fingerprint}
    assert isinstance(after[-1], Finished)


@pytest.mark.parametrize("name", STOPPABLE)
def test_a_run_that_is_stopped_before_it_begins_says_nothing(
    name: str, make_spec: MakeSpec, keras_on_jax: Any
) -> None:
    specs = [make_spec("simple-rnn", seed=seed, epochs=2) for seed in range(3)]
    executor = EXECUTORS[name]()
    events = []
    for event in executor.run([Task(spec=spec) for spec in specs]):
        executor.stop(specs[1].fingerprint)
        events.append(event)
    executor.close()
    assert {event.fingerprint for event in events} == {specs[0].fingerprint, specs[2].fingerprint}


def test_workers_stay_for_the_next_tasks_and_go_when_the_executor_is_closed(
    make_spec: MakeSpec,
) -> None:
    executor = EXECUTORS["local, 1 worker"]()
    first, second = (make_spec("simple-rnn", seed=seed, epochs=2) for seed in (0, 1))
    assert list(executor.run([Task(spec=first)]))
    (worker,) = active_children()
    assert isinstance(list(executor.run([Task(spec=second)]))[-1], Finished)
    assert active_children() == [worker]
    executor.close()
    assert active_children() == []


@pytest.mark.parametrize("purpose", ["tuning", "report"])
def test_a_run_for_tuning_never_opens_the_test_half(
    purpose: str, make_spec: MakeSpec, keras_on_jax: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def load(data: DataSpec, name: PartName) -> Part:
        opened.append(name)
        return load_part(data, name)

    monkeypatch.setattr(worker_module, "load_part", load)
    spec = replace(make_spec("simple-rnn"), purpose=purpose)
    end = list(InlineExecutor().run([Task(spec=spec)]))[-1]
    assert isinstance(end, Finished)
    assert ("test" in opened) == (purpose == "report")
    assert (end.result.test_accuracy is None, end.model == b"") == (purpose == "tuning",) * 2


def test_a_killed_worker_fails_its_own_run_only(make_spec: MakeSpec) -> None:
    killed, stopped = endless_spec(make_spec), endless_spec(make_spec, seed=1)
    short = make_spec("simple-rnn", seed=2, epochs=4)
    executor = EXECUTORS["local, 1 worker"]()
    ends: list[Event] = []
    for event in executor.run([Task(spec=spec) for spec in (killed, stopped, short)]):
        if isinstance(event, EpochEnded) and event.fingerprint != short.fingerprint:
            (worker,) = active_children()
            worker.kill()
            worker.join()
            if event.fingerprint == stopped.fingerprint:
                executor.stop(stopped.fingerprint)  # too late for the worker to hear it
        if isinstance(event, Finished | Failed):
            ends.append(event)
    failed, finished = ends
    assert isinstance(failed, Failed)
    assert failed.fingerprint == killed.fingerprint
    assert "SIGKILL" in failed.reason
    assert isinstance(finished, Finished)
    assert finished.fingerprint == short.fingerprint


def test_closing_the_events_ends_the_workers(make_spec: MakeSpec) -> None:
    events = EXECUTORS["local, 2 workers"]().run(
        [Task(spec=endless_spec(make_spec)), Task(spec=endless_spec(make_spec, seed=1))]
    )
    assert isinstance(next(events), Started)
    workers = active_children()
    assert len(workers) == 2
    events.close()  # type: ignore[attr-defined]  # a generator
    assert active_children() == []
    assert not any(worker.is_alive() for worker in workers)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc")
def test_workers_die_with_their_parent(make_spec: MakeSpec, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import json, os, signal, sys\n"
        "from multiprocessing import active_children\n"
        "from rnnbench.execution.executor import Task\n"
        "from rnnbench.execution.local import LocalExecutor\n"
        "from rnnbench.specs import RunSpec\n"
        "if __name__ == '__main__':\n"
        "    spec = RunSpec.from_json(json.loads(sys.argv[1]))\n"
        "    for _ in LocalExecutor(backend='jax', gpus=(None,)).run([Task(spec=spec)]):\n"
        "        print(*(child.pid for child in active_children()), flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = run_script(script, endless_spec(make_spec))
    assert parent.returncode == -signal.SIGKILL, parent.stderr
    (worker,) = map(int, parent.stdout.split())
    give_up = time.monotonic() + 300
    while is_alive(worker):
        assert time.monotonic() < give_up
        time.sleep(0.05)


FLOAT16 = """
import keras

def build(units=4):
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.config.set_floatx("float16")
    return [keras.layers.SimpleRNN(units)]
"""


def test_code_of_others_changes_nothing_but_its_own_runs(
    make_spec: MakeSpec, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(FLOAT16)
    preset = make_spec("simple-rnn", epochs=2)
    own = [
        replace(preset, form=read_network(str(tmp_path / "net.py")).form(units=n)) for n in (2, 3)
    ]
    executor = LocalExecutor(backend="jax", gpus=(None,))
    alone = list(executor.run([Task(spec=preset)]))
    assert not any(isinstance(e, Failed) for e in executor.run([Task(spec=spec) for spec in own]))
    (worker,) = active_children()
    beside = list(executor.run([Task(spec=preset)]))
    assert active_children() != [worker]
    assert curves(beside) == curves(alone)
    assert scores(beside) == scores(alone)


def endless_spec(make_spec: MakeSpec, seed: int = 0) -> RunSpec:
    return make_spec("simple-rnn", seed=seed, epochs=10_000, patience=10_000)


def curves(events: list[Event]) -> dict[str, list[tuple[float, ...]]]:
    found: dict[str, list[tuple[float, ...]]] = {}
    for event in events:
        if isinstance(event, EpochEnded):
            row = event.row
            values = (row.loss, row.accuracy, row.val_loss, row.val_accuracy)
            found.setdefault(event.fingerprint, []).append(values)
    return found


def scores(events: list[Event]) -> dict[str, tuple[float | None, bytes]]:
    return {
        event.fingerprint: (event.result.test_loss, event.predictions)
        for event in events
        if isinstance(event, Finished)
    }


def run_script(script: Path, spec: RunSpec) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), json.dumps(spec.to_json())],
        capture_output=True,
        text=True,
        timeout=600,
    )


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is over and was not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
