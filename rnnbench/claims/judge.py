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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rnnbench.claims.kinds import (
    Claim,
    CloseTest,
    CompareTest,
    Expectation,
    Finding,
    LeadTest,
    ParametersRatioTest,
    ParametersTest,
    TimingTest,
)
from rnnbench.claims.metrics import METRICS
from rnnbench.claims.parameters import judge_parameters
from rnnbench.claims.runs import RunIndex, Sample, index_runs, take_sample
from rnnbench.claims.texts import write_closeness, write_comparison, write_lead
from rnnbench.claims.timing import judge_timing
from rnnbench.compare.pairs import compare_sections, pair_runs
from rnnbench.compare.reach import FEWEST_RUNS, is_too_coarse
from rnnbench.compare.rows import PairRow
from rnnbench.page.blocks import ClaimRow, ClaimVerdict
from rnnbench.specs import RunResult
from rnnbench.stats.comparisons import paired_interval, welch_interval
from rnnbench.stats.intervals import t_interval
from rnnbench.timing.rows import TimingPart
from rnnbench.tracking.runs import TrackedRun

__all__ = ["CLAIMS_NOTE", "judge_claims"]

CLAIMS_NOTE = (
    "Each claim is judged by itself at 5 %, without an adjustment for their number: of twenty "
    "comparisons without any difference, about one would still come out on one side."
)
"""What stands beside the table of claims."""


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
    evidence = _Evidence(index=index_runs(runs), margin=margin, is_paired=is_paired, n_test=n_test)
    rows = []
    for claim in claims:
        match claim.test:
            case TimingTest() as test:
                findings = judge_timing(test, timing)
            case ParametersRatioTest() | ParametersTest() as test:
                findings = [judge_parameters(test, runs)]
            case CloseTest() as test:
                findings = [_judge_closeness(test, evidence)]
            case CompareTest() as test:
                findings = [_judge_comparisons(test, evidence)]
        rows += [_describe(claim, finding) for finding in findings]
    return rows


def _describe(claim: Claim, finding: Finding) -> ClaimRow:
    backend = finding.backend
    return ClaimRow(
        id=f"{claim.id}-{backend}" if backend else claim.id,
        claim=f"{claim.claim} (On {backend}.)" if backend else claim.claim,
        made_in=claim.made_in,
        verdict=finding.verdict,
        numbers=finding.numbers,
        runs=finding.runs,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """What claims on runs are judged by; `margin` is the study's, a fraction of accuracy."""

    index: RunIndex
    margin: float
    is_paired: bool
    n_test: int | None

    def margin_of(self, test: CompareTest | CloseTest) -> float | None:
        """In the metric's own unit; None where neither claim nor study declares one."""
        metric = METRICS[test.metric]
        if test.margin is not None:
            return test.margin / metric.scale
        return self.margin if metric.unit == "accuracy" else None

    def is_coarse(self, metric: str, margin: float | None) -> bool:
        """Whether the metric counts test texts of which one weighs more than a claim's margin."""
        if margin is None or metric != "test_accuracy":
            return False
        return is_too_coarse(self.n_test, margin)


def _judge_comparisons(test: CompareTest, evidence: _Evidence) -> Finding:
    """Of one comparison, or of a lead, which is one at each value of a factor."""
    metric, margin = METRICS[test.metric], evidence.margin_of(test)
    samples = {
        place: take_sample(
            evidence.index,
            (test.a, test.b),
            settings,
            metric.measure,
            by_hardware=metric.unit == "seconds",
            is_paired=evidence.is_paired,
        )
        for place, settings in test.places.items()
    }
    known = {place: sample for place, sample in samples.items() if not sample.missing}
    rows = compare_sections(
        [(place, sample.values) for place, sample in known.items()],
        margin=margin or 0.0,
        is_paired=evidence.is_paired,
    )
    if evidence.is_coarse(test.metric, margin):
        rows = [replace(row, verdict="undetermined", is_descriptive_only=True) for row in rows]
    widened = [_widen(row, known[row.section], len(rows), evidence) for row in rows]
    verdict = _conclude([_decide(test.expect, row, margin) for row in widened], len(samples))
    if isinstance(test, LeadTest):
        numbers = write_lead(test, samples, rows, margin)
        return Finding(
            verdict=verdict,
            numbers=numbers,
            runs="; ".join(f"{place}: {sample.runs}" for place, sample in known.items()),
        )
    (sample,) = samples.values()
    numbers = sample.missing or write_comparison(test, sample, rows[0], margin, verdict)
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
    margin = evidence.margin_of(test) or 0.0
    is_coarse = any(evidence.is_coarse(name, margin) for name in (test.metric, test.reference))
    differences = [list(values.values()) for values in sample.values.values()]
    return Finding(
        verdict="undetermined" if is_coarse else _decide_closeness(differences, margin),
        numbers=write_closeness(test, sample, margin, is_coarse=is_coarse),
        runs=sample.runs,
    )


def _widen(row: PairRow, sample: Sample, n_family: int, evidence: _Evidence) -> PairRow:
    """The row with its interval at 5 % divided by the number of rows."""
    runs = pair_runs(sample.values[row.a], sample.values[row.b], is_paired=evidence.is_paired)
    find_interval = paired_interval if runs.is_paired else welch_interval
    return replace(row, difference_interval=find_interval(runs.a, runs.b, 1 - 0.05 / n_family))


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


def _decide_closeness(differences: Sequence[Sequence[float]], margin: float) -> ClaimVerdict:
    if any(len(values) < FEWEST_RUNS or len({*values}) == 1 for values in differences):
        return "undetermined"
    at_95 = [t_interval(values) for values in differences]
    if all(interval and interval.is_within(margin) for interval in at_95):
        return "supported"
    wider = [t_interval(values, 1 - 0.05 / len(differences)) for values in differences]
    if any(interval and (interval.low > margin or interval.high < -margin) for interval in wider):
        return "contradicted"
    return "undetermined"


def _conclude(verdicts: Sequence[ClaimVerdict], n_asked: int) -> ClaimVerdict:
    """Of what has to hold at every value: it fails where it fails at one."""
    if "contradicted" in verdicts:
        return "contradicted"
    is_held = len(verdicts) == n_asked and all(verdict == "supported" for verdict in verdicts)
    return "supported" if is_held else "undetermined"
