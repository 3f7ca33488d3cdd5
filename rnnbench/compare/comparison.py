"""The runs of a study compared with each other, by what the study declared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from rnnbench.compare.arms import describe_arm, describe_responses, describe_seeds, scores_by_seed
from rnnbench.compare.pairs import Scores, compare_accuracies
from rnnbench.compare.predictions import count_test_texts, read_correct, read_labels, read_predicted
from rnnbench.compare.reach import seeds_to_decide
from rnnbench.compare.rows import ArmRow, Curve, PairRow, ResponseRow, SeedRow, Withheld
from rnnbench.compare.sections import Arm, Section
from rnnbench.compare.standing import NEVER_LOOKED_AT, Standing, mark_pairs
from rnnbench.compare.uncertainty import (
    Judged,
    Resample,
    Uncertainty,
    judge_new_reviews,
    measure_uncertainty,
)
from rnnbench.compare.unlearned import BY_ACCURACY, FloorName
from rnnbench.data.dataset import chance_recall
from rnnbench.errors import DataError
from rnnbench.looks import RULE, rule_of
from rnnbench.metrics import METRICS, USUAL_METRIC, points_of
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import DataSpec, RunSpec, noun_of
from rnnbench.stats.crossed import (
    ReviewWeights,
    draw_review_weights,
    resample_f1,
    resample_reviews,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Baselines: TypeAlias = Callable[[Collection[RunSpec]], Iterable[ArmRow]]
"""The rows that the arms of a table have to beat; none where their reviews are not here."""

Floor: TypeAlias = Callable[[DataSpec], float | None]
"""The validation accuracy above which a run has learned; None where nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What the study laid down before it was run.

    Args:
        contrast: the factor that the arms of a section differ in.
        metric: what runs are compared by.
        margin_points: the practical margin, of that.
        vary_split: whether each seed has a split of its own.
        tuned: by architecture, the values that tuning found; empty for any other study.
        notes: what a reader must know of it, such as a later change.
        is_changed: whether any of the `RULE` was changed after runs had been planned.
    """

    description: str = ""
    contrast: str = "architecture"
    pairing: str = "seed"
    metric: str = USUAL_METRIC
    margin_points: float = 0.5
    vary_split: bool = False
    tuned: Mapping[str, Mapping[str, float | int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    is_changed: bool = False

    @property
    def rule(self) -> dict[str, Any]:  # Any: text and a number
        """What verdicts go by: noted with each look."""
        return rule_of({name: getattr(self, name) for name in RULE})

    @property
    def words(self) -> str:
        """What runs are compared by: `test accuracy`."""
        return METRICS[self.metric]

    @property
    def points(self) -> str:
        """What its differences are in: `accuracy points`."""
        return points_of(self.metric)

    @property
    def margin(self) -> float:
        """The practical margin, as a fraction."""
        return self.margin_points / 100

    @property
    def is_paired(self) -> bool:
        """Whether runs of the same seed are compared with each other."""
        return self.pairing == "seed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All rows on a study's runs; plain text everywhere, nothing escaped yet.

    Args:
        sections: headings in order; rows name theirs. One empty heading: a single section.
        arms: with the baselines below those of their section.
        floors: by what the runs were held to have learned.
        class_weights: which of them runs were trained with.
        scores: by section, arm and seed, of the runs that learned.
        is_learning_known: whether anybody can tell which runs learned.
        n_test: over how many texts one weighs (`weigh_texts`), in the section with the fewest; None
            where unknown.
        noun: what people call these texts: `reviews` or `texts`.
        standing: what was looked at before, and what is still to come.
    """

    declared: Declaration
    sections: tuple[str, ...]
    arms: tuple[ArmRow, ...]
    seeds: tuple[SeedRow, ...]
    responses: tuple[ResponseRow, ...]
    pairs: tuple[PairRow, ...]
    uncertainty: Uncertainty
    curves: tuple[Curve, ...]
    scores: Mapping[str, Scores]
    floors: frozenset[FloorName] = BY_ACCURACY
    class_weights: frozenset[str] = frozenset()
    n_test: int | None = None
    noun: str = "reviews"
    is_learning_known: bool = True
    standing: Standing = NEVER_LOOKED_AT

    @property
    def look(self) -> int:
        """The number of this look, from 1."""
        return self.standing.number

    @property
    def withheld(self) -> Withheld:
        """Why there is no verdict on anything; empty where there are some, and a look is spent."""
        is_any = self._is_any_judged or self._are_failures_judged
        return self.standing.withheld or ("" if is_any else "descriptive only")

    @property
    def _is_any_judged(self) -> bool:
        return any(row.is_judged for row in self.pairs)

    @property
    def _are_failures_judged(self) -> bool:
        """Whether runs that did not learn can be compared, in as many runs as a pair takes."""
        networks = [row for row in self.arms if not row.is_baseline]
        is_any = bool(self.pairs) and any(row.n_lost for row in networks)
        return is_any and min(row.n_trained for row in networks) >= self.n_needed

    @property
    def n_tests(self) -> int:
        """Pairs that are tested, over all sections; where none is judged yet, all."""
        if not self._is_any_judged:
            return len(self.pairs)
        return max(row.n_family for row in self.pairs)

    @property
    def n_needed(self) -> int:
        """Runs an arm from which on this look gives a verdict on each pair."""
        return seeds_to_decide(
            max(self.n_tests, 1), is_paired=self.declared.is_paired, look=self.look
        )

    @property
    def is_coarse(self) -> bool:
        """Whether one test text of some pair weighs more than the margin."""
        return any(row.is_too_coarse for row in self.pairs)

    @property
    def compared(self) -> list[tuple[PairRow, Scores]]:
        """Each pair with the scores of its section."""
        return [(pair, self.scores[pair.section]) for pair in self.pairs]


def compare_runs(
    sections: Sequence[Section],
    declared: Declaration,
    baselines: Baselines,
    *,
    is_learning_known: bool = False,
    standing: Standing = NEVER_LOOKED_AT,
) -> Comparison:
    """Every row; the sections are one family of tests.

    Args:
        is_learning_known: whether anybody can tell which runs learned.
        standing: what `find_standing` found.
    """
    metric = declared.metric
    scores, n_test = _scores(sections, metric), _count_texts(sections, metric)
    pairs = _judge_pairs(sections, declared, scores, n_test, standing)
    placed = [(section.name, arm) for section in sections for arm in section.arms]
    runs = [run for _, arm in placed for run in arm.runs]
    finished = [run for run in runs if run.is_finished]
    return Comparison(
        declared=declared,
        sections=tuple(section.name for section in sections),
        arms=tuple(row for each in sections for row in _describe_arms(each, baselines, metric)),
        seeds=tuple(row for name, arm in placed for row in describe_seeds(name, arm, metric)),
        responses=tuple(describe_responses(sections, metric)),
        pairs=tuple(pairs),
        uncertainty=_measure_uncertainty(sections, scores, pairs, metric, standing),
        scores=scores,
        floors=frozenset(_judge_by(run, metric) for run in finished or runs),
        class_weights=frozenset(arm.spec.recipe.class_weight for _, arm in placed),
        is_learning_known=is_learning_known,
        standing=standing,
        curves=tuple(_take_curves(placed)),
        n_test=min((n for n in n_test.values() if n is not None), default=None),
        noun=noun_of(arm.spec.data for _, arm in placed),
    )


def describe_baselines(section: Section, baselines: Baselines) -> list[ArmRow]:
    """What the section's arms have to beat."""
    found = baselines([arm.spec for arm in section.arms])
    return [replace(row, section=section.name) for row in found]


def find_unlearned(
    runs: Iterable[RecordedRun], floor: Floor, metric: str = USUAL_METRIC
) -> frozenset[str] | None:
    """The fingerprints of finished runs that did not pass the floor of their reviews.

    Runs that are not after accuracy have to pass `chance_recall` (see `_judge_by`). None where no
    floor is known: then nobody can tell.

    Args:
        metric: what runs are compared by.
    """
    known: dict[tuple[DataSpec, bool], float | None] = {}
    found = set()
    for run in runs:
        if run.result is None or not run.is_finished:
            continue
        result, data = run.result, run.spec.data
        is_recall = _judge_by(run, metric) != "accuracy"
        reached = result.val_macro_recall if is_recall else result.val_accuracy
        if reached is None:
            continue
        key = data, is_recall
        if key not in known:
            known[key] = _recall_floor(data) if is_recall else floor(data)
        least = known[key]
        if least is not None and reached <= least:
            found.add(run.spec.fingerprint)
    return None if all(least is None for least in known.values()) else frozenset(found)


def _judge_by(run: RecordedRun, metric: str) -> FloorName:
    """What tells whether a run learned.

    With class weights its recall in validation, and also where runs are compared by macro-F1, if
    that was kept: who finds a rare class may have the accuracy of who never names it.
    """
    is_kept = run.result is not None and run.result.val_macro_recall is not None
    if is_kept and metric != USUAL_METRIC:
        return "recall, by macro-F1"
    return "recall, weighted" if run.spec.recipe.class_weight == "balanced" else "accuracy"


def _recall_floor(data: DataSpec) -> float | None:
    try:
        return chance_recall(data)
    except DataError:
        return None


def _scores(
    sections: Sequence[Section], metric: str, seen: frozenset[str] | None = None
) -> dict[str, Scores]:
    """By section, arm and seed the scores of the runs that learned; of those that were seen."""
    return {
        section.name: {
            arm.name: scores_by_seed(
                (run for run in arm.learned if seen is None or run.spec.fingerprint in seen), metric
            )
            for arm in section.arms
        }
        for section in sections
    }


def _judge_pairs(
    sections: Sequence[Section],
    declared: Declaration,
    scores: Mapping[str, Scores],
    n_test: Mapping[str, int | None],
    standing: Standing,
) -> list[PairRow]:
    """The verdicts of this look, and those that earlier ones gave."""
    compared = compare_accuracies(
        scores.items(),
        margin=declared.margin,
        is_paired=declared.is_paired,
        n_test=n_test,
        earlier=[_scores(sections, declared.metric, seen).items() for seen in standing.seen],
    )
    return mark_pairs(compared, standing, declared.rule)


def _measure_uncertainty(
    sections: Sequence[Section],
    scores: Mapping[str, Scores],
    pairs: Sequence[PairRow],
    metric: str,
    standing: Standing,
) -> Uncertainty:
    """Of every section, and whether the verdicts hold on other test texts."""
    look = standing.following if any(row.is_judged for row in pairs) else standing.number
    found = [
        measure_uncertainty(
            section.name,
            scores[section.name],
            judged,
            weights,
            [pair for pair in pairs if pair.section == section.name],
            n_family=max(len(pairs), 1),
            look=look,
            resample=resample,
        )
        for section, judged, weights, resample in _with_predictions(sections, metric)
    ]
    of_pairs = [row for each in found for row in each.pairs]
    return Uncertainty(
        tuple(row for each in found for row in each.arms),
        judge_new_reviews(of_pairs, pairs, standing.number),
    )


def _take_curves(placed: Iterable[tuple[str, Arm]]) -> Iterator[Curve]:
    """Of every run that has any epochs, by its section and arm."""
    for name, arm in placed:
        for run in arm.runs:
            if run.history is not None and len(run.history):
                yield Curve(section=name, arm=arm.name, seed=run.spec.seed, history=run.history)


def _count_texts(sections: Sequence[Section], metric: str) -> dict[str, int | None]:
    """By section, over how many texts one weighs; each data set is opened once."""
    known: dict[str, int | None] = {}
    for section in sections:
        if section.reviews not in known:
            runs = [run for arm in section.arms for run in arm.runs]
            known[section.reviews] = count_test_texts(runs, metric)
    return {section.name: known[section.reviews] for section in sections}


def _with_predictions(
    sections: Sequence[Section], metric: str
) -> Iterator[tuple[Section, Judged, ReviewWeights | None, Resample]]:
    """Each section, what its runs said, and one draw of review weights for each data set."""
    import numpy as np

    known: dict[str, tuple[NDArray[np.int8] | None, ReviewWeights | None]] = {}
    for section in sections:
        if section.reviews not in known:
            labels = read_labels(section.arms[0].spec.data)
            weights = None
            if labels is not None:
                weights = draw_review_weights(len(labels), np.random.default_rng(0))
            known[section.reviews] = labels, weights
        labels, weights = known[section.reviews]
        resample: Resample = resample_reviews
        if metric != USUAL_METRIC and labels is not None:
            resample = partial(resample_f1, labels)
        yield section, _judged_by(section, labels, metric), weights, resample


def _judged_by(section: Section, labels: NDArray[np.int8] | None, metric: str) -> Judged:
    """Reads an arm's predictions when asked for them, and keeps none."""
    arms = {arm.name: arm for arm in section.arms}
    if metric == USUAL_METRIC:
        return lambda name: read_correct(arms[name].learned, labels)
    return lambda name: read_predicted(arms[name].learned, labels)


def _describe_arms(section: Section, baselines: Baselines, metric: str) -> list[ArmRow]:
    """The section's rows, and below them the baselines on the same texts."""
    rows = [describe_arm(section.name, arm, metric) for arm in section.arms]
    return [*rows, *describe_baselines(section, baselines)]
