"""A command tried from outside: what it said, how long it took and how much memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from project import Project

__all__ = ["HUNG_S", "OVER_MIB", "Watched", "watch"]

HUNG_S = 60.0
OVER_MIB = 1024.0
_MOST_BYTES = 3 * 10**9  # of memory: more would be taken from the machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What became of a command.

    Args:
        code: its exit status, or the number of the signal that ended it.
        said: standard output and standard error.
        cpu_seconds, peak_mib: its own with its children's; the memory is the largest process's.
            NaN if it was killed.
    """

    code: int
    said: str
    seconds: float
    cpu_seconds: float
    peak_mib: float

    @property
    def is_crash(self) -> bool:
        """Whether it ended in what nobody wrote for a user."""
        return "Traceback" in self.said or "a bug in rnnbench" in self.said

    def counted(self) -> dict[str, int]:
        """For a tally."""
        return {
            "tried": 1,
            "hung": int(self.seconds > HUNG_S),
            "over_1_gib": int(self.peak_mib > OVER_MIB),
            "tracebacks": int(self.is_crash),
        }


def watch(project: Project, *words: str, limit_s: float = 2 * HUNG_S) -> Watched:
    """Run `rnnbench` with these words in a process group of its own; it is killed at the limit."""
    with tempfile.TemporaryFile() as output, tempfile.NamedTemporaryFile("r") as used:
        began = time.monotonic()
        process = subprocess.Popen(
            [
                sys.executable,
                "-ISc",
                _LAUNCHER,
                used.name,
                sys.executable,
                "-m",
                "rnnbench",
                *words,
            ],
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        give_up = threading.Timer(limit_s, os.killpg, (process.pid, signal.SIGKILL))
        give_up.start()
        code = process.wait()
        seconds = time.monotonic() - began
        give_up.cancel()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        output.seek(0)
        said = output.read().decode(errors="replace")
        cpu_seconds, peak_kib = used.read().split() or ("nan", "nan")  # it was killed
    return Watched(
        code=code,
        said=said,
        seconds=seconds,
        cpu_seconds=float(cpu_seconds),
        peak_mib=float(peak_kib) / 1024,
    )


_LAUNCHER = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_DATA, ({_MOST_BYTES}, {_MOST_BYTES}))
child = os.fork()
if not child:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, used = os.wait4(child, 0)
with open(sys.argv[1], "w") as file:
    print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=file)
sys.exit(abs(os.waitstatus_to_exitcode(status)))
"""
"""A process of little memory starts the command: what starts it counts into its peak."""
