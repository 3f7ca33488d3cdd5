"""Whether `rnnbench timing` tells the time of a step, and what its clock costs.

    python benchmarks/speed/step.py [--rounds 12] [--backend jax]

In one process, on one compiled model, in random order: a plain `model.fit` of four epochs, timed
from outside, and the same `fit` with the clock of `rnnbench timing` in it. The clock is held
against the plain loop's, and so is the time of the whole call.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import numpy as np
from provenance import RESULTS, write_result

from rnnbench.execution.environment import worker_environment
from rnnbench.stats.ratios import Ratio, median_ratio
from rnnbench.timing.arms import Arm
from rnnbench.timing.measure import make_model, make_reviews, time_blocks

N_STEPS, N_EPOCHS = 312, 4


def main() -> None:
    """Measure in turns; print and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--backend", choices=("jax", "tensorflow", "torch"), default="jax")
    parser.add_argument("--out", type=Path, default=RESULTS / "step.json")
    chosen = parser.parse_args()
    os.environ.update(worker_environment(chosen.backend))  # one thread: less noise to see 1 % in
    arm = Arm(architecture="lstm", backend=chosen.backend, device="cpu")
    model = make_model(arm, 0)
    tokens, labels = make_reviews(N_STEPS * arm.batch_size, 0)
    model.fit(tokens, labels, batch_size=arm.batch_size, verbose=0)
    plain, whole, told = [], [], []
    rng = np.random.default_rng(0)
    for _ in range(chosen.rounds):
        for with_clock in rng.permutation([True, False]):
            began = time.perf_counter()
            if with_clock:
                blocks = time_blocks(
                    model, tokens, labels, batch_size=arm.batch_size, n_blocks=N_EPOCHS
                )
                whole.append((time.perf_counter() - began) / N_EPOCHS / N_STEPS * 1e3)
                told.append(statistics.fmean(blocks) / N_STEPS * 1e3)
                continue
            model.fit(
                tokens, labels, batch_size=arm.batch_size, epochs=N_EPOCHS, shuffle=False, verbose=0
            )
            plain.append((time.perf_counter() - began) / N_EPOCHS / N_STEPS * 1e3)
    result = {
        "told_over_plain": describe(median_ratio(told, plain, rng)),
        "with_clock_over_plain": describe(median_ratio(whole, plain, rng)),
        "median_step_ms": {
            "plain fit, timed from outside": round(statistics.median(plain), 4),
            "told by the clock": round(statistics.median(told), 4),
            "fit with the clock, timed from outside": round(statistics.median(whole), 4),
        },
        "all_ms": {"plain": plain, "told": told, "whole": whole},
    }
    command = f"python benchmarks/speed/step.py --rounds {chosen.rounds} --backend {chosen.backend}"
    write_result(chosen.out, result, command=command, packages=("keras", chosen.backend))
    print(json.dumps({key: result[key] for key in list(result)[:3]}, indent=1))


def describe(ratio: Ratio | None) -> dict[str, float]:
    """A ratio and its 95 % interval, rounded."""
    assert ratio is not None
    assert ratio.interval is not None
    values = {"ratio": ratio.value, "low": ratio.interval.low, "high": ratio.interval.high}
    return {name: round(value, 4) for name, value in values.items()}


if __name__ == "__main__":
    main()
