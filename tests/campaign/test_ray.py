"""The `ray` executor on a real cluster: a node that is killed, versions that differ, no answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from project import ON_RAY, Project, read_curves, write_project

from rnnbench.errors import UnavailableError
from rnnbench.execution import environment
from rnnbench.execution.cluster import RayExecutor, connect
from rnnbench.execution.environment import package_versions
from rnnbench.execution.executor import Task
from rnnbench.execution.local import LocalExecutor
from rnnbench.specs import EpochEnded, Event, Failed, Finished, RunSpec

MakeSpec = Callable[..., RunSpec]

pytestmark = ON_RAY


@pytest.fixture
def nodes() -> Iterator[Any]:  # Any: ray is untyped
    """A cluster of a head without cores, and two nodes of one core each."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(2):
        started.add_node(num_cpus=1)
    yield started
    import ray

    ray.shutdown()
    started.shutdown()


def test_a_port_where_something_else_listens_is_given_up(tmp_path: Any) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match=r"listens at 127\.0\.0\.1:\d+ is not a Ray"):
            connect(f"127.0.0.1:{other.getsockname()[1]}", "jax")
        assert time.monotonic() - began < 15


def test_a_node_with_other_versions_is_refused_with_both_named(
    nodes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = package_versions("jax")
    monkeypatch.setattr(environment, "_version", lambda name: (theirs | {"keras": "0.1"})[name])
    with pytest.raises(UnavailableError, match=rf"has keras {theirs['keras']}, .*has 0\.1"):
        connect(nodes.address, "jax")


def test_a_node_killed_in_the_middle_costs_no_run_and_changes_no_number(
    nodes: Any, make_spec: MakeSpec
) -> None:
    specs = [make_spec("simple-rnn", seed=seed, epochs=30, patience=30) for seed in range(4)]
    tasks = [Task(spec=spec) for spec in specs]
    local = LocalExecutor(backend="jax", gpus=(None,))
    expected = list(local.run(tasks))
    local.close()

    joined = connect(nodes.address, "jax")
    assert (joined.n_nodes, joined.n_cpus) == (3, 2)
    executor = RayExecutor(backend="jax", n_at_once=2)
    events: list[Event] = []
    killed = False
    for event in executor.run(tasks):
        events.append(event)
        at_work = {e.fingerprint for e in events} - {
            e.fingerprint for e in events if isinstance(e, Finished)
        }
        if isinstance(event, EpochEnded) and len(at_work) == 2 and not killed:
            killed = True
            nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)
    executor.close()

    assert killed
    assert not [event for event in events if isinstance(event, Failed)]
    for spec in specs:
        assert epochs(events, spec) == epochs(expected, spec)
        assert ends(events, spec) == ends(expected, spec)


def test_the_command_trains_on_a_cluster_what_it_trains_here(shared: Any, tmp_path: Any) -> None:
    chosen = {"architectures": ["lstm", "gru"], "seeds": 2}
    here = write_project(tmp_path / "here", shared, **chosen)
    there = write_project(tmp_path / "there", shared, **chosen)
    assert here.run().returncode == 0
    done = there.run("--executor", "ray", "--ray-address", "local", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert "executor  ray at local: 1 node" in done.stdout
    assert histories(there) == histories(here)
    assert len(there.tracked()) == 4


def epochs(events: list[Event], spec: RunSpec) -> list[tuple[float, ...]]:
    """Of each epoch what it came to; an epoch done twice, the last time."""
    rows = {
        event.row.epoch: event.row
        for event in events
        if isinstance(event, EpochEnded) and event.fingerprint == spec.fingerprint
    }
    return [(n, rows[n].loss, rows[n].val_loss, rows[n].val_accuracy) for n in sorted(rows)]


def ends(events: list[Event], spec: RunSpec) -> list[tuple[float | None, bytes]]:
    return [
        (event.result.test_loss, event.predictions)
        for event in events
        if isinstance(event, Finished) and event.fingerprint == spec.fingerprint
    ]


def histories(project: Project) -> dict[str, Any]:
    return {
        path.parent.name: read_curves(path)
        for path in project.folder.glob(".rnnbench/runs/*/*/history.csv")
    }
