"""Which engine and how many lanes a command takes, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rnnbench.errors import UsageError
from rnnbench.execution import engines
from rnnbench.execution.devices import Placement, place_on_cluster
from rnnbench.execution.engines import choose_engine, move_unfit_to_keras, open_executor
from rnnbench.options import ExecutorChoices
from rnnbench.specs import RunSpec

CPU = Placement(backend="jax", gpus=(None, None), reason="")
GPU = Placement(backend="jax", gpus=("0",), reason="")
TENSORFLOW = Placement(backend="tensorflow", gpus=("0",), reason="")


@pytest.mark.parametrize(
    ("asked", "lanes", "placement", "expected"),
    [
        ("auto", None, CPU, ("keras", 1)),
        ("auto", None, GPU, ("fleet", 64)),
        ("auto", None, TENSORFLOW, ("keras", 1)),
        ("auto", 8, CPU, ("fleet", 8)),
        ("fleet", None, CPU, ("fleet", 1)),
        ("fleet", 16, GPU, ("fleet", 16)),
        ("keras", None, GPU, ("keras", 1)),
    ],
)
def test_an_engine_is_chosen_with_a_reason(
    asked: str, lanes: int | None, placement: Placement, expected: tuple[str, int]
) -> None:
    chosen = choose_engine(asked, lanes, placement)
    assert (chosen.engine, chosen.n_lanes) == expected
    assert chosen.reason


@pytest.mark.parametrize(
    ("asked", "lanes", "placement", "words"),
    [
        ("flet", None, CPU, "did you mean 'fleet'"),
        ("fleet", None, TENSORFLOW, "runs on JAX only, and the back end is tensorflow"),
        ("fleet", 0, CPU, "lanes must be a whole number from 1"),
        ("keras", 4, CPU, "--lanes needs the engine fleet"),
    ],
)
def test_what_cannot_be_is_refused(
    asked: str, lanes: int | None, placement: Placement, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        choose_engine(asked, lanes, placement)


def test_a_network_that_cannot_be_vectorised_falls_back_with_the_reason(
    make_spec: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    fits, other = make_spec("lstm", engine="fleet"), make_spec("gru", engine="fleet")

    def ask(_: Any, shapes: Any) -> dict[str, str | None]:
        return {shape: "no rule" if shape == other.shape else None for shape, _ in shapes}

    monkeypatch.setattr(engines, "call_in_process", ask)
    specs, reasons = move_unfit_to_keras([fits, other])
    assert [spec.engine for spec in specs] == ["fleet", "keras"]
    assert reasons == ["no rule"]


def test_an_executor_is_known_and_an_address_needs_ray(tmp_path: Any) -> None:
    with pytest.raises(UsageError, match="unknown executor 'slurm'"):
        open_executor(ExecutorChoices(executor="slurm"), tmp_path)
    with pytest.raises(UsageError, match="--ray-address needs --executor ray"):
        open_executor(ExecutorChoices(ray_address="head:6379"), tmp_path)


@pytest.mark.parametrize(
    ("device", "n_gpus", "per_gpu", "workers", "expected"),
    [
        ("auto", 0, 1, None, (None,) * 6),
        ("cpu", 2, 1, None, (None,) * 6),
        ("gpu", 2, 3, None, ("any",) * 6),
        ("gpu", 2, 1, 1, ("any",)),
    ],
)
def test_a_cluster_is_filled(
    device: str, n_gpus: int, per_gpu: int, workers: int | None, expected: tuple[str | None, ...]
) -> None:
    placed = place_on_cluster(
        CPU, device=device, workers=workers, workers_per_gpu=per_gpu, n_cpus=6, n_gpus=n_gpus
    )
    assert placed.gpus == expected


def test_a_cluster_without_a_gpu_says_so() -> None:
    with pytest.raises(UsageError, match="no node of the cluster has a GPU"):
        place_on_cluster(CPU, device="gpu", workers=None, workers_per_gpu=1, n_cpus=2, n_gpus=0)
