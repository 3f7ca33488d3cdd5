"""What TF-IDF counts in whole texts: words, or letters of a script without spaces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import FIRST_WORD, Corpus, Half
from rnnbench.data.sight import word_counts
from rnnbench.data.words import cut_words
from rnnbench.errors import DataError

MOST_TERMS = 50_000
MOST_LEARNT = 20_000_000
"""Words or letters of the texts to learn from, about; of more, a random part of each class."""

_AT_ONCE = 1_000_000  # words or letters: some 100 MiB
_NONE = 0  # a symbol that is in no term


@dataclass(frozen=True, slots=True, eq=False)
class Spelling:
    """What a corpus's tokens are made of.

    Args:
        symbols: int64, of all tokens one after the other, from 1; 0 is in no term.
        ends: int64 `(n_tokens + 1,)`, from 0: token `i` is `symbols[ends[i]:ends[i + 1]]`.
        longest: symbols of a term, at most.
    """

    symbols: NDArray[np.int64]
    ends: NDArray[np.int64]
    longest: int

    def count_symbols(self, half: Half, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64 `(len(rows),)`: how long each text is."""
        sizes = np.concatenate(([0], np.cumsum(np.diff(self.ends)[half.tokens])))
        lengths: NDArray[np.int64] = np.diff(sizes[half.offsets])[rows]
        return lengths

    def terms(
        self, half: Half, rows: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Of each length the terms of these texts, as numbers, and the places of their texts.

        None goes from one text into the next, whose start token is in no term.
        """
        starts, lengths = half.offsets[:-1][rows], np.diff(half.offsets)[rows]
        tokens = half.tokens[_ranges(starts, lengths)]
        sizes = np.diff(self.ends)[tokens]
        symbols = self.symbols[_ranges(self.ends[:-1][tokens], sizes)]
        texts = np.repeat(np.repeat(np.arange(len(rows)), lengths), sizes)
        base = int(self.symbols.max()) + 1
        codes, is_term = np.zeros_like(symbols), np.ones(len(symbols), dtype=bool)
        for length in range(self.longest):
            last = symbols[length:]
            codes = codes[: len(last)] + last * base**length
            is_term = is_term[: len(last)] & (last != _NONE)
            yield codes[is_term], texts[: len(last)][is_term]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The terms that count.

    Args:
        codes: int64 `(n_terms,)`, ascending: each term as a number.
        rows: the texts of the training half to learn from.
    """

    spelling: Spelling
    codes: NDArray[np.int64]
    rows: NDArray[np.int64]

    def count(self, half: Half, rows: NDArray[np.int64]) -> Any:  # Any: SciPy is untyped
        """Sparse float64 `(len(rows), n_terms)`: how often each term stands in each text."""
        from scipy.sparse import vstack

        blocks = _divide(rows, self.spelling.count_symbols(half, rows))
        return vstack([self._count(half, block) for block in blocks], format="csr")

    def _count(self, half: Half, rows: NDArray[np.int64]) -> Any:  # Any: SciPy is untyped
        from scipy.sparse import csr_matrix

        counts = csr_matrix((len(rows), len(self.codes)))
        for codes, texts in self.spelling.terms(half, rows):
            places = np.searchsorted(self.codes, codes)
            known = self.codes.take(places, mode="clip") == codes
            cells = texts[known], places[known]
            counts += csr_matrix((np.ones(len(cells[0])), cells), shape=counts.shape)
        return counts


def find_terms(corpus: Corpus, rows: NDArray[np.int64]) -> Terms:
    """The commonest terms of these texts of the training half, `MOST_TERMS` at most.

    Words of two letters or more, as scikit-learn takes them; where the script has no spaces between
    words, one to three letters. Where it has some, and texts were cut into less than words, what
    comes near these: one or two subwords, or one to five letters.

    Raises:
        DataError: there are none, or the words are not known.
    """
    if not corpus.vocabulary:
        raise DataError("it is not known which words these texts have")
    spelling = _spell(corpus)
    n_symbols = spelling.count_symbols(corpus.train, rows)
    step = 1 + int(n_symbols.sum() - 1) // MOST_LEARNT
    places = _sample(corpus.train.labels[rows], step)
    rows, n_symbols = rows[places], n_symbols[places]
    found = [
        np.unique(codes, return_counts=True)
        for block in _divide(rows, n_symbols)
        for codes, _ in spelling.terms(corpus.train, block)
    ]
    codes, places = np.unique(np.concatenate([each[0] for each in found]), return_inverse=True)
    counts = np.bincount(places, weights=np.concatenate([each[1] for each in found]))
    if not len(codes):
        raise DataError("the texts to learn from have no words to count")
    commonest = np.argsort(-counts, kind="stable")[:MOST_TERMS]
    return Terms(spelling, np.sort(codes[commonest]), rows)


def _sample(labels: NDArray[np.int8], step: int) -> NDArray[np.int64]:
    """Places, ascending: of each class one in `step` and one at least, the same each time."""
    draw = np.random.default_rng(0)
    shuffled = [draw.permutation(np.flatnonzero(labels == each)) for each in np.unique(labels)]
    return np.sort(np.concatenate([places[::step] for places in shuffled]))


def _has_spaces(corpus: Corpus) -> bool:
    """Whether most letters are of scripts with spaces: two such are one word."""
    counts = word_counts(corpus).tolist()
    known: dict[str, bool] = {}
    balance = 0
    for word, count in zip(corpus.vocabulary, counts, strict=True):
        for letter in word:
            if letter not in known:
                known[letter] = len(cut_words(2 * letter)) == 1
            balance += count if known[letter] else -count
    return balance > 0


def _spell(corpus: Corpus) -> Spelling:
    if not _has_spaces(corpus):
        return _spell_letters(corpus.vocabulary, longest=3)
    if corpus.tokens == "characters":
        return _spell_letters(corpus.vocabulary, longest=5)
    if corpus.tokens == "subwords":
        return _spell_tokens(corpus.vocabulary, fewest_letters=1, longest=2)
    return _spell_tokens(corpus.vocabulary, fewest_letters=2, longest=1)


def _spell_tokens(vocabulary: Sequence[str], *, fewest_letters: int, longest: int) -> Spelling:
    """Each token is one symbol; of fewer letters none."""
    sizes = np.array([0] * FIRST_WORD + [len(word) for word in vocabulary])
    symbols = np.where(sizes >= fewest_letters, np.arange(len(sizes)), _NONE)
    return Spelling(symbols, np.arange(len(sizes) + 1), longest)


def _spell_letters(vocabulary: Sequence[str], *, longest: int) -> Spelling:
    """Each letter is one symbol, and a term as many of them as a number can hold."""
    letters = np.frombuffer("".join(vocabulary).encode("utf-32-le"), dtype="<u4")
    symbols = np.unique(letters, return_inverse=True)[1].astype(np.int64) + 1
    sizes = [1] * FIRST_WORD + [len(word) for word in vocabulary]
    while (int(symbols.max(initial=0)) + 1) ** longest > 2**62:
        longest -= 1
    return Spelling(
        np.concatenate(([_NONE] * FIRST_WORD, symbols)),
        np.concatenate(([0], np.cumsum(sizes))),
        longest,
    )


def _ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """`starts[0]`, `starts[0] + 1` and so on, `lengths[0]` of them; then those of the next."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def _divide(rows: NDArray[np.int64], n_symbols: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows in blocks, each of about `_AT_ONCE` symbols or of a single longer text."""
    cuts = np.flatnonzero(np.diff(np.cumsum(n_symbols) // _AT_ONCE)) + 1
    return np.split(rows, cuts)
