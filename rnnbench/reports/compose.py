"""Everything that a report shows: of a study from its runs, and of what was timed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from rnnbench.claims.judge import judge_claims
from rnnbench.claims.kinds import Claim, TimingTest
from rnnbench.claims.page import claims_part, claims_tables
from rnnbench.compare.answer import warn_of, write_answer
from rnnbench.compare.comparison import Baselines, Comparison, Declaration, compare_runs
from rnnbench.compare.environments import tell_mixed
from rnnbench.compare.page import comparison_parts, comparison_tables
from rnnbench.compare.predictions import count_test_texts
from rnnbench.compare.sections import Section, divide_runs
from rnnbench.output.characters import csv_text
from rnnbench.page.blocks import ClaimRow, Fact, Facts, Page, Paragraph, Part, Warnings
from rnnbench.page.csv_files import write_lines
from rnnbench.published.part import published_part, published_tables
from rnnbench.published.rows import Published, compare_with_published, published_curves
from rnnbench.recorded_runs import RecordedRun
from rnnbench.reports.facts import describe_study
from rnnbench.specs import SYNTHETIC, SYNTHETIC_NOTICE
from rnnbench.study import TIMING
from rnnbench.timing.page import (
    describe_timing,
    timing_part,
    timing_tables,
    warn_of_timing,
    write_timing_answer,
)
from rnnbench.timing.rows import TimingPart
from rnnbench.tuning.page import tuning_part, tuning_tables
from rnnbench.tuning.record import TuningRecord
from rnnbench.tuning.tuned import Matched, TuningPart, compose_tuning_part, match_textbook


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyReport:
    """A study's report before it is drawn; plain text everywhere, nothing escaped yet.

    Args:
        answer: three or four sentences.
        warnings: what must not be overlooked: few seeds, synthetic reviews, failed runs.
        tuning: of a study whose architectures were tuned; None for any other.
        timing: what was timed in the folder; None if nothing was.
        made_at: local date and time.
    """

    study: str
    answer: tuple[str, ...]
    warnings: tuple[str, ...]
    comparison: Comparison
    published: Published
    claims: tuple[ClaimRow, ...]
    facts: tuple[Fact, ...]
    made_at: str
    tuning: TuningPart | None = None
    timing: TimingPart | None = None

    def page(self) -> Page:
        """The page, its figures drawn."""
        return Page(
            study=self.study,
            description=self.comparison.declared.description,
            made_at=self.made_at,
            parts=tuple(self._parts()),
        )

    def tables(self) -> dict[str, str]:
        """The CSV text of every table, by the stem of its file."""
        return {
            **comparison_tables(self.comparison),
            **published_tables(self.published),
            **claims_tables(self.claims),
            **_facts_tables(self.facts),
            **(tuning_tables(self.tuning) if self.tuning else {}),
            **(timing_tables(self.timing) if self.timing else {}),
        }

    def _parts(self) -> Iterator[Part]:
        yield _answer_part(self.answer, self.warnings)
        yield from comparison_parts(self.comparison, self.published.beside)
        if self.tuning:
            yield tuning_part(self.tuning)
        yield published_part(self.published, self.comparison.sections)
        if self.timing:
            yield timing_part(self.timing)
        yield claims_part(self.claims)
        yield _facts_part(self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingReport:
    """What was timed, without any study: its answer, its tables, the claims on time."""

    study: ClassVar[str] = TIMING
    timing: TimingPart
    claims: tuple[ClaimRow, ...]
    made_at: str

    @property
    def answer(self) -> tuple[str, ...]:
        """A sentence for each back end and device."""
        return write_timing_answer(self.timing)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must not be overlooked."""
        return warn_of_timing(self.timing)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """How it was measured."""
        return describe_timing(self.timing)

    def page(self) -> Page:
        """The page, its figure drawn."""
        return Page(
            study=self.study,
            description="What a training step costs, with and without recurrent dropout, and why",
            made_at=self.made_at,
            parts=(
                _answer_part(self.answer, self.warnings),
                timing_part(self.timing),
                claims_part(self.claims),
                _facts_part(self.facts),
            ),
        )

    def tables(self) -> dict[str, str]:
        """The CSV text of every table, by the stem of its file."""
        return {
            **timing_tables(self.timing),
            **claims_tables(self.claims),
            **_facts_tables(self.facts),
        }


Report: TypeAlias = StudyReport | TimingReport


def compose_report(
    study: str,
    runs: Sequence[RecordedRun],
    declared: Declaration,
    *,
    claims: Sequence[Claim],
    baselines: Baselines,
    others: Sequence[RecordedRun] = (),
    searches: Mapping[str, TuningRecord] | None = None,
    timing: TimingPart | None = None,
    command: str = "",
    problem: str | None = None,
    n_deleted: int = 0,
) -> StudyReport:
    """Every row and sentence of a study's report.

    Args:
        others: runs of other studies, for the claims.
        searches: of a tuned study, by architecture.
        timing: what was timed in the folder.
        command: the words that repeat the study; empty if nobody knows them.
        problem: why MLflow could not be read; None if it could.
        n_deleted: runs of the study that somebody deleted in MLflow.
    """
    sections = divide_runs(
        runs, declared.contrast, vary_split=declared.vary_split, tuned=declared.tuned
    )
    comparison = compare_runs(sections, declared, baselines)
    on_same_reviews = _on_the_same_reviews(runs, others)
    matched = match_textbook(declared.tuned, runs, others)
    rule: dict[str, Any] = {  # Any: of two functions
        "margin": declared.margin,
        "is_paired": declared.is_paired,
        "n_test": count_test_texts(on_same_reviews),
    }
    tuning = None
    if declared.tuned:
        tuning = compose_tuning_part(declared.tuned, matched, searches or {}, **rule)
    return StudyReport(
        study=study,
        answer=write_answer(comparison),
        warnings=warn_of(
            comparison,
            notices=[*_notices(runs), *declared.notes, *_mixed(sections, matched)],
            problem=problem,
            n_deleted=n_deleted,
        ),
        comparison=comparison,
        published=Published(
            rows=tuple(compare_with_published(sections)), curves=tuple(published_curves(sections))
        ),
        claims=tuple(judge_claims(claims, on_same_reviews, timing=timing, **rule)),
        timing=timing,
        facts=describe_study(runs, declared, command),
        tuning=tuning,
        made_at=_now(),
    )


def compose_timing_report(timing: TimingPart, claims: Sequence[Claim]) -> TimingReport:
    """The report of what was timed, with the claims on time."""
    timed = [claim for claim in claims if isinstance(claim.test, TimingTest)]
    judged = judge_claims(timed, (), margin=0.0, is_paired=False, timing=timing)
    return TimingReport(timing=timing, claims=tuple(judged), made_at=_now())


def _answer_part(answer: Sequence[str], warnings: Sequence[str]) -> Part:
    sentences = answer or ("There is no answer yet: no run has finished.",)
    leads = [Paragraph(sentence, is_lead=True) for sentence in sentences]
    noted = [Warnings(tuple(warnings))] if warnings else []
    return Part(anchor="answer", heading="The answer", blocks=(*noted, *leads))


def _facts_part(facts: Sequence[Fact]) -> Part:
    block = Facts(tuple(facts)) if facts else Paragraph("Not recorded.")
    return Part(anchor="how", heading="How it was run", blocks=(block,))


def _facts_tables(facts: Sequence[Fact]) -> dict[str, str]:
    return {"facts": write_lines(("name", "value"), (map(csv_text, fact) for fact in facts))}


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M")


def _on_the_same_reviews(
    runs: Sequence[RecordedRun], others: Sequence[RecordedRun]
) -> list[RecordedRun]:
    """The study's runs and, of other studies, those on the study's (most used) reviews."""
    (main, _), *_ = Counter(run.spec.data.fingerprint for run in runs).most_common()
    return [run for run in (*runs, *others) if run.spec.data.fingerprint == main]


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


def _notices(runs: Sequence[RecordedRun]) -> list[str]:
    return [SYNTHETIC_NOTICE] if any(run.spec.data.dataset == SYNTHETIC for run in runs) else []
