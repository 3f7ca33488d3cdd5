"""Which run some words mean, and how a kept run looks on the terminal."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import EMPTY_ZIP, finished, spec_of

from rnnbench.entries import LedgerEntry
from rnnbench.errors import UsageError
from rnnbench.ledger import Ledger
from rnnbench.page.consoles import as_json
from rnnbench.recorded_runs import find_run, model_file
from rnnbench.runs.show import draw_curve
from rnnbench.specs import EpochRow, Finished


def finish(ledger: Ledger, study: str, seed: int, val_loss: float, minute: int) -> LedgerEntry:
    """A run that is over, as of that minute."""
    spec = replace(spec_of(), seed=seed)
    entry = ledger.open_run(study, spec, adopt=False)
    result = replace(finished(), val_loss=val_loss)
    ledger.record(
        entry,
        Finished(
            fingerprint=spec.fingerprint, result=result, model=EMPTY_ZIP, predictions=EMPTY_ZIP
        ),
    )
    for path in entry.folder.iterdir():
        os.utime(path, (60.0 * minute, 60.0 * minute))
    return entry


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Two studies of `lstm`, of which `new` was worked on last and `old` scores better."""
    ledger = Ledger(tmp_path)
    finish(ledger, "old", 0, 0.3, minute=1)
    finish(ledger, "new", 1, 0.5, minute=2)
    finish(ledger, "new", 2, 0.4, minute=2)
    return ledger


def test_an_architecture_means_the_best_run_of_the_last_study(
    ledger: Ledger, tmp_path: Path
) -> None:
    found = find_run("lstm", tmp_path)
    assert (found.study, found.spec.seed) == ("new", 2)
    assert find_run("lstm", tmp_path, "old").study == "old"
    with pytest.raises(UsageError, match="unknown study 'odl'"):
        find_run("lstm", tmp_path, "odl")


def test_on_own_texts_an_architecture_is_called_by_its_name_whatever_its_units(
    ledger: Ledger, tmp_path: Path
) -> None:
    raced = spec_of("gru", dataset="mine", units=32)
    ledger.open_run("mine", raced)
    assert find_run("gru", tmp_path).spec == raced
    assert find_run("gru(units=32)", tmp_path).spec == raced
    ledger.open_run("new", spec_of("lstm-stacked", units=32))
    with pytest.raises(UsageError, match="unknown run 'lstm-stacked'"):
        find_run("lstm-stacked", tmp_path)


def test_a_fingerprint_is_found_in_every_study(ledger: Ledger, tmp_path: Path) -> None:
    (entry,) = ledger.entries("old")
    assert find_run(entry.fingerprint[:8], tmp_path).folder == entry.folder
    with pytest.raises(UsageError, match="unknown run 'lstn'"):
        find_run("lstn", tmp_path)


def test_a_run_that_is_not_over_is_found_and_keeps_no_model(tmp_path: Path) -> None:
    Ledger(tmp_path).open_run("new", spec_of())
    found = find_run("lstm", tmp_path)
    assert found.result is None
    with pytest.raises(UsageError, match="is not over yet, and keeps no model"):
        model_file(found.entry)


def test_looking_for_a_run_makes_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no runs here yet"):
        find_run("lstm", tmp_path)
    assert list(tmp_path.iterdir()) == []


def row(epoch: int, loss: float) -> EpochRow:
    return EpochRow(
        epoch=epoch,
        loss=loss,
        accuracy=0.5,
        val_loss=loss + 0.1,
        val_accuracy=0.5,
        epoch_seconds=1.0,
        ended_at=0.0,
    )


def test_a_curve_leaves_out_what_is_no_number() -> None:
    lines = draw_curve([row(1, 0.7), row(2, 0.6), row(3, math.nan)])
    assert "epoch 1 to 2" in lines[-1]
    assert draw_curve([row(1, 0.7), row(2, math.inf)]) == []


def test_what_is_no_number_is_null_in_json() -> None:
    found = json.loads(as_json({"rows": [row(1, math.nan)], "path": Path("a")}))
    assert found["rows"][0]["loss"] is None
    assert found["path"] == "a"
