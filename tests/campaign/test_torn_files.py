"""Every file of a finished project torn in sixteen ways: named, left out, and trained again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from project import Count, Project
from torn_files import Command, Outcome, is_told, tear_each

pytestmark = pytest.mark.campaign
KINDS = (
    *("spec.json", "result.json", "history.csv", "best.keras", "predictions.npz", "study.json"),
    "tokenizer.json",
)


def in_folder(project: Project) -> Callable[[Path], Command]:
    return lambda folder: replace(project, folder=folder).here


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", KINDS)
def test_a_torn_file_is_named_and_the_rest_goes_on(
    name: str, finished: Project, tmp_path: Path, count: Count
) -> None:
    outcomes: dict[str, list[Outcome]] = {}
    repair = ("run", *finished.options)
    for outcome in tear_each(
        finished.folder,
        tmp_path,
        in_folder(finished),
        repair=repair,
        wanted=lambda path: path.endswith(name),
    ):
        assert not outcome.is_crash, str(outcome)
        outcomes.setdefault(outcome.way, []).append(outcome)
    for way, found in outcomes.items():
        count(f"a torn {name}")
        if way not in ("bytes flipped", "JSON []"):  # which can leave what may well be true
            assert any(is_told(outcome) for outcome in found), f"{name} {way} was not named"
        assert found[-1].code == 0, str(found[-1])


@pytest.mark.timeout(3600)
def test_whatever_else_is_torn_ends_nothing(
    finished: Project, tmp_path: Path, count: Count
) -> None:
    for outcome in tear_each(
        finished.folder, tmp_path, in_folder(finished), wanted=lambda path: not path.endswith(KINDS)
    ):
        assert not outcome.is_crash, str(outcome)
        count(f"a command beside a torn {Path(outcome.file).name}")
