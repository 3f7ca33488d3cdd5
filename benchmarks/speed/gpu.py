"""What a GPU is worth here: the timing study on it and on its host, and where it cannot be had.

    python benchmarks/speed/gpu.py [--backend jax,torch] [--units 8,64,256] [--repeats 5]

Needs Keras and one back end; neither TensorFlow nor MLflow nor Optuna. What was measured before an
interruption is kept in the folder it is started from, and the same command goes on. Without a GPU
it measures the CPU half, and says so. docs/gpu.md tells how to bring it to a machine without
internet.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rnnbench.execution.devices import find_gpus, installed_backends
from rnnbench.terminal.timing import TimingScreen
from rnnbench.workflows.timing import measure_arms
from rnnbench.workflows.timing_plan import TimingChoices

RESULTS = Path(__file__).parent.parent / "results"


def main() -> None:
    """Measure every back end that is here, a file each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--architectures", default="lstm,gru,lstm-stacked,simple-rnn")
    parser.add_argument("--backend", default=",".join(installed_backends()))
    parser.add_argument("--units", default="8,64,256")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    device = "gpu" if find_gpus() else "cpu"
    for backend in chosen.backend.split(","):
        choices = TimingChoices(
            architectures=tuple(chosen.architectures.split(",")),
            backends=(backend,),
            units=tuple(int(n) for n in chosen.units.split(",")),
            repeats=chosen.repeats,
        )
        words = f"python benchmarks/speed/gpu.py --backend {backend} --units {chosen.units}"
        measure_arms(
            choices,
            TimingScreen(),
            Path.cwd(),
            command=f"{words} --repeats {chosen.repeats}",
            export=chosen.out / f"timing-{backend}-{device}.json",
        )


if __name__ == "__main__":
    main()
