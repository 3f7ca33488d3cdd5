"""From a table of the user's own to a corpus: classes, split, duplicates."""

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import PARTS, Corpus, Half, gather
from rnnbench.data.describe import Findings, Repeats, find_out
from rnnbench.data.html_text import has_html
from rnnbench.data.labels import sort_classes
from rnnbench.data.ranks import encode_texts, rank_words
from rnnbench.data.rows import shorten
from rnnbench.data.tables import OwnChoices, Table
from rnnbench.data.words import learn_cut
from rnnbench.errors import DataError

TEST_FRACTION = 0.2
SPLIT_SEED = 42


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
    cut = learn_cut(choices.tokens, [table.texts[row] for row in np.flatnonzero(parts == 0)])
    words, texts = encode_texts(table.texts, labels, cut)
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
        tokens=cut.kind,
        subwords=cut.model,
        icu=cut.icu,
    )
    return corpus, find_out(corpus, repeats, html_share, strips_html=choices.strip_html)


def _divide(table: Table, labels: NDArray[np.int8], choices: OwnChoices) -> NDArray[np.int8]:
    """int8 `(n_rows,)`: 0 trains, 1 validates, 2 tests."""
    test_fraction = TEST_FRACTION if choices.test_fraction is None else choices.test_fraction
    split_seed = SPLIT_SEED if choices.split_seed is None else choices.split_seed
    if table.parts is not None:
        parts = np.array([PARTS.index(part) for part in table.parts], dtype=np.int8)
    else:
        parts = np.zeros(len(labels), dtype=np.int8)
        parts[_draw(np.arange(len(labels)), labels, test_fraction, split_seed)] = 2
    if not (parts == 1).any():
        rest = np.flatnonzero(parts == 0)
        parts[_draw(rest, labels, choices.validation_fraction, split_seed)] = 1
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
            remedy = "; name a file of them with --test, or add a folder" if part == "test" else ""
            raise DataError(f"the {part} part has {what}{remedy}")
