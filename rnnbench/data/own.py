"""From a table of the user's own to a corpus: classes, split, vocabulary, duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import Corpus, Half, describe_classes
from rnnbench.data.labels import sort_classes
from rnnbench.data.tables import Table
from rnnbench.data.words import START, Encoded, encode_texts, rank_words
from rnnbench.errors import DataError, UsageError
from rnnbench.specs import MOST

__all__ = ["SplitChoices", "make_corpus"]

PARTS = ("train", "validation", "test")
SEEN_WHOLE = 0.9  # the share of texts that the suggested max_len does not cut


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitChoices:
    """How rows are divided where the file does not say it.

    Args:
        test_fraction: of all rows.
        validation_fraction: of the rest.
        split_seed: `random_state` of both splits, which are stratified by class.
        drop_duplicates: leave out a validation or test row whose text is in an earlier part.
    """

    test_fraction: float = 0.2
    validation_fraction: float = 0.2
    split_seed: int = 42
    drop_duplicates: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.test_fraction < 1:
            raise UsageError(f"test_fraction must lie between 0 and 1, got {self.test_fraction}")
        if not 0 <= self.split_seed <= MOST["split_seed"]:
            raise UsageError(
                f"split_seed must be from 0 to {MOST['split_seed']:,}, got {self.split_seed}"
            )


def make_corpus(name: str, table: Table, choices: SplitChoices) -> tuple[Corpus, tuple[str, ...]]:
    """The corpus, and what should be known of it, in sentences.

    The words of the training part alone make the vocabulary.

    Raises:
        DataError: a part that comes out empty or misses a class.
    """
    classes, labels = _number_labels(table.labels)
    parts = _divide(table, labels, choices)
    encoded = encode_texts(table.texts)
    notes = list(table.notes)
    duplicates = _find_duplicates(encoded, parts)
    if len(duplicates):
        notes.append(_tell_duplicates(parts, duplicates, dropped=choices.drop_duplicates))
    keep = np.ones(len(labels), dtype=bool)
    if choices.drop_duplicates:
        keep[duplicates] = False
    _check_parts(classes, labels, parts, keep)
    words, tokens = rank_words(encoded, keep & (parts == 0))
    rows = [np.flatnonzero(keep & (parts == part)) for part in range(len(PARTS))]
    corpus = Corpus(
        name=name,
        train=_gather(tokens, encoded.offsets, labels, np.concatenate(rows[:2])),
        test=_gather(tokens, encoded.offsets, labels, rows[2]),
        classes=classes,
        vocabulary=words,
        n_validation=len(rows[1]),
    )
    return corpus, (*notes, *_describe(corpus))


def _number_labels(names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int8]]:
    """The classes in order, of numbers in theirs, and each row's place among them."""
    classes = sort_classes(names)
    places = {name: place for place, name in enumerate(classes)}
    return classes, np.array([places[name] for name in names], dtype=np.int8)


def _divide(table: Table, labels: NDArray[np.int8], choices: SplitChoices) -> NDArray[np.int8]:
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


def _find_duplicates(encoded: Encoded, parts: NDArray[np.int8]) -> NDArray[np.int64]:
    """Rows of validation and test whose words stand, in the same order, in an earlier part."""
    found: list[int] = []
    seen: set[bytes] = set()
    for part in range(len(PARTS)):
        keys = {
            int(row): encoded.numbers[encoded.offsets[row] : encoded.offsets[row + 1]].tobytes()
            for row in np.flatnonzero(parts == part)
        }
        found += [row for row, key in keys.items() if key in seen]
        seen |= set(keys.values())
    return np.array(found, dtype=np.int64)


def _tell_duplicates(
    parts: NDArray[np.int8], duplicates: NDArray[np.int64], *, dropped: bool
) -> str:
    counts = Counter(PARTS[part] for part in parts[duplicates])
    listed = " and ".join(
        f"{counts[name]:,} of {int((parts == PARTS.index(name)).sum()):,} {name} texts"
        for name in PARTS
        if counts[name]
    )
    if dropped:
        return f"left out, because an earlier part has the same text: {listed}"
    remedy = "--drop-duplicates leaves them out"
    return f"{listed} stand in an earlier part too, so scores flatter; {remedy}"


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
            what = f"no row of the class '{missing[0]}'" if there else "no rows"
            raise DataError(f"the {part} part has {what}")


def _gather(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    labels: NDArray[np.int8],
    rows: NDArray[np.int64],
) -> Half:
    """The rows' texts one after the other, each with a start token in front."""
    lengths = np.diff(offsets)[rows] + 1
    ends = np.cumsum(lengths, dtype=np.int64)
    new_offsets = np.concatenate(([0], ends))
    starts = new_offsets[:-1]
    sources = np.arange(int(ends[-1])) + np.repeat(offsets[:-1][rows] - starts - 1, lengths)
    gathered = (
        tokens.take(sources, mode="clip") if len(tokens) else np.zeros(len(sources), np.int32)
    )
    gathered[starts] = START
    return Half(tokens=gathered, offsets=new_offsets, labels=labels[rows])


def _describe(corpus: Corpus) -> tuple[str, ...]:
    """Class balance, vocabulary and lengths."""
    n_train = corpus.train.n_reviews - (corpus.n_validation or 0)
    sizes = (n_train, corpus.n_validation or 0, corpus.test.n_reviews)
    lengths = np.diff(corpus.train.offsets)[:n_train]
    suggested = int(np.quantile(lengths, SEEN_WHOLE, method="higher"))
    return (
        "parts: " + ", ".join(f"{size:,} {part}" for size, part in zip(sizes, PARTS, strict=True)),
        *_tell_few(corpus.test.n_reviews),
        f"classes: {describe_classes(corpus)}",
        f"words: {len(corpus.vocabulary):,} different ones in the training part",
        f"lengths: half of the texts have {int(np.median(lengths)) - 1} words at most, "
        f"{100 * SEEN_WHOLE:.0f} % have {suggested - 1}: with the mark of a text's start, "
        f"--max-len {suggested} would cut the rest only",
    )


def _tell_few(n_test: int) -> tuple[str, ...]:
    """A sentence where one test text weighs more than a point."""
    if n_test >= 100:
        return ()
    points = 100 / n_test
    one = f"{points:.{0 if points >= 3 else 1}f} points"
    return (f"too few test texts to tell networks apart: one is {one}",)
