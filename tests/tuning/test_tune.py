"""`rnnbench tune` and `run --tuned` on the real command line: search, interruption, winners."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Answer
from project import Project, build_once, write_whole
from tune import (
    BUDGET,
    EPOCHS,
    INTERRUPTED,
    JOURNAL,
    N_TRIALS,
    SMALL,
    assert_tracked_once,
    new_project,
    outcomes,
    records,
    reviews,
    searched,
    tear,
    tracked,
    tune,
    winners,
    winners_of,
)

from rnnbench.specs import EpochEnded, Event, Finished

Command = Callable[..., Answer]

USAGE, UNAVAILABLE = 2, 3


@pytest.fixture(scope="module")
def tuned(shared: Path) -> Project:
    """Two architectures, tuned without a disturbance."""
    project = new_project(shared, "tuned")

    def search() -> None:
        done = tune(project, architectures=("lstm", "gru"))
        assert done.returncode == 0, done.stderr
        (project.folder / "winners.json").write_text(done.stdout)
        (project.folder / "said.txt").write_text(done.stderr)

    build_once(project.folder, search)
    return project


@pytest.fixture(scope="module")
def reported(tuned: Project, shared: Path) -> str:
    """The report of the winners on fresh seeds, beside the textbook's runs of the same seeds."""
    options = ("--seeds", "2", *SMALL, "--dataset", reviews(tuned))
    words = ("run", "lstm", "gru", *options, "--name")

    def report() -> None:
        assert tuned.here(*words, "textbook", "--no-report").returncode == 0
        done = tuned.here(*words, "tuned", "--tuned", "--report")
        assert done.returncode == 0, done.stderr

    build_once(shared / "tune" / "reported", report)
    return (tuned.folder / "reports/tuned/index.md").read_text()


def test_fresh_puts_the_old_trials_aside(
    rnnbench: Command, monkeypatch: pytest.MonkeyPatch, shared: Path
) -> None:
    project = new_project(shared, "fresh")
    small = ("--trials", "2", "--tuning-seeds", "1", "--workers", "1", "--epochs")
    assert tune(project, budget=(*small, "2")).returncode == 0
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("RNNBENCH_CACHE", project.environment["RNNBENCH_CACHE"])
    refused = rnnbench("tune", "lstm", *small, "3", "--dataset", reviews(project))
    assert (refused.code, "epochs was 2 and is now 3" in refused.err) == (USAGE, True)
    assert tune(project, "--fresh", budget=(*small, "3")).returncode == 0
    assert "put aside" in (project.folder / JOURNAL).read_text()
    assert {len(record["trials"]) for record in records(project)} == {2}
    names = [run.info.run_name for run in tracked(project, "group")]
    assert len(names) == 2 * 3  # the search twice, each time with two trials


def test_the_winners_are_json_and_nothing_else_on_standard_output(tuned: Project) -> None:
    found = json.loads((tuned.folder / "winners.json").read_text())
    assert found["tuning_seeds"] == [1000, 1001]
    assert set(found["winners"]) == {"gru", "lstm"}
    for winner in found["winners"].values():
        assert 1e-5 <= winner["params"]["learning_rate"] <= 1e-1
        assert winner["trials"] == N_TRIALS


def test_a_bad_trial_is_pruned_by_its_first_seed_and_said(tuned: Project) -> None:
    trials = [trial for record in records(tuned) for trial in record["trials"]]
    pruned = [trial for trial in trials if trial["state"] == "pruned"]
    assert pruned
    assert all(trial["number"] >= 6 for trial in pruned)  # the first batch has nobody before it
    assert all(10 <= len(trial["curve"]) <= EPOCHS for trial in pruned)
    assert "pruned after" in (tuned.folder / "said.txt").read_text()
    states = [result["status"] for result in results(tuned)]
    assert "pruned" in states
    assert "failed" not in states


def test_a_trial_is_worth_the_mean_of_its_seeds(tuned: Project) -> None:
    for record in records(tuned):
        for trial in record["trials"]:
            if trial["state"] == "complete":
                assert trial["value"] == pytest.approx(sum(trial["losses"]) / 2)
                assert trial["losses"][0] == pytest.approx(min(trial["curve"]))


def test_no_run_of_a_search_has_a_test_score_or_a_model(tuned: Project) -> None:
    for folder in searched(tuned):
        result = json.loads((folder / "result.json").read_text())
        assert result["test_accuracy"] is None
        assert result["train_loss_at_best"] is None
        assert not (folder / "best.keras").exists()
        assert not (folder / "predictions.npz").exists()


def test_an_interrupted_search_comes_out_the_same(shared: Path, tuned: Project) -> None:
    project = new_project(shared, "interrupted")
    n_over = 0

    def press_ctrl_c(event: Event) -> None:
        nonlocal n_over
        n_over += isinstance(event, Finished)
        if n_over == 3 and isinstance(event, EpochEnded):  # in the middle of a trial
            raise KeyboardInterrupt

    done = tune(project, on_event=press_ctrl_c)
    assert done.returncode == INTERRUPTED
    assert "To go on: rnnbench tune lstm" in done.stderr
    statuses = {run.info.status for kind in ("tuning", "group") for run in tracked(project, kind)}
    assert statuses == {"FINISHED", "KILLED"}
    tear(project.folder / JOURNAL)
    assert winners(tune(project)) == winners_of(tuned)
    assert outcomes(project) == outcomes(tuned)
    assert_tracked_once(project)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(["run", "lstm", "--tuned", "--learning-rate", "0.1"], "--learning-rate"),
        pytest.param(["run", "lstm", "--tuned", "--seeds", "1001-1003"], "seeds 1001 are used"),
        pytest.param(["run", "--all", "--tuned"], "`rnnbench tune lstm-dropout lstm-stacked"),
        pytest.param(["tune", "lstm", *BUDGET, "--sampler-seed", "5"], "sampler.seed was 0"),
        pytest.param(["tune", "lstm", *BUDGET, "--space", "narrow.toml"], "high was 0.1 and is"),
        pytest.param(["tune", "lstm", *BUDGET, "--tuning-seeds", "0-1"], "fresh seeds"),
    ],
    ids=["value-given", "seed-overlap", "not-tuned", "other-seed", "other-space", "report-seeds"],
)
def test_what_does_not_fit_a_search_is_refused(
    rnnbench: Command,
    monkeypatch: pytest.MonkeyPatch,
    tuned: Project,
    words: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tuned.folder)
    monkeypatch.setenv("RNNBENCH_CACHE", tuned.environment["RNNBENCH_CACHE"])
    narrow = "[learning_rate]\nlow = 1e-5\nhigh = 1e-2\nlog = true\n"
    write_whole(Path("narrow.toml"), narrow)
    answer = rnnbench(*words, "--dataset", reviews(tuned))
    assert (answer.code, sentence in answer.err) == (USAGE, True), answer.err


def test_a_search_is_no_study_that_a_report_could_be_of(
    rnnbench: Command, monkeypatch: pytest.MonkeyPatch, tuned: Project, reported: str
) -> None:
    monkeypatch.chdir(tuned.folder)
    answer = rnnbench("report", "tuning")
    assert (answer.code, "textbook, tuned" in answer.err) == (USAGE, True)


def test_mlflow_shows_the_search_its_trials_and_their_runs(tuned: Project) -> None:
    groups = {run.data.tags["rnnbench.group"]: run for run in tracked(tuned, "group")}
    searches = {key: run for key, run in groups.items() if " trial " not in key}
    assert sorted(run.info.run_name.split("/")[1] for run in searches.values()) == ["gru", "lstm"]
    for key, search in searches.items():
        below = [run for other, run in groups.items() if other.startswith(f"{key} trial ")]
        assert len(below) == N_TRIALS == search.data.metrics["n_trials"]
        assert {run.data.tags["mlflow.parentRunId"] for run in below} == {search.info.run_id}
        best = min(run.data.metrics.get("mean_best_val_loss", 9.0) for run in below)
        assert search.data.metrics["best_val_loss"] == best
        assert search.data.metrics["best_learning_rate"] > 0
        names = {item.path for item in tuned.client().list_artifacts(search.info.run_id)}
        assert names == {"history.png", "slice-learning_rate.png", "importance.png", "tuning.json"}
    trials = {run.info.run_id: run for run in groups.values() if run not in searches.values()}
    for run in tracked(tuned, "tuning"):
        above = trials[run.data.tags["mlflow.parentRunId"]]
        assert above.data.params["learning_rate"] == run.data.params["learning_rate"]


def test_a_pruned_run_is_not_a_failed_one_in_mlflow(tuned: Project) -> None:
    runs = tracked(tuned, "tuning")
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.tags["rnnbench.status"] for run in runs} == {"finished", "pruned"}


def test_the_report_shows_budgets_and_tuned_against_textbook(reported: str) -> None:
    assert "## 6 Tuning" in reported
    assert f"the same: {N_TRIALS} trials in the same space" in reported
    assert "Budget of each search" in reported
    assert "tuned − textbook" in reported
    assert "![Best validation loss of each search" in reported
    assert "Every architecture" in reported


def test_a_tuned_study_compares_architectures_at_their_own_learning_rates(
    tuned: Project, reported: str
) -> None:
    assert "tuned lstm − tuned gru" in reported
    found = {record["architecture"]: record for record in records(tuned)}
    for path in (tuned.folder / ".rnnbench/runs/tuned").glob("*/spec.json"):
        spec = json.loads(path.read_text())
        best = min(
            (t for t in found[spec["form"]["cell"]]["trials"] if t["value"] is not None),
            key=lambda trial: trial["value"],
        )
        assert spec["recipe"]["learning_rate"] == best["params"]["learning_rate"]
        assert spec["seed"] in (0, 1)


def test_a_diverging_trial_is_recorded_and_ends_nothing(shared: Path) -> None:
    project = new_project(shared, "diverging")
    (project.folder / "huge.toml").write_text("learning_rate = [1e-3, 1e30, 1e-2]\n")
    done = tune(
        project,
        *("--space", "huge.toml", "--sampler", "grid"),
        budget=("--trials", "3", "--tuning-seeds", "1", "--epochs", "3", "--workers", "1"),
    )
    assert done.returncode == 0, done.stderr
    (record,) = records(project)
    assert [trial["params"]["learning_rate"] for trial in record["trials"]] == [1e-3, 1e30, 1e-2]
    huge = record["trials"][1]
    if huge["state"] != "complete":  # the loss is clipped: only a NaN is a divergence
        assert huge["reason"].startswith("diverged")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["tune"], USAGE, "name architectures, or use --all"),
        (["tune", "lstmm"], USAGE, "did you mean 'lstm'"),
        (["tune", "lstm", "--all"], USAGE, "not both"),
        (["tune", "lstm", "--trials", "0"], USAGE, "--trials must be from 1 to 10,000"),
        (["tune", "lstm", "--sampler", "tpee"], USAGE, "did you mean 'tpe'"),
        (["tune", "lstm", "--pruner", "mean"], USAGE, "choose from median, none"),
        (["tune", "lstm", "--space", "nowhere"], USAGE, "choose from full, learning-rate"),
        (["tune", "lstm", "--tuning-seeds", "x"], USAGE, "seeds are a number"),
        (["tune", "lstm", "--epochs", "0"], USAGE, "epochs must be"),
        (["tune", "lstm", "--storage", "nowhere.db"], UNAVAILABLE, "--storage takes sqlite"),
        (["run", "lstm", "--tuned"], USAGE, "nothing was tuned in this folder yet"),
    ],
    ids=lambda value: "-".join(value[1:])[:30] if isinstance(value, list) else "",
)
def test_bad_input_is_refused_with_the_reason(
    rnnbench: Command, words: list[str], code: int, sentence: str
) -> None:
    answer = rnnbench(*words, *(["--dataset", "synthetic"] if code == UNAVAILABLE else []))
    assert answer.code == code
    assert sentence in answer.err


def test_a_storage_that_does_not_answer_is_said(shared: Path) -> None:
    project = new_project(shared, "no-storage")
    address = "sqlite:////nowhere/at/all.db"
    done = tune(project, "--storage", address)
    assert done.returncode == UNAVAILABLE
    assert f"the storage {address} does not answer" in done.stderr


def results(project: Project) -> list[dict[str, Any]]:
    return [json.loads((path / "result.json").read_text()) for path in searched(project)]
