"""Which program trains a spec."""

from rnnbench.errors import UnavailableError
from rnnbench.specs import Backend, RunSpec
from rnnbench.training.engine import Program


def open_program(spec: RunSpec, n_lanes: int = 1) -> Program:
    """The program of the spec's engine; this process's Keras must use the spec's back end.

    Args:
        n_lanes: of a fleet.
    """
    if spec.engine == "fleet" and n_lanes > 1:  # one lane is the epoch of `keras`, and as fast
        from rnnbench.training.fleet import FleetProgram

        return FleetProgram(spec, n_lanes)
    if spec.backend == "jax":
        from rnnbench.training.scan import ScanProgram

        return ScanProgram(spec)
    from rnnbench.training.fit import FitProgram

    return FitProgram(spec)


def require_gpu(backend: Backend) -> None:
    """Check that Keras would not quietly use the CPU, and its times be taken for a GPU's.

    Raises:
        UnavailableError: the back end sees no GPU in this process.
    """
    if backend == "jax":
        import jax

        found = jax.default_backend() == "gpu"
    elif backend == "tensorflow":
        import tensorflow

        found = bool(tensorflow.config.list_physical_devices("GPU"))
    else:
        import torch

        found = torch.cuda.is_available()
    if not found:
        raise UnavailableError(f"{backend} sees no GPU in this worker; use --device cpu")
