"""`rnnbench reproduce`: the notes' own procedure, compared with what they published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnbench.data.files import read_json, temporary_folder, write_whole
from rnnbench.datasets import DatasetRef, resolve_dataset
from rnnbench.errors import StoreError, UsageError, WorkerError, unknown_name
from rnnbench.execution.environment import describe_process, worker_environment
from rnnbench.execution.process import Child, how_it_ended, spawn
from rnnbench.ledger import Ledger
from rnnbench.published.notes import REVIEWS, SOURCE, published_runs
from rnnbench.published.reproduction import (
    EpochComparison,
    Reproduction,
    ReproductionReport,
    compare_epochs,
    published_history,
    summarise_reproduction,
)
from rnnbench.published.reproduction_page import draw_reproduction, write_epochs, write_page
from rnnbench.specs import DataSpec, EpochRow
from rnnbench.training.notes_procedure import (
    EPOCHS,
    NOTES_MODELS,
    Fitted,
    Message,
    NotesTask,
    Score,
    follow_notes,
)

if TYPE_CHECKING:
    from rnnbench.published.screen import ReproductionScreen

__all__ = ["PROCEDURES", "ReproduceChoices", "reproduce_notes"]

PROCEDURES = (SOURCE,)
VERSION = 1  # raise it whenever the procedure changes: what was kept of the old one is then stale


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproduceChoices:
    """What was asked for on the command line.

    Args:
        name: whose procedure, one of `PROCEDURES`.
        only: architectures; empty means all that the notes train.
        epochs: at most this many are trained, and compared.
        jit: compile the models without dropout with XLA.
        out: a folder for the page, the figure and the epochs as CSV.
        fresh: train again what an earlier command has kept.
    """

    name: str
    only: tuple[str, ...] = ()
    dataset: str = "imdb"
    epochs: int = EPOCHS
    jit: bool = True
    out: Path | None = None
    fresh: bool = False

    @property
    def command(self) -> str:
        """The words that repeat this command, without any path of this machine."""
        words = ["rnnbench", "reproduce", self.name]
        words += ["--only", ",".join(self.only)] if self.only else []
        words += ["--epochs", str(self.epochs)] if self.epochs != EPOCHS else []
        return " ".join(words if self.jit else [*words, "--no-jit"])


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
    key = _describe_conditions(choices, data)
    fitted = {} if choices.fresh else _load_kept(folder, models, key)
    missing = tuple(name for name in models if name not in fitted)
    if missing:
        fitted |= _train(missing, data, choices, view, folder, key)
    report = _compare([fitted[name] for name in models], choices, data)
    view.show_reproduction(report)
    if choices.out is not None:
        _write_report(report, choices.out)
        view.say(f"written to {choices.out}: index.md, epochs.csv, curves.png")
    return report


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


def _describe_conditions(choices: ReproduceChoices, data: DataSpec) -> dict[str, str]:
    """All that can change the numbers, by name."""
    process = describe_process("tensorflow", None)
    names = ("version.keras", "version.tensorflow", "version.numpy", "version.python", "processor")
    return {name: process[name] for name in names} | {
        "procedure": str(VERSION),
        "reviews": data.fingerprint,
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
    with (
        temporary_folder() as checkpoints,
        view.watch_models(models, choices.epochs) as observe,
    ):
        task = NotesTask(
            data=data,
            models=models,
            epochs=choices.epochs,
            jit=choices.jit,
            folder=checkpoints,
        )
        log = folder.parent.parent / "workers.log"
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
    content = {"conditions": dict(key), "fitted": asdict(fitted)}
    try:
        text = json.dumps(content, indent=1)
        write_whole(folder / f"{fitted.architecture}.json", text.encode())
    except OSError as err:
        raise StoreError(f"cannot write to {folder}: {err.strerror or err}") from err


def _load_kept(folder: Path, models: Sequence[str], key: Mapping[str, str]) -> dict[str, Fitted]:
    """The models that an earlier command trained under the same conditions."""
    contents = {name: read_json(folder / f"{name}.json") for name in models}
    kept = {
        name: _parse_fitted(content.get("fitted"))
        for name, content in contents.items()
        if content.get("conditions") == key
    }
    return {name: fitted for name, fitted in kept.items() if fitted is not None}


def _parse_fitted(values: Any) -> Fitted | None:  # Any: JSON values
    """The model that `_keep` wrote down; None if its file was changed: it is trained again."""
    try:
        history = tuple(EpochRow(**row) for row in values["history"])
        scores = tuple(Score(**score) for score in values["scores"])
        return Fitted(**{**values, "history": history, "scores": scores})
    except (KeyError, TypeError):
        return None


def _compare(
    fitted: Sequence[Fitted], choices: ReproduceChoices, data: DataSpec
) -> ReproductionReport:
    epochs: list[EpochComparison] = []
    models: list[Reproduction] = []
    for model in fitted:
        published = published_history(choices.name, model.architecture)[: choices.epochs]
        rows = compare_epochs(model.architecture, published, model.history)
        epochs += rows
        models.append(
            summarise_reproduction(
                rows,
                scores=model.scores,
                published=published_runs(choices.name)[model.architecture],
            )
        )
    return ReproductionReport(
        source=choices.name,
        models=tuple(models),
        epochs=tuple(epochs),
        reviews=data.fingerprint,
        jit=choices.jit,
        environment=describe_process("tensorflow", None),
        command=choices.command,
    )


def _write_report(report: ReproductionReport, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.md").write_text(write_page(report), "utf-8")
        (folder / "epochs.csv").write_text(write_epochs(report), "utf-8")
        (folder / "curves.png").write_bytes(draw_reproduction(report))
    except OSError as err:
        raise StoreError(f"cannot write to {folder}: {err.strerror or err}") from err
