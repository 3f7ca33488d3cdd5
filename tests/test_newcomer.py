"""The newcomer's commands on a data set that is not IMDB: plan, run, show, predict, share."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from newcomer import CHOICES, RUN, STUDY, WORDS, write_reviews
from project import Project, build_once, write_project, write_whole


@pytest.fixture(scope="module")
def begun(shared: Path) -> Project:
    """A folder with a file of reviews."""
    project = write_project(shared / "newcomer", shared)
    build_once(shared / "newcomer-file", lambda: write_reviews(project.folder / "reviews.csv"))
    return project


@pytest.fixture(scope="module")
def project(begun: Project) -> Project:
    """The same after two networks were trained on it."""

    def run() -> None:
        done = begun.here(*RUN)
        assert done.returncode == 0, done.stderr

    build_once(begun.folder, run)
    return begun


@pytest.fixture(autouse=True)
def one_at_a_time(shared: Path) -> Iterator[None]:
    """Another process's tests may use the same folder, and one of these copies it."""
    with FileLock(shared / "newcomer.tests.lock"):
        yield


def test_a_file_is_described_before_anything_is_trained(begun: Project) -> None:
    done = begun.here("data", "describe", "--test-fraction", "0.2", "reviews.csv")
    assert done.returncode == 0, done.stderr
    assert "inferred: texts in '리뷰', labels in '감성'" in done.stdout
    assert re.search(r"보통 +\d+ +\d+ +\d+ +33\.3 %\n재미 .* 33\.3 %\n지루 .* 33\.3 %", done.stdout)
    assert "--max-len" in done.stdout
    assert "rnnbench run --all --test-fraction 0.2 --dataset reviews.csv\n" in done.stdout


def test_three_classes_are_trained_tracked_and_reported(project: Project) -> None:
    assert len(project.tracked(study=STUDY)) == 4
    run = project.tracked(study=STUDY)[0]
    assert run.data.metrics["test_macro_f1"] > 0.3
    page = (project.folder / "reports" / STUDY / "index.html").read_text("utf-8")
    for words in (
        "macro-F1",
        "majority class",
        "bag of words",
        "153 train, 39 validation, 48 test",
    ):
        assert words in page
    assert "split_seed" not in page
    assert "split_seed" not in run.data.params


def test_the_same_command_has_nothing_left_to_do(project: Project) -> None:
    done = project.here(*RUN)
    assert "4 done already" in done.stdout
    assert "nothing left to do" in done.stdout


def test_a_run_is_shown_with_its_curve_and_its_files(project: Project) -> None:
    done = project.here("show", "gru")
    assert done.returncode == 0, done.stderr
    assert "training loss, o validation loss" in done.stdout
    assert "best.keras" in done.stdout
    assert "validation_fraction" not in done.stdout  # the split was made when the file was read
    found = json.loads(project.here("show", "gru", "--json").stdout)
    again = project.here("show", found["spec"]["data"]["fingerprint"][:3])
    assert again.returncode == 2
    assert "unknown run" in again.stderr


def test_a_text_is_predicted_and_unknown_words_are_marked(project: Project) -> None:
    done = project.here("predict", "gru", "정말 재미있는 영화 qwerty", "--json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert set(found["probabilities"]) == set(WORDS)
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert found["seen"] == ["정말", "재미있는", "영화", None]
    plain = project.here("predict", "gru", "정말 재미있는 영화 qwerty")
    assert "known     3 of 4 words" in plain.stdout


def test_a_model_is_scored_on_its_test_half_and_on_another_file(project: Project) -> None:
    found = json.loads(project.here("evaluate", "gru", "--json").stdout)
    results = [r for r in project.results().values() if r["test_loss"] is not None]
    assert any(found["loss"] == pytest.approx(r["test_loss"], abs=1e-5) for r in results)
    done = project.here("evaluate", "gru", "--dataset", "reviews.csv")
    assert "240 texts" in done.stdout
    assert "inferred: texts in '리뷰', labels in '감성'" in done.stdout
    assert "so its scores are optimistic" in done.stdout  # it was trained on most of them
    few = (project.folder / "reviews.csv").read_text("utf-8").splitlines()[:2]
    (project.folder / "few.csv").write_text("\n".join(few) + "\n", "utf-8")
    assert (
        "data      few.csv, 1 text\n"
        in project.here("evaluate", "gru", "--dataset", "few.csv").stdout
    )
    (project.folder / "held.csv").write_text("리뷰,감성,split\n참 재미있다,재미,holdout\n", "utf-8")
    assert "1 text\n" in project.here("evaluate", "gru", "--dataset", "held.csv").stdout
    text = (project.folder / "reviews.csv").read_text("utf-8").replace("지루", "별로")
    (project.folder / "other.csv").write_text(text, "utf-8")
    other = project.here("evaluate", "gru", "--dataset", "other.csv")
    assert other.returncode == 2
    assert "the class '별로', which the model does not know" in other.stderr


def test_the_plan_says_time_disk_and_what_it_can_decide(project: Project) -> None:
    fresh = ["--seeds", "10-15", *CHOICES, "--max-len", "8", "--num-words", "60"]
    done = project.here("plan", "lstm", "gru", *fresh, "--budget", "10m")
    assert done.returncode == 0, done.stderr
    assert re.search(r"time      about \d+ (s|min)", done.stdout)
    assert re.search(r"disk      about [\d.]+ (KiB|MiB)", done.stdout)
    assert "decides   Too few test texts" in done.stdout
    assert re.search(r"To run them: rnnbench run lstm gru .*--seeds \d+ --epochs \d+", done.stdout)
    assert done.stdout.count("decides   ") == 2  # the study as it was asked for, and the budget's
    assert len(project.run_folders()) == 4  # nothing was kept


def test_a_study_travels_and_joins_the_store_once(project: Project, tmp_path: Path) -> None:
    done = project.here("export", STUDY, "study.zip")
    assert done.returncode == 0, done.stderr
    assert "already exists" in project.here("export", STUDY, "study.zip").stderr
    other = Project(folder=tmp_path, options=(), environment=project.environment)
    for expected in ("imported: 4 runs", "imported: 0 runs"):
        taken = other.here("import", str(project.folder / "study.zip"))
        assert taken.returncode == 0, taken.stderr
        assert expected in taken.stdout
    assert len(other.tracked(study=STUDY)) == 4
    assert other.scores() == project.scores()
    tags = {run.data.tags["rnnbench.imported_from"] for run in other.tracked(study=STUDY)}
    assert tags == {platform.node()}
    report = other.here("report", STUDY)
    assert report.returncode == 0, report.stderr


def test_a_moved_folder_is_mended(project: Project, tmp_path: Path) -> None:
    import shutil

    moved = Project(
        folder=tmp_path / "moved elsewhere", options=(), environment=project.environment
    )
    shutil.copytree(project.folder, moved.folder)
    done = moved.here("relocate")
    assert f"that named {project.folder}" in done.stdout, done.stderr
    client = moved.client()
    for run in moved.tracked(study=STUDY):
        assert run.info.artifact_uri.startswith(str(moved.folder))
        assert client.list_artifacts(run.info.run_id)
    assert "nothing to fix" in moved.here("relocate").stdout
    again = moved.here(*RUN)
    assert "nothing left to do" in again.stdout
    assert len(moved.tracked(study=STUDY)) == 4  # none was published a second time


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("run", "lstm", "--dataset", "gone.csv"), "there is no file gone.csv"),
        (
            ("run", "lstm", "--dataset", "reviews.csv", "--text-column", "리류"),
            "did you mean '리뷰'?",
        ),
        (
            ("run", "lstm", "--dataset", "synthetic", "--text-column", "a"),
            "--text-column cannot be used with",
        ),
        (("evaluate", "gru", "--text-column", "a"), "name one with --dataset"),
        (("show", "gru", "--study", "nothing"), "unknown study 'nothing'"),
        (
            ("run", "--study", "vary.toml", "--dataset", "reviews.csv"),
            "so that vary_split of a study would have no effect",
        ),
        (
            ("run", "--study", "split.toml", "--dataset", "reviews.csv"),
            "so that validation_fraction of a study would have no effect",
        ),
        (("plan", "lstm", "--budget", "soon"), "--budget takes a time like 90s, 30m or 2h"),
        (("predict", "nothing", "a text"), "unknown run 'nothing'"),
        (("export", "textbok", "a.zip"), "unknown study 'textbok'"),
        (("import", "reviews.csv"), "is refused"),
    ],
)
def test_bad_input_gets_one_sentence(words: tuple[str, ...], answer: str, project: Project) -> None:
    text = (project.folder / "study.toml").read_text("utf-8")
    write_whole(project.folder / "vary.toml", f"vary_split = true\n{text}")
    split = text.replace("[data]", "[data]\nvalidation_fraction = 0.1")
    write_whole(project.folder / "split.toml", split)
    done = project.here(*words)
    assert done.returncode in (2, 3), done.stdout
    assert answer in done.stderr
    assert "Traceback" not in done.stderr


def test_the_documented_functions_do_what_the_commands_do(project: Project) -> None:
    done = project.python(
        """
import rnnbench
import rnnbench.page.render
frame = rnnbench.load_results("textbook-reviews-custom")
print(len(frame), sorted(frame.architecture.unique()), frame.test_macro_f1.notna().all())
page = rnnbench.report("textbook-reviews-custom", out="from-python")
print(page.name)
import numpy
again = rnnbench.run(
    "lstm", "gru", seeds=numpy.int64(2), dataset="reviews.csv", epochs=numpy.int64(6),
    learning_rate=numpy.array([0.01]), max_len=numpy.int64(8), num_words=[numpy.int64(60)],
)
print(len(again.frame), again.n_failed)
"""
    )
    assert done.splitlines()[0] == "4 ['gru', 'lstm'] True"
    assert "index.html" in done.splitlines()
    assert "4 done already" in done
    assert done.splitlines()[-1] == "4 0"
