"""Made-up measurements: sessions whose numbers are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnnbench.timing.arms import Arm
from rnnbench.timing.kernels import kernel_path
from rnnbench.timing.samples import ArmTimes, Sample
from rnnbench.timing.sessions import Session

__all__ = ["GPU", "make_arm", "make_sample", "make_session", "make_times"]

GPU = {"gpu": "NVIDIA Test", "driver": "1.2"}


def make_arm(**changes: Any) -> Arm:
    return Arm(**{"architecture": "lstm", "backend": "jax", "device": "cpu", **changes})


def make_sample(ms: float = 2.0, **changes: Any) -> Sample:
    values: dict[str, Any] = {
        "train_ms": (ms,) * 4,
        "evaluate_ms": (ms / 2,) * 3,
        "predict_ms": (ms / 4,) * 3,
        "steps": 100,
        "warm_up_blocks": 2,
        "compile_seconds": 1.5,
        "loss_first": 0.7,
        "loss_last": 0.1,
        "jit": True,
        "peak_host_mib": 500.0,
        "peak_device_mib": None,
        "load": 0.1,
    }
    return Sample(**{**values, **changes})


def make_times(arm: Arm, ms: Iterable[float], **changes: Any) -> ArmTimes:
    rule = kernel_path(arm)
    changes = {
        "jit": rule.jit,
        "operations": ("cudnn_rnn",) if rule.path == "cuDNN" else ("while",),
        **changes,
    }
    samples = (make_sample(each, **{"process": n, **changes}) for n, each in enumerate(ms))
    return ArmTimes(arm=arm, samples=tuple(samples))


def make_session(
    arms: Sequence[ArmTimes],
    *,
    name: str = "one",
    began_at: str = "2026-01-01 10:00:00",
    machine: Mapping[str, str] | None = None,
    repeats: int = 5,
) -> Session:
    return Session(
        id=name,
        began_at=began_at,
        command="rnnbench timing",
        machine={"processor": "Test CPU", "cores": "2", **(machine or {})},
        versions={"jax": {"jax": "0.1"}, "tensorflow": {"tensorflow": "2.0"}},
        repeats=repeats,
        seed=0,
        arms=tuple(arms),
    )
