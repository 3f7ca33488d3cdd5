"""The command line in the test's own process, where nothing heavy is imported twice."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rnnbench.cli import main
from rnnbench.data import prepare
from rnnbench.execution import engines
from rnnbench.execution.environment import worker_environment
from rnnbench.execution.executor import Task
from rnnbench.execution.process import call_in_process
from rnnbench.execution.worker import InlineExecutor, prepare_process
from rnnbench.reports import report
from rnnbench.runs import kept_model, predict, scored_file
from rnnbench.specs import Event
from rnnbench.tuning import coordinator

__all__ = ["Answer", "call_command", "import_keras", "run_here", "standing_in"]


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def call_command(
    words: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Answer:
    """`rnnbench` with these words, as the installed command does it."""
    monkeypatch.setattr(sys, "argv", ["rnnbench", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    code = ended.value.code or 0
    assert isinstance(code, int)
    return Answer(code, captured.out, captured.err)


def run_here(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    on_event: Callable[[Event], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """`rnnbench` with these words in a folder; no process is started for what it trains.

    Args:
        on_event: is called before the command hears of an event.
    """
    out, err = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    with (
        standing_in(folder, environment, on_event) as patch,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["rnnbench", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    signal.signal(signal.SIGTERM, before)
    code = ended.value.code or 0
    assert isinstance(code, int)
    return subprocess.CompletedProcess(list(words), code, out.getvalue(), err.getvalue())


@contextmanager
def standing_in(
    folder: Path,
    environment: Mapping[str, str],
    on_event: Callable[[Event], None] | None = None,
) -> Iterator[pytest.MonkeyPatch]:
    """Inside the block this process has that folder and environment, and does its workers' work."""
    import_keras()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries: a command goes on, here they are errors
        patch.chdir(folder)
        patch.setattr(engines, "LocalExecutor", partial(_Overheard, on_event))
        for module in (coordinator, engines, predict, report, scored_file):
            patch.setattr(module, "call_in_process", _call)
        for module in (engines, kept_model):
            patch.setattr(module, "call_on", lambda _, *call, **named: _call(*call, **named))
        before = dict(os.environ)
        replace_environment(environment)
        try:
            yield patch
        finally:
            replace_environment(before)  # also of what the command has set


def import_keras() -> Any:  # Any: Keras is untyped
    """Keras in this process as a worker on one core has it."""
    if "keras" not in sys.modules:
        os.environ.update(worker_environment("jax"))
        prepare_process()  # which hides TensorFlow
        from keras.src.utils import module_utils

        assert not module_utils.tensorflow.available  # Keras notes that it is not to be had
        del sys.modules["tensorflow"]  # others may ask whether it is installed
    import keras

    assert keras.backend.backend() == "jax"
    return keras


def replace_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


class _Overheard(InlineExecutor):
    """In place of the `local` executor: in this process, and a test may listen."""

    def __init__(
        self, on_event: Callable[[Event], None] | None, *, n_lanes: int = 1, **_: Any
    ) -> None:
        super().__init__(n_lanes)
        self._on_event = on_event

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        for event in super().run(tasks):
            if self._on_event is not None:
                self._on_event(event)
            yield event


def _call(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    if function is prepare.read_rows:  # it bounds the memory of its process
        return call_in_process(function, *arguments, **keywords)
    return function(*arguments, **keywords)
