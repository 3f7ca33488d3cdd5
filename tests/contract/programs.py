"""What the contracts train: batches of two sizes, and programs that are compiled once."""

from __future__ import annotations

from typing import Any

import pytest

from rnnbench.architectures import PRESETS
from rnnbench.specs import RunSpec
from rnnbench.training.scan import ScanProgram

WHOLE_BATCHES, SHORT_LAST = 17, 16  # of 51 training reviews


def batch_size_of(name: str) -> int:
    """Of two the last batch is short; the campaign has one in every architecture.

    A batch of another size is a program more to compile.
    """
    return SHORT_LAST if name in ("lstm", "simple-rnn") else WHOLE_BATCHES


def with_short_last() -> list[Any]:
    """Every architecture with the gate's batch size, and in the campaign with a short last one."""
    short = [name for name in PRESETS if batch_size_of(name) != SHORT_LAST]
    return [
        *((name, batch_size_of(name)) for name in PRESETS),
        *(pytest.param(name, SHORT_LAST, marks=pytest.mark.campaign) for name in short),
    ]


def program_of(programs: dict[str, ScanProgram], spec: RunSpec) -> ScanProgram:
    if spec.shape not in programs:
        programs[spec.shape] = ScanProgram(spec)
    return programs[spec.shape]
