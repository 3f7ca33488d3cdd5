"""Prepared reviews, kept once as flat arrays under the user's cache folder.

    <cache>/corpora/<fingerprint>/   corpus.json, {train,test}_{tokens,offsets,labels}.npy, splits,
                                     vocabulary.json where the words are known, findings.json
                                     of the user's own texts, subwords.model where one cut them
    <cache>/sources/<hash>.json      which corpus a source (a file, a seed) came out as
    <cache>/downloads/               files as they were fetched

A folder's name says what is in it, so concurrent writers write the same and do no harm.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from rnnbench.data.corpus import Corpus, Half, Tokens
from rnnbench.data.files import (
    atomic_file,
    named_path,
    open_array,
    read_json,
    write_array,
    write_json,
)
from rnnbench.errors import DataError
from rnnbench.formats import FormatError, read_bytes

_RESTORE = (
    "run 'rnnbench data fetch' to restore it; for a file of your own, 'rnnbench data describe FILE'"
)
_WORDS = "vocabulary.json"
_FINDINGS = "findings.json"
_SUBWORDS = "subwords.model"
_MOST_SUBWORDS_BYTES = 16 * 2**20  # a hundred times what one takes
_DTYPES = {"tokens": "<i4", "offsets": "<i8", "labels": "i1"}
_FILES = {f"{half}_{field}.npy": (half, field) for half in ("train", "test") for field in _DTYPES}


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusEntry:
    """One corpus of the cache; `n_bytes` is its size on disk, splits included."""

    fingerprint: str
    name: str
    n_train: int
    n_test: int
    n_bytes: int
    classes: tuple[str, ...]
    n_validation: int | None
    tokens: Tokens
    icu: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Positions in the training half: int64 `(n_train - n_validation,)` and `(n_validation,)`."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def cache_folder() -> Path:
    """`RNNBENCH_CACHE`, or else the user's cache folder; it need not exist yet."""
    return named_path("RNNBENCH_CACHE") or platformdirs.user_cache_path("rnnbench")


def store_corpus(corpus: Corpus) -> str:
    """The fingerprint of `corpus`, under which it now lies in the cache.

    A corpus that is there already is compared with this one and repaired where it differs.

    Raises:
        DataError: the cache folder cannot be written to.
    """
    fingerprint = corpus.fingerprint()
    folder = _corpus_folder(fingerprint)
    for name, (half, field) in _FILES.items():
        array = np.ascontiguousarray(getattr(getattr(corpus, half), field), _DTYPES[field])
        if not _holds_array(folder / name, array):
            write_array(folder / name, array)
    if corpus.vocabulary:
        write_json(folder / _WORDS, {"words": list(corpus.vocabulary)})
    if corpus.subwords:
        with atomic_file(folder / _SUBWORDS) as stream:
            stream.write(corpus.subwords)
    # Last, because its presence says that the arrays are there.
    if _find_entry(fingerprint) is None:
        summary = {
            "name": corpus.name,
            "fingerprint": fingerprint,
            "n_train": corpus.train.n_reviews,
            "n_test": corpus.test.n_reviews,
            "classes": list(corpus.classes),
            "n_validation": corpus.n_validation,
            "tokens": corpus.tokens,
            "icu": corpus.icu,
            "n_bytes": {name: (folder / name).stat().st_size for name in _names(corpus.tokens)},
        }
        write_json(folder / "corpus.json", summary)
    return fingerprint


def open_corpus(fingerprint: str, *, verify: bool = False) -> Corpus:
    """The corpus of this fingerprint; its tokens are read-only and mapped from disk.

    Args:
        fingerprint: as `store_corpus` gave it.
        verify: also check the content against the fingerprint (0.1 s for IMDB).

    Raises:
        DataError: it is not in the cache, or damaged.
    """
    entry = _need_entry(fingerprint)
    folder = _corpus_folder(fingerprint)
    try:
        corpus = Corpus(
            name=entry.name,
            train=_open_half(folder, "train"),
            test=_open_half(folder, "test"),
            classes=entry.classes,
            vocabulary=tuple(read_json(folder / _WORDS).get("words", ())),
            n_validation=entry.n_validation,
            tokens=entry.tokens,
            subwords=_open_subwords(folder) if entry.tokens == "subwords" else b"",
            icu=entry.icu,
        )
    except (OSError, ValueError, EOFError, DataError, FormatError) as err:
        raise DataError(f"the texts in {folder} are damaged ({err}); {_RESTORE}") from err
    if verify and corpus.fingerprint() != fingerprint:
        raise DataError(f"the texts in {folder} do not match their fingerprint; {_RESTORE}")
    return corpus


def remember_source(key: str, fingerprint: str, notes: Sequence[str] = ()) -> None:
    """Notes that the source `key` (a file's hash, a seed) holds the corpus `fingerprint`.

    Args:
        notes: what should be said of it each time, in sentences.
    """
    noted = {"key": key, "fingerprint": fingerprint, "notes": list(notes)}
    write_json(_source_path(key), noted)


def recall_notes(key: str) -> tuple[str, ...]:
    """The sentences that were noted with `key`."""
    return tuple(read_json(_source_path(key)).get("notes", ()))


def recall_source(key: str) -> str | None:
    """The fingerprint noted for `key`, if that corpus is in the cache and whole."""
    noted = read_json(_source_path(key))
    fingerprint = str(noted.get("fingerprint", ""))
    if noted.get("key") != key or _find_entry(fingerprint) is None:
        return None
    return fingerprint


def store_findings(fingerprint: str, found: Mapping[str, object]) -> None:
    """Keep what was found in a corpus beside it."""
    write_json(_corpus_folder(fingerprint) / _FINDINGS, found)


def recall_findings(fingerprint: str) -> dict[str, Any]:  # Any: as JSON has it
    """What was kept so; empty where nothing was."""
    is_one = _find_entry(fingerprint) is not None
    return read_json(_corpus_folder(fingerprint) / _FINDINGS) if is_one else {}


def split_indices(fingerprint: str, *, test_size: float = 0.2, random_state: int = 42) -> Split:
    """Which training reviews train and which validate, as scikit-learn splits them.

    The same as `train_test_split` on the reviews themselves; kept beside the corpus. A corpus with
    a split of its own keeps that one.

    Raises:
        DataError: the corpus is not in the cache, or too small for this split.
    """
    entry = _need_entry(fingerprint)
    n_train = entry.n_train
    if entry.n_validation is not None:
        train, validation = np.split(np.arange(n_train), [n_train - entry.n_validation])
        return Split(train=train, validation=validation)
    stem = _corpus_folder(fingerprint) / f"split_{test_size}_{random_state}"
    paths = [stem.with_name(f"{stem.name}_{part}.npy") for part in ("train", "validation")]
    split = _read_split(paths, n_train)
    if split is None:
        split = _draw_split(n_train, test_size, random_state)
        for path, indices in zip(paths, (split.train, split.validation), strict=True):
            write_array(path, indices)
    return split


def list_corpora() -> list[CorpusEntry]:
    """Every whole corpus in the cache, by name and fingerprint."""
    found = (_find_entry(path.name) for path in (cache_folder() / "corpora").glob("*/"))
    return sorted(filter(None, found), key=lambda entry: (entry.name, entry.fingerprint))


def _corpus_folder(fingerprint: str) -> Path:
    return cache_folder() / "corpora" / fingerprint


def _find_entry(fingerprint: str) -> CorpusEntry | None:
    """The corpus of this fingerprint, if its files are there with the sizes they were given."""
    folder = _corpus_folder(fingerprint)
    # Not every text is a folder's name: this one may come from outside.
    if not re.fullmatch("[0-9a-f]{64}", fingerprint):
        return None
    try:
        summary = read_json(folder / "corpus.json")
        names = _names(summary.get("tokens", "words"))
        if any((folder / name).stat().st_size != summary["n_bytes"][name] for name in names):
            return None
        return CorpusEntry(
            fingerprint=fingerprint,
            name=str(summary["name"]),
            n_train=int(summary["n_train"]),
            n_test=int(summary["n_test"]),
            n_bytes=sum(path.stat().st_size for path in folder.glob("[!.]*")),
            classes=tuple(summary.get("classes", ("negative", "positive"))),
            n_validation=summary.get("n_validation"),
            tokens=summary.get("tokens", "words"),
            icu=str(summary["icu"]) if summary.get("tokens") == "dictionary" else "",
        )
    except (OSError, KeyError, ValueError, TypeError, AttributeError):
        return None


def _names(tokens: Tokens) -> tuple[str, ...]:
    """The files without which a corpus is not whole."""
    return (*_FILES, _SUBWORDS) if tokens == "subwords" else (*_FILES,)


def _need_entry(fingerprint: str) -> CorpusEntry:
    entry = _find_entry(fingerprint)
    if entry is None:
        raise DataError(f"no complete texts {fingerprint[:12]} in {cache_folder()}; {_RESTORE}")
    return entry


def _open_half(folder: Path, half: str) -> Half:
    tokens, offsets, labels = (
        open_array(folder / f"{half}_{field}.npy", dtype, mapped=field == "tokens")
        for field, dtype in _DTYPES.items()
    )
    return Half(tokens=tokens, offsets=offsets, labels=labels)


def _open_subwords(folder: Path) -> bytes:
    return read_bytes(folder / _SUBWORDS, _MOST_SUBWORDS_BYTES)


def _holds_array(path: Path, array: NDArray[Any]) -> bool:  # any: three integer types
    try:
        return np.array_equal(open_array(path, array.dtype.str, mapped=True), array)
    except (OSError, ValueError, EOFError):
        return False


def _read_split(paths: list[Path], n_train: int) -> Split | None:
    try:
        train, validation = (open_array(path, "<i8") for path in paths)
    except (OSError, ValueError, EOFError):
        return None
    whole = np.array_equal(np.sort(np.concatenate([train, validation])), np.arange(n_train))
    return Split(train=train, validation=validation) if whole else None


def _draw_split(n_train: int, test_size: float, random_state: int) -> Split:
    # Takes 1.5 s, and only a first split needs it.
    from sklearn.model_selection import train_test_split

    try:
        train, validation = train_test_split(
            np.arange(n_train, dtype=np.int64), test_size=test_size, random_state=random_state
        )
    except ValueError as err:
        found = f"{n_train} texts cannot be split with test_size={test_size}"
        raise DataError(f"{found} and random_state={random_state}: {err}") from err
    return Split(train=train, validation=validation)


def _source_path(key: str) -> Path:
    return cache_folder() / "sources" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
