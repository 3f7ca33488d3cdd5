"""Whether anything was learnt, in plain words: said first by the report, and by `rnnbench run`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnnbench.compare.arms import is_still_improving, scores_by_seed
from rnnbench.compare.next_step import next_step
from rnnbench.compare.predictions import read_correct, read_labels
from rnnbench.compare.reach import tell_few_texts
from rnnbench.compare.rows import ArmRow, BaselineRow
from rnnbench.compare.sections import Arm, Section
from rnnbench.metrics import USUAL_METRIC
from rnnbench.output.amounts import plural, some
from rnnbench.page.texts import number, per_cent, within
from rnnbench.specs import SYNTHETIC
from rnnbench.stats.crossed import crossed_interval
from rnnbench.stats.intervals import Interval

Kind: TypeAlias = Literal[
    "few texts", "nothing learnt", "majority", "some no better", "bag of words", "cut short"
]

FEWEST_TEXTS = 50
"""Test texts below which nothing is set against a baseline."""

_MOST_NAMED = 4
_CHANCE = {
    "none": "always predicting the most common class",
    "balanced": "guessing, by the mean recall of the classes",
}
"""By class weights: what a run must be clearly better than to have learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What must be said first of a study's runs, by what it is about; and what to try next.

    Args:
        findings: none where the runs are sound.
        next_step: a command in words; empty where there is none to be named.
    """

    findings: tuple[tuple[Kind, str], ...] = ()
    next_step: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings, and the next step after them."""
        told = [sentence for _, sentence in self.findings]
        return (*told, f"To try next: {self.next_step}") if self.next_step else tuple(told)

    def says(self, *kinds: Kind) -> bool:
        """Whether there is a finding of one of these kinds."""
        return any(kind in kinds for kind, _ in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lead:
    """What an arm's mean score is above that of its section's baseline.

    Args:
        of_texts: the 95 % interval on other texts, the runs taken as they are.
        of_both: on other texts and of other runs; both are None by macro-F1, and where predictions
            were not kept, the second of a single run too.
    """

    name: str
    mean: float
    baseline: ArmRow
    difference: float
    of_texts: Interval | None
    of_both: Interval | None

    @property
    def is_behind(self) -> bool:
        """Whether the arm cannot be told from one that is no better."""
        return self.difference <= 0 if self.of_texts is None else self.of_texts.low <= 0


def find_outcome(
    sections: Sequence[Section],
    baselines: Iterable[ArmRow],
    *,
    n_test: int | None,
    n_texts: int | None,
    margin: float,
    command: str,
    metric: str = USUAL_METRIC,
) -> Outcome:
    """What came of the runs; nothing of synthetic reviews, which decide nothing.

    Whether a network beats the majority class, or the bag of words the networks, is asked once no
    run is missing, and of 50 test texts at least.

    Args:
        baselines: of each section; those of others do not count.
        n_test: over how many texts one weighs (`weigh_texts`); None where unknown.
        n_texts: how many test texts there are; None where unknown.
        margin: the practical margin, a fraction.
        command: the words that ran them; empty if nobody knows.
        metric: what runs are compared by.
    """
    arms = [(section.name, arm) for section in sections for arm in section.arms]
    specs = [run.spec for _, arm in arms for run in arm.runs]
    if not specs or all(spec.data.dataset == SYNTHETIC for spec in specs):
        return Outcome()
    few = tell_few_texts(n_test, margin, metric)
    findings: list[tuple[Kind, str]] = [("few texts", few)] if few else []
    if all(run.result is not None for _, arm in arms for run in arm.runs):
        findings += _against_baselines(arms, [*baselines], n_texts or 0, metric)
    findings += _tell_cut_short(arms)
    kinds = {kind for kind, _ in findings}
    return Outcome(
        findings=tuple(findings),
        next_step=next_step(
            specs,
            command,
            has_learnt=kinds.isdisjoint(("nothing learnt", "majority", "bag of words")),
            is_cut_short="cut short" in kinds,
        ),
    )


_Arms: TypeAlias = Sequence[tuple[str, Arm]]


def _against_baselines(
    arms: _Arms, baselines: Sequence[ArmRow], n_texts: int, metric: str
) -> Iterator[tuple[Kind, str]]:
    sections = {section for section, _ in arms}
    known = [
        row
        for row in baselines
        if n_texts >= FEWEST_TEXTS
        and row.section in sections
        and row.score(metric).mean is not None
    ]
    majorities = {row.section: row for row in known if row.is_majority}
    bags = {row.section: row for row in known if not row.is_majority}
    if not any(arm.learned for _, arm in arms):
        yield from _tell_nothing_learnt(arms, majorities, bags, metric)
        return
    compared = [
        (section, arm)
        for section, arm in arms
        if scores_by_seed(arm.learned, metric)
        and (arm.spec.recipe.class_weight == "none" or metric != USUAL_METRIC)
    ]
    yield from _tell_majority(_measure(compared, majorities, metric), metric)
    if metric == USUAL_METRIC:
        yield from _tell_bag_of_words(compared, bags)


def _tell_nothing_learnt(
    arms: _Arms, majorities: Mapping[str, ArmRow], bags: Mapping[str, ArmRow], metric: str
) -> Iterator[tuple[Kind, str]]:
    finished = [run for _, arm in arms for run in arm.finished]
    if not finished:
        return
    weights = {run.spec.recipe.class_weight for run in finished}
    chance = " or, with class weights, ".join(
        words for name, words in _CHANCE.items() if name in weights
    )
    did = f"none of {len(finished):,} runs did" if len(finished) > 1 else "the only run did not do"
    on_test = ""
    if majorities and "none" in weights:
        on_test = f" On the test texts that scores {_scores(majorities.values(), metric)}"
        on_test += f", a bag of words {_scores(bags.values(), metric)}." if bags else "."
    yield (
        "nothing learnt",
        f"No network learned: in validation {did} clearly better than {chance}.{on_test}",
    )


def _tell_majority(leads: Sequence[_Lead], metric: str) -> Iterator[tuple[Kind, str]]:
    behind = [lead for lead in leads if lead.is_behind]
    if not behind:
        return
    scores = _scores([lead.baseline for lead in behind], metric)
    score = f"always predicting the most common class scores {scores}"
    if len(behind) < len(leads):
        names = some([lead.name for lead in behind], _MOST_NAMED)
        yield "some no better", f"Not clearly better than the majority class: {names}; {score}."
        return
    is_clear = all(lead.of_texts is not None and lead.of_texts.high <= 0 for lead in leads)
    clearly = "" if is_clear else "clearly "
    yield "majority", f"No network {clearly}beats the majority class: {score}."


def _tell_bag_of_words(arms: _Arms, bags: Mapping[str, ArmRow]) -> Iterator[tuple[Kind, str]]:
    """Where it is better than every network, in accuracy."""
    placed = [(section, arm) for section, arm in arms if section in bags]
    scores = [(_mean(arm), bags[name].test_accuracy) for name, arm in placed]
    if not placed or any(mean >= (score or 0.0) for mean, score in scores):
        return  # before predictions are read: a study may have thousands of runs
    leads = _measure(placed, bags)
    if any(lead.of_both is None or lead.of_both.high >= 0 for lead in leads):
        return
    highest = max(lead.mean for lead in leads)
    best, *level = (lead for lead in leads if lead.mean > highest - 1e-12)
    assert best.of_both is not None
    networks = "network" if not level else "networks"
    by = f"{number(-100 * best.difference)} points {within(best.of_both.mirrored(), per_cent)}"
    yield (
        "bag of words",
        f"A bag of words, without any order, is better by {by}: it scores "
        f"{per_cent(best.baseline.test_accuracy)} %, the best {networks}, "
        f"{some([lead.name for lead in (best, *level)], _MOST_NAMED)}, {per_cent(best.mean)} %.",
    )


def _tell_cut_short(arms: _Arms) -> Iterator[tuple[Kind, str]]:
    cut = {
        _called(section, arm, arms): [run for run in arm.finished if is_still_improving(run)]
        for section, arm in arms
    }
    found = [run for of_arm in cut.values() for run in of_arm]
    if not found:
        return
    limits = " or ".join(f"{n:,}" for n in sorted({run.spec.recipe.epochs for run in found}))
    names = [f"{name} {len(of_arm)}" for name, of_arm in cut.items() if of_arm]
    n_finished = sum(len(arm.finished) for _, arm in arms)
    which = f"{len(found):,} of {plural(n_finished, 'run')} ({some(names, _MOST_NAMED)})"
    if len(found) == n_finished:
        which = f"all {n_finished:,} runs" if n_finished > 1 else "the only run"
    limit = f"{limits} {'epoch' if limits == '1' else 'epochs'}"
    yield "cut short", f"Stopped at the limit of {limit}, still improving: {which}."


def _measure(
    arms: _Arms, baselines: Mapping[str, ArmRow], metric: str = USUAL_METRIC
) -> list[_Lead]:
    """What each arm is above the baseline of its section."""
    return [
        _lead(_called(section, arm, arms), arm, baselines[section], metric)
        for section, arm in arms
        if section in baselines
    ]


def _lead(name: str, arm: Arm, baseline: ArmRow, metric: str) -> _Lead:
    mean = _mean(arm, metric)
    values = _text_by_text(arm, baseline) if metric == USUAL_METRIC else None
    of_texts = of_both = None
    if values is not None:
        of_texts = crossed_interval(values.mean(axis=0, keepdims=True))
        of_both = crossed_interval(values) if len(values) > 1 else None
    return _Lead(
        name=name,
        mean=mean,
        baseline=baseline,
        difference=mean - (baseline.score(metric).mean or 0.0),
        of_texts=of_texts,
        of_both=None if of_both is None else of_both.bounded(-1.0, 1.0),
    )


def _text_by_text(arm: Arm, baseline: ArmRow) -> NDArray[np.int8] | None:
    """`(n_seeds, n_texts)`: whether a run was right, less whether the baseline was; None where
    not all predictions are here."""
    right = baseline.right if isinstance(baseline, BaselineRow) else None
    correct = read_correct(arm.learned, read_labels(arm.spec.data.fingerprint))
    if right is None or not scores_by_seed(arm.learned).keys() <= correct.keys():
        return None
    return np.stack([*correct.values()]).astype(np.int8) - right.astype(np.int8)


def _called(section: str, arm: Arm, arms: _Arms) -> str:
    """The arm's name, and its section's where there are several."""
    return arm.name if len({each for each, _ in arms}) == 1 else f"{arm.name} ({section})"


def _mean(arm: Arm, metric: str = USUAL_METRIC) -> float:
    return fmean(scores_by_seed(arm.learned, metric).values())


def _scores(rows: Iterable[ArmRow], metric: str) -> str:
    """What baselines score, with their sections where that differs."""
    found = {row.section: f"{per_cent(row.score(metric).mean)} %" for row in rows}
    if len({*found.values()}) == 1:
        return next(iter(found.values()))
    return some([f"{score} ({section})" for section, score in found.items()], _MOST_NAMED)
