"""What a search found, as a file: what `run --tuned` and the report go by, without Optuna."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnnbench.entries import parse_file, write_json
from rnnbench.errors import DamagedError
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
        chance_loss: validation loss of a model that always says how common each class is; None
            in a record of an earlier version.
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
    chance_loss: float | None = None

    @property
    def winner(self) -> Trial | None:
        """The best trial; None if none is complete."""
        return find_winner(self.trials)

    @property
    def reservation(self) -> str | None:
        """A sentence on a winner that has learnt nothing; None if it has, or nobody knows."""
        loss = None if self.winner is None else self.winner.value
        if loss is None or self.chance_loss is None or loss < self.chance_loss:
            return None
        return (
            f"the best values for {self.architecture} have a validation loss of {loss:.4f}, which "
            f"is not below the {self.chance_loss:.4f} of always saying how common each class is: "
            "they have learnt nothing"
        )

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
    write_json(path, asdict(record))


def read_records(
    ledger_folder: Path,
    tuning: str,
    fingerprint: str,
    on_problem: Callable[[str], None] = lambda _: None,
) -> dict[str, TuningRecord]:
    """The records of a tuning on some reviews, by architecture.

    Args:
        on_problem: called with a sentence for each file that is left out, being damaged.
    """
    folder = _place(ledger_folder, tuning, fingerprint, "any").parent
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(parse_file(path, _parse))
        except DamagedError as err:
            on_problem(f"{err}; `rnnbench tune {path.stem}` as before writes it anew")
    return {record.architecture: record for record in found if record is not None}


def record_names(ledger_folder: Path) -> tuple[str, ...]:
    """The names of the tunings in the folder."""
    return tuple(sorted(path.name for path in (ledger_folder / FOLDER).glob("*") if path.is_dir()))


def _place(ledger_folder: Path, tuning: str, fingerprint: str, architecture: str) -> Path:
    return ledger_folder / FOLDER / tuning / fingerprint[:16] / f"{architecture}.json"


def _parse(content: bytes) -> TuningRecord:
    values = json.loads(content)
    texts = [values[name] for name in ("tuning", "architecture", "dataset", "fingerprint")]
    if not all(isinstance(text, str) for text in (*texts, values["hardware"], values["command"])):
        raise ValueError("a name in it is no text")
    parts = [values["declaration"][name] for name in ("architecture", "settings", "space")]
    if not all(isinstance(part, dict) for part in parts):
        raise ValueError("what the search declared is none")
    if not all(type(number) is int for number in (*values["seeds"], values["n_trials"])):
        raise ValueError("its seeds and the number of trials must be integers")
    return TuningRecord(
        **{
            **values,
            "seeds": tuple(values["seeds"]),
            "trials": tuple(Trial.from_json(trial) for trial in values["trials"]),
        }
    )
