"""From where processes can be started: wherever Python code runs, without a main guard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CALL = """
import os
from rnnbench.execution.process import call_in_process
print("here")
print(call_in_process(os.getpid) != os.getpid())
"""
WORK = """
import os
from rnnbench.execution.process import call_in_process

def work(_=0):
    return call_in_process(os.getpid) != os.getpid()

def put(queue):
    queue.put(work())
"""
EXECUTOR = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from work import work
if __name__ == "__main__":
    with ProcessPoolExecutor(1, multiprocessing.get_context("{method}")) as pool:
        print(*pool.map(work, [0]))
"""
PROCESS = """
import multiprocessing
from work import put
if __name__ == "__main__":
    context = multiprocessing.get_context("{method}")
    queue = context.SimpleQueue()
    process = context.Process(target=put, args=(queue,), daemon={daemon})
    process.start()
    process.join()
    print(False if queue.empty() else queue.get())
"""
THREAD = """
from concurrent.futures import ThreadPoolExecutor
from work import work
with ThreadPoolExecutor() as threads:
    print(all(threads.map(work, range(3))))
"""


def python(folder: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Python with these words, carried out in `folder`, where `work.py` and `script.py` lie."""
    (folder / "work.py").write_text(WORK)
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("words", [["script.py"], ["-m", "script"], ["-c", CALL], ["-"]], ids=str)
def test_a_script_without_a_main_guard_is_not_run_again(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "script.py").write_text(CALL)
    done = python(tmp_path, *words, stdin=CALL)
    assert done.stdout.splitlines() == ["here", "True"], done.stderr


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
@pytest.mark.parametrize("script", [EXECUTOR, PROCESS], ids=["executor", "process"])
def test_a_process_of_the_users_may_start_some(tmp_path: Path, script: str, method: str) -> None:
    (tmp_path / "script.py").write_text(script.format(method=method, daemon=False))
    done = python(tmp_path, "script.py")
    assert done.stdout == "True\n", done.stderr


def test_threads_may_start_some(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(THREAD)
    done = python(tmp_path, "script.py")
    assert done.stdout == "True\n", done.stderr


def test_a_daemonic_process_may_not_which_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(PROCESS.format(method="spawn", daemon=True))
    done = python(tmp_path, "script.py")
    assert done.stdout == "False\n"
    assert "UsageError: workers cannot be started from a daemonic process" in done.stderr
