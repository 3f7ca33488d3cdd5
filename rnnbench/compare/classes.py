"""Which classes the networks find and which they confuse, from the predictions that are kept.

On data of the user's own, over the runs that learned: means over seeds, and the mistakes that they
are surest of. A number that cannot be had is NaN.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.compare.predictions import Predictions, read_predictions
from rnnbench.data.cache import open_corpus
from rnnbench.data.corpus import write_seen
from rnnbench.data.dataset import cut_and_pad
from rnnbench.data.text_summaries import find_summary
from rnnbench.errors import DataError
from rnnbench.specs import DataSpec
from rnnbench.stats.confusions import count_confusions, mean_f1, score_classes
from rnnbench.stats.intervals import mean_sd

if TYPE_CHECKING:
    from rnnbench.compare.sections import Arm, Section

N_MISTAKES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """How an arm does on one class: means over its runs, and standard deviations between them.

    Args:
        n_texts: test texts that have the class.
        n_predicted: test texts that were given it; the mean.
        precision: over the runs that gave the class to any text.
    """

    section: str
    arm: str
    class_name: str
    n_runs: int
    n_texts: int
    n_predicted: float
    precision: float
    precision_sd: float
    recall: float
    recall_sd: float
    f1: float
    f1_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionRow:
    """One cell of an arm's confusion matrix.

    Args:
        n_texts: test texts of the true class.
        n_predicted: of these, how many were given `predicted`; the mean over the runs.
        share: that of `n_texts`.
    """

    section: str
    arm: str
    truth: str
    predicted: str
    n_runs: int
    n_texts: int
    n_predicted: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MistakeRow:
    """A test text that was taken for what it is not.

    Args:
        predicted, probability: the class that was held for the likeliest, and how likely; by the
            mean of the runs' probabilities.
        n_wrong: runs, of `n_runs`, that were wrong about the text, whatever they said.
        text: as the network sees it; empty where the words are not known.
    """

    section: str
    arm: str
    truth: str
    predicted: str
    probability: float
    n_wrong: int
    n_runs: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmClasses:
    """What the runs of one arm, one or more, said of the test texts.

    Args:
        names: of the classes.
        confusions: int64 `(n_runs, n_classes, n_classes)`, as `count_confusions` gives them.
        mistakes: the surest first.
        has_learned: whether these are the runs that learned; else no run of any arm did.
    """

    section: str
    arm: str
    names: tuple[str, ...]
    confusions: NDArray[np.int64]
    mistakes: tuple[MistakeRow, ...]
    has_learned: bool = True

    @property
    def n_runs(self) -> int:
        """Runs whose predictions are here."""
        return len(self.confusions)

    @property
    def macro_f1(self) -> float:
        """The mean over the runs."""
        return float(np.mean([mean_f1(each) for each in self.confusions]))

    def rows(self) -> list[ClassRow]:
        """A row for each class, in their order."""
        found = [score_classes(each) for each in self.confusions]
        n_predicted = self.confusions.sum(axis=1).mean(axis=0)
        rows = []
        for at, name in enumerate(self.names):
            means: dict[str, Any] = {}
            for score in ("precision", "recall", "f1"):
                values = [float(getattr(each, score)[at]) for each in found]
                summary = mean_sd([value for value in values if value == value])
                means |= {score: summary.mean, f"{score}_sd": summary.sd}
            rows.append(
                ClassRow(
                    section=self.section,
                    arm=self.arm,
                    class_name=name,
                    n_runs=self.n_runs,
                    n_texts=int(self.confusions[0, at].sum()),
                    n_predicted=float(n_predicted[at]),
                    **means,
                )
            )
        return rows

    def cells(self) -> list[ConfusionRow]:
        """The confusion matrix, one true class after the other."""
        means = self.confusions.mean(axis=0)
        sizes = self.confusions[0].sum(axis=1)
        return [
            ConfusionRow(
                section=self.section,
                arm=self.arm,
                truth=truth,
                predicted=predicted,
                n_runs=self.n_runs,
                n_texts=int(sizes[row]),
                n_predicted=float(means[row, column]),
                share=float(means[row, column] / sizes[row]) if sizes[row] else float("nan"),
            )
            for row, truth in enumerate(self.names)
            for column, predicted in enumerate(self.names)
        ]

    def worst_confusions(self) -> list[ConfusionRow]:
        """The cells of mistakes that were made at all, those with most texts first."""
        wrong = [cell for cell in self.cells() if cell.truth != cell.predicted and cell.n_predicted]
        return sorted(wrong, key=lambda cell: -cell.n_predicted)


def describe_arms(sections: Iterable[Section]) -> tuple[ArmClasses, ...]:
    """What the arms on data of the user's own said of the test texts.

    Only runs that learned count; where no run of any arm did, all that finished. Arms whose texts
    or predictions are not on this machine are left out.
    """
    placed = [
        (section.name, arm) for section in sections for arm in section.arms if arm.spec.data.is_own
    ]
    has_learned = any(arm.learned for _, arm in placed)
    found = (_describe_arm(name, arm, has_learned=has_learned) for name, arm in placed)
    return tuple(each for each in found if each is not None)


def describe_predictions(
    found: Iterable[Predictions],
    labels: NDArray[np.int8],
    names: Sequence[str],
    write_text: Callable[[int], str],
    *,
    section: str = "",
    arm: str = "",
) -> ArmClasses:
    """What one run or several said of the same texts.

    Args:
        found: of each run; at least one.
        labels: int8 `(n_texts,)`.
        names: of the classes.
        write_text: the words of a text, by its place.
    """
    confusions = []
    n_wrong = np.zeros(len(labels), dtype=np.int64)
    probability = np.zeros((len(labels), len(names)))
    for kept in found:
        confusions.append(count_confusions(labels, kept.predicted, len(names)))
        n_wrong += kept.predicted != labels
        probability += kept.probability
    probability /= len(confusions)
    return ArmClasses(
        section=section,
        arm=arm,
        names=tuple(names),
        confusions=np.stack(confusions),
        mistakes=tuple(
            MistakeRow(
                section=section,
                arm=arm,
                truth=names[labels[place]],
                predicted=names[probability[place].argmax()],
                probability=float(probability[place].max()),
                n_wrong=int(n_wrong[place]),
                n_runs=len(confusions),
                text=write_text(place),
            )
            for place in _surest_mistakes(probability, labels)
        ),
    )


def _describe_arm(section: str, arm: Arm, *, has_learned: bool) -> ArmClasses | None:
    try:
        summary = find_summary(arm.spec.data)
    except DataError:
        return None
    labels, names = summary.test_labels, summary.classes
    kept = (read_predictions(run) for run in (arm.learned if has_learned else arm.finished))
    found = (each for each in kept if each is not None and each.is_of(labels, len(names)))
    first = next(found, None)
    if first is None:
        return None
    described = describe_predictions(
        itertools.chain([first], found),
        labels,
        names,
        lambda place: _write_test_text(arm.spec.data, place),
        section=section,
        arm=arm.name,
    )
    return replace(described, has_learned=has_learned)


def _write_test_text(data: DataSpec, place: int) -> str:
    """As the network sees it; empty where the texts are not here."""
    try:
        corpus = open_corpus(data.fingerprint)
    except DataError:
        return ""
    rows = np.array([place])
    (tokens,) = cut_and_pad(corpus.test, rows, num_words=data.num_words, max_len=data.max_len)
    return write_seen(tokens, corpus.vocabulary)


def _surest_mistakes(probability: NDArray[np.float64], labels: NDArray[np.int8]) -> list[int]:
    """The places of the texts that get a wrong class by the largest probability."""
    wrong = np.flatnonzero(probability.argmax(axis=1) != labels)
    order = np.argsort(-probability[wrong].max(axis=1), kind="stable")
    return [int(place) for place in wrong[order][:N_MISTAKES]]
