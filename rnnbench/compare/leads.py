"""How far networks are ahead of a baseline on the same test texts, and how sure that is."""

from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from rnnbench.compare.arms import scores_by_seed
from rnnbench.compare.predictions import read_correct, read_labels
from rnnbench.compare.rows import ArmRow, BaselineRow
from rnnbench.compare.sections import Arm
from rnnbench.metrics import USUAL_METRIC
from rnnbench.stats.crossed import crossed_interval
from rnnbench.stats.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
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


def measure_lead(name: str, arm: Arm, baseline: ArmRow, metric: str) -> Lead:
    """What the arm is above the baseline; the intervals are text by text, so of accuracy alone."""
    mean = mean_score(arm, metric)
    values = _text_by_text(arm, baseline) if metric == USUAL_METRIC else None
    of_texts = of_both = None
    if values is not None:
        of_texts = crossed_interval(values.mean(axis=0, keepdims=True))
        of_both = crossed_interval(values) if len(values) > 1 else None
    return Lead(
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
    correct = read_correct(arm.learned, read_labels(arm.spec.data))
    if right is None or not scores_by_seed(arm.learned).keys() <= correct.keys():
        return None
    return np.stack([*correct.values()]).astype(np.int8) - right.astype(np.int8)


def mean_score(arm: Arm, metric: str = USUAL_METRIC) -> float:
    """Over the runs that learned."""
    return fmean(scores_by_seed(arm.learned, metric).values())
