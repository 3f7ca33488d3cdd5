"""The timing study as it is run: whole blocks, on a machine that has little more than JAX."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from measured import (
    MEASURES,
    REPOSITORY,
    SHORT,
    TWO_ARMS,
    Lines,
    make_bare_python,
)
from project import PATIENCE_S

from rnnbench.timing.sessions import Sample, read_session, read_sessions
from rnnbench.timing.work import measure_arms

pytestmark = pytest.mark.campaign
ONE_ARM = ("simple-rnn", "--backend", "jax", "--device", "cpu", "--units", "2")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bare_python(tmp_path_factory.mktemp("bare"))


def run(python: Path, folder: Path, *words: str) -> str:
    """What a program prints that ends well."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [python, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_measures_whole_blocks(python: Path, tmp_path: Path) -> None:
    command = ("-m", "rnnbench", "timing", *ONE_ARM, "--recurrent-dropout", "0", "--repeats", "1")
    said = run(python, tmp_path, *command, "--export", "e.json")
    assert "MLflow is not installed here" in said
    assert "the GPU columns stay 'not measured'" in said
    (times,) = read_session(tmp_path / "e.json").arms
    assert times.samples
    assert all(sample.loss_last < sample.loss_first for sample in times.samples)
    again = run(python, tmp_path, *command)
    assert "all of it was measured here" in again


def test_the_command_compares_two_trainings(python: Path, tmp_path: Path) -> None:
    options = ("--recurrent-dropout", "0.3", "--determinism")
    said = run(python, tmp_path, "-m", "rnnbench", "timing", *ONE_ARM, *options)
    assert "the same to the last bit over 10 epochs" in said


def test_the_benchmark_for_a_gpu_measures_arms_and_lanes(python: Path, tmp_path: Path) -> None:
    options = ("--architectures", "simple-rnn", "--units", "2", "--repeats", "1", "--out", ".")
    script = str(REPOSITORY / "benchmarks" / "speed" / "gpu.py")
    run(python, tmp_path, script, *options, "--lanes", "1,2", "--reviews", "128")
    arms = read_session(tmp_path / "timing-cpu.json").arms
    assert all(times.samples for times in arms)
    lanes = json.loads((tmp_path / "lanes-cpu.json").read_text())
    assert lanes["reviews_a_second"].keys() == {"Keras fit", "fleet, 1 lanes", "fleet, 2 lanes"}
    assert lanes["memory_bound"] > 0


def test_a_killed_command_goes_on_with_what_was_measured(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", MEASURES, "0", "0.3"], cwd=tmp_path, start_new_session=True
    )
    while not (kept := samples_in(tmp_path)):
        assert child.poll() is None
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    view = Lines()
    both = replace(TWO_ARMS, recurrent_dropout=(0.0, 0.3), repeats=1)
    outcome = measure_arms(both, view, tmp_path, command="a test", blocks=SHORT)
    assert not outcome.interrupted
    assert len(view.outcomes) == 2 - len(kept)
    assert samples_in(tmp_path)[: len(kept)] == kept
    assert len(read_sessions(tmp_path / ".rnnbench")) == 1


def samples_in(folder: Path) -> list[Sample]:
    if not (folder / ".rnnbench").exists():
        return []
    sessions = read_sessions(folder / ".rnnbench")
    return [sample for session in sessions for times in session.arms for sample in times.samples]
