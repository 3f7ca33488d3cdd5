"""Labelled token sequences, before they are cut and padded: what every source of data yields."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.rows import shorten
from rnnbench.errors import DataError

PartName = Literal["train", "validation", "test"]
PARTS: tuple[PartName, ...] = get_args(PartName)
Tokens = Literal["words", "characters", "subwords", "dictionary"]
TOKENS: tuple[Tokens, ...] = get_args(Tokens)

START, UNKNOWN, FIRST_WORD = 1, 2, 4
"""As Keras numbers IMDB: 0 pads, 1 starts a text, 2 is an unknown word, the commonest word is 4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Reviews stored flat: review `i` is `tokens[offsets[i]:offsets[i + 1]]`.

    Args:
        tokens: int32 `(n_tokens,)`, word ranks; 0 pads, 1 starts a review, 2 is an unknown word.
        offsets: int64 `(n_reviews + 1,)`, from 0 up to `n_tokens`.
        labels: int8 `(n_reviews,)`, from 0 up; 0 for a negative and 1 for a positive review.

    Raises:
        DataError: lengths that do not fit each other, a negative token or label.
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int8]

    def __post_init__(self) -> None:
        if len(self.offsets) != len(self.labels) + 1 or self.offsets[-1] != len(self.tokens):
            raise DataError("texts and labels differ in number")
        if len(self.labels) == 0:
            raise DataError("there are no texts")
        if len(self.tokens) and int(self.tokens.min()) < 0:
            raise DataError("word ranks must not be negative")
        if int(self.labels.min()) < 0:
            raise DataError("labels must not be negative")

    @property
    def n_reviews(self) -> int:
        """Number of reviews."""
        return len(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A training half and a test half of one source of reviews.

    Args:
        classes: what each label is called.
        vocabulary: the word of rank 4, of rank 5 and so on; empty where it is not known.
        n_validation: of a source with a split of its own, how many reviews at the end of the
            training half validate; None leaves the split to each study.
        tokens: what its texts were cut into.
        subwords: the model that cut them into subwords; empty otherwise.
        icu: the version of ICU whose dictionary found their words; empty otherwise.

    Raises:
        DataError: a label beyond the classes, or a training half without training reviews.
    """

    name: str
    train: Half
    test: Half
    classes: tuple[str, ...] = ("negative", "positive")
    vocabulary: tuple[str, ...] = ()
    n_validation: int | None = None
    tokens: Tokens = "words"
    subwords: bytes = b""
    icu: str = ""

    def __post_init__(self) -> None:
        if max(int(half.labels.max()) for half in (self.train, self.test)) >= len(self.classes):
            raise DataError(f"labels must be below {len(self.classes)}")
        if self.n_validation is not None and not 0 < self.n_validation < self.train.n_reviews:
            raise DataError("the training half leaves nothing to train or to validate on")
        needs = (self.tokens == "subwords", self.tokens == "dictionary")
        if self.tokens not in TOKENS or needs != (bool(self.subwords), bool(self.icu)):
            raise DataError(f"texts cannot have been cut into {self.tokens} like that")

    @property
    def n_training(self) -> int:
        """How many texts at the beginning of the training half train; all if nothing is split."""
        return self.train.n_reviews - (self.n_validation or 0)

    def fingerprint(self) -> str:
        """SHA-256 (hex) over tokens, offsets and labels: the content, never file bytes.

        What a source of the user's own has beside them counts too.
        """
        digest = hashlib.sha256()
        for half in (self.train, self.test):
            for array, dtype in ((half.tokens, "<i4"), (half.offsets, "<i8"), (half.labels, "i1")):
                digest.update(str(len(array)).encode())
                digest.update(np.ascontiguousarray(array, dtype=dtype).tobytes())
        if self.vocabulary or self.n_validation is not None:
            own = [self.classes, self.vocabulary, self.n_validation]
            digest.update(json.dumps(own).encode())
        if self.tokens != "words":
            digest.update(self.tokens.encode() + self.subwords)
        return digest.hexdigest()


def gather(texts: Half, rows: NDArray[np.int64]) -> Half:
    """The texts of these rows in their order, each with a start token in front."""
    tokens, offsets = texts.tokens, texts.offsets
    lengths = np.diff(offsets)[rows] + 1
    new_offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    starts = new_offsets[:-1]
    # Where each new token comes from; a start token's own place is filled in afterwards.
    sources = np.arange(new_offsets[-1]) + np.repeat(offsets[:-1][rows] - starts - 1, lengths)
    gathered = (
        tokens.take(sources, mode="clip") if len(tokens) else np.zeros(len(sources), np.int32)
    )
    gathered[starts] = START
    return Half(tokens=gathered, offsets=new_offsets, labels=texts.labels[rows])


def write_seen(tokens: NDArray[np.int32], vocabulary: Sequence[str]) -> str:
    """The words of a text as a network sees them, `[?]` for one that it does not know.

    Args:
        tokens: int32 `(max_len,)`, as `cut_and_pad` gives them.
    """
    places = [int(token) - FIRST_WORD for token in tokens if token > START]
    return " ".join(vocabulary[at] if 0 <= at < len(vocabulary) else "[?]" for at in places)


def tell_shares(counts: Mapping[str, int]) -> str:
    """`negative 50.0 %, positive 50.0 %`: each class's share of all texts."""
    n_all = sum(counts.values())
    shares = (f"{shorten(name)} {tell_share(count, n_all)} %" for name, count in counts.items())
    return ", ".join(shares)


def tell_share(count: int, n_all: int) -> str:
    """In per cent; no class of a few texts has none, and none beside it has all."""
    text = f"{100 * count / n_all:.1f}"
    if text == "0.0" and count:
        return "< 0.1"
    return "> 99.9" if text == "100.0" and count < n_all else text
