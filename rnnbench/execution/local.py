"""The `local` executor: spawned processes, one a core or a few a GPU, working through a queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from rnnbench.errors import WorkerError
from rnnbench.execution.environment import worker_environment
from rnnbench.execution.executor import Task, TaskQueue
from rnnbench.execution.process import Child, children_cpu_seconds, how_it_ended, spawn
from rnnbench.execution.worker import Worker, prepare_process
from rnnbench.specs import Backend, Event, Failed, Finished

READY = "ready"  # a worker's first word: from here on its death is its run's failure


@dataclass(kw_only=True)
class _Seat:
    """A place for a worker, and what it is doing."""

    gpu: str | None
    child: Child
    tasks: tuple[Task, ...] = ()
    shape: str | None = None
    ready: bool = False
    over: set[str] = field(default_factory=set)
    """Fingerprints of which nothing more is wanted: ended, or given up."""


class LocalExecutor:
    """Runs tasks in processes of this machine.

    Args:
        gpus: one entry a worker, the index of its GPU; None for a CPU worker.
        log_folder: where the workers' standard error goes.
        n_lanes: runs side by side in a fleet.
        work: what a worker process does; by default it trains.
    """

    def __init__(
        self,
        *,
        backend: Backend,
        gpus: Sequence[str | None],
        log_folder: Path | None = None,
        n_lanes: int = 1,
        work: Callable[[Connection, str | None, int], None] | None = None,
    ) -> None:
        self._n_lanes = n_lanes
        self._work = work or work_off
        self._backend = backend
        self._gpus = gpus
        self._log_folder = log_folder
        self._seats: list[_Seat] = []
        self._waiting = TaskQueue()
        self._cpu_before = children_cpu_seconds()

    @property
    def cpu_seconds(self) -> float:
        """See `Executor.cpu_seconds`."""
        return children_cpu_seconds() - self._cpu_before

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """See `Executor.run`."""
        self._waiting = TaskQueue(tasks)
        try:
            self._fill_seats(len(self._waiting))
            for seat in self._seats:
                self._hand_out(seat)
            while any(seat.tasks for seat in self._seats):
                by_pipe: dict[Any, _Seat] = {seat.child.pipe: seat for seat in self._seats}
                for pipe in wait(list(by_pipe)):
                    yield from self._listen(by_pipe[pipe])
        finally:
            if any(seat.tasks for seat in self._seats):
                self.close()  # the work was broken off

    def start(self, n_tasks: int) -> None:
        """See `Executor.start`; they import Keras meanwhile."""
        self._fill_seats(n_tasks)

    def close(self) -> None:
        """Send every worker home at once."""
        for seat in self._seats:
            seat.child.end()
        self._seats = []

    def stop(self, fingerprint: str) -> None:
        """See `Executor.stop`."""
        self._waiting.drop(fingerprint)
        for seat in self._seats:
            mine = {task.spec.fingerprint for task in seat.tasks}
            if fingerprint in mine - seat.over:
                seat.over.add(fingerprint)
                _tell(seat, fingerprint)

    def _fill_seats(self, n_tasks: int) -> None:
        """As many workers as there are tasks, and never more than places; idle ones stay."""
        wanted = self._gpus[:n_tasks]
        self._seats += [self._take_seat(gpu) for gpu in wanted[len(self._seats) :]]

    def _take_seat(self, gpu: str | None) -> _Seat:
        log = None if self._log_folder is None else self._log_folder / "workers.log"
        n_sharing = max(self._gpus.count(gpu), 1)
        environment = worker_environment(self._backend, gpu, n_sharing)
        return _Seat(
            gpu=gpu,
            child=spawn(self._work, gpu, self._n_lanes, environment=environment, log=log),
        )

    def _hand_out(self, seat: _Seat) -> None:
        """Give an idle worker its next task, if there is one; a fleet as many as it has lanes."""
        elsewhere = {other.shape for other in self._seats if other is not seat and other.tasks}
        seat.tasks = self._waiting.take(seat.shape, elsewhere, self._n_lanes)
        seat.over = set()
        if seat.tasks:
            seat.shape = seat.tasks[0].spec.shape
            _tell(seat, seat.tasks)

    def _listen(self, seat: _Seat) -> Iterator[Event]:
        """Pass on what a worker says; when all its tasks have ended, hand out the next."""
        try:
            event: Event | str | None = seat.child.pipe.recv()
        except (EOFError, OSError):  # OSError: it died in the middle of an event
            yield from self._replace(seat)
            return
        if isinstance(event, str):
            seat.ready = True
            return
        if event is None:
            self._hand_out(seat)
        elif event.fingerprint not in seat.over:
            if isinstance(event, Finished | Failed):
                seat.over.add(event.fingerprint)
            yield event

    def _replace(self, seat: _Seat) -> Iterator[Event]:
        """A worker died: its run failed, a new worker takes the seat."""
        seat.child.process.join()
        reason = how_it_ended(seat.child)
        seat.child.end()
        if not seat.ready:
            raise WorkerError(f"a worker could not be started: {reason}")
        for task in seat.tasks:
            fingerprint = task.spec.fingerprint
            if fingerprint not in seat.over:
                yield Failed(fingerprint=fingerprint, reason=reason, traceback=reason)
        fresh = self._take_seat(seat.gpu)
        self._seats[self._seats.index(seat)] = fresh
        self._hand_out(fresh)


def _tell(seat: _Seat, message: tuple[Task, ...] | str) -> None:
    """Send tasks, or the fingerprint of a run to give up.

    A worker that has died is noticed when its pipe is read.
    """
    with suppress(OSError):
        seat.child.pipe.send(message)


def work_off(pipe: Connection, gpu: str | None, n_lanes: int) -> None:
    """A worker process: takes tasks, sends their events, and None once all have ended.

    A fingerprint that is received meanwhile is a run to give up.
    """
    prepare_process()
    pipe.send(READY)
    worker = Worker(gpu, n_lanes)
    while True:
        tasks = pipe.recv()
        if isinstance(tasks, str):
            continue  # a stop that came after its run had ended
        stopped: set[str] = set()

        def is_stopped(fingerprint: str, stopped: set[str] = stopped) -> bool:
            while pipe.poll():
                stopped.add(pipe.recv())
            return fingerprint in stopped

        for event in worker.run(tasks, is_stopped):
            if not is_stopped(event.fingerprint):
                pipe.send(event)
        pipe.send(None)
