"""The sentence behind a claim's verdict, put together from its numbers."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from rnnbench.claims.kinds import CloseTest, CompareTest
from rnnbench.claims.metrics import METRICS, Metric
from rnnbench.claims.runs import Sample, write_settings
from rnnbench.compare.reach import FEWEST_RUNS
from rnnbench.compare.rows import PairRow, Withheld
from rnnbench.output.amounts import ordinal, plural
from rnnbench.page.blocks import ClaimVerdict
from rnnbench.stats.ranks import typical_difference, typical_interval

WITHHELD: Mapping[Withheld, str] = {
    "": "",
    "interim": ", interim (planned seeds are missing)",
    "look not on record": ", descriptive only (the look at it cannot be kept)",
    "descriptive only": ", descriptive only (the report gives no verdicts)",
}
"""What stands beside numbers that decide nothing yet."""


def write_comparison(
    test: CompareTest, sample: Sample, row: PairRow, margin: float | None, verdict: ClaimVerdict
) -> str:
    """Both means, their difference, and what the margin has to do with the verdict."""
    metric = METRICS[test.metric]
    means = " and ".join(
        f"{metric.write_value(fmean(values.values()))} with {name}"
        for name, values in sample.values.items()
    )
    is_cut_short = metric.unit == "epochs" or metric.name == "fit_seconds"
    at_limit = f"; {plural(sample.n_at_limit, 'run')} came to the epoch limit"
    return (
        f"{metric.words}{write_settings(test.settings)} {means}: {_difference(metric, row)}"
        f"{_margin(test, row, margin, verdict)}"
        f"{_left_out(sample)}{at_limit if sample.n_at_limit and is_cut_short else ''}"
    )


def write_lead(
    test: CompareTest, samples: Mapping[str, Sample], rows: Sequence[PairRow], margin: float | None
) -> str:
    """The difference at each value, or which runs are missing there."""
    metric = METRICS[test.metric]
    found = {row.section: row for row in rows}
    each = "; ".join(
        f"at {place} {_difference(metric, found[place])}{_left_out(sample)}"
        if place in found
        else sample.missing
        for place, sample in samples.items()
    )
    text = f"{metric.words} with {test.a} against {test.b}{write_settings(test.settings)}: {each}"
    n_family = rows[0].n_family if rows else 0
    if len(samples) > 1 and n_family > 1 and not all(row.is_descriptive_only for row in rows):
        text += f"; p adjusted over {n_family} values (Holm)"
    return f"{text}; margin {metric.write_difference(margin)}" if margin else text


def write_closeness(test: CloseTest, sample: Sample, margin: float, *, is_coarse: bool) -> str:
    """The difference of the two metrics in each architecture.

    Args:
        is_coarse: whether one test text weighs more than the margin.
    """
    metric, reference = METRICS[test.metric], METRICS[test.reference]
    differences = {name: list(values.values()) for name, values in sample.values.items()}
    each = "; ".join(
        f"{metric.write_difference(typical_difference(values) or 0.0)} "
        f"{metric.write_interval(typical_interval(values))} with {name}, {plural(n, 'seed')}"
        f"{_descriptive(n, FEWEST_RUNS, is_coarse)}"
        for name, values in differences.items()
        for n in (len(values),)
    )
    split = "" if sample.is_split_by_seed else "; on one fixed split, whose own error no seed shows"
    return (
        f"{metric.words} minus {reference.words}{write_settings(test.settings)}, typically: "
        f"{each}; margin {metric.write_difference(margin)}{split}{_left_out(sample)}"
    )


def _difference(metric: Metric, row: PairRow) -> str:
    """`typically 0.48 points lower [0.25, 0.70], 10 paired seeds, p = 0.002`; or level, `apart`.

    Of paired runs what the verdict is about, the typical difference; else that of the means.
    """
    difference, interval = row.difference or 0.0, row.difference_interval
    if row.is_paired:
        difference, interval = row.typical or 0.0, row.typical_interval
    if difference < 0 and interval is not None:
        interval = interval.mirrored()
    word = "higher" if difference > 0 else "lower" if difference < 0 else "apart"
    n_runs = plural(row.n_a, "paired seed") if row.is_paired else f"{row.n_a} and {row.n_b} runs"
    p = "" if row.is_descriptive_only else f", {_p(row.p_holm)}"
    return (
        f"{'typically ' * row.is_paired}{metric.write_difference(abs(difference))} {word} "
        f"{metric.write_interval(interval)}, {n_runs}{p}{_by_what(row)}"
        f"{', no spread' * (row.is_without_spread and not row.is_descriptive_only)}"
    )


def _by_what(row: PairRow) -> str:
    """That an earlier look decided, or why none did."""
    if row.is_carried and row.look is not None:
        return f" by now, found at the {ordinal(row.look)} look"
    if not row.is_descriptive_only:
        return ""
    few = _descriptive(min(row.n_a, row.n_b), row.n_needed, row.is_too_coarse)
    return few if few and row.withheld in ("", "descriptive only") else WITHHELD[row.withheld]


def _p(p: float | None) -> str:
    """A p value as text: `p = 0.002`, `p < 0.001`, `no p value`."""
    if p is None or not math.isfinite(p):
        return "no p value"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _descriptive(n_runs: int, n_needed: int, has_few_texts: bool) -> str:
    """What stands beside numbers that decide nothing."""
    if n_runs < n_needed:
        return f", descriptive only (fewer than {n_needed})"
    return ", descriptive only (too few test texts)" if has_few_texts else ""


def _margin(test: CompareTest, row: PairRow, margin: float | None, verdict: ClaimVerdict) -> str:
    """What the margin has to do with the verdict: `; within the margin of 0.50 points`."""
    if margin is None:
        return ""
    size = METRICS[test.metric].write_difference(margin)
    is_one_sided = test.expect in ("higher", "lower")
    if is_one_sided and verdict == "supported" and row.size is not None:
        return f"; {row.size} the margin of {size}"
    if verdict == "smaller than the margin":
        return f"; no room for a difference of the margin, {size}, that way"
    return f"; margin {size}"


def _left_out(sample: Sample) -> str:
    """How many runs came to no score, where there are any."""
    n_runs = plural(sample.n_left_out, "run")
    return (
        f"; {n_runs} that failed, diverged or did not learn left out" if sample.n_left_out else ""
    )
