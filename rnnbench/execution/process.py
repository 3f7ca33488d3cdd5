"""One process of our own: spawned, with its environment set before its first import."""

import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import ParamSpec, TypeVar

from rnnbench.errors import RnnbenchError, UsageError, WorkerError
from rnnbench.execution.environment import applied, worker_environment
from rnnbench.output.streams import steady_output
from rnnbench.specs import Backend

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2  # by number: a process without has no `sys.stderr`

KILLED = " (out of memory?)"
"""What `how_it_ended` adds where the system may have ended the process for want of memory."""

_starting = threading.Lock()  # the environment and `__main__` are the whole process's

P = ParamSpec("P")
T = TypeVar("T")


class Child:
    """A spawned process and this end of the pipe to it."""

    def __init__(self, process: BaseProcess, pipe: Connection, log: Path | None) -> None:
        self.process = process
        self.pipe = pipe
        self.log = log

    def end(self) -> None:
        """Stop it at once; it has nothing to save."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def spawn(
    target: Callable[..., None],
    *arguments: object,
    environment: Mapping[str, str],
    log: Path | None = None,
) -> Child:
    """Start `target(pipe, *arguments)` in a fresh process that dies with this one.

    Args:
        environment: variables set before the process imports anything.
        log: a file that its standard error is appended to.

    Raises:
        UsageError: this process may have no children.
    """
    if multiprocessing.current_process().daemon:
        raise UsageError(
            "workers cannot be started from a daemonic process, such as those of a "
            "multiprocessing.Pool; call rnnbench from the main process, or from a "
            "concurrent.futures.ProcessPoolExecutor"
        )
    if log is not None and log.is_symlink():
        log.unlink()  # nothing is written to where a link of the ledger leads
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_enter, args=(target, theirs, log, arguments), daemon=True, name="rnnbench-worker"
    )
    is_of_script = any(
        getattr(each, "__module__", "") == "__main__" for each in (target, *arguments)
    )
    with _starting, applied(environment), nullcontext() if is_of_script else _without_main():
        process.start()
    theirs.close()
    return Child(process, ours, log)


@contextmanager
def _without_main() -> Iterator[None]:
    """A child that is started now does not run the caller's script again.

    It would by default, to find there what it is to do; ours find all of that in this package, but
    for functions that the script itself passes on. So a script may start them at its top level.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def call_in_process(
    function: Callable[P, T],
    *arguments: P.args,
    **keywords: P.kwargs,
) -> T:
    """`function(...)` carried out in a process of its own, without any GPU.

    Heavy imports and allocations stay out of the calling process.

    Raises:
        RnnbenchError: what the function raised of that kind.
        WorkerError: it raised anything else, or its process died.
    """
    return call_on("jax", function, *arguments, **keywords)


def call_on(
    backend: Backend,
    function: Callable[P, T],
    *arguments: P.args,
    **keywords: P.kwargs,
) -> T:
    """The same where Keras has that back end."""
    child = spawn(_answer, function, arguments, keywords, environment=worker_environment(backend))
    try:
        outcome = child.pipe.recv()
    except EOFError as err:
        child.process.join()
        raise WorkerError(how_it_ended(child)) from err
    finally:
        child.end()
    if isinstance(outcome, RnnbenchError):
        raise outcome
    result: T = outcome[0]
    return result


def how_it_ended(child: Child) -> str:
    """A sentence on why a process is gone, with the end of its log."""
    code = child.process.exitcode
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = KILLED if name == "SIGKILL" else ""
        sentence = f"the worker process was ended by {name}{hint}"
    else:
        sentence = f"the worker process ended with exit code {code}"
    tail = _tail(child.log)
    return f"{sentence}; its last output: {tail}" if tail else sentence


def _enter(
    target: Callable[..., None],
    pipe: Connection,
    log: Path | None,
    arguments: tuple[object, ...],
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with_parent()
    steady_output()
    if log is not None:
        with open(log, "ab") as file:
            os.dup2(file.fileno(), STANDARD_ERROR)
    with suppress(OSError):
        os.dup2(STANDARD_ERROR, STANDARD_OUTPUT)  # what a network's code prints is no answer
    target(pipe, *arguments)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _answer(
    pipe: Connection,
    function: Callable[..., object],
    arguments: tuple[object, ...],
    keywords: dict[str, object],
) -> None:
    try:
        pipe.send((function(*arguments, **keywords),))
    except RnnbenchError as err:
        pipe.send(err)
    except Exception as err:
        pipe.send(WorkerError(f"{type(err).__name__}: {err}"))


def _tail(log: Path | None) -> str:
    if log is None or not log.exists():
        return ""
    lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    return " | ".join(lines[-2:])[-400:]


def peak_mib(*, children: bool) -> float:
    """Largest resident memory so far: of this process, or of any one that it started."""
    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
    unit = 1024 if sys.platform == "darwin" else 1  # macOS counts in bytes, Linux in KiB
    return resource.getrusage(who).ru_maxrss / unit / 1024


def measure_command(began: float, cpu_began: float, workers_cpu_seconds: float) -> dict[str, float]:
    """What a command took: seconds, CPU seconds and largest memory, by the name of the metric.

    Args:
        began, cpu_began: `time.time()` and `time.process_time()` when it began.
    """
    return {
        "wall_seconds": time.time() - began,
        "parent_cpu_seconds": time.process_time() - cpu_began,
        "workers_cpu_seconds": workers_cpu_seconds,
        "parent_peak_mib": peak_mib(children=False),
        "largest_worker_peak_mib": peak_mib(children=True),
    }


def children_cpu_seconds() -> float:
    """CPU time of all processes that this one started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
