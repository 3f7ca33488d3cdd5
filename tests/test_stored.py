"""A project that an earlier version left behind reads, reports and goes on as it did then.

`stored/make.py` made it, and what is expected of it, with that version. A change that shows here is
a change that a user's own project shows too. What may differ is named in `steady` and nowhere else:
the folder, the minute, the processor, and of what the report fits itself the time and the last
digits.
"""

from __future__ import annotations

import csv
import io
import json
import platform
import re
import shutil
import zipfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from project import CURVES, Project, database_template, environment_with, read_curves

from rnnbench.data.cache import remember_source
from rnnbench.data.corpus import Corpus
from rnnbench.data.prepare import imdb_key
from rnnbench.execution.environment import processor_name
from rnnbench.tracking.store import DATABASE

STORED = Path(__file__).parent / "stored"
PLACE = "PROJECT"
MADE_AT = re.compile(r"(?<=^Made by `rnnbench report` on )[-\d]+ [:\d]+(?=\.$)", re.MULTILINE)
FITTED = re.compile(r"^(?:,|\| )TF-IDF\b.*cpu", re.MULTILINE)
"""The row that the project's version did not know."""

REPORTS = {
    "notes": (),
    "own": (),
    "units": ("--claims", "claims.toml"),
    "tuned": (),
    "timing": (),
}
FROM_ELSEWHERE = ("claims", "timing_")
"""Tables of a report that hang on more than the study: on what was timed in the folder."""
SHOWN = ("finished", "failed", "done")
ON_IMDB = ("--dataset", "imdb.npz", "--num-words", "60", "--max-len", "12", "--epochs", "3")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, to be read."""
    return unpack(tmp_path_factory.mktemp("stored"))


def unpack(folder: Path) -> Project:
    """The project in that folder, with the cache that it had, as if this machine had made it.

    A report has a column for hardware where its rows differ in that, and what it computes itself
    is of here.
    """
    with zipfile.ZipFile(STORED / "project.zip") as file:
        file.extractall(folder)
    if processor_name() != stored_processor():
        for path in (folder / "project/.rnnbench").rglob("*.json"):
            text = path.read_text("utf-8").replace(stored_processor(), processor_name())
            path.write_text(text, "utf-8")
    return Project(
        folder=folder / "project", options=(), environment=environment_with(folder / "cache")
    )


def steady(text: str, project: Project) -> str:
    """The text without what legitimately differs from one reading to the next."""
    text = text.replace(str(project.folder), PLACE)
    text = FITTED.sub(steady_row, text)
    return MADE_AT.sub("…", text).replace(processor_name(), stored_processor())


def steady_row(found: re.Match[str]) -> str:
    """The row to four decimals, without its times."""
    scores = re.sub(r"(\.\d{4})\d+", r"\1", found[0])
    return re.sub(r"[\d.]+( s)?(,| \| )[\d.]+( s)?(?=\2cpu)", "…", scores)


def stored_processor() -> str:
    """The machine's on which the project was made."""
    with open(STORED / "reports/notes/tables/architectures.csv", newline="") as file:
        (hardware,) = {row["hardware"] for row in csv.DictReader(file) if row["hardware"]}
    return hardware.removeprefix("cpu (").removesuffix(")")


def said(name: str) -> str:
    """What a command printed then."""
    return (STORED / "said" / name).read_text("utf-8")


def written(folder: Path, project: Project) -> dict[str, str]:
    """A report's Markdown and tables, by name."""
    paths = (*folder.glob("*.md"), *(folder / "tables").glob("*.csv"))
    return {path.name: steady(path.read_text("utf-8"), project) for path in paths}


def command(project: Project, *words: str) -> str:
    """What the command prints, which must be fine."""
    done = project.here(*words)
    assert done.returncode == 0, done.stderr
    return steady(done.stdout, project)


@pytest.mark.parametrize("study", REPORTS)
def test_a_report_says_and_shows_what_it_did(stored: Project, study: str) -> None:
    printed = command(stored, "report", study, *REPORTS[study], "--format", "md,csv")
    assert printed == said(f"report-{study}.txt")
    then = written(STORED / "reports" / study, stored)
    now = written(stored.folder / "reports" / study, stored)
    assert now.keys() == then.keys()
    for name, text in then.items():
        assert now[name] == text, name


@pytest.mark.parametrize(
    ("name", "option"), [("runs.txt", ()), ("runs.csv", ("--csv",)), ("runs.json", ("--json",))]
)
def test_the_runs_are_listed_as_they_were(
    stored: Project, name: str, option: tuple[str, ...]
) -> None:
    assert command(stored, "list", "runs", *option) == said(name)


def test_claims_of_ones_own_stand_alone_on_own_texts(stored: Project) -> None:
    command(stored, "report", "own", "--claims", "claims.toml", "--format", "csv", "--out", "c")
    with open(stored.folder / "c/tables/claims.csv", newline="") as file:
        found = [row["id"] for row in csv.DictReader(file)]
    text = (stored.folder / "claims.toml").read_text("utf-8")
    assert found == re.findall(r'^id = "(.+)"$', text, re.MULTILINE)


@pytest.mark.parametrize("status", SHOWN)
def test_a_run_is_shown_as_it_was(stored: Project, status: str) -> None:
    words = ("show", fingerprint_of(status))
    assert command(stored, *words) == said(f"show-{status}.txt")
    assert command(stored, *words, "--json") == said(f"show-{status}.json")


def fingerprint_of(status: str) -> str:
    """Of the first run that was listed so."""
    (runs,) = json.loads(said("runs.json")).values()
    return next(row["run"] for row in runs if status in row["status"])


def shown(status: str) -> dict[str, Any]:
    """What was known of it."""
    return dict(json.loads(said(f"show-{status}.json")))


def test_a_kept_model_scores_as_it_did(stored: Project) -> None:
    then = shown("finished")["result"]
    found = json.loads(command(stored, "evaluate", fingerprint_of("finished"), "--json"))
    assert found["accuracy"] == pytest.approx(then["test_accuracy"], abs=1e-6)
    assert found["loss"] == pytest.approx(then["test_loss"], abs=1e-6)
    assert not {"section", "arm"} & found["classes"][0].keys()


def test_a_kept_model_of_a_file_of_ones_own_knows_its_words(stored: Project) -> None:
    words = ("predict", "gru(units=2)", "word3 good unheard", "--study", "own", "--json")
    (found,) = json.loads(command(stored, *words))
    assert found["seen"] == ["word3", "good", None]


@pytest.fixture(scope="module")
def gone_on(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, to be worked on."""
    return unpack(tmp_path_factory.mktemp("gone-on"))


@pytest.mark.parametrize(
    ("words", "n_runs"),
    [
        (("--study", "notes.toml"), 20),
        (("--study", "units.toml"), 16),
        (("lstm", "gru", "--tuned", "--name", "tuned", "--seeds", "4", *ON_IMDB), 8),
    ],
    ids=["notes", "units", "tuned"],
)
def test_what_is_finished_is_not_trained_again(
    gone_on: Project, words: tuple[str, ...], n_runs: int
) -> None:
    before = gone_on.run_folders()
    times = {path: path.stat().st_mtime_ns for path in before.values()}
    printed = command(gone_on, "run", *words, "--no-report")
    assert f"{n_runs} runs, {n_runs} done already" in printed
    assert gone_on.run_folders() == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_search_that_is_over_has_the_same_winners(gone_on: Project) -> None:
    words = ("lstm", "gru", "--trials", "5", "--tuning-seeds", "2", *ON_IMDB)
    assert command(gone_on, "tune", *words, "--json") == said("winners.json")


def test_a_killed_run_goes_on_as_if_it_had_not_been(
    gone_on: Project, tmp_path: Path, shared: Path
) -> None:
    before = [tuple(row[name] for name in CURVES) for row in shown("done")["history"]]
    command(gone_on, "run", "--study", "long.toml", "--no-report")
    found = curves_of(gone_on, "long")
    assert len(before) < len(found) == 40
    assert found[: len(before)] == before

    other = afresh(gone_on, tmp_path / "other", shared)
    command(other, "run", "--study", "long.toml", "--no-report")
    undisturbed = curves_of(other, "long")
    if undisturbed[: len(before)] == before:  # else another machine began it, or other versions
        assert found == undisturbed


def curves_of(project: Project, study: str) -> list[tuple[float, ...]]:
    """The epochs of a study's only run."""
    (path,) = (project.folder / ".rnnbench/runs" / study).glob("*/history.csv")
    return read_curves(path)


def afresh(project: Project, folder: Path, shared: Path) -> Project:
    """A project of the same files, in which nothing was run."""
    folder.mkdir()
    for path in project.folder.iterdir():
        if path.suffix in (".toml", ".npz", ".csv"):
            shutil.copyfile(path, folder / path.name)
    shutil.copyfile(database_template(shared), folder / DATABASE)
    return replace(project, folder=folder)


def test_an_archive_is_taken_in_and_reported_as_it_was(
    stored: Project, tmp_path: Path, shared: Path
) -> None:
    project = afresh(stored, tmp_path / "elsewhere", shared)
    printed = command(project, "import", str(STORED / "notes.zip"))
    assert "imported: 20 runs of 'notes' from desk" in printed
    command(project, "report", "notes", "--format", "csv")
    now = written(project.folder / "reports/notes", project)
    for name, then in written(STORED / "reports/notes", stored).items():
        if name in now and not name.startswith(FROM_ELSEWHERE):
            assert imported_rows(now[name]) == rows_of(then), name


def rows_of(table: str) -> list[list[str]]:
    """The table's rows, but for the words of the command that made the runs."""
    rows = csv.reader(io.StringIO(table))
    return [row for row in rows if row[0] != "repeat with"]


def imported_rows(table: str) -> list[list[str]]:
    """The same of a table of runs from elsewhere, whose hardware says where from."""
    return [[cell.replace(", desk)", ")") for cell in row] for row in rows_of(table)]


def test_times_are_taken_in_and_reported_as_they_were(
    stored: Project, tmp_path: Path, shared: Path
) -> None:
    project = afresh(stored, tmp_path / "elsewhere", shared)
    for path in sorted((stored.folder / ".rnnbench/timing").glob("*.json")):
        command(project, "timing", "--import", str(path))
    command(project, "report", "timing", "--format", "csv")
    now = written(project.folder / "reports/timing", project)
    for path in (STORED / "reports/timing/tables").glob("timing_*.csv"):
        assert now[path.name] == path.read_text("utf-8"), path.name


def test_the_notes_that_were_reproduced_are_compared_as_they_were(
    stored: Project,
    real_imdb: Path,
    real_reviews: Corpus,
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the published reviews alone; what is kept is good for one machine and its versions."""
    for path in (stored.folder / ".rnnbench/reproduce/notes-2025").glob("*.json"):
        kept = json.loads(path.read_text("utf-8"))
        kept["conditions"] |= conditions_here()
        path.write_text(json.dumps(kept), "utf-8")
    project = replace(stored, environment=environment_with(shared / "real"))
    monkeypatch.setenv("RNNBENCH_CACHE", str(shared / "real"))
    remember_source(imdb_key(real_imdb), real_reviews.fingerprint())  # else it is read again
    words = ("reproduce", "notes-2025", "--epochs", "2", "--dataset", str(real_imdb))
    command(project, *words, "--out", str(tmp_path / "out"))
    for name in ("epochs.csv", "index.md"):
        then = (STORED / "reports/notes-2025" / name).read_text("utf-8")
        now = (tmp_path / "out" / name).read_text("utf-8")
        assert without_versions(now) == without_versions(then), name


def without_versions(text: str) -> list[str]:
    """The text's lines, but for the one that names processor and versions."""
    return [line for line in text.splitlines() if not line.startswith("Measured on ")]


def conditions_here() -> dict[str, str]:
    """Of a training that would take place here."""
    versions = {f"version.{name}": version(name) for name in ("keras", "tensorflow", "numpy")}
    return versions | {
        "version.python": platform.python_version(),
        "processor": processor_name(),
    }
