"""Every command that prints, on every kind of console; and training, which none of them ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from consoles import CONSOLES, Console, run_on, script_on, write_reviews
from project import Count, Project, write_project

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(3600)]

FILE = os.fsdecode(b"odd \xff\x1b[2J[b].csv")
SMALL = (
    "lstm",
    "--dataset",
    FILE,
    "--max-len",
    "8",
    "--units",
    "2",
    "--name",
    "odd",
    "--workers",
    "1",
)

COMMANDS: dict[tuple[str, ...], int] = {
    ("--help",): 0,
    ("--version",): 0,
    ("list",): 0,
    ("list", "--json"): 0,
    ("list", "--csv"): 0,
    ("doctor",): 0,
    ("doctor", "--json"): 0,
    ("data", "show"): 0,
    ("show", "lstm(units=2)"): 0,
    ("show", "lstm(units=2)", "--json"): 0,
    ("predict", "lstm(units=2)", "a lovely \u2014 ㅋㅋㅠㅠ"): 0,
    ("predict", "lstm(units=2)", "a lovely \u2014 ㅋㅋㅠㅠ", "--json"): 0,
    ("evaluate", "lstm(units=2)", "--json"): 0,
    ("report", "odd"): 0,
    ("run", *SMALL, "--epochs", "2", "--no-report"): 0,  # of which nothing is left to do
    ("run", "\x1b]0;title\x07\u202e"): 2,
    ("\x1b[2J",): 2,
    ("data", "describe", FILE): 0,
    ("data", "describe", FILE, "--json"): 0,
    ("data", "describe", FILE, "--text-column", "none"): 2,
    ("data", "describe", "no\x1b[2J.csv"): 3,
}
SCRIPT = """
import rnnbench
print(rnnbench.run("lstm", seeds=1, dataset="texts.csv", max_len=8, units=2, epochs=2, workers=1,
                   name="script").n_failed)
"""


@pytest.fixture(scope="module")
def trained(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One run on hostile texts, trained and reported in ASCII."""
    project = write_project(tmp_path_factory.mktemp("consoles"), shared, has_database=True)
    write_reviews(project.folder / FILE)
    ascii_ = next(console for console in CONSOLES if console.name == "ASCII")
    said = run_on(ascii_, project, "run", *SMALL, "--epochs", "2", "--report")
    assert not list(said.faults()), str(said)
    assert b"report: " in said.out
    return project


@pytest.mark.parametrize("console", CONSOLES, ids=lambda console: console.name)
def test_every_command_ends_as_it_should(console: Console, trained: Project, count: Count) -> None:
    for words, code in COMMANDS.items():
        said = run_on(console, trained, *words)
        assert not list(said.faults(code)), str(said)
        count(f"a command on a console: {console.name}")


@pytest.mark.parametrize("console", CONSOLES, ids=lambda console: console.name)
def test_training_is_ended_by_no_console(
    console: Console, shared: Path, tmp_path: Path, count: Count
) -> None:
    project = write_project(tmp_path, shared, has_database=True, seeds=2)
    said = run_on(console, project, "run", *project.options)
    assert not list(said.faults()), str(said)
    assert len(project.scores()) == 2
    assert [run.info.status for run in project.tracked()] == ["FINISHED"] * 2
    count("a study trained on an odd console")


@pytest.mark.parametrize("way", ["a file", "standard input", "-c"])
def test_a_script_trains_at_its_top_level(way: str, shared: Path, tmp_path: Path) -> None:
    project = write_project(tmp_path, shared, has_database=True)
    write_reviews(project.folder / "texts.csv")
    (project.folder / "script.py").write_text(SCRIPT, "utf-8")
    arguments = {"a file": ("script.py",), "standard input": ("-",), "-c": ("-c", SCRIPT)}[way]
    for console in CONSOLES[:3]:  # one after the other: the second finds the run done
        said = script_on(console, project, *arguments, stdin=SCRIPT.encode())
        assert not list(said.faults()), str(said)
        assert said.out.split()[-1] == b"0"
    assert len(project.scores()) == 1
