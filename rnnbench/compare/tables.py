"""The tables of the page: typed rows in, cells of text out."""

from collections.abc import Mapping, Sequence

from rnnbench.compare.comparison import Comparison
from rnnbench.compare.rows import (
    ArmRow,
    ArmUncertainty,
    PairRow,
    PairUncertainty,
    ResponseRow,
    Score,
    SeedRow,
)
from rnnbench.compare.verdicts import Verdict
from rnnbench.metrics import METRICS, USUAL_METRIC
from rnnbench.output.amounts import plural
from rnnbench.page.tables import Column, Table, Tone, by_section
from rnnbench.page.texts import (
    NONE,
    chance,
    count,
    fine_duration,
    number,
    of_fewer,
    p_value,
    per_cent,
    points,
    signed_points,
    with_interval,
    with_sd,
    within,
)

_TONES: dict[Verdict, Tone] = {
    "better": "good",
    "worse": "bad",
    "equivalent": "same",
    "undetermined": "open",
}


def tabulate_scores(comparison: Comparison) -> Table[ArmRow]:
    """What each arm is compared by, and beside it the other of accuracy and macro-F1."""
    metric = comparison.declared.metric
    other = "test_macro_f1" if metric == USUAL_METRIC else USUAL_METRIC
    columns: list[Column[ArmRow]] = [
        Column(comparison.declared.contrast, lambda row: row.arm, is_number=False),
        Column("n", _n_of_arm),
        Column("mean ± SD (%)", lambda row: _mean_sd(row.score(metric))),
        Column("min–max (%)", lambda row: _range_of(row.score(metric))),
        Column("95 % t interval (%)", lambda row: within(row.score(metric).t, per_cent)),
        Column("bootstrap interval (%)", lambda row: within(row.score(metric).bootstrap, per_cent)),
        Column("interquartile mean (%)", lambda row: per_cent(row.score(metric).iqm)),
        Column("test loss", lambda row: with_sd(row.test_loss, row.test_loss_sd, _loss)),
    ]
    if any(getattr(row, other) is not None for row in comparison.arms if not row.is_baseline):
        words = METRICS[other].removeprefix("test ")
        columns.append(Column(f"{words} (%)", lambda row: _mean_sd(row.score(other))))
    return Table(
        _capital(comparison.declared.words),
        "architectures",
        columns,
        by_section(comparison.arms, comparison.sections),
    )


def tabulate_grades(comparison: Comparison) -> Table[ArmRow] | None:
    """How far off each arm is; None where the classes are no grades, or no run tells."""
    rows = [row for row in comparison.arms if row.test_absolute_error is not None]
    if all(row.is_baseline for row in rows):
        return None
    columns: list[Column[ArmRow]] = [
        Column(comparison.declared.contrast, lambda row: row.arm, is_number=False),
        Column("n", _n_of_arm),
        Column(
            "mean absolute error (grades)",
            lambda row: with_sd(row.test_absolute_error, row.test_absolute_error_sd, number),
        ),
        Column(
            "quadratic kappa",
            lambda row: (
                with_sd(row.test_quadratic_kappa, row.test_quadratic_kappa_sd, number)
                + of_fewer(row.test_quadratic_kappa_n, row.n)
            ),
        ),
    ]
    groups = by_section(rows, comparison.sections)
    return Table("As grades", "architectures", columns, groups)


def tabulate_costs(comparison: Comparison) -> Table[ArmRow]:
    """How the training of each arm went, and what it cost."""
    columns: list[Column[ArmRow]] = [
        Column(comparison.declared.contrast, lambda row: row.arm, is_number=False),
        Column("left out", _left_out, is_number=False),
        Column("parameters", lambda row: count(row.n_parameters)),
        Column("validation loss", lambda row: with_sd(row.val_loss, row.val_loss_sd, _loss)),
        Column("gap", lambda row: with_sd(row.gap, row.gap_sd, _loss)),
        Column("best epoch", lambda row: with_sd(row.best_epoch, row.best_epoch_sd, _epoch)),
        Column("s/epoch", lambda row: number(row.epoch_seconds)),
        Column("time a run", lambda row: fine_duration(row.fit_seconds)),
        Column("total time", lambda row: fine_duration(row.total_seconds)),
    ]
    if len({row.hardware for row in comparison.arms}) > 1:
        columns.append(Column("hardware", lambda row: row.hardware or NONE, is_number=False))
    return Table(
        "Training and cost",
        "architectures",
        columns,
        by_section(comparison.arms, comparison.sections),
    )


def tabulate_seeds(comparison: Comparison) -> Table[SeedRow]:
    """Every finished run."""
    declared = comparison.declared
    columns: list[Column[SeedRow]] = [
        Column(comparison.declared.contrast, lambda row: row.arm, is_number=False),
        Column("seed", lambda row: str(row.seed)),
        Column(f"{declared.words} (%)", lambda row: per_cent(row.score(declared.metric))),
        Column("test loss", lambda row: _loss(row.test_loss)),
        Column("validation loss", lambda row: _loss(row.val_loss)),
        Column("gap", lambda row: _loss(row.gap)),
        Column("best epoch", lambda row: count(row.best_epoch)),
        Column("s/epoch", lambda row: number(row.epoch_seconds)),
    ]
    groups = by_section(comparison.seeds, comparison.sections)
    summary = f"Every seed's values ({plural(len(comparison.seeds), 'run')})"
    return Table("Every seed", "seeds", columns, groups, summary)


def tabulate_responses(comparison: Comparison) -> Table[ResponseRow]:
    """The score at each value of the hyperparameters that the study varies."""
    declared = comparison.declared
    columns: list[Column[ResponseRow]] = [
        Column("architecture", lambda row: row.architecture, is_number=False),
        Column("setting", _setting, is_number=False),
        Column("n", lambda row: count(row.n)),
        Column("parameters", lambda row: count(row.n_parameters)),
        Column(
            f"{declared.words} (%)",
            lambda row: _mean_sd(row.score(declared.metric)),
        ),
        Column("95 % t interval (%)", lambda row: within(row.score(declared.metric).t, per_cent)),
        Column("validation loss", lambda row: _loss(row.val_loss)),
        Column("gap", lambda row: _loss(row.gap)),
        Column("best epoch", lambda row: _epoch(row.best_epoch)),
        Column("s/epoch", lambda row: number(row.epoch_seconds)),
    ]
    factors = dict.fromkeys(row.factor for row in comparison.responses)
    groups = [
        (
            factor if len(factors) > 1 else "",
            [row for row in comparison.responses if row.factor == factor],
        )
        for factor in factors
    ]
    return Table("Scores at each value", "responses", columns, groups)


def tabulate_pairs(
    rows: Sequence[PairRow],
    sections: Sequence[str],
    new_reviews: Mapping[tuple[str, str, str], str] | None = None,
    *,
    noun: str = "reviews",
    caption: str = "Pairs by test accuracy",
    csv: str = "pairs",
) -> Table[PairRow]:
    """Every pair of arms, with its verdict.

    Args:
        new_reviews: the verdict for other test texts too, by section and both arms.
        noun: what people call these texts.
    """
    columns: list[Column[PairRow]] = [
        Column("A − B", lambda row: f"{row.a} − {row.b}", is_number=False),
        Column("n", _n_runs),
        Column(
            "means (points) [95 %]",
            lambda row: with_interval(row.difference, row.difference_interval, signed_points),
        ),
        Column(
            "typical difference [95 %]",
            lambda row: with_interval(row.typical, row.typical_interval, signed_points),
        ),
        Column(
            "P(A > B) [95 %]",
            lambda row: with_interval(row.probability, row.probability_interval, number),
        ),
        Column("Holm p", lambda row: p_value(row.p_holm)),
        Column(
            "verdict on A",
            lambda row: row.verdict_words,
            is_number=False,
            tone=lambda row: _TONES[row.verdict],
        ),
    ]
    if new_reviews:
        columns.append(
            Column(
                f"and on other test {noun}",
                lambda row: new_reviews.get((row.section, row.a, row.b), NONE),
                is_number=False,
            )
        )
    return Table(caption, csv, columns, by_section(rows, sections))


def tabulate_arm_uncertainty(comparison: Comparison) -> Table[ArmUncertainty]:
    """Where the uncertainty of each mean comes from."""
    columns: list[Column[ArmUncertainty]] = [
        Column(comparison.declared.contrast, lambda row: row.arm, is_number=False),
        Column("n", lambda row: count(row.n)),
        Column("SD between seeds (points)", lambda row: points(row.seed_sd)),
        Column("SE: other seeds", lambda row: points(row.seed_se)),
        Column(f"SE: other test {comparison.noun}", lambda row: points(row.review_se)),
        Column("SE: both", lambda row: points(row.both_se)),
        Column("95 % interval, both (%)", lambda row: within(row.both_interval, per_cent)),
    ]
    return Table(
        f"The mean {comparison.declared.words} of each arm",
        "uncertainty_arms",
        columns,
        by_section(comparison.uncertainty.arms, comparison.sections),
    )


def tabulate_pair_uncertainty(comparison: Comparison) -> Table[PairUncertainty]:
    """The same of each difference, and what single seeds would have told."""
    columns: list[Column[PairUncertainty]] = [
        Column("A − B", lambda row: f"{row.a} − {row.b}", is_number=False),
        Column("SE: other seeds (points)", lambda row: points(row.seed_se)),
        Column(f"SE: other test {comparison.noun}", lambda row: points(row.review_se)),
        Column("SE: both", lambda row: points(row.both_se)),
        Column(
            "95 % interval, both (points)", lambda row: within(row.both_interval, signed_points)
        ),
        Column(
            "one run of each tells the opposite [95 %]",
            lambda row: with_interval(row.opposite, row.opposite_interval, chance),
        ),
        Column("seeds that told the opposite", _opposite_seeds),
        Column("seeds needed", lambda row: count(row.seeds_needed)),
    ]
    return Table(
        "The difference of each pair",
        "uncertainty_pairs",
        columns,
        by_section(comparison.uncertainty.pairs, comparison.sections),
    )


def _loss(value: float | None) -> str:
    return number(value, 4)


def _epoch(value: float | None) -> str:
    return number(value, 1)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _n_of_arm(row: ArmRow) -> str:
    return NONE if row.is_baseline else count(row.n)


def _mean_sd(score: Score) -> str:
    return with_sd(score.mean, score.sd, per_cent)


def _range_of(score: Score) -> str:
    ends = per_cent(score.low), per_cent(score.high)
    return NONE if NONE in ends else "–".join(ends)


def _left_out(row: ArmRow) -> str:
    counts = {
        "failed": row.n_failed,
        "diverged": row.n_diverged,
        "did not learn": row.n_unlearned,
        "missing": row.n_missing,
    }
    if row.is_baseline:
        return NONE
    return ", ".join(f"{n:,} {word}" for word, n in counts.items() if n) or "0"


def _setting(row: ResponseRow) -> str:
    setting = f"{row.factor}={row.value:g}"
    return f"{setting}, {row.others}" if row.others else setting


def _n_runs(row: PairRow) -> str:
    return f"{row.n_a:,} pairs" if row.is_paired else f"{row.n_a:,} and {row.n_b:,}"


def _opposite_seeds(row: PairUncertainty) -> str:
    if row.n_opposite_seeds is None:
        return NONE
    return f"{row.n_opposite_seeds:,} of {row.n_seeds:,}"
