"""Put reviews into the cache, under keys that say what they came from.

What prepares or reads them runs in a process of its own.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rnnbench.data import cache, imdb, synthetic
from rnnbench.data.corpus import Corpus
from rnnbench.data.describe import keep_findings, tell_findings
from rnnbench.data.files import file_sha256
from rnnbench.data.folders import folder_sha256
from rnnbench.data.inputs import kind_of
from rnnbench.data.npz import limit_memory
from rnnbench.data.own import make_corpus
from rnnbench.data.tables import OwnChoices, Table, read_table
from rnnbench.data.unlabelled import TextRows, read_texts
from rnnbench.data.words import tell_cut
from rnnbench.errors import DataError

TABLE_BYTES = 6 * 2**30  # address space, of which far less becomes resident
TABLE_VERSION = 8  # raise it whenever a table comes out otherwise
READER_BYTES = 2 * 2**30  # address space; the real file takes 0.4 GiB
FULL_SIZE = 25_000
USUAL_SPLIT = (0.2, 42)  # validation fraction and seed
GENERATOR_VERSION = 1  # raise it whenever the generator's output changes
_OF_THE_SPLIT = ("test_fraction", "validation_fraction", "split_seed", "drop_duplicates")


def imdb_key(path: Path) -> str:
    """Under which the cache remembers a file's content."""
    return f"imdb-file:{file_sha256(path)}"


def synthetic_key(*, full_size: bool) -> str:
    """Under which the cache remembers generated reviews."""
    return f"synthetic:{GENERATOR_VERSION}:{'full' if full_size else 'default'}"


def table_key(path: Path, own: OwnChoices) -> str:
    """Under which the cache remembers files of the user's, read and split in this way."""
    table = asdict(own)
    split = {name: table.pop(name) for name in _OF_THE_SPLIT}
    others = [table.pop(part) for part in ("validation", "test")]
    files = [_content(Path(file)) if file else "" for file in (path, *others)]
    how = json.dumps([TABLE_VERSION, table, split], sort_keys=True)
    return f"table:{' '.join(files)}:{how}"


def prepare_imdb(path: Path, key: str) -> str:
    """Read an `imdb.npz` under a memory limit and cache it; the content's fingerprint.

    Raises:
        DataError: the file is damaged, not IMDB, or refused.
    """
    limit_memory(READER_BYTES)
    return _keep(imdb.read_imdb(path), key)


def prepare_synthetic(key: str, *, full_size: bool) -> str:
    """Generate the synthetic reviews and cache them; the content's fingerprint."""
    sizes = {"n_train": FULL_SIZE, "n_test": FULL_SIZE} if full_size else {}
    return _keep(synthetic.generate(**sizes), key)


def prepare_table(path: Path, key: str, name: str, own: OwnChoices) -> str:
    """Read a file of labelled texts and cache it; the content's fingerprint.

    Args:
        name: what the corpus is called.

    Raises:
        UsageError: a column or an encoding that there is not.
        DataError: a file that cannot be read, or from which nothing can be learnt.
    """
    with _limited(path):
        table = read_table(path, own)
        corpus, findings = make_corpus(name, table, own)
        told = (
            *table.notes,
            *tell_cut(own.tokens, corpus.tokens, corpus.icu),
            *tell_findings(findings),
        )
    keep_findings(corpus.fingerprint(), findings)  # first: the source says that all is there
    return _keep(corpus, key, told)


def read_rows(path: Path, own: OwnChoices) -> Table:
    """The rows of a file that nothing is trained on.

    Raises:
        UsageError, DataError: see `prepare_table`.
    """
    with _limited(path):
        return read_table(path, own, for_training=False)


def read_unlabelled(path: Path, own: OwnChoices) -> TextRows:
    """The rows of a file of texts without labels.

    Raises:
        UsageError, DataError: see `read_texts`.
    """
    with _limited(path):
        return read_texts(path, own)


def prepare_splits(splits: Iterable[tuple[str, float, int]]) -> None:
    """Compute and cache splits of corpora's training halves.

    Args:
        splits: fingerprint of the corpus, validation fraction and seed of each.
    """
    for fingerprint, fraction, seed in splits:
        cache.split_indices(fingerprint, test_size=fraction, random_state=seed)


@contextmanager
def _limited(path: Path) -> Iterator[None]:
    limit_memory(TABLE_BYTES)
    try:
        yield
    except MemoryError as err:
        raise DataError(f"{path} asks for more than {TABLE_BYTES // 2**30} GiB of memory") from err


def _content(path: Path) -> str:
    """How a file is read, and what is in it."""
    if path.is_dir():
        return f"folder:{folder_sha256(path)}"
    return f"{kind_of(path)}:{path.suffix.lower()}:{file_sha256(path)}"


def _keep(corpus: Corpus, key: str, notes: Sequence[str] = ()) -> str:
    fingerprint = cache.store_corpus(corpus)
    prepare_splits([(fingerprint, *USUAL_SPLIT)])
    cache.remember_source(key, fingerprint, notes)
    return fingerprint
