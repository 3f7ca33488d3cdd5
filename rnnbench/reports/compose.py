"""Everything that a report shows: of a study from its runs, and of what was timed."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnbench.claims.judge import judge_claims
from rnnbench.claims.kinds import Claim, TimingTest
from rnnbench.claims.page import claims_parts, claims_tables
from rnnbench.compare.answer import warn_of, write_answer
from rnnbench.compare.classes import ArmClasses, describe_arms
from rnnbench.compare.classes_page import classes_part, classes_tables
from rnnbench.compare.comparison import (
    Baselines,
    Comparison,
    Declaration,
    Floor,
    compare_runs,
    find_unlearned,
)
from rnnbench.compare.environments import tell_mixed
from rnnbench.compare.outcome import Outcome, find_outcome
from rnnbench.compare.page import comparison_parts, comparison_tables
from rnnbench.compare.predictions import count_test_texts
from rnnbench.compare.sections import Section, divide_runs
from rnnbench.compare.standing import find_standing, looks_that_count, tell_changes
from rnnbench.looks import Look
from rnnbench.metrics import METRICS, USUAL_METRIC
from rnnbench.output.characters import csv_text
from rnnbench.page.blocks import ClaimRow, Fact, Facts, Page, Paragraph, Part, Warnings
from rnnbench.page.csv_files import write_lines
from rnnbench.published.page import published_part, published_tables
from rnnbench.published.rows import Published, find_published
from rnnbench.racing.page import race_part, race_tables
from rnnbench.racing.record import Race
from rnnbench.recorded_runs import RecordedRun
from rnnbench.reports.facts import describe_study, warn_of_texts
from rnnbench.specs import SYNTHETIC, SYNTHETIC_NOTICE
from rnnbench.study import TIMING
from rnnbench.timing.page import (
    describe_timing,
    timing_part,
    warn_of_timing,
    write_timing_answer,
)
from rnnbench.timing.records import timing_tables
from rnnbench.timing.rows import TimingPart
from rnnbench.tuning.page import tuning_part, tuning_tables
from rnnbench.tuning.record import TuningRecord
from rnnbench.tuning.tuned import (
    Matched,
    TuningPart,
    compose_tuning_part,
    match_textbook,
    scores_compared,
)

ABOUT_TIMING = "What a training step costs, with and without recurrent dropout, and why"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report before it is drawn; plain text everywhere, nothing escaped yet.

    Args:
        answer: three or four sentences.
        warnings: what must not be overlooked: few seeds, synthetic reviews, failed runs.
        made_at: local date and time.
        comparison: of a study's runs; None where only what was timed is told.
        classes: of the arms on data of the user's own.
        published: what the notes print of the same; None of texts that are not theirs.
        tuning: of a study whose architectures were tuned; None for any other.
        timing: what was timed in the folder; None if nothing was.
        races: that chose settings of the study's runs.
        look: what to keep of this look at verdicts; None where there are none.
    """

    study: str
    answer: tuple[str, ...]
    warnings: tuple[str, ...]
    claims: tuple[ClaimRow, ...]
    facts: tuple[Fact, ...]
    made_at: str
    comparison: Comparison | None = None
    published: Published | None = None
    classes: tuple[ArmClasses, ...] = ()
    tuning: TuningPart | None = None
    timing: TimingPart | None = None
    races: tuple[Race, ...] = ()
    look: Look | None = None

    def page(self) -> Page:
        """The page, its figures drawn."""
        return Page(
            study=self.study,
            description=self.comparison.declared.description if self.comparison else ABOUT_TIMING,
            made_at=self.made_at,
            parts=tuple(self._parts()),
        )

    def tables(self) -> dict[str, str]:
        """The CSV text of every table, by the stem of its file."""
        return {
            **(comparison_tables(self.comparison) if self.comparison else {}),
            **(classes_tables(self.classes) if self.classes else {}),
            **(tuning_tables(self.tuning) if self.tuning else {}),
            **(race_tables(self.races) if self.races else {}),
            **(published_tables(self.published) if self.published else {}),
            **(timing_tables(self.timing) if self.timing else {}),
            **claims_tables(self.claims),
            "facts": write_lines(("name", "value"), (map(csv_text, fact) for fact in self.facts)),
        }

    def _parts(self) -> Iterator[Part]:
        yield _answer_part(self.answer, self.warnings)
        if self.comparison:
            curves_for = (self.published or Published()).curves_for
            parts = comparison_parts(self.comparison, curves_for)
            yield next(parts)  # what is compared; then which classes come out how
            yield from [classes_part(self.classes)] if self.classes else []
            yield from parts
        if self.tuning:
            yield tuning_part(self.tuning)
        if self.comparison and self.published:
            yield published_part(self.published, self.comparison.sections)
        if self.timing:
            yield timing_part(self.timing)
        yield from claims_parts(self.claims)
        if self.races:
            yield race_part(self.races)
        yield _facts_part(self.facts)


def compose_report(
    study: str,
    runs: Sequence[RecordedRun],
    declared: Declaration,
    *,
    claims: Sequence[Claim],
    baselines: Baselines,
    floor: Floor = lambda _: None,
    looks: Sequence[Look] = (),
    looks_elsewhere: Sequence[Look] = (),
    unkept: str = "",
    planned: Collection[str] | None = None,
    others: Sequence[RecordedRun] = (),
    searches: Mapping[str, TuningRecord] | None = None,
    timing: TimingPart | None = None,
    races: Sequence[Race] = (),
    command: str = "",
    problem: str | None = None,
    n_deleted: int = 0,
) -> Report:
    """Every row and sentence of a study's report.

    Args:
        looks: the study's, the latest last.
        looks_elsewhere: of all other studies.
        unkept: why the look that the report is cannot be kept, so that it gives no verdict.
        planned: a run of each section that is planned; None where no plan was declared.
        others: runs of other studies, against which a tuned one is set.
        searches: of a tuned study, by architecture.
        timing: what was timed in the folder.
        races: that were run on these texts.
        command: the words that repeat the study; empty if nobody knows them.
        problem: why MLflow could not be read; None if it could.
        n_deleted: runs of the study that somebody deleted in MLflow.
    """
    tuned = declared.tuned
    comparable = _on_main_reviews(runs)
    unlearned = _find_unlearned(runs, others, floor, declared.metric)
    sections = divide_runs(
        runs,
        declared.contrast,
        vary_split=declared.vary_split,
        tuned=tuned,
        unlearned=unlearned or frozenset(),
    )
    scores = scores_compared(tuned, runs, others)
    looks = looks_that_count(looks, looks_elsewhere, sections, declared.contrast)
    standing = find_standing(scores, sections, looks, planned, declared.rule, is_kept=not unkept)
    comparison = compare_runs(
        sections, declared, baselines, is_learning_known=unlearned is not None, standing=standing
    )
    matched = match_textbook(tuned, runs, others, unlearned or frozenset())
    n_test = {name: count_test_texts(comparable, name) for name in METRICS}
    rule = _rule_of(comparison)
    outcome = _find_outcome(comparison, sections, planned, n_test[USUAL_METRIC], command)
    notices = [
        *_tell_data(runs),
        *_tell_rates(runs),
        *([f"No verdict is given, because this look cannot be kept: {unkept}."] if unkept else []),
        *declared.notes,
        *_tell_standing(comparison),
        *_mixed(sections, matched),
        *warn_of_texts(runs),
    ]
    return Report(
        study=study,
        answer=write_answer(comparison, outcome),
        warnings=warn_of(
            comparison, outcome, notices=notices, problem=problem, n_deleted=n_deleted
        ),
        comparison=comparison,
        published=None if is_of_own_texts(runs) else find_published(sections),
        claims=tuple(
            judge_claims(
                claims,
                comparable,
                timing=timing,
                unlearned=unlearned or frozenset(),
                compared=comparison.compared,
                n_test=n_test,
                **rule,
            )
        ),
        classes=describe_arms(sections),
        timing=timing,
        races=tuple(race for race in races if any(race.chose(run.spec) for run in runs)),
        facts=describe_study(runs, declared, command),
        tuning=(
            compose_tuning_part(
                tuned, matched, searches or {}, n_test=n_test[declared.metric], **rule
            )
            if tuned
            else None
        ),
        made_at=_now(),
        look=_take_look(scores, comparison),
    )


def is_of_own_texts(runs: Iterable[RecordedRun]) -> bool:
    """Whether all runs learnt from texts of the user's own, of which the notes say nothing."""
    return all(run.spec.data.is_own for run in runs)


def compose_timing_report(timing: TimingPart, claims: Sequence[Claim]) -> Report:
    """The report of what was timed, without any study, with the claims on time."""
    timed = [claim for claim in claims if isinstance(claim.test, TimingTest)]
    return Report(
        study=TIMING,
        answer=write_timing_answer(timing),
        warnings=warn_of_timing(timing),
        claims=tuple(judge_claims(timed, (), margin=0.0, is_paired=False, timing=timing)),
        facts=describe_timing(timing),
        made_at=_now(),
        timing=timing,
    )


def _take_look(scores: Mapping[str, float | None], comparison: Comparison) -> Look | None:
    if comparison.withheld:
        return None
    networks = [row for row in comparison.arms if not row.is_baseline]
    return Look(
        looked_at=time.time(),
        runs=scores,
        n_seeds=min((row.n for row in networks if row.n), default=0),
        declaration=comparison.declared.rule,
    )


def _find_unlearned(
    runs: Sequence[RecordedRun], others: Sequence[RecordedRun], floor: Floor, metric: str
) -> frozenset[str] | None:
    """Of the study's runs, and of others on the same texts."""
    data = {run.spec.data for run in runs}
    beside = (run for run in others if run.spec.data in data)
    return find_unlearned((*runs, *beside), floor, metric)


def _rule_of(comparison: Comparison) -> dict[str, Any]:  # Any: arguments of two functions
    """By what claims and tuned pairs are judged: as the pairs are."""
    declared = comparison.declared
    return {
        "margin": declared.margin,
        "is_paired": declared.is_paired,
        "metric": declared.metric,
        "look": comparison.look,
        # A claim or a tuned pair that were judged at a page without verdicts would be a free look.
        "withheld": comparison.withheld,
    }


def _find_outcome(
    comparison: Comparison,
    sections: Sequence[Section],
    planned: Collection[str] | None,
    n_texts: int | None,
    command: str,
) -> Outcome:
    """What is to be said first, of the last command's runs."""
    return find_outcome(
        _planned_last(sections, planned),
        [row for row in comparison.arms if row.is_baseline],
        n_test=comparison.n_test,
        n_texts=n_texts,
        metric=comparison.declared.metric,
        margin=comparison.declared.margin,
        command=command,
    )


def _tell_data(runs: Iterable[RecordedRun]) -> list[str]:
    """That some of it decides nothing."""
    return [SYNTHETIC_NOTICE] * any(run.spec.data.dataset == SYNTHETIC for run in runs)


def _tell_rates(runs: Iterable[RecordedRun]) -> list[str]:
    """That networks learnt at rates of their own, and which."""
    found = {(run.spec.form.cell, run.spec.recipe.learning_rate) for run in runs if run.spec.race}
    if len({rate for _, rate in found}) < 2:
        return []
    rates = ", ".join(f"{cell} {rate:g}" for cell, rate in sorted(found))
    return [
        f"Each cell has the learning rate that came lowest with it in a race ({rates}), not one "
        "rate for all. Another race might choose otherwise, which no interval counts."
    ]


def _planned_last(
    sections: Sequence[Section], planned: Collection[str] | None
) -> Sequence[Section]:
    """The sections of the last command, where that is known; else all."""
    found = [
        section
        for section in sections
        if any(run.spec.fingerprint in (planned or ()) for arm in section.arms for run in arm.runs)
    ]
    return found or sections


def _tell_standing(comparison: Comparison) -> Iterator[str]:
    """What earlier looks have to do with these verdicts, where a reader must know it."""
    standing = comparison.standing
    if not standing.withheld:
        yield from tell_changes(comparison.pairs, standing, comparison.declared.rule)


def _answer_part(answer: Sequence[str], warnings: Sequence[str]) -> Part:
    sentences = answer or ("There is no answer yet: no run has finished.",)
    leads = [Paragraph(sentence, is_lead=True) for sentence in sentences]
    noted = [Warnings(tuple(warnings))] if warnings else []
    return Part(anchor="answer", heading="The answer", blocks=(*noted, *leads))


def _facts_part(facts: Sequence[Fact]) -> Part:
    block = Facts(tuple(facts)) if facts else Paragraph("Not recorded.")
    return Part(anchor="how", heading="How it was run", blocks=(block,))


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M")


def _on_main_reviews(runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    """The runs on the reviews that most of them have."""
    (main, _), *_ = Counter(run.spec.data.fingerprint for run in runs).most_common()
    return [run for run in runs if run.spec.data.fingerprint == main]


def _mixed(sections: Sequence[Section], matched: Matched) -> Iterator[str]:
    """A sentence for each table whose runs were not made alike."""
    tables: dict[str, Mapping[str, Sequence[RecordedRun]]] = {
        section.name: {arm.name: arm.finished for arm in section.arms} for section in sections
    }
    tables |= {f"{name}, tuned against textbook": found for name, found in matched.items()}
    for name, table in tables.items():
        arms = [(arm, [run.result for run in runs if run.result]) for arm, runs in table.items()]
        if sentence := tell_mixed(name, arms):
            yield sentence
