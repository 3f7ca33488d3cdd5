"""Files of the user's that misbehave, in the processes that carry them out; and a script."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from project import PATIENCE_S, Project, write_project

pytestmark = pytest.mark.campaign
END = "from keras.layers import GRU\ndef build(): return [GRU(2)]\n"
FEW = ("--name", "own", "--seeds", "1", "--epochs", "1", "--max-len", "8", "--num-words", "40")
THREADS = """
import threading, time
def _spin():
    while True:
        time.sleep(1)
threading.Thread(target=_spin).start()
threading.Thread(target=_spin, daemon=True).start()
"""
SCRIPT = """
import keras
from keras.layers import GRU
import rnnbench

print("the script runs")
SIZE = 3

@keras.saving.register_keras_serializable()
class Twice(keras.layers.Layer):
    def call(self, x):
        return 2 * x

def build(units=SIZE, doubled=True):
    return [GRU(units), *([Twice()] if doubled else [])]

rnnbench.run(build, doubled=[True, False], name="own", seeds=1, epochs=1, max_len=8, num_words=40,
             dataset=DATASET, units=2)
"""


@pytest.fixture
def project(tmp_path: Path, shared: Path) -> Project:
    made = write_project(tmp_path / "project", shared, has_database=True)
    dataset = made.options[made.options.index("--dataset") + 1]
    return replace(made, options=("net.py", "--dataset", dataset, "--no-report", *FEW))


def write(project: Project, text: str) -> None:
    (project.folder / "net.py").write_text(text)


def test_what_a_file_prints_is_no_output_of_the_command(project: Project) -> None:
    write(project, f"import os\nprint('HELLO')\nos.system('echo HELLO')\n{END}")
    done = project.run()
    assert done.returncode == 0, done.stderr
    assert "HELLO" not in done.stdout
    assert "HELLO" in done.stderr


def test_threads_that_never_end_hold_no_command_up(project: Project) -> None:
    write(project, f"{THREADS}{END}")
    done = project.run(timeout_s=PATIENCE_S / 4)
    assert done.returncode == 0, done.stderr


def test_a_file_that_ends_its_process_is_refused(project: Project) -> None:
    write(project, f"import os\nos._exit(3)\n{END}")
    done = project.run()
    assert done.returncode == 2
    assert re.search(r"net\.py:build cannot be tried out: .* exit code 3", done.stderr)
    assert project.run_folders() == {}


def test_a_script_without_a_guard_runs_its_own_function_once(project: Project) -> None:
    script = SCRIPT.replace("DATASET", repr(project.options[2]))
    (project.folder / "mine.py").write_text(script)
    words = [sys.executable, "mine.py"]
    options = {"cwd": project.folder, "env": project.environment | {"KERAS_BACKEND": "jax"}}
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, **options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the script runs") == 1
    assert "mine.py:build(doubled=False, units=2)" in done.stdout
    assert project.command("evaluate", "mine.py:build(units=2)").returncode == 0
