"""The tokenizer of networks that learnt from texts in the cache."""

from dataclasses import replace

from rnnbench.data.cache import open_corpus
from rnnbench.data.corpus import FIRST_WORD
from rnnbench.data.describe import read_findings
from rnnbench.data.imdb import read_imdb_words
from rnnbench.data.tokenizer import Tokenizer
from rnnbench.specs import DataSpec


def make_tokenizer(data: DataSpec) -> Tokenizer:
    """What turns texts into what a network on these data reads.

    IMDB's words are looked up, and fetched once; synthetic reviews have none.

    Raises:
        DataError: the corpus is not in the cache, or the words of IMDB cannot be had.
    """
    known = make_cached_tokenizer(data)
    if known.words or data.dataset != "imdb":
        return known
    return replace(known, words=_first(read_imdb_words(), data))


def make_cached_tokenizer(data: DataSpec) -> Tokenizer:
    """The same from the cache alone: without the words of IMDB.

    Raises:
        DataError: the corpus is not in the cache, or is damaged.
    """
    corpus, found = open_corpus(data.fingerprint), read_findings(data.fingerprint)
    return Tokenizer(
        classes=corpus.classes,
        words=_first(corpus.vocabulary, data),
        max_len=data.max_len,
        tokens=corpus.tokens,
        subwords=corpus.subwords,
        icu=corpus.icu,
        strips_html=bool(found and found.strips_html),
    )


def _first(vocabulary: tuple[str, ...], data: DataSpec) -> tuple[str, ...]:
    """The words that have tokens of their own: those below `num_words`."""
    return vocabulary[: data.num_words - FIRST_WORD]
