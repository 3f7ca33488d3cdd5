"""Which back end, devices and cores runs use, and why; answers without importing a back end."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import cast

from rnnbench.errors import UsageError, unknown_name
from rnnbench.execution.environment import ask_nvidia_smi, installed
from rnnbench.specs import BACKENDS, Backend

DEVICES = ("auto", "cpu", "gpu")
MOST_WORKERS = 1024
CLUSTER_GPU = "any"  # the cluster's scheduler says which
_NEEDS_CUDA_PACKAGES = ("jax", "tensorflow")  # PyTorch may carry CUDA within itself
_INSTALL: Mapping[Backend, str] = {
    "jax": "jax",
    "tensorflow": "tensorflow",
    "torch": "'rnnbench[torch]'",
}
_UNIFIED = "0"  # the hierarchy that /proc/self/cgroup gives cgroup v2


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the workers go.

    Args:
        gpus: one entry a worker: the index of its GPU, or None for a CPU worker.
        reason: why this back end, in words.
    """

    backend: Backend
    gpus: tuple[str | None, ...]
    reason: str

    @property
    def device(self) -> str:
        """`cpu` or `gpu`."""
        return "cpu" if self.gpus[0] is None else "gpu"


def find_gpus() -> tuple[str, ...]:
    """Indices of the NVIDIA GPUs that this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(part.strip() for part in visible.split(",") if part.strip() not in ("", "-1"))
    return tuple(line for line in ask_nvidia_smi("index") if line.isdigit())


def backends_with_gpu() -> tuple[Backend, ...]:
    """Installed back ends whose packages bring CUDA."""
    names = installed()
    found: list[Backend] = []
    if any(name.startswith("jax-cuda") and name.endswith("plugin") for name in names):
        found.append("jax")
    with_cudnn: tuple[Backend, ...] = ("tensorflow", "torch")
    if any(name.startswith("nvidia-cudnn") for name in names):
        found += [backend for backend in with_cudnn if backend in names]
    return tuple(found)


def installed_backends() -> tuple[Backend, ...]:
    """The back ends that can be imported here, JAX first."""
    return tuple(cast(Backend, name) for name in BACKENDS if find_spec(name) is not None)


def how_to_install(backend: Backend, *, with_gpu: bool = False) -> str:
    """The command that installs a back end."""
    if with_gpu and backend in _NEEDS_CUDA_PACKAGES:
        return "`pip install 'rnnbench[gpu]'`"
    return f"`pip install {_INSTALL[backend]}`"


def place_workers(
    *,
    backend: str,
    device: str,
    workers: int | None,
    workers_per_gpu: int,
    environ: Mapping[str, str] = os.environ,
) -> Placement:
    """Back end and workers for a command.

    Args:
        backend: `auto` or a back end; `RNNBENCH_BACKEND` stands in for `auto`.
        workers: how many at once; None means one a core, or `workers_per_gpu` a GPU.

    Raises:
        UsageError: a name that is not known, a back end or a GPU that is not there.
    """
    if device not in DEVICES:
        raise UsageError(unknown_name("device", device, DEVICES))
    for name, value in (("workers", workers), ("workers-per-gpu", workers_per_gpu)):
        if value is not None and not 1 <= value <= MOST_WORKERS:
            raise UsageError(f"{name} must be from 1 to {MOST_WORKERS}, got {value}")
    gpus = () if device == "cpu" else find_gpus()
    chosen, reason = _choose_backend(backend, environ, gpus)
    if device == "gpu" and not gpus:
        raise UsageError("there is no NVIDIA GPU here; leave --device out, or use --device cpu")
    if device == "gpu" and chosen in _NEEDS_CUDA_PACKAGES and chosen not in backends_with_gpu():
        raise UsageError(
            f"the back end {chosen} is installed without CUDA here; "
            f"run {how_to_install(chosen, with_gpu=True)}, or leave --device out"
        )
    if not gpus or (device == "auto" and chosen not in backends_with_gpu()):
        return Placement(backend=chosen, gpus=(None,) * (workers or usable_cores()), reason=reason)
    places: Sequence[str] = [gpu for _ in range(workers_per_gpu) for gpu in gpus]
    if workers is not None:
        places = [places[index % len(places)] for index in range(workers)]
    return Placement(backend=chosen, gpus=tuple(places), reason=reason)


def place_on_cluster(
    here: Placement,
    *,
    device: str,
    workers: int | None,
    workers_per_gpu: int,
    n_cpus: int,
    n_gpus: int,
) -> Placement:
    """Workers for a command on a cluster, whose scheduler decides which node takes which.

    Args:
        here: this machine's placement, whose back end every node has.

    Raises:
        UsageError: an unknown device, or a GPU on a cluster without any.
    """
    if device not in DEVICES:
        raise UsageError(unknown_name("device", device, DEVICES))
    if device == "gpu" and not n_gpus:
        raise UsageError(
            "no node of the cluster has a GPU; leave --device out, or use --device cpu"
        )
    use_gpu = device == "gpu" or (
        device == "auto" and n_gpus > 0 and here.backend in backends_with_gpu()
    )
    n_places = n_gpus * workers_per_gpu if use_gpu else max(n_cpus, 1)
    gpus = (CLUSTER_GPU if use_gpu else None,) * min(workers or n_places, n_places)
    return replace(here, gpus=gpus)


def usable_cores() -> int:
    """Cores that this process may use, one at least."""
    allowed = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    quota = cpu_quota()
    return allowed if quota is None else max(min(allowed, int(quota)), 1)


def cpu_quota(root: Path = Path("/")) -> float | None:
    """CPU time a second that this process's control groups allow it; None without a limit.

    Source: the kernel's admin-guide/cgroup-v2.rst (`cpu.max`) and scheduler/sched-bwc.rst (v1).

    Args:
        root: under which `proc` and `sys` lie.
    """
    limits = [limit for folder in _groups(root) if (limit := _limit_of(folder)) is not None]
    return min(limits, default=None)


def _choose_backend(
    backend: str, environ: Mapping[str, str], gpus: Sequence[str]
) -> tuple[Backend, str]:
    asked, by = backend, "requested with --backend"
    if backend == "auto" and environ.get("RNNBENCH_BACKEND", "auto") != "auto":
        asked, by = environ["RNNBENCH_BACKEND"], "requested with RNNBENCH_BACKEND"
    if asked != "auto":
        if asked not in BACKENDS:
            raise UsageError(unknown_name("backend", asked, ("auto", *BACKENDS)))
        if find_spec(asked) is None:
            raise UsageError(
                f"the back end {asked} is not installed; run {how_to_install(cast(Backend, asked))}"
            )
        return cast(Backend, asked), by
    seeing = backends_with_gpu() if gpus else ()
    if seeing:
        return seeing[0], "it sees the GPU"
    present = installed_backends()
    if not present:
        raise UsageError("no back end is installed; run `pip install jax`")
    if present[0] == "jax":
        return "jax", "no GPU is available, and on a CPU it is the fastest"
    return present[0], "no GPU is available, and JAX is not installed"


def _groups(root: Path) -> Iterator[Path]:
    """The folders of this process's groups, and of those around them, whose limits hold too."""
    mounted = root / "sys" / "fs" / "cgroup"
    for line in _read(root / "proc" / "self" / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if number == _UNIFIED:
            tops = [mounted, mounted / "unified"]
        elif "cpu" in controllers.split(","):
            tops = [mounted / controllers, mounted / "cpu"]
        else:
            continue
        inside = PurePosixPath(group.lstrip("/"))
        # A container may see its own group as the top, while the line names it from outside.
        yield from (top / name for top in tops for name in (inside, *inside.parents))


def _limit_of(folder: Path) -> float | None:
    """Cores that one group's files allow; None where there is no limit or no such group."""
    words = _read(folder / "cpu.max").split()
    if not words:
        words = [_read(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    try:
        quota, period = map(float, words)
    except ValueError:  # `max`, or nothing
        return None
    return quota / period if quota > 0 and period > 0 else None  # v1 writes -1 for no limit


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
