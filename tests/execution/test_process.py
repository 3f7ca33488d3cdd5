"""Processes of our own: what they take from the process that starts them."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.process import BaseProcess
from multiprocessing.spawn import get_preparation_data
from types import ModuleType
from typing import Any

import pytest

from rnnbench.errors import UsageError
from rnnbench.execution import process

Prepared = list[dict[str, Any]]


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """What children of a script would be told; none is started."""
    told: Prepared = []
    script = ModuleType("__main__")
    script.__file__ = "script.py"
    monkeypatch.setitem(sys.modules, "__main__", script)
    spawned = multiprocessing.get_context("spawn").Process
    monkeypatch.setattr(spawned, "start", lambda self: told.append(get_preparation_data(self.name)))
    return told


def test_a_child_does_not_run_the_callers_script_again(prepared: Prepared) -> None:
    assert any(key.startswith("init_main") for key in get_preparation_data("another's"))
    process.spawn(print, environment={})
    assert not any(key.startswith("init_main") for key in prepared[0])
    assert any(key.startswith("init_main") for key in get_preparation_data("another's"))


def test_threads_that_start_children_leave_the_callers_script_and_variables_in_place(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawned = multiprocessing.get_context("spawn").Process
    monkeypatch.setattr(spawned, "start", lambda self: time.sleep(0.02))
    monkeypatch.setenv("NOT_A_CHILDS", "ours")
    script = sys.modules["__main__"]

    def start(number: int) -> None:
        time.sleep(0.01 * number)
        process.spawn(print, environment={"NOT_A_CHILDS": str(number)})

    with ThreadPoolExecutor() as threads:
        list(threads.map(start, range(2)))
    assert sys.modules["__main__"] is script
    assert os.environ["NOT_A_CHILDS"] == "ours"


def test_a_child_finds_a_function_of_the_callers_script(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> None: ...

    monkeypatch.setattr(work, "__module__", "__main__")
    process.spawn(print, work, environment={})
    assert any(key.startswith("init_main") for key in prepared[0])


def test_a_process_that_may_have_no_children_is_told_so(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BaseProcess, "daemon", True)
    with pytest.raises(UsageError, match="ProcessPoolExecutor"):
        process.spawn(print, environment={})
    assert prepared == []
