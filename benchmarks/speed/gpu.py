"""What recurrent dropout costs on a GPU and on its host, what matters most first.

    python benchmarks/speed/gpu.py [8] [64] [others] [--out FOLDER]

Needs Keras, and JAX or PyTorch; neither TensorFlow nor MLflow nor Optuna. Each piece is a session
of `rnnbench timing` with a budget of its own, CPU and GPU at once where there are eight cores, in a
file of its own for `rnnbench timing --import`, written when the piece ends, by Ctrl-C too; what was
measured is shown then. The same command in the same folder goes on. docs/gpu.md tells how to bring
it to a machine without internet.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from rnnbench.errors import RnnbenchError
from rnnbench.execution.devices import find_gpus, installed_backends
from rnnbench.timing.choices import TimingChoices
from rnnbench.timing.screen import TimingScreen
from rnnbench.timing.work import measure_arms

PIECES = {
    "8": TimingChoices(architectures=("lstm", "gru"), units=(8,), budget=150.0),
    "64": TimingChoices(architectures=("lstm", "gru"), units=(64,), budget=150.0),
    "others": TimingChoices(architectures=("lstm-stacked", "simple-rnn"), units=(8,), budget=120.0),
}
"""Seven minutes, so that the whole fits in about eight with the start of a machine: processes that
are ready when a budget ends are left."""


def main() -> int:
    """Measure on every back end that is here; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pieces", nargs="*", metavar="PIECE", help=f"{', '.join(PIECES)}; all.")
    parser.add_argument("--out", type=Path, default=Path())
    chosen = parser.parse_args()
    if unknown := set(chosen.pieces) - set(PIECES):
        parser.error(f"unknown piece {', '.join(unknown)}; there are {', '.join(PIECES)}")
    device = "gpu" if find_gpus() else "cpu"
    backends = tuple(name for name in installed_backends() if name != "tensorflow")
    if not backends:
        parser.error("neither JAX nor PyTorch is installed here")
    n_failed = 0
    for name in chosen.pieces or PIECES:
        choices = replace(
            PIECES[name],
            backend=backends,
            export=chosen.out / f"timing-{device}-{name}.json",
            command=f"python benchmarks/speed/gpu.py {name}",
        )
        try:
            outcome = measure_arms(choices, TimingScreen(), Path.cwd())
        except RnnbenchError as err:
            print(f"error: {err}", file=sys.stderr)
            return 2
        if outcome.interrupted:
            return 130
        n_failed += outcome.n_failed
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
