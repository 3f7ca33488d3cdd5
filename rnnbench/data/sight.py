"""How much of a user's texts a network should see, chosen from the training part alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import FIRST_WORD, Corpus

SEEN_WHOLE = 0.9
"""The share of training texts that the chosen `max_len` does not cut."""

MOST_LENGTH = 200  # tokens; an epoch costs in proportion
MOST_WORDS = 10_000
LEAST_COUNT = 2  # a word that one training text has once teaches nothing of another


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """`max_len` and `num_words` as `DataSpec` has them: start token and special tokens included."""

    max_len: int
    num_words: int


def choose_sight(corpus: Corpus) -> Sight:
    """A length that cuts one text in ten at most, and the words that stand at least twice.

    Neither passes `MOST_LENGTH` or `MOST_WORDS`, nor are there more words than training texts: few
    texts learnt by their rare words are learnt by heart. Subwords are chosen to be common ones.
    """
    lengths = training_lengths(corpus)
    whole = int(np.quantile(lengths, SEEN_WHOLE, method="higher"))
    n_usual = int((word_counts(corpus) >= LEAST_COUNT).sum())
    most = MOST_WORDS if corpus.tokens == "subwords" else min(corpus.n_training, MOST_WORDS)
    n_words = min(n_usual, most)
    return Sight(
        max_len=min(max(whole, 2), MOST_LENGTH),
        num_words=FIRST_WORD + max(n_words, 1),
    )


def training_lengths(corpus: Corpus) -> NDArray[np.int64]:
    """int64 `(n_training_texts,)`: tokens of each, the start token included."""
    lengths: NDArray[np.int64] = np.diff(corpus.train.offsets[: corpus.n_training + 1])
    return lengths


def word_counts(corpus: Corpus) -> NDArray[np.int64]:
    """int64 `(n_words,)`: how often each word of the vocabulary stands in the training texts."""
    tokens = corpus.train.tokens[: corpus.train.offsets[corpus.n_training]]
    counts = np.bincount(tokens, minlength=FIRST_WORD + len(corpus.vocabulary))
    return counts[FIRST_WORD:]
