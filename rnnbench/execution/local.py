"""The `local` executor: spawned processes, one a core or a few a GPU, working through a queue."""

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
class _Slot:
    """A place for a worker, and what it is doing."""

    gpu: str | None
    child: Child
    tasks: tuple[Task, ...] = ()
    shape: str | None = None
    code: str = ""
    """Of others, that it has carried out; it is given no other."""
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
        self._slots: list[_Slot] = []
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
            self._fill_slots(len(self._waiting))
            for slot in self._slots:
                self._hand_out(slot)
            while any(slot.tasks for slot in self._slots):
                by_pipe: dict[Any, _Slot] = {slot.child.pipe: slot for slot in self._slots}
                for pipe in wait(list(by_pipe)):
                    yield from self._listen(by_pipe[pipe])
        finally:
            if any(slot.tasks for slot in self._slots):
                self.close()  # the work was broken off

    def start(self, n_tasks: int) -> None:
        """See `Executor.start`; they import Keras meanwhile."""
        self._fill_slots(n_tasks)

    def close(self) -> None:
        """Send every worker home at once."""
        for slot in self._slots:
            slot.child.end()
        self._slots = []

    def stop(self, fingerprint: str) -> None:
        """See `Executor.stop`."""
        self._waiting.drop(fingerprint)
        for slot in self._slots:
            mine = {task.spec.fingerprint for task in slot.tasks}
            if fingerprint in mine - slot.over:
                slot.over.add(fingerprint)
                _tell(slot, fingerprint)

    def _fill_slots(self, n_tasks: int) -> None:
        """As many workers as there are tasks, and never more than places; idle ones stay."""
        wanted = self._gpus[:n_tasks]
        self._slots += [
            _Slot(gpu=gpu, child=self._spawn(gpu)) for gpu in wanted[len(self._slots) :]
        ]

    def _spawn(self, gpu: str | None) -> Child:
        log = None if self._log_folder is None else self._log_folder / "workers.log"
        n_sharing = max(self._gpus.count(gpu), 1)
        environment = worker_environment(self._backend, gpu, n_sharing)
        return spawn(self._work, gpu, self._n_lanes, environment=environment, log=log)

    def _hand_out(self, slot: _Slot) -> None:
        """Give an idle worker its next task, if there is one; a fleet as many as it has lanes."""
        elsewhere = {other.shape for other in self._slots if other is not slot and other.tasks}
        slot.tasks = self._waiting.take(slot.shape, elsewhere, self._n_lanes, slot.code)
        slot.over = set()
        if slot.tasks:
            spec = slot.tasks[0].spec
            if slot.code not in ("", spec.others_code):
                slot.child.end()
                slot.child, slot.ready = self._spawn(slot.gpu), False
            slot.shape, slot.code = spec.shape, spec.others_code
            _tell(slot, slot.tasks)

    def _listen(self, slot: _Slot) -> Iterator[Event]:
        """Pass on what a worker says; when all its tasks have ended, hand out the next."""
        try:
            event: Event | str | None = slot.child.pipe.recv()
        except (EOFError, OSError):  # OSError: it died in the middle of an event
            yield from self._replace(slot)
            return
        if isinstance(event, str):
            slot.ready = True
            return
        if event is None:
            self._hand_out(slot)
        elif event.fingerprint not in slot.over:
            if isinstance(event, Finished | Failed):
                slot.over.add(event.fingerprint)
            yield event

    def _replace(self, slot: _Slot) -> Iterator[Event]:
        """A worker died: its run failed, a new worker takes the slot."""
        slot.child.process.join()
        reason = how_it_ended(slot.child)
        slot.child.end()
        if not slot.ready:
            raise WorkerError(f"a worker could not be started: {reason}")
        for task in slot.tasks:
            fingerprint = task.spec.fingerprint
            if fingerprint not in slot.over:
                yield Failed(fingerprint=fingerprint, reason=reason, traceback=reason)
        fresh = _Slot(gpu=slot.gpu, child=self._spawn(slot.gpu))
        self._slots[self._slots.index(slot)] = fresh
        self._hand_out(fresh)


def _tell(slot: _Slot, message: tuple[Task, ...] | str) -> None:
    """Send tasks, or the fingerprint of a run to give up.

    A worker that has died is noticed when its pipe is read.
    """
    with suppress(OSError):
        slot.child.pipe.send(message)


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
