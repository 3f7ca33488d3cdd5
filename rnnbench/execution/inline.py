"""An executor inside the calling process: for tests and for looking closely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnnbench.execution.executor import Task
from rnnbench.execution.worker import Worker
from rnnbench.specs import Event

__all__ = ["InlineExecutor"]


class InlineExecutor:
    """Runs tasks one after the other, here; this process's Keras must use their back end."""

    cpu_seconds = 0.0

    def __init__(self) -> None:
        self._stopped: set[str] = set()

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """See `Executor.run`."""
        worker = Worker()
        for task in tasks:
            for event in worker.run(task):
                if task.spec.fingerprint in self._stopped:
                    break
                yield event
        self._stopped.clear()

    def close(self) -> None:
        """See `Executor.close`."""

    def stop(self, fingerprint: str) -> None:
        """See `Executor.stop`."""
        self._stopped.add(fingerprint)
