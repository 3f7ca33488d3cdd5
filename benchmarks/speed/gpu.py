"""What a GPU is worth here: the timing study on it and on its host, then fleets of many lanes.

    python benchmarks/speed/gpu.py [--backend jax,torch] [--units 8,64,256] [--repeats 5]
                                   [--lanes 1,4,16,64,256 | --lanes none]

Needs Keras and one back end; neither TensorFlow nor MLflow nor Optuna. What was measured before an
interruption is kept in the folder it is started from, and the same command goes on. Without a GPU
it measures the CPU half, and says so. Lanes (`benchmarks/speed/lanes.py`) need JAX. docs/gpu.md
tells how to bring it to a machine without internet.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from rnnbench.errors import RnnbenchError
from rnnbench.execution.devices import find_gpus, installed_backends
from rnnbench.timing.choices import TimingChoices
from rnnbench.timing.screen import TimingScreen
from rnnbench.timing.work import measure_arms


def main() -> int:
    """Measure every back end that is here, in one session; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--architectures", default="lstm,gru,lstm-stacked,simple-rnn")
    parser.add_argument("--backend", default=",".join(installed_backends()))
    parser.add_argument("--units", default="8,64,256")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--lanes", default="1,4,16,64,256")
    parser.add_argument("--reviews", type=int, default=20_000, help="An epoch of a fleet.")
    parser.add_argument("--out", type=Path, default=Path())
    chosen = parser.parse_args()
    device = "gpu" if find_gpus() else "cpu"
    choices = TimingChoices(
        architectures=tuple(chosen.architectures.split(",")),
        backend=tuple(chosen.backend.split(",")),
        units=tuple(int(n) for n in chosen.units.split(",")),
        repeats=chosen.repeats,
        export=chosen.out / f"timing-{device}.json",
        command=shlex.join(["python", "benchmarks/speed/gpu.py", *sys.argv[1:]]),
    )
    try:
        outcome = measure_arms(choices, TimingScreen(), Path.cwd())
    except RnnbenchError as err:
        print(f"error: {err}", file=sys.stderr)
        return 2
    if outcome.interrupted:
        return 130
    if chosen.lanes != "none" and "jax" in choices.backend:
        measure_lanes(chosen.lanes, chosen.reviews, chosen.out / f"lanes-{device}.json")
    return 1 if outcome.n_failed else 0


def measure_lanes(lanes: str, reviews: int, out: Path) -> None:
    """Fleets against Keras's `fit`, each in a process of its own."""
    script = Path(__file__).with_name("lanes.py")
    words = ["--lanes", lanes, "--reviews", str(reviews), "--out", str(out)]
    subprocess.run([sys.executable, str(script), *words], check=True)


if __name__ == "__main__":
    sys.exit(main())
