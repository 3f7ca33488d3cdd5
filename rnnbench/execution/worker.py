"""A worker: a pure function of (spec, data, saved state), in a process or out of one."""

from __future__ import annotations

import re
import traceback
from collections import OrderedDict
from collections.abc import Iterator

from rnnbench.data.dataset import Part, PartName, load_part
from rnnbench.execution.environment import describe_process
from rnnbench.execution.executor import Task
from rnnbench.specs import DataSpec, Event, Failed, RunSpec
from rnnbench.training.engine import Program
from rnnbench.training.engines import open_program, require_gpu
from rnnbench.training.loop import train_run

__all__ = ["Worker"]

_KERAS_WRAPPER = "Exception encountered when calling"
_STYLE = re.compile(r"\x1b\[[0-9;]*m")  # a terminal's bold and colours

N_PROGRAMS = 2  # a compiled program holds about 50 MiB


class Worker:
    """Carries out tasks one after the other; keeps data and compiled programs between them."""

    def __init__(self, gpu: str | None = None) -> None:
        self._gpu = gpu
        self._programs: OrderedDict[str, Program] = OrderedDict()
        self._parts: OrderedDict[DataSpec, LazyParts] = OrderedDict()

    def run(self, task: Task) -> Iterator[Event]:
        """The task's events; an exception becomes a `Failed`."""
        spec = task.spec
        environment = describe_process(spec.backend, self._gpu)
        try:
            if self._gpu is not None:
                require_gpu(spec.backend)
            yield from train_run(
                spec, self._program(spec), self._open(spec.data), task.state, environment
            )
        except Exception as err:  # a failed run is data, whatever it failed with
            self._programs.pop(spec.shape, None)
            yield Failed(
                fingerprint=spec.fingerprint,
                reason=_one_line(err),
                traceback=_STYLE.sub("", traceback.format_exc()),
                environment=environment,
            )

    def _program(self, spec: RunSpec) -> Program:
        program = self._programs.pop(spec.shape, None) or open_program(spec)
        self._programs[spec.shape] = program
        while len(self._programs) > N_PROGRAMS:
            self._programs.popitem(last=False)
        return program

    def _open(self, data: DataSpec) -> LazyParts:
        parts = self._parts.setdefault(data, LazyParts(data))
        while len(self._parts) > 1:
            self._parts.popitem(last=False)
        return parts


class LazyParts:
    """The parts of a data set, each prepared when it is first asked for."""

    def __init__(self, data: DataSpec) -> None:
        self._data = data
        self._loaded: dict[PartName, Part] = {}

    def __getitem__(self, name: PartName) -> Part:
        """The part of that name."""
        if name not in self._loaded:
            self._loaded[name] = load_part(self._data, name)
        return self._loaded[name]


def _one_line(err: BaseException) -> str:
    if str(err).startswith(_KERAS_WRAPPER):
        # Keras raises its own account of what a layer raised; what came first is at the end.
        while err.__context__ is not None:
            err = err.__context__
    lines = _STYLE.sub("", str(err)).strip().splitlines()
    return f"{type(err).__name__}: {lines[0]}" if lines else type(err).__name__
