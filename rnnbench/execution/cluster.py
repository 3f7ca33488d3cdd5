"""The `ray` executor: the same worker in tasks of a Ray cluster, its events streamed back."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

from rnnbench.data.corpus import PartName
from rnnbench.data.dataset import Part, load_part
from rnnbench.errors import UnavailableError, UsageError, WorkerError
from rnnbench.execution.environment import package_versions, worker_environment
from rnnbench.execution.executor import Task, TaskQueue
from rnnbench.execution.worker import Worker, prepare_process
from rnnbench.formats import why_failed
from rnnbench.output.characters import first_line
from rnnbench.specs import Backend, DataSpec, EpochEnded, Event, Failed, Finished

LOCAL = "local"
"""The address that starts a cluster of this machine alone."""

CONNECT_SECONDS = 10.0
PROBE_SECONDS = 60.0
MOST_DEATHS = 3  # of workers, before a run that ends no epoch meanwhile has failed

Parts = dict[PartName, Any]  # Any: references into the object store


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A connection to a cluster; one a process.

    Args:
        n_cpus, n_gpus: of all its nodes.
    """

    n_nodes: int
    n_cpus: int
    n_gpus: int

    def close(self) -> None:
        """Leave the cluster; one that this process started ends."""
        import ray

        ray.shutdown()


def connect(address: str, backend: Backend, n_cpus: int | None = None) -> Cluster:
    """Join the cluster at `HOST:PORT`, or start one of this machine's own for `local`.

    Args:
        n_cpus: tasks at once in a cluster of this machine's own.

    Raises:
        UsageError: Ray is not installed, or the address is not one.
        UnavailableError: nothing answers there within 10 s, or a node has other versions.
    """
    if find_spec("ray") is None:
        raise UsageError("Ray is not installed; run `pip install 'rnnbench[ray]'`")
    if address != LOCAL:
        _find(address)
    import ray

    where = {"num_cpus": n_cpus} if address == LOCAL else {"address": address}
    try:
        ray.init(
            **where,
            log_to_driver=False,
            logging_level="CRITICAL",
            include_dashboard=False if address == LOCAL else None,
        )
    except Exception as err:  # ConnectionError, RuntimeError for other versions, and more
        raise UnavailableError(f"the Ray cluster at {address}: {first_line(err)}") from err
    return _look(backend)


class RayExecutor:
    """Runs tasks on a cluster; this process alone hears their events.

    A worker or a node that dies costs the epochs since its last event: its runs go on elsewhere.

    Args:
        n_at_once: tasks at once.
        gpu_share: of a GPU for each task; 0 for the CPU.
        n_lanes: runs side by side in a fleet.
    """

    def __init__(
        self, *, backend: Backend, n_at_once: int, gpu_share: float = 0.0, n_lanes: int = 1
    ) -> None:
        self._backend = backend
        self._n_at_once = n_at_once
        self._gpu_share = gpu_share
        self._n_lanes = n_lanes
        self._waiting = TaskQueue()
        self._at_work: dict[Any, _Sent] = {}  # Any: ray's generators of references
        self._parts: dict[tuple[DataSpec, bool], Parts] = {}
        self._deaths: dict[str, int] = {}
        self._cpu_seconds = 0.0

    @property
    def cpu_seconds(self) -> float:
        """See `Executor.cpu_seconds`; of tasks that ended in peace."""
        return self._cpu_seconds

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """See `Executor.run`."""
        import ray

        self._waiting, self._deaths = TaskQueue(tasks), {}
        try:
            while self._waiting or self._at_work:
                while self._waiting and len(self._at_work) < self._n_at_once:
                    self._send(shape=None)
                ready, _ = ray.wait(list(self._at_work), num_returns=1)
                yield from self._listen(ready[0])
        finally:
            self._give_up()

    def start(self, n_tasks: int) -> None:
        """See `Executor.start`; they import Keras meanwhile."""
        prepare = self._remote(_prepare)
        for _ in range(min(n_tasks, self._n_at_once)):
            prepare.remote(self._variables)

    def stop(self, fingerprint: str) -> None:
        """See `Executor.stop`; in a fleet its lane goes on unheard."""
        import ray

        self._waiting.drop(fingerprint)
        for generator, sent in list(self._at_work.items()):
            if fingerprint in sent.wanted:
                del sent.wanted[fingerprint]
                if not sent.wanted:
                    ray.cancel(generator)

    def close(self) -> None:
        """See `Executor.close`."""
        import ray

        self._give_up()
        ray.shutdown()

    def _remote(self, function: Any) -> Any:  # Any: ray is untyped
        """The function as a task of one core, or of a share of a GPU."""
        import ray

        task = ray.remote(
            num_cpus=1,
            num_gpus=self._gpu_share,
            max_retries=0,  # a retry from here begins at the last state, Ray's at the first
        )
        return task(function)

    @property
    def _variables(self) -> dict[str, str]:
        """A worker's environment; it sets them itself.

        Ray's own `runtime_env` would start a second set of workers: seconds of every command.
        """
        gpu = "ray" if self._gpu_share else None
        variables = worker_environment(self._backend, gpu, round(1 / (self._gpu_share or 1)))
        if gpu:
            del variables["CUDA_VISIBLE_DEVICES"]  # Ray sets it, for each task
        return variables

    def _send(self, shape: str | None) -> None:
        """Submit the next task, best one of the shape that a worker has compiled."""
        elsewhere: set[str | None] = {sent.shape for sent in self._at_work.values()}
        tasks = self._waiting.take(shape, elsewhere, self._n_lanes)
        code = tasks[0].spec.others_code
        # Ray keeps a process to the tasks of one environment.
        alone = {"runtime_env": {"env_vars": {"RNNBENCH_OTHERS_CODE": code}}} if code else {}
        generator = (
            self._remote(_carry_out)
            .options(num_returns="streaming", **alone)
            .remote(
                self._variables, tasks, self._place(tasks[0]), bool(self._gpu_share), self._n_lanes
            )
        )
        wanted = {task.spec.fingerprint: task for task in tasks}
        self._at_work[generator] = _Sent(shape=tasks[0].spec.shape, wanted=wanted)

    def _place(self, task: Task) -> Parts:
        """The task's data in the object store, put there once; a tuning run gets no test half."""
        import ray

        key = (task.spec.data, task.spec.purpose == "tuning")
        if key not in self._parts:
            names: list[PartName] = ["train", "validation", *(() if key[1] else ("test",))]
            self._parts[key] = {name: ray.put(load_part(key[0], name)) for name in names}
        return self._parts[key]

    def _listen(self, generator: Any) -> Iterator[Event]:  # Any: ray is untyped
        """Pass on what a task says; when it ends, or dies, go on with the next."""
        import ray

        sent = self._at_work[generator]
        try:
            event: Event | float = ray.get(next(generator))
        except StopIteration:
            del self._at_work[generator]
            if self._waiting:
                self._send(sent.shape)
            return
        except ray.exceptions.TaskCancelledError:
            del self._at_work[generator]
            return
        except ray.exceptions.RayTaskError as err:  # never a run's own failure: that is an event
            del self._at_work[generator]
            raise WorkerError(f"a worker could not be started: {first_line(err.cause)}") from err
        except ray.exceptions.RayError as err:  # its worker, its node or its last words are lost
            del self._at_work[generator]
            yield from self._handle_death(sent, err)
            return
        if isinstance(event, float):
            self._cpu_seconds += event
        elif event.fingerprint in sent.wanted:
            if isinstance(event, EpochEnded):
                task = sent.wanted[event.fingerprint]
                sent.wanted[event.fingerprint] = replace(task, state=event.state)
                self._deaths.pop(event.fingerprint, None)
            elif isinstance(event, Finished | Failed):
                del sent.wanted[event.fingerprint]
            yield event

    def _handle_death(self, sent: _Sent, err: Exception) -> Iterator[Event]:
        """A worker died: its runs wait again, at their last state, unless they kill workers."""
        for fingerprint, task in sent.wanted.items():
            deaths = self._deaths[fingerprint] = self._deaths.get(fingerprint, 0) + 1
            if deaths < MOST_DEATHS:
                self._waiting.give_back(task)
                continue
            reason = f"{deaths} workers in a row died of it: {first_line(err)}"
            yield Failed(fingerprint=fingerprint, reason=reason, traceback=reason)

    def _give_up(self) -> None:
        import ray

        for generator in self._at_work:
            with suppress(Exception):  # it may have ended, and its node with it
                ray.cancel(generator, force=True)
        self._at_work = {}


@dataclass(slots=True, kw_only=True)
class _Sent:
    """What a task at work is to do; `wanted` has each run that has not ended, as far as it is."""

    shape: str
    wanted: dict[str, Task] = field(default_factory=dict)


_workers: dict[tuple[str | None, int], Worker] = {}  # of this process, which Ray uses again
_stored: dict[DataSpec, Parts] = {}


def _prepare(variables: Mapping[str, str]) -> None:
    """In a task: what a worker does once; the variables must stand before it imports Keras."""
    os.environ.update(variables)
    prepare_process()


def _carry_out(
    variables: Mapping[str, str], tasks: tuple[Task, ...], parts: Parts, on_gpu: bool, n_lanes: int
) -> Iterator[Event | float]:
    """In a task: the events of its runs, then the CPU time that they took."""
    began = time.process_time()
    _prepare(variables)
    gpu = os.environ["CUDA_VISIBLE_DEVICES"] if on_gpu else None
    data = tasks[0].spec.data
    _stored.setdefault(data, {}).update(parts)
    key = (gpu, n_lanes)
    if key not in _workers:
        _workers[key] = Worker(gpu, n_lanes, load=_fetch)
    yield from _workers[key].run(tasks)
    yield time.process_time() - began


def _fetch(data: DataSpec, name: PartName) -> Part:
    """In a task: a part out of the object store."""
    import ray

    part: Part = ray.get(_stored[data][name])
    return part


def _find(address: str) -> None:
    """Check that something listens at the address; Ray itself would try for a minute.

    Raises:
        UsageError, UnavailableError: see `connect`.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--ray-address takes local or HOST:PORT, got '{address}'")
    remedy = "start one with `ray start --head`, or use --ray-address local"
    began = time.monotonic()
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS / 2).close()
    except OSError as err:
        reason = why_failed(err)
        raise UnavailableError(f"no Ray cluster answers at {address} ({reason}); {remedy}") from err
    # Something listens; `ray.init` would take half a minute to find out that it is another program.
    ask = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        left = CONNECT_SECONDS - (time.monotonic() - began)
        subprocess.run(ask, check=True, capture_output=True, timeout=left)
    except subprocess.SubprocessError as err:
        raise UnavailableError(f"what listens at {address} is not a Ray cluster; {remedy}") from err


def _look(backend: Backend) -> Cluster:
    """What the cluster has; every node must have this machine's versions.

    Raises:
        UnavailableError: one has others, or does not say.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    alive = [node for node in ray.nodes() if node["Alive"]]
    ask = ray.remote(num_cpus=0)(package_versions)
    here = ray.get_runtime_context().get_node_id()
    others = [node for node in alive if node["NodeID"] != here]
    answers = {
        node["NodeManagerAddress"]: ask.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(backend)
        for node in others
    }
    ours = package_versions(backend)
    for name, answer in answers.items():
        try:
            theirs = ray.get(answer, timeout=PROBE_SECONDS)
        except Exception as err:  # rnnbench may be missing there
            raise UnavailableError(
                f"the node {name} cannot run workers: {first_line(err)}"
            ) from err
        for package in ours:
            if theirs[package] != ours[package]:
                raise UnavailableError(
                    f"the node {name} has {package} {theirs[package]}, this machine has "
                    f"{ours[package]}; numbers would differ: install the same versions everywhere"
                )
    resources = ray.cluster_resources()
    return Cluster(
        n_nodes=len(alive),
        n_cpus=int(resources.get("CPU", 0)),
        n_gpus=int(resources.get("GPU", 0)),
    )
