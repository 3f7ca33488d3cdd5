"""What `rnnbench timing` is going to measure."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, cast

from rnnbench.errors import ArmError, UsageError, unknown_name
from rnnbench.execution.devices import (
    backends_with_gpu,
    find_gpus,
    how_to_install,
    installed_backends,
)
from rnnbench.execution.environment import cuda_versions, describe_machine, package_versions
from rnnbench.formats import read_toml
from rnnbench.specs import BACKENDS, Backend
from rnnbench.study import TIMING
from rnnbench.study_files import bundled_files
from rnnbench.timing.arms import TIMED, Arm, DeviceKind, default_jit, ladder
from rnnbench.timing.choices import TimingChoices
from rnnbench.timing.kernels import run_same_code
from rnnbench.timing.samples import ArmTimes
from rnnbench.timing.sessions import Session
from rnnbench.timing.turns import cores_of

DEVICE_KINDS = ("cpu", "gpu")


def with_defaults(choices: TimingChoices) -> TimingChoices:
    """The choices, and what the bundled `timing.toml` says of all that they leave open."""
    values = read_toml(bundled_files()[TIMING])
    return replace(
        choices,
        architectures=choices.architectures or tuple(values["architectures"]),
        units=choices.units or tuple(values["units"]),
        batch_size=choices.batch_size or tuple(values["batch_size"]),
        ladder_dropout=values["recurrent_dropout"],
        repeats=values["repeats"] if choices.repeats is None else choices.repeats,
    )


def plan_arms(choices: TimingChoices) -> tuple[list[Arm], list[str]]:
    """The arms of choices that leave nothing open, and a sentence on each thing left out.

    Raises:
        UsageError: a device or a back end that is not here, or an arm that cannot be.
    """
    for name in choices.architectures:
        if name not in TIMED:
            raise UsageError(unknown_name("architecture", name, TIMED))
    if find_spec("keras") is None:
        raise UsageError("Keras is not installed; run `pip install keras`")
    places, left_out = _find_places(choices, _find_backends(choices))
    arms: list[Arm] = []
    impossible: dict[str, None] = {}
    for (backend, device), architecture, units, batch_size in itertools.product(
        places, choices.architectures, choices.units, choices.batch_size
    ):
        plain = Arm(
            architecture=architecture,
            backend=backend,
            device=device,
            units=units,
            batch_size=batch_size,
            jit=default_jit(backend),
        )
        if not choices.is_product:
            arms += _with_control(_without_twins(ladder(plain, choices.ladder_dropout)))
            continue
        combined: dict[Arm, None] = {}
        for changes in _combinations(choices):
            try:
                combined[replace(plain, **changes)] = None
            except ArmError as err:
                impossible[str(err)] = None
        left_out += _find_twins(list(combined))
        arms += _with_control(list(combined))
    if not arms:
        raise UsageError("; ".join(impossible))
    left_out += [f"left out: {reason}" for reason in impossible]
    return list(dict.fromkeys(arms)), left_out


def _with_control(arms: Sequence[Arm]) -> list[Arm]:
    """The first arm is measured a second time, beside itself."""
    return [*arms[:1], *(replace(arm, is_control=True) for arm in arms[:1]), *arms[1:]]


def _without_twins(arms: Sequence[Arm]) -> list[Arm]:
    """Of arms that run the same code the first; nothing is to be learnt from the others."""
    kept: list[Arm] = []
    for arm in arms:
        if not any(run_same_code(arm, other) for other in kept):
            kept.append(arm)
    return kept


def _find_twins(arms: Sequence[Arm]) -> list[str]:
    """A sentence on each pair that was asked for and differs in nothing."""
    return [
        f"{a.name} and {b.name} run the same code: their ratio is 1, but for what the measurement "
        "is off by"
        for a, b in itertools.combinations(arms, 2)
        if run_same_code(a, b)
    ]


def begin_session(choices: TimingChoices, arms: Sequence[Arm]) -> Session:
    """A session without measurements; its machine is this one."""
    gpu = next(iter(find_gpus()), None)
    now = time.localtime()
    assert choices.repeats is not None
    return Session(
        id=f"{time.strftime('%Y%m%d-%H%M%S', now)}-{uuid.uuid4().hex[:6]}",
        began_at=time.strftime("%Y-%m-%d %H:%M:%S", now),
        command=choices.command,
        machine=describe_machine(gpu) | _say_sharing(arms),
        versions={
            backend: package_versions(backend) | (cuda_versions() if gpu is not None else {})
            for backend in dict.fromkeys(arm.backend for arm in arms)
        },
        repeats=choices.repeats,
        precision=choices.precision,
        seed=choices.seed,
        arms=tuple(ArmTimes(arm=arm) for arm in arms),
    )


def _say_sharing(arms: Sequence[Arm]) -> dict[str, str]:
    devices = {arm.device for arm in arms}
    n_cores = [len(cores_of(device, devices)) for device in sorted(devices)]
    if not any(n_cores):
        return {}
    return {"at_once": f"CPU arms and GPU arms at once, on {n_cores[0]} and {n_cores[1]} cores"}


def _combinations(choices: TimingChoices) -> Iterator[dict[str, Any]]:  # Any: fields of an arm
    """Every combination of the options of the layers that were asked for."""
    names = ("dropout", "recurrent_dropout", "use_cudnn", "implementation", "jit")
    asked = {name: getattr(choices, name) for name in names if getattr(choices, name)}
    for values in itertools.product(*asked.values()):
        yield dict(zip(asked, values, strict=True))


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
