"""A command tried from outside: what it said, how long it took and how much memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from project import Project

__all__ = ["HUNG_S", "OVER_MIB", "Watched", "watch"]

HUNG_S = 60.0
OVER_MIB = 1024.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What became of a command.

    Args:
        code: its exit status; negative if a signal ended it.
        said: standard output and standard error.
        peak_mib: of itself or of a process that it started, whichever is larger.
    """

    words: tuple[str, ...]
    code: int
    said: str
    seconds: float
    peak_mib: float

    def counted(self) -> dict[str, int]:
        """For a tally."""
        return {
            "tried": 1,
            "hung": int(self.seconds > HUNG_S),
            "over_1_gib": int(self.peak_mib > OVER_MIB),
            "tracebacks": int("Traceback" in self.said or "a defect of rnnbench" in self.said),
        }


def watch(project: Project, *words: str, limit_s: float = 1.5 * HUNG_S) -> Watched:
    """Run `rnnbench` with these words in a process group of its own; it is killed at the limit."""
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "rnnbench", *words],
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > began + limit_s:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(_POLL_S)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        output.seek(0)
        said = output.read().decode(errors="replace")
    return Watched(
        words=words,
        code=process.returncode,
        said=said,
        seconds=seconds,
        peak_mib=ended[2].ru_maxrss / 1024,
    )
