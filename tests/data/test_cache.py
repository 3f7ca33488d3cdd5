"""The cache of prepared reviews: whole or absent, shared without harm, and repaired."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from rnnbench.data import cache
from rnnbench.data.corpus import Corpus, Half
from rnnbench.data.files import atomic_file, file_sha256, held_file, open_array, whole_file
from rnnbench.errors import DataError, UsageError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("RNNBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def make_half(n_reviews: int, seed: int) -> Half:
    rng = np.random.default_rng(seed)
    offsets = np.concatenate(([0], np.cumsum(rng.integers(1, 30, n_reviews))))
    return Half(
        tokens=rng.integers(0, 500, offsets[-1]).astype(np.int32),
        offsets=offsets.astype(np.int64),
        labels=rng.integers(0, 2, n_reviews).astype(np.int8),
    )


def make_corpus(seed: int = 0, name: str = "small") -> Corpus:
    return Corpus(name=name, train=make_half(50, seed), test=make_half(20, seed + 1))


def corpus_folder(folder: Path, fingerprint: str) -> Path:
    return folder / "corpora" / fingerprint


# Corpora


def test_a_stored_corpus_comes_back_as_it_was() -> None:
    corpus = make_corpus()
    fingerprint = cache.store_corpus(corpus)
    assert fingerprint == corpus.fingerprint()
    found = cache.open_corpus(fingerprint, verify=True)
    assert (found.name, found.fingerprint()) == ("small", fingerprint)
    np.testing.assert_array_equal(found.test.tokens, corpus.test.tokens)


def test_tokens_are_mapped_from_disk_and_cannot_be_changed() -> None:
    tokens = cache.open_corpus(cache.store_corpus(make_corpus())).train.tokens
    assert isinstance(tokens.base, np.memmap)
    assert not tokens.flags.writeable


def test_a_corpus_of_empty_reviews_is_kept() -> None:
    half = Half(
        tokens=np.zeros(0, np.int32), offsets=np.zeros(3, np.int64), labels=np.zeros(2, np.int8)
    )
    fingerprint = cache.store_corpus(Corpus(name="empty", train=half, test=half))
    assert cache.open_corpus(fingerprint).train.n_reviews == 2


def test_a_corpus_that_is_not_there_names_the_command_that_fetches_it() -> None:
    for fingerprint in ("0" * 64, "", "../../etc"):
        with pytest.raises(DataError, match="run 'rnnbench data fetch' to restore it"):
            cache.open_corpus(fingerprint)


@pytest.mark.parametrize("name", ["corpus.json", "train_tokens.npy", "test_labels.npy"])
@pytest.mark.parametrize("damage", ["missing", "cut short"])
def test_a_damaged_corpus_is_told_and_restored(folder: Path, name: str, damage: str) -> None:
    fingerprint = cache.store_corpus(make_corpus())
    path = corpus_folder(folder, fingerprint) / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="run 'rnnbench data fetch'"):
        cache.open_corpus(fingerprint)
    assert cache.store_corpus(make_corpus()) == fingerprint
    assert cache.open_corpus(fingerprint, verify=True).name == "small"


@pytest.mark.parametrize(("name", "position"), [("train_tokens.npy", -4), ("test_offsets.npy", 2)])
def test_changed_bytes_are_found_and_restored(folder: Path, name: str, position: int) -> None:
    fingerprint = cache.store_corpus(make_corpus())
    path = corpus_folder(folder, fingerprint) / name
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="run 'rnnbench data fetch'"):
        cache.open_corpus(fingerprint, verify=True)
    cache.store_corpus(make_corpus())
    assert cache.open_corpus(fingerprint, verify=True).name == "small"


def test_storing_again_writes_nothing(folder: Path) -> None:
    fingerprint = cache.store_corpus(make_corpus())
    files = list(corpus_folder(folder, fingerprint).iterdir())
    before = [path.stat().st_ino for path in files]
    cache.store_corpus(make_corpus())
    assert [path.stat().st_ino for path in files] == before


def test_a_reader_keeps_its_tokens_while_the_corpus_is_repaired(folder: Path) -> None:
    fingerprint = cache.store_corpus(make_corpus())
    tokens = cache.open_corpus(fingerprint).train.tokens
    (corpus_folder(folder, fingerprint) / "train_tokens.npy").unlink()
    cache.store_corpus(make_corpus())
    np.testing.assert_array_equal(tokens, make_corpus().train.tokens)


WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from test_cache import cache, make_corpus
for _ in range(20):
    fingerprint = cache.store_corpus(make_corpus())
    cache.open_corpus(fingerprint, verify=True)
    cache.remember_source("key", fingerprint)
    assert cache.recall_source("key") == fingerprint
"""


def test_writers_at_once_do_each_other_no_harm() -> None:
    command = [sys.executable, "-c", WRITER, str(Path(__file__).parent)]
    writers = [subprocess.Popen(command) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    [entry] = cache.list_corpora()
    assert cache.open_corpus(entry.fingerprint, verify=True).name == "small"


def test_corpora_are_listed_with_their_sizes(folder: Path) -> None:
    assert cache.list_corpora() == []
    second = cache.store_corpus(make_corpus(7, name="b"))
    first = cache.store_corpus(make_corpus(3, name="a"))
    damaged = cache.store_corpus(make_corpus(5, name="c"))
    (corpus_folder(folder, damaged) / "corpus.json").unlink()
    (folder / "corpora" / "notes").mkdir()
    entries = cache.list_corpora()
    assert [entry.fingerprint for entry in entries] == [first, second]
    assert (entries[0].n_train, entries[0].n_test) == (50, 20)
    sizes = [path.stat().st_size for path in corpus_folder(folder, first).iterdir()]
    assert entries[0].n_bytes == sum(sizes)


# Sources


def test_a_source_is_remembered_by_its_key() -> None:
    fingerprint = cache.store_corpus(make_corpus())
    assert cache.recall_source("synthetic:16000:4000:0") is None
    cache.remember_source("synthetic:16000:4000:0", fingerprint)
    assert cache.recall_source("synthetic:16000:4000:0") == fingerprint
    assert cache.recall_source("synthetic:16000:4000:1") is None


def test_a_source_whose_corpus_is_gone_is_forgotten(folder: Path) -> None:
    fingerprint = cache.store_corpus(make_corpus())
    cache.remember_source("key", fingerprint)
    (corpus_folder(folder, fingerprint) / "test_tokens.npy").unlink()
    assert cache.recall_source("key") is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"key": "key", "fingerprint": 3}'])
def test_a_damaged_note_of_a_source_is_no_note(folder: Path, content: bytes) -> None:
    cache.remember_source("key", cache.store_corpus(make_corpus()))
    [note] = (folder / "sources").iterdir()
    note.write_bytes(content)
    assert cache.recall_source("key") is None


def test_a_files_hash_is_over_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert file_sha256(tmp_path / "file").startswith("ba7816bf8f01cfea")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        file_sha256(tmp_path / "none")


# Splits


def test_a_split_is_that_of_the_reviews_themselves() -> None:
    from sklearn.model_selection import train_test_split

    corpus = make_corpus()
    reviews = np.split(corpus.train.tokens, corpus.train.offsets[1:-1])
    train, validation = train_test_split(reviews, test_size=0.2, random_state=42)
    split = cache.split_indices(cache.store_corpus(corpus))
    assert split.train.dtype == split.validation.dtype == np.dtype(np.int64)
    for indices, expected in ((split.train, train), (split.validation, validation)):
        assert [reviews[i].tolist() for i in indices] == [review.tolist() for review in expected]


def test_splits_of_other_sizes_and_seeds_are_kept_apart() -> None:
    fingerprint = cache.store_corpus(make_corpus())
    first = cache.split_indices(fingerprint)
    other = cache.split_indices(fingerprint, random_state=1)
    assert len(cache.split_indices(fingerprint, test_size=0.5).validation) == 25
    assert first.train.tolist() != other.train.tolist()
    assert cache.split_indices(fingerprint).train.tolist() == first.train.tolist()


def test_a_kept_split_needs_no_scikit_learn() -> None:
    fingerprint = cache.store_corpus(make_corpus())
    cache.split_indices(fingerprint)
    script = f"""
import sys
from rnnbench.data import cache
assert len(cache.split_indices({fingerprint!r}).train) == 40
assert "sklearn" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY torn"])
def test_a_damaged_split_is_drawn_again(folder: Path, content: bytes) -> None:
    fingerprint = cache.store_corpus(make_corpus())
    before = cache.split_indices(fingerprint)
    for path in corpus_folder(folder, fingerprint).glob("split_*_train.npy"):
        path.write_bytes(content)
    after = cache.split_indices(fingerprint)
    assert after.train.tolist() == before.train.tolist()


def test_a_split_that_cannot_be_is_an_error() -> None:
    with pytest.raises(DataError, match="rnnbench data fetch"):
        cache.split_indices("0" * 64)
    with pytest.raises(DataError, match=r"50 texts cannot be split with test_size=0\.999"):
        cache.split_indices(cache.store_corpus(make_corpus()), test_size=0.999)


# Disk


def test_the_cache_is_the_users_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("RNNBENCH_CACHE")
    assert cache.cache_folder().name == "rnnbench"


def test_a_cache_that_no_disk_can_hold_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNBENCH_CACHE", "x" * 5000)
    with pytest.raises(UsageError, match="RNNBENCH_CACHE cannot be used: File name too long"):
        cache.cache_folder()


def test_an_array_that_states_more_than_its_file_holds_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as stream:
        header = {"descr": "<i8", "fortran_order": False, "shape": (10**12,)}
        np.lib.format.write_array_header_1_0(stream, header)
    with pytest.raises(ValueError, match="greater than file size"):
        open_array(path, "<i8")


def test_a_pipe_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"), whole_file(tmp_path / "pipe"):
        pass
    assert (tmp_path / "pipe").is_fifo()


def test_a_cache_that_cannot_be_written_tells_the_reason(folder: Path) -> None:
    folder.write_text("a file in the folder's place")
    with pytest.raises(
        DataError, match=r"cannot write .* \(.*\); free some space there, or set RNNBENCH"
    ):
        cache.store_corpus(make_corpus())


def test_a_disk_that_fills_up_leaves_nothing_torn(folder: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limits[1]))
    try:
        with pytest.raises(DataError, match="File too large"):
            cache.store_corpus(make_corpus())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    with suppress(KeyError), atomic_file(path) as stream:
        stream.write(b"half of it")
        raise KeyError
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("file", "before")]


def test_leftovers_of_killed_writers_are_removed_and_not_what_is_being_written(
    folder: Path,
) -> None:
    cache.remember_source("key", "0" * 64)
    [note] = (folder / "sources").iterdir()
    left, held = (note.with_name(f".{note.name}.{kind}") for kind in ("left", "held"))
    left.touch()
    with held_file(held):
        cache.remember_source("key", "0" * 64)
        assert not left.exists()
        assert held.exists()
    assert json.loads(note.read_text())["key"] == "key"
