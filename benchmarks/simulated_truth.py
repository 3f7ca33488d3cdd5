"""How often the report's verdicts are wrong: simulated studies whose truth is known.

    python benchmarks/simulated_truth.py [--studies 2500] [--processes 2]

Every study goes through the comparison that the report makes (`compare_sections`, and for new
reviews `judge_new_reviews`). A statement is counted as false by the truth of what it says
(docs/results/how-often-wrong.md, which this writes). The exit code is 1 if a rate lies above 5 %
by more than its Monte-Carlo error, or a bar of the power is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from truth.page import write_page
from truth.power import Power, PowerCase, measure_power, planned_seeds, power_cases
from truth.rates import Rate, measure_rates
from truth.reviews import ReviewCase, measure_reviews, review_cases
from truth.scenarios import Scenario, scenarios

from rnnbench.execution.devices import usable_cores
from rnnbench.execution.environment import processor_name

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "results" / "how-often-wrong.md"
SEED = 0

Cell: TypeAlias = dict[str, Any]  # what JSON holds: text, numbers, lists of them, and such again


@dataclass(frozen=True, slots=True)
class Job:
    """One cell of the result: the list it belongs to, and how it comes about."""

    kind: str
    cost: float
    measure: Callable[[], Cell]


def main() -> None:
    """Simulate, print, write; exit with 1 if a bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=2_500, help="where a study costs least")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "simulated_truth.json")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--only-page", action="store_true", help="write it from --out as it is")
    choices = parser.parse_args()
    if choices.only_page:
        result = json.loads(choices.out.read_text(encoding="utf-8"))
        choices.page.write_text(write_page(result), encoding="utf-8")
        return
    began = time.perf_counter()
    cells = measure_all(choices.studies, choices.processes)
    result = {
        **cells,
        "seconds": round(time.perf_counter() - began, 1),
        "command": " ".join(["python benchmarks/simulated_truth.py", *sys.argv[1:]]),
        "machine": {"processor": processor_name(), "cores": usable_cores()},
        "versions": {name: version(name) for name in ("rnnbench", "numpy", "scipy")}
        | {"python": platform.python_version()},
        "measured_on": time.strftime("%Y-%m-%d"),
    }
    choices.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    choices.page.write_text(write_page(result), encoding="utf-8")
    missed = [cell for kind in cells.values() for cell in kind if not cell["is_met"]]
    for cell in missed:
        print("MISSED:", json.dumps(cell))
    print(f"{result['seconds']:.0f} s, {len(missed)} missed")
    sys.exit(1 if missed else 0)


def measure_all(n_studies: int, n_processes: int) -> dict[str, list[Cell]]:
    """Every cell, by its kind: `rates`, `reviews`, `power`."""
    jobs = list(jobs_of(n_studies))
    costly = sorted(range(len(jobs)), key=lambda place: -jobs[place].cost)
    with ProcessPoolExecutor(n_processes) as pool:
        running = {place: pool.submit(jobs[place].measure) for place in costly}
        found = [(job.kind, running[place].result()) for place, job in enumerate(jobs)]
    return {
        kind: [cell for of_kind, cell in found if of_kind == kind]
        for kind in ("rates", "reviews", "power")
    }


def jobs_of(n_studies: int) -> Iterator[Job]:
    """What is to be done; the dearer a study, the fewer."""
    for place, scenario in enumerate(scenarios()):
        n = max(2, round(n_studies / math.sqrt(scenario.cost)))
        measure = partial(rates_cell, scenario, n, place)
        yield Job("rates", n * scenario.cost, measure)
    n = max(2, n_studies // 4)
    for place, review_case in enumerate(review_cases()):
        yield Job("reviews", 25 * n, partial(reviews_cell, review_case, n, place))
    n = max(2, n_studies // 2)
    for place, power_case in enumerate(power_cases()):
        yield Job("power", 5 * n, partial(power_cell, power_case, n, place))


def rates_cell(scenario: Scenario, n_studies: int, place: int) -> Cell:
    """How often each question is answered falsely."""
    rates = measure_rates(scenario, n_studies, (SEED, 0, place))
    has_bar = scenario.group not in ("means", "limits")
    return {
        "group": scenario.group,
        "name": scenario.name,
        "n_arms": len(scenario.typical),
        "n_seeds": list(scenario.n_seeds),
        "n_studies": n_studies,
        "rates": _as_cells(rates),
        "is_met": not has_bar or all(rate.is_met for rate in rates.values()),
    }


def reviews_cell(case: ReviewCase, n_studies: int, place: int) -> Cell:
    """The same of the verdict for new reviews."""
    rates = measure_reviews(case, n_studies, (SEED, 1, place))
    is_met = case.does_collapse or all(rate.is_met for rate in rates.values())
    return {**asdict(case), "n_studies": n_studies, "rates": _as_cells(rates), "is_met": is_met}


def power_cell(case: PowerCase, n_studies: int, place: int) -> Cell:
    """How often the difference is found, by this rule and by the one before."""
    found = measure_power(case, n_studies, (SEED, 2, place))
    return {
        **asdict(case),
        "planned_seeds": planned_seeds(case.difference) if case.difference else None,
        "n_studies": n_studies,
        "rates": _as_cells({"rule": found.rule, "old_rule": found.old_rule}),
        "lost": found.lost,
        "lost_error": found.lost_error,
        "is_met": _is_power_met(case, found),
    }


def _is_power_met(case: PowerCase, found: Power) -> bool:
    if case.at_least is not None:
        return found.rule.high >= case.at_least
    return not case.is_planned or found.lost - found.lost_error <= 0.05


def _as_cells(rates: Mapping[str, Rate]) -> Cell:
    return {name: {**asdict(rate), "share": rate.share} for name, rate in rates.items()}


if __name__ == "__main__":
    main()
