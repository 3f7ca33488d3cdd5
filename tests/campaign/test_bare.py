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

from rnnbench.timing.samples import Sample
from rnnbench.timing.sessions import read_session, read_sessions
from rnnbench.timing.work import measure_arms

pytestmark = pytest.mark.campaign
SPEED = REPOSITORY / "benchmarks" / "speed"
FOR_A_GPU = f"""
import sys
sys.path.insert(0, {str(SPEED)!r})
import gpu
from rnnbench.timing.choices import TimingChoices
small = TimingChoices(architectures=("simple-rnn",), units=(2,), repeats=1)
gpu.PIECES = dict.fromkeys(gpu.PIECES, small)
sys.exit(gpu.main())
"""
"""What is measured on a GPU, each piece of it the same small one."""
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
    session = read_session(tmp_path / "e.json")
    (group,) = session.groups
    times, control = group.arms
    assert control.arm.is_control
    assert session.is_over
    assert all(sample.loss_last < sample.loss_first for sample in times.samples)
    again = run(python, tmp_path, *command)
    assert "all of it was measured here" in again


def test_the_command_compares_two_trainings(python: Path, tmp_path: Path) -> None:
    options = ("--recurrent-dropout", "0.3", "--determinism")
    said = run(python, tmp_path, "-m", "rnnbench", "timing", *ONE_ARM, *options)
    assert "the same to the last bit over 10 epochs" in said


def test_the_benchmark_for_a_gpu_writes_a_file_a_piece(python: Path, tmp_path: Path) -> None:
    run(python, tmp_path, "-c", FOR_A_GPU, "--out", ".")
    written = sorted(tmp_path.glob("*.json"))
    names = [f"timing-cpu-{piece}.json" for piece in ("64", "8", "others")]
    assert [path.name for path in written] == names
    for path in written:
        arms = read_session(path).arms
        assert [times.arm.recurrent_dropout for times in arms] == [0.0, 0.0, 0.3]
        assert all(times.samples for times in arms)


def test_the_benchmark_of_lanes_measures_fleets(python: Path, tmp_path: Path) -> None:
    script = str(SPEED / "lanes.py")
    run(python, tmp_path, script, "--lanes", "1,2", "--rounds", "1", "--reviews", "128")
    lanes = json.loads((tmp_path / "lanes.json").read_text())
    assert lanes["reviews_a_second"].keys() == {"Keras fit", "fleet, 1 lanes", "fleet, 2 lanes"}
    assert lanes["memory_bound"] > 0


def test_the_whole_benchmark_of_lanes_adds_architectures_and_profiles(
    python: Path, tmp_path: Path
) -> None:
    script = str(SPEED / "lanes.py")
    run(python, tmp_path, script, "--full", "--lanes", "1,2,3", "--rounds", "1", "--reviews", "64")
    lanes = json.loads((tmp_path / "lanes.json").read_text())
    assert not lanes["failed"]
    assert {"gru: fleet, 2 lanes", "lstm-stacked: fleet, 2 lanes"} <= lanes["over_fit"].keys()
    assert lanes["all"]["fleet, 3 lanes, profiled"][0]["profile"]["kernels"]


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
    outcome = measure_arms(both, view, tmp_path, blocks=SHORT)
    assert not outcome.interrupted
    assert len(view.outcomes) == 2 - len(kept)
    assert samples_in(tmp_path)[: len(kept)] == kept
    assert len(read_sessions(tmp_path / ".rnnbench")) == 1


def samples_in(folder: Path) -> list[Sample]:
    if not (folder / ".rnnbench").exists():
        return []
    sessions = read_sessions(folder / ".rnnbench")
    return [sample for session in sessions for times in session.arms for sample in times.samples]
