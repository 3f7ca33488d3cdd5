"""From what the user calls the data to prepared reviews in the cache."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from rnnbench.data import cache, imdb, prepare
from rnnbench.data.files import check_input
from rnnbench.data.tables import MOST_FILE_BYTES, SUFFIXES, OwnChoices
from rnnbench.data.unreadable import refuse_unnamable, refuse_unreadable, tell_test_file
from rnnbench.errors import DataError, UsageError, unknown_name
from rnnbench.execution.process import call_in_process
from rnnbench.limits import MOST_OF_A_NAME
from rnnbench.output.characters import plain, readable_name
from rnnbench.specs import SYNTHETIC, SYNTHETIC_NOTICE, RunSpec

DATASETS = ("auto", "imdb", "synthetic", "synthetic-full")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRef:
    """Prepared reviews.

    Args:
        name: `imdb`, `synthetic`, or what a file of the user's is called.
        fingerprint: of their content.
        origin: where they came from, for people.
        notice: what must stand beside every number; None where nothing must.
        notes: what was inferred, found or left out, in sentences.
    """

    name: str
    fingerprint: str
    origin: str
    notice: str | None = None
    classes: tuple[str, ...] = ("negative", "positive")
    notes: tuple[str, ...] = ()


Progress = Callable[[int, int | None], None]


def resolve_dataset(
    choice: str,
    on_progress: Progress | None = None,
    on_preparing: Callable[[], None] | None = None,
    own: OwnChoices | None = None,
) -> DatasetRef:
    """The prepared reviews that `--dataset` means; downloads and prepares what is missing.

    Args:
        on_progress: called with bytes so far and in all while IMDB is downloaded.
        on_preparing: called before reviews are read or made that the cache lacks: seconds.
        own: how a file of the user's is read and split.

    Raises:
        DataError: they cannot be had; `auto` never raises for want of IMDB.
    """
    source = _find_source(choice, on_progress, own or OwnChoices())
    key = source.key
    fingerprint = cache.recall_source(key)
    if fingerprint is None:
        if on_preparing is not None:
            on_preparing()
        fingerprint = source.prepare()
    return DatasetRef(
        name=source.name,
        fingerprint=fingerprint,
        origin=source.origin,
        notice=source.notice,
        classes=cache.open_corpus(fingerprint).classes,
        notes=(*source.notes, *cache.recall_notes(key)),
    )


def is_table(choice: str) -> bool:
    """Whether that is to be a file of labelled texts, by its ending."""
    return Path(choice).suffix.lower() in SUFFIXES


def find_table(choice: str) -> Path:
    """The file of labelled texts of that path.

    Raises:
        UsageError: it is something else, which is said with what to do.
        DataError: there is no such file.
    """
    refuse_unnamable(choice)
    path = Path(choice)
    if is_table(choice) and path.exists() and not path.is_dir():
        check_input(path, MOST_FILE_BYTES)
        return path
    refuse_unreadable(choice)


def prepare_splits(specs: Iterable[RunSpec]) -> None:
    """Cache the splits that specs need, beside the usual one that comes with the data."""
    wanted = dict.fromkeys(
        (spec.data.fingerprint, spec.data.validation_fraction, spec.data.split_seed)
        for spec in specs
    )
    unusual = [split for split in wanted if split[1:] != prepare.USUAL_SPLIT]
    if unusual:
        call_in_process(prepare.prepare_splits, unusual)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where reviews come from, before they are prepared."""

    name: str
    key: str
    origin: str
    prepare: Callable[[], str]
    notice: str | None = None
    notes: tuple[str, ...] = ()


def _find_source(choice: str, on_progress: Progress | None, own: OwnChoices) -> _Source:
    if is_table(choice):
        return _table(choice, own)
    if own != OwnChoices():
        raise UsageError(
            f"how texts are read and split is chosen for a file of yours only, not '{choice}'"
        )
    if choice in ("synthetic", "synthetic-full"):
        return _synthetic(full_size=choice == "synthetic-full")
    if choice == "imdb":
        return _imdb(imdb.find_imdb() or imdb.download_imdb(on_progress=on_progress))
    if choice == "auto":
        return _auto(on_progress)
    refuse_unnamable(choice)
    path = Path(choice)
    if (path.is_file() and path.suffix == ".npz") or (path / "imdb.npz").is_file():
        found = imdb.find_imdb(path)
        assert found is not None
        return _imdb(found)
    if path.name == choice and not (path.suffix or path.exists() or choice == "-"):
        known = unknown_name("data set", choice, DATASETS)
        raise UsageError(f"{known}, or name an imdb.npz or a file of your own")
    refuse_unreadable(choice)


def _auto(on_progress: Progress | None) -> _Source:
    path = imdb.find_imdb()
    if path is None and imdb.can_reach(imdb.KERAS_ADDRESS):
        try:
            path = imdb.download_imdb(on_progress=on_progress)
        except DataError:
            path = None
    return _synthetic(full_size=False) if path is None else _imdb(path)


def _imdb(path: Path) -> _Source:
    key = prepare.imdb_key(path)
    return _Source(
        name="imdb",
        key=key,
        origin=str(path),
        prepare=lambda: call_in_process(prepare.prepare_imdb, path, key),
    )


def _table(choice: str, own: OwnChoices) -> _Source:
    path = find_table(choice)
    name, key = _name(path), prepare.table_key(path, own)
    return _Source(
        name=name,
        key=key,
        origin=readable_name(str(path)),
        prepare=lambda: call_in_process(prepare.prepare_table, path, key, name, own),
        notes=tell_test_file(path),
    )


def _name(path: Path) -> str:
    """What a file's data are called: one name however its letters are stored, and printable."""
    name = readable_name(path.name if path.stem in DATASETS else path.stem)
    return plain(unicodedata.normalize("NFC", name))[:MOST_OF_A_NAME]


def _synthetic(*, full_size: bool) -> _Source:
    key = prepare.synthetic_key(full_size=full_size)
    return _Source(
        name=SYNTHETIC,
        key=key,
        origin=f"generated, {'as many as IMDB' if full_size else 'half as many as IMDB'}",
        prepare=lambda: call_in_process(prepare.prepare_synthetic, key, full_size=full_size),
        notice=SYNTHETIC_NOTICE,
    )
