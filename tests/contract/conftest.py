"""What the engines' tests share."""

from __future__ import annotations

from typing import Any

import pytest

from rnnbench.training.scan import ScanProgram


@pytest.fixture(scope="session")
def programs(keras_on_jax: Any) -> dict[str, ScanProgram]:
    """Compiled programs by shape: compiling is what these tests take long for."""
    return {}
