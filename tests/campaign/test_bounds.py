"""Whatever a file or a word asks for: refused in a sentence, within seconds and megabytes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from oversized import CASES
from project import PATIENCE_S, Count

pytestmark = pytest.mark.campaign

MOST_CPU_SECONDS = 5
MOST_MIB = 500
LIMIT_BYTES = 3 * 10**9  # what a fault may take before it is ended


@dataclass(frozen=True)
class Ended:
    """How a command ended, what it said, and what it and its processes took."""

    code: int
    said: str
    cpu_seconds: float
    peak_mib: float


def call_measured(words: list[str], folder: Path) -> Ended:
    """`rnnbench` with these words, in a process whose memory is bounded."""

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (LIMIT_BYTES, LIMIT_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE_S, PATIENCE_S))

    with open(folder / "said.txt", "wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "rnnbench", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=bound,
        )
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Ended(
        code=child.returncode,
        said=(folder / "said.txt").read_text(errors="replace"),
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_asks_for_too_much_is_refused_in_a_sentence(
    case: Callable[[Path], list[str]], tmp_path: Path, count: Count
) -> None:
    (tmp_path / "project").mkdir()
    ended = call_measured(case(tmp_path), tmp_path / "project")
    before, _, refusal = ended.said.partition("error: ")
    assert ended.code in (2, 3), ended.said
    assert before == "" or before.startswith("warning: "), ended.said
    assert len(refusal.splitlines()) == 1, ended.said
    assert (ended.cpu_seconds < MOST_CPU_SECONDS, ended.peak_mib < MOST_MIB) == (True, True), ended
    count("an oversized input refused")
