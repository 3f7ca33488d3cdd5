"""Where a number comes from: the command, the machine, the versions and the day beside it."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rnnbench.execution.devices import usable_cores
from rnnbench.execution.environment import describe_machine

__all__ = ["RESULTS", "write_result"]

RESULTS = Path(__file__).parent.parent / "results"


def write_result(
    path: Path,
    result: Mapping[str, Any],  # Any: JSON values
    *,
    command: str,
    packages: Iterable[str],
    gpu: str | None = None,
) -> dict[str, Any]:  # Any: JSON values
    """The result with its provenance, written as JSON; `command` would measure it again."""
    whole = {
        **result,
        "command": command,
        "machine": {**describe_machine(gpu), "cores": usable_cores()},
        "versions": {name: version(name) for name in packages}
        | {"python": platform.python_version()},
        "measured_on": time.strftime("%Y-%m-%d"),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return whole
