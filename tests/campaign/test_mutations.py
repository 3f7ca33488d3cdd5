"""Damaged inputs by the hundred: each is taken, or refused in a sentence, at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutations import FAULTS, run_mutations
from project import Count

pytestmark = pytest.mark.campaign


def test_a_damaged_input_is_taken_or_refused_in_a_sentence(tmp_path: Path, count: Count) -> None:
    faults = []
    for outcome in run_mutations(450, tmp_path):
        count(f"a damaged {outcome.kind} {outcome.what}")
        if outcome.what in FAULTS:
            faults.append(outcome)
    assert not faults
