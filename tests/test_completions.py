"""What the shell offers at TAB."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import spec_of

from rnnbench.completions import offer_begun_studies, offer_runs, offer_studies
from rnnbench.ledger import Ledger
from rnnbench.runs.listing import list_all
from rnnbench.specs import CanonicalForm


def press_tab(typed: str, folder: Path) -> list[str]:
    """What bash is told when the last word is not finished."""
    place = str(len(typed.split(" ")) - 1)
    told = {"_RNNBENCH_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": place}
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'rnnbench'; " + _MAIN]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | told, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


_MAIN = "from rnnbench.cli import main; main()"


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with a run of a preset and one whose name a shell would take apart; its first."""
    monkeypatch.chdir(tmp_path)
    ledger, spec = Ledger(tmp_path), spec_of()
    ledger.open_run("mine", replace(spec, form=CanonicalForm(cell="lstm", units=16)))
    return ledger.open_run("mine", spec).fingerprint


def test_tab_offers_architectures_studies_and_runs(begun: str, tmp_path: Path) -> None:
    assert press_tab("rnnbench run lstm-d", tmp_path) == ["lstm-dropout"]
    assert press_tab("rnnbench run --study tex", tmp_path) == ["textbook"]
    assert press_tab("rnnbench report m", tmp_path) == ["mine"]
    assert press_tab("rnnbench show ", tmp_path) == ["lstm"]
    assert press_tab(f"rnnbench show {begun[:5]}", tmp_path) == [begun]


def test_a_run_is_offered_with_what_it_is(begun: str) -> None:
    assert list(offer_runs(begun)) == [(begun, "lstm, seed 0, mine")]


def test_studies_of_the_folder_are_offered_and_other_toml_files_not(begun: str) -> None:
    Path("mine.toml").write_text(
        'name = "mine"\ndescription = "Two"\narchitectures = ["lstm"]\nseeds = 2', "utf-8"
    )
    Path("minutes.toml").write_text("x = 1", "utf-8")
    assert list(offer_studies("min")) == [("mine.toml", "Two")]


def test_nothing_is_offered_where_the_ledger_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".rnnbench").write_text("no folder", "utf-8")
    assert (list(offer_begun_studies("")), list(offer_runs("l"))) == ([], [])


def test_studies_that_have_runs_here_are_listed(begun: str, tmp_path: Path) -> None:
    listed = list_all(tmp_path, "studies")[
        "studies with runs in this folder (rnnbench report NAME)"
    ]
    (row,) = listed
    assert (row["name"], row["runs"], row["finished"]) == ("mine", "2", "0")
    assert row["architectures"] == "lstm(units=16), lstm"
