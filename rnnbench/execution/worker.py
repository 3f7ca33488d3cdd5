"""A worker: a pure function of (spec, data, saved state), in a process or out of one."""

from __future__ import annotations

import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from rnnbench.data.corpus import PartName
from rnnbench.data.dataset import Part, load_part
from rnnbench.execution.environment import describe_process, enable_compilation_cache
from rnnbench.execution.executor import Task, TaskQueue
from rnnbench.models import import_keras
from rnnbench.networks.execution import unwrap_error
from rnnbench.output.characters import named_line, unstyled
from rnnbench.specs import DataSpec, EpochEnded, Event, Failed, Finished, RunSpec
from rnnbench.training.engine import Program
from rnnbench.training.engines import open_program, require_gpu
from rnnbench.training.loop import Start, train_runs

LoadPart = Callable[[DataSpec, PartName], Part]
N_PROGRAMS = 2  # a compiled program holds about 50 MiB


class Worker:
    """Carries out tasks; keeps data and compiled programs between them.

    Args:
        n_lanes: of a fleet; halved for a shape that does not fit in the device's memory.
        load: gives a part of a data set; by default from this machine's cache.
    """

    def __init__(
        self,
        gpu: str | None = None,
        n_lanes: int = 1,
        load: LoadPart | None = None,
    ) -> None:
        self._load = load
        self._gpu = gpu
        self._n_lanes = n_lanes
        self._fitting: dict[str, int] = {}
        self._programs: OrderedDict[tuple[str, int], Program] = OrderedDict()
        self._parts: LazyParts | None = None

    def run(
        self, tasks: Sequence[Task], is_stopped: Callable[[str], bool] = lambda _: False
    ) -> Iterator[Event]:
        """The events of tasks that one program can train; an exception fails all that still run.

        Args:
            tasks: one, or of one fleet as many as there are lanes.
            is_stopped: whether a run, by its fingerprint, was given up.
        """
        spec = tasks[0].spec
        n_lanes = self._fitting.get(spec.shape, self._n_lanes)
        if len(tasks) > n_lanes:
            yield from self.run(tasks[:n_lanes], is_stopped)
            yield from self.run(tasks[n_lanes:], is_stopped)
            return
        environment = describe_process(spec.backend, self._gpu)
        environment |= {"lanes": str(n_lanes)} if spec.engine == "fleet" else {}
        ended: set[str] = set()
        has_trained = False
        try:
            if self._gpu is not None:
                require_gpu(spec.backend)
            starts = [Start(spec=task.spec, saved=task.state) for task in tasks]
            program, parts = self._program(spec, n_lanes), self._open(spec.data)
            for event in train_runs(starts, program, parts, environment, is_stopped):
                has_trained = has_trained or isinstance(event, EpochEnded)
                if isinstance(event, Finished):
                    ended.add(event.fingerprint)
                yield event
        except Exception as err:  # a failed run is data, whatever it failed with
            self._programs.pop((spec.shape, n_lanes), None)
            if n_lanes > 1 and not has_trained and _is_out_of_memory(err):
                self._fitting[spec.shape] = n_lanes // 2
                yield from self.run(tasks, is_stopped)
                return
            for task in tasks:
                if task.spec.fingerprint not in ended:
                    yield Failed(
                        fingerprint=task.spec.fingerprint,
                        reason=named_line(unwrap_error(err)),
                        traceback=unstyled(traceback.format_exc()),
                        environment=environment,
                    )

    def _program(self, spec: RunSpec, n_lanes: int) -> Program:
        key = (spec.shape, n_lanes)
        program = self._programs.pop(key, None) or open_program(spec, n_lanes)
        self._programs[key] = program
        while len(self._programs) > N_PROGRAMS:
            self._programs.popitem(last=False)
        return program

    def _open(self, data: DataSpec) -> LazyParts:
        if self._parts is None or self._parts.data != data:
            self._parts = LazyParts(data, self._load)
        return self._parts


def prepare_process() -> None:
    """Make this process a worker's, before it imports a back end; its environment is set already.

    Importing Keras takes seconds, best spent before the first task is here.
    """
    enable_compilation_cache()
    import_keras()


class LazyParts:
    """The parts of a data set, each loaded when it is first asked for."""

    def __init__(self, data: DataSpec, load: LoadPart | None = None) -> None:
        self.data = data
        self._load = load or load_part
        self._loaded: dict[PartName, Part] = {}

    def __getitem__(self, name: PartName) -> Part:
        """The part of that name."""
        if name not in self._loaded:
            self._loaded[name] = self._load(self.data, name)
        return self._loaded[name]


class InlineExecutor:
    """An executor inside the calling process, whose Keras must use the tasks' back end."""

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


def _is_out_of_memory(err: BaseException) -> bool:
    return isinstance(err, MemoryError) or "RESOURCE_EXHAUSTED" in str(err)
