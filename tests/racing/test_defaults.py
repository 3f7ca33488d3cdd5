"""What a command chooses on texts of one's own, as a user sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from command import Answer
from newcomer import write_reviews
from project import Project, build_once, write_project

from rnnbench.compare.sections import divide_runs
from rnnbench.datasets import DatasetRef
from rnnbench.errors import UsageError
from rnnbench.ledger import FOLDER, Ledger
from rnnbench.own_options import RaceChoices
from rnnbench.racing.defaults import with_defaults
from rnnbench.racing.record import parse_race, write_race
from rnnbench.recorded_runs import read_runs
from rnnbench.study_files import load_study

OWN = ("--dataset", "reviews.csv")
STUDY = "textbook-reviews-custom"
RACED = ("--seeds", "1", *OWN, "--units", "8", "--embedding-size", "16", "--race", "60s")
"""Learning rates are raced alone: so a race takes seconds, and its time does not cut it."""


@pytest.fixture(scope="module")
def raced(shared: Path) -> Project:
    """A study of one run whose settings a race has chosen, and its report; what it said."""
    project = write_project(shared / "raced", shared)

    def run() -> None:
        write_reviews(project.folder / "reviews.csv")
        done = project.here("run", "lstm", *RACED, "--report")
        assert done.returncode == 0, done.stderr
        (project.folder / "said.txt").write_text(done.stdout, "utf-8")

    build_once(project.folder / "raced", run)
    return project


def settings(project: Project) -> dict[str, object]:
    (run,) = read_runs(Ledger(project.folder), STUDY)
    return {**run.spec.settings, "units": run.spec.form.units}  # type: ignore[union-attr]


def test_documented_command_learns_what_there_is_to_learn(raced: Project) -> None:
    said = (raced.folder / "said.txt").read_text("utf-8")
    assert "race      settings for reviews, tried with lstm and gru" in said
    (run,) = read_runs(Ledger(raced.folder), STUDY)
    assert run.result is not None
    assert (run.result.test_accuracy or 0) > 0.9
    chosen = settings(raced)
    assert chosen["batch_size"] == 4
    assert chosen["max_len"] != 100
    assert chosen["learning_rate"] in (1e-3, 3e-3, 1e-2)


def test_race_is_kept_for_the_next_command(raced: Project) -> None:
    before = settings(raced)
    done = raced.here("run", "lstm", *RACED, "--no-report")
    assert "kept from before" in done.stdout
    assert "1 done already" in done.stdout
    assert settings(raced) == before


def test_dry_run_takes_a_race_that_is_kept_and_tells_one_that_is_not(raced: Project) -> None:
    kept = raced.here("run", "lstm", *RACED, "--dry-run").stdout
    assert "kept from before" in kept
    assert "1 done already" in kept
    other = raced.here("run", "lstm", *RACED, "--patience", "7", "--dry-run").stdout
    words = "before the first run, for these texts: learning_rate\n"
    assert words in other
    assert "learning_rate 0" not in other


def test_report_shows_the_race(raced: Project) -> None:
    folder = raced.folder / "reports" / STUDY
    assert "How the settings were chosen" in (folder / "index.html").read_text("utf-8")
    assert "chosen_for" in (folder / "tables" / "race.csv").read_text("utf-8")


def test_networks_at_the_rates_of_a_race_stand_in_one_table_whoever_came_later(
    raced: Project, tmp_path: Path
) -> None:
    project = replace(raced, folder=copytree(raced.folder, tmp_path / "copy"))
    prefer(next((project.folder / FOLDER / "races").rglob("*.json")), lstm=1e-3, gru=1e-2)
    for name in ("gru", "simple-rnn"):
        done = project.here("run", name, *RACED, "--no-report")
        assert "learning_rate 0.001 for lstm and 0.01 for gru" in done.stdout
    runs = [run for run in read_runs(Ledger(project.folder), STUDY) if run.spec.race]
    (section,) = divide_runs(runs, "architecture")
    assert {arm.base: arm.spec.recipe.learning_rate for arm in section.arms} == {
        "gru": 1e-2,
        "simple-rnn": 1e-3,  # the lowest mean
    }
    done = project.here("report", STUDY, "--format", "md")
    assert done.returncode == 0, done.stderr
    text = (project.folder / "reports" / STUDY / "index.md").read_text("utf-8")
    assert "in a race (gru 0.01, simple-rnn 0.001), not one rate for all" in text.replace("\\", "")


def prefer(file: Path, **rates: float) -> None:
    """Let each network have come lowest at that rate, and the first network by far."""
    race = parse_race(file.read_bytes())
    entrants = []
    for each in race.entrants:
        is_best = {name: each.setting.learning_rate == rate for name, rate in rates.items()}
        losses = {"lstm": 0.9 - 0.8 * is_best["lstm"], "gru": 0.5 - 0.1 * is_best["gru"]}
        entrants.append(replace(each, losses=losses, is_over=True))
    write_race(file.parents[2], replace(race, entrants=tuple(entrants)))


def test_seed_of_the_race_is_not_measured_on(raced: Project) -> None:
    done = raced.here("run", "lstm", "--seeds", "1000,", *OWN, "--race", "30s")
    assert done.returncode == 2
    assert "seed 1000 chooses the settings in a race" in done.stderr


HELD = ("--units", "4", "--embedding-size", "4", "--learning-rate", "0.01", "--race", "30s")


@pytest.mark.parametrize("words", [("--race", "none"), HELD], ids=["unwanted", "nothing open"])
def test_no_race_where_none_is_wanted_or_nothing_is_left_open(
    raced: Project, words: tuple[str, ...]
) -> None:
    done = raced.here("plan", "gru", "--seeds", "1", *OWN, *words, "--epochs", "2")
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stdout.splitlines() if line.startswith("race")]


@pytest.mark.parametrize("name", ["imdb", "synthetic"])
def test_imdb_and_synthetic_reviews_keep_the_notes_recipe(name: str) -> None:
    study, reviews = load_study("textbook"), DatasetRef(name=name, fingerprint="", origin="")
    nothing: Any = None  # is asked for: no race is run
    assert with_defaults(study, reviews, nothing) is study


def test_time_of_a_race_is_checked(rnnbench: Callable[..., Answer]) -> None:
    answer = rnnbench("run", "lstm", "--dataset", "reviews.csv", "--race", "soon")
    assert "--race takes a time like 90s, 30m or 2h, or none, got 'soon'" in answer.err


def test_race_without_an_epoch_is_said_and_not_kept(raced: Project, tmp_path: Path) -> None:
    write_reviews(tmp_path / "reviews.csv")
    project = replace(raced, folder=tmp_path)
    done = project.here("plan", "gru", "--seeds", "1", *OWN, "--epochs", "2", "--race", "1s")
    if "before any setting had an epoch" in done.stderr:  # a fast machine may get that far
        assert not (tmp_path / FOLDER / "races").exists()
    else:
        assert "cut by its time" in done.stdout
    assert raced_again(project)


def raced_again(project: Project) -> bool:
    """Whether more time lets a race that was cut be run again."""
    words = ("plan", "gru", "--seeds", "1", *OWN, "--epochs", "2", "--race", "30s")
    return "tried with lstm and gru" in project.here(*words).stdout


def test_race_in_python_takes_seconds_that_can_be() -> None:
    with pytest.raises(UsageError, match="got -3"):
        RaceChoices(race=-3)
