"""`rnnbench report`, from runs to files, and what it says of runs that decide nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from command import Answer
from made_up import finished as over
from made_up import spec_of
from mlflow_folder import MlflowFolder, epochs
from project import HOSTILE, STUDY, Project, build_once

from rnnbench.specs import RunResult
from rnnbench.tracking.publisher import DECLARATION_TAG

Command = Callable[..., Answer]

USAGE, UNAVAILABLE = 2, 3


@dataclass(frozen=True)
class Reported:
    """Where a report was written, and what the command said."""

    folder: Path
    out: str
    err: str


FAILED = RunResult(status="failed", epochs=0, reason="ValueError: no", traceback="Traceback…")


@pytest.fixture(scope="module")
def reported(finished: Project, shared: Path) -> Reported:
    """`rnnbench report` of the finished study, into another folder."""
    folder = shared / "reported"

    def report() -> None:
        done = finished.here("report", "--out", str(folder / "out"))
        assert done.returncode == 0, done.stderr
        (folder / "out.txt").write_text(done.stdout)
        (folder / "err.txt").write_text(done.stderr)

    build_once(folder, report)
    return Reported(
        folder=folder / "out",
        out=(folder / "out.txt").read_text(),
        err=(folder / "err.txt").read_text(),
    )


def test_a_run_ends_with_its_report(finished: Project) -> None:
    page = finished.folder / "reports" / STUDY / "index.html"
    said = (finished.folder / "said.txt").read_text()
    assert said.splitlines()[-1] == f"report: {page}"
    assert page.exists()


def test_a_report_is_a_page_the_same_as_markdown_and_tables(
    finished: Project, reported: Reported
) -> None:
    out = reported.folder
    assert {path.name for path in out.iterdir()} == {"index.html", "index.md", "figures", "tables"}
    arms = read_table(out / "tables" / "architectures.csv")
    assert {(row["arm"], row["n"]) for row in arms if row["is_baseline"] == "False"} == {
        ("lstm(units=2)", "2"),
        ("gru(units=2)", "2"),
    }
    assert [row["arm"] for row in arms if row["is_baseline"] == "True"] == ["bag of words"]
    assert len(read_table(out / "tables" / "seeds.csv")) == 4
    assert len(read_table(out / "tables" / "curves.csv")) == 16


def test_a_report_says_the_answer_and_what_to_be_careful_about(
    finished: Project, reported: Reported
) -> None:
    first, second, *answer, last = reported.out.splitlines()
    assert first == f"study {STUDY}"
    assert second.startswith("Too few test texts: one is 1.2 points of accuracy")
    best = re.compile(r"(lstm|gru)\(units=2\) has the highest mean test accuracy, \d+\.\d\d")
    assert any(map(best.match, answer))
    assert last == f"report: {reported.folder / 'index.html'}"
    assert reported.err == ""


def test_a_report_and_the_tables_of_a_run_are_the_same(
    finished: Project, reported: Reported
) -> None:
    of_run, of_report = finished.folder / "reports" / STUDY, reported.folder
    names = sorted(path.name for path in (of_run / "tables").iterdir())
    assert names == sorted(path.name for path in (of_report / "tables").iterdir())
    assert names
    for name in names:
        assert (of_run / "tables" / name).read_text() == (of_report / "tables" / name).read_text()


def test_the_report_is_an_artifact_of_the_command_that_ran_the_study(
    finished: Project, reported: Reported
) -> None:
    (command,) = finished.tracked("invocation")
    client = finished.client()
    kept = {item.path for item in client.list_artifacts(command.info.run_id, "report")}
    assert kept == {f"report/{name}" for name in ("index.html", "index.md", "figures", "tables")}


def test_a_hostile_description_is_shown_as_text(finished: Project, reported: Reported) -> None:
    for name in ("index.html", "index.md"):
        text = (reported.folder / name).read_text("utf-8")
        assert HOSTILE not in text
        assert "&lt;script&gt;alert(1)" in text


def test_what_was_declared_and_run_stands_at_the_end(finished: Project, reported: Reported) -> None:
    rows = read_table(reported.folder / "tables" / "facts.csv")
    facts = {row["name"]: row["value"] for row in rows}
    assert facts["practical margin"] == "0.5 points of test accuracy"
    assert facts["runs in MLflow"] == "4 of 4"
    assert facts["repeat with"].startswith("rnnbench run --study study.toml")
    assert facts["back end and engine"] == "jax, keras"
    assert facts["hardware"].startswith("cpu (")


def read_table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


@pytest.fixture
def folder(tmp_path: Path) -> MlflowFolder:
    """The folder in which a test's commands are called; without MLflow's database."""
    return MlflowFolder(tmp_path, None)


def fill(folder: MlflowFolder, *results: RunResult | None, study: str = "textbook") -> None:
    """Runs of two architectures with these results each, in the ledger."""
    for architecture in ("lstm", "gru"):
        for seed, result in enumerate(results):
            n_epochs = result.epochs if result else 2
            folder.record(spec_of(architecture, seed), result, epochs(n_epochs), study=study)


def assert_one_error(answer: Answer, code: int, sentence: str) -> None:
    assert answer.code == code, answer
    assert answer.err.startswith("error: ")
    assert sentence in answer.err
    assert answer.err.count("\n") == 1


def test_an_unknown_study_is_told_with_the_known_ones(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    fill(folder, over(0.8))
    fill(folder, over(0.8), study="orders")
    answer = rnnbench("report", "nonsense")
    assert_one_error(answer, USAGE, "unknown study 'nonsense'; choose from orders, textbook")


def test_nothing_to_report_makes_nothing(rnnbench: Command, tmp_path: Path) -> None:
    assert_one_error(rnnbench("report"), USAGE, "there are no runs here yet; `rnnbench run --all`")
    assert list(tmp_path.iterdir()) == []


def test_one_format_alone(rnnbench: Command, folder: MlflowFolder) -> None:
    fill(folder, over(0.8))
    assert rnnbench("report", "--format", "md").code == 0
    made = folder.root / "reports" / "textbook"
    assert {path.name for path in made.iterdir()} == {"index.md", "figures"}


@pytest.mark.parametrize(
    ("formats", "sentence"),
    [
        ("pdf", "unknown format 'pdf'; choose from csv, html, md"),
        ("html,", "unknown format ''"),
        ("", "name a format; choose from html, md, csv"),
    ],
)
def test_a_format_that_there_is_not_is_refused(
    rnnbench: Command, folder: MlflowFolder, formats: str, sentence: str
) -> None:
    fill(folder, over(0.8))
    assert_one_error(rnnbench("report", "--format", formats), USAGE, sentence)


def test_tables_for_a_paper_lie_beside_the_page_and_the_last_line_says_where(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    fill(folder, over(0.8), over(0.79))
    answer = rnnbench("report", "--latex", "--format", "md")
    made = folder.root / "reports" / "textbook"
    assert answer.code == 0, answer
    assert answer.out.splitlines()[-2:] == [
        f"report: {made / 'index.md'}",
        f"LaTeX tables: {made / 'latex'}",
    ]
    names = {path.name for path in (made / "latex").iterdir()}
    assert {"accuracy.tex", "costs.tex", "pairs.tex"} <= names
    assert not (made / "tables").exists()


def test_a_study_without_a_finished_run_has_no_tables_for_a_paper(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    fill(folder, FAILED, None)
    answer = rnnbench("report", "--latex")
    assert answer.code == 0, answer
    assert answer.out.splitlines()[-1] == "no LaTeX tables were written: no run has finished"
    assert not (folder.root / "reports" / "textbook" / "latex").exists()


BAD_CLAIM = """
[[claim]]
id = "mine"
claim = "A GRU is better."
made_in = "a talk"

[claim.test]
kind = "compare"
metric = "test_accuracy"
a = "grru"
b = "lstm"
expect = "higher"
"""


def test_a_mistake_in_the_claims_is_told_with_its_line(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    fill(folder, over(0.8))
    Path("bad.toml").write_text(BAD_CLAIM)
    answer = rnnbench("report", "--claims", "bad.toml")
    assert_one_error(answer, USAGE, "bad.toml:10: ")
    assert "'grru' (did you mean 'gru'?)" in answer.err
    assert_one_error(rnnbench("report", "--claims", "none.toml"), USAGE, "cannot read none.toml")


def test_claims_of_ones_own_are_judged(rnnbench: Command, folder: MlflowFolder) -> None:
    fill(folder, over(0.8))
    Path("mine.toml").write_text(BAD_CLAIM.replace("grru", "gru"))
    answer = rnnbench("report", "--claims", "mine.toml", "--format", "csv", "--out", "out")
    assert answer.code == 0, answer
    claims = {row["id"]: row["verdict"] for row in read_table(Path("out/tables/claims.csv"))}
    assert claims["mine"] == "undetermined"
    assert len(claims) > 10  # the notes' stay


def test_a_folder_that_cannot_be_written_is_told(rnnbench: Command, folder: MlflowFolder) -> None:
    fill(folder, over(0.8))
    Path("file").write_text("in the way")
    answer = rnnbench("report", "--format", "csv", "--out", "file/out")
    assert_one_error(answer, UNAVAILABLE, "choose another folder with --out")


def test_without_mlflow_nothing_is_missing(rnnbench: Command, folder: MlflowFolder) -> None:
    fill(folder, over(0.8))
    answer = rnnbench("report", "--format", "csv")
    assert answer.code == 0
    assert "ledger" not in answer.err
    assert not (folder.root / "mlflow.db").exists()


def test_a_study_whose_runs_all_failed_says_so(rnnbench: Command, folder: MlflowFolder) -> None:
    fill(folder, FAILED, FAILED)
    answer = rnnbench("report")
    assert answer.code == 0, answer
    assert "No run has a score to compare: 4 failed." in answer.out
    assert "4 runs failed and are left out of every mean." in answer.err
    page = (folder.root / "reports" / "textbook" / "index.html").read_text("utf-8")
    assert "No run has a score to compare: 4 failed." in page


def test_one_architecture_and_one_seed_have_nothing_to_compare(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    folder.record(spec_of("lstm", 0), over(0.8), epochs(9))
    answer = rnnbench("report")
    assert answer.code == 0, answer
    assert "80.00 % over 1 seed; there is nothing to compare it with." in answer.out


def test_a_study_that_is_half_done_reports_what_there_is(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    fill(folder, over(0.8), over(0.79), None, None)
    answer = rnnbench("report", "--format", "html,csv")
    assert answer.code == 0, answer
    assert "over 2 seeds each; too few test texts" in answer.out
    assert "4 runs are not over yet; this is what there is so far." in answer.err
    made = folder.root / "reports" / "textbook"
    assert "4 runs are not over yet" in (made / "index.html").read_text("utf-8")
    arms = read_table(made / "tables" / "architectures.csv")
    assert {(row["n"], row["n_missing"]) for row in arms} == {("2", "2")}
    assert len({row["seed"] for row in read_table(made / "tables" / "curves.csv")}) == 4


def test_the_study_worked_on_last_is_the_one_reported(
    rnnbench: Command, folder: MlflowFolder
) -> None:
    fill(folder, over(0.8), study="first")
    fill(folder, over(0.8), study="second")
    (gone_on, *_), (renamed, *_) = map(folder.ledger.entries, ("first", "second"))
    os.utime(gone_on.folder / "result.json", (time.time() + 5, time.time() + 5))
    renamed.note_published({})  # as `relocate` does
    os.utime(renamed.folder, (time.time() + 9, time.time() + 9))
    answer = rnnbench("report", "--format", "csv")
    assert answer.out.splitlines()[0] == "study first"
    assert answer.out.splitlines()[-1].endswith("reports/first/tables/architectures.csv")


def test_a_margin_that_was_changed_later_is_told(rnnbench: Command, folder: MlflowFolder) -> None:
    for margin in (0.5, 1.0):
        folder.ledger.declare("textbook", {"margin_points": margin, "contrast": "architecture"})
        fill(folder, over(0.8))
    answer = rnnbench("report", "--format", "csv")
    assert "The practical margin was changed from 0.5 to 1 points on " in answer.err


def test_the_page_can_be_opened_at_once(
    rnnbench: Command, folder: MlflowFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, over(0.8))
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert rnnbench("report", "--format", "csv", "--open").code == 0
    (address,) = opened
    assert address.startswith("file:///")
    assert address.endswith("architectures.csv")


@pytest.mark.parametrize(
    ("tag", "pairing"),
    [
        (json.dumps({"margin_points": 2, "pairing": "none", "description": "mine"}), "none"),
        ("{", "by seed"),
        ('"text"', "by seed"),
        (json.dumps({"contrast": "<script>"}), "by seed"),
        (json.dumps({"margin_points": "wide"}), "by seed"),
        (json.dumps({"architectures": []}), "by seed"),
    ],
    ids=["sound", "cut short", "text", "contrast", "margin", "not a declaration"],
)
def test_a_study_made_elsewhere_declares_itself_in_mlflow(
    rnnbench: Command,
    tmp_path: Path,
    template: Path,
    tag: str,
    pairing: str,
) -> None:
    folder = MlflowFolder(tmp_path / "elsewhere", template)
    entry = folder.record(spec_of("lstm"), over(0.8), epochs(9))
    folder.publish(entry, tags={DECLARATION_TAG: tag, "rnnbench.command": HOSTILE})
    (folder.root / "mlflow.db").rename(tmp_path / "mlflow.db")
    answer = rnnbench("report", "--format", "csv", "--out", "out")
    assert answer.code == 0, answer
    assert answer.out.splitlines()[0] == "study textbook"  # the only one that MLflow has
    facts = {row["name"]: row["value"] for row in read_table(Path("out/tables/facts.csv"))}
    assert facts["pairing"].startswith(pairing)
    assert facts["repeat with"] == HOSTILE
    assert answer.err == ""


def test_several_studies_in_mlflow_alone_have_to_be_named(
    rnnbench: Command, tmp_path: Path, template: Path
) -> None:
    folder = MlflowFolder(tmp_path / "elsewhere", template)
    for study in ("orders", "lengths"):
        folder.publish(folder.record(spec_of("lstm"), over(0.8), epochs(9), study=study))
    (folder.root / "mlflow.db").rename(tmp_path / "mlflow.db")
    answer = rnnbench("report", "--format", "csv")
    assert_one_error(answer, USAGE, "name one of the studies: lengths, orders")


def test_nothing_but_the_report_goes_to_mlflow(
    rnnbench: Command, tmp_path: Path, template: Path
) -> None:
    folder = MlflowFolder(tmp_path, template)
    folder.publish(folder.record(spec_of("lstm"), over(0.8), epochs(9)))
    assert rnnbench("report", "--format", "csv", "--out", ".").code == 0
    kept = {path.name for path in tmp_path.glob("mlruns/*/*/artifacts/report/*")}
    assert kept == {"tables"}
