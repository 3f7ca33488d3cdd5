"""A study that leaves the machine: whole where neither its texts nor any cache ever were."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from made_archives import change_archive
from project import Project, build_once, environment_with

from rnnbench.page.csv_files import write_lines

CHOSEN = (
    "--learning-rate",
    "0.03",
    "--epochs",
    "6",
    "--seeds",
    "2",
    "--units",
    "4",
    "--race",
    "none",
    "--no-report",
)
SECRET = "xylophone"  # a word of the texts that no file of an archive may hold beside others
TEXTS = [
    f"<i>{word}</i> {SECRET} number {n % 7} was {word} {tone}"
    for n in range(150)
    for word, tone in (("lovely", "bright"), ("dreadful", "dark"))
]
LABELS = ["praise", "blame"] * 150


def begin(folder: Path, cache: Path) -> Project:
    return Project(folder=folder, options=(), environment=environment_with(cache))


@pytest.fixture(scope="module")
def origin(shared: Path) -> Project:
    """Where two architectures were trained; its report is written, and `study.zip`."""
    folder = shared / "leaving"
    project = begin(folder, shared / "leaving-cache")

    def run() -> None:
        rows = zip(TEXTS, LABELS, strict=True)
        (folder / "notes.csv").write_text(write_lines(("text", "label"), rows), "utf-8")
        words = ("--dataset", "notes.csv", "--strip-html", "--name", "notes", *CHOSEN)
        for command in (("run", "gru", "simple-rnn", *words), ("report",)):
            done = project.here(*command)
            assert done.returncode == 0, done.stderr
        other = ("--name", "short", "--seeds", "1", "--max-len", "4", "--num-words", "9")
        done = project.here("run", "gru", *words, *other)
        assert done.returncode == 0, done.stderr
        for study, file in (("notes", "study.zip"), ("short", "short.zip")):
            done = project.here("export", study, file)
            assert done.returncode == 0, done.stderr

    build_once(folder, run)
    return project


@pytest.fixture(scope="module")
def arrived(origin: Project, shared: Path) -> Project:
    """A folder that has taken the study in, with an empty cache."""
    project = begin(shared / "arrived", shared / "arrived-cache")

    def run() -> None:
        shutil.copy(origin.folder / "study.zip", project.folder)
        done = project.here("import", "study.zip")
        assert (done.returncode, done.stderr) == (0, "")

    build_once(project.folder, run)
    return project


@pytest.fixture
def elsewhere(arrived: Project, tmp_path: Path) -> Project:
    """A copy of it that may be changed."""
    shutil.copytree(arrived.folder, tmp_path / "there")
    return replace(arrived, folder=tmp_path / "there")


def read_page(project: Project) -> list[str]:
    """The report in Markdown, without texts and what may be otherwise on another machine."""
    page = (project.folder / "reports" / "notes" / "index.md").read_text("utf-8")
    hidden = ("Made by", "| runs in MLflow |", "By the mean of the runs' probabilities")
    kept = [
        line.replace(project.folder.name, "").replace(machine_of(project), ")")
        for line in page.splitlines()
        if not line.startswith(hidden)
    ]
    header = next((line for line in kept if "| true class |" in line and "| text |" in line), "")
    start = kept.index(header) if header else len(kept)
    end = kept.index("", start) if header else len(kept)
    mistakes = [line.rsplit(" | ", 1)[0] for line in kept[start:end]]
    return [*kept[:start], *mistakes, *kept[end:]]


def read_tables(project: Project) -> dict[str, list[dict[str, str]]]:
    """The report's CSV files by name, likewise."""
    found = {}
    for path in (project.folder / "reports" / "notes" / "tables").glob("*.csv"):
        text = path.read_text("utf-8-sig").replace(machine_of(project), ")")
        rows = csv.DictReader(io.StringIO(text.replace(project.folder.name, "")))
        hidden = "text" if path.name == "mistakes.csv" else None
        kept = [{key: row[key] for key in row if key != hidden} for row in rows]
        found[path.name] = [row for row in kept if "runs in MLflow" not in row.values()]
    return found


def machine_of(project: Project) -> str:
    """What stands beside a processor for a run from elsewhere."""
    path = next(project.folder.glob(".rnnbench/runs/*/*/result.json"))
    return f", {json.loads(path.read_text())['environment'].get('imported_from', '-')})"


def test_the_page_is_that_of_the_original(origin: Project, tmp_path: Path) -> None:
    there = begin(tmp_path / "another_folder", tmp_path / "cache")
    there.folder.mkdir()
    for file in ("short.zip", "study.zip"):  # another study on the same texts comes first
        done = there.here("import", str(origin.folder / file))
        assert (done.returncode, done.stderr) == (0, "")
    assert there.here("report", "notes").returncode == 0
    assert read_page(there) == read_page(origin)
    tables = read_tables(there)
    assert tables == read_tables(origin)
    assert {"architectures.csv", "classes.csv", "mistakes.csv", "facts.csv"} <= tables.keys()
    text = "\n".join(read_page(there))
    assert all(word in text for word in ("TF-IDF", "bag of words", "majority class", "praise"))


def test_its_models_answer_as_they_did(origin: Project, elsewhere: Project) -> None:
    words = (
        "predict",
        "gru",
        "a <b>lovely</b> day",
        "dreadful, dark",
        "--study",
        "notes",
        "--json",
    )
    answers = [json.loads(project.here(*words).stdout) for project in (origin, elsewhere)]
    assert answers[0] == answers[1]
    assert [each["answer"] for each in answers[0]] == ["praise", "blame"]


def test_a_text_without_a_known_word_gets_no_answer(elsewhere: Project) -> None:
    words = ("predict", "gru", "", "???", "zebra")
    found = json.loads(elsewhere.here(*words, "--json").stdout)
    assert [each["answer"] for each in found] == [None] * 3
    assert [each["probabilities"] for each in found] == [{"blame": None, "praise": None}] * 3
    done = elsewhere.here(*words)
    assert done.returncode == 0
    assert "none: the model knows no word of this text" in done.stdout
    assert "known     0 of 0 words" in done.stdout


def test_kept_answers_are_scored_where_the_texts_are_not(
    origin: Project, elsewhere: Project
) -> None:
    here, there = (
        json.loads(project.here("evaluate", "gru", "--study", "notes", "--json").stdout)
        for project in (origin, elsewhere)
    )
    for name in ("accuracy", "macro_f1", "classes", "confusions", "n_texts"):
        assert there[name] == here[name], name
    assert there["loss"] == pytest.approx(here["loss"], abs=1e-3)
    assert "not on this machine" in there["notes"][0]
    done = elsewhere.here("evaluate", "gru", "--dataset", str(origin.folder / "notes.csv"))
    assert "nobody can tell whether some of these are among them" in done.stdout


def test_no_text_is_in_an_archive_and_its_card_is(origin: Project) -> None:
    with zipfile.ZipFile(origin.folder / "study.zip") as file:
        contents = {name: file.read(name) for name in file.namelist()}
    assert json.loads(contents["rnnbench.json"])["version"] == 4
    for name, content in contents.items():
        assert content.count(SECRET.encode()) <= name.endswith("tokenizer.json"), name
        assert f"{SECRET} number".encode() not in content
    card = contents["README.md"].decode()
    assert "blame 50.0 %, praise 50.0 %" in card
    assert "To be chosen by you" in card
    assert "| gru(units=4) | 2 | 0 |" in card


def test_a_card_is_for_people_and_one_of_any_content_is_taken(
    elsewhere: Project, tmp_path: Path
) -> None:
    path = change_archive(
        elsewhere.folder / "study.zip", lambda contents, _: contents.update({"README.md": b"\xff"})
    )
    there = begin(tmp_path, tmp_path / "cache")
    assert there.here("import", str(path)).returncode == 0
    large = change_archive(path, lambda contents, _: contents.update({"README.md": bytes(2**21)}))
    assert "README.md has 2097152 bytes" in there.here("import", str(large)).stderr


@pytest.mark.parametrize("name", ["s.csv", "s.tsv", "s.jsonl"])
def test_a_file_comes_back_row_for_row(elsewhere: Project, name: str) -> None:
    lines = [["1", "a lovely, bright day"], ["2", ""], ["", ""], ["=3", "zebra"], ["4", "dark"]]
    (elsewhere.folder / "t.csv").write_text(write_lines(("id", "text"), lines), "utf-8")
    words = ("predict", "gru", "--file", "t.csv", "--out", name)
    done = elsewhere.here(*words)
    assert done.returncode == 0
    assert "without an answer: 3 of 5 rows" in done.stderr
    found = read_back(elsewhere.folder / name)
    assert [row["id"] for row in found] == ["1", "2", "", "=3", "4"]
    assert [row["class"] or "" for row in found] == ["praise", "", "", "", "blame"]
    assert "already exists" in elsewhere.here(*words).stderr


def read_back(path: Path) -> list[dict[str, str]]:
    text = path.read_text("utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    mark = "\t" if path.suffix == ".tsv" else ","
    header, *rows = (
        line.replace('"a lovely, bright day"', "…").split(mark) for line in text.splitlines()
    )
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_rows_of_json_keep_what_they_are(elsewhere: Project) -> None:
    rows = [{"n": 1, "tags": ["a"], "text": "lovely"}, {"n": None, "text": "dark", "class": "?"}]
    (elsewhere.folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    done = elsewhere.here("predict", "gru", "--file", "t.jsonl", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [{key: each[key] for key in row} for each, row in zip(found, rows, strict=True)] == rows
    assert [each["predicted_class"] for each in found] == ["praise", "blame"]


def test_lines_of_plain_text_are_texts(elsewhere: Project) -> None:
    (elsewhere.folder / "t.txt").write_text("lovely\n\ndark\n", "utf-8")
    done = elsewhere.here("predict", "gru", "--file", "t.txt")
    rows = [line.split(",")[:2] for line in done.stdout.splitlines()]
    assert rows == [["text", "class"], ["lovely", "praise"], ["", ""], ["dark", "blame"]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("x", "--file", "t.csv"), "one of the two"),
        ((), "one of the two"),
        (("x", "--out", "s.csv"), "no file to read with --out"),
        (("x", "--text-column", "a"), "no file to read with --text-column"),
        (("--file", "none.csv"), "there is no file none.csv"),
        (("--file", "t.csv", "--out", "s.xlsx"), "its ending is none of .csv"),
        (("--file", "t.csv", "--text-column", "c"), "unknown column 'c'"),
        (("--file", "t.csv"), "ambiguous which column has the texts; say --text-column"),
        (("--file", "."), "is a folder"),
        (("--file", "t.csv", "--sheet", "a"), "--sheet is for .xlsx"),
    ],
)
def test_what_cannot_be_predicted_is_told(
    elsewhere: Project, words: tuple[str, ...], told: str
) -> None:
    (elsewhere.folder / "t.csv").write_text("a,b\n1,2\n", "utf-8")
    done = elsewhere.here("predict", "gru", *words)
    assert done.returncode in (2, 3)
    assert told in done.stderr


def test_a_model_file_of_others_is_refused(elsewhere: Project) -> None:
    kept = {
        json.loads((path.parent / "spec.json").read_text())["form"]["cell"]: path
        for path in elsewhere.folder.glob(".rnnbench/runs/*/*/best.keras")
    }
    shutil.copy(kept["simple-rnn"], kept["gru"])
    done = elsewhere.here("predict", kept["gru"].parent.name, "lovely")
    assert done.returncode == 3
    assert "is damaged, or not a model of gru" in done.stderr
    kept["gru"].write_text("a model", "utf-8")
    told = elsewhere.here("predict", kept["gru"].parent.name, "lovely").stderr
    assert "best.keras cannot be read (it is not a complete zip file)" in told


def test_a_damaged_summary_of_texts_is_told_and_left_out(elsewhere: Project) -> None:
    (path,) = elsewhere.folder.glob(".rnnbench/texts/*.json")
    path.write_text("[]", "utf-8")
    done = elsewhere.here("report", "notes")
    assert done.returncode == 0
    assert "what it says of texts is left out" in done.stderr
    assert "TF-IDF" not in "\n".join(read_page(elsewhere))


def test_a_study_goes_on_from_there(elsewhere: Project, tmp_path: Path) -> None:
    assert elsewhere.here("export", "notes", "again.zip").returncode == 0
    third = replace(elsewhere, folder=tmp_path / "third")
    third.folder.mkdir()
    shutil.copy(elsewhere.folder / "again.zip", third.folder)
    assert third.here("import", "again.zip").returncode == 0
    assert third.here("report", "notes").returncode == 0
    assert "TF-IDF" in "\n".join(read_page(third))


def test_a_run_that_did_not_learn_is_told(elsewhere: Project) -> None:
    for path in elsewhere.folder.glob(".rnnbench/runs/*/*/result.json"):
        result = {**json.loads(path.read_text("utf-8")), "val_accuracy": 0.5}
        path.write_text(json.dumps(result), "utf-8")
    for words in (("predict", "gru", "lovely"), ("evaluate", "gru")):
        assert "this run did not learn" in elsewhere.here(*words).stdout


def test_a_run_of_before_finds_its_words_in_the_cache(
    origin: Project, elsewhere: Project, tmp_path: Path
) -> None:
    for path in elsewhere.folder.glob(".rnnbench/runs/*/*/tokenizer.json"):
        path.unlink()
    with_cache = replace(elsewhere, environment=origin.environment)
    assert "answer    praise" in with_cache.here("predict", "gru", "lovely").stdout
    assert with_cache.here("export", "notes", "with.zip").returncode == 0
    with zipfile.ZipFile(elsewhere.folder / "with.zip") as file:
        assert sum(name.endswith("tokenizer.json") for name in file.namelist()) == 4
    without = replace(elsewhere, environment=environment_with(tmp_path / "none"))
    assert "no complete texts" in without.here("predict", "gru", "lovely").stderr
