"""What a program does on the device: the kernels of a profile."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["profile"]

N_KERNELS = 12


def profile(call: Callable[[], Any], n_steps: int) -> dict[str, Any]:  # Any: JSON values
    """The kernels that take a call's time, the longest first, and how long the device was busy.

    XLA leaves its command buffers out while it is profiled, so each kernel is seen. Without a GPU
    what the CPU's threads report stands in, nested events counted in each other.
    """
    import jax

    with tempfile.TemporaryDirectory() as folder:
        options = jax.profiler.ProfileOptions()
        options.python_tracer_level = 0
        with jax.profiler.trace(folder, profiler_options=options):
            call()
        (path,) = Path(folder).rglob("*.xplane.pb")
        data = jax.profiler.ProfileData.from_file(str(path))
        return _table(list(_events(data)), n_steps)


def _events(data: Any) -> Iterable[tuple[str, float, float]]:  # Any: jaxlib is untyped here
    """Name, start and duration in ns of what ran on the first GPU's streams, or else the CPU."""
    planes = list(data.planes)
    gpus = [plane for plane in planes if plane.name.startswith("/device:GPU:")]
    for plane in gpus[:1] or [plane for plane in planes if plane.name == "/host:CPU"]:
        lines = list(plane.lines)  # the streams, and the same kernels by operation and by module
        for line in [line for line in lines if line.name.startswith("Stream")] or lines:
            for event in line.events:
                yield event.name, event.start_ns, event.duration_ns


def _table(events: list[tuple[str, float, float]], n_steps: int) -> dict[str, Any]:
    took: dict[str, list[float]] = defaultdict(list)
    for name, _, duration in events:
        took[name].append(duration)
    busy, until = 0.0, float("-inf")
    for _, start, duration in sorted(events, key=lambda event: event[1]):
        end = start + duration
        busy += max(0.0, end - max(start, until))
        until = max(until, end)
    span = until - min((start for _, start, _ in events), default=until)
    whole = sum(duration for _, _, duration in events)
    longest = sorted(took.items(), key=lambda item: -sum(item[1]))[:N_KERNELS]
    return {
        "steps": n_steps,
        "kernels_a_step": round(len(events) / n_steps, 1),
        "span_ms_a_step": round(span / n_steps / 1e6, 3),
        "busy_share": round(busy / span, 3) if span > 0 else None,
        "mean_kernel_us": round(whole / max(len(events), 1) / 1e3, 2),
        "kernels": [
            {
                "name": name[:80],
                "a_step": round(len(durations) / n_steps, 1),
                "mean_us": round(sum(durations) / len(durations) / 1e3, 2),
                "share": round(sum(durations) / whole, 3) if whole else None,
            }
            for name, durations in longest
        ],
    }
