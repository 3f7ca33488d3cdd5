"""How often the interval of a ratio of times has the truth in it, on machines that wander.

    python benchmarks/timing_coverage.py [--studies N]

Simulated, from blocks to the decision to stop, through the functions that `rnnbench timing` uses:
arms take turns in random order, a machine's speed changes as blocks pass, processes differ, and
processes are added until every interval is as narrow as asked. Writes
`benchmarks/results/timing_coverage.json`.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnbench.stats.turns import Turns
from rnnbench.timing.measure import Blocks
from rnnbench.timing.rounds import is_precise_enough

sys.path.insert(0, str(Path(__file__).parent / "speed"))

Speed = Callable[[np.random.Generator, float], NDArray[np.float64]]
"""How slow a machine is at each hundredth of so many seconds, 1 at its best."""

TICKS = 100
"""A second."""
FEWEST, MOST = 3, 40
"""Processes, as in `rnnbench timing`."""
FEWEST_ROUNDS = Blocks().rounds
MOST_ROUNDS = 150


def steady(rng: np.random.Generator, seconds: float) -> NDArray[np.float64]:
    """Always the same."""
    return np.ones(math.ceil(seconds * TICKS))


def drifting(rng: np.random.Generator, seconds: float) -> NDArray[np.float64]:
    """Slower and slower, by up to a factor of two in three seconds, and then as slow."""
    n = math.ceil(seconds * TICKS)
    return np.minimum(np.arange(n) / (3 * TICKS), 1.0) * rng.uniform(0.0, 1.0) + 1.0


def of_two_speeds(rng: np.random.Generator, seconds: float) -> NDArray[np.float64]:
    """A factor of two apart, each for three seconds in the mean."""
    n = math.ceil(seconds * TICKS)
    changes = rng.random(n) < 1 / (3 * TICKS)
    return np.asarray(1.0 + (np.cumsum(changes) + rng.integers(2)) % 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A machine, and arms.

    Args:
        truths: milliseconds a step of each arm on the machine at its best; the first two are one
            arm twice.
        process_sd: how far an arm's time differs between processes, in logarithms.
        unequal: of the last arm, so many times as far.
        noise_sd: of a block.
    """

    name: str
    speed: Speed
    truths: tuple[float, ...] = (2.0, 2.0, 3.4, 3.9)
    process_sd: float = 0.015
    unequal: float = 1.0
    noise_sd: float = 0.05
    precision: float = 0.05
    block_seconds: float = 0.03


SCENARIOS = (
    Scenario(name="steady", speed=steady),
    Scenario(name="drift", speed=drifting),
    Scenario(name="two speeds", speed=of_two_speeds),
    Scenario(name="two speeds, processes that differ", speed=of_two_speeds, process_sd=0.03),
    Scenario(name="two speeds, three arms", speed=of_two_speeds, truths=(2.0, 2.0, 2.1)),
    Scenario(name="two speeds, one arm twice as uneven", speed=of_two_speeds, unequal=2.0),
    Scenario(
        name="two speeds, one arm six times as uneven",
        speed=of_two_speeds,
        process_sd=0.005,
        unequal=6.0,
    ),
    Scenario(
        name="two speeds, one arm twelve times as uneven",
        speed=of_two_speeds,
        process_sd=0.005,
        unequal=12.0,
    ),
    Scenario(name="two speeds, nothing but rounds", speed=of_two_speeds, process_sd=0.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What came out.

    Args:
        covered: the part of all intervals, of any two arms, that held the truth.
        worst_pair: the same of the pair of arms that fares worst.
        controls: the same of the arm over itself.
        processes: the mean number that a study took.
        reached: the part of studies that became as precise as asked.
    """

    scenario: str
    studies: int
    covered: float
    worst_pair: float
    controls: float
    processes: float
    reached: float


def measure_coverage(scenario: Scenario, studies: int, seed: int = 0) -> Coverage:
    """Simulate so many studies of one scenario."""
    rng = np.random.default_rng(seed)
    pairs = list(combinations(range(len(scenario.truths)), 2))
    held = np.zeros(len(pairs))
    processes = reached = 0
    for _ in range(studies):
        turns = _carry_out(scenario, rng)
        processes += len(turns.logs)
        reached += turns.precision <= scenario.precision
        for n, (a, b) in enumerate(pairs):
            found = turns.ratio(a, b)
            assert found is not None
            assert found.interval is not None
            held[n] += found.interval.contains(scenario.truths[a] / scenario.truths[b])
    return Coverage(
        scenario=scenario.name,
        studies=studies,
        covered=float(held.mean()) / studies,
        worst_pair=float(held.min()) / studies,
        controls=float(held[0]) / studies,
        processes=processes / studies,
        reached=reached / studies,
    )


def _carry_out(scenario: Scenario, rng: np.random.Generator) -> Turns:
    """A study: processes until it is precise."""
    blocks: list[list[list[float]]] = []
    while True:
        blocks.append(_simulate_process(scenario, rng))
        turns = Turns.of(blocks)
        if len(blocks) >= FEWEST and turns.precision <= scenario.precision:
            return turns
        if len(blocks) == MOST:
            return turns


def _simulate_process(scenario: Scenario, rng: np.random.Generator) -> list[list[float]]:
    """Of each arm the times of its blocks."""
    n_arms = len(scenario.truths)
    uneven = np.ones(n_arms)
    uneven[-1] = scenario.unequal
    own = np.log(scenario.truths) + rng.normal(0.0, scenario.process_sd, n_arms) * uneven
    blocks: list[list[float]] = [[] for _ in scenario.truths]
    seconds = 3 * MOST_ROUNDS * n_arms * scenario.block_seconds
    slow, now = scenario.speed(rng, seconds), 0.0
    for n_rounds in range(MOST_ROUNDS):
        if n_rounds >= FEWEST_ROUNDS and is_precise_enough(blocks, scenario.precision):
            break
        for arm in rng.permutation(n_arms):
            first = int(now * TICKS)
            factor = float(
                slow[first : first + max(1, round(scenario.block_seconds * TICKS))].mean()
            )
            blocks[arm].append(math.exp(own[arm] + rng.normal(0.0, scenario.noise_sd)) * factor)
            now += scenario.block_seconds * factor
    return blocks


def main() -> None:
    """Measure every scenario, and write what came out."""
    from provenance import RESULTS, write_result

    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=2_000)
    studies = parser.parse_args().studies
    found = []
    for scenario in SCENARIOS:
        coverage = measure_coverage(scenario, studies)
        print(
            f"{scenario.name}: {100 * coverage.covered:.1f} % (worst pair "
            f"{100 * coverage.worst_pair:.1f}, controls {100 * coverage.controls:.1f}), "
            f"{coverage.processes:.1f} processes",
            flush=True,
        )
        found.append(asdict(coverage))
    write_result(
        RESULTS / "timing_coverage.json",
        {"scenarios": found},
        command=f"python benchmarks/timing_coverage.py --studies {studies}",
        packages=("numpy", "scipy"),
    )


if __name__ == "__main__":
    main()
