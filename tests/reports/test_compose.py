"""A small made-up study through the whole analysis: its rows agree with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from made_up import ENVIRONMENT, curves, finished, made_up

from rnnbench.claims.kinds import Claim, CompareTest
from rnnbench.compare.comparison import Comparison, Declaration
from rnnbench.compare.rows import ArmRow
from rnnbench.data.corpus import Corpus
from rnnbench.recorded_runs import RecordedRun
from rnnbench.reports.compose import Report, compose_report
from rnnbench.specs import SYNTHETIC, SYNTHETIC_NOTICE, DataSpec, RunResult
from rnnbench.training.loop import pack_predictions

SCORES = {
    "lstm": (0.80, 0.81, 0.805, 0.795, 0.80, 0.81, 0.80),
    "gru": (0.76, 0.77, 0.765, 0.76, 0.76, 0.77, 0.765),
}
BETTER = Claim(
    id="lstm-better",
    claim="LSTM scores higher than GRU",
    made_in="a test",
    test=CompareTest(metric="test_accuracy", a="lstm", b="gru", expect="higher"),
)


def runs(scores: dict[str, Sequence[float]] = SCORES, **values: Any) -> list[RecordedRun]:  # type: ignore[assignment]
    return [
        made_up(name, seed, score, run={"history": curves(0.6, 0.5, 0.55)}, **values)
        for name, each in scores.items()
        for seed, score in enumerate(each)
    ]


def compose(
    found: Sequence[RecordedRun], declaration: Declaration | None = None, **values: Any
) -> Report:
    defaults: dict[str, Any] = {"claims": (), "baselines": lambda _: ()}
    return compose_report("made-up", found, declaration or Declaration(), **{**defaults, **values})


def compare(
    found: Sequence[RecordedRun], declaration: Declaration | None = None, **values: Any
) -> Comparison:
    return compose(found, declaration, **values).comparison


def test_arms_pairs_and_dots_are_of_the_same_runs() -> None:
    compared = compare(runs())
    arms = {row.arm: row for row in compared.arms}
    (pair,) = compared.pairs
    assert (pair.a, pair.b, pair.verdict, pair.is_beyond_margin) == ("lstm", "gru", "better", True)
    assert pair.difference == pytest.approx(arms["lstm"].test_accuracy - arms["gru"].test_accuracy)  # type: ignore[operator]
    for name, row in arms.items():
        dots = [seed.test_accuracy for seed in compared.seeds if seed.arm == name]
        assert row.n == len(dots) == 7
        assert row.test_accuracy == pytest.approx(fmean(dots))
    assert compared.sections == ("",)
    assert {row.section for row in (*compared.arms, *compared.pairs, *compared.seeds)} == {""}


def test_two_versions_in_one_arm_are_said_with_both_and_the_arm() -> None:
    older = finished(0.79, environment={**ENVIRONMENT, "version.keras": "3.4.1"})
    report = compose([*runs(), made_up("gru", 7, older)])
    (warning,) = report.warnings
    assert "keras 3.15.1: lstm 7 runs, gru 7 runs; keras 3.4.1: gru 1 run" in warning


def test_the_answer_is_that_of_the_pairs() -> None:
    report = compose(runs())
    assert report.answer[0].startswith("lstm has the highest mean test accuracy, 80.29 %")
    assert report.answer[1].startswith("It is better than gru (by 3.86 points, beyond")
    assert report.warnings == ()


def test_every_run_has_its_curve_whether_it_is_over_or_not() -> None:
    unfinished = made_up("lstm", 7, None, run={"history": curves(0.6)})
    failed = made_up("gru", 7, RunResult(status="failed", epochs=0))
    report = compose([*runs(), unfinished, failed])
    assert len(report.comparison.curves) == 15
    assert len(report.comparison.seeds) == 14
    assert report.warnings == (
        "1 run failed and is left out of every mean.",
        "1 run is not over yet; this is what there is so far.",
    )


def test_what_the_study_declared_decides() -> None:
    declared = Declaration(
        description="a small one", margin_points=5.0, pairing="none", notes=("changed",)
    )
    report = compose(runs(), declared)
    (pair,) = report.comparison.pairs
    assert (pair.margin, pair.is_paired) == (0.05, False)
    assert pair.is_beyond_margin is False
    assert (report.page().description, report.warnings) == ("a small one", ("changed",))


def test_the_contrast_makes_the_arms_and_sections() -> None:
    found = runs(order="frozen") + runs()
    compared = compare(found, Declaration(contrast="order"))
    assert compared.sections == ("lstm", "gru")
    assert [(row.section, row.arm) for row in compared.arms] == [
        *(("lstm", "order=reshuffled"), ("lstm", "order=frozen")),
        *(("gru", "order=reshuffled"), ("gru", "order=frozen")),
    ]
    assert [pair.section for pair in compared.pairs] == ["lstm", "gru"]
    assert {pair.n_family for pair in compared.pairs} == {2}


def test_a_split_for_each_seed_is_said() -> None:
    found = [made_up("lstm", seed, 0.8, split_seed=seed) for seed in range(3)]
    report = compose(found, Declaration(vary_split=True))
    assert report.comparison.sections == ("",)
    assert "drawn anew with each seed" in str(report.facts)
    assert "drawn anew with each seed" not in str(compose(runs()).facts)


def test_the_bag_of_words_stands_below_the_arms_of_its_reviews() -> None:
    def baselines(data: DataSpec) -> list[ArmRow]:
        score = data.max_len / 100
        return [ArmRow(section="", arm="bag", n=1, test_accuracy=score, is_baseline=True)]

    found = runs(max_len=50) + runs(max_len=70)
    compared = compare(found, baselines=baselines)
    bags = [row for row in compared.arms if row.is_baseline]
    assert [(row.section, row.arm, row.test_accuracy) for row in bags] == [
        ("max_len=50", "bag", 0.5),
        ("max_len=70", "bag", 0.7),
    ]
    lengths_are_arms = compare(found, Declaration(contrast="max_len"), baselines=baselines)
    assert not any(row.arm == "bag" for row in lengths_are_arms.arms)


def test_runs_of_other_studies_count_for_claims_alone() -> None:
    others = runs({"gru": SCORES["gru"]})
    report = compose(runs({"lstm": SCORES["lstm"]}), others=others, claims=[BETTER])
    (claim,) = report.claims
    assert claim.verdict == "supported"
    assert [row.arm for row in report.comparison.arms] == ["lstm"]


def test_runs_of_other_reviews_count_for_nothing() -> None:
    others = runs({"gru": SCORES["gru"]}, fingerprint="ab" * 32)
    report = compose(runs({"lstm": SCORES["lstm"]}), others=others, claims=[BETTER])
    assert report.claims[0].verdict == "undetermined"
    assert "no finished runs of gru" in report.claims[0].numbers


def test_the_notes_curves_stand_beside_ours() -> None:
    report = compose(runs())
    assert {curve.arm for curve in report.published.curves} == {"lstm", "gru"}
    assert {row.architecture for row in report.published.rows} == {"lstm", "gru"}


def test_synthetic_reviews_and_a_store_that_was_not_read_are_warned_of() -> None:
    report = compose(runs(dataset=SYNTHETIC, fingerprint="ab" * 32), problem="it is gone")
    assert report.warnings[0] == SYNTHETIC_NOTICE
    assert "it is gone" in report.warnings[1]
    assert report.published.rows == ()


def test_a_study_whose_runs_all_failed_is_a_report_too() -> None:
    failed = RunResult(status="failed", epochs=0, reason="ValueError: no")
    found = [made_up(name, seed, failed) for name in ("lstm", "gru") for seed in range(2)]
    report = compose(found, claims=[BETTER])
    assert report.answer == ("No run produced a score: 4 failed. There is nothing to compare.",)
    assert [(row.n, row.n_failed) for row in report.comparison.arms] == [(0, 2), (0, 2)]
    assert report.warnings == ("4 runs failed and are left out of every mean.",)
    assert (report.comparison.seeds, report.comparison.curves) == ((), ())


def test_one_run_is_a_report_too() -> None:
    report = compose([made_up("lstm", 0, 0.8)])
    assert "nothing to compare it with" in report.answer[0]
    assert (report.comparison.pairs, report.warnings) == ((), ())
    assert report.comparison.uncertainty.arms[0].seed_se is None


def judged(folder: Path, corpus: Corpus, architecture: str, seed: int) -> RecordedRun:
    """A run with predictions, right about nearly all reviews."""
    place = folder / f"{architecture}-{seed}"
    place.mkdir()
    rng = np.random.default_rng((len(architecture), seed))
    right = rng.random(corpus.test.n_reviews) < 0.9
    probability = np.where(right == (corpus.test.labels > 0), 0.9, 0.1).astype(np.float32)
    (place / "predictions.npz").write_bytes(pack_predictions(probability))
    result = finished(float(right.mean()))
    values = {"fingerprint": corpus.fingerprint(), "dataset": "small"}
    return made_up(architecture, seed, result, run={"folder": place}, **values)


def test_predictions_tell_where_the_uncertainty_comes_from(
    tmp_path: Path, small_corpus: Corpus
) -> None:
    found = [
        judged(tmp_path, small_corpus, name, seed) for name in ("lstm", "gru") for seed in range(6)
    ]
    compared = compare(found)
    for row in compared.uncertainty.arms:
        assert (row.n, row.n_reviews) == (6, small_corpus.test.n_reviews)
        assert row.seed_se is not None
        assert row.review_se is not None
        assert row.both_se is not None
        assert row.both_se > max(row.seed_se, row.review_se)
    (pair,) = compared.uncertainty.pairs
    assert (pair.a, pair.b, pair.n_seeds) == ("lstm", "gru", 6)
    assert pair.both_se is not None


def test_an_arm_without_all_predictions_has_the_seeds_alone(
    tmp_path: Path, small_corpus: Corpus
) -> None:
    found = [judged(tmp_path, small_corpus, "lstm", seed) for seed in range(3)]
    found[1] = replace(found[1], folder=None)
    (row,) = compare(found).uncertainty.arms
    assert (row.n, row.n_reviews, row.both_se) == (3, None, None)
    assert row.seed_sd is not None
