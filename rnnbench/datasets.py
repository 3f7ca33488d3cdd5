"""From what the user calls the data to prepared reviews in the cache."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rnnbench.data import cache, imdb, prepare
from rnnbench.data.describe import Findings, read_findings
from rnnbench.data.files import check_input
from rnnbench.data.folders import list_texts
from rnnbench.data.inputs import (
    LINES,
    MOST_FILE_BYTES,
    STANDARD_INPUT,
    kind_of,
    option,
    standard_input,
    stem_of,
)
from rnnbench.data.tables import OwnChoices
from rnnbench.data.unreadable import refuse_unnamable, refuse_unreadable, tell_test_file
from rnnbench.errors import DataError, UsageError, unknown_name
from rnnbench.execution.process import call_in_process
from rnnbench.formats import is_there
from rnnbench.limits import MOST_OF_A_NAME
from rnnbench.output.amounts import listed
from rnnbench.output.characters import plain, readable_name
from rnnbench.specs import SYNTHETIC, SYNTHETIC_NOTICE, DataSpec, RunSpec, is_own

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
        findings: of texts of the user's.
    """

    name: str
    fingerprint: str
    origin: str
    notice: str | None = None
    classes: tuple[str, ...] = ("negative", "positive")
    notes: tuple[str, ...] = ()
    findings: Findings | None = None

    @property
    def spec(self) -> DataSpec:
        """What a run learns from, seen and split as usual."""
        return DataSpec(
            dataset=self.name, fingerprint=self.fingerprint, n_classes=len(self.classes)
        )

    @property
    def is_own(self) -> bool:
        """Whether they are texts of the user's own."""
        return is_own(self.name)


Progress = Callable[[int, int | None], None]
OnPreparing = Callable[[], None]


def resolve_dataset(
    choice: str,
    on_progress: Progress | None = None,
    on_preparing: OnPreparing = lambda: None,
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
    own = own or OwnChoices()
    if is_table(choice):
        return _table(choice, own, on_preparing)
    if own.given:
        raise UsageError(
            f"{listed(list(map(option, own.given)))} cannot be used with '{choice}', only with "
            "texts of your own: leave that out, or name a file or folder of yours with --dataset"
        )
    if choice in ("synthetic", "synthetic-full"):
        return _synthetic(on_preparing, full_size=choice == "synthetic-full")
    found: Path | None
    if choice == "imdb":
        found = imdb.find_imdb() or imdb.download_imdb(on_progress=on_progress)
    elif choice == "auto":
        found = imdb.find_imdb() or _try_download(on_progress)
    else:
        found = _find_npz(choice)
    return _imdb(found, on_preparing) if found else _synthetic(on_preparing, full_size=False)


def describe_table(choice: str, reading: Mapping[str, Any]) -> DatasetRef:
    """Texts of the user's, prepared.

    Args:
        reading: how they are read and split, by field of `OwnChoices`.

    Raises:
        UsageError: no texts of the user's are meant, or a value cannot be.
        DataError: they cannot be read, or nothing can be learnt from them.
    """
    if not is_table(choice):
        refuse_unnamable(choice)
        refuse_unreadable(choice)
    return resolve_dataset(choice, own=OwnChoices(**reading))


def is_table(choice: str) -> bool:
    """Whether that is to be texts of the user's: a file by its ending, a folder, or `-`."""
    if choice in (*DATASETS, STANDARD_INPUT):
        return choice == STANDARD_INPUT
    path = Path(choice)
    return bool(kind_of(path)) or (_is_folder(path) and not _has_npz(path))


@contextmanager
def open_table(choice: str) -> Iterator[Path]:
    """The file or folder of labelled texts of that path; for `-`, a file inside the block.

    Raises:
        UsageError: it is something else, which is said with what to do.
        DataError: there is no such file.
    """
    if choice == STANDARD_INPUT:
        with standard_input() as path:
            yield path
    else:
        yield _find_table(choice)


@contextmanager
def open_texts(choice: str) -> Iterator[Path]:
    """The file of texts, labelled or not, of that path; for `-`, one of lines inside the block.

    Raises:
        UsageError, DataError: see `open_table`.
    """
    if choice == STANDARD_INPUT:
        with standard_input(LINES) as path:
            yield path
        return
    refuse_unnamable(choice)
    path = Path(choice)
    if path.is_dir():
        raise UsageError(f"{choice} is a folder; name a file of texts")
    if not path.exists() or not (kind_of(path) or path.suffix.lower() == LINES):
        refuse_unreadable(choice)
    check_input(path, MOST_FILE_BYTES)
    yield path


def stem_of_table(choice: str) -> str:
    """What texts of the user's are called after the file, the folder, or standard input."""
    if choice == STANDARD_INPUT:
        return "stdin"
    path = Path(choice)
    return path.resolve().name or "root" if _is_folder(path) else stem_of(path)


def prepare_splits(specs: Iterable[RunSpec]) -> None:
    """Cache the splits that specs need, beside the usual one that comes with the data."""
    wanted = dict.fromkeys(
        (spec.data.fingerprint, spec.data.validation_fraction, spec.data.split_seed)
        for spec in specs
    )
    unusual = [split for split in wanted if split[1:] != prepare.USUAL_SPLIT]
    if unusual:
        call_in_process(prepare.prepare_splits, unusual)


def _find_npz(choice: str) -> Path:
    refuse_unnamable(choice)
    path = Path(choice)
    if (path.is_file() and path.suffix == ".npz") or _has_npz(path):
        found = imdb.find_imdb(path)
        assert found is not None
        return found
    if path.name == choice and not (path.suffix or path.exists() or choice == "-"):
        known = unknown_name("data set", choice, DATASETS)
        raise UsageError(f"{known}, or name an imdb.npz or a file of your own")
    refuse_unreadable(choice)


def _is_folder(path: Path) -> bool:
    return is_there(path) and path.is_dir()


def _has_npz(path: Path) -> bool:
    return (path / "imdb.npz").is_file()


def _find_table(choice: str) -> Path:
    refuse_unnamable(choice)
    path = Path(choice)
    if path.is_dir():
        if not _has_npz(path) and list_texts(path).files:
            return path
    elif kind_of(path) and path.exists():
        check_input(path, MOST_FILE_BYTES)
        return path
    refuse_unreadable(choice)


def _try_download(on_progress: Progress | None) -> Path | None:
    if imdb.can_reach(imdb.KERAS_ADDRESS):
        with suppress(DataError):
            return imdb.download_imdb(on_progress=on_progress)
    return None


def _imdb(path: Path, on_preparing: OnPreparing) -> DatasetRef:
    key = prepare.imdb_key(path)
    make = partial(call_in_process, prepare.prepare_imdb, path, key)
    return _prepared(key, make, on_preparing, name="imdb", origin=str(path))


def _table(choice: str, own: OwnChoices, on_preparing: OnPreparing) -> DatasetRef:
    others = [_find_table(file) for file in (own.validation, own.test) if file is not None]
    with open_table(choice) as path:
        name, key = _name(choice), prepare.table_key(path, own)
        make = partial(call_in_process, prepare.prepare_table, path, key, name, own)
        files = " and ".join(map(str, (path, *others)))
        origin = "standard input" if choice == STANDARD_INPUT else readable_name(files)
        notes = () if others else tell_test_file(path)
        return _prepared(key, make, on_preparing, name=name, origin=origin, notes=notes)


def _name(choice: str) -> str:
    """What a file's data are called: one name however its letters are stored, and printable."""
    stem = stem_of_table(choice)
    name = readable_name(f"{stem}-file" if stem in DATASETS else stem)
    return plain(unicodedata.normalize("NFC", name))[:MOST_OF_A_NAME]


def _synthetic(on_preparing: OnPreparing, *, full_size: bool) -> DatasetRef:
    key = prepare.synthetic_key(full_size=full_size)
    make = partial(call_in_process, prepare.prepare_synthetic, key, full_size=full_size)
    origin = f"generated, {'as many as IMDB' if full_size else 'half as many as IMDB'}"
    return _prepared(
        key, make, on_preparing, name=SYNTHETIC, origin=origin, notice=SYNTHETIC_NOTICE
    )


def _prepared(
    key: str,
    make: Callable[[], str],
    on_preparing: OnPreparing,
    *,
    name: str,
    origin: str,
    notice: str | None = None,
    notes: tuple[str, ...] = (),
) -> DatasetRef:
    """What the cache has under that key; made if it has not."""
    fingerprint = cache.recall_source(key)
    if fingerprint is None:
        on_preparing()
        fingerprint = make()
    return DatasetRef(
        name=name,
        fingerprint=fingerprint,
        origin=origin,
        notice=notice,
        classes=cache.open_corpus(fingerprint).classes,
        notes=(*notes, *cache.recall_notes(key)),
        findings=read_findings(fingerprint),
    )
