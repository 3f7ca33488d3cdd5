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
from rnnbench.output.amounts import plural
from rnnbench.page.texts import number, per_cent, within
from rnnbench.specs import SYNTHETIC
from rnnbench.stats.crossed import crossed_interval
from rnnbench.stats.intervals import Interval, t_interval

Kind: TypeAlias = Literal[
    "few texts", "nothing learnt", "majority", "some no better", "bag of words", "cut short"
]

FEWEST_TEXTS = 50
"""Test texts below which nothing is set against a baseline."""

LEVEL = 0.95
_MOST_NAMED = 4


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
    """What an arm's mean score is above a baseline's, in other seeds and on other texts.

    Args:
        score: the baseline's.
        together, alone: the interval that holds with those of all arms at 95 %, and the one that
            holds by itself; None where one run kept no predictions.
    """

    name: str
    mean: float
    score: float
    difference: float
    together: Interval | None
    alone: Interval | None


def find_outcome(
    sections: Sequence[Section],
    baselines: Iterable[ArmRow],
    *,
    n_test: int | None,
    margin: float,
    command: str,
    metric: str = USUAL_METRIC,
) -> Outcome:
    """What came of the runs; nothing of synthetic reviews, which decide nothing.

    Whether a network beats the majority class, or the bag of words the networks, is asked once no
    run is missing, and of 50 test texts at least.

    Args:
        baselines: of each section.
        n_test: over how many texts one weighs (`weigh_texts`); None where unknown.
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
        findings += _against_baselines(arms, [*baselines], n_test, metric)
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
    arms: _Arms, baselines: Sequence[ArmRow], n_test: int | None, metric: str
) -> Iterator[tuple[Kind, str]]:
    learned = [(section, arm) for section, arm in arms if scores_by_seed(arm.learned, metric)]
    known = [row for row in baselines if row.score(metric).mean is not None]
    majorities = {row.section: row for row in known if row.is_majority}
    bags = {row.section: row for row in known if not row.is_majority}
    if not learned:
        yield from _tell_nothing_learnt(arms, [*majorities.values()], [*bags.values()], metric)
    elif n_test is not None and n_test >= FEWEST_TEXTS:
        yield from _tell_majority(_measure(learned, majorities, metric))
        yield from _tell_bag_of_words(learned, bags, metric)


def _tell_nothing_learnt(
    arms: _Arms, majorities: Sequence[ArmRow], bags: Sequence[ArmRow], metric: str
) -> Iterator[tuple[Kind, str]]:
    n_finished = sum(len(arm.finished) for _, arm in arms)
    if not n_finished:
        return
    scores = [
        f"{words} {_per_cent(rows[0].score(metric).mean)}"
        for words, rows in (("that scores", majorities), ("a bag of words", bags))
        if rows
    ]
    on_test = f" On the test texts {', '.join(scores)}." if majorities else ""
    yield (
        "nothing learnt",
        f"Nothing beats the majority class: in validation none of {plural(n_finished, 'run')} did "
        f"clearly better than always predicting the most common class.{on_test}",
    )


def _tell_majority(leads: Sequence[_Lead]) -> Iterator[tuple[Kind, str]]:
    behind = [lead for lead in leads if lead.together is None or lead.together.low <= 0]
    if not behind:
        return
    score = f"always predicting the most common class scores {_per_cent(behind[0].score)}"
    if len(behind) < len(leads):
        names = _named([lead.name for lead in behind])
        yield "some no better", f"Not clearly better than the majority class: {names}; {score}."
        return
    clearly = "clearly " if any(lead.difference > 0 for lead in leads) else ""
    yield "majority", f"Nothing {clearly}beats the majority class: {score}."


def _tell_bag_of_words(
    arms: _Arms, bags: Mapping[str, ArmRow], metric: str
) -> Iterator[tuple[Kind, str]]:
    """Where it is better than every network."""
    placed = [(section, arm) for section, arm in arms if section in bags]
    scores = [(_mean(arm, metric), bags[name].score(metric).mean) for name, arm in placed]
    if not placed or any(mean >= (score or 0.0) for mean, score in scores):
        return  # before predictions are read: a study may have thousands of runs
    leads = _measure(placed, bags, metric)
    if any(lead.alone is None or lead.alone.high >= 0 for lead in leads):
        return
    highest = max(lead.mean for lead in leads)
    best, *level = (lead for lead in leads if lead.mean > highest - 1e-12)
    assert best.alone is not None
    networks = "network" if not level else "networks"
    by = f"{number(-100 * best.difference)} points {within(best.alone.mirrored(), per_cent)}"
    yield (
        "bag of words",
        f"A bag of words, without any order, is better by {by}: it scores "
        f"{_per_cent(best.score)}, the best {networks}, "
        f"{_named([lead.name for lead in (best, *level)])}, {_per_cent(best.mean)}.",
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
    which = f"{len(found):,} of {plural(n_finished, 'run')} ({_named(names)})"
    if len(found) == n_finished:
        which = f"all {n_finished:,} runs" if n_finished > 1 else "the only run"
    limit = f"{limits} {'epoch' if limits == '1' else 'epochs'}"
    yield "cut short", f"Stopped at the limit of {limit}, still improving: {which}."


def _measure(arms: _Arms, baselines: Mapping[str, ArmRow], metric: str) -> list[_Lead]:
    """What each arm is above the baseline of its section."""
    placed = [(section, arm) for section, arm in arms if section in baselines]
    return [
        _lead(_called(section, arm, arms), arm, baselines[section], len(placed), metric)
        for section, arm in placed
    ]


def _lead(name: str, arm: Arm, baseline: ArmRow, n_arms: int, metric: str) -> _Lead:
    scores, score = scores_by_seed(arm.learned, metric), baseline.score(metric).mean or 0.0
    values = _text_by_text(arm, baseline) if metric == USUAL_METRIC else None

    def interval(level: float) -> Interval | None:
        """Of other seeds and texts; of macro-F1, or without predictions, of seeds alone."""
        if values is not None:
            found = crossed_interval(values, level)
        else:
            found = t_interval([each - score for each in scores.values()], level)
            if found is not None and found.low == found.high:
                return None  # of runs all alike nothing shows how far another would lie
        return None if found is None else found.bounded(-1.0, 1.0)

    mean = _mean(arm, metric)
    return _Lead(
        name=name,
        mean=mean,
        score=score,
        difference=mean - score,
        together=interval(1 - (1 - LEVEL) / n_arms),
        alone=interval(LEVEL),
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


def _mean(arm: Arm, metric: str) -> float:
    return fmean(scores_by_seed(arm.learned, metric).values())


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    listed = ", ".join(names[:_MOST_NAMED])
    return f"{listed} and {more} more" if more > 0 else listed


def _per_cent(fraction: float | None) -> str:
    return f"{per_cent(fraction)} %"
