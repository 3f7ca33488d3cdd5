"""What every executor offers, and the unit of work that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rnnbench.specs import Event, RunSpec

__all__ = ["Executor", "Task"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A run to be carried out.

    Args:
        state: the `state` of the run's last `EpochEnded`, from which it goes on.
        expected_seconds: for the schedule only; long runs start first.
    """

    spec: RunSpec
    state: bytes | None = None
    expected_seconds: float = 1.0


class Executor(Protocol):
    """Runs tasks and streams what happens; writes nothing itself.

    Tasks of the engine `fleet` that one compiled program can train are trained side by side, as
    many as the executor was given lanes.
    """

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """Events of all tasks, each run's in order; closing the iterator ends the work.

        May be called again once it is exhausted; workers stay until the executor is closed.

        Every task that is not stopped ends with exactly one `Finished` or `Failed`.

        Raises:
            WorkerError: no worker can be started.
        """
        ...

    def start(self, n_tasks: int) -> None:
        """Prepare workers for so many tasks before they are here."""
        ...

    def stop(self, fingerprint: str) -> None:
        """Give a run up, at work or still to come: it ends after its epoch at the latest.

        It yields no further event.
        """
        ...

    def close(self) -> None:
        """Send every worker home at once."""
        ...

    @property
    def cpu_seconds(self) -> float:
        """CPU time that the ended workers used."""
        ...
