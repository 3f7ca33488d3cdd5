"""Which back end and which devices a command takes, and what it says when it cannot."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from rnnbench.errors import UsageError
from rnnbench.execution.devices import (
    Placement,
    backends_with_gpu,
    cpu_quota,
    find_gpus,
    place_workers,
    usable_cores,
)
from rnnbench.execution.environment import describe_process, worker_environment


def place(**values: Any) -> Placement:
    defaults: dict[str, Any] = {
        "backend": "jax",
        "device": "cpu",
        "workers": None,
        "workers_per_gpu": 1,
        "environ": {},
    }
    return place_workers(**{**defaults, **values})


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")


@pytest.fixture
def with_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX as `rnnbench[gpu]` installs it."""
    monkeypatch.setattr("rnnbench.execution.devices.backends_with_gpu", lambda: ("jax",))


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def test_a_cpu_worker_for_each_core() -> None:
    placement = place()
    assert placement.gpus == (None,) * usable_cores()
    assert placement.device == "cpu"


V1 = "4:cpu,cpuacct:/docker/ab\n3:memory:/docker/ab\n"


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000"}, None),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "50000 100000"}, 0.5),
        ("0::/a/b\n", {"a/b/cpu.max": "200000 100000", "a/cpu.max": "400000 100000"}, 2.0),
        ("0::/../outside\n", {"cpu.max": "200000 100000"}, 2.0),
        (V1, {f"cpu/cpu.cfs_{k}_us": v for k, v in (("quota", "300000"), ("period", "100000"))}, 3),
        (V1, {"cpu,cpuacct/docker/ab/cpu.cfs_quota_us": "-1"}, None),
        (
            V1,
            {
                "cpu,cpuacct/docker/ab/cpu.cfs_quota_us": "50000",
                "cpu,cpuacct/docker/ab/cpu.cfs_period_us": "100000",
            },
            0.5,
        ),
        ("", {"cpu.max": "100000 100000"}, None),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
    ],
    ids=[
        "v2",
        "v2 without a limit",
        "limit of the group around",
        "the tighter of two",
        "named from outside",
        "v1 seen as the top",
        "v1 without a limit",
        "v1",
        "no groups",
        "no numbers",
    ],
)
def test_a_containers_quota_counts(
    tmp_path: Path, groups: str, files: dict[str, str], quota: float | None
) -> None:
    write = {"proc/self/cgroup": groups} | {f"sys/fs/cgroup/{k}": v for k, v in files.items()}
    for name, text in write.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert cpu_quota(tmp_path) == quota


@pytest.mark.parametrize(("quota", "cores"), [(0.5, 1), (1.9, 1), (1000.0, None), (None, None)])
def test_a_quota_below_the_cores_bounds_them(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, cores: int | None
) -> None:
    monkeypatch.setattr("rnnbench.execution.devices.cpu_quota", lambda: None)
    without = usable_cores()
    monkeypatch.setattr("rnnbench.execution.devices.cpu_quota", lambda: quota)
    assert usable_cores() == (cores or without)


def test_as_many_workers_as_asked_for() -> None:
    assert place(workers=3).gpus == (None, None, None)


def test_workers_are_spread_over_gpus(two_gpus: None, with_cuda: None) -> None:
    assert place(device="gpu").gpus == ("0", "1")
    assert place(device="gpu", workers_per_gpu=2).gpus == ("0", "1", "0", "1")
    assert place(device="gpu", workers=3).gpus == ("0", "1", "0")
    assert place(device="gpu").device == "gpu"


def test_cpu_is_taken_at_its_word_beside_a_gpu(two_gpus: None) -> None:
    assert place(device="cpu", workers=2).gpus == (None, None)


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_a_gpu_that_the_back_end_was_not_installed_for_is_refused(
    two_gpus: None, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setattr("rnnbench.execution.devices.backends_with_gpu", tuple)
    sentence = rf"{backend} is installed without CUDA here; run `pip install 'rnnbench\[gpu\]'`"
    with pytest.raises(UsageError, match=sentence):
        place(backend=backend, device="gpu")


def test_auto_leaves_a_gpu_alone_that_no_back_end_can_use(
    two_gpus: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnbench.execution.devices.backends_with_gpu", tuple)
    assert place(backend="auto", device="auto", workers=1).gpus == (None,)


def test_auto_takes_the_back_end_that_sees_the_gpu(
    two_gpus: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnbench.execution.devices.backends_with_gpu", lambda: ("tensorflow",))
    placement = place(backend="auto", device="auto")
    assert (placement.backend, placement.gpus) == ("tensorflow", ("0", "1"))
    assert placement.reason == "it sees the GPU"


def test_auto_is_jax_on_a_cpu(no_gpu: None) -> None:
    placement = place(backend="auto", device="auto")
    assert placement.backend == "jax"
    assert "fastest" in placement.reason


def test_a_variable_stands_in_for_auto_and_an_option_beats_it() -> None:
    environ = {"RNNBENCH_BACKEND": "tensorflow"}
    assert place(backend="auto", environ=environ).backend == "tensorflow"
    assert place(backend="jax", environ=environ).backend == "jax"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"device": "gpus"}, r"unknown device 'gpus' \(did you mean 'gpu'\?\); choose from auto"),
        ({"backend": "jaxx"}, r"unknown backend 'jaxx' \(did you mean 'jax'\?\)"),
        ({"backend": "auto", "environ": {"RNNBENCH_BACKEND": "x"}}, "unknown backend 'x'"),
        ({"workers": 0}, "workers must be from 1 to 1024, got 0"),
        ({"workers_per_gpu": 0}, "workers-per-gpu must be from 1 to 1024, got 0"),
        ({"device": "gpu"}, "no NVIDIA GPU here"),
    ],
    ids=["device", "back end", "variable", "no worker", "no worker a GPU", "no GPU"],
)
def test_what_is_not_there_is_refused(no_gpu: None, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        place(**values)


@pytest.mark.skipif(find_spec("torch") is not None, reason="PyTorch is installed")
def test_a_back_end_that_is_not_installed_comes_with_the_command() -> None:
    with pytest.raises(UsageError, match=r"torch is not installed; run `pip install 'rnnbench\["):
        place(backend="torch")


@pytest.mark.parametrize(
    ("visible", "found"),
    [("", ()), ("-1", ()), ("0", ("0",)), ("1, 3", ("1", "3")), ("GPU-ab", ("GPU-ab",))],
)
def test_cuda_visible_devices_has_the_last_word(
    monkeypatch: pytest.MonkeyPatch, visible: str, found: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert find_gpus() == found


@pytest.mark.skipif(sys.platform == "win32", reason="plants a shell script")
@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo 0; echo 1", ("0", "1")),
        ("echo 'No devices were found'", ()),
        ("echo 0; exit 9", ()),
    ],
    ids=["two", "none", "broken driver"],
)
def test_the_driver_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: tuple[str, ...]
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_gpus() == found


def test_a_workers_gpu_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H200, 570.86'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = describe_process("jax", "0")
    assert (found["device"], found["gpu"], found["driver"]) == ("gpu:0", "NVIDIA H200", "570.86")
    assert "gpu" not in describe_process("jax", None)


def test_no_driver_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_gpus() == ()


def test_back_ends_with_a_gpu_are_back_ends() -> None:
    assert set(backends_with_gpu()) <= {"jax", "tensorflow", "torch"}


def test_a_cpu_worker_sees_no_gpu_and_keeps_to_one_thread() -> None:
    variables = worker_environment("jax")
    assert variables["KERAS_BACKEND"] == "jax"
    assert variables["CUDA_VISIBLE_DEVICES"] == "-1"
    assert variables["OMP_NUM_THREADS"] == "1"
    assert "intra_op_parallelism_threads=1" in variables["XLA_FLAGS"]


def test_a_gpu_worker_sees_its_own_gpu_and_leaves_room_for_others() -> None:
    variables = worker_environment("jax", "1")
    assert variables["CUDA_VISIBLE_DEVICES"] == "1"
    assert variables["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert variables["JAX_PLATFORMS"] == "cuda,cpu"


@pytest.mark.parametrize(("n_sharing", "share"), [(1, "0.900"), (2, "0.450"), (4, "0.225")])
def test_workers_on_one_gpu_share_its_memory(n_sharing: int, share: str) -> None:
    assert worker_environment("jax", "0", n_sharing)["XLA_PYTHON_CLIENT_MEM_FRACTION"] == share
