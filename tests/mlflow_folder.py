"""A project's folder with a hand-filled ledger, and MLflow's own database beside it."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from made_up import EMPTY_ZIP, finished, spec_of

from rnnbench.entries import LedgerEntry
from rnnbench.ledger import Ledger
from rnnbench.recorded_runs import RecordedRun, read_runs
from rnnbench.specs import EpochEnded, EpochRow, Failed, Finished, Recipe, RunResult, RunSpec
from rnnbench.tracking.client import make_database
from rnnbench.tracking.publisher import Publisher
from rnnbench.tracking.store import DATABASE, Store, find_store, quiet_mlflow
from rnnbench.training.engine import Variables
from rnnbench.training.loop import pack_predictions
from rnnbench.training.progress import Progress

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["RESULT", "SPEC", "MlflowFolder", "epochs", "make_template"]

PREDICTIONS = pack_predictions(np.linspace(0, 1, 8, dtype=np.float32))
SPEC = spec_of("lstm-stacked", 3, units=5, max_len=50, learning_rate=3e-4)
RESULT = finished(
    1 / 3,
    epochs=7,
    best_epoch=5,
    n_parameters=9353,
    val_loss=0.1 + 0.2,
    val_accuracy=2 / 3,
    train_loss_at_best=1e-17,
    test_loss=math.pi,
    fit_seconds=12.345678901234567,
    epoch_seconds=1.1,
    compile_seconds=0.7,
)
"""The end of `SPEC`, with numbers that need all of their bits."""


class MlflowFolder:
    """What commands have left in a folder.

    Args:
        template: MLflow's database without a run, copied; None for a folder without one.
    """

    def __init__(self, root: Path, template: Path | None) -> None:
        root.mkdir(parents=True, exist_ok=True)
        if template is not None:
            shutil.copyfile(template, root / DATABASE)
        self.root = root
        self.ledger = Ledger(root)

    @property
    def store(self) -> Store:
        """The folder's own store."""
        return find_store(self.root, {})

    def client(self) -> MlflowClient:
        """Plain MLflow on the folder's database."""
        os.environ.update(quiet_mlflow())
        from mlflow import MlflowClient

        return MlflowClient(self.store.address)

    def record(
        self,
        spec: RunSpec,
        result: RunResult | None,
        history: Sequence[EpochRow] = (),
        *,
        study: str = "textbook",
        predictions: bytes = PREDICTIONS,
    ) -> LedgerEntry:
        """A run in the ledger, with that end; None leaves it in the middle."""
        entry = self.ledger.open_run(study, spec)
        if history:
            variables = Variables(weights=(np.zeros(3, np.float32),), optimizer=())
            progress = Progress.begin(variables, Recipe())
            for row in history:
                progress = progress.after(variables, row)
            state = progress.to_bytes()
            self.ledger.record(
                entry, EpochEnded(fingerprint=spec.fingerprint, row=history[-1], state=state)
            )
        if result is not None:
            self.ledger.record(entry, _end(spec, result, predictions))
        return entry

    def publish(
        self,
        *entries: LedgerEntry,
        tags: dict[str, str] | None = None,
        origin: str = "here",
    ) -> None:
        """What the tracker does with entries of one study, as a command with these tags."""
        publisher = Publisher(
            self.client(),
            store=self.store,
            study=entries[0].study,
            origin=origin,
            tags=tags or {},
            attempt_of=lambda fingerprint: self.ledger.n_archived(entries[0].study, fingerprint),
            draw=lambda history, title: b"a picture",
        )
        publisher.begin_invocation("a command")
        for entry in entries:
            publisher.publish(entry)
        publisher.end_invocation("FINISHED", {})

    def read(self, study: str = "textbook") -> list[RecordedRun]:
        """The runs of the study that a report reads."""
        found = read_runs(self.ledger, study, whole=study)
        return [run for run in found if not run.is_deleted]


def make_template(folder: Path) -> Path:
    """MLflow's database without a run, which takes it two seconds to make."""
    os.environ.update(quiet_mlflow())
    make_database(find_store(folder, {}), folder)
    return folder / DATABASE


def epochs(n_epochs: int, seed: int = 0) -> tuple[EpochRow, ...]:
    """Epochs whose numbers need all of their bits."""
    drawn = np.random.default_rng(seed).random((n_epochs, 4)).tolist()
    return tuple(
        EpochRow(
            epoch=epoch,
            loss=loss,
            accuracy=accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            epoch_seconds=0.1 * epoch,
            ended_at=1_700_000_000.25 + epoch,
        )
        for epoch, (loss, accuracy, val_loss, val_accuracy) in enumerate(drawn, start=1)
    )


def _end(spec: RunSpec, result: RunResult, predictions: bytes) -> Finished | Failed:
    if result.status == "failed":
        return Failed(
            fingerprint=spec.fingerprint,
            reason=result.reason or "",
            traceback=result.traceback or "",
            environment=result.environment,
        )
    is_finished = result.status == "finished"
    return Finished(
        fingerprint=spec.fingerprint,
        result=result,
        model=EMPTY_ZIP if is_finished else b"",
        predictions=predictions if is_finished else b"",
    )
