"""Whether anything was learnt, in plain words: said first by the report, and by `rnnbench run`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rnnbench.compare.arms import is_still_improving, scores_by_seed
from rnnbench.compare.baseline import LINEAR_MODELS, TF_IDF, with_article
from rnnbench.compare.leads import Lead, mean_score, measure_lead
from rnnbench.compare.next_step import next_step
from rnnbench.compare.reach import tell_few_texts
from rnnbench.compare.rows import ArmRow
from rnnbench.compare.sections import Arm, Section
from rnnbench.metrics import METRICS, USUAL_METRIC
from rnnbench.output.amounts import plural, some
from rnnbench.page.texts import number, per_cent, within
from rnnbench.specs import SYNTHETIC

Kind: TypeAlias = Literal[
    "few texts", "nothing learnt", "majority", "some no better", "linear model", "cut short"
]

FEWEST_TEXTS = 50
"""Test texts below which nothing is set against a baseline."""

NEAR = 0.02
"""How far behind TF-IDF the best network may lie before that is said."""

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


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A linear model that is ahead of every network.

    Args:
        best: the networks with the highest mean.
        is_clear: whether it would be so on other texts and in other runs.
    """

    name: str
    best: Sequence[Lead]
    is_clear: bool


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

    Whether a network beats the majority class, or a linear model the networks, is asked once no
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
            has_learnt=kinds.isdisjoint(("nothing learnt", "majority", "linear model")),
            is_cut_short="cut short" in kinds,
        ),
    )


_Arms: TypeAlias = Sequence[tuple[str, Arm]]
_Rows: TypeAlias = Mapping[str, ArmRow]  # by section


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
    linear = {
        name: {row.section: row for row in known if row.arm == name} for name in LINEAR_MODELS
    }
    if not any(arm.learned for _, arm in arms):
        yield from _tell_nothing_learnt(arms, majorities, linear, metric)
        return
    compared = [
        (section, arm)
        for section, arm in arms
        if scores_by_seed(arm.learned, metric)
        and (arm.spec.recipe.class_weight == "none" or metric != USUAL_METRIC)
    ]
    yield from _tell_majority(_measure(compared, majorities, metric), metric)
    if metric == USUAL_METRIC:
        yield from _tell_linear_model(compared, linear)


def _tell_nothing_learnt(
    arms: _Arms, majorities: _Rows, linear: Mapping[str, _Rows], metric: str
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
        scores = [f"that scores {_scores(majorities.values(), metric)}"]
        scores += [
            f"{with_article(name)} {_scores(rows.values(), metric)}"
            for name, rows in linear.items()
            if rows
        ]
        on_test = f" On the test texts {', '.join(scores)}."
    yield (
        "nothing learnt",
        f"No network learned: in validation {did} clearly better than {chance}.{on_test}",
    )


def _tell_majority(leads: Sequence[Lead], metric: str) -> Iterator[tuple[Kind, str]]:
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


def _tell_linear_model(arms: _Arms, rows: Mapping[str, _Rows]) -> Iterator[tuple[Kind, str]]:
    """Which is furthest ahead of the best network, in accuracy; one that clearly is comes first."""
    found = [ahead for name in rows if (ahead := _find_ahead(name, arms, rows[name]))]
    if not found:
        return
    ahead = max(found, key=lambda each: (each.is_clear, -each.best[0].difference))
    best, *level = ahead.best
    assert best.of_both is not None
    by = f"{number(-100 * best.difference)} points {within(best.of_both.mirrored(), per_cent)}"
    lead = f"is better by {by}"
    if not ahead.is_clear:
        lead = f"is ahead by {by} on these texts, not clearly"
    networks = "network" if not level else "networks"
    yield (
        "linear model",
        f"{LINEAR_MODELS[ahead.name]} {lead}: it scores {per_cent(best.baseline.test_accuracy)} %, "
        f"the best {networks}, {some([lead.name for lead in ahead.best], _MOST_NAMED)}, "
        f"{per_cent(best.mean)} %.",
    )


def _find_ahead(name: str, arms: _Arms, rows: _Rows) -> _Ahead | None:
    """A bag of words where it is clearly better than every network, TF-IDF where none is near it.

    None where it is not so; or where that is not known of other texts and runs.
    """
    placed = [(section, arm) for section, arm in arms if section in rows]
    near = NEAR if name == TF_IDF else 0.0
    scores = [(mean_score(arm), rows[section].test_accuracy or 0.0) for section, arm in placed]
    if not placed or any(mean > score - near - 1e-12 for mean, score in scores):
        return None  # before predictions are read: a study may have thousands of runs
    leads = _measure(placed, rows)
    highest = max(lead.mean for lead in leads)
    best = [lead for lead in leads if lead.mean > highest - 1e-12]
    asked = best[:1] if name == TF_IDF else leads
    if any(lead.of_both is None for lead in asked):
        return None
    is_clear = all(lead.of_both is not None and lead.of_both.high < 0 for lead in asked)
    return _Ahead(name, best, is_clear) if is_clear or name == TF_IDF else None


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


def _measure(arms: _Arms, rows: _Rows, metric: str = USUAL_METRIC) -> list[Lead]:
    """What each arm is above the baseline of its section."""
    return [
        measure_lead(_called(section, arm, arms), arm, rows[section], metric)
        for section, arm in arms
        if section in rows
    ]


def _called(section: str, arm: Arm, arms: _Arms) -> str:
    """The arm's name, and its section's where there are several."""
    return arm.name if len({each for each, _ in arms}) == 1 else f"{arm.name} ({section})"


def _scores(rows: Iterable[ArmRow], metric: str) -> str:
    """What baselines score, with their sections where that differs."""
    of_what = "" if metric == USUAL_METRIC else f" ({METRICS[metric]})"
    found = {row.section: f"{per_cent(row.score(metric).mean)} %{of_what}" for row in rows}
    if len({*found.values()}) == 1:
        return next(iter(found.values()))
    return some([f"{score} ({section})" for section, score in found.items()], _MOST_NAMED)
