"""`rnnbench reproduce`: the notes' own procedure, compared with what they published."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from rnnbench.data.files import read_json, temporary_folder, write_whole
from rnnbench.datasets import DatasetRef, resolve_dataset
from rnnbench.errors import StoreError, UsageError, WorkerError, unknown_name
from rnnbench.execution.environment import describe_process, worker_environment
from rnnbench.execution.process import Child, how_it_ended, spawn
from rnnbench.formats import why_failed
from rnnbench.ledger import Ledger
from rnnbench.published.notes import REVIEWS, SOURCE, published_runs
from rnnbench.published.reproduction import ReproduceChoices, Reproduction, ReproductionReport
from rnnbench.published.screen import ReproductionScreen
from rnnbench.specs import DataSpec, EpochRow
from rnnbench.training.notes_procedure import (
    NOTES_MODELS,
    Fitted,
    Message,
    NotesTask,
    Score,
    follow_notes,
)

PROCEDURES = (SOURCE,)
VERSION = 1  # raise it whenever the procedure changes: what was kept of the old one is then stale


def reproduce_notes(
    choices: ReproduceChoices, view: ReproductionScreen, root: Path
) -> ReproductionReport:
    """Train what is missing of the notes' models, and compare them with the published epochs.

    Each model is kept in `.rnnbench/reproduce` as soon as it is trained.

    Raises:
        RnnbenchError: bad input, other reviews than the notes', a folder that cannot be written.
    """
    models = _check_choices(choices)
    folder = Ledger(root).folder / "reproduce" / choices.name
    dataset = resolve_dataset(choices.dataset, view.downloaded)
    _refuse_other_reviews(choices.name, dataset)
    data = DataSpec(dataset=dataset.name, fingerprint=dataset.fingerprint)
    environment = describe_process("tensorflow", None)
    key = _name_conditions(choices, environment)
    fitted = {} if choices.fresh else _load_kept(folder, models, key)
    missing = tuple(name for name in models if name not in fitted)
    if missing:
        fitted |= _train(missing, data, choices, view, folder, key)
    notes = published_runs(choices.name)
    published = {
        name: replace(notes[name], history=notes[name].history[: choices.epochs]) for name in models
    }
    return ReproductionReport(
        choices=choices,
        models=tuple(
            Reproduction(published=published[name], fitted=fitted[name]) for name in models
        ),
        environment=environment,
    )


def _check_choices(choices: ReproduceChoices) -> tuple[str, ...]:
    """The models that are asked for, in the notes' order."""
    if choices.name not in PROCEDURES:
        raise UsageError(unknown_name("procedure", choices.name, PROCEDURES))
    for name in choices.only:
        if name not in NOTES_MODELS:
            raise UsageError(unknown_name("architecture", name, NOTES_MODELS))
    if choices.epochs < 1:
        raise UsageError(f"--epochs must be 1 or more, got {choices.epochs}")
    return tuple(name for name in NOTES_MODELS if name in (choices.only or NOTES_MODELS))


def _refuse_other_reviews(name: str, dataset: DatasetRef) -> None:
    if dataset.fingerprint != REVIEWS:
        raise UsageError(
            f"{name} can be reproduced with the published IMDB reviews only (content "
            f"{REVIEWS[:12]}), but {dataset.name} ({dataset.origin}) has content "
            f"{dataset.fingerprint[:12]}; use --dataset imdb with the original imdb.npz"
        )


def _name_conditions(choices: ReproduceChoices, environment: Mapping[str, str]) -> dict[str, str]:
    """All that can change the numbers, by name."""
    names = ("version.keras", "version.tensorflow", "version.numpy", "version.python", "processor")
    return {name: environment[name] for name in names} | {
        "procedure": str(VERSION),
        "reviews": REVIEWS,
        "epochs": str(choices.epochs),
        "jit": str(choices.jit),
    }


def _train(
    models: tuple[str, ...],
    data: DataSpec,
    choices: ReproduceChoices,
    view: ReproductionScreen,
    folder: Path,
    key: Mapping[str, str],
) -> dict[str, Fitted]:
    """The trained models by name; each is kept when it is done."""
    fitted: dict[str, Fitted] = {}
    log = folder.parent.parent / "workers.log"
    with temporary_folder() as own, view.watch_models(models, choices.epochs) as observe:
        task = NotesTask(
            data=data, models=models, epochs=choices.epochs, jit=choices.jit, folder=own
        )
        child = spawn(follow_notes, task, environment=worker_environment("tensorflow"), log=log)
        try:
            while (message := _receive(child)) is not None:
                if isinstance(message, Fitted):
                    fitted[message.architecture] = message
                    _keep(folder, message, key)
                observe(message)
        finally:
            child.end()
    return fitted


def _receive(child: Child) -> Message | None:
    try:
        message: Message | None = child.pipe.recv()
    except (EOFError, OSError) as err:
        child.process.join()
        raise WorkerError(how_it_ended(child)) from err
    return message


def _keep(folder: Path, fitted: Fitted, key: Mapping[str, str]) -> None:
    text = json.dumps({"conditions": dict(key), "fitted": asdict(fitted)}, indent=1)
    try:
        write_whole(folder / f"{fitted.architecture}.json", text.encode())
    except OSError as err:
        raise StoreError(f"cannot write to {folder}: {why_failed(err)}") from err


def _load_kept(folder: Path, models: Sequence[str], key: Mapping[str, str]) -> dict[str, Fitted]:
    """The models that an earlier command trained under the same conditions.

    One whose file was changed is left out, and so trained again.
    """
    kept: dict[str, Fitted] = {}
    for name in models:
        content = read_json(folder / f"{name}.json")
        if content.get("conditions") != key:
            continue
        with suppress(KeyError, TypeError):
            values = content["fitted"]
            history = tuple(EpochRow(**row) for row in values["history"])
            scores = tuple(Score(**score) for score in values["scores"])
            kept[name] = Fitted(**{**values, "history": history, "scores": scores})
    return kept
