"""The verdicts keep their word on simulated studies; the script itself runs ten times as many."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "simulated_truth.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_bars_are_met_loosely_by_120_studies(script: dict[str, Any]) -> None:
    spread = script["Spread"]((0.002, 0.002, 0.0035, 0.0015), 0.2, "given")
    false_alarm, found, equivalent = script["measure_verdicts"](spread, 120)
    assert false_alarm.share <= 0.10
    assert found.share >= 0.85
    assert equivalent.share <= 0.10


def test_drawn_accuracies_have_the_spread_that_was_asked_for(script: dict[str, Any]) -> None:
    spread = script["Spread"]((0.002, 0.004, 0.002, 0.002), 0.5, "given")
    rng = np.random.default_rng(0)
    drawn = [script["draw_accuracies"](np.full(4, 0.8), spread, rng) for _ in range(400)]
    values = np.concatenate([np.array(study) for study in drawn], axis=1)
    assert values.std(axis=1) == pytest.approx([0.002, 0.004, 0.002, 0.002], rel=0.05)
    assert np.corrcoef(values)[0, 1] == pytest.approx(0.5, abs=0.05)
    assert np.round(values * 25_000) == pytest.approx(values * 25_000, abs=1e-6)


def test_spread_is_read_from_a_studys_runs(script: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    rows = [
        f"{arm},{seed},{0.8 + 0.001 * seed * (1 + place)},finished"
        for place, arm in enumerate(script["ARMS"])
        for seed in range(3)
    ]
    header = "architecture,seed,test_accuracy,status"
    path.write_text("\n".join([header, *rows, "gru,9,,failed", "simple-rnn,0,0.5,finished"]))
    found = script["measure_spread"](path)
    assert found.sds == pytest.approx((0.001, 0.002, 0.003, 0.004))
    assert found.correlation == pytest.approx(1.0)
