"""How long a study will take here, what it will be able to decide, and what fits into a time."""

import math
import statistics
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Literal, get_args

from rnnbench.architectures import display_name
from rnnbench.compare.predictions import weigh_texts
from rnnbench.compare.reach import describe_reach
from rnnbench.compare.verdicts import level_of_look
from rnnbench.data.cache import open_corpus
from rnnbench.metrics import USUAL_METRIC
from rnnbench.specs import RunSpec
from rnnbench.stats.seeds import detectable_difference
from rnnbench.studies.plan import (
    WORKER_START_SECONDS,
    KnownResults,
    Plan,
    count_pairs,
    number_of_look,
    run_kind,
    usual_epochs,
)

REPORT_SECONDS = 6.0  # benchmarks/results/report.json: 40 runs
USUAL_SD = 0.003  # of paired differences of test accuracy: docs/results/textbook/tables/pairs.csv
FEWEST_EPOCHS = 10
ENOUGH_SEEDS = 3  # fewer say nothing of the spread between them
IMDB_TEST_TEXTS = 25_000
MOST_SEEDS = 1000  # more than anybody waits for
BYTES_AN_EPOCH = 700  # of MLflow's database, five metrics
BYTES_A_RUN = 60 * 1024  # figure, specs, MLflow's own rows and files


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run of one shape costs on this machine, while others run beside it.

    Args:
        start_seconds: from the task to the first epoch, compilation included.
        end_seconds: from the last epoch to the result.
        file_bytes: model and predictions.
    """

    start_seconds: float
    epoch_seconds: float
    end_seconds: float
    file_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What so many seeds can decide: the power of their comparisons.

    Args:
        n_pairs: comparisons that the report will make.
        detectable: the smallest true difference of `metric` that is found with a power of 80 %;
            None if the seeds cannot show that one arm is better.
        limit: which verdicts cannot be given, and why, as the report will say it; None where all
            can.
        basis: where the spread between seeds is taken from, for people.
    """

    n_seeds: int
    n_pairs: int
    detectable: float | None
    limit: str | None
    basis: str
    metric: str = USUAL_METRIC


Source = Literal["runs", "pilot", "imdb"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is to be expected.

    Args:
        wall_seconds: of what is left to do.
        disk_bytes: ledger and MLflow together.
        epochs: the fewest and the most expected of an architecture until the early stop.
        epochs_from: where they are taken from: runs of this folder, a pilot, the study on IMDB.
    """

    wall_seconds: float
    disk_bytes: int
    epochs: Mapping[str, tuple[int, int]]
    epochs_from: tuple[Source, ...]
    verdict: Power


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What fits into a time; no verdict where not even one seed does."""

    verdict: Power | None
    epochs: int
    wall_seconds: float


def forecast(plan: Plan, costs: Mapping[str, Cost]) -> Forecast:
    """What the plan will take and decide; runs whose shape has no cost are left out."""
    epochs: dict[str, int] = {}
    sources: set[Source] = set()
    by_name: dict[str, list[int]] = {}
    for spec in plan.specs:
        epochs[spec.fingerprint], source = _expected_epochs(spec, plan)
        sources.add(source)
        by_name.setdefault(display_name(spec.form), []).append(epochs[spec.fingerprint])
    work = []
    for task in plan.tasks:
        if task.spec.shape in costs:
            done = 0 if task.state is None else plan.n_epochs(task.spec)
            work.append((task.spec.shape, max(epochs[task.spec.fingerprint] - done, 1)))
    return Forecast(
        wall_seconds=_wall(work, costs, plan.n_workers),
        disk_bytes=sum(
            2 * costs[shape].file_bytes + BYTES_A_RUN + BYTES_AN_EPOCH * n for shape, n in work
        ),
        epochs={name: (min(found), max(found)) for name, found in by_name.items()},
        epochs_from=tuple(source for source in get_args(Source) if source in sources),
        verdict=_judge(plan, len({spec.seed for spec in plan.specs})),
    )


def fit_budget(plan: Plan, costs: Mapping[str, Cost], seconds: float) -> Budget:
    """The most seeds that fit, from seed 0, runs that are over counted in; with fewer epochs if the
    study's own leave too few seeds.

    Args:
        costs: of every network of the study, also of those whose runs are over.
    """
    over = _over(plan)
    by_seed: dict[int, list[RunSpec]] = {}
    for spec in plan.specs:
        if spec.shape in costs:
            by_seed.setdefault(spec.seed, []).append(spec)
    one = next(iter(by_seed.values()))
    most = max(spec.recipe.epochs for spec in one)
    least = min(FEWEST_EPOCHS, most)
    networks = [(spec.shape, run_kind(spec), _expected_epochs(spec, plan)[0]) for spec in one]

    def wall(n_seeds: int, epochs: int) -> float:
        # Fewer epochs are another recipe, of which nothing is over.
        done = over if epochs == most else set()
        work = [
            (shape, min(expected, epochs))
            for shape, kind, expected in networks
            for seed in range(n_seeds)
            if (kind, seed) not in done
        ]
        return _wall(work, costs, min(plan.most_workers, len(work)))

    best, n_best = most, 0
    for epochs in (most, *(n for n in (50, 25, least) if n < most)):
        n_seeds = bisect_right(range(1, MOST_SEEDS + 1), seconds, key=partial(wall, epochs=epochs))
        if n_seeds > n_best:
            best, n_best = epochs, n_seeds
        if n_best >= ENOUGH_SEEDS:
            break
    if not n_best:
        return Budget(verdict=None, epochs=least, wall_seconds=wall(1, least))
    verdict = _judge(plan, n_best)
    return Budget(verdict=verdict, epochs=best, wall_seconds=wall(n_best, best))


def _over(plan: Plan) -> set[tuple[str, int]]:
    """Kind and seed of the runs that need not be done again."""
    asked = {(run_kind(spec), spec.seed) for spec in plan.specs}
    left = {(run_kind(task.spec), task.spec.seed) for task in plan.tasks}
    finished = {(kind, seed) for kind, found in plan.known.items() for seed in found}
    return (asked - left) | finished


def _judge(plan: Plan, n_seeds: int) -> Power:
    """What so many seeds of the study can decide."""
    n_pairs = count_pairs(plan.study, plan.specs)
    metric, labels = plan.study.metric, open_corpus(plan.dataset.fingerprint).test.labels
    n_test = weigh_texts(labels, metric)
    sd, basis = _sd_of_differences(plan.known, metric), "the runs here"
    if sd is None:
        # Of fewer texts each is a larger part of the score.
        sd = USUAL_SD * math.sqrt(max(IMDB_TEST_TEXTS / n_test, 1.0))
        of = "" if metric == USUAL_METRIC else " in accuracy"
        basis = f"the textbook study on IMDB{of}, for {n_test:,} test texts"
    look = number_of_look(plan, n_more=len(plan.tasks))
    detectable = detectable_difference(sd, n_seeds, max(n_pairs, 1), level=level_of_look(look))
    limit = describe_reach(
        [n_seeds],
        n_pairs=n_pairs,
        is_paired=plan.study.pairing == "seed",
        has_spread=True,
        n_test=n_test,
        margin=plan.study.margin_points / 100,
        metric=metric,
        look=look,
    )
    return Power(
        n_seeds=n_seeds,
        n_pairs=n_pairs,
        detectable=detectable,
        limit=limit,
        basis=basis,
        metric=metric,
    )


def _wall(work: Sequence[tuple[str, int]], costs: Mapping[str, Cost], n_workers: int) -> float:
    """The longest run first, on the worker that is free first, which compiles a shape once.

    Args:
        work: the shape and the epochs of each run.
    """
    if not work:
        return 0.0
    lengths = sorted(
        (
            (costs[shape].epoch_seconds * epochs + costs[shape].end_seconds, shape)
            for shape, epochs in work
        ),
        reverse=True,
    )
    busy = [0.0] * max(n_workers, 1)
    compiled: list[set[str]] = [set() for _ in busy]
    for seconds, shape in lengths:
        free = min(range(len(busy)), key=busy.__getitem__)
        if shape not in compiled[free]:
            busy[free] += costs[shape].start_seconds
            compiled[free].add(shape)
        busy[free] += seconds
    return WORKER_START_SECONDS + max(busy) + REPORT_SECONDS


def _expected_epochs(spec: RunSpec, plan: Plan) -> tuple[int, Source]:
    """Until the early stop, and where that is taken from."""
    kind = run_kind(spec)
    if kind in plan.pilot:
        return plan.pilot[kind], "pilot"
    return usual_epochs(spec, plan.known), "runs" if kind in plan.known else "imdb"


def _sd_of_differences(known: KnownResults, metric: str) -> float | None:
    """The median over pairs of the spread of paired differences; None without three seeds.

    None too if they do not differ at all: on a small test part that says nothing of more seeds.
    """
    found = []
    for a, b in combinations(known.values(), 2):
        differences = [
            (getattr(a[seed], metric) or 0) - (getattr(b[seed], metric) or 0)
            for seed in a.keys() & b.keys()
        ]
        if len(differences) >= ENOUGH_SEEDS:
            found.append(statistics.stdev(differences))
    return statistics.median(found) or None if found else None
