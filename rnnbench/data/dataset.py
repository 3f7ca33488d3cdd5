"""From a corpus to what a network sees: cut, padded, split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.cache import open_corpus, split_indices
from rnnbench.data.corpus import Half
from rnnbench.errors import DataError
from rnnbench.specs import DataSpec

__all__ = ["UNKNOWN_WORD", "Part", "PartName", "chance_loss", "cut_and_pad", "load_part"]

UNKNOWN_WORD = 2
MOST_TOKENS = 500_000_000
PartName = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Reviews ready for a network.

    Args:
        tokens: int32 `(n_reviews, max_len)`, front-padded with 0.
        labels: float32 `(n_reviews,)`, the number of the class: 0 or 1, or more.
    """

    tokens: NDArray[np.int32]
    labels: NDArray[np.float32]


def load_part(data: DataSpec, name: PartName) -> Part:
    """One part of the prepared data; the test half is opened only when it is asked for.

    Raises:
        DataError: the corpus is not in the cache, or is damaged.
    """
    corpus = open_corpus(data.fingerprint)
    if name == "test":
        half, rows = corpus.test, np.arange(corpus.test.n_reviews)
    else:
        split = split_indices(
            data.fingerprint, test_size=data.validation_fraction, random_state=data.split_seed
        )
        half, rows = corpus.train, split.train if name == "train" else split.validation
    tokens = cut_and_pad(half, rows, num_words=data.num_words, max_len=data.max_len)
    return Part(tokens=tokens, labels=half.labels[rows].astype(np.float32))


def chance_loss(data: DataSpec) -> float:
    """Validation loss, in nats, of a model that always says how common each class is.

    It is the entropy of the validation part's labels: ln 2 for two classes of equal size.

    Raises:
        DataError: the corpus is not in the cache, or is damaged.
    """
    split = split_indices(
        data.fingerprint, test_size=data.validation_fraction, random_state=data.split_seed
    )
    labels = open_corpus(data.fingerprint).train.labels[split.validation]
    counts = np.unique(labels, return_counts=True)[1]
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def cut_and_pad(
    half: Half, rows: NDArray[np.int64], *, num_words: int, max_len: int
) -> NDArray[np.int32]:
    """int32 `(len(rows), max_len)`: the end of each review, front-padded with 0.

    As `keras.utils.pad_sequences(maxlen=max_len)` on reviews whose rarer words
    (rank `num_words` and up) were replaced with the unknown word.

    Raises:
        DataError: that would be more than `MOST_TOKENS`.
    """
    if len(rows) * max_len > MOST_TOKENS:
        raise DataError(
            f"{len(rows):,} texts of max_len {max_len:,} are {len(rows) * max_len:,} tokens, of at "
            f"most {MOST_TOKENS:,}; take a smaller max_len"
        )
    ends = half.offsets[1:][rows]
    starts = np.maximum(half.offsets[:-1][rows], ends - max_len)
    positions = ends[:, None] - max_len + np.arange(max_len)
    inside = positions >= starts[:, None]
    tokens = np.zeros((len(rows), max_len), dtype=np.int32)
    tokens[inside] = half.tokens[positions[inside]]
    tokens[tokens >= num_words] = UNKNOWN_WORD
    return tokens
