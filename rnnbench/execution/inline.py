"""An executor inside the calling process: for tests and for looking closely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnnbench.execution.executor import Task, TaskQueue
from rnnbench.execution.worker import Worker
from rnnbench.specs import Event


class InlineExecutor:
    """Runs tasks one after the other, here; this process's Keras must use their back end."""

    cpu_seconds = 0.0

    def __init__(self, n_lanes: int = 1) -> None:
        self._n_lanes = n_lanes
        self._worker = Worker(n_lanes=n_lanes)
        self._stopped: set[str] = set()

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """See `Executor.run`."""
        waiting = TaskQueue(tasks)
        while taken := waiting.take(n_lanes=self._n_lanes):
            for event in self._worker.run(taken, self._stopped.__contains__):
                if event.fingerprint not in self._stopped:
                    yield event
        self._stopped.clear()

    def start(self, n_tasks: int) -> None:
        """See `Executor.start`."""

    def close(self) -> None:
        """See `Executor.close`."""

    def stop(self, fingerprint: str) -> None:
        """See `Executor.stop`."""
        self._stopped.add(fingerprint)
