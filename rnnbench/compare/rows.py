"""The typed rows that tables and figures show; every one can be had as a line of CSV.

Accuracies, and differences of accuracies, are fractions here (0.80); what is shown to people is
in per cent and in points. An estimate that cannot be made is None, or NaN inside an `Interval`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from rnnbench.compare.reach import FEWEST_RUNS, is_too_coarse
from rnnbench.compare.verdicts import Size, Verdict, words_of
from rnnbench.output.amounts import ordinal
from rnnbench.stats.intervals import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Withheld: TypeAlias = Literal["", "interim", "look not on record", "descriptive only"]
"""Why a report gives no verdict on anything: planned seeds are missing, the look at them cannot be
kept, or too few runs or test texts; empty where it gives some."""

LATE = ", declared after a look"
"""What a verdict adds that rests on something declared after an earlier look."""


def in_section(section: str, name: str) -> str:
    """`max_len=50: lstm`; the name alone where there is one section only."""
    return f"{section}: {name}" if section else name


OPTIONAL = (
    *("test_macro_f1_min", "test_macro_f1_max", "test_macro_f1_t", "test_macro_f1_bootstrap"),
    "test_macro_f1_iqm",
    *("test_absolute_error", "test_absolute_error_sd"),
    *("test_quadratic_kappa", "test_quadratic_kappa_sd", "test_quadratic_kappa_n"),
)
"""Columns of an arm that only a study by macro-F1 has, or one of grades."""
RESPONSE_OPTIONAL = ("test_macro_f1", "test_macro_f1_sd", "test_macro_f1_t")
"""Columns of a response that only a study by macro-F1 has."""
_ENDS = ("", "_sd", "_min", "_max", "_t", "_bootstrap", "_iqm")


@dataclass(frozen=True, slots=True)
class Score:
    """One of an arm's scores, as the fields of its row have it."""

    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    t: Interval | None
    bootstrap: Interval | None
    iqm: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRow:
    """What the runs of one arm of the contrast, differing in their seed only, have in common.

    Args:
        section: the heading under which the row stands; empty where there is one section only.
        arm: the value of the contrast: an architecture, or `order=frozen`.
        n: finished runs that learned; everything below is over these.
        n_unlearned: finished runs that did not learn.
        n_at_limit: of these, how many came to the last epoch allowed without an early stop.
        test_accuracy_t, test_accuracy_bootstrap: 95 % intervals of the mean over seeds; the first
            is bounded to 0 to 1.
        test_accuracy_iqm: interquartile mean; None below five runs.
        test_macro_f1_min to test_macro_f1_iqm: the same where runs are compared by it, else None.
        test_absolute_error, test_quadratic_kappa: means where the classes are grades, else None.
        test_quadratic_kappa_n: runs of which the kappa is known.
        gap: validation loss minus the training loss evaluated without dropout, both of the best
            model; the mean.
        epoch_seconds, fit_seconds: means; None where the runs come from different hardware.
        hardware: the processor or the GPU behind the seconds.
        is_baseline: a row without a network, such as the bag of words, which has no seeds.
        is_majority: the baseline that always names the commonest class.
    """

    section: str
    arm: str
    n: int
    n_failed: int = 0
    n_diverged: int = 0
    n_unlearned: int = 0
    n_missing: int = 0
    n_at_limit: int = 0
    n_parameters: int | None = None
    test_accuracy: float | None = None
    test_accuracy_sd: float | None = None
    test_accuracy_min: float | None = None
    test_accuracy_max: float | None = None
    test_accuracy_t: Interval | None = None
    test_accuracy_bootstrap: Interval | None = None
    test_accuracy_iqm: float | None = None
    test_macro_f1: float | None = None
    test_macro_f1_sd: float | None = None
    test_loss: float | None = None
    test_loss_sd: float | None = None
    val_loss: float | None = None
    val_loss_sd: float | None = None
    gap: float | None = None
    gap_sd: float | None = None
    best_epoch: float | None = None
    best_epoch_sd: float | None = None
    epoch_seconds: float | None = None
    fit_seconds: float | None = None
    total_seconds: float | None = None
    hardware: str = ""
    is_baseline: bool = False
    is_majority: bool = False
    test_macro_f1_min: float | None = None
    test_macro_f1_max: float | None = None
    test_macro_f1_t: Interval | None = None
    test_macro_f1_bootstrap: Interval | None = None
    test_macro_f1_iqm: float | None = None
    test_absolute_error: float | None = None
    test_absolute_error_sd: float | None = None
    test_quadratic_kappa: float | None = None
    test_quadratic_kappa_sd: float | None = None
    test_quadratic_kappa_n: int | None = None

    def score(self, metric: str) -> Score:
        """What the runs are compared by."""
        return Score(*(getattr(self, f"{metric}{end}") for end in _ENDS))

    @property
    def n_lost(self) -> int:
        """Runs that were trained and came to nothing: they diverged, or did not learn."""
        return self.n_unlearned + self.n_diverged

    @property
    def n_trained(self) -> int:
        """Runs that learned, and those that came to nothing."""
        return self.n + self.n_lost


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaselineRow(ArmRow):
    """A row without a network.

    Args:
        right: bool `(n_test,)`, whether it judged each test text right; None where that was not
            kept.
    """

    right: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRow:
    """One dot: one finished run."""

    section: str
    arm: str
    seed: int
    test_accuracy: float
    test_loss: float
    val_loss: float
    gap: float
    best_epoch: int
    epoch_seconds: float | None
    test_macro_f1: float | None = None

    def score(self, metric: str) -> float:
        """What the runs are compared by."""
        return float(getattr(self, metric))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRow:
    """How the score responds to a hyperparameter that the study varies.

    Args:
        architecture: without the factor's value: `lstm`.
        factor, value: `units`, 8.
        others: the other hyperparameters that vary, as `dropout=0.3`; one line in the figure each.
        n: finished runs.
    """

    architecture: str
    factor: str
    value: float
    others: str
    n: int
    n_parameters: int | None
    test_accuracy: float | None
    test_accuracy_sd: float | None
    test_accuracy_t: Interval | None
    val_loss: float | None
    gap: float | None
    best_epoch: float | None
    epoch_seconds: float | None
    test_macro_f1: float | None = None
    test_macro_f1_sd: float | None = None
    test_macro_f1_t: Interval | None = None

    def score(self, metric: str) -> Score:
        """What the runs are compared by; of its spread the standard deviation and `t` alone."""
        return Score(*(getattr(self, f"{metric}{end}", None) for end in _ENDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """Two arms against each other, by what their study compares.

    Args:
        a, b: the arms' names; `difference` is the mean of a minus the mean of b.
        n_a, n_b: runs that enter; of paired runs both are the number of pairs.
        is_paired: compared seed by seed.
        correlation: of the paired scores (Pearson); None if unpaired or undefined.
        difference_interval: 95 % t interval of the difference of the means (paired, else Welch's).
        typical, typical_interval: the typical difference (Hodges and Lehmann), and of paired runs
            its 95 % interval, by the test that gives the verdict.
        probability: that one run of a beats one run of b, a tie counting half.
        p: two-sided, of the signed-rank test, or of `two_samples` where unpaired.
        p_holm, p_beyond, p_within, p_not_lower, p_not_higher: of the rule's questions, adjusted
            over the family (`verdicts.Answers`).
        n_family: tests in the family.
        margin: the practical margin that the study declared, as a fraction.
        size: of better and worse, how large the difference is against the margin.
        look: the number of the look that gave the verdict; None where none could be given.
        is_carried: whether that was an earlier look.
        n_needed: runs an arm from which on this look gives a verdict.
        is_descriptive_only: no verdict: too few runs, too few test texts for the margin, withheld.
        withheld: why no verdict is given, whatever the runs say; empty where that is not so.
        is_declared_late: an arm came in, or what verdicts go by was changed, after a look.
        is_without_spread: every run of a scored the same, and every run of b.
        n_test: texts over which the one that weighs most weighs (`weigh_texts`); None where
            unknown, or where nothing is scored on texts.
    """

    section: str
    a: str
    b: str
    n_a: int
    n_b: int
    is_paired: bool
    correlation: float | None
    difference: float | None
    difference_interval: Interval | None
    typical: float | None = None
    typical_interval: Interval | None = None
    probability: float | None
    probability_interval: Interval | None
    p: float | None
    p_holm: float | None = None
    p_beyond: float | None = None
    p_within: float | None = None
    p_not_lower: float | None = None
    p_not_higher: float | None = None
    n_family: int = 0
    n_needed: int = FEWEST_RUNS
    margin: float
    verdict: Verdict = "undetermined"
    size: Size | None = None
    look: int | None = None
    is_carried: bool = False
    is_descriptive_only: bool
    is_without_spread: bool = False
    withheld: Withheld = ""
    is_declared_late: bool = False
    n_test: int | None = None

    @property
    def is_judged(self) -> bool:
        """Whether this look could give a verdict, whatever earlier ones found."""
        is_enough = min(self.n_a, self.n_b) >= self.n_needed
        return is_enough and not (self.is_too_coarse or self.withheld or self.is_without_spread)

    @property
    def is_too_coarse(self) -> bool:
        """Whether one test text weighs more than the margin."""
        return is_too_coarse(self.n_test, self.margin)

    @property
    def remarks(self) -> str:
        """What a verdict owes to an earlier look: `, found at the first look`; nothing if open."""
        if self.is_declared_late and self.verdict != "undetermined":
            return LATE
        if self.is_carried and self.look is not None:
            return f", found at the {ordinal(self.look)} look"
        return ""

    @property
    def verdict_words(self) -> str:
        """`better, about the margin`, `equivalent`, `undetermined (descriptive only)`.

        Where no arm has any spread, `undetermined (no spread)`; `undetermined (interim)`;
        `equivalent, declared after a look`; `better, beyond the margin, found at the first look`.
        """
        words = words_of(self.verdict, self.size) + self.remarks
        if self.withheld:
            return f"{words} ({self.withheld})"
        if self.is_descriptive_only:
            return f"{words} (descriptive only)"
        return f"{words} (no spread)" if self.is_without_spread else words


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmUncertainty:
    """Where the uncertainty of one arm's mean score comes from.

    Args:
        seed_sd: standard deviation between seeds.
        seed_se, review_se, both_se: standard error of the mean over seeds if other seeds, other
            test reviews, or both had been drawn; bootstrapped. None without predictions.
        both_interval: 95 % t interval for both together, with the seeds' degrees of freedom.
    """

    section: str
    arm: str
    n: int
    n_reviews: int | None
    seed_sd: float | None
    seed_se: float | None
    review_se: float | None
    both_se: float | None
    both_interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairUncertainty:
    """The same for the difference of two arms, and what one seed would have told.

    Args:
        opposite: chance that one run of each would have told the opposite of the mean
            difference, over all combinations of their runs, a tie counting half.
        opposite_interval: its 95 % interval, that of the probability that one run beats another.
        n_opposite_seeds, n_seeds: of the seeds that both have, how many told the opposite.
        p_new_reviews, new_reviews, new_reviews_size: as `p_holm`, `verdict` and `size` of a
            `PairRow`, for other test reviews as well as other seeds.
        seeds_needed: paired seeds that find a difference of the margin with about 80 % power at the
            observed spread; None where the spread is unknown, where no arm has any, where single
            runs far from the others make it, and where one test text weighs more than the margin.
    """

    section: str
    a: str
    b: str
    seed_se: float | None
    review_se: float | None
    both_se: float | None
    both_interval: Interval | None
    opposite: float | None
    opposite_interval: Interval | None = None
    n_opposite_seeds: int | None
    n_seeds: int
    seeds_needed: int | None
    p_new_reviews: float | None = None
    new_reviews: Verdict = "undetermined"
    new_reviews_size: Size | None = None

    def holds(self, pair: PairRow) -> bool:
        """Whether all that the pair's verdict says is said of other test reviews too."""
        is_said = self.both_se is not None and self.new_reviews == pair.verdict
        return is_said and (pair.size == "about" or self.new_reviews_size == pair.size)

    @property
    def new_reviews_words(self) -> str:
        """`better, about the margin`, `equivalent`; `not measured` without predictions."""
        if self.both_se is None:
            return "not measured"
        return words_of(self.new_reviews, self.new_reviews_size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """The epochs of one run.

    Args:
        history: float64 `(n_epochs, 4)`: training loss and accuracy (running averages, with
            dropout), validation loss and accuracy; the first row is epoch 1.
    """

    section: str
    arm: str
    seed: int
    history: NDArray[np.float64]
