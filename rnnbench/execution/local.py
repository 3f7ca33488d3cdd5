"""The `local` executor: spawned processes, one a core or a few a GPU, working through a queue."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from rnnbench.errors import WorkerError
from rnnbench.execution.environment import worker_environment
from rnnbench.execution.executor import Task
from rnnbench.execution.process import Child, children_cpu_seconds, how_it_ended, spawn
from rnnbench.specs import Backend, Event, Failed, Finished

__all__ = ["LocalExecutor", "choose_task"]

READY = "ready"  # a worker's first word: from here on its death is its run's failure


@dataclass(kw_only=True)
class _Seat:
    """A place for a worker, and what it is doing."""

    gpu: str | None
    child: Child
    task: Task | None = None
    shape: str | None = None
    ready: bool = False
    is_stopped: bool = False


class LocalExecutor:
    """Runs tasks in processes of this machine.

    Args:
        gpus: one entry a worker, the index of its GPU; None for a CPU worker.
        log_folder: where the workers' standard error goes.
    """

    def __init__(
        self, *, backend: Backend, gpus: Sequence[str | None], log_folder: Path | None = None
    ) -> None:
        self._backend = backend
        self._gpus = gpus
        self._log_folder = log_folder
        self._seats: list[_Seat] = []
        self._waiting: list[Task] = []
        self._cpu_before = children_cpu_seconds()

    @property
    def cpu_seconds(self) -> float:
        """See `Executor.cpu_seconds`."""
        return children_cpu_seconds() - self._cpu_before

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """See `Executor.run`."""
        self._waiting = list(tasks)
        try:
            self._fill_seats(len(self._waiting))
            for seat in self._seats:
                self._hand_out(seat)
            while any(seat.task for seat in self._seats):
                by_pipe: dict[Any, _Seat] = {seat.child.pipe: seat for seat in self._seats}
                for pipe in wait(list(by_pipe)):
                    yield from self._listen(by_pipe[pipe])
        finally:
            if any(seat.task for seat in self._seats):
                self.close()  # the work was broken off

    def start(self, n_tasks: int) -> None:
        """Start workers for so many tasks before they are here: they import Keras meanwhile."""
        self._fill_seats(n_tasks)

    def close(self) -> None:
        """Send every worker home at once."""
        for seat in self._seats:
            seat.child.end()
        self._seats = []

    def stop(self, fingerprint: str) -> None:
        """See `Executor.stop`."""
        self._waiting = [task for task in self._waiting if task.spec.fingerprint != fingerprint]
        for seat in self._seats:
            if seat.task and seat.task.spec.fingerprint == fingerprint and not seat.is_stopped:
                seat.is_stopped = True
                _tell(seat, None)

    def _fill_seats(self, n_tasks: int) -> None:
        """As many workers as there are tasks, and never more than places; idle ones stay."""
        wanted = self._gpus[:n_tasks]
        self._seats += [self._take_seat(gpu) for gpu in wanted[len(self._seats) :]]

    def _take_seat(self, gpu: str | None) -> _Seat:
        log = None if self._log_folder is None else self._log_folder / "workers.log"
        n_sharing = max(self._gpus.count(gpu), 1)
        environment = worker_environment(self._backend, gpu, n_sharing)
        return _Seat(gpu=gpu, child=spawn(_work, gpu, environment=environment, log=log))

    def _hand_out(self, seat: _Seat) -> None:
        """Give an idle worker its next task, if there is one."""
        elsewhere = {other.shape for other in self._seats if other is not seat and other.task}
        seat.task = choose_task(self._waiting, seat.shape, elsewhere)
        seat.is_stopped = False
        if seat.task:
            self._waiting.remove(seat.task)
            seat.shape = seat.task.spec.shape
            _tell(seat, seat.task)

    def _listen(self, seat: _Seat) -> Iterator[Event]:
        """Pass on what a worker says; when its task has ended, hand out the next."""
        try:
            event: Event | str | None = seat.child.pipe.recv()
        except (EOFError, OSError):  # OSError: it died in the middle of an event
            yield from self._replace(seat)
            return
        if isinstance(event, str):
            seat.ready = True
            return
        if seat.task is None:
            return
        if event is not None and not seat.is_stopped:
            yield event
        if event is None or isinstance(event, Finished | Failed):
            self._hand_out(seat)

    def _replace(self, seat: _Seat) -> Iterator[Event]:
        """A worker died: its run failed, a new worker takes the seat."""
        seat.child.process.join()
        reason = how_it_ended(seat.child)
        seat.child.end()
        if not seat.ready:
            raise WorkerError(f"a worker could not be started: {reason}")
        if seat.task and not seat.is_stopped:
            yield Failed(fingerprint=seat.task.spec.fingerprint, reason=reason, traceback=reason)
        fresh = self._take_seat(seat.gpu)
        self._seats[self._seats.index(seat)] = fresh
        self._hand_out(fresh)


def choose_task(
    waiting: Sequence[Task], shape: str | None, elsewhere: set[str | None]
) -> Task | None:
    """The next task for a worker that has `shape` compiled while others work on `elsewhere`.

    First its own shape, since compiling costs seconds; then the shape with the most work left
    that nobody else is at, then any other; within a shape the longest first.
    """
    left: dict[str, float] = {}
    for task in waiting:
        left[task.spec.shape] = left.get(task.spec.shape, 0.0) + task.expected_seconds
    return max(
        waiting,
        key=lambda task: (
            task.spec.shape == shape,
            task.spec.shape not in elsewhere,
            left[task.spec.shape],
            task.expected_seconds,
            -task.spec.seed,
        ),
        default=None,
    )


def _tell(seat: _Seat, message: Task | None) -> None:
    """Send a task or a stop; a worker that has died is noticed when its pipe is read."""
    with suppress(OSError):
        seat.child.pipe.send(message)


def _work(pipe: Connection, gpu: str | None) -> None:
    """A worker process: takes tasks, sends events; anything received during a run stops it."""
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        # Keras imports TensorFlow wherever it is installed to save a model: 500 MiB, 3 s.
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # makes the import fail
    import keras  # noqa: F401  # seconds, best spent before the first task is here

    from rnnbench.execution.worker import Worker

    pipe.send(READY)

    worker = Worker(gpu)
    while True:
        task = pipe.recv()
        if task is None:
            continue  # a stop that came after its run had ended
        for event in worker.run(task):
            if pipe.poll():
                pipe.recv()
                pipe.send(None)
                break
            pipe.send(event)
