"""What was found in texts of the user's: numbers for tables and reports, and sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data import cache
from rnnbench.data.corpus import FIRST_WORD, PARTS, Corpus, tell_shares
from rnnbench.data.rows import MOST_LINES, shorten
from rnnbench.data.sight import choose_sight, training_lengths, word_counts
from rnnbench.output.amounts import plural

_LENGTHS = (25, 50, 100, 200, 400)
_WORDS = (500, 1000, 2000, 5000, 10_000)
MOST_SHOWN = 12  # classes, of which a line or a table names each
_LEAST_HTML = 0.005  # of texts; fewer spoil nothing
_MOST_COUNT = 2**32 - 1
_FEW = 100  # test texts; of fewer one weighs more than a point


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Texts that stand in the data more than once, compared by their words.

    Args:
        n_duplicates: by part, its texts that an earlier part has too.
        dropped: whether these were left out.
        n_contradictory: texts that stand with different labels, each as often as it stands.
    """

    n_duplicates: Mapping[str, int]
    dropped: bool
    n_contradictory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found in texts and their split.

    Args:
        class_counts: by class, its texts in the parts train, validation and test.
        html_share: of all texts, those with tags or entities of HTML.
        strips_html: whether these were taken out.
        n_words: different ones in the training part.
        cut_texts: by `max_len`, the share of training texts that are longer.
        lost_words: by `num_words`, the share of the training texts' words that are not kept.
        max_len, num_words: chosen from the training part; see `choose_sight`.
    """

    class_counts: Mapping[str, Sequence[int]]
    repeats: Repeats
    html_share: float
    n_words: int
    cut_texts: Mapping[int, float]
    lost_words: Mapping[int, float]
    max_len: int
    num_words: int
    strips_html: bool = False

    @property
    def part_sizes(self) -> dict[str, int]:
        """Texts by part."""
        sums = np.sum(list(self.class_counts.values()), axis=0).tolist()
        return dict(zip(PARTS, sums, strict=True))


def find_out(corpus: Corpus, repeats: Repeats, html_share: float, *, strips_html: bool) -> Findings:
    """What is to be known of a corpus of the user's."""
    sight = choose_sight(corpus)
    lengths, counts = training_lengths(corpus), word_counts(corpus)
    n_running = max(int(counts.sum()), 1)
    kept = np.concatenate(([0], np.cumsum(counts)))
    longest, n_words = int(lengths.max()), len(counts)
    max_lens = sorted({*(n for n in _LENGTHS if n < longest), sight.max_len})
    num_words = sorted({*(n for n in _WORDS if n < n_words + FIRST_WORD), sight.num_words})
    return Findings(
        class_counts=_count_classes(corpus),
        repeats=repeats,
        html_share=html_share,
        n_words=n_words,
        cut_texts={n: float((lengths > n).mean()) for n in max_lens},
        lost_words={
            n: 1 - float(kept[min(n - FIRST_WORD, n_words)]) / n_running for n in num_words
        },
        max_len=sight.max_len,
        num_words=sight.num_words,
        strips_html=strips_html,
    )


def keep_findings(fingerprint: str, found: Findings) -> None:
    """Keep them beside the corpus in the cache."""
    cache.store_findings(fingerprint, asdict(found))


def read_findings(fingerprint: str) -> Findings | None:
    """What was found when the corpus was made; None where that is not known."""
    try:
        return _parse(cache.recall_findings(fingerprint))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def parse_findings(values: Mapping[str, Any], classes: Sequence[str]) -> Findings:  # Any: JSON
    """Findings that another machine kept, of texts with these classes.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: they are nothing of the kind.
    """
    found = _parse(values)
    if [*found.class_counts] != [*classes]:
        raise ValueError("the texts of each class are not counted")
    for counts in found.class_counts.values():
        if len(counts) != len(PARTS) or not all(_is_count(n) for n in counts):
            raise ValueError("the texts of a class are not counted in each part")
    _check_repeats(found.repeats, found.part_sizes)
    if not all(map(_is_count, (found.n_words, found.max_len, found.num_words))):
        raise ValueError("a count is not a whole number")
    if not _is_share(found.html_share) or type(found.strips_html) is not bool:
        raise ValueError("it does not say what of HTML there was")
    for key, chosen in (("cut_texts", found.max_len), ("lost_words", found.num_words)):
        if not all(map(_is_share, values[key].values())) or chosen not in getattr(found, key):
            raise ValueError(f"{key} are not shares, that of what was chosen among them")
    return found


def tell_findings(found: Findings) -> tuple[str, ...]:
    """What may spoil a result, in sentences."""
    return (*tell_texts(found), *_tell_few(found.part_sizes["test"]))


def tell_texts(found: Findings) -> tuple[str, ...]:
    """Of that, what lies in the texts themselves, and in how they were split."""
    return (
        *_tell_duplicates(found),
        *_tell_contradictions(found.repeats.n_contradictory),
        *(() if found.strips_html else _tell_html(found.html_share)),
    )


def tell_sizes(found: Findings) -> tuple[str, ...]:
    """How many texts each part has, and each class."""
    sizes = ", ".join(f"{n:,} {part}" for part, n in found.part_sizes.items())
    counts = {name: sum(parts) for name, parts in found.class_counts.items()}
    if len(counts) <= MOST_SHOWN:
        return (f"parts: {sizes}", f"classes: {tell_shares(counts)}")
    largest, smallest = (pick(counts, key=lambda name: counts[name]) for pick in (max, min))
    return (
        f"parts: {sizes}",
        f"classes: {len(counts)}, from '{shorten(smallest)}' ({counts[smallest]:,} texts) to "
        f"'{shorten(largest)}' ({counts[largest]:,})",
    )


def _parse(values: Mapping[str, Any]) -> Findings:  # Any: JSON values
    by_number = {
        key: {int(n): float(share) for n, share in values[key].items()}
        for key in ("cut_texts", "lost_words")
    }
    return Findings(**{**values, **by_number, "repeats": Repeats(**values["repeats"])})


def _check_repeats(repeats: Repeats, sizes: Mapping[str, int]) -> None:
    """No more texts than there are; of those left out nothing tells how many there were."""
    counted = repeats.n_duplicates
    if type(repeats.dropped) is not bool or not {*counted} <= {*PARTS}:
        raise ValueError("it does not say which texts stand in an earlier part")
    most = {part: MOST_LINES if repeats.dropped else sizes[part] for part in counted}
    if not all(_is_count(n, most[part]) for part, n in counted.items()):
        raise ValueError("more texts stand in an earlier part than there are")
    n_texts = sum(sizes.values()) + sum(counted.values()) * repeats.dropped
    if not _is_count(repeats.n_contradictory, n_texts):
        raise ValueError("more texts stand with different labels than there are")


def _is_count(value: object, most: int = _MOST_COUNT) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_share(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1  # type: ignore[operator]


def _count_classes(corpus: Corpus) -> dict[str, list[int]]:
    n_classes = len(corpus.classes)
    halves = np.split(corpus.train.labels, [corpus.n_training])
    counts = [np.bincount(half, minlength=n_classes) for half in (*halves, corpus.test.labels)]
    rows: NDArray[np.int64] = np.stack(counts, axis=1)
    return dict(zip(corpus.classes, rows.tolist(), strict=True))


def _tell_duplicates(found: Findings) -> tuple[str, ...]:
    repeats, sizes = found.repeats, found.part_sizes
    if not repeats.n_duplicates:
        return ()
    if repeats.dropped:
        listed = " and ".join(f"{n:,} {part}" for part, n in repeats.n_duplicates.items())
        return (f"left out, because an earlier part has the same text: {listed} texts",)
    listed = " and ".join(
        f"{n:,} of {sizes[part]:,} {part} texts" for part, n in repeats.n_duplicates.items()
    )
    return (
        f"{listed} stand in an earlier part too, so scores are optimistic; --drop-duplicates "
        "leaves them out",
    )


def _tell_contradictions(n_texts: int) -> tuple[str, ...]:
    if not n_texts:
        return ()
    return (
        f"{plural(n_texts, 'text')} stand with different labels: the same words, another class; "
        "nothing can tell these apart",
    )


def _tell_html(share: float) -> tuple[str, ...]:
    if share < _LEAST_HTML:
        return ()
    return (
        f"{100 * share:.0f} % of the texts have tags or entities of HTML; --strip-html takes them "
        "out",
    )


def _tell_few(n_test: int) -> tuple[str, ...]:
    if n_test >= _FEW:
        return ()
    points = 100 / n_test
    one = f"{points:.{0 if points >= 3 else 1}f} points"
    return (f"too few test texts to tell networks apart: one is {one}",)
