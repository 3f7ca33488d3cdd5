"""The verdict on each claim, from the study's own runs, by the rule of `compare.verdicts`.

Runs of other studies never enter: each look at verdicts spends a part of the 5 %, and this study's
record knows only its own looks. Claims about time go by no looks: `claims.timing` judges them by
the 95 % interval of what the timing sessions measured.

A claim on two arms that the report compares too has that pair's numbers, its adjustment and what an
earlier look found, so that the two cannot disagree. Any other is judged by itself (`CLAIMS_NOTE`
says so beside the table); within a claim everything that could contradict it is one family under
Holm. The notes' claims were published before any run. When a claim in a file of one's own was
written nothing here can know: one that a report suggested is a guess, and wants new seeds.

- `compare`, `higher` or `lower`: supported if the verdict is better (or worse); contradicted if it
  is the opposite; else smaller than the margin if a difference of the margin that way is ruled out.
- `compare`, `not lower` or `not higher` (the notes: 'no less than'): supported if a difference of
  the margin the other way is ruled out, contradicted if it is found. A difference that is beyond
  luck, but smaller than the margin, still supports it.
- `compare`, `equivalent`: supported if the difference lies within the margin, contradicted if it
  lies beyond it.
- `close`: the same of the typical difference within each architecture; supported if it holds for
  all, contradicted if it fails for one under Holm. With a validation part that all runs share it is
  left open: its error is common to all seeds, and no number of them shows it.
- `lead`: `compare` at each value of the factor; supported if supported at all of them, contradicted
  if contradicted at one, smaller than the margin if the lead shrank to less at one.

Where the report gives no verdicts, or below the runs that one takes, nothing but parameters is
judged: the numbers are descriptive only.
So are test accuracy and macro-F1 where one test text weighs more than the margin, the claim's own
or else the study's, which is a margin of whatever the study compares. Where the runs of an
architecture all give the same number, in both (with `close`, in one), nothing is decided: the seeds
count for one.

Source: as of `compare.verdicts`; Berger (1982), Technometrics 24:295-300, for why closeness
everywhere needs no adjustment to be supported.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias, assert_never

from rnnbench.architectures import make_form, recurrent_parameters
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
from rnnbench.claims.texts import WITHHELD, write_closeness, write_comparison, write_lead
from rnnbench.claims.timing import judge_timing
from rnnbench.compare.arms import count_parameters
from rnnbench.compare.pairs import Scores, compare_sections, pair_runs
from rnnbench.compare.reach import FEWEST_RUNS, is_too_coarse
from rnnbench.compare.rows import PairRow, Withheld
from rnnbench.compare.standing import without_verdicts
from rnnbench.compare.verdicts import adjust, ask, decide, level_of_look
from rnnbench.metrics import USUAL_METRIC
from rnnbench.output.amounts import plural
from rnnbench.page.blocks import ClaimRow, ClaimVerdict
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import CanonicalForm
from rnnbench.stats.ranks import signed_rank
from rnnbench.timing.rows import TimingPart

Compared: TypeAlias = Sequence[tuple[PairRow, Scores]]
"""Pairs of a report, each with the scores of its section's arms."""

CLAIMS_NOTE = (
    "A claim on two arms that are compared above has their verdict. Each other claim is judged by "
    "itself, without an adjustment for their number: of twenty comparisons without any difference, "
    "about one would still come out on one side."
)
"""What stands beside the table of claims."""


def judge_claims(
    claims: Iterable[Claim],
    runs: Sequence[RecordedRun],
    *,
    margin: float,
    is_paired: bool,
    n_test: Mapping[str, int | None] | None = None,
    metric: str = USUAL_METRIC,
    timing: TimingPart | None = None,
    unlearned: frozenset[str] = frozenset(),
    compared: Compared = (),
    look: int = 1,
    withheld: Withheld = "",
) -> list[ClaimRow]:
    """A row for each claim, in their order; of a claim about time, one for each back end.

    Args:
        runs: of one study, on the same reviews; runs of different recipes, back ends or engines,
            and seconds of different hardware, never enter one comparison.
        margin: the practical margin that the study declared, a fraction of accuracy.
        is_paired: whether runs of the same seed are compared with each other.
        n_test: by metric that is counted in texts, over how many one weighs (`weigh_texts`).
        metric: what the report's pairs are compared by.
        timing: what was timed in this folder, if anything.
        unlearned: fingerprints of the runs that did not learn.
        compared: the report's own pairs.
        look: the number of the look that the report is.
        withheld: why the report gives no verdict: then nothing on runs is decided either.
    """
    evidence = _Evidence(
        index=index_runs(runs),
        unlearned=unlearned,
        margin=margin,
        is_paired=is_paired,
        n_test=n_test or {},
        metric=metric,
        compared=compared,
        look=look,
        withheld=withheld,
    )
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
    n_test: Mapping[str, int | None]
    metric: str
    unlearned: frozenset[str]
    compared: Compared
    look: int
    withheld: Withheld

    def compare(
        self, test: CompareTest, known: Mapping[str, Sample], margin: float | None
    ) -> list[PairRow]:
        """A row for each place that has runs; of a single place the report's own, if it has one."""
        if len(test.places) == 1:
            for place, sample in known.items():
                if own := self.find_pair(test.metric, margin, sample.values):
                    return [replace(own, section=place)]
        rows = compare_sections(
            [(place, sample.values) for place, sample in known.items()],
            margin=margin or 0.0,
            is_paired=self.is_paired,
            n_test=dict.fromkeys(known, self.n_test.get(test.metric)),
            look=self.look,
        )
        return without_verdicts(rows, self.withheld) if self.withheld else rows

    def find_pair(self, metric: str, margin: float | None, values: Scores) -> PairRow | None:
        """The report's own row on the same runs, turned the claim's way; else None."""
        if metric != self.metric or margin != self.margin:
            return None
        a, b = values
        entered = pair_runs(values[a], values[b], is_paired=self.is_paired)
        turned = pair_runs(values[b], values[a], is_paired=self.is_paired)
        for row, scores in self.compared:
            own = pair_runs(scores[row.a], scores[row.b], is_paired=self.is_paired)
            if own == entered:
                return row
            if own == turned:
                return _turn(row)
        return None

    def margin_of(self, test: CompareTest | CloseTest) -> float | None:
        """In the metric's own unit; None where neither claim nor study declares one."""
        metric = METRICS[test.metric]
        if test.margin is not None:
            return test.margin / metric.scale
        return self.margin if metric.unit == "accuracy" else None


def _judge_parameters(
    claim: Claim, test: ParametersRatioTest | ParametersTest, runs: Sequence[RecordedRun]
) -> ClaimRow:
    """Whether recurrent parts, behind an embedding of 16, have the claimed parameters.

    Keras's counts of runs with another embedding, or more classes, are taken less what the formula
    says of these.
    """
    names = (test.a, test.b) if isinstance(test, ParametersRatioTest) else tuple(test.expect)
    forms = {name: form for name in names if isinstance(form := make_form(name), CanonicalForm)}
    if unknown := [name for name in names if name not in forms]:
        numbers = f"only Keras can count the parameters of {' and '.join(unknown)}"
        return claim.row("undetermined", numbers)
    formula = {name: sum(recurrent_parameters(form)) for name, form in forms.items()}
    counted = {name: _count_layers(form, runs) for name, form in forms.items()}
    counts = {name: {formula[name], *counted[name]} for name in names}
    words = " and ".join(f"{formula[name]:,} with {name}" for name in names)
    if isinstance(test, ParametersRatioTest):
        words += f": {formula[test.a] / formula[test.b]:g} times"
        holds = all(a == test.ratio * b for a in counts[test.a] for b in counts[test.b])
    else:
        holds = all(counts[name] == {number} for name, number in test.expect.items())
    n_runs = sum(map(len, counted.values()))
    odd = [f"{n:,} with {name}" for name in names for n in sorted(counts[name] - {formula[name]})]
    keras = f"; Keras counted the same in {plural(n_runs, 'run')}" if n_runs else ""
    if odd:
        keras = f"; but Keras counted {' and '.join(odd)}"
    return claim.row(
        "supported" if holds else "contradicted",
        numbers=f"parameters by the formula: {words}{keras}",
        runs=plural(n_runs, "run") if n_runs else "none needed",
    )


def _count_layers(form: CanonicalForm, runs: Iterable[RecordedRun]) -> list[int]:
    """What Keras counted in each run of the form, less the other layers."""
    return [
        run.result.n_parameters - whole + sum(recurrent_parameters(form))
        for run in runs
        if run.spec.form == form
        if run.result is not None and run.result.n_parameters is not None
        if (whole := count_parameters(run.spec, ())) is not None
    ]


def _judge_comparisons(claim: Claim, test: CompareTest, evidence: _Evidence) -> ClaimRow:
    """The verdict on one comparison, or on a lead, which is one at each value of a factor."""
    metric, margin = METRICS[test.metric], evidence.margin_of(test)
    samples = {
        place: take_sample(
            evidence.index,
            (test.a, test.b),
            settings,
            metric,
            is_paired=evidence.is_paired,
            unlearned=evidence.unlearned,
        )
        for place, settings in test.places.items()
    }
    known = {place: sample for place, sample in samples.items() if not sample.missing}
    rows = evidence.compare(test, known, margin)
    level = level_of_look(evidence.look)
    verdict = _conclude([_decide(test.expect, row, margin, level) for row in rows], len(samples))
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
        unlearned=evidence.unlearned,
    )
    if sample.missing:
        return claim.row("undetermined", sample.missing)
    margin = evidence.margin_of(test) or 0.0
    counts = (evidence.n_test.get(name) for name in (test.metric, test.reference))
    is_coarse = any(is_too_coarse(n_test, margin) for n_test in counts)
    differences = [list(values.values()) for values in sample.values.values()]
    is_open = (
        bool(evidence.withheld)
        or is_coarse
        or (not sample.is_split_by_seed and _is_validation(test))
    )
    return claim.row(
        "undetermined" if is_open else _decide_closeness(differences, margin, evidence.look),
        numbers=write_closeness(test, sample, margin, is_coarse=is_coarse)
        + WITHHELD[evidence.withheld],
        runs=sample.runs,
    )


def _is_validation(test: CloseTest) -> bool:
    """Whether one of the two numbers depends on which reviews were held out for validation."""
    return any(name.startswith("val_") or name == "gap" for name in (test.metric, test.reference))


def _turn(row: PairRow) -> PairRow:
    """The row of b against a."""
    verdict = {"better": "worse", "worse": "better"}.get(row.verdict, row.verdict)
    return replace(
        row,
        a=row.b,
        b=row.a,
        n_a=row.n_b,
        n_b=row.n_a,
        difference=None if row.difference is None else -row.difference,
        difference_interval=row.difference_interval and row.difference_interval.mirrored(),
        typical=None if row.typical is None else -row.typical,
        typical_interval=row.typical_interval and row.typical_interval.mirrored(),
        probability=None if row.probability is None else 1 - row.probability,
        probability_interval=None,
        p_not_lower=row.p_not_higher,
        p_not_higher=row.p_not_lower,
        verdict=verdict,  # type: ignore[arg-type]  # the two words are verdicts
    )


def _decide(expect: Expectation, row: PairRow, margin: float | None, level: float) -> ClaimVerdict:
    if row.is_descriptive_only or row.is_without_spread or row.p_within is None:
        return "undetermined"
    # Of a pair that an earlier look judged, its verdict alone stands where this one cannot judge.
    level = level if row.is_judged else 0.0
    is_within = row.verdict == "equivalent" or row.size == "within"
    if expect == "equivalent":
        is_beyond = row.size == "beyond"
        return "supported" if is_within else "contradicted" if is_beyond else "undetermined"
    ahead, behind = row.verdict == "better", row.verdict == "worse"
    p_not_ahead, p_not_behind = row.p_not_higher, row.p_not_lower
    if expect in ("lower", "not higher"):
        ahead, behind, p_not_ahead, p_not_behind = behind, ahead, p_not_behind, p_not_ahead
    if expect in ("higher", "lower"):
        if ahead or behind:
            return "supported" if ahead else "contradicted"
        is_small = margin is not None and (is_within or (p_not_ahead or 0.0) <= level)
        return "smaller than the margin" if is_small else "undetermined"
    if ahead or is_within or (p_not_behind or 0.0) <= level:
        return "supported"
    return "contradicted" if behind and row.size == "beyond" else "undetermined"


def _decide_closeness(
    differences: Sequence[Sequence[float]], margin: float, look: int
) -> ClaimVerdict:
    if any(len(values) < FEWEST_RUNS or len({*values}) == 1 for values in differences):
        return "undetermined"
    level = level_of_look(look)
    asked = [ask(partial(signed_rank, values), margin) for values in differences]
    if all(answers is not None and answers.p_within <= level for answers in asked):
        return "supported"
    found = [decide(answers, level) for answers in adjust(asked)]
    return "contradicted" if any(size == "beyond" for _, size in found) else "undetermined"


def _conclude(verdicts: Sequence[ClaimVerdict], n_asked: int) -> ClaimVerdict:
    """The verdict on what has to hold at every value: it fails where it fails at one."""
    failures: tuple[ClaimVerdict, ...] = ("contradicted", "smaller than the margin")
    for failure in failures:
        if failure in verdicts:
            return failure
    is_held = len(verdicts) == n_asked and all(verdict == "supported" for verdict in verdicts)
    return "supported" if is_held else "undetermined"
