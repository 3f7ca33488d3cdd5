"""What a search found: as a file, as JSON, and as MLflow is told.

The file is what `run --tuned` and the report go by, without Optuna.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnnbench.entries import parse_file, write_json
from rnnbench.errors import DamagedError
from rnnbench.tracking.groups import Group
from rnnbench.tuning.plan import TUNING
from rnnbench.tuning.search import Search
from rnnbench.tuning.trials import Trial, TrialState, count_points, find_winner

FOLDER = "tuning"
"""Where the ledger keeps what searches found."""


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
    def val_loss(self) -> float | None:
        """The winner's, the mean over the seeds; None if there is none."""
        return None if self.winner is None else self.winner.value

    @property
    def epochs(self) -> int:
        """Trained in all, over all trials and seeds."""
        return sum(trial.epochs for trial in self.trials)

    @property
    def seconds(self) -> float:
        """Their training time, compilation apart."""
        return sum(trial.seconds for trial in self.trials)

    def count(self, state: TrialState) -> int:
        """How many trials ended so."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def caveat(self) -> str | None:
        """A sentence on a winner that has learnt nothing; None if it has, or nobody knows."""
        loss = self.val_loss
        if loss is None or self.chance_loss is None or loss < self.chance_loss:
            return None
        return (
            f"the best values for {self.architecture} have a validation loss of {loss:.4f}, which "
            f"is not below the {self.chance_loss:.4f} of always predicting the class frequencies: "
            "they have learnt nothing"
        )

    @property
    def is_over(self) -> bool:
        """Whether every trial is there."""
        return len(self.trials) >= self.n_trials


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOutcome:
    """What a command found, and whether it was broken off."""

    records: tuple[TuningRecord, ...] = ()
    interrupted: bool = False

    @property
    def n_failed(self) -> int:
        """How many trials failed, in all."""
        return sum(record.count("failed") for record in self.records)

    @property
    def has_all_winners(self) -> bool:
        """Whether each search that is over found something."""
        return all(record.winner is not None for record in self.records if record.is_over)


def write_record(ledger_folder: Path, record: TuningRecord) -> None:
    """Keep the record, whole or not at all.

    Raises:
        OSError: the disk is full or gone.
    """
    path = _place(ledger_folder, record.fingerprint, record.architecture)
    write_json(path, asdict(record))


def read_records(
    ledger_folder: Path,
    fingerprint: str,
    on_problem: Callable[[str], None] = lambda _: None,
) -> dict[str, TuningRecord]:
    """The records of the searches on some reviews, by architecture.

    Args:
        on_problem: called with a sentence for each file that is left out, being damaged.
    """
    folder = _place(ledger_folder, fingerprint, "any").parent
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(parse_file(path, _parse))
        except DamagedError as err:
            on_problem(f"{err}; `rnnbench tune {path.stem}` as before writes it anew")
    return {record.architecture: record for record in found if record is not None}


def winners_as_json(records: Sequence[TuningRecord]) -> str:
    """The winners, and what they were found with; nothing in it varies between repeats."""
    first = records[0]
    winners = {
        record.architecture: {
            "params": winner.params,
            "val_loss": winner.value,
            "trial": winner.number,
            "trials": len(record.trials),
            "distinct_points": count_points(record.trials),
        }
        for record in records
        if (winner := record.winner) is not None
    }
    found = {
        "tuning": first.tuning,
        "dataset": first.dataset,
        "fingerprint": first.fingerprint,
        "tuning_seeds": first.seeds,
        "winners": winners,
    }
    return json.dumps(found, indent=1, sort_keys=True)


def describe_search(
    search: Search, record: TuningRecord, figures: Mapping[str, bytes], interrupted: bool
) -> Group:
    """What MLflow is told of a search: what it was declared with, and the best so far."""
    metrics = {
        "n_trials": float(len(record.trials)),
        "n_pruned": float(record.count("pruned")),
        "n_failed": float(record.count("failed")),
        "trained_epochs": float(record.epochs),
        "trained_seconds": record.seconds,
    }
    winner = record.winner
    if winner is not None and winner.value is not None:
        metrics |= {f"best_{key}": float(value) for key, value in winner.params.items()}
        metrics |= {"best_val_loss": winner.value, "best_trial": float(winner.number)}
    return Group(
        chain=search.chain(),
        params=_flat(record.declaration),
        metrics=metrics,
        files={"tuning.json": json.dumps(asdict(record), indent=1).encode(), **figures},
        status="KILLED" if interrupted or not record.is_over else "FINISHED",
        is_final=False,
    )


def describe_trial(search: Search, trial: Trial) -> Group:
    """What MLflow is told of a trial that is over."""
    metrics = {"trained_epochs": float(trial.epochs), "trained_seconds": trial.seconds}
    if trial.value is not None:
        metrics["mean_best_val_loss"] = trial.value
    return Group(
        chain=search.chain(trial.number),
        params={key: str(value) for key, value in trial.params.items()},
        metrics=metrics,
        tags={"rnnbench.status": trial.state or "", "rnnbench.reason": trial.reason or ""},
    )


def _place(ledger_folder: Path, fingerprint: str, architecture: str) -> Path:
    return ledger_folder / FOLDER / TUNING / fingerprint[:16] / f"{architecture}.json"


def _parse(content: bytes) -> TuningRecord:
    values = json.loads(content)
    texts = [values[name] for name in ("tuning", "architecture", "dataset", "fingerprint")]
    if not all(isinstance(text, str) for text in (*texts, values["hardware"], values["command"])):
        raise ValueError("a name in it is not a text")
    parts = [values["declaration"][name] for name in ("architecture", "settings", "space")]
    if not all(isinstance(part, dict) for part in parts):
        raise ValueError("what the search declared is not a table")
    if not all(type(number) is int for number in (*values["seeds"], values["n_trials"])):
        raise ValueError("its seeds and the number of trials must be integers")
    return TuningRecord(
        **{
            **values,
            "seeds": tuple(values["seeds"]),
            "trials": tuple(Trial.from_json(trial) for trial in values["trials"]),
        }
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:  # Any: JSON values
    flat: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: str(value)[:500]}
    return flat
