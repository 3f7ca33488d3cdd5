"""Keras's IMDB reviews and their words: where they are, how to fetch and how to read them."""

import hashlib
import http.client
import queue
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnbench.data.cache import cache_folder
from rnnbench.data.corpus import UNKNOWN, Corpus, Half, gather
from rnnbench.data.files import atomic_file, file_sha256, named_path
from rnnbench.data.npz import MAX_FILE_BYTES, read_npz
from rnnbench.errors import DataError
from rnnbench.formats import is_there, parse_json, read_bytes

_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
KERAS_ADDRESS = f"{_KERAS}/imdb.npz"
KERAS_SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"

WORDS_NAME = "imdb_word_index.json"
WORDS_SHA256 = "f3dd6f811f312fbc3fdecb86a58901912da26da47f47f69b802e6102a24e711e"
MOST_WORDS_BYTES = 16 * 2**20  # the real file has 1.5 MB
MOST_WORDS = 1_000_000

Progress = Callable[[int, int | None], None]
"""Called with the bytes received so far, and the bytes to come in all where that is known."""

_FILE_NAME = "imdb.npz"
_INSTEAD = "set RNNBENCH_DATA to a folder that holds imdb.npz, or use --dataset synthetic"
_CHUNK_BYTES = 256 * 1024
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
_NO_HEAD = (405, 501)  # the server is there, and does not answer this kind of question

# The defaults of keras.datasets.imdb.load_data.
_SHUFFLE_SEED = 113
_INDEX_FROM = 3


def find_imdb(source: Path | None = None) -> Path | None:
    """Where an `imdb.npz` lies, or None.

    Looks at `source`, else at `RNNBENCH_DATA`, else into Keras's cache and our own downloads.

    Args:
        source: a file, or a folder that holds `imdb.npz`.

    Raises:
        DataError: `source` or `RNNBENCH_DATA` is given, and there is no such file.
    """
    if source is not None:
        return _need_file(source, "the given path")
    if named := named_path("RNNBENCH_DATA"):
        return _need_file(named, "RNNBENCH_DATA")
    places = (_keras_folder() / _FILE_NAME, _download_path(_FILE_NAME))
    return next((place for place in places if place.is_file()), None)


def can_reach(address: str = KERAS_ADDRESS, *, timeout_s: float = 5.0) -> bool:
    """Whether `address` answers within `timeout_s`, through a proxy where one is set."""
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
    # In a thread, because nothing bounds the time that a name takes to resolve.
    threading.Thread(
        target=lambda: answers.put(_answers(address, timeout_s)), name="can-reach", daemon=True
    ).start()
    try:
        return answers.get(timeout=timeout_s)
    except queue.Empty:
        return False


def download_imdb(
    *, address: str = KERAS_ADDRESS, sha256: str = KERAS_SHA256, **options: Any
) -> Path:
    """Where the reviews now lie, under the cache folder, fetched unless they are there already.

    Args:
        address: what to fetch, over HTTP or HTTPS.
        sha256: of the file's bytes; anything else is refused.
        options: see `_fetch_patiently`.

    Raises:
        DataError: they cannot be fetched or kept, or are another file.
    """
    return _download(address, sha256, _download_path(_FILE_NAME), _INSTEAD, **options)


def read_imdb(path: Path) -> Corpus:
    """The reviews as `keras.datasets.imdb.load_data()` yields them, sequence for sequence.

    That is: shuffled with Keras's seed, a 1 in front, ranks raised by 3, and the rarest word of all
    unknown (2), because Keras keeps the ranks below the largest. 2.5 s and 240 MiB.

    Raises:
        DataError: the file is damaged or refused.
    """
    raw = read_npz(path)
    rng = np.random.RandomState(_SHUFFLE_SEED)
    # One generator for both: the order of the test half depends on the training half's size.
    train, test = (_arrange(half, rng) for half in (raw.train, raw.test))
    n_words = max(int(half.tokens.max()) for half in (train, test))
    for half in (train, test):
        half.tokens[half.tokens >= n_words] = UNKNOWN
    return Corpus(name=raw.name, train=train, test=test)


def read_imdb_words() -> tuple[str, ...]:
    """The word of rank 1 (the commonest, token 4), of rank 2, and so on.

    Looks at `RNNBENCH_DATA`, then into Keras's cache; otherwise fetches the file, once.

    Raises:
        DataError: it is nowhere and cannot be fetched, or is another file.
    """
    path = find_imdb_words() or _download(
        f"{_KERAS}/{WORDS_NAME}",
        WORDS_SHA256,
        _download_path(WORDS_NAME),
        f"put Keras's {WORDS_NAME} into a folder and set RNNBENCH_DATA to it",
    )
    try:
        found = parse_json(read_bytes(path, MOST_WORDS_BYTES), most_values=MOST_WORDS)
        ranks = {str(word): int(rank) for word, rank in found.items()}
        if not all(1 <= rank <= MOST_WORDS for rank in ranks.values()):
            raise ValueError(f"it holds a rank that is not from 1 to {MOST_WORDS:,}")
        words = [""] * max(ranks.values())
        for word, rank in ranks.items():
            words[rank - 1] = word
    except (OSError, ValueError, TypeError, AttributeError) as err:
        raise DataError(f"{path} is not the {WORDS_NAME} that Keras publishes: {err}") from err
    return tuple(words)


def find_imdb_words() -> Path | None:
    """Where the words of IMDB lie on this machine, or None."""
    places = [_keras_folder() / WORDS_NAME, _download_path(WORDS_NAME)]
    if folder := named_path("RNNBENCH_DATA"):
        places.insert(0, (folder if folder.is_dir() else folder.parent) / WORDS_NAME)
    return next((place for place in places if place.is_file()), None)


def _keras_folder() -> Path:
    return named_path("KERAS_HOME", "~/.keras") / "datasets"


def _download_path(name: str) -> Path:
    return cache_folder() / "downloads" / name


def _need_file(path: Path, said_by: str) -> Path:
    found = path / _FILE_NAME if is_there(path) and path.is_dir() else path
    if not (is_there(found) and found.is_file()):
        raise DataError(f"{said_by} names {path}, but there is no file {found}; {_INSTEAD}")
    return found


def _answers(address: str, timeout_s: float) -> bool:
    try:
        with _open(address, timeout_s, method="HEAD"):
            return True
    except urllib.error.HTTPError as err:
        err.close()
        return err.code in _NO_HEAD
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _open(address: str, timeout_s: float, *, method: str = "GET") -> http.client.HTTPResponse:
    if not address.startswith(("http://", "https://")):
        raise ValueError("not an http address")
    request = urllib.request.Request(address, method=method, headers={"User-Agent": "rnnbench"})
    # A fresh opener reads the proxy settings now; urlopen reads them once in a process.
    response: http.client.HTTPResponse = urllib.request.build_opener().open(
        request, timeout=timeout_s
    )
    return response


def _download(address: str, sha256: str, target: Path, instead: str, **options: Any) -> Path:
    """`target`, fetched unless it is there already; `instead` says what else the user can do."""
    if target.is_file() and file_sha256(target) == sha256:
        return target
    try:
        content = _fetch_patiently(address, **options)
    except DataError as err:
        raise DataError(f"{err}; {instead}") from err
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        wrong = f"{address} gave a file with SHA-256 {found[:12]}…, not {sha256[:12]}…"
        raise DataError(f"{wrong}; {instead}")
    with atomic_file(target) as stream:
        stream.write(content)
    return target


def _fetch_patiently(
    address: str,
    *,
    timeout_s: float = 30.0,
    retries: int = 3,
    backoff_s: float = 1.0,
    on_progress: Progress | None = None,
) -> bytes:
    """The bytes at `address`.

    Args:
        timeout_s: how long the server may stay silent.
        retries: attempts after a first that failed for a reason that may pass.
        backoff_s: wait before the first of them; doubled each time.
        on_progress: called as bytes come in; a retry starts from 0.
    """
    for attempt in range(retries + 1):
        try:
            return _fetch(address, timeout_s, on_progress)
        except (OSError, ValueError, http.client.HTTPException) as err:
            if isinstance(err, urllib.error.HTTPError):
                err.close()
            if attempt == retries or not _may_pass(err):
                raise DataError(f"cannot fetch {address} ({_reason(err)})") from err
        time.sleep(backoff_s * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


def _fetch(address: str, timeout_s: float, on_progress: Progress | None) -> bytes:
    with _open(address, timeout_s) as response:
        total = response.length
        if (total or 0) > MAX_FILE_BYTES:
            raise ValueError(f"{total:,} bytes are offered, of at most {MAX_FILE_BYTES:,}")
        content = bytearray()
        while chunk := response.read(_CHUNK_BYTES):
            content += chunk
            if len(content) > MAX_FILE_BYTES:
                raise ValueError(f"it does not end after {MAX_FILE_BYTES:,} bytes")
            if on_progress is not None:
                on_progress(len(content), total)
    # http.client says nothing of a body that ends early.
    if total is not None and len(content) != total:
        raise ConnectionError(f"it ended after {len(content):,} of {total:,} bytes")
    return bytes(content)


def _may_pass(err: Exception) -> bool:
    """Whether another attempt may fare better."""
    if isinstance(err, urllib.error.HTTPError):
        return err.code in _TRANSIENT
    if isinstance(err, urllib.error.URLError):
        return not isinstance(err.reason, ssl.SSLCertVerificationError)
    return isinstance(err, OSError | http.client.HTTPException)


def _reason(err: Exception) -> str:
    if isinstance(err, urllib.error.HTTPError):
        return f"HTTP {err.code} {err.reason}"
    reason = err.reason if isinstance(err, urllib.error.URLError) else err
    return str(reason) or type(reason).__name__


def _arrange(half: Half, rng: np.random.RandomState) -> Half:
    """`half` in Keras's order, with a start token before each review and ranks raised by 3."""
    order = np.arange(half.n_reviews)
    rng.shuffle(order)
    return gather(replace(half, tokens=half.tokens + np.int32(_INDEX_FROM)), order)
