"""Texts of the user's own as they come: a study each, words as they were typed, exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from consoles import ASCII
from project import Project, write_project

pytestmark = pytest.mark.campaign
NAMES = ("영화", "음식")
SMALL = ("--seeds", "1", "--epochs", "2", "--max-len", "8", "--no-report")


@pytest.fixture(scope="module")
def project(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A folder with two files whose names have no Latin letter."""
    project = write_project(tmp_path_factory.mktemp("own"), shared)
    rows = [("ㅋㅋㅠㅠ 재밌다" if n % 2 else "ㅠㅠ 별로", n % 2) for n in range(60)]
    text = "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows)
    (project.folder / "영화.csv").write_text(text, "utf-8")
    (project.folder / "음식.csv").write_bytes(text.replace("재밌다", "맛있다").encode("cp949"))
    lines = [f"{n % 2}\ta film {n}" for n in range(60)]
    lines[4] = '1\t"a lovely film'
    (project.folder / "quote.tsv").write_text("\n".join(["label\ttext", *lines]), "utf-8")
    return project


@pytest.fixture(scope="module")
def trained(project: Project) -> Project:
    """The same, each file trained on once."""
    for name in NAMES:
        done = project.command("run", "lstm", "--dataset", f"{name}.csv", *SMALL)
        assert done.returncode == 0, done.stderr
    return project


def test_each_file_is_a_study_of_its_own_and_words_are_shown_as_typed(trained: Project) -> None:
    for name in NAMES:
        assert len(trained.tracked(study=f"textbook-{name}-custom")) == 1
    words = ("predict", "lstm", "ㅋㅋㅠㅠ", "--study", "textbook-영화-custom")
    for locale in ({}, ASCII):
        done = replace(trained, environment=trained.environment | locale).command(*words, "--json")
        (found,) = json.loads(done.stdout)
        assert (found["text"], found["seen"]) == ("ㅋㅋㅠㅠ", ["ㅋㅋㅠㅠ"])


def test_a_study_with_korean_in_its_name_travels(trained: Project, tmp_path: Path) -> None:
    study = "textbook-영화-custom"
    done = trained.command("export", study, "study.zip")
    assert done.returncode == 0, done.stderr
    other = Project(folder=tmp_path, options=(), environment=trained.environment)
    taken = other.command("import", str(trained.folder / "study.zip"))
    assert "imported: 1 run" in taken.stdout, taken.stderr
    assert len(other.tracked(study=study)) == 1
    assert other.command("report", study).returncode == 0


def test_what_is_inferred_of_a_file_is_said_before_anything_is_trained(project: Project) -> None:
    described = project.command("data", "describe", "음식.csv").stdout
    assert "read as cp949 (Korean), because it is not UTF-8" in described
    described = project.command("data", "describe", "quote.tsv").stdout
    assert "because in line 6 they do not pair" in described
    assert described.split("all ")[1].split()[:3] == ["38", "10", "12"]
    refused = project.command("data", "describe", "--quoting", "minimal", "quote.tsv")
    assert refused.returncode == 3
    assert "the double quote that opens in line 6 is never closed" in refused.stderr


@pytest.mark.parametrize("choice", ["/dev/stdin", "https://example.org/reviews.csv", "."])
def test_what_cannot_be_read_is_bad_input(choice: str, project: Project) -> None:
    done = project.command("run", "lstm", "--dataset", choice, *SMALL)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
