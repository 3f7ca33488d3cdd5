"""Reports of a study that grows: what is kept of each look, and what the page says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Answer
from filelock import FileLock, Timeout
from made_up import finished as over
from made_up import spec_of
from mlflow_folder import MlflowFolder, epochs
from project import STUDY, write_project

from rnnbench.ledger import LOOKS_LOCK
from rnnbench.reports import report as reports
from rnnbench.reports.compose import Report
from rnnbench.specs import RunSpec
from rnnbench.studies.plan import planned_sections
from rnnbench.study import Study
from rnnbench.training.loop import pack_predictions

Command = Callable[..., Answer]
TEXTS = pack_predictions(np.linspace(0, 1, 400, dtype=np.float32))
NAMES = ("lstm", "gru")


@pytest.fixture
def folder(tmp_path: Path) -> MlflowFolder:
    return MlflowFolder(tmp_path, None)


def fill(folder: MlflowFolder, seeds: range, study: str = "textbook") -> None:
    for name in NAMES:
        for seed in seeds:
            accuracy = 0.8 - 0.03 * NAMES.index(name) - 0.002 * (seed % 3)
            spec = spec_of(name, seed)
            ended = over(accuracy), epochs(9, seed)
            folder.record(spec, *ended, study=study, predictions=TEXTS)


def plan(folder: MlflowFolder, n_seeds: int, **values: Any) -> None:
    """What `rnnbench run` lays down before it trains."""
    study = Study(name="textbook", architectures=NAMES, seeds=tuple(range(n_seeds)), **values)
    specs: list[RunSpec] = [spec_of(name, seed) for name in NAMES for seed in study.seeds]
    folder.ledger.declare(study.name, study.declaration, planned_sections(study, specs))
    for spec in specs:
        folder.ledger.open_run(study.name, spec)


def kept(folder: MlflowFolder) -> list[dict[str, Any]]:
    path = folder.root / ".rnnbench" / "runs" / "textbook" / "looks.json"
    return list(json.loads(path.read_text())) if path.exists() else []


def page(folder: MlflowFolder) -> str:
    return (folder.root / "reports" / "textbook" / "index.md").read_text("utf-8")


def test_a_look_is_kept_once_and_the_next_knows_it(rnnbench: Command, folder: MlflowFolder) -> None:
    fill(folder, range(8))
    for _ in range(2):
        answer = rnnbench("report", "--format", "md")
        assert (answer.code, answer.err) == (0, ""), answer
        assert "This is the first look at this study's verdicts on record here; one with" in page(
            folder
        )
    (look,) = kept(folder)
    assert (look["n_seeds"], len(look["runs"])) == (8, 16)
    fill(folder, range(8, 12))
    assert rnnbench("report", "--format", "md").code == 0
    assert (
        "This is the second look at this study's verdicts on record here (the first had 8 seeds)"
        in (page(folder))
    )
    assert [look["n_seeds"] for look in kept(folder)] == [8, 12]


def test_a_page_that_only_describes_is_no_look(rnnbench: Command, folder: MlflowFolder) -> None:
    fill(folder, range(5))
    assert rnnbench("report", "--format", "md").code == 0
    assert kept(folder) == []
    assert "look at which" not in page(folder)


def test_an_interim_gives_no_verdict_until_it_ends(rnnbench: Command, folder: MlflowFolder) -> None:
    plan(folder, 10)
    fill(folder, range(7))
    sentence = "Interim: 7 of the 10 planned seeds are there; verdicts come with the tenth."
    answer = rnnbench("report", "--format", "md,csv")
    assert sentence in answer.out
    assert f"warning: {sentence}" in answer.err
    assert "undetermined (interim)" in page(folder)
    assert ", interim (planned seeds are missing)" in page(folder)  # of a claim
    assert kept(folder) == []
    fill(folder, range(7, 10))
    answer = rnnbench("report", "--format", "md")
    assert "Interim" not in answer.out + answer.err
    assert "better, beyond the margin" in page(folder)
    assert len(kept(folder)) == 1


def test_more_seeds_raise_the_plan_and_fewer_leave_it(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    plan(folder, 6)
    fill(folder, range(6))
    rnnbench("report", "--format", "md")
    plan(folder, 12)
    plan(folder, 3)
    answer = rnnbench("report", "--format", "md")
    assert "Interim: 6 of the 12 planned seeds are there; verdicts come with the 12th." in (
        answer.out
    )
    assert len(kept(folder)) == 1


def test_a_margin_changed_after_a_look_is_said_in_verdict_answer_and_warning(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    plan(folder, 8)
    fill(folder, range(8))
    rnnbench("report", "--format", "md")
    assert "which the study declared before it was run" in page(folder)
    plan(folder, 12, margin_points=1.0)
    fill(folder, range(12))
    answer = rnnbench("report", "--format", "md")
    assert "beyond the margin, declared after a look)" in answer.out
    assert "The practical margin, in points, was 0.5 at the first look and is 1 now" in answer.err
    assert "better, beyond the margin, declared after a look" in page(folder)
    assert "declared before it was run" not in page(folder)
    assert [look["n_seeds"] for look in kept(folder)] == [8, 12]


def test_a_damaged_record_is_named_and_no_verdict_is_given(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    fill(folder, range(8))
    path = folder.root / ".rnnbench" / "runs" / "textbook" / "looks.json"
    path.write_text("[{")
    answer = rnnbench("report", "--format", "md")
    assert answer.code == 0, answer
    assert f"{path} cannot be read (" in answer.err
    assert "No verdict is given, because this look cannot be kept: " in answer.err
    assert "No verdict is given, because this look cannot be kept: " in page(folder)
    assert "whether that is luck is open until the look at it can be kept." in answer.out
    assert "undetermined (look not on record)" in page(folder)
    assert ", descriptive only (the look at it cannot be kept)" in page(folder)  # of a claim
    assert "better" not in answer.out
    assert path.read_text() == "[{"
    answer = rnnbench("export", "textbook", "elsewhere.zip")
    assert answer.code == 3
    assert f"error: {path} cannot be read (" in answer.err


def test_a_report_beside_a_command_at_work_keeps_its_look(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    fill(folder, range(8))
    with FileLock(folder.root / ".rnnbench" / "lock"):
        answer = rnnbench("report", "--format", "md")
    assert (answer.code, answer.err) == (0, ""), answer
    assert "better, beyond the margin" in page(folder)
    assert len(kept(folder)) == 1


def test_two_reports_at_a_time_look_one_after_the_other(
    rnnbench: Command, folder: MlflowFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, range(8))
    compose, waiting = reports.compose_report, FileLock(folder.root / ".rnnbench" / LOOKS_LOCK)

    def look(*args: Any, **options: Any) -> Report:
        with pytest.raises(Timeout):
            waiting.acquire(timeout=0)
        return compose(*args, **options)

    monkeypatch.setattr(reports, "compose_report", look)
    assert rnnbench("report", "--format", "md").code == 0
    with waiting.acquire(timeout=0):
        assert len(kept(folder)) == 1


def test_the_same_runs_under_another_name_are_no_new_study(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    fill(folder, range(8))
    rnnbench("report", "textbook", "--format", "md")
    fill(folder, range(9), study="second")
    answer = rnnbench("report", "second", "--format", "md")
    assert answer.code == 0, answer
    assert "takes 11 at the second look" in answer.err
    told = (folder.root / "reports" / "second" / "index.md").read_text("utf-8")
    assert "better, beyond the margin, found at the first look" in told
    assert not (folder.root / ".rnnbench" / "runs" / "second" / "looks.json").exists()


def test_each_of_two_studies_of_the_same_arms_stays_at_its_look(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    fill(folder, range(8))
    fill(folder, range(12), study="second")
    for name, look in (("textbook", "first"), ("second", "second"), ("textbook", "first")):
        answer = rnnbench("report", name, "--format", "md")
        assert answer.code == 0, answer
        told = (folder.root / "reports" / name / "index.md").read_text("utf-8")
        assert f"This is the {look} look at this study's verdicts" in told
    assert "would decide at 0.042 %" in told  # two are spent
    assert [look["n_seeds"] for look in kept(folder)] == [8]
    assert len(folder.ledger.looks("second").read()) == 1


def test_a_look_that_another_study_had_first_is_kept_here_too(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    for name in ("textbook", "second"):
        fill(folder, range(8), study=name)
        rnnbench("report", name, "--format", "md")
    (look,), (same,) = (folder.ledger.looks(name).read() for name in ("textbook", "second"))
    assert look.is_like(same)
    assert "This is the first look" in (
        (folder.root / "reports" / "second" / "index.md").read_text("utf-8")
    )


def test_a_report_of_a_folder_that_cannot_be_written_gives_verdicts_only_as_before(
    rnnbench: Command, folder: MlflowFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, range(8))

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("rnnbench.looks.write_whole", refuse)
    answer = rnnbench("report", "--format", "md", "--out", "elsewhere")
    assert answer.code == 0, answer
    assert "No verdict is given, because this look cannot be kept: " in answer.err
    assert "better" not in answer.out
    monkeypatch.undo()
    monkeypatch.chdir(folder.root)
    rnnbench("report", "--format", "md", "--out", "elsewhere")
    monkeypatch.setattr("rnnbench.looks.write_whole", refuse)
    assert "typically better" in rnnbench("report", "--format", "md", "--out", "elsewhere").out


def test_a_kill_before_the_page_is_written_spends_no_second_look(
    rnnbench: Command, folder: MlflowFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, range(8))

    def kill(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reports, "write_report", kill)
        rnnbench("report", "--format", "md")
    assert len(kept(folder)) == 1
    assert rnnbench("report", "--format", "md").code == 0
    assert "This is the first look at this study's verdicts on record here" in page(folder)
    assert len(kept(folder)) == 1


def test_looks_travel_with_the_study(
    rnnbench: Command, folder: MlflowFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, range(8))
    rnnbench("report", "--format", "md")
    looks = folder.ledger.looks("textbook").read()
    other = MlflowFolder(tmp_path / "other", None)
    other.ledger.looks("textbook").add(looks)
    fill(other, range(12))
    monkeypatch.chdir(other.root)
    rnnbench("report", "--format", "md")
    assert [look["n_seeds"] for look in kept(other)] == [8, 12]
    assert "This is the second look" in page(other)


def test_a_study_from_its_first_seeds_to_its_second_look(tmp_path: Path, shared: Path) -> None:
    project = write_project(
        tmp_path / "study",
        shared,
        has_database=True,
        architectures=["lstm", "gru"],
        seeds=6,
        epochs=4,
        learning_rate=0.05,
    )
    path = project.folder / "study.toml"
    path.write_text(f"margin_points = 5.0\n{path.read_text()}")
    record = project.folder / ".rnnbench" / "runs" / STUDY / "looks.json"

    def text() -> str:
        return (project.folder / "reports" / STUDY / "index.md").read_text("utf-8")

    assert project.here("run", *project.options, "--report").returncode == 0
    assert "This is the first look at this study's verdicts on record here" in text()
    assert project.here("run", *project.options, "--seeds", "11", "--report").returncode == 0
    assert "This is the second look at this study's verdicts on record here" in text()
    assert [look["n_seeds"] for look in json.loads(record.read_text())] == [6, 11]
    archive = str(tmp_path / "study.zip")
    assert project.here("export", STUDY, archive).returncode == 0
    there = write_project(tmp_path / "there", shared, has_database=True)
    assert there.here("import", archive).returncode == 0
    again = there.here("report", STUDY)
    assert again.returncode == 0, again.stderr
    arrived = there.folder / ".rnnbench" / "runs" / STUDY / "looks.json"
    assert json.loads(arrived.read_text()) == json.loads(record.read_text())
