"""From a table of the user's own to a corpus: words, classes, split, duplicates."""

import itertools
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import FIRST_WORD, PARTS, UNKNOWN, Corpus, Half, gather
from rnnbench.data.describe import Findings, Repeats, find_out
from rnnbench.data.html_text import has_html
from rnnbench.data.labels import sort_classes
from rnnbench.data.rows import shorten
from rnnbench.data.tables import OwnChoices, Table
from rnnbench.errors import DataError

# Scripts that put no spaces between words: kana, Han, Thai to Myanmar, Khmer.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
)
_TONE, _FLAG = "[\U0001f3fb-\U0001f3ff]", "[\U0001f1e6-\U0001f1ff]{2}"  # of a skin; two letters
_JOINERS = "\u200c\u200d"  # unseen, between letters that are to be joined or not: Hindi, Persian
_ASCII = re.compile(r"[a-z0-9_]+(?:'[a-z0-9_]+)*")
_APOSTROPHES = str.maketrans("’ʼ´`＇", "'''''")  # others, as many write them
_UNSEEN = re.compile("[\ufe00-\ufe0f\u00ad]")  # how an emoji is drawn, and where a word may break


def make_corpus(name: str, table: Table, choices: OwnChoices) -> tuple[Corpus, Findings]:
    """The corpus, and what should be known of it.

    The words of the training part alone make the vocabulary.

    Raises:
        DataError: a part that comes out empty or misses a class.
    """
    classes = sort_classes(table.labels)
    places = {name: place for place, name in enumerate(classes)}
    labels = np.array([places[name] for name in table.labels], dtype=np.int8)
    parts = _divide(table, labels, choices)
    html_share = sum(map(has_html, table.texts)) / len(table.texts)
    words, texts = encode_texts(table.texts, labels)
    duplicates, repeats = _find_repeats(texts, parts, drop=choices.drop_duplicates)
    keep = np.ones(len(labels), dtype=bool)
    if choices.drop_duplicates:
        keep[duplicates] = False
    _check_parts(classes, labels, parts, keep)
    vocabulary, texts = rank_words(words, texts, keep & (parts == 0))
    rows = [np.flatnonzero(keep & (parts == part)) for part in range(len(PARTS))]
    corpus = Corpus(
        name=name,
        train=gather(texts, np.concatenate(rows[:2])),
        test=gather(texts, rows[2]),
        classes=classes,
        vocabulary=vocabulary,
        n_validation=len(rows[1]),
    )
    return corpus, find_out(corpus, repeats, html_share)


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


def encode_texts(texts: Iterable[str], labels: NDArray[np.int8]) -> tuple[tuple[str, ...], Half]:
    """Every word once, in order of first appearance, and the texts as places in that order.

    Args:
        labels: int8 `(n_texts,)`.
    """
    known: dict[str, int] = {}
    numbers, offsets = array("i"), array("q", [0])
    for text in texts:
        numbers.extend([known.setdefault(word, len(known)) for word in cut_words(text)])
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


def _divide(table: Table, labels: NDArray[np.int8], choices: OwnChoices) -> NDArray[np.int8]:
    """int8 `(n_rows,)`: 0 trains, 1 validates, 2 tests."""
    if table.parts is not None:
        parts = np.array([PARTS.index(part) for part in table.parts], dtype=np.int8)
    else:
        parts = np.zeros(len(labels), dtype=np.int8)
        parts[_draw(np.arange(len(labels)), labels, choices.test_fraction, choices.split_seed)] = 2
    if not (parts == 1).any():
        rest = np.flatnonzero(parts == 0)
        parts[_draw(rest, labels, choices.validation_fraction, choices.split_seed)] = 1
    return parts


def _draw(
    rows: NDArray[np.int64], labels: NDArray[np.int8], fraction: float, seed: int
) -> NDArray[np.int64]:
    from sklearn.model_selection import train_test_split

    try:
        return np.asarray(
            train_test_split(rows, test_size=fraction, random_state=seed, stratify=labels[rows])[1]
        )
    except ValueError as err:
        raise DataError(f"{len(rows)} rows cannot be split by {fraction}: {err}") from err


def _find_repeats(
    texts: Half, parts: NDArray[np.int8], *, drop: bool
) -> tuple[NDArray[np.int64], Repeats]:
    """Rows whose words stand, in the same order, in an earlier part; and all that repeats."""
    numbers = _number_texts(texts)
    first = np.full(int(numbers.max()) + 1, len(PARTS), dtype=np.int8)
    np.minimum.at(first, numbers, parts)
    rows = np.flatnonzero(parts > first[numbers])
    counts = Counter(PARTS[part] for part in parts[rows])
    least, most = np.full(len(first), 127, np.int8), np.full(len(first), -1, np.int8)
    np.minimum.at(least, numbers, texts.labels)
    np.maximum.at(most, numbers, texts.labels)
    has_words = np.diff(texts.offsets) > 0
    n_contradictory = int(((least < most)[numbers] & has_words).sum())
    n_duplicates: dict[str, int] = {part: counts[part] for part in PARTS if counts[part]}
    return rows, Repeats(n_duplicates=n_duplicates, dropped=drop, n_contradictory=n_contradictory)


def _number_texts(texts: Half) -> NDArray[np.int64]:
    """int64 `(n_texts,)`: one number for texts of the same words in the same order."""
    known: dict[bytes, int] = {}
    content = texts.tokens.tobytes()
    ends = (texts.offsets * texts.tokens.itemsize).tolist()
    pairs = itertools.pairwise(ends)
    return np.array([known.setdefault(content[a:b], len(known)) for a, b in pairs], dtype=np.int64)


def _check_parts(
    classes: Sequence[str],
    labels: NDArray[np.int8],
    parts: NDArray[np.int8],
    keep: NDArray[np.bool_],
) -> None:
    for place, part in enumerate(PARTS):
        there = set(labels[keep & (parts == place)].tolist())
        missing = [name for number, name in enumerate(classes) if number not in there]
        if missing and (part == "train" or not there):
            what = f"no row of the class '{shorten(missing[0])}'" if there else "no rows"
            remedy = "; name a file of them with --test" if part == "test" else ""
            raise DataError(f"the {part} part has {what}{remedy}")


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
