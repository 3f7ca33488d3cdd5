"""From tokens to their ranks among those of the training texts, as Keras numbers IMDB."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import FIRST_WORD, UNKNOWN, Half


def encode_texts(
    texts: Iterable[str], labels: NDArray[np.int8], cut: Callable[[str], list[str]]
) -> tuple[tuple[str, ...], Half]:
    """Every token once, in order of first appearance, and the texts as places in that order.

    Args:
        labels: int8 `(n_texts,)`.
    """
    known: defaultdict[str, int] = defaultdict()
    known.default_factory = known.__len__  # a token's place is the number of those before it
    numbers, offsets = array("i"), array("q", [0])
    for text in texts:
        numbers.extend(map(known.__getitem__, cut(text)))
        offsets.append(len(numbers))
    half = Half(
        tokens=np.frombuffer(numbers, dtype=np.int32) if numbers else np.zeros(0, np.int32),
        offsets=np.frombuffer(offsets, dtype=np.int64),
        labels=labels,
    )
    return tuple(known), half


def rank_words(
    words: Sequence[str], texts: Half, training: NDArray[np.bool_]
) -> tuple[tuple[str, ...], Half]:
    """The vocabulary of the training texts, and every text as ranks in it.

    Args:
        words, texts: as `encode_texts` gives them.
        training: bool `(n_texts,)`, whose words make the vocabulary; others' are unknown.

    Returns:
        The words, the commonest first (of equals the one seen first), and the texts with tokens
        that are a word's place plus 4, or 2.
    """
    of_training = np.repeat(training, np.diff(texts.offsets))
    counts = np.bincount(texts.tokens[of_training], minlength=len(words))
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    ranks = np.full(len(words), UNKNOWN, dtype=np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32) + FIRST_WORD
    return tuple(words[index] for index in order), replace(texts, tokens=ranks[texts.tokens])
