"""The timing study as it is run: whole blocks, on a machine that has little more than JAX."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from project import PATIENCE_S
from test_timing import REPOSITORY, make_bare_python

from rnnbench.timing.sittings import import_sitting

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
    options = ("--recurrent-dropout", "0", "--repeats", "1", "--export", "e.json")
    more = ("--recurrent-dropout", "0", "--repeats", "1")
    said = run(python, tmp_path, "-m", "rnnbench", "timing", *ONE_ARM, *options)
    assert "MLflow is not installed here" in said
    assert "the GPU columns stay 'not measured'" in said
    (times,) = import_sitting(tmp_path / "e.json").arms
    assert times.samples
    assert all(sample.loss_last < sample.loss_first for sample in times.samples)
    assert "done already" in run(python, tmp_path, "-m", "rnnbench", "timing", *ONE_ARM, *more)


def test_the_command_compares_two_trainings(python: Path, tmp_path: Path) -> None:
    options = ("--recurrent-dropout", "0.3", "--determinism")
    said = run(python, tmp_path, "-m", "rnnbench", "timing", *ONE_ARM, *options)
    assert "the same to the last bit over 10 epochs" in said


def test_the_benchmark_for_a_gpu_measures_arms_and_lanes(python: Path, tmp_path: Path) -> None:
    options = ("--architectures", "simple-rnn", "--units", "2", "--repeats", "1", "--out", ".")
    script = str(REPOSITORY / "benchmarks" / "speed" / "gpu.py")
    run(python, tmp_path, script, *options, "--lanes", "1,2", "--reviews", "128")
    arms = import_sitting(tmp_path / "timing-cpu.json").arms
    assert all(times.samples for times in arms)
    lanes = json.loads((tmp_path / "lanes-cpu.json").read_text())
    assert lanes["reviews_a_second"].keys() == {"Keras fit", "fleet, 1 lanes", "fleet, 2 lanes"}
    assert lanes["memory_bound"] > 0
