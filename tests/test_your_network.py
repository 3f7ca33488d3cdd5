"""A network of the user's own from a file, through the command as a user gives it."""

from __future__ import annotations

import json
import os
import re
import shlex
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from documented import DOCS
from interruption import wait_for
from project import PATIENCE_S, Project, write_project

import rnnbench
from rnnbench.errors import UsageError
from rnnbench.ledger import Ledger
from rnnbench.page.csv_files import write_lines
from rnnbench.recorded_runs import read_runs
from rnnbench.sources import NETWORK_FILE

PAGE = (DOCS / "your-network.md").read_text("utf-8")
FOUND = re.findall(r"```python\n(# (\S+\.py)\n.*?)```", PAGE, re.DOTALL)
EXAMPLES = {name: code for code, name in FOUND}
FEW = ("--name", "own", "--seeds", "1", "--epochs", "1", "--max-len", "8", "--num-words", "40")
NET = "from keras.layers import GRU\nfrom beside import SIZE\n\ndef build(units=SIZE):\n"
NET += "    return GRU(units)\n"


@pytest.fixture
def project(tmp_path: Path, shared: Path) -> Project:
    made = write_project(tmp_path / "project", shared, has_database=True)
    options = ("--dataset", made.options[made.options.index("--dataset") + 1], "--no-report", *FEW)
    (made.folder / "net.py").write_text(NET)
    (made.folder / "beside.py").write_text("SIZE = 2\n")
    return replace(made, options=options)


def run(project: Project, *words: str) -> str:
    done = project.here("run", *words, *project.options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(project: Project, *words: str) -> str:
    done = project.here("run", *words, *project.options)
    assert done.returncode == 2, done.stdout
    assert project.run_folders() == {}
    return " ".join(done.stderr.split())


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_the_documentation_stands_in_the_table(project: Project, name: str) -> None:
    (project.folder / name).write_text(EXAMPLES[name])
    table = run(project, f"{name}:build", "lstm")
    assert re.search(rf"^ {name}:build +[01] .*\n lstm +[01] ", table, re.MULTILINE)
    answer = project.here("evaluate", f"{name}:build")
    assert answer.returncode == 0, answer.stderr


def test_the_first_example_has_six_lines_and_one_command() -> None:
    assert len(EXAMPLES["net.py"].splitlines()) <= 6
    (block, *_) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert shlex.split(block)[:4] == ["rnnbench", "run", "net.py:build", "lstm"]


def test_hyperparameters_make_a_grid_for_whom_they_are(project: Project) -> None:
    (project.folder / "conv.py").write_text(EXAMPLES["conv.py"])
    table = run(project, "conv.py", "lstm", "--set", "filters=2,3", "--set", "width=3")
    assert "conv.py:build(filters=2, width=3)" in table
    assert len(project.run_folders()) == 3
    assert "conv.py:build(" in project.here("evaluate", "conv.py:build").stdout
    (kept,) = {run.study for run in read_runs(Ledger(project.folder))}
    frame = rnnbench.load_results(kept, project.folder)
    assert sorted(frame["filters"].dropna()) == [2, 3]


def test_edited_code_is_another_network_and_a_comment_is_not(project: Project) -> None:
    run(project, "net.py")
    (project.folder / "net.py").write_text(f"# a comment\n{NET}")
    assert "nothing left to do" in run(project, "net.py")
    (project.folder / "beside.py").write_text("SIZE = 3\n")
    said = run(project, "net.py")
    assert "net.py is called net.py:build v2: other code than that of net.py:build" in said
    assert len(project.run_folders()) == 2
    for name in ("net.py", "net.py:build", "net.py:build v2"):  # none needs the file
        assert project.here("evaluate", name).returncode == 0
    said = project.here("evaluate", "net.py:build").stdout
    assert "edited since; what it became is called net.py:build v2" in said


def test_two_commands_that_wait_for_the_folder_call_two_codes_by_two_names(
    project: Project,
) -> None:
    ledger, commands = Ledger(project.folder), []
    with ledger.locked():
        for size in (2, 3):
            (project.folder / "beside.py").write_text(f"SIZE = {size}\n")
            commands.append(project.start("net.py"))
            wait_for(lambda: b"waiting until" in project.output.read_bytes(), commands[-1])
    assert [command.wait(PATIENCE_S) for command in commands] == [0, 0]
    names = {entry.spec().form.cell for entry in ledger.entries()}
    assert names == {"net.py:build", "net.py:build v2"}


def test_a_study_names_a_file(project: Project) -> None:
    text = 'name = "own"\narchitectures = ["net.py:build", "lstm"]\nseeds = 1\n'
    (project.folder / "mine.toml").write_text(f"{text}[hyperparameters]\nunits = [2, 3]\n")
    run(project, "--study", "mine.toml")
    assert len(project.run_folders()) == 4


def test_code_from_elsewhere_is_read_before_it_is_run(project: Project, tmp_path: Path) -> None:
    run(project, "net.py")
    (name, folder) = next(iter(project.run_folders().items()))
    assert json.loads((folder / NETWORK_FILE).read_text())["files"]["beside.py"] == "SIZE = 2\n"
    assert project.here("export", "own", "own.zip").returncode == 0
    other = replace(project, folder=tmp_path / "other")
    other.folder.mkdir()
    os.link(project.folder / "own.zip", other.folder / "own.zip")
    assert other.here("import", "own.zip").returncode == 0
    asked = other.here("evaluate", name)
    assert asked.returncode == 2
    assert f"read it with `rnnbench show {name} --code`, then add --trust-code" in asked.stderr
    assert "(in Python trust_code=True)" in asked.stderr
    assert "SIZE = 2" in other.here("show", name, "--code").stdout
    trusted = other.here("evaluate", name, "--trust-code")
    assert trusted.returncode == 0, trusted.stderr


def test_python_runs_code_from_elsewhere_when_told(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"{word} day {n}", word) for n in range(40) for word in ("good", "bad")]
    (project.folder / "own.csv").write_text(write_lines(("text", "label"), rows))
    own = replace(project, options=("--dataset", "own.csv", "--race", "none", *project.options[2:]))
    run(own, "net.py")
    assert project.here("export", "own", "own.zip").returncode == 0
    other = replace(project, folder=tmp_path / "other")
    other.folder.mkdir()
    os.link(project.folder / "own.zip", other.folder / "own.zip")
    assert other.here("import", "own.zip").returncode == 0
    monkeypatch.setenv("RNNBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UsageError, match="trust_code=True"):
        rnnbench.predict("net.py:build", "a good day", folder=other.folder)
    found = rnnbench.predict("net.py:build", "a good day", folder=other.folder, trust_code=True)
    assert found["answer"][0] in ("good", "bad")


def test_a_card_says_how_code_from_elsewhere_is_run(project: Project, tmp_path: Path) -> None:
    run(project, "net.py")
    assert project.here("export", "own", "own.zip").returncode == 0
    with zipfile.ZipFile(project.folder / "own.zip") as file:
        card = file.read("README.md").decode()
    (name,) = project.run_folders()
    assert f"rnnbench show {name} --code\n" in card
    assert f"rnnbench predict {name} --file texts.csv --trust-code\n" in card
    assert f'rnnbench.predict("{name}", ["a text"], trust_code=True)\n' in card
    assert "read what `rnnbench show` prints first" in card


def test_code_comes_back_from_mlflow(project: Project, tmp_path: Path) -> None:
    run(project, "net.py")
    other = replace(project, folder=tmp_path / "other")
    other.folder.mkdir()
    address = f"sqlite:///{project.folder / 'mlflow.db'}"
    done = other.here("import", "mlflow:own", "--tracking-uri", address)
    assert done.returncode == 0, done.stderr
    assert "SIZE = 2" in other.here("show", "net.py:build", "--code").stdout


def test_a_run_without_its_code_is_listed_and_not_asked(project: Project) -> None:
    run(project, "net.py")
    (folder,) = project.run_folders().values()
    (folder / NETWORK_FILE).write_text("{")
    assert "net.py:build" in project.here("list", "runs").stdout
    asked = project.here("evaluate", "net.py:build")
    assert "the code of net.py:build is not here" in asked.stderr
    run(project, "net.py")  # the same command restores it
    assert project.here("evaluate", "net.py:build").returncode == 0


def test_other_code_from_elsewhere_gets_another_name(project: Project, tmp_path: Path) -> None:
    run(project, "net.py")
    assert project.here("export", "own", "own.zip").returncode == 0
    other = replace(project, folder=tmp_path / "other")
    other.folder.mkdir()
    for name, text in (("net.py", NET), ("beside.py", "SIZE = 3\n")):
        (other.folder / name).write_text(text)
    run(other, "net.py")
    os.link(project.folder / "own.zip", other.folder / "own.zip")
    assert other.here("import", "own.zip").returncode == 0
    listed = other.here("list", "runs").stdout
    assert "net.py:build v2" in listed
    assert len(other.run_folders()) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("net.py", "--set", "units"), "--set takes NAME=VALUE or NAME=VALUE,VALUE, got 'units'"),
        (("net.py", "--set", "unit=3"), "unknown hyperparameter 'unit' (did you mean 'units'?)"),
        (("lstm", "--set", "filters=3"), "--set filters: unknown hyperparameter 'filters'"),
        (("lstm", "--set", "units=x"), "--set units takes whole numbers, got 'x'"),
        (("lstm", "--set", "units=2", "--units", "3"), "units was given twice"),
        (("lstm", "--set", "epochs=2"), "--set is for hyperparameters; write --epochs instead"),
        (("nothing.py",), "there is no file nothing.py; name one and its function"),
        (("net:build",), "or a function in a file of your own: net.py:build"),
        (("net.py", "--tuned"), "nothing was tuned in this folder yet"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    project: Project, words: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refused(project, *words)


def test_a_function_object_is_run_with_its_hyperparameters(project: Project) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(project.folder)!r})
import rnnbench
from net import build
rnnbench.run(build, "lstm", units=[2], name="own", seeds=1, epochs=1, max_len=8, num_words=40,
             dataset={project.options[1]!r})
"""
    assert "net.py:build" in project.python(script)
