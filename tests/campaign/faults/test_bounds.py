"""Whatever a file or a word asks for: refused in a sentence, within seconds and megabytes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from oversized import CASES
from project import Project
from tally import Tally
from trials import watch

pytestmark = pytest.mark.campaign

MOST_CPU_SECONDS = 5
MOST_MIB = 500


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_asks_for_too_much_is_refused_in_a_sentence(
    case: Callable[[Path], list[str]], tmp_path: Path, tally: Tally
) -> None:
    (tmp_path / "project").mkdir()
    project = Project(folder=tmp_path / "project", options=(), environment=dict(os.environ))
    ended = watch(project, *case(tmp_path))
    tally("an oversized input", **ended.counted())
    before, _, refusal = ended.said.partition("error: ")
    assert ended.code in (2, 3), ended.said
    assert before == "" or before.startswith("warning: "), ended.said
    assert len(refusal.splitlines()) == 1, ended.said
    assert (ended.cpu_seconds < MOST_CPU_SECONDS, ended.peak_mib < MOST_MIB) == (True, True), ended
