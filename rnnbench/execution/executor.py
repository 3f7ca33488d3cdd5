"""What every executor offers, the unit of work that it takes, and those that wait."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import count, islice
from typing import Protocol

from rnnbench.specs import Event, RunSpec


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

    Code of others may change what Keras does in its whole process: one that has carried out some
    is given nothing else afterwards.
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


class TaskQueue:
    """Waiting tasks by shape; taking one costs the same however many wait."""

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self._tasks: dict[str, OrderedDict[int, Task]] = {}  # by shape and number, longest first
        self._numbers = count()
        self._seconds: dict[str, float] = {}  # of the work left in a shape
        for task in sorted(tasks, key=lambda task: (-task.expected_seconds, task.spec.seed)):
            self._add(task)

    def __len__(self) -> int:
        """How many tasks wait."""
        return sum(map(len, self._tasks.values()))

    def take(
        self,
        shape: str | None = None,
        elsewhere: Set[str | None] = frozenset(),
        n_lanes: int = 1,
        code: str = "",
    ) -> tuple[Task, ...]:
        """The next task for a worker that has `shape` compiled while others work on `elsewhere`.

        First its own shape, since compiling costs seconds, then others of its `code`, since it may
        carry out no other; then the shape with the most work left that nobody else is at, then any
        other; within a shape the longest first, then the lowest seed. With a task of the engine
        `fleet` come others that can share its fleet.

        Returns:
            At most `n_lanes` tasks; none if none waits.
        """
        if not self._tasks:
            return ()
        chosen = max(
            self._tasks,
            key=lambda name: (
                name == shape,
                bool(code) and code == self._first(name).spec.others_code,
                name not in elsewhere,
                self._seconds[name],
            ),
        )
        first = self._first(chosen)
        alike = (
            number
            for number, task in self._tasks[chosen].items()
            if task.spec.data == first.spec.data
        )
        numbers = tuple(islice(alike, n_lanes if first.spec.engine == "fleet" else 1))
        return tuple(self._remove(chosen, number) for number in numbers)

    def drop(self, fingerprint: str) -> None:
        """Forget a run's task, if it waits."""
        found = [
            (shape, number)
            for shape, tasks in self._tasks.items()
            for number, task in tasks.items()
            if task.spec.fingerprint == fingerprint
        ]
        for shape, number in found:
            self._remove(shape, number)

    def give_back(self, task: Task) -> None:
        """A task that was taken waits again, as the first of its shape."""
        number = self._add(task)
        self._tasks[task.spec.shape].move_to_end(number, last=False)

    def _add(self, task: Task) -> int:
        shape, number = task.spec.shape, next(self._numbers)
        self._tasks.setdefault(shape, OrderedDict())[number] = task
        self._seconds[shape] = self._seconds.get(shape, 0.0) + task.expected_seconds
        return number

    def _first(self, shape: str) -> Task:
        return next(iter(self._tasks[shape].values()))

    def _remove(self, shape: str, number: int) -> Task:
        task = self._tasks[shape].pop(number)
        self._seconds[shape] -= task.expected_seconds
        if not self._tasks[shape]:
            del self._tasks[shape], self._seconds[shape]
        return task
