"""What a run's events become in its folder: each file whole or not at all, the result last."""

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import lru_cache

from rnnbench.data.files import write_whole
from rnnbench.data.tokenizer import TOKENIZER
from rnnbench.entries import LedgerEntry, write_json
from rnnbench.errors import DataError
from rnnbench.formats import MOST_CHARACTERS, FormatError
from rnnbench.output.characters import sentence
from rnnbench.specs import (
    DataSpec,
    EpochEnded,
    EpochRow,
    Event,
    Failed,
    Finished,
    Pruned,
    RunResult,
)


def record_event(entry: LedgerEntry, event: Event, made_by: Mapping[str, str]) -> None:
    """Make an event durable.

    Args:
        made_by: what the command says of itself, noted with the environment of the result.

    Raises:
        OSError: the disk is full or gone; what was there before stays readable.
    """
    if isinstance(event, EpochEnded):
        write_whole(entry.folder / "state.npz", event.state)
    elif isinstance(event, Finished):
        write_whole(entry.folder / "history.csv", history_csv(entry.history()))
        if event.model:
            write_whole(entry.folder / "best.keras", event.model)
            write_whole(entry.folder / "predictions.npz", event.predictions)
            if tokenizer := pack_tokenizer(entry.spec().data):
                write_whole(entry.folder / TOKENIZER, tokenizer)
        _write_result(entry, event.result, made_by)
        (entry.folder / "state.npz").unlink(missing_ok=True)
    elif isinstance(event, Pruned):
        write_whole(entry.folder / "history.csv", history_csv(entry.history()))
        _write_result(entry, _pruned(entry.history(), event), made_by)
        (entry.folder / "state.npz").unlink(missing_ok=True)
    elif isinstance(event, Failed):
        result = RunResult(
            status="failed",
            epochs=len(entry.history()),
            reason=event.reason,
            traceback=event.traceback,
            environment=event.environment,
        )
        _write_result(entry, result, made_by)


def history_csv(rows: Sequence[EpochRow]) -> bytes:
    """The file that a history is kept in, its columns the fields of a row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [item.name for item in fields(EpochRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return text.getvalue().encode()


def short_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """What a command or worker says of itself, as an archive takes it: each text in one line."""
    return {name: sentence(text)[:MOST_CHARACTERS] for name, text in texts.items()}


@lru_cache(4)  # the runs of a study have one
def pack_tokenizer(data: DataSpec) -> bytes:
    """The content of a run's `tokenizer.json`; empty where the cache lacks what it needs."""
    from rnnbench.data.cached_tokenizer import make_tokenizer  # readers of the ledger need none

    try:
        return make_tokenizer(data).to_json()
    except (DataError, FormatError):
        return b""


def _write_result(entry: LedgerEntry, result: RunResult, made_by: Mapping[str, str]) -> None:
    environment = {**short_texts(result.environment), **made_by}
    write_json(entry.folder / "result.json", asdict(replace(result, environment=environment)))


def _pruned(history: tuple[EpochRow, ...], event: Pruned) -> RunResult:
    best = min(history, key=lambda row: row.val_loss, default=None)
    return RunResult(
        status="pruned",
        epochs=len(history),
        best_epoch=best.epoch if best else None,
        val_loss=best.val_loss if best else None,
        val_accuracy=best.val_accuracy if best else None,
        fit_seconds=sum(row.epoch_seconds for row in history),
        epoch_seconds=(
            statistics.median(row.epoch_seconds for row in history) if history else None
        ),
        reason=event.reason,
        environment=event.environment,
    )
