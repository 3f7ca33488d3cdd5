"""What a search found, as a file: what `run --tuned` and the report go by, without Optuna."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnnbench.data.files import whole_file
from rnnbench.tuning.trials import Trial, find_winner

__all__ = ["TuningRecord", "read_records", "record_names", "write_record"]

FOLDER = "tuning"


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningRecord:
    """One architecture's search.

    Args:
        tuning: the name it was given; searches of one name belong together.
        dataset, fingerprint: the reviews it was made on.
        declaration: space, seeds, recipe and method: equal for a fair comparison.
        seeds: of the trials; a report must not use them.
        n_trials: how many there shall be; fewer `trials` mean that the search is not over.
        hardware: where the seconds were measured.
        command: the words that go on with the search.
    """

    tuning: str
    architecture: str
    dataset: str
    fingerprint: str
    declaration: Mapping[str, Any]  # Any: JSON values
    seeds: tuple[int, ...]
    n_trials: int
    trials: tuple[Trial, ...]
    hardware: str = ""
    command: str = ""

    @property
    def winner(self) -> Trial | None:
        """The best trial; None if none is complete."""
        return find_winner(self.trials)

    @property
    def is_over(self) -> bool:
        """Whether every trial is there."""
        return len(self.trials) >= self.n_trials


def write_record(ledger_folder: Path, record: TuningRecord) -> None:
    """Keep the record, whole or not at all.

    Raises:
        OSError: the disk is full or gone.
    """
    path = _place(ledger_folder, record.tuning, record.fingerprint, record.architecture)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as stream:
        stream.write((json.dumps(asdict(record), indent=1, sort_keys=True) + "\n").encode())


def read_records(ledger_folder: Path, tuning: str, fingerprint: str) -> dict[str, TuningRecord]:
    """The records of a tuning on some reviews, by architecture."""
    folder = _place(ledger_folder, tuning, fingerprint, "any").parent
    found = [_read(path) for path in sorted(folder.glob("*.json"))]
    return {record.architecture: record for record in found}


def record_names(ledger_folder: Path) -> tuple[str, ...]:
    """The names of the tunings in the folder."""
    return tuple(sorted(path.name for path in (ledger_folder / FOLDER).glob("*") if path.is_dir()))


def _place(ledger_folder: Path, tuning: str, fingerprint: str, architecture: str) -> Path:
    return ledger_folder / FOLDER / tuning / fingerprint[:16] / f"{architecture}.json"


def _read(path: Path) -> TuningRecord:
    values = json.loads(path.read_text("utf-8"))
    return TuningRecord(
        **{
            **values,
            "seeds": tuple(values["seeds"]),
            "trials": tuple(Trial.from_json(trial) for trial in values["trials"]),
        }
    )
