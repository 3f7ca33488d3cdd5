"""The verdict on each claim, from the runs.

Each claim is a question of its own, asked before the runs were made, and is judged by itself at
5 %; nothing is adjusted over all claims (`CLAIMS_NOTE` says so beside the table). Within a claim
everything that could contradict it is one family.

- `compare`, `higher` or `lower`: supported if p <= 0.05 in that direction; contradicted if
  p <= 0.05 in the other, or if the 95 % interval leaves no room for a difference of the margin.
- `compare`, `not lower` or `not higher` (the notes: 'no less than'): supported if the
  interval ends on the good side of the margin, contradicted if it lies wholly beyond it. A
  difference that is beyond luck, but smaller than the margin, still supports it.
- `compare`, `equivalent`: supported if the interval lies inside ± margin (two one-sided tests at
  2.5 %), contradicted if it lies wholly outside.
- `close`: the same of a mean within each architecture; supported if it holds for all, contradicted
  if it fails for one at a level divided by their number (Bonferroni).
- `lead`: `compare` at each value of the factor, with Holm over the values, and the margin held
  against intervals at a level divided by their number; supported if supported at all of them,
  contradicted if contradicted at one: a lead that shrank to less than the margin is lost.

Below six runs an architecture nothing but parameters is judged: the numbers are descriptive only.
So is test accuracy where one test text weighs more than the margin, the claim's own or else the
study's. Where the runs of an architecture all give the same number, in both (with `close`, in one),
nothing is decided: the seeds count for one.

Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70; Schuirmann (1987), Journal of
Pharmacokinetics and Biopharmaceutics 15:657-680, for equivalence; Berger (1982), Technometrics
24:295-300, for why closeness everywhere needs no adjustment to be supported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import assert_never

from rnnbench.claims.kinds import (
    Claim,
    ClaimTest,
    CloseTest,
    CompareTest,
    Expectation,
    LeadTest,
    ParametersRatioTest,
    ParametersTest,
    RunsTest,
    TimingTest,
)
from rnnbench.claims.metrics import METRICS, Metric
from rnnbench.claims.parameters import Finding, judge_parameters, judge_ratio
from rnnbench.claims.runs import RunIndex, Sample, index_runs, take_sample
from rnnbench.claims.texts import (
    write_at_limit,
    write_comparison,
    write_descriptive,
    write_family,
    write_left_out,
    write_margin,
    write_settings,
)
from rnnbench.claims.timing import judge_timing
from rnnbench.compare.pairs import Scores, compare_sections, pair_runs
from rnnbench.compare.reach import FEWEST_RUNS, is_too_coarse
from rnnbench.compare.rows import PairRow
from rnnbench.output.amounts import plural
from rnnbench.page.blocks import ClaimRow, ClaimVerdict
from rnnbench.specs import Argument, RunResult
from rnnbench.stats.comparisons import paired_interval, welch_interval
from rnnbench.stats.intervals import Interval, t_interval
from rnnbench.timing.rows import TimingPart
from rnnbench.tracking.runs import TrackedRun

__all__ = ["CLAIMS_NOTE", "judge_claims"]

CLAIMS_NOTE = (
    "Each claim is judged by itself at 5 %, without an adjustment for their number: of twenty "
    "comparisons without any difference, about one would still come out on one side."
)
"""What stands beside the table of claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """What claims are judged by; `margin` is the study's, a fraction of accuracy."""

    runs: Sequence[TrackedRun]
    index: RunIndex
    margin: float
    is_paired: bool
    n_test: int | None
    timing: TimingPart | None

    def is_coarse(self, metric: Metric, margin: float | None) -> bool:
        """Whether the metric counts test texts of which one weighs more than a claim's margin."""
        if margin is None or metric.name != "test_accuracy":
            return False
        return is_too_coarse(self.n_test, margin)


def judge_claims(
    claims: Iterable[Claim],
    runs: Sequence[TrackedRun],
    *,
    margin: float,
    is_paired: bool,
    n_test: int | None = None,
    timing: TimingPart | None = None,
) -> list[ClaimRow]:
    """A row for each claim, in their order; of a claim about time, one for each back end.

    Args:
        runs: of any studies; runs of other reviews, recipes, back ends or engines than a claim
            asks for, and seconds of other hardware, never enter one comparison.
        margin: the practical margin that the study declared, a fraction of accuracy.
        is_paired: whether runs of the same seed are compared with each other.
        n_test: texts that the runs are scored on; None where unknown.
        timing: what was timed in this folder, if anything.
    """
    evidence = _Evidence(
        runs=runs,
        index=index_runs(runs),
        margin=margin,
        is_paired=is_paired,
        n_test=n_test,
        timing=timing,
    )
    return [
        _describe(claim, backend, finding)
        for claim in claims
        for backend, finding in _judge(claim.test, evidence)
    ]


def _describe(claim: Claim, backend: str, finding: Finding) -> ClaimRow:
    return ClaimRow(
        id=f"{claim.id}-{backend}" if backend else claim.id,
        claim=f"{claim.claim} (On {backend}.)" if backend else claim.claim,
        made_in=claim.made_in,
        verdict=finding.verdict,
        numbers=finding.numbers,
        runs=finding.runs,
    )


def _judge(test: ClaimTest, evidence: _Evidence) -> list[tuple[str, Finding]]:
    """Findings, each with its back end where there is one for each."""
    if isinstance(test, TimingTest):
        return judge_timing(test, evidence.timing)
    return [("", _judge_runs(test, evidence))]


def _judge_runs(test: RunsTest, evidence: _Evidence) -> Finding:
    match test:
        case ParametersRatioTest():
            return judge_ratio(test, evidence.runs)
        case ParametersTest():
            return judge_parameters(test, evidence.runs)
        case CompareTest():
            return _judge_comparison(test, evidence)
        case CloseTest():
            return _judge_closeness(test, evidence)
        case LeadTest():
            return _judge_lead(test, evidence)
        case _:
            assert_never(test)


def _judge_comparison(test: CompareTest, evidence: _Evidence) -> Finding:
    metric = METRICS[test.metric]
    sample = _sample_pair(test, test.settings, evidence)
    if sample.missing:
        return Finding(verdict="undetermined", numbers=sample.missing)
    margin = _margin_of(test, evidence)
    (row,) = _compare([("", sample.values)], metric, margin, evidence)
    verdict = _decide(test.expect, row, margin)
    means = " and ".join(
        f"{metric.write_value(fmean(values.values()))} with {name}"
        for name, values in sample.values.items()
    )
    numbers = (
        f"{metric.words}{write_settings(test.settings)} {means}: {write_comparison(metric, row)}"
        f"{write_margin(metric, row, margin, test.expect, verdict)}"
        f"{write_left_out(sample.n_left_out)}{write_at_limit(metric, sample.n_at_limit)}"
    )
    return Finding(verdict=verdict, numbers=numbers, runs=sample.runs)


def _judge_closeness(test: CloseTest, evidence: _Evidence) -> Finding:
    metric, reference = METRICS[test.metric], METRICS[test.reference]

    def measure(result: RunResult) -> float | None:
        value, other = metric.measure(result), reference.measure(result)
        return None if value is None or other is None else value - other

    sample = take_sample(
        evidence.index,
        test.architectures,
        test.settings,
        measure,
        by_hardware=metric.unit == "seconds",
        is_paired=False,
    )
    if sample.missing:
        return Finding(verdict="undetermined", numbers=sample.missing)
    margin = _margin_of(test, evidence) or 0.0
    is_coarse = any(evidence.is_coarse(score, margin) for score in (metric, reference))
    differences = {name: list(values.values()) for name, values in sample.values.items()}
    each = "; ".join(
        f"{metric.write_difference(fmean(values))} {metric.write_interval(t_interval(values))} "
        f"with {name}, {plural(len(values), 'seed')}"
        f"{write_descriptive(len(values), has_few_texts=is_coarse)}"
        for name, values in differences.items()
    )
    split = "" if sample.is_split_by_seed else "; on one fixed split"
    numbers = (
        f"{metric.words} minus {reference.words}{write_settings(test.settings)}: {each}; "
        f"margin {metric.write_difference(margin)}{split}{write_left_out(sample.n_left_out)}"
    )
    verdict: ClaimVerdict = "undetermined"
    if not is_coarse:
        verdict = _decide_closeness(list(differences.values()), margin)
    return Finding(verdict=verdict, numbers=numbers, runs=sample.runs)


def _judge_lead(test: LeadTest, evidence: _Evidence) -> Finding:
    metric, margin = METRICS[test.metric], _margin_of(test, evidence)
    samples = {
        f"{test.factor}={value}": _sample_pair(
            test, {**test.settings, test.factor: value}, evidence
        )
        for value in test.values
    }
    known = {place: sample for place, sample in samples.items() if not sample.missing}
    rows = _compare(
        [(place, sample.values) for place, sample in known.items()], metric, margin, evidence
    )
    widened = [_widen(row, known[row.section], len(rows), evidence) for row in rows]
    verdicts = [_decide(test.expect, row, margin) for row in widened]
    by_place = {row.section: write_comparison(metric, row) for row in rows}
    each = "; ".join(
        f"at {place} {by_place[place]}{write_left_out(sample.n_left_out)}"
        if place in known
        else sample.missing
        for place, sample in samples.items()
    )
    margin_words = f"; margin {metric.write_difference(margin)}" if margin else ""
    numbers = (
        f"{metric.words} with {test.a} against {test.b}{write_settings(test.settings)}: "
        f"{each}{write_family(rows)}{margin_words}"
    )
    return Finding(
        verdict=_conclude(verdicts, n_asked=len(samples)),
        numbers=numbers,
        runs="; ".join(f"{place}: {sample.runs}" for place, sample in known.items()),
    )


def _compare(
    sections: Sequence[tuple[str, Scores]],
    metric: Metric,
    margin: float | None,
    evidence: _Evidence,
) -> list[PairRow]:
    rows = compare_sections(sections, margin=margin or 0.0, is_paired=evidence.is_paired)
    if not evidence.is_coarse(metric, margin):
        return rows
    return [replace(row, verdict="undetermined", is_descriptive_only=True) for row in rows]


def _sample_pair(
    test: CompareTest | LeadTest, settings: Mapping[str, Argument], evidence: _Evidence
) -> Sample:
    metric = METRICS[test.metric]
    return take_sample(
        evidence.index,
        (test.a, test.b),
        settings,
        metric.measure,
        by_hardware=metric.unit == "seconds",
        is_paired=evidence.is_paired,
    )


def _margin_of(test: CompareTest | CloseTest | LeadTest, evidence: _Evidence) -> float | None:
    """The margin in the metric's own unit; None where neither claim nor study declares one."""
    metric = METRICS[test.metric]
    if test.margin is not None:
        return test.margin / metric.scale
    return evidence.margin if metric.unit == "accuracy" else None


def _decide(expect: Expectation, row: PairRow, margin: float | None) -> ClaimVerdict:
    if row.is_descriptive_only or row.is_without_spread or row.difference_interval is None:
        return "undetermined"
    low, high = row.difference_interval.low, row.difference_interval.high
    ahead, behind = row.verdict == "better", row.verdict == "worse"
    if expect in ("lower", "not higher"):
        low, high, ahead, behind = -high, -low, behind, ahead
    room = margin if margin is not None else float("inf")
    match expect:
        case "higher" | "lower":
            supported = ahead
            contradicted = behind or (margin is not None and high < margin)
        case "not lower" | "not higher":
            supported, contradicted = low > -room, high < -room
        case "equivalent":
            supported, contradicted = -room < low and high < room, low > room or high < -room
    return "supported" if supported else "contradicted" if contradicted else "undetermined"


def _widen(row: PairRow, sample: Sample, n_family: int, evidence: _Evidence) -> PairRow:
    """The row with its interval at 5 % divided by the number of rows."""
    runs = pair_runs(sample.values[row.a], sample.values[row.b], is_paired=evidence.is_paired)
    find_interval = paired_interval if runs.is_paired else welch_interval
    return replace(row, difference_interval=find_interval(runs.a, runs.b, 1 - 0.05 / n_family))


def _decide_closeness(differences: Sequence[Sequence[float]], margin: float) -> ClaimVerdict:
    if any(len(values) < FEWEST_RUNS or len({*values}) == 1 for values in differences):
        return "undetermined"
    if all(_is_inside(t_interval(values), margin) for values in differences):
        return "supported"
    level = 1 - 0.05 / len(differences)
    is_apart = any(_is_outside(t_interval(values, level), margin) for values in differences)
    return "contradicted" if is_apart else "undetermined"


def _is_inside(interval: Interval | None, margin: float) -> bool:
    return interval is not None and interval.is_within(margin)


def _is_outside(interval: Interval | None, margin: float) -> bool:
    return interval is not None and (interval.low > margin or interval.high < -margin)


def _conclude(verdicts: Sequence[ClaimVerdict], *, n_asked: int) -> ClaimVerdict:
    """Of what has to hold at every value: it fails where it fails at one."""
    if "contradicted" in verdicts:
        return "contradicted"
    is_held = len(verdicts) == n_asked and all(verdict == "supported" for verdict in verdicts)
    return "supported" if is_held else "undetermined"
