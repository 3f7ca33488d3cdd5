"""The tokenizer of networks that learnt from texts in the cache."""

from dataclasses import replace

from rnnbench.data.cache import open_corpus
from rnnbench.data.corpus import FIRST_WORD
from rnnbench.data.describe import read_findings
from rnnbench.data.imdb import find_imdb_words, read_imdb_words
from rnnbench.data.tokenizer import Tokenizer
from rnnbench.errors import DataError, UsageError
from rnnbench.specs import SYNTHETIC, DataSpec


def make_tokenizer(data: DataSpec) -> Tokenizer:
    """What turns texts into what a network on these data reads.

    It has no words where the data are synthetic, or IMDB's, whose words are not on this machine.

    Raises:
        DataError: the corpus is not in the cache, or is damaged; or the list of IMDB's words is.
        FormatError: a class that no other machine would take in.
    """
    corpus, found = open_corpus(data.fingerprint), read_findings(data.fingerprint)
    tokenizer = Tokenizer(
        classes=corpus.classes,
        words=_known(corpus.vocabulary, data),
        max_len=data.max_len,
        tokens=corpus.tokens,
        subwords=corpus.subwords,
        icu=corpus.icu,
        strips_html=bool(found and found.strips_html),
    )
    has_words = data.dataset == "imdb" and find_imdb_words() is not None
    return with_words(tokenizer, data) if has_words else tokenizer


def with_words(tokenizer: Tokenizer, data: DataSpec) -> Tokenizer:
    """The same with words: those of IMDB are fetched, once, if they are not here.

    Raises:
        DataError: they cannot be had.
        UsageError: there are none to be had.
    """
    if tokenizer.words or data.num_words <= FIRST_WORD:
        return tokenizer
    if data.dataset == SYNTHETIC:
        raise UsageError(
            "the run learnt on synthetic reviews, whose words are numbers, so it cannot read "
            "texts; name one on other data, by its fingerprint or with --study"
        )
    if data.dataset != "imdb":
        raise DataError(
            f"the words of {data.dataset} are no longer in the cache; the command that trained the "
            "run restores them"
        )
    return replace(tokenizer, words=_known(read_imdb_words(), data))


def _known(vocabulary: tuple[str, ...], data: DataSpec) -> tuple[str, ...]:
    """The words that have tokens of their own: those below `num_words`."""
    return vocabulary[: data.num_words - FIRST_WORD]
