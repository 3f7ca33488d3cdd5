"""Whether the report's verdicts keep their word: simulated studies whose truth is known.

    python benchmarks/simulated_truth.py [--studies 1000] [--sd 0.002] [--correlation 0.1]

Each study has four arms with ten seeds and goes through the comparison that the report makes. The
spread of each arm and the correlation between arms are those of the runs in
`docs/results/textbook/runs.csv`, unless they are given. Accuracies are normal, and rounded to whole
reviews of 25,000. Of the two arms that differ, one lies half the difference above the rest and the
other half below, and the six pairs take turns. The exit code is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import combinations, cycle, islice
from pathlib import Path

import numpy as np

from rnnbench.compare.pairs import compare_sections
from rnnbench.compare.rows import PairRow
from rnnbench.execution.devices import usable_cores
from rnnbench.execution.environment import processor_name
from rnnbench.stats.comparisons import correlation

HERE = Path(__file__).parent
RUNS = HERE.parent / "docs" / "results" / "textbook" / "runs.csv"
ARMS = ("lstm", "lstm-dropout", "lstm-stacked", "gru")
N_SEEDS = 10
N_REVIEWS = 25_000
MARGIN = 0.005
POINT = 0.01


@dataclass(frozen=True, slots=True)
class Spread:
    """How test accuracies, as fractions, vary between seeds.

    Args:
        sds: standard deviation of each arm.
        correlation: between any two arms, over seeds.
        source: where both come from.
    """

    sds: tuple[float, ...]
    correlation: float
    source: str


@dataclass(frozen=True, slots=True)
class Figure:
    """In how many simulated studies something happened, and how many may or must."""

    question: str
    n_studies: int
    n_yes: int
    share: float
    bar: str
    is_met: bool


def main() -> None:
    """Simulate, print, write; exit with 1 if a bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=1_000)
    parser.add_argument("--sd", type=float, help="of every arm, as a fraction")
    parser.add_argument("--correlation", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "simulated_truth.json")
    choices = parser.parse_args()
    spread = choose_spread(choices.sd, choices.correlation)
    began = time.perf_counter()
    figures = measure_verdicts(spread, choices.studies, choices.seed)
    result = {
        "figures": [asdict(figure) for figure in figures],
        "n_arms": len(ARMS),
        "n_seeds": N_SEEDS,
        "margin": MARGIN,
        "spread": asdict(spread),
        "seconds": round(time.perf_counter() - began, 1),
        "command": " ".join(["python benchmarks/simulated_truth.py", *sys.argv[1:]]),
        "machine": {"processor": processor_name(), "cores": usable_cores()},
        "versions": {name: version(name) for name in ("rnnbench", "numpy", "scipy")}
        | {"python": platform.python_version()},
        "measured_on": time.strftime("%Y-%m-%d"),
    }
    choices.out.parent.mkdir(parents=True, exist_ok=True)
    choices.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for figure in figures:
        met = "met" if figure.is_met else "MISSED"
        print(f"{figure.question}: {figure.share:.1%} of {figure.n_studies} ({figure.bar}: {met})")
    sys.exit(0 if all(figure.is_met for figure in figures) else 1)


def choose_spread(sd: float | None, rho: float | None) -> Spread:
    """What was asked for; what is left open comes from the runs of the textbook study."""
    if sd is not None and rho is not None:
        return Spread((sd,) * len(ARMS), rho, "given")
    if not RUNS.exists():
        raise SystemExit(f"{RUNS} is not there: give --sd and --correlation")
    measured = measure_spread(RUNS)
    source = measured.source + ("" if sd is None and rho is None else ", in part given")
    sds = measured.sds if sd is None else (sd,) * len(ARMS)
    return Spread(sds, measured.correlation if rho is None else rho, source)


def measure_spread(path: Path) -> Spread:
    """Each arm's standard deviation, and the mean correlation of two arms over common seeds."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "finished"]
    scores = {
        arm: {int(r["seed"]): float(r["test_accuracy"]) for r in rows if r["architecture"] == arm}
        for arm in ARMS
    }
    rhos = []
    for a, b in combinations(ARMS, 2):
        common = sorted(scores[a].keys() & scores[b].keys())
        rho = correlation([scores[a][s] for s in common], [scores[b][s] for s in common])
        rhos += [] if rho is None else [rho]
    if min(map(len, scores.values())) < 2 or not rhos:
        raise SystemExit(f"{path} holds too few runs of {', '.join(ARMS)}")
    seeds = min(map(len, scores.values()))
    sds = tuple(statistics.stdev(by_seed.values()) for by_seed in scores.values())
    return Spread(sds, statistics.fmean(rhos), f"docs/results/textbook/runs.csv, {seeds} seeds")


def measure_verdicts(spread: Spread, n_studies: int, seed: int = 0) -> list[Figure]:
    """The three figures: false alarms, differences found, differences called equivalent."""
    streams = np.random.SeedSequence(seed).spawn(3)
    none, point, margin = (np.random.default_rng(stream) for stream in streams)
    return [
        _count(
            "no difference: any pair called better or worse",
            simulate_studies(spread, 0.0, n_studies, none),
            lambda rows, pair: any(row.verdict in ("better", "worse") for row in rows),
            at_most=0.065,
        ),
        _count(
            "one pair a point apart: found",
            simulate_studies(spread, POINT, n_studies, point),
            lambda rows, pair: rows[pair].verdict == "better",
            at_least=0.90,
        ),
        _count(
            "one pair exactly the margin apart: called equivalent",
            simulate_studies(spread, MARGIN, n_studies, margin),
            lambda rows, pair: rows[pair].verdict == "equivalent",
            at_most=0.05,
        ),
    ]


def simulate_studies(
    spread: Spread, difference: float, n_studies: int, rng: np.random.Generator
) -> Iterator[tuple[list[PairRow], int]]:
    """The report's rows of each study, and which of them is the pair that differs."""
    pairs = list(enumerate(combinations(range(len(ARMS)), 2)))
    for pair, (above, below) in islice(cycle(pairs), n_studies):
        means = np.full(len(ARMS), 0.8)
        means[above] += difference / 2
        means[below] -= difference / 2
        accuracies = draw_accuracies(means, spread, rng)
        scores = {
            arm: dict(enumerate(column)) for arm, column in zip(ARMS, accuracies, strict=True)
        }
        yield compare_sections([("", scores)], margin=MARGIN, is_paired=True), pair


def draw_accuracies(
    means: np.ndarray, spread: Spread, rng: np.random.Generator
) -> list[list[float]]:
    """Ten seeds' test accuracies of each arm, in whole reviews."""
    # Four arms cannot all be correlated with each other below -1/3.
    rho = max(spread.correlation, -0.999 / (len(ARMS) - 1))
    sds = np.array(spread.sds)
    covariance = np.outer(sds, sds) * (rho + (1 - rho) * np.eye(len(ARMS)))
    drawn = rng.multivariate_normal(means, covariance, size=N_SEEDS, method="cholesky")
    accuracies: list[list[float]] = (np.round(drawn.T * N_REVIEWS) / N_REVIEWS).tolist()
    return accuracies


def _count(
    question: str,
    studies: Iterator[tuple[list[PairRow], int]],
    is_yes: Callable[[Sequence[PairRow], int], bool],
    *,
    at_least: float = 0.0,
    at_most: float = 1.0,
) -> Figure:
    answers = [is_yes(rows, pair) for rows, pair in studies]
    share = statistics.fmean(answers)
    bar = f"at least {at_least:.0%}" if at_least else f"at most {at_most:.1%}"
    return Figure(
        question=question,
        n_studies=len(answers),
        n_yes=sum(answers),
        share=share,
        bar=bar,
        is_met=at_least <= share <= at_most,
    )


if __name__ == "__main__":
    main()
