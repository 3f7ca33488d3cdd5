"""What `rnnbench timing` is going to measure."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, cast

from rnnbench.errors import ArmError, StudyError, UsageError, unknown_name
from rnnbench.execution.devices import (
    backends_with_gpu,
    find_gpus,
    how_to_install,
    installed_backends,
)
from rnnbench.execution.environment import (
    cuda_versions,
    describe_machine,
    package_versions,
)
from rnnbench.formats import read_toml
from rnnbench.specs import BACKENDS, Backend
from rnnbench.study import TIMING, bundled_files
from rnnbench.timing.arms import TIMED, Arm, DeviceKind, default_jit, ladder
from rnnbench.timing.command import TimingChoices
from rnnbench.timing.sittings import ArmTimes, Sitting

__all__ = ["TimingDefaults", "begin_sitting", "load_defaults", "plan_arms"]

DEVICE_KINDS = ("cpu", "gpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingDefaults:
    """The bundled `timing.toml`."""

    description: str
    architectures: tuple[str, ...]
    units: tuple[int, ...]
    batch_size: tuple[int, ...]
    recurrent_dropout: float
    repeats: int


def load_defaults() -> TimingDefaults:
    """What is measured where the command line says nothing."""
    values = read_toml(bundled_files()[TIMING])
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    try:
        return TimingDefaults(**{**values, **lists})
    except TypeError as err:
        raise StudyError(f"{TIMING}.toml: {err}") from err


def plan_arms(choices: TimingChoices, defaults: TimingDefaults) -> tuple[list[Arm], list[str]]:
    """The arms, and what had to be left out, a sentence each.

    Raises:
        UsageError: a device or a back end that is not here, or an arm that cannot be.
    """
    for name in choices.architectures:
        if name not in TIMED:
            raise UsageError(unknown_name("architecture", name, TIMED))
    if find_spec("keras") is None:
        raise UsageError("Keras is not installed; run `pip install keras`")
    backends = _find_backends(choices)
    places, left_out = _find_places(choices, backends)
    impossible: dict[str, None] = {}
    arms = [
        arm
        for backend, device in places
        for architecture in choices.architectures or defaults.architectures
        for units in choices.units or defaults.units
        for batch_size in choices.batch_size or defaults.batch_size
        for arm in _arms_of(
            choices, defaults, architecture, backend, device, units, batch_size, impossible
        )
    ]
    if not arms:
        raise UsageError("; ".join(impossible))
    left_out += [f"left out: {reason}" for reason in impossible]
    return list(dict.fromkeys(arms)), left_out


def begin_sitting(choices: TimingChoices, arms: Sequence[Arm], repeats: int, words: str) -> Sitting:
    """A sitting without measurements; its machine is this one."""
    gpu = next(iter(find_gpus()), None)
    now = time.localtime()
    return Sitting(
        id=f"{time.strftime('%Y%m%d-%H%M%S', now)}-{uuid.uuid4().hex[:6]}",
        began_at=time.strftime("%Y-%m-%d %H:%M:%S", now),
        command=words,
        machine=describe_machine(gpu),
        versions={
            backend: package_versions(backend) | (cuda_versions() if gpu is not None else {})
            for backend in dict.fromkeys(arm.backend for arm in arms)
        },
        repeats=repeats,
        seed=choices.seed,
        arms=tuple(ArmTimes(arm=arm) for arm in arms),
    )


def _arms_of(
    choices: TimingChoices,
    defaults: TimingDefaults,
    architecture: str,
    backend: Backend,
    device: DeviceKind,
    units: int,
    batch_size: int,
    impossible: dict[str, None],
) -> Iterator[Arm]:
    """The arms; why others of a product cannot be is noted in `impossible`."""
    if not choices.is_product:
        yield from ladder(
            architecture, backend, device, units, batch_size, defaults.recurrent_dropout
        )
        return
    for dropout, recurrent_dropout, use_cudnn, implementation, jit in itertools.product(
        choices.dropout or (0.0,),
        choices.recurrent_dropout or (0.0,),
        choices.use_cudnn or ("auto",),
        choices.implementation or (None,),
        choices.jit or (default_jit(backend),),
    ):
        try:
            yield Arm(
                architecture=architecture,
                backend=backend,
                device=device,
                units=units,
                batch_size=batch_size,
                dropout=dropout,
                recurrent_dropout=recurrent_dropout,
                use_cudnn=cast(Any, use_cudnn),  # Any: the arm checks it
                implementation=implementation,
                jit=jit,
            )
        except ArmError as err:
            impossible[str(err)] = None


def _find_backends(choices: TimingChoices) -> tuple[Backend, ...]:
    here = installed_backends()
    for name in choices.backend:
        if name not in BACKENDS:
            raise UsageError(unknown_name("backend", name, BACKENDS))
        if name not in here:
            raise UsageError(
                f"the back end {name} is not installed (here: {', '.join(here) or 'none'}); "
                f"run {how_to_install(cast(Backend, name))}"
            )
    if not here:
        raise UsageError(f"no back end is installed; run {how_to_install('jax')}")
    return cast(tuple[Backend, ...], choices.backend) or here


def _find_places(
    choices: TimingChoices, backends: Sequence[Backend]
) -> tuple[list[tuple[Backend, DeviceKind]], list[str]]:
    for device in choices.device:
        if device not in DEVICE_KINDS:
            raise UsageError(unknown_name("device", device, DEVICE_KINDS))
    gpus = find_gpus()
    seeing = backends_with_gpu() if gpus else ()
    if "torch" in choices.backend and "torch" not in seeing:
        seeing = (*seeing, "torch")  # it may carry CUDA within itself; its process finds out
    if "gpu" in choices.device and not gpus:
        raise UsageError(
            "there is no NVIDIA GPU here (devices here: cpu). Measure on a machine that has one "
            "with `rnnbench timing --export FILE`, and take FILE in here with --import"
        )
    blind = [backend for backend in backends if backend not in seeing]
    if "gpu" in choices.device and blind and choices.backend:
        raise UsageError(
            f"the back end {blind[0]} is installed without CUDA (with CUDA here: "
            f"{', '.join(seeing) or 'none'}); run {how_to_install(blind[0], with_gpu=True)}"
        )
    kinds = choices.device or (("cpu", "gpu") if gpus else ("cpu",))
    left_out = []
    if not gpus:
        left_out.append("no NVIDIA GPU is in reach: the GPU columns stay 'not measured'")
    elif "gpu" in kinds and blind:
        left_out.append(f"{', '.join(blind)}: installed without CUDA, so measured on the CPU only")
    places = [
        (backend, cast(DeviceKind, kind))
        for backend in backends
        for kind in dict.fromkeys(kinds)
        if kind == "cpu" or backend in seeing
    ]
    if not places:
        raise UsageError("no back end here is installed with CUDA; run `rnnbench doctor`")
    return places, left_out
