"""A worker's process environment, and what it reports about itself."""

import hashlib
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version

from rnnbench.data.cache import cache_folder
from rnnbench.specs import Backend

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",  # the size of JAX's own thread pool, which XLA_FLAGS do not set
)

# What a user may set and changes the numbers of a run there; where it is set, the run says so.
_NUMERIC_VARIABLES: Mapping[Backend, Sequence[str]] = {
    "jax": (
        "JAX_DEFAULT_MATMUL_PRECISION",
        "JAX_DEFAULT_PRNG_IMPL",
        "JAX_RANDOM_SEED_OFFSET",
        "JAX_THREEFRY_PARTITIONABLE",
        "XLA_FLAGS",
    ),
    "tensorflow": ("TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS"),
    "torch": ("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",),
}
_ON_A_GPU = ("NVIDIA_TF32_OVERRIDE",)

_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

PROGRAM_BYTES = 2**30  # kept on the disk, the least recently used leave


def worker_environment(
    backend: Backend, gpu: str | None = None, n_sharing: int = 1, *, one_thread: bool = True
) -> dict[str, str]:
    """Variables that must stand before a worker's first import of Keras.

    Args:
        gpu: the device's index as CUDA counts; None hides every GPU.
        n_sharing: workers on that GPU; on JAX each takes its share of the memory at most.
        one_thread: on a CPU keep to one thread, so that a process a core scales without loss.
    """
    variables = {
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "GRPC_VERBOSITY": "ERROR",
        "PYTHONHASHSEED": "0",
    }
    if gpu is not None:
        return variables | {
            "CUDA_VISIBLE_DEVICES": gpu,
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # as nvidia-smi counts
            "JAX_PLATFORMS": "cuda,cpu",
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            "XLA_PYTHON_CLIENT_MEM_FRACTION": f"{0.9 / n_sharing:.3f}",
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        }
    variables |= {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
    if not one_thread:
        return variables
    flags = f"{os.environ.get('XLA_FLAGS', '')} {_ONE_THREAD}".strip()
    return variables | dict.fromkeys(_THREAD_VARIABLES, "1") | {"XLA_FLAGS": flags}


def enable_compilation_cache() -> None:
    """Have JAX keep what it compiles for later commands; before its first import.

    A folder a processor: a compiled program holds that processor's instructions.
    """
    name = hashlib.sha256(processor_name().encode()).hexdigest()[:12]
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache_folder() / "programs" / name))
    os.environ.setdefault("JAX_PERSISTENT_COMPILATION_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
    os.environ.setdefault("JAX_PERSISTENT_COMPILATION_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
    os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(PROGRAM_BYTES))


@contextmanager
def applied(variables: Mapping[str, str]) -> Iterator[None]:
    """Put variables into this process's environment while a child is being started."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def processes_at_work(n_looks: int = 10) -> float:
    """How many other processes run or wait for a core, now: the mean of looks 0.05 s apart.

    Where the operating system does not say, the mean of the last minute.
    """
    seen = []
    for _ in range(n_looks):
        try:
            with open("/proc/loadavg", encoding="utf-8") as stream:
                seen.append(int(stream.read().split()[3].split("/")[0]) - 1)  # less this one
        except (OSError, IndexError, ValueError):
            return os.getloadavg()[0]
        time.sleep(0.05)
    return sum(seen) / len(seen)


def processor_name() -> str:
    """The CPU's model, as the operating system names it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = (line.split(":", 1)[1] for line in lines if line.startswith("model name"))
            return next(names).strip()
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def ask_nvidia_smi(query: str, gpu: str | None = None) -> list[str]:
    """A line for each GPU, or for the one asked for: what the driver answers; none without it."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    chosen = [] if gpu is None else ["-i", gpu]
    try:
        listed = subprocess.run(
            [program, f"--query-gpu={query}", "--format=csv,noheader", *chosen],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.stdout.splitlines()]


def describe_process(backend: Backend, gpu: str | None) -> dict[str, str]:
    """Versions, variables and hardware behind a worker's numbers."""
    found = {f"version.{name}": text for name, text in package_versions(backend).items()}
    for name in (*_NUMERIC_VARIABLES[backend], *(_ON_A_GPU if gpu is not None else ())):
        if value := os.environ.get(name, "").replace(_ONE_THREAD, "").strip():
            found[f"variable.{name}"] = value
    return found | describe_machine(gpu) | {"device": "cpu" if gpu is None else f"gpu:{gpu}"}


def package_versions(backend: Backend) -> dict[str, str]:
    """Versions of what makes a run's numbers, Python's among them."""
    packages = {"jax": ("jax", "jaxlib"), "tensorflow": ("tensorflow",), "torch": ("torch",)}
    found = {name: _version(name) for name in ("rnnbench", "keras", "numpy", *packages[backend])}
    return found | {"python": platform.python_version()}


def cuda_versions() -> dict[str, str]:
    """Versions of the CUDA libraries that Python packages bring, by the package's name."""
    wanted = ("nvidia-cudnn", "nvidia-cuda-runtime", "nvidia-cublas")
    return {name: text for name, text in installed().items() if name.startswith(wanted)}


def installed() -> dict[str, str]:
    """The version of each Python package here, by its name in lower case."""
    return {(item.metadata["Name"] or "").lower(): item.version for item in distributions()}


def describe_machine(gpu: str | None) -> dict[str, str]:
    """Processor, cores and platform, and of the GPU its name and driver."""
    return {
        "processor": processor_name(),
        "cores": str(os.cpu_count()),
        "platform": platform.platform(),
        **(_describe_gpu(gpu) if gpu is not None else {}),
    }


@cache  # a question takes a tenth of a second, and every run asks
def _describe_gpu(gpu: str) -> dict[str, str]:
    answers = ask_nvidia_smi("name,driver_version", gpu)
    return dict(zip(("gpu", "driver"), answers[0].split(", "), strict=False)) if answers else {}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
