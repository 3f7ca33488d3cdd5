"""How many cores a process may use: its affinity, and what a container's CPU quota leaves of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_UNIFIED = "0"  # the hierarchy that /proc/self/cgroup gives cgroup v2


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
