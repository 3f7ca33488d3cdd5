"""The epoch loop: the same for every engine, executor and back end."""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.dataset import Part, PartName
from rnnbench.specs import (
    EpochEnded,
    EpochRow,
    Event,
    Finished,
    Improved,
    RunResult,
    RunSpec,
    Started,
)
from rnnbench.training.engine import Arrays, Program, Scores, score
from rnnbench.training.progress import Progress
from rnnbench.training.streams import batch_order, dropout_seed

__all__ = ["Parts", "pack_predictions", "train_run"]


class Parts(Protocol):
    """Gives the parts of a data set, each opened when it is first asked for."""

    def __getitem__(self, name: PartName) -> Part:
        """The part of that name."""
        ...


def train_run(
    spec: RunSpec,
    program: Program,
    parts: Parts,
    saved: bytes | None,
    environment: Mapping[str, str],
) -> Iterator[Event]:
    """Everything that happens in a run, from its first (or next) epoch to its result.

    Args:
        saved: the `state` of the run's last `EpochEnded`; None starts from the seed.
        environment: versions and device, recorded with the result.
    """
    fingerprint = spec.fingerprint
    compiled_before = program.compile_seconds
    progress = _resume_or_begin(spec, program, saved)
    yield Started(
        fingerprint=fingerprint,
        first_epoch=len(progress.history) + 1,
        environment=dict(environment),
    )
    while not progress.is_over(spec.recipe):
        progress = _train_epoch(spec, program, parts, progress)
        row = progress.history[-1]
        yield EpochEnded(fingerprint=fingerprint, row=row, state=progress.to_bytes())
        if progress.improved:
            yield Improved(fingerprint=fingerprint, epoch=row.epoch, val_loss=row.val_loss)
    finished = _finish(spec, program, parts, progress, dict(environment))
    # A program is shared by runs of one shape: the one that compiled it pays.
    own = replace(finished.result, compile_seconds=program.compile_seconds - compiled_before)
    yield replace(finished, result=own)


def pack_predictions(probability: NDArray[np.float32]) -> bytes:
    """An .npz file with `probability` as float16, on the same side of 0.5 as the float32."""
    packed = probability.astype(np.float16)
    crossed = (packed > 0.5) != (probability > 0.5)
    packed[crossed] = np.nextafter(np.float16(0.5), np.float16(1))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, probability=packed)
    return buffer.getvalue()


def _resume_or_begin(spec: RunSpec, program: Program, saved: bytes | None) -> Progress:
    if saved is not None:
        return Progress.from_bytes(saved)
    return Progress.begin(program.initial(spec), spec.recipe)


def _train_epoch(spec: RunSpec, program: Program, parts: Parts, progress: Progress) -> Progress:
    epoch = len(progress.history) + 1
    train, validation = parts["train"], parts["validation"]
    order = batch_order(spec.seed, epoch, len(train.labels), spec.recipe.order)
    compiled_before, began = program.compile_seconds, time.perf_counter()
    variables, running = program.run_epoch(
        progress.variables, train, order, dropout_seed(spec.seed, epoch)
    )
    held_out = _evaluate(program, variables.weights, validation)
    seconds = time.perf_counter() - began - (program.compile_seconds - compiled_before)
    row = EpochRow(
        epoch=epoch,
        loss=running.loss,
        accuracy=running.accuracy,
        val_loss=held_out.loss,
        val_accuracy=held_out.accuracy,
        epoch_seconds=seconds,
        ended_at=time.time(),
    )
    return progress.after(variables, row)


def _evaluate(program: Program, weights: Arrays, part: Part) -> Scores:
    return score(program.predict(weights, part), part.labels)


def _finish(
    spec: RunSpec, program: Program, parts: Parts, progress: Progress, environment: dict[str, str]
) -> Finished:
    common = {
        "epochs": len(progress.history),
        "n_parameters": program.n_parameters,
        "fit_seconds": sum(row.epoch_seconds for row in progress.history),
        "epoch_seconds": statistics.median(row.epoch_seconds for row in progress.history),
        "environment": environment,
    }
    if progress.diverged:
        reason = f"the loss is not finite after epoch {len(progress.history)}"
        result = RunResult(status="diverged", reason=reason, **common)  # type: ignore[arg-type]  # keywords from a dict
        return Finished(fingerprint=spec.fingerprint, result=result, model=b"", predictions=b"")
    best = progress.history[progress.stopping.best_epoch - 1]
    validated = {
        "status": "finished",
        "best_epoch": best.epoch,
        "val_loss": best.val_loss,
        "val_accuracy": best.val_accuracy,
    }
    if spec.purpose == "tuning":
        result = RunResult(**validated, **common)  # type: ignore[arg-type]  # keywords from dicts
        return Finished(fingerprint=spec.fingerprint, result=result, model=b"", predictions=b"")
    model, weights = _through_file(program, progress.best, spec.recipe.learning_rate)
    probability = program.predict(weights, parts["test"])
    test = score(probability, parts["test"].labels)
    train = _evaluate(program, weights, parts["train"])
    result = RunResult(
        train_loss_at_best=train.loss,
        train_accuracy_at_best=train.accuracy,
        test_loss=test.loss,
        test_accuracy=test.accuracy,
        **validated,  # type: ignore[arg-type]  # keywords from dicts
        **common,  # type: ignore[arg-type]
    )
    return Finished(
        fingerprint=spec.fingerprint,
        result=result,
        model=model,
        predictions=pack_predictions(probability),
    )


def _through_file(program: Program, weights: Arrays, learning_rate: float) -> tuple[bytes, Arrays]:
    """The best model's file, and the weights read back from it: what is scored is what is kept."""
    with tempfile.TemporaryDirectory(prefix="rnnbench-") as folder:
        path = Path(folder) / "best.keras"
        program.save(weights, path, learning_rate)
        return path.read_bytes(), program.load(path)
