"""Made-up reports: numbers like those of the real study, hostile strings on request."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.compare.comparison import Comparison, Declaration
from rnnbench.compare.rows import (
    ArmRow,
    ArmUncertainty,
    Curve,
    PairRow,
    PairUncertainty,
    ResponseRow,
    SeedRow,
)
from rnnbench.compare.uncertainty import Uncertainty
from rnnbench.compare.verdicts import Size, Verdict
from rnnbench.page.blocks import ClaimRow, Fact
from rnnbench.published.rows import Published, PublishedRow
from rnnbench.reports.compose import Report
from rnnbench.stats.intervals import Interval

__all__ = ["EMPTY", "HOSTILE", "changed", "make_pair", "make_report", "make_responses"]

HOSTILE = "<script>alert(1)</script>"

_ARMS = ("lstm", "lstm-dropout", "lstm-stacked", "gru")
_MEANS = {"lstm": 0.8030, "lstm-dropout": 0.8037, "lstm-stacked": 0.7985, "gru": 0.7982}
_PARAMETERS = {"lstm": 8809, "lstm-dropout": 8809, "lstm-stacked": 9353, "gru": 8633}
_T = 2.262  # of Student's distribution with 9 degrees of freedom, near enough for any n here

EMPTY = Report(
    study="textbook",
    answer=(),
    warnings=(),
    comparison=Comparison(
        declared=Declaration(),
        sections=("",),
        arms=(),
        seeds=(),
        responses=(),
        pairs=(),
        uncertainty=Uncertainty(),
        curves=(),
        scores={"": {}},
    ),
    published=Published(),
    claims=(),
    facts=(),
    made_at="2025-11-21 06:40",
)


def changed(report: Report, **rows: Any) -> Report:
    """The report with other fields of its comparison."""
    return replace(report, comparison=replace(report.comparison, **rows))


def make_report(
    *,
    sections: tuple[str, ...] = ("",),
    arms: tuple[str, ...] = _ARMS,
    n_seeds: int = 10,
    n_epochs: int = 50,
    hostile: str = "",
    contrast: str = "architecture",
) -> Report:
    """A report in which each arm has `n_seeds` runs of about `n_epochs` epochs.

    `hostile` is planted in every place that a user or a file can fill.
    """
    rng = np.random.default_rng(0)
    arms = tuple(f"{arm}{hostile}" for arm in arms)
    seeds = tuple(
        _seed_row(section, arm, seed, n_epochs, rng)
        for section in sections
        for arm in arms
        for seed in range(n_seeds)
    )
    arm_rows = tuple(_arm_row(section, arm, seeds) for section in sections for arm in arms)
    baselines = tuple(_baseline_row(section) for section in sections)
    comparison = Comparison(
        declared=Declaration(
            description=f"The notes' four architectures with the notes' recipe {hostile}".strip(),
            contrast=contrast,
        ),
        sections=sections,
        arms=(*arm_rows, *baselines),
        seeds=seeds,
        responses=(),
        pairs=tuple(_pair_rows(sections, arms, arm_rows)),
        uncertainty=Uncertainty(
            tuple(_arm_uncertainty(row) for row in arm_rows),
            tuple(_pair_uncertainty(sections, arms)),
        ),
        curves=tuple(_curve(row, n_epochs, rng) for row in seeds),
        scores={
            section: {arm: _scores(section, arm, seeds) for arm in arms} for section in sections
        },
    )
    return Report(
        study=f"textbook{hostile}",
        answer=(
            "lstm-dropout scores best: 80.4 % of the test reviews, 0.5 points more than gru"
            f" [0.3, 0.8]. {hostile}".strip(),
            "lstm and lstm-dropout cannot be told apart; with 10 seeds a difference of 0.5 points"
            " would have been found.",
            "The bag of words scores 82.1 % in under a second: no network here earns its time.",
        ),
        warnings=(
            f"3 runs failed and are left out: see 'not finished'. {hostile}".strip(),
            "Seconds an epoch were measured beside other work.",
        ),
        comparison=comparison,
        published=Published(
            rows=tuple(_published_rows(sections[0])), curves=tuple(_published_curves(rng))
        ),
        claims=_claims(hostile),
        facts=_facts(hostile),
        made_at="2025-11-21 06:40",
    )


def make_responses(n_seeds: int = 3) -> tuple[ResponseRow, ...]:
    """Units 4 to 32 with and without dropout, for two architectures."""
    rng = np.random.default_rng(1)
    rows = []
    for architecture in ("lstm", "gru"):
        for dropout in (0.0, 0.3):
            for place, units in enumerate((4, 8, 16, 32)):
                mean = 0.797 + 0.003 * place - 0.002 * dropout + 0.001 * rng.normal()
                half = 0.003 * rng.uniform(0.5, 1.5)
                rows.append(
                    ResponseRow(
                        architecture=architecture,
                        factor="units",
                        value=units,
                        others=f"dropout={dropout}",
                        n=n_seeds,
                        n_parameters=8000 + 100 * units,
                        test_accuracy=mean,
                        test_accuracy_sd=half / 2.5,
                        test_accuracy_t=Interval(mean - half, mean + half),
                        val_loss=0.4310,
                        gap=0.0123,
                        best_epoch=41.3,
                        epoch_seconds=0.71,
                    )
                )
    return tuple(rows)


def make_pair(
    difference: float = 0.0048,
    *,
    verdict: Verdict = "better",
    size: Size | None = "about",
    is_descriptive_only: bool = False,
    is_paired: bool = True,
    section: str = "",
    a: str = "lstm",
    b: str = "gru",
) -> PairRow:
    """LSTM minus GRU as it came out once, or what is asked for."""
    return PairRow(
        section=section,
        a=a,
        b=b,
        n_a=10,
        n_b=10,
        is_paired=is_paired,
        correlation=0.21 if is_paired else None,
        difference=difference,
        difference_interval=Interval(difference - 0.0023, difference + 0.0022),
        typical=difference + 0.0001,
        typical_interval=(
            Interval(difference - 0.0022, difference + 0.0024) if is_paired else None
        ),
        probability=0.93,
        probability_interval=Interval(0.78, 1.0),
        p=0.002,
        p_holm=0.0117,
        n_family=6,
        margin=0.005,
        verdict=verdict,
        size=size if verdict in ("better", "worse") else None,
        is_descriptive_only=is_descriptive_only,
    )


def _seed_row(
    section: str, arm: str, seed: int, n_epochs: int, rng: np.random.Generator
) -> SeedRow:
    spread = 0.0036 if "stacked" in arm else 0.0012
    return SeedRow(
        section=section,
        arm=arm,
        seed=seed,
        test_accuracy=_mean_of(arm) + spread * float(rng.normal()),
        test_loss=0.4340 + 0.002 * float(rng.normal()),
        val_loss=0.4312 + 0.002 * float(rng.normal()),
        gap=0.0150 + 0.001 * float(rng.normal()),
        best_epoch=max(1, n_epochs - 4 - int(rng.integers(0, max(1, n_epochs // 4)))),
        epoch_seconds=0.71 + 0.05 * float(rng.normal()),
    )


def _scores(section: str, arm: str, seeds: tuple[SeedRow, ...]) -> dict[int, float]:
    runs = (row for row in seeds if (row.section, row.arm) == (section, arm))
    return {row.seed: row.test_accuracy for row in runs}


def _mean_of(arm: str) -> float:
    return next((mean for name, mean in reversed(_MEANS.items()) if arm.startswith(name)), 0.8)


def _arm_row(section: str, arm: str, seeds: tuple[SeedRow, ...]) -> ArmRow:
    runs = [row for row in seeds if (row.section, row.arm) == (section, arm)]
    scores = [row.test_accuracy for row in runs]
    mean = fmean(scores)
    sd = stdev(scores) if len(scores) > 1 else None
    half = None if sd is None else _T * sd / len(scores) ** 0.5
    return ArmRow(
        section=section,
        arm=arm,
        n=len(runs),
        n_failed=2 if arm == "gru" else 0,
        n_missing=1 if arm == "gru" else 0,
        n_parameters=_PARAMETERS.get(arm),
        test_accuracy=mean,
        test_accuracy_sd=sd,
        test_accuracy_min=min(scores),
        test_accuracy_max=max(scores),
        test_accuracy_t=None if half is None else Interval(mean - half, mean + half),
        test_accuracy_bootstrap=(
            None if half is None else Interval(mean - 0.9 * half, mean + 0.88 * half)
        ),
        test_accuracy_iqm=mean + 0.0001 if len(scores) >= 5 else None,
        test_loss=0.4340,
        test_loss_sd=0.0021,
        val_loss=0.4312,
        val_loss_sd=0.0019,
        gap=0.0151,
        gap_sd=0.0010,
        best_epoch=41.3,
        best_epoch_sd=6.8,
        epoch_seconds=0.71,
        fit_seconds=36.2,
        total_seconds=732.4,
        hardware="AMD EPYC, 2 cores",
    )


def _baseline_row(section: str) -> ArmRow:
    return ArmRow(
        section=section,
        arm="bag of words",
        n=1,
        n_parameters=498,
        test_accuracy=0.8212,
        test_loss=0.4102,
        val_loss=0.4077,
        fit_seconds=0.4,
        total_seconds=0.4,
        hardware="AMD EPYC, 2 cores",
        is_baseline=True,
    )


def _pair_rows(
    sections: tuple[str, ...], arms: tuple[str, ...], rows: tuple[ArmRow, ...]
) -> list[PairRow]:
    means = {(row.section, row.arm): row.test_accuracy or 0.0 for row in rows}
    found = []
    for section in sections:
        for a, b in combinations(arms, 2):
            difference = means[section, a] - means[section, b]
            verdict: Verdict = "undetermined"
            if abs(difference) > 0.0035:
                verdict = "better" if difference > 0 else "worse"
            elif abs(difference) < 0.0015:
                verdict = "equivalent"
            found.append(
                make_pair(
                    difference,
                    verdict=verdict,
                    size="beyond" if abs(difference) > 0.0075 else "about",
                    section=section,
                    a=a,
                    b=b,
                )
            )
    return found


def _arm_uncertainty(row: ArmRow) -> ArmUncertainty:
    mean, sd = row.test_accuracy or 0.0, row.test_accuracy_sd
    seed_se = None if sd is None else sd / row.n**0.5
    return ArmUncertainty(
        section=row.section,
        arm=row.arm,
        n=row.n,
        n_reviews=25_000,
        seed_sd=sd,
        seed_se=seed_se,
        review_se=0.0024,
        both_se=0.0025,
        both_interval=Interval(mean - 0.0049, mean + 0.0049),
    )


def _pair_uncertainty(sections: tuple[str, ...], arms: tuple[str, ...]) -> list[PairUncertainty]:
    return [
        PairUncertainty(
            section=section,
            a=a,
            b=b,
            seed_se=0.0006,
            review_se=0.0008,
            both_se=0.0010,
            both_interval=Interval(-0.0012, 0.0031),
            opposite=0.23,
            n_opposite_seeds=2,
            n_seeds=10,
            seeds_needed=7,
            p_new_reviews=0.04,
            new_reviews="undetermined",
        )
        for section in sections
        for a, b in combinations(arms, 2)
    ]


def _curve(row: SeedRow, n_epochs: int, rng: np.random.Generator) -> Curve:
    length = max(1, n_epochs - int(rng.integers(0, max(1, n_epochs // 3))))
    return Curve(section=row.section, arm=row.arm, seed=row.seed, history=_history(length, rng))


def _history(n_epochs: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Losses falling from 0.69 to 0.43."""
    epochs = np.arange(1, n_epochs + 1)
    fall = 1 / (1 + np.exp((epochs - 4.5) / 0.8)) * 0.18 + 0.085 * np.exp(-epochs / 12)
    val_loss = 0.429 + fall + 0.0015 * rng.normal(size=n_epochs)
    loss = 0.419 + 1.05 * fall + 0.001 * rng.normal(size=n_epochs)
    return np.column_stack([loss, 1.13 - 0.77 * loss, val_loss, 1.13 - 0.77 * val_loss])


def _published_curves(rng: np.random.Generator) -> list[Curve]:
    lengths = {"lstm": 52, "lstm-dropout": 33, "lstm-stacked": 17, "gru": 100}
    return [
        Curve(section="notes-2025", arm=arm, seed=42, history=_history(n, rng) + 0.008)
        for arm, n in lengths.items()
    ]


def _published_rows(section: str) -> list[PublishedRow]:
    rows = []
    for arm in _ARMS:
        for summary, published, mean, half in (
            ("best val_loss", 0.4368, 0.4312, 0.0046),
            ("its val_accuracy", 0.7980, 0.7994, 0.0050),
            ("best epoch", 49.0, 41.3, 16.0),
            ("test accuracy", 0.7848, 0.7985, 0.0085),
        ):
            if summary == "test accuracy" and arm != "lstm-stacked":
                continue
            rows.append(
                PublishedRow(
                    source="notes-2025",
                    section=section,
                    architecture=arm,
                    order="reshuffled",
                    summary=summary,
                    published=published,
                    n=10,
                    mean=mean,
                    interval=Interval(mean - half, mean + half),
                    is_inside=abs(published - mean) <= half,
                )
            )
    return rows


def _claims(hostile: str) -> tuple[ClaimRow, ...]:
    return (
        ClaimRow(
            id="lstm-four-times",
            claim=f"An LSTM layer has exactly four times the parameters of a SimpleRNN. {hostile}",
            made_in=f"notes, LSTM {hostile}",
            verdict="supported",
            numbers=f"800 = 4 × 200. {hostile}",
            runs=f"counted, not run {hostile}",
        ),
        ClaimRow(
            id="stacking",
            claim="Stacking two LSTMs improves the score.",
            made_in="notes, Stacked LSTM",
            verdict="contradicted",
            numbers="lstm-stacked − lstm-dropout: −0.52 points [−0.78, −0.25], p = 0.002.",
            runs="lstm-dropout, lstm-stacked, seeds 0-9",
        ),
        ClaimRow(
            id="gru-as-good",
            claim="GRU is as good as LSTM.",
            made_in="notes, GRU",
            verdict="undetermined",
            numbers="gru − lstm: −0.48 points [−0.70, −0.25]; the margin is 0.5 points.",
            runs="lstm, gru, seeds 0-9",
        ),
        ClaimRow(
            id="gpu",
            claim="With `recurrent_dropout` the GPU cannot be used.",
            made_in="notes",
            verdict="not measured",
            numbers="There is no timing data.",
            runs="",
        ),
    )


def _facts(hostile: str) -> tuple[Fact, ...]:
    return (
        ("data", f"imdb, fingerprint 70e42a433819 {hostile}"),
        (f"recipe {hostile}", "rmsprop, learning rate 1e-4, batch 64, patience 3"),
        ("versions", "Python 3.11.2, keras 3.15.1, jax 0.10.2"),
        ("hardware", "AMD EPYC, 2 cores"),
        ("git commit", "46316c8ab12c0ffee0123456789abcdef0123456"),
        ("command", "rnnbench run --all --seeds 10 | tee `log` *now* _here_"),
    )
