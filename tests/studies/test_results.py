"""What `rnnbench.run` returns: as a table, as text, and as data frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from project import HOSTILE, Project

from rnnbench.compare.comparison import find_unlearned
from rnnbench.data.text_summaries import find_summary
from rnnbench.errors import DataError
from rnnbench.ledger import Ledger
from rnnbench.recorded_runs import RecordedRun, find_runs
from rnnbench.specs import RunResult, RunSpec
from rnnbench.studies.results import Results
from rnnbench.studies.summary import summarise


def results_of(
    runs: list[RecordedRun], folder: Path = Path(), title: str = "mine", notice: str | None = None
) -> Results:
    unlearned = find_unlearned(runs, lambda _: 0.52) or frozenset()
    return Results(
        study="mine",
        title=title,
        notice=notice,
        metric="test_accuracy",
        folder=folder,
        runs=tuple(runs),
        rows=tuple(summarise(runs, unlearned=unlearned)),
        sentences=("Nothing is decided.",),
    )


@pytest.fixture
def shown(make_spec: Callable[..., RunSpec]) -> Results:
    """Of four runs one learned."""
    learned = RunResult(status="finished", epochs=9, val_accuracy=0.8, test_accuracy=0.8)
    lost = RunResult(status="finished", epochs=9, val_accuracy=0.5, test_accuracy=0.5)
    specs = [make_spec(name, seed=seed) for name in ("lstm", "gru") for seed in (0, 1)]
    results = (learned, lost, lost, lost)
    return results_of(
        [
            RecordedRun(study="", spec=spec, result=result)
            for spec, result in zip(specs, results, strict=True)
        ],
        title=HOSTILE,
        notice="MADE UP",
    )


@pytest.fixture(scope="module")
def kept(finished: Project) -> Results:
    """The runs of a study that was run."""
    runs = find_runs(Ledger(finished.folder, writable=False), "small")
    return results_of(runs, finished.folder)


def test_the_text_says_how_many_runs_did_not_learn(shown: Results) -> None:
    said = " ".join(str(shown).split())
    assert "lstm 1 (1 did not learn) 1,769 0.8000 " in said
    assert "gru 0 (2 did not learn) 1,593 – " in said
    assert said.endswith("Nothing is decided.")
    assert "MADE UP" in said
    assert "\x1b" not in str(shown)


def test_a_notebook_shows_the_same_escaped(shown: Results) -> None:
    html = shown._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    for part in ("1 (1 did not learn)", "<td style='text-align:right'>0.8000</td>", "MADE UP"):
        assert part in html
    assert html.endswith("<p>Nothing is decided.</p>")


def test_the_frame_has_a_row_a_run_and_numbers_where_no_run_has_one(kept: Results) -> None:
    frame = kept.frame
    assert [*frame.architecture] == ["gru(units=2)"] * 2 + ["lstm(units=2)"] * 2
    assert [*frame.seed] == [0, 1, 0, 1]
    assert frame.test_absolute_error.dtype == float
    assert frame.fingerprint.is_unique


def test_curves_have_a_row_a_run_and_epoch(kept: Results) -> None:
    curves = kept.curves
    assert len(curves) == kept.frame.epochs.sum()
    best = curves.merge(kept.frame, on="fingerprint", suffixes=("", "_of_run"))
    best = best[best.epoch == best.best_epoch]
    assert np.allclose(best.val_loss, best.val_loss_of_run)


def test_predictions_give_the_accuracy_that_was_scored(kept: Results) -> None:
    said = kept.predictions
    right = (said.truth == said.predicted).groupby(said.fingerprint).mean()
    scored = kept.frame.set_index("fingerprint").test_accuracy
    assert np.allclose(right, scored[right.index])
    assert {*said.truth} == {"negative", "positive"}
    assert said.probability.between(0.5, 1).all()
    assert [*said.text_number[:3]] == [0, 1, 2]


def test_predictions_need_no_texts_where_their_labels_came_with_the_study(
    kept: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, data = kept.predictions, kept.runs[0].spec.data
    Ledger(tmp_path).keep_summary(data.fingerprint, find_summary(data))
    monkeypatch.setenv("RNNBENCH_CACHE", str(tmp_path / "empty"))
    there = results_of([*kept.runs], tmp_path).predictions
    assert there.drop(columns="text").equals(here.drop(columns="text"))
    assert there.text.isna().all()
    with pytest.raises(DataError):
        results_of([*kept.runs], tmp_path / "nothing").predictions  # noqa: B018


def test_runs_that_are_not_over_have_no_predictions(shown: Results) -> None:
    assert shown.predictions.empty
