"""From texts in any script to words, and from words to ranks."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIRST_WORD", "START", "UNKNOWN", "Encoded", "cut_words", "encode_texts", "rank_words"]

START, UNKNOWN, FIRST_WORD = 1, 2, 4
"""As Keras numbers IMDB: 0 pads, 1 starts a text, 2 is an unknown word, the commonest word is 4."""

# Scripts that put no spaces between words: kana, Han, Thai to Myanmar, Khmer.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
)
_UNSPACED += "\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
_TONE, _FLAG = "[\U0001f3fb-\U0001f3ff]", "[\U0001f1e6-\U0001f1ff]{2}"  # of a skin; two letters
_JOINERS = "\u200c\u200d"  # unseen, between letters that are to be joined or not: Hindi, Persian
_ASCII = re.compile(r"[a-z0-9_]+(?:'[a-z0-9_]+)*")
_APOSTROPHES = str.maketrans("’ʼ´`＇", "'''''")  # others, as many write them
_UNSEEN = re.compile("[\ufe00-\ufe0f\u00ad]")  # how an emoji is drawn, and where a word may break


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Texts as numbers of their words, in order of first appearance.

    Args:
        words: every word once; a word's number is its place.
        numbers: int32 `(n_words_in_all,)`, the texts one after the other.
        offsets: int64 `(n_texts + 1,)`.
    """

    words: tuple[str, ...]
    numbers: NDArray[np.int32]
    offsets: NDArray[np.int64]


def cut_words(text: str) -> list[str]:
    """The words of a text as they were typed, but in lower case; punctuation is left out.

    A word is letters, marks, digits and inner apostrophes. Of scripts without spaces between
    words each character is one, and so is each emoji. Letters and their marks are composed (NFC),
    so that two ways to store one letter make one word; look-alikes stay apart: `x²` is not `x2`.
    """
    if text.isascii():
        return _ASCII.findall(text.lower())
    lowered = unicodedata.normalize("NFC", text.lower())
    return _pattern().findall(_UNSEEN.sub("", lowered.translate(_APOSTROPHES)))


def encode_texts(texts: Iterable[str]) -> Encoded:
    """Every text cut into words, once; 4 bytes a word are kept."""
    known: dict[str, int] = {}
    numbers, offsets = array("i"), array("q", [0])
    for text in texts:
        numbers.extend([known.setdefault(word, len(known)) for word in cut_words(text)])
        offsets.append(len(numbers))
    return Encoded(
        words=tuple(known),
        numbers=np.frombuffer(numbers, dtype=np.int32) if numbers else np.zeros(0, np.int32),
        offsets=np.frombuffer(offsets, dtype=np.int64),
    )


def rank_words(
    encoded: Encoded, training: NDArray[np.bool_]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The vocabulary of the training texts, and every text's ranks in it.

    Args:
        training: bool `(n_texts,)`, whose words make the vocabulary; others' are unknown.

    Returns:
        The words, the commonest first (of equals the one seen first), and int32 tokens like
        `encoded.numbers`: a word's place plus 4, or 2.
    """
    of_training = np.repeat(training, np.diff(encoded.offsets))
    counts = np.bincount(encoded.numbers[of_training], minlength=len(encoded.words))
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    tokens = np.full(len(encoded.words), UNKNOWN, dtype=np.int32)
    tokens[order] = np.arange(len(order), dtype=np.int32) + FIRST_WORD
    return tuple(encoded.words[index] for index in order), tokens[encoded.numbers]


@cache
def _pattern() -> re.Pattern[str]:
    """Words of any script; the table of marks takes a tenth of a second to make."""
    marks = _class_of("M")
    emoji = rf"[{_class_of('So')}]{_TONE}?"
    letter = rf"(?:[^\W{_UNSPACED}]|[{marks}])"
    return re.compile(
        rf"{letter}+(?:['{_JOINERS}]{letter}+)*"
        rf"|[{_UNSPACED}][{marks}\uff9e\uff9f]*"
        rf"|{_FLAG}|{emoji}(?:\u200d{emoji})*"
    )


def _class_of(*categories: str) -> str:
    """The characters of some Unicode categories, as ranges of a regular expression's class."""
    ranges: list[list[int]] = []
    for code in (*range(0x80, 0x30000), *range(0xE0100, 0xE01F0)):
        if not unicodedata.category(chr(code)).startswith(categories):
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
