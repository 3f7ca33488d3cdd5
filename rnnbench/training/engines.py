"""Which program trains a spec."""

from __future__ import annotations

from rnnbench.specs import RunSpec
from rnnbench.training.engine import Program

__all__ = ["open_program"]


def open_program(spec: RunSpec) -> Program:
    """The program of the spec's engine; this process's Keras must use the spec's back end."""
    if spec.backend == "jax":
        from rnnbench.training.scan import ScanProgram

        return ScanProgram(spec)
    from rnnbench.training.fit import FitProgram

    return FitProgram(spec)
