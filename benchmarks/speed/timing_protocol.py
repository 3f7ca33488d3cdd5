"""What a ratio of times is worth on a machine that does something else too.

    python benchmarks/speed/timing_protocol.py ratio [--before COMMIT]
    python benchmarks/speed/timing_protocol.py controls

`ratio`: what recurrent dropout costs an LSTM(8) on JAX, as the command measures it and as it did
before arms took turns (each arm in processes far apart; a checkout of that commit does it), one
after the other; `benchmarks/results/timing_protocol.json`. `controls`: forty arms, each over
itself; `benchmarks/results/timing_controls.json`. All beside a second process that keeps a core
busy.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from provenance import RESULTS, write_result

from rnnbench.execution.devices import installed_backends
from rnnbench.stats.ratios import Ratio
from rnnbench.timing.rows import Control, TimingPart, compose_timing_part
from rnnbench.timing.sessions import read_session

REPOSITORY = Path(__file__).parents[2]
BEFORE = "3f7c324~1"
"""The last commit whose processes measured one arm each."""
OF_CONTROLS = (
    ("--backend", "jax", "--units", "8,12,16,24,32,64"),
    ("--backend", "torch", "--units", "8,16,64"),
    ("--backend", "tensorflow", "--units", "8"),
)
"""Four architectures each; the last two where they are installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What one `rnnbench timing` came to, and how long it took."""

    part: TimingPart
    seconds: float
    processes: int


def run_timing(code: Path, words: Sequence[str]) -> Timed:
    """Carry out `rnnbench timing` of the checkout in `code`, in a folder of its own."""
    with TemporaryDirectory() as folder:
        export = Path(folder) / "export.json"
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "rnnbench", "timing", *words, "--export", export],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(code)},
            stdout=sys.stderr,
            check=True,
        )
        seconds = time.monotonic() - began
        session = read_session(export)
    part = compose_timing_part([session])
    assert part is not None
    return Timed(part=part, seconds=seconds, processes=max(len(t.samples) for t in session.arms))


def measure_ratio(before: str) -> None:
    """The two protocols, one after the other."""
    words = ("lstm", "--units", "8", "--backend", "jax", "--device", "cpu")
    with TemporaryDirectory() as folder, busy_process():
        code = Path(folder) / "before"
        git = ("git", "-C", str(REPOSITORY), "worktree")
        subprocess.run([*git, "add", "--detach", code, before], check=True, stdout=sys.stderr)
        try:
            old = run_timing(code, words)
        finally:
            subprocess.run([*git, "remove", "--force", code], check=True)
        new = run_timing(REPOSITORY, words)
    ratios = [each.part.slowdowns[0].slowdown for each in (old, new)]
    widths = [_width(ratio) for ratio in ratios]
    result = write_result(
        RESULTS / "timing_protocol.json",
        {
            "times_narrower": round(widths[0] / widths[1], 2),
            "share_of_time": round(new.seconds / old.seconds, 3),
            "before": _tell(old, ratios[0]),
            "now": _tell(new, ratios[1]),
        },
        command="python benchmarks/speed/timing_protocol.py ratio",
        packages=("keras", "jax"),
    )
    print({name: result[name] for name in ("times_narrower", "share_of_time", "before", "now")})


def measure_controls() -> None:
    """Forty controls."""
    controls: list[Control] = []
    with busy_process():
        for words in OF_CONTROLS:
            if words[1] in installed_backends():
                controls += run_timing(
                    REPOSITORY, (*words, "--device", "cpu", "--budget", "1h")
                ).part.controls
    result = write_result(
        RESULTS / "timing_controls.json",
        {
            "n": len(controls),
            "hold_1": sum(control.holds for control in controls),
            "furthest_off": round(max(control.off_by for control in controls), 4),
            "controls": [
                {"arm": each.arm.name, "processes": each.n, "ratio": _write(each.ratio)}
                for each in controls
            ],
        },
        command="python benchmarks/speed/timing_protocol.py controls",
        packages=(
            "keras",
            *(words[1] for words in OF_CONTROLS if words[1] in installed_backends()),
        ),
    )
    print({name: result[name] for name in ("n", "hold_1", "furthest_off")})


@contextmanager
def busy_process() -> Iterator[None]:
    """Keep another process at work meanwhile."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _tell(timed: Timed, ratio: Ratio | None) -> dict[str, object]:
    return {
        "ratio": _write(ratio),
        "width": round(_width(ratio), 4),
        "seconds": round(timed.seconds, 1),
        "processes_an_arm": timed.processes,
    }


def _width(ratio: Ratio | None) -> float:
    """Of the interval, in logarithms."""
    assert ratio is not None
    assert ratio.interval is not None
    return math.log(ratio.interval.high / ratio.interval.low)


def _write(ratio: Ratio | None) -> list[float]:
    """The ratio, and its interval's ends."""
    assert ratio is not None
    assert ratio.interval is not None
    return [round(each, 4) for each in (ratio.value, ratio.interval.low, ratio.interval.high)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("ratio", "controls"))
    parser.add_argument("--before", default=BEFORE)
    chosen = parser.parse_args()
    if chosen.what == "ratio":
        measure_ratio(chosen.before)
    else:
        measure_controls()
