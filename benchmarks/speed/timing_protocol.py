"""What a ratio of times is worth on a machine that does something else too.

    python benchmarks/speed/timing_protocol.py ratio [--before COMMIT] [--log FILE]
    python benchmarks/speed/timing_protocol.py controls [--units 8,10,…] [--budget 1h]

`ratio`: what recurrent dropout costs an LSTM(8) on JAX, as the command measures it, to 5 % and to
3 %, and as it did before arms took turns (each arm in processes far apart; a checkout of that
commit does it), one after the other; `benchmarks/results/timing_protocol.json`. A log keeps each as
it comes; the same command goes on after the last. `controls`: arms on JAX, each over itself, forty
by default; `benchmarks/results/timing_controls.json`. All beside a second process that keeps a core
busy.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from provenance import RESULTS, write_result

from rnnbench.stats.ratios import Ratio
from rnnbench.timing.rows import TimingPart, compose_timing_part
from rnnbench.timing.sessions import read_session

REPOSITORY = Path(__file__).parents[2]
BEFORE = "3f7c324~1"
"""The last commit whose processes measured one arm each."""
LSTM_8 = ("lstm", "--units", "8", "--backend", "jax", "--device", "cpu")
OF_CONTROLS = ("lstm", "gru", "lstm-stacked", "simple-rnn", "--backend", "jax", "--device", "cpu")


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


def measure_ratio(before: str, log: Path) -> None:
    """The protocols, one after the other; what stands in the log is not measured again."""
    parts: dict[str, Callable[[], Timed]] = {
        "before": lambda: run_before(before),
        "now": lambda: run_timing(REPOSITORY, LSTM_8),
        "now, 3 %": lambda: run_timing(REPOSITORY, (*LSTM_8, "--precision", "3%")),
    }
    found = json.loads(log.read_text("utf-8")) if log.exists() else {}
    with busy_process():
        for name, measure in parts.items():
            if name not in found:
                found[name] = _tell(measure())
                log.write_text(json.dumps(found), "utf-8")
    old, new = found["before"], found["now, 3 %"]
    result = write_result(
        RESULTS / "timing_protocol.json",
        {
            "times_narrower": round(old["width"] / new["width"], 2),
            "share_of_time": round(new["seconds"] / old["seconds"], 3),
            **found,
        },
        command="python benchmarks/speed/timing_protocol.py ratio",
        packages=("keras", "jax"),
    )
    print({name: result[name] for name in ("times_narrower", "share_of_time", *parts)})


def run_before(commit: str) -> Timed:
    """The same of a checkout of the commit."""
    with TemporaryDirectory() as folder:
        code = Path(folder) / "before"
        git = ("git", "-C", str(REPOSITORY), "worktree")
        subprocess.run([*git, "add", "--detach", code, commit], check=True, stdout=sys.stderr)
        try:
            return run_timing(code, LSTM_8)
        finally:
            subprocess.run([*git, "remove", "--force", code], check=True)


def measure_controls(units: str, budget: str) -> None:
    """A control of each architecture and number of units."""
    words = ("--units", units, "--budget", budget)
    with busy_process():
        controls = run_timing(REPOSITORY, (*OF_CONTROLS, *words)).part.controls
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
        command=f"python benchmarks/speed/timing_protocol.py controls {' '.join(words)}",
        packages=("keras", "jax"),
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


def _tell(timed: Timed) -> dict[str, Any]:  # Any: JSON values
    ratio = timed.part.slowdowns[0].slowdown
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
    parser.add_argument("--units", default="8,10,12,14,16,20,24,28,32,40", help="Of the controls.")
    parser.add_argument("--budget", default="1h", help="Of the controls.")
    parser.add_argument("--log", type=Path, default=Path("timing_protocol.log.json"))
    chosen = parser.parse_args()
    if chosen.what == "ratio":
        measure_ratio(chosen.before, chosen.log)
    else:
        measure_controls(chosen.units, chosen.budget)
