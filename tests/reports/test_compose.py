"""A small made-up study through the whole analysis: its rows agree with each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from made_up import ENVIRONMENT, curves, finished, made_up

from rnnbench.claims.kinds import Claim, CompareTest, Expectation, LeadTest
from rnnbench.compare.comparison import Comparison, Declaration
from rnnbench.compare.rows import ArmRow
from rnnbench.data.corpus import Corpus
from rnnbench.looks import Look
from rnnbench.page.render import render_markdown
from rnnbench.recorded_runs import RecordedRun, scores_of
from rnnbench.reports.compose import Report, compose_report
from rnnbench.reports.writer import write_report
from rnnbench.specs import SYNTHETIC, SYNTHETIC_NOTICE, RunResult, RunSpec
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
    assert (pair.a, pair.b, pair.verdict, pair.size) == ("lstm", "gru", "better", "beyond")
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
    assert report.answer[1].startswith("It is typically better than gru (by 4.00 points, beyond")
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
    assert (pair.verdict, pair.size) == ("better", "within")
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
    def baselines(specs: Collection[RunSpec]) -> list[ArmRow]:
        lengths = {spec.data.max_len for spec in specs}
        scores = [n / 100 for n in lengths] if len(lengths) == 1 else []
        return [
            ArmRow(section="", arm="bag", n=1, test_accuracy=score, is_baseline=True)
            for score in scores
        ]

    found = runs(max_len=50) + runs(max_len=70)
    compared = compare(found, baselines=baselines)
    bags = [row for row in compared.arms if row.is_baseline]
    assert [(row.section, row.arm, row.test_accuracy) for row in bags] == [
        ("max_len=50", "bag", 0.5),
        ("max_len=70", "bag", 0.7),
    ]
    lengths_are_arms = compare(found, Declaration(contrast="max_len"), baselines=baselines)
    assert not any(row.arm == "bag" for row in lengths_are_arms.arms)


def test_a_claim_on_runs_of_another_study_is_undetermined() -> None:
    others = runs({"gru": SCORES["gru"]})
    report = compose(runs({"lstm": SCORES["lstm"]}), others=others, claims=[BETTER])
    (claim,) = report.claims
    assert claim.verdict == "undetermined"
    assert claim.numbers == "no finished runs of gru with the notes' recipe in this study"


def test_claims_stay_as_they_are_while_another_study_gains_seeds() -> None:
    found = runs({name: scores[:3] for name, scores in SCORES.items()})
    before = compose(found, claims=[BETTER])
    after = compose(found, claims=[BETTER], others=runs())
    assert after.claims == before.claims
    assert {claim.runs for claim in after.claims} == {"lstm, gru, seeds 0-2 (jax, keras engine)"}


def test_runs_of_other_reviews_count_for_no_claim() -> None:
    """A study that was tried on synthetic reviews first has both."""
    others = runs({"gru": SCORES["gru"][:3]}, fingerprint="ab" * 32)
    report = compose([*runs({"lstm": SCORES["lstm"]}), *others], claims=[BETTER])
    assert report.claims[0].verdict == "undetermined"
    assert "no finished runs of gru" in report.claims[0].numbers


def test_the_notes_curves_stand_beside_ours() -> None:
    report = compose(runs())
    assert {curve.arm for curve in report.published.curves} == {"lstm", "gru"}
    assert {row.architecture for row in report.published.rows} == {"lstm", "gru"}


def test_a_report_on_own_texts_has_nothing_of_the_notes_and_calls_them_texts() -> None:
    own = {"dataset": "mine", "fingerprint": "ab"}
    report = compose(runs(**own))
    assert report.published is None
    assert report.comparison is not None
    assert report.comparison.noun == "texts"
    anchors = [part.anchor for part in report.page().parts]
    assert not {"published", "claims"} & {*anchors}
    assert not {"published", "published_curves", "claims"} & report.tables().keys()
    assert dict(report.facts)["texts (content fingerprint, SHA-256)"] == "mine (ab)"


def test_the_outcome_is_that_of_the_last_command() -> None:
    """Runs that were cut short are forgotten once the plan is of others."""
    cut = finished(0.8, epochs=5, best_epoch=5)
    short = [made_up("lstm", seed, cut, epochs=5) for seed in range(2)]
    said = "Stopped at the limit of 5 epochs"
    assert compose([*runs(), *short]).answer[0].startswith(said)
    planned = [runs()[0].spec.fingerprint]
    assert not compose([*runs(), *short], planned=planned).answer[0].startswith(said)


def test_synthetic_reviews_and_a_store_that_was_not_read_are_warned_of() -> None:
    report = compose(runs(dataset=SYNTHETIC, fingerprint="ab" * 32), problem="it is gone")
    assert report.warnings[0] == SYNTHETIC_NOTICE
    assert "it is gone" in report.warnings[1]
    assert report.published.rows == ()


LOST = finished(0.5, val_accuracy=0.5)
"""A run that guesses: below the floor of `learning`."""


def learning(found: Sequence[RecordedRun], **values: Any) -> Report:
    """The report of a study in which a run has to pass 60 % in validation to have learned."""
    return compose(found, floor=lambda _: 0.6, **values)


def with_lost(n: int, result: RunResult = LOST) -> list[RecordedRun]:
    """The study with so many more runs of GRU, which came to nothing."""
    return [*runs(), *(made_up("gru", 7 + more, result) for more in range(n))]


def page_of(report: Report, folder: Path) -> str:
    """The page as Markdown, its tables included."""
    (path, *_) = write_report(report, folder, ["md"])
    return path.read_text("utf-8")


@pytest.mark.parametrize(
    "lost", [LOST, RunResult(status="diverged", epochs=2)], ids=["did not learn", "diverged"]
)
def test_four_runs_that_came_to_nothing_change_no_score_and_no_verdict(
    lost: RunResult, tmp_path: Path
) -> None:
    without, found = learning(runs()), learning(with_lost(4, lost))
    assert found.comparison.pairs == without.comparison.pairs
    assert found.comparison.scores == without.comparison.scores
    lstm, gru = found.comparison.arms
    assert (gru.n, gru.n_unlearned + gru.n_diverged) == (7, 4)
    assert (lstm.n, lstm.n_unlearned, lstm.n_diverged) == (7, 0, 0)
    assert gru.test_accuracy == without.comparison.arms[1].test_accuracy
    (warning,) = found.warnings
    assert warning.endswith("are left out of every mean.")
    assert "gru: 4 of 11 (11 to 69 %) of the runs did not learn or diverged" in found.answer[-1]
    (counted, *_) = (line for line in page_of(found, tmp_path).splitlines() if "| 36.36 |" in line)
    assert counted == "| gru | 11 | 4 | 36.36 | [10.93, 69.21] |"


@pytest.mark.parametrize(("n_runs", "is_judged"), [(6, True), (5, False)])
def test_where_one_network_never_learned_that_alone_is_judged(n_runs: int, is_judged: bool) -> None:
    found = [made_up("lstm", seed, 0.8 + seed / 1000) for seed in range(n_runs)]
    found += [made_up("gru", seed, LOST) for seed in range(n_runs)]
    report = compose(found, floor=lambda _: 0.51)
    assert report.answer[0].endswith("; nothing else there has a score.")
    told = "gru fails to learn more often than lstm."
    assert (told in report.answer, report.look is not None) == (is_judged, is_judged)


def test_a_run_at_the_floor_did_not_learn_and_one_without_a_floor_did() -> None:
    found = [made_up("lstm", seed, finished(val_accuracy=0.6 + seed / 100)) for seed in range(2)]
    (row,) = learning(found).comparison.arms
    assert (row.n, row.n_unlearned) == (1, 1)
    (row,) = compose(found).comparison.arms
    assert (row.n, row.n_unlearned) == (2, 0)


def test_what_others_published_is_set_against_the_runs_that_learned() -> None:
    lost = made_up("gru", 7, LOST, run={"history": curves(0.7, 0.69, 0.71)})
    published = learning([*runs(), lost]).published
    assert published is not None
    assert published.rows == learning(runs()).published.rows
    assert {row.n for row in compose([*runs(), lost]).published.rows} == {7, 8}


def test_each_split_has_a_floor_of_its_own() -> None:
    found = [
        made_up("lstm", seed, finished(val_accuracy=0.6), split_seed=seed) for seed in range(4)
    ]
    report = compose(
        found, Declaration(vary_split=True), floor=lambda data: 0.55 + data.split_seed / 50
    )
    (row,) = report.comparison.arms
    assert (row.n, row.n_unlearned) == (3, 1)


def test_an_arm_of_which_no_run_learned_has_no_verdict() -> None:
    guesses = [made_up("simple-rnn", seed, LOST) for seed in range(7)]
    report = learning([*runs(), *guesses], claims=[BETTER])
    by_arm = {row.arm: row for row in report.comparison.arms}
    assert (by_arm["simple-rnn"].n, by_arm["simple-rnn"].test_accuracy) == (0, None)
    verdicts = {(pair.a, pair.b): pair.verdict for pair in report.comparison.pairs}
    assert verdicts == {
        ("lstm", "gru"): "better",
        ("lstm", "simple-rnn"): "undetermined",
        ("gru", "simple-rnn"): "undetermined",
    }
    assert {pair.n_family for pair in report.comparison.pairs} == {1}
    assert report.answer[-2:] == (
        "simple-rnn fails to learn more often than lstm.",
        "simple-rnn fails to learn more often than gru.",
    )


def test_a_study_in_which_no_run_learned_says_so(tmp_path: Path) -> None:
    report = learning([made_up(name, seed, LOST) for name in ("lstm", "gru") for seed in range(3)])
    assert report.answer[0].startswith("No network learned: in validation none of 6 runs")
    assert report.warnings == ()
    assert len(report.comparison.seeds) == 6  # their dots are shown
    assert "in validation none of 6 runs did clearly better" in page_of(report, tmp_path)


def test_claims_leave_out_what_did_not_learn() -> None:
    (claim,) = learning([*with_lost(1), made_up("lstm", 7, 0.80)], claims=[BETTER]).claims
    assert (claim.verdict, "7 paired seeds" in claim.numbers) == ("supported", True)
    assert "; 1 run that failed, diverged or did not learn left out" in claim.numbers


def test_a_tuned_network_is_set_against_textbook_runs_that_learned() -> None:
    tuned = {"lstm": {"learning_rate": 1e-3}}
    others = [*runs({"lstm": SCORES["lstm"]}), made_up("lstm", 7, LOST)]
    found = runs({"lstm": [*SCORES["lstm"], 0.81]}, learning_rate=1e-3)
    report = learning(found, declaration=Declaration(tuned=tuned), others=others)
    assert report.tuning is not None
    assert [(row.kind, len(row.scores)) for row in report.tuning.scores] == [
        ("textbook", 7),
        ("tuned", 8),
    ]


def compared_both_ways(expect: Expectation) -> list[Claim]:
    """LSTM against GRU, and GRU against LSTM."""
    return [
        Claim(
            id=f"{a}-{b}",
            claim="So it is.",
            made_in="a test",
            test=CompareTest(metric="test_accuracy", a=a, b=b, expect=expect),
        )
        for a, b in (("lstm", "gru"), ("gru", "lstm"))
    ]


# By itself seven of seven decide (p = 2^-6), among six pairs they do not.
LOW = (0.7, 0.71, 0.7, 0.71, 0.7, 0.71, 0.7)
FOUR = SCORES | {"simple-rnn": LOW, "lstm-stacked": [score + 0.02 for score in LOW]}


@pytest.mark.parametrize(
    "more",
    [(), (made_up("gru", 7, 0.77),), (made_up("gru", 7, LOST), made_up("lstm", 8, 0.8))],
    ids=["same seeds", "one more", "others too"],
)
def test_a_claim_has_the_verdict_of_the_reports_own_pair(more: Sequence[RecordedRun]) -> None:
    report = learning([*runs(FOUR), *more], claims=compared_both_ways("higher"))
    pair = next(row for row in report.comparison.pairs if {row.a, row.b} == {"lstm", "gru"})
    assert (pair.p, pair.p_holm, pair.verdict) == (2**-6, 6 * 2**-6, "undetermined")
    assert [claim.verdict for claim in report.claims] == ["undetermined", "undetermined"]
    assert all("descriptive only (fewer than 8)" in claim.numbers for claim in report.claims)


def test_a_claim_the_other_way_round_has_the_opposite_verdict() -> None:
    report = compose(runs(), claims=compared_both_ways("higher"))
    assert [claim.verdict for claim in report.claims] == ["supported", "contradicted"]
    first, second = (claim.numbers for claim in report.claims)
    assert "typically 4.00 points higher [3.50, 4.00]" in first
    assert "typically 4.00 points lower [3.50, 4.00]" in second


def look_at(found: Sequence[RecordedRun], n_seeds: int) -> Look:
    """A first look at the runs of so many seeds."""
    return Look(
        looked_at=0.0,
        runs=scores_of([run for run in found if run.spec.seed < n_seeds]),
        n_seeds=n_seeds,
        declaration=Declaration().rule,
    )


@pytest.mark.parametrize(
    ("expect", "verdicts"),
    [
        ("equivalent", ["supported"] * 2),
        ("not lower", ["supported"] * 2),
        ("higher", ["smaller than the margin"] * 2),
    ],
)
def test_what_an_earlier_look_found_stands_for_claims_too(
    expect: Expectation, verdicts: list[str]
) -> None:
    """Eight seeds are equivalent at 4.75 %; four more lie far off, which leaves both open."""
    steps = (0.001, -0.001, 0.002, -0.002, 0.0005, -0.0005, 0.0015, -0.0015)
    far = (0.04, -0.04, 0.05, -0.05)
    base = [0.8 + 0.001 * (seed % 3) for seed in range(12)]
    lstm = [score + step for score, step in zip(base, (*steps, *far), strict=True)]
    found = runs({"lstm": lstm, "gru": base})
    report = compose(found, claims=compared_both_ways(expect), looks=[look_at(found, 8)])
    (pair,) = report.comparison.pairs
    assert (pair.verdict, pair.look, report.comparison.look) == ("equivalent", 1, 2)
    assert [claim.verdict for claim in report.claims] == verdicts


def test_a_claim_has_what_a_look_found_of_its_pair_where_the_next_has_too_few_seeds() -> None:
    report = compose(runs(), claims=compared_both_ways("higher"), looks=[look_at(runs(), 6)])
    (pair,) = report.comparison.pairs
    assert (pair.verdict, pair.look, pair.is_judged) == ("better", 1, False)
    assert [claim.verdict for claim in report.claims] == ["supported", "contradicted"]
    assert "descriptive only" not in report.claims[0].numbers
    assert report.look is None


def test_a_look_with_too_few_seeds_answers_no_claim_anew() -> None:
    """1.1 times 2^-10 that LSTM is no lower: enough at a second look, which takes 11 seeds."""
    steps = (0.02, -0.001, 0.03, -0.002, 0.02, -0.003, 0.02, 0.03, 0.02, -0.001)
    base = [0.8 + 0.001 * (seed % 3) for seed in range(10)]
    lstm = [score + step for score, step in zip(base, steps, strict=True)]
    found = runs({"lstm": lstm, "gru": base})
    report = compose(found, claims=compared_both_ways("not lower"), looks=[look_at(found, 6)])
    (pair,) = report.comparison.pairs
    assert pair.p_not_lower == pytest.approx(1.1 * 2**-10)
    assert (pair.verdict, pair.is_judged) == ("undetermined", False)
    assert {claim.verdict for claim in report.claims} == {"undetermined"}


def test_a_lead_at_one_value_has_the_verdict_and_numbers_of_the_reports_own_pair() -> None:
    test = LeadTest(metric="test_accuracy", a="lstm", b="gru", factor="max_len", values=(100,))
    (claim,) = compose(runs(FOUR), claims=[replace(BETTER, test=test)]).claims
    assert claim.verdict == "undetermined"
    assert claim.numbers == (
        "test accuracy with lstm against gru: at max_len=100 typically 4.00 points higher "
        "[3.50, 4.00], "
        "7 paired seeds, descriptive only (fewer than 8); margin 0.50 points"
    )


def test_the_page_says_where_means_and_typical_difference_disagree(tmp_path: Path) -> None:
    lstm = [0.81 + seed / 10_000 for seed in range(11)]
    gru = [0.80 + seed / 100_000 for seed in range(12)]
    report = compose(runs({"lstm": [*lstm, 0.55], "gru": gru}))
    (pair,) = report.comparison.pairs
    assert pair.verdict == "better"
    assert report.answer[0].startswith("gru has the highest mean")
    assert report.answer[1].startswith("It is typically worse than lstm (by 1.0")
    told = page_of(report, tmp_path / "collapsed")
    assert "The means and the typical difference disagree on lstm − gru" in told
    assert "The means and the typical" not in page_of(compose(runs()), tmp_path / "sound")


def test_a_study_whose_runs_all_failed_is_a_report_too() -> None:
    failed = RunResult(status="failed", epochs=0, reason="ValueError: no")
    found = [made_up(name, seed, failed) for name in ("lstm", "gru") for seed in range(2)]
    report = compose(found, claims=[BETTER])
    assert report.answer == ("No run has a score to compare: 4 failed.",)
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
    assert pair.p_new_reviews is not None


def test_an_arm_without_all_predictions_has_the_seeds_alone(
    tmp_path: Path, small_corpus: Corpus
) -> None:
    found = [judged(tmp_path, small_corpus, "lstm", seed) for seed in range(3)]
    found[1] = replace(found[1], folder=None)
    (row,) = compare(found).uncertainty.arms
    assert (row.n, row.n_reviews, row.both_se) == (3, None, None)
    assert row.seed_sd is not None


BY_F1 = Declaration(metric="test_macro_f1")


def with_f1(found: Sequence[RecordedRun]) -> list[RecordedRun]:
    """The runs, whose macro-F1 is the other way round than their accuracy."""
    return [
        replace(
            run, result=replace(run.result, test_macro_f1=1.5 - (run.result.test_accuracy or 0))
        )
        for run in found
        if run.result is not None
    ]


def test_a_study_that_declares_macro_f1_is_compared_by_it() -> None:
    report = compose(with_f1(runs()), BY_F1, claims=[BETTER, replace(BETTER, test=F1_BETTER)])
    (pair,) = report.comparison.pairs
    assert (pair.verdict, pair.size) == ("worse", "beyond")
    assert report.answer[0].startswith("gru has the highest mean test macro-F1, 73.57 % [73.16")
    assert "It is typically better than lstm (by 4.00 points" in report.answer[1]
    # Accuracy says the opposite, and a claim on it is judged by itself.
    assert [claim.verdict for claim in report.claims] == ["supported", "contradicted"]
    assert "Holm" not in report.claims[1].numbers


F1_BETTER = CompareTest(metric="test_macro_f1", a="lstm", b="gru", expect="higher")


def test_tables_and_figures_of_such_a_study_say_what_they_show() -> None:
    report = compose(with_f1(runs()), BY_F1)
    page = report.page()
    text = render_markdown(page, has_csv=True)
    assert "Pairs by test macro-F1" in text
    assert "5 points of test macro-F1" in text
    assert "| accuracy (%) |" in text
    titles = [picture.title for picture in page.pictures]
    assert titles[:2] == [
        "Test macro-F1 of every run",
        "Share of runs that score above each test macro-F1",
    ]
    assert "At each macro-F1, how many" in text
    tables = report.tables()
    assert "test_macro_f1_t_low" in tables["architectures"]
    assert tables["seeds"].splitlines()[0].endswith(",test_macro_f1")
    usual = compose(with_f1(runs())).tables()
    assert "test_macro_f1_t" not in usual["architectures"]
    assert usual["seeds"].splitlines()[0].endswith(",epoch_seconds")


def test_the_response_to_a_hyperparameter_is_in_what_the_study_compares() -> None:
    found = with_f1([made_up("lstm", seed, 0.8, units=n) for n in (4, 8) for seed in (0, 1)])
    report = compose(found, BY_F1)
    text = render_markdown(report.page(), has_csv=True)
    assert "| parameters | test macro-F1 (%) |" in text
    assert "How the test macro-F1 responds to units" in text
    assert "test_macro_f1_t_low" in report.tables()["responses"]
    assert "test_macro_f1" not in compose(found).tables()["responses"]


def test_weighted_validation_losses_are_said_not_to_compare() -> None:
    found = [made_up("lstm", seed, 0.8, class_weight="balanced") for seed in (0, 1)]
    sentence = "With class weights the validation loss and the gap are weighted too"
    assert sentence in render_markdown(compose(found).page(), has_csv=True)
    assert sentence not in render_markdown(compose(runs()).page(), has_csv=True)


def test_another_metric_after_a_look_is_another_look_and_that_is_said() -> None:
    found = with_f1(runs())
    report = compose(found, BY_F1, looks=[look_at(found, 7)])
    assert report.comparison.look == 2
    assert report.comparison.declared.rule["metric"] == "test_macro_f1"
    assert any(text.startswith("The metric was test_accuracy at") for text in report.warnings)


def test_grades_have_a_table_and_columns_of_their_own() -> None:
    graded = [
        replace(run, result=replace(run.result, test_absolute_error=0.5, test_quadratic_kappa=0.8))
        for run in runs()
        if run.result is not None
    ]
    report = compose(graded)
    text = render_markdown(report.page(), has_csv=True)
    assert "| mean absolute error (grades) | quadratic kappa |" in text
    assert "| lstm | 7 | 0.50 ± 0.00 | 0.80 ± 0.00 |" in text
    assert "test_quadratic_kappa_sd" in report.tables()["architectures"]
    assert "quadratic" not in compose(runs()).tables()["architectures"]
    assert graded[0].result is not None
    graded[0] = replace(graded[0], result=replace(graded[0].result, test_quadratic_kappa=None))
    assert "| 0.80 ± 0.00 (of 6) |" in render_markdown(compose(graded).page(), has_csv=True)
