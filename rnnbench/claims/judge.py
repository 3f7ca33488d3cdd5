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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from rnnbench.architectures import make_form, model_parameters, recurrent_parameters
from rnnbench.claims.kinds import (
    Claim,
    CloseTest,
    CompareTest,
    Expectation,
    LeadTest,
    ParametersRatioTest,
    ParametersTest,
    TimingTest,
)
from rnnbench.claims.metrics import METRICS
from rnnbench.claims.runs import RunIndex, Sample, index_runs, take_sample
from rnnbench.claims.texts import write_closeness, write_comparison, write_lead
from rnnbench.claims.timing import judge_timing
from rnnbench.compare.pairs import compare_sections, pair_runs
from rnnbench.compare.reach import FEWEST_RUNS, is_too_coarse
from rnnbench.compare.rows import PairRow
from rnnbench.output.amounts import plural
from rnnbench.page.blocks import ClaimRow, ClaimVerdict
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import CanonicalForm, RunSpec
from rnnbench.stats.comparisons import paired_interval, welch_interval
from rnnbench.stats.intervals import t_interval
from rnnbench.timing.rows import TimingPart

CLAIMS_NOTE = (
    "Each claim is judged by itself at 5 %, without an adjustment for their number: of twenty "
    "comparisons without any difference, about one would still come out on one side."
)
"""What stands beside the table of claims."""


def judge_claims(
    claims: Iterable[Claim],
    runs: Sequence[RecordedRun],
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
    rows: list[ClaimRow] = []
    for claim in claims:
        match claim.test:
            case TimingTest() as test:
                rows += judge_timing(claim, test, timing)
            case ParametersRatioTest() | ParametersTest() as test:
                rows.append(_judge_parameters(claim, test, runs))
            case CloseTest() as test:
                rows.append(_judge_closeness(claim, test, evidence))
            case CompareTest() as test:
                rows.append(_judge_comparisons(claim, test, evidence))
            case test:
                assert_never(test)
    return rows


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


def _judge_parameters(
    claim: Claim, test: ParametersRatioTest | ParametersTest, runs: Iterable[RecordedRun]
) -> ClaimRow:
    """Whether recurrent parts, behind an embedding of 16, have the claimed parameters."""
    names = (test.a, test.b) if isinstance(test, ParametersRatioTest) else tuple(test.expect)
    forms = {name: form for name in names if isinstance(form := make_form(name), CanonicalForm)}
    if unknown := [name for name in names if name not in forms]:
        numbers = f"only Keras can count the parameters of {' and '.join(unknown)}"
        return claim.row("undetermined", numbers)
    formula = {name: sum(recurrent_parameters(form)) for name, form in forms.items()}
    counted = _count_layers(forms, runs)
    counts = {name: {formula[name], *counted[name].values()} for name in names}
    words = " and ".join(f"{formula[name]:,} with {name}" for name in names)
    if isinstance(test, ParametersRatioTest):
        words += f": {formula[test.a] / formula[test.b]:g} times"
        holds = all(a == test.ratio * b for a in counts[test.a] for b in counts[test.b])
    else:
        holds = all(counts[name] == {number} for name, number in test.expect.items())
    # A run that two studies share counts once.
    n_runs = len({spec for of_name in counted.values() for _, spec in of_name})
    studies = dict.fromkeys(study for of_name in counted.values() for study, _ in of_name)
    odd = [f"{n:,} with {name}" for name in names for n in sorted(counts[name] - {formula[name]})]
    keras = f"; Keras counted the same in {plural(n_runs, 'run')}" if n_runs else ""
    if odd:
        keras = f"; but Keras counted {' and '.join(odd)}"
    return claim.row(
        "supported" if holds else "contradicted",
        numbers=f"parameters by the formula: {words}{keras}",
        runs=f"{', '.join(studies)}: {plural(n_runs, 'run')}" if n_runs else "none needed",
    )


def _count_layers(
    forms: Mapping[str, CanonicalForm], runs: Iterable[RecordedRun]
) -> dict[str, dict[tuple[str, RunSpec], int]]:
    """What Keras counted, less the other layers: by architecture, and by study and run."""
    counted: dict[str, dict[tuple[str, RunSpec], int]] = {name: {} for name in forms}
    for run in runs:
        n_counted = run.result.n_parameters if run.result is not None else None
        for name, form in forms.items():
            if run.spec.form != form or run.spec.embedding_size != 16 or n_counted is None:
                continue
            data = run.spec.data
            whole = model_parameters(form, num_words=data.num_words, n_classes=data.n_classes)
            assert whole is not None
            others = whole - sum(recurrent_parameters(form))
            counted[name][run.study, run.spec] = n_counted - others
    return counted


def _judge_comparisons(claim: Claim, test: CompareTest, evidence: _Evidence) -> ClaimRow:
    """The verdict on one comparison, or on a lead, which is one at each value of a factor."""
    metric, margin = METRICS[test.metric], evidence.margin_of(test)
    samples = {
        place: take_sample(
            evidence.index, (test.a, test.b), settings, metric, is_paired=evidence.is_paired
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
        runs = "; ".join(f"{place}: {sample.runs}" for place, sample in known.items())
        return claim.row(verdict, numbers, runs)
    (sample,) = samples.values()
    numbers = sample.missing or write_comparison(test, sample, rows[0], margin, verdict)
    return claim.row(verdict, numbers, sample.runs)


def _judge_closeness(claim: Claim, test: CloseTest, evidence: _Evidence) -> ClaimRow:
    sample = take_sample(
        evidence.index,
        test.architectures,
        test.settings,
        METRICS[test.metric],
        less=METRICS[test.reference],
        is_paired=False,
    )
    if sample.missing:
        return claim.row("undetermined", sample.missing)
    margin = evidence.margin_of(test) or 0.0
    is_coarse = any(evidence.is_coarse(name, margin) for name in (test.metric, test.reference))
    differences = [list(values.values()) for values in sample.values.values()]
    return claim.row(
        "undetermined" if is_coarse else _decide_closeness(differences, margin),
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
    """The verdict on what has to hold at every value: it fails where it fails at one."""
    if "contradicted" in verdicts:
        return "contradicted"
    is_held = len(verdicts) == n_asked and all(verdict == "supported" for verdict in verdicts)
    return "supported" if is_held else "undetermined"
