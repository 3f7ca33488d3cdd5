"""Damaged inputs by the thousand: each is taken, or refused in a sentence, at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutations import FAULTS, run_mutations
from tally import Tally

pytestmark = pytest.mark.campaign


def test_a_damaged_input_is_taken_or_refused_in_a_sentence(tmp_path: Path, tally: Tally) -> None:
    faults = []
    for outcome in run_mutations(2_000, tmp_path):
        tally(
            f"a damaged {outcome.kind}",
            tried=1,
            executed=int(outcome.what == "executed"),
            hung=int(outcome.what == "over time"),
            over_1_gib=int(outcome.what == "over memory"),
            tracebacks=int(outcome.what in ("traceback", "unclear", "died")),
        )
        if outcome.what in FAULTS:
            faults.append(outcome)
    assert not faults
