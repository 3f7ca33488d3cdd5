"""Archives made up: one finished run, and any change to what is in them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from made_up import finished, spec_of

from rnnbench.archives import MANIFEST, write_archive
from rnnbench.ledger import Ledger
from rnnbench.specs import EpochEnded, EpochRow, Finished, Recipe
from rnnbench.training.engine import Variables
from rnnbench.training.progress import Progress

__all__ = [
    "CONFIG",
    "DECLARED",
    "MODEL",
    "RUN",
    "Contents",
    "change_archive",
    "make_archive",
    "make_ledger",
    "zipped",
    "zipped_model",
]

Contents = dict[str, bytes]
DECLARED = {"contrast": "architecture", "margin_points": 0.5}
RUN = f"runs/{spec_of().fingerprint}"


def zipped(contents: Mapping[str, bytes]) -> bytes:
    """A zip file's bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in contents.items():
            file.writestr(name, content)
    return stream.getvalue()


CONFIG: dict[str, Any] = {
    "class_name": "Functional",
    "config": {
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [None, 100]}},
            {"class_name": "Embedding", "config": {"input_dim": 500, "output_dim": 16}},
            {"class_name": "LSTM", "config": {"units": 8}},
            {"class_name": "Dense", "config": {"units": 1}},
        ]
    },
}


def zipped_model(config: dict[str, Any]) -> bytes:
    """A `.keras` file as Keras writes it, but for its weights."""
    return zipped(
        {
            "config.json": json.dumps(config).encode(),
            "metadata.json": b"{}",
            "model.weights.h5": b"weights",
        }
    )


MODEL = zipped_model(CONFIG)


def make_ledger(root: Path) -> Ledger:
    """A ledger with one finished run of a study."""
    ledger = Ledger(root)
    spec = spec_of()
    entry = ledger.open_run("made-up", spec)
    row = EpochRow(
        epoch=1,
        loss=0.5,
        accuracy=0.7,
        val_loss=0.6,
        val_accuracy=0.7,
        epoch_seconds=1.0,
        ended_at=1.7e9,
    )
    variables = Variables(weights=(np.zeros(2, np.float32),), optimizer=())
    state = Progress.begin(variables, Recipe()).after(variables, row).to_bytes()
    ledger.record(entry, EpochEnded(fingerprint=spec.fingerprint, row=row, state=state))
    predictions = io.BytesIO()
    np.savez(predictions, allow_pickle=False, probability=np.zeros(4, np.float16))
    ledger.record(
        entry,
        Finished(
            fingerprint=spec.fingerprint,
            result=finished(epochs=1, best_epoch=1),
            model=MODEL,
            predictions=predictions.getvalue(),
        ),
    )
    ledger.declare("made-up", DECLARED)
    return ledger


def make_archive(path: Path, ledger: Ledger | None = None) -> Path:
    """An archive of that ledger's study."""
    ledger = ledger or make_ledger(path.parent / f"{path.stem}-ledger")
    write_archive(path, "made-up", ledger.entries("made-up"), ledger.declarations("made-up"))
    return path


def change_archive(
    path: Path,
    alter: Callable[[Contents, dict[str, Any]], None],  # Any: JSON values
    manifest_bytes: Callable[[dict[str, Any]], bytes] | None = None,
    *,
    honest: bool = True,
) -> Path:
    """Write the archive anew with other contents; `honest` keeps sizes and digests right."""
    with zipfile.ZipFile(path) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    manifest = json.loads(contents.pop(MANIFEST))
    alter(contents, manifest)
    for name, content in contents.items() if honest else ():
        digest = hashlib.sha256(content).hexdigest()
        manifest["files"][name] = {"bytes": len(content), "sha256": digest}
    text = json.dumps(manifest).encode() if manifest_bytes is None else manifest_bytes(manifest)
    path.write_bytes(zipped({**contents, MANIFEST: text}))
    return path
