"""The sentence behind a claim's verdict, put together from its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rnnbench.claims.kinds import Expectation
from rnnbench.claims.metrics import Metric
from rnnbench.compare.reach import FEWEST_RUNS
from rnnbench.compare.rows import PairRow
from rnnbench.output.amounts import plural
from rnnbench.page.blocks import ClaimVerdict
from rnnbench.specs import Argument
from rnnbench.stats.intervals import Interval

__all__ = [
    "write_at_limit",
    "write_comparison",
    "write_descriptive",
    "write_family",
    "write_left_out",
    "write_margin",
    "write_seeds",
    "write_settings",
]


def write_comparison(metric: Metric, row: PairRow) -> str:
    """`0.48 points lower [0.25, 0.70], 10 paired seeds, p = 0.002`, the interval as far lower."""
    difference, interval = row.difference or 0.0, row.difference_interval
    if difference < 0 and interval is not None:
        interval = Interval(-interval.high, -interval.low)
    word = "higher" if difference >= 0 else "lower"
    n_runs = plural(row.n_a, "paired seed") if row.is_paired else f"{row.n_a} and {row.n_b} runs"
    p = "" if row.is_descriptive_only else f", {_write_p(row.p_holm)}"
    return (
        f"{metric.write_difference(abs(difference))} {word} {metric.write_interval(interval)}, "
        f"{n_runs}{p}"
        f"{write_descriptive(min(row.n_a, row.n_b), has_few_texts=row.is_descriptive_only)}"
        f"{', no spread' * (row.is_without_spread and not row.is_descriptive_only)}"
    )


def write_margin(
    metric: Metric,
    row: PairRow,
    margin: float | None,
    expect: Expectation,
    verdict: ClaimVerdict,
) -> str:
    """What the margin has to do with the verdict: `; within the margin of 0.50 points`."""
    if margin is None:
        return ""
    size = metric.write_difference(margin)
    is_one_sided = expect in ("higher", "lower")
    if is_one_sided and verdict == "supported":
        where = "beyond" if abs(row.difference or 0.0) > margin else "within"
        return f"; {where} the margin of {size}"
    if is_one_sided and verdict == "contradicted" and row.verdict not in ("better", "worse"):
        return f"; no room for a difference of the margin, {size}, that way"
    return f"; margin {size}"


def write_family(rows: Sequence[PairRow]) -> str:
    """That p values are adjusted, where they are."""
    n_family = rows[0].n_family if rows else 0
    is_adjusted = n_family > 1 and not all(row.is_descriptive_only for row in rows)
    return f"; p adjusted over {n_family} values (Holm)" if is_adjusted else ""


def write_descriptive(n_runs: int, *, has_few_texts: bool) -> str:
    """What stands beside numbers that decide nothing."""
    if n_runs < FEWEST_RUNS:
        return f", descriptive only (fewer than {FEWEST_RUNS})"
    return ", descriptive only (too few test texts)" if has_few_texts else ""


def write_left_out(n_left_out: int) -> str:
    """How many runs came to no score, where there are any."""
    n_runs = plural(n_left_out, "failed or diverged run")
    return f"; {n_runs} left out" if n_left_out else ""


def write_at_limit(metric: Metric, n_at_limit: int) -> str:
    """How many runs were ended by the epoch limit, where that cuts the metric short."""
    is_cut_short = metric.unit == "epochs" or metric.name == "fit_seconds"
    n_runs = plural(n_at_limit, "run")
    return f"; {n_runs} came to the epoch limit" if n_at_limit and is_cut_short else ""


def write_seeds(seeds: Sequence[int]) -> str:
    """Seeds as spans: `0-4, 7` for 0, 1, 2, 3, 4 and 7."""
    spans: list[list[int]] = []
    for seed in seeds:
        if spans and seed == spans[-1][1] + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def write_settings(settings: Mapping[str, Argument]) -> str:
    """Where runs were made other than with the notes' recipe: ` at max_len=50`, or nothing."""
    words = ", ".join(f"{key}={value}" for key, value in settings.items())
    return f" at {words}" if words else ""


def _write_p(p: float | None) -> str:
    """A p value as text: `p = 0.002`, `p < 0.001`, `no p value`."""
    if p is None or not math.isfinite(p):
        return "no p value"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
