"""Put reviews into the cache; each function runs in a process of its own."""

from __future__ import annotations

from pathlib import Path

from rnnbench.data import cache, imdb, synthetic
from rnnbench.data.corpus import Corpus
from rnnbench.data.npz import limit_memory

__all__ = [
    "USUAL_SPLIT",
    "imdb_key",
    "prepare_imdb",
    "prepare_split",
    "prepare_synthetic",
    "synthetic_key",
]

READER_BYTES = 2 * 2**30  # address space; the real file takes 0.4 GiB
FULL_SIZE = 25_000
USUAL_SPLIT = (0.2, 42)  # validation fraction and seed
GENERATOR_VERSION = 1  # raise it whenever the generator's output changes


def imdb_key(path: Path) -> str:
    """Under which the cache remembers a file's content."""
    return f"imdb-file:{cache.file_sha256(path)}"


def synthetic_key(*, full_size: bool) -> str:
    """Under which the cache remembers generated reviews."""
    return f"synthetic:{GENERATOR_VERSION}:{'full' if full_size else 'default'}"


def prepare_imdb(path: Path) -> str:
    """Read an `imdb.npz` under a memory limit and cache it; the content's fingerprint.

    Raises:
        DataError: the file is damaged, not IMDB, or refused.
    """
    limit_memory(READER_BYTES)
    return _keep(imdb.read_imdb(path), imdb_key(path))


def prepare_synthetic(*, full_size: bool) -> str:
    """Generate the synthetic reviews and cache them; the content's fingerprint."""
    sizes = {"n_train": FULL_SIZE, "n_test": FULL_SIZE} if full_size else {}
    return _keep(synthetic.generate(**sizes), synthetic_key(full_size=full_size))


def prepare_split(fingerprint: str, validation_fraction: float, split_seed: int) -> None:
    """Compute and cache one split of a corpus's training half."""
    cache.split_indices(fingerprint, test_size=validation_fraction, random_state=split_seed)


def _keep(corpus: Corpus, key: str) -> str:
    fingerprint = cache.store_corpus(corpus)
    fraction, seed = USUAL_SPLIT
    cache.split_indices(fingerprint, test_size=fraction, random_state=seed)
    cache.remember_source(key, fingerprint)
    return fingerprint
