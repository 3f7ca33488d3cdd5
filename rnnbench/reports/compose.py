"""Everything that the report of a study shows, from its runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rnnbench.claims.judge import judge_claims
from rnnbench.claims.kinds import Claim, TimingTest
from rnnbench.compare.answer import warn_of, write_answer
from rnnbench.compare.arms import describe_arm, describe_responses, describe_seeds
from rnnbench.compare.environments import tell_mixed
from rnnbench.compare.pairs import Scores, compare_accuracies
from rnnbench.compare.predictions import count_test_texts, read_correct, read_labels
from rnnbench.compare.rows import ArmRow, Curve
from rnnbench.compare.sections import Arm, Section, divide_runs
from rnnbench.compare.uncertainty import measure_uncertainty
from rnnbench.page.blocks import Fact
from rnnbench.published.rows import compare_with_published, published_curves
from rnnbench.reports.document import Document
from rnnbench.reports.facts import describe_study
from rnnbench.specs import SYNTHETIC, SYNTHETIC_NOTICE, DataSpec
from rnnbench.stats.crossed import ReviewWeights, draw_review_weights
from rnnbench.study import TIMING
from rnnbench.timing.page import describe_timing, warn_of_timing, write_timing_answer
from rnnbench.timing.rows import TimingPart
from rnnbench.tracking.runs import TrackedRun
from rnnbench.tuning.record import TuningRecord
from rnnbench.tuning.tuned import Matched, compose_tuning_part, match_textbook

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Declaration", "Sources", "compose_document", "compose_timing_document"]

Baseline = Callable[[DataSpec], ArmRow | None]
"""A row to beat on some reviews; None where they are not on this machine, or there is nothing."""


def no_baseline(_: DataSpec) -> ArmRow | None:
    """Where there is nothing to beat."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What the study laid down before it was run.

    Args:
        margin_points: the practical margin.
        tuned: by architecture, the values that tuning found; empty for any other study.
        notes: what a reader must know of it, such as a later change.
    """

    description: str = ""
    contrast: str = "architecture"
    pairing: str = "seed"
    margin_points: float = 0.5
    vary_split: bool = False
    tuned: Mapping[str, Mapping[str, float | int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a document is made from.

    Args:
        runs: of the study.
        others: runs of other studies, for the claims.
        problem: why MLflow could not be read; None if it could.
        n_deleted: runs of the study that somebody deleted in MLflow.
        command: the words that repeat the study; empty if nobody knows them.
        baseline, majority: what a network has to beat on the same reviews; None where unknown.
        searches: of a tuned study, by architecture.
        timing: what was timed in the folder.
    """

    study: str
    runs: Sequence[TrackedRun]
    declaration: Declaration
    claims: Sequence[Claim]
    baseline: Baseline
    majority: Baseline = no_baseline
    others: Sequence[TrackedRun] = ()
    problem: str | None = None
    n_deleted: int = 0
    command: str = ""
    searches: Mapping[str, TuningRecord] = field(default_factory=dict)
    timing: TimingPart | None = None


def compose_document(sources: Sources) -> Document:
    """Every row and sentence of the report."""
    declared = sources.declaration
    margin = declared.margin_points / 100
    is_paired = declared.pairing == "seed"
    sections = divide_runs(
        sources.runs,
        declared.contrast,
        vary_split=declared.vary_split,
        tuned=declared.tuned,
    )
    matched = match_textbook(declared.tuned, sources.runs, sources.others)
    on_same_reviews = _on_the_same_reviews(sources)
    n_test_of_claims = count_test_texts(on_same_reviews)
    arms = [row for section in sections for row in _arms_of(section, sources)]
    scores = {section.name: _scores(section) for section in sections}
    n_test = _count_texts(sections)
    pairs = compare_accuracies(scores.items(), margin=margin, is_paired=is_paired, n_test=n_test)
    uncertainty = [
        measure_uncertainty(
            section.name,
            scores[section.name],
            _Correct(section, labels),
            weights,
            margin=margin,
            n_family=max(len(pairs), 1),
            is_paired=is_paired,
            n_test=n_test[section.name],
        )
        for section, labels, weights in _with_labels(sections)
    ]
    return Document(
        study=sources.study,
        description=declared.description,
        contrast=declared.contrast,
        answer=write_answer(arms, pairs, margin=margin),
        warnings=warn_of(
            arms,
            pairs,
            margin=margin,
            is_paired=is_paired,
            n_test=min((n for n in n_test.values() if n is not None), default=None),
            notices=[*_notices(sources.runs), *declared.notes, *_mixed(sections, matched)],
            problem=sources.problem,
            n_deleted=sources.n_deleted,
        ),
        margin=margin,
        sections=tuple(section.name for section in sections),
        arms=tuple(arms),
        seeds=tuple(
            row
            for section in sections
            for arm in section.arms
            for row in describe_seeds(section.name, arm)
        ),
        responses=tuple(describe_responses(sections)),
        pairs=tuple(pairs),
        arm_uncertainty=tuple(row for found in uncertainty for row in found.arms),
        pair_uncertainty=tuple(row for found in uncertainty for row in found.pairs),
        curves=tuple(_curves(sections)),
        published_curves=tuple(published_curves(sections)),
        published=tuple(compare_with_published(sections)),
        claims=tuple(
            judge_claims(
                sources.claims,
                on_same_reviews,
                margin=margin,
                is_paired=is_paired,
                n_test=n_test_of_claims,
                timing=sources.timing,
            )
        ),
        timing=sources.timing,
        facts=tuple(
            describe_study(
                sources.runs,
                declared_margin=declared.margin_points,
                pairing=declared.pairing,
                vary_split=declared.vary_split,
                command=sources.command,
            )
        ),
        tuning=compose_tuning_part(
            declared.tuned,
            matched,
            sources.searches,
            margin=margin,
            is_paired=is_paired,
            n_test=n_test_of_claims,
        )
        if declared.tuned
        else None,
        made_at=time.strftime("%Y-%m-%d %H:%M"),
        is_split_varied=declared.vary_split,
    )


def compose_timing_document(part: TimingPart, claims: Sequence[Claim]) -> Document:
    """The page of what was timed, without any study: its answer, its tables, the claims on time."""
    timed = [claim for claim in claims if isinstance(claim.test, TimingTest)]
    return Document(
        study=TIMING,
        description="What a training step costs, with and without recurrent dropout, and why",
        contrast="arm",
        answer=write_timing_answer(part),
        warnings=warn_of_timing(part),
        margin=0.0,
        sections=(),
        arms=(),
        seeds=(),
        responses=(),
        pairs=(),
        arm_uncertainty=(),
        pair_uncertainty=(),
        curves=(),
        published_curves=(),
        published=(),
        claims=tuple(judge_claims(timed, (), margin=0.0, is_paired=False, timing=part)),
        facts=tuple(Fact(name=name, value=value) for name, value in describe_timing(part)),
        timing=part,
        made_at=time.strftime("%Y-%m-%d %H:%M"),
    )


class _Correct(Mapping[str, "Mapping[int, NDArray[np.bool_]]"]):
    """By arm and seed, which reviews a run got right; read when asked for, and not kept."""

    def __init__(self, section: Section, labels: NDArray[np.int8] | None) -> None:
        self._arms: dict[str, Arm] = {arm.name: arm for arm in section.arms}
        self._labels = labels

    def __getitem__(self, name: str) -> Mapping[int, NDArray[np.bool_]]:
        return read_correct(self._arms[name].finished, self._labels)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arms)

    def __len__(self) -> int:
        return len(self._arms)


def _arms_of(section: Section, sources: Sources) -> list[ArmRow]:
    """The section's rows, and below them the baselines on the same reviews."""
    rows = [describe_arm(section.name, arm) for arm in section.arms]
    seen = list(dict.fromkeys(arm.spec.data for arm in section.arms))
    if len(seen) == 1:
        found = (sources.baseline(seen[0]), sources.majority(seen[0]))
        rows += [replace(row, section=section.name) for row in found if row is not None]
    return rows


def _scores(section: Section) -> Scores:
    return {arm.name: _arm_scores(arm) for arm in section.arms}


def _arm_scores(arm: Arm) -> dict[int, float]:
    """Test accuracy by seed, ascending."""
    return {
        run.spec.seed: run.result.test_accuracy
        for run in arm.finished
        if run.result is not None and run.result.test_accuracy is not None
    }


def _count_texts(sections: Sequence[Section]) -> dict[str, int | None]:
    """By section, how many texts its runs are scored on; each data set is opened once."""
    known: dict[str, int | None] = {}
    for section in sections:
        reviews = section.arms[0].spec.data.fingerprint
        if reviews not in known:
            known[reviews] = count_test_texts([run for arm in section.arms for run in arm.runs])
    return {section.name: known[section.arms[0].spec.data.fingerprint] for section in sections}


def _with_labels(
    sections: Sequence[Section],
) -> Iterator[tuple[Section, NDArray[np.int8] | None, ReviewWeights | None]]:
    """Each section with its test labels, and one draw of review weights for each data set."""
    import numpy as np

    known: dict[str, tuple[NDArray[np.int8] | None, ReviewWeights | None]] = {}
    for section in sections:
        fingerprint = section.arms[0].spec.data.fingerprint
        if fingerprint not in known:
            labels = read_labels(fingerprint)
            weights = None
            if labels is not None:
                weights = draw_review_weights(len(labels), np.random.default_rng(0))
            known[fingerprint] = labels, weights
        yield (section, *known[fingerprint])


def _curves(sections: Sequence[Section]) -> Iterator[Curve]:
    for section in sections:
        for arm in section.arms:
            for run in arm.runs:
                if run.history is not None and len(run.history):
                    yield Curve(
                        section=section.name,
                        arm=arm.name,
                        seed=run.spec.seed,
                        history=run.history,
                    )


def _on_the_same_reviews(sources: Sources) -> list[TrackedRun]:
    """The study's runs and, of other studies, those on the study's (most used) reviews."""
    (main, _), *_ = Counter(run.spec.data.fingerprint for run in sources.runs).most_common()
    return [run for run in (*sources.runs, *sources.others) if run.spec.data.fingerprint == main]


def _mixed(sections: Sequence[Section], matched: Matched) -> Iterator[str]:
    """A sentence for each table whose runs were not made alike."""
    tables: dict[str, Mapping[str, Sequence[TrackedRun]]] = {
        section.name: {arm.name: arm.finished for arm in section.arms} for section in sections
    }
    tables |= {f"{name}, tuned against textbook": found for name, found in matched.items()}
    for name, table in tables.items():
        arms = [(arm, [run.result for run in runs if run.result]) for arm, runs in table.items()]
        if sentence := tell_mixed(name, arms):
            yield sentence


def _notices(runs: Sequence[TrackedRun]) -> list[str]:
    return [SYNTHETIC_NOTICE] if any(run.spec.data.dataset == SYNTHETIC for run in runs) else []
