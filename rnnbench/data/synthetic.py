"""Made-up film reviews that only a reader of word order can judge: the embedded default data.

A review is a chain of clauses. It is written as follows.

1.  A verdict is tossed, good or bad, and a number of clauses is drawn (log-normal).
2.  Some reviews turn (`TURN`): they concede first, then a contrast word ("but") opens the clauses
    that bring the verdict. The other reviews have no contrast word.
3.  A clause is neutral (`NEUTRAL`) or takes a side: before the turn mostly the side against the
    verdict (`CONCEDE`), otherwise mostly the verdict's (`AGREE`).
4.  A clause says its side in one sentiment word. Either plainly, with a word of that side, or
    negated (`NEGATED`): a negator ("not") and, up to `SCOPE` words on, a word of the other side.
    "Not good" is commoner than "not bad"; in a few neutral clauses the negator negates nothing.
5.  All other words are fillers, drawn by Zipf's law from a vocabulary of `N_WORDS` words.
6.  The label is the side that most clauses after the contrast word take (of the whole review when
    there is none; the verdict at a tie), and a few labels are wrong (`FLIPPED`).

So the label can be read off the text, but for the wrong ones: give a sentiment word +1 or -1,
change its sign if a negator stands among the `SCOPE` words before it, forget all before the
contrast word, add up. Counting words sees neither the sign nor the turn.

Tokens are those of Keras's IMDB reviews: 1 opens a review, 4 and above are words, the smaller the
commoner. Sentiment words, negators and contrast words are about as common as their ranks say.
Some sentiment words are so rare that a cut at 500 words hides them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import FIRST_WORD, START, Corpus, Half
from rnnbench.errors import StudyError

N_TRAIN = 12_500
N_TEST = 12_500
SEED = 42
MIN_REVIEWS = 10

N_WORDS = 20_000
POSITIVE = (12, 16, 20, 24, 28, 32, *range(600, 3000, 40))
NEGATIVE = (14, 18, 22, 26, 30, 34, *range(620, 3000, 40))
NEGATORS = (19, 27, 37)
CONTRASTS = (90, 120)

TURN = 0.45
CONCEDE = 0.75
AGREE = 0.90
NEUTRAL = 0.15
NEGATED = {-1: 0.18, 0: 0.10, 1: 0.06}
SCOPE = 3
FLIPPED = 0.05
CLAUSES_AFTER_TURN = 5.0

CLAUSE_WORDS = (5, 15)
MEAN_CLAUSES = 23.9
SPREAD_CLAUSES = 0.78
CLAUSES = (2, 166)

ZIPF_OFFSET = 2.0
TABLE_SIZE = 2**18

Ints = NDArray[np.int64]


def generate(*, n_train: int = N_TRAIN, n_test: int = N_TEST, seed: int = SEED) -> Corpus:
    """A corpus of made-up reviews, the same for the same arguments.

    Args:
        n_train: reviews in the training half; 25,000 is the size of IMDB's.
        n_test: reviews in the test half. The halves do not depend on each other's size.
        seed: 0 or above.

    Raises:
        StudyError: fewer than `MIN_REVIEWS` reviews in a half, or a negative seed.
    """
    for name, n_reviews in (("n_train", n_train), ("n_test", n_test)):
        if n_reviews < MIN_REVIEWS:
            raise StudyError(f"{name} must be at least {MIN_REVIEWS}, got {n_reviews}")
    if seed < 0:
        raise StudyError(f"seed must not be negative, got {seed}")
    train = _write_half(n_train, np.random.default_rng([seed, 0]))
    test = _write_half(n_test, np.random.default_rng([seed, 1]))
    return Corpus(name="synthetic", train=train, test=test)


def _write_half(n_reviews: int, rng: np.random.Generator) -> Half:
    verdict = rng.choice(np.array([-1, 1]), n_reviews)
    # Arrays over all clauses in a row, but `first`: each review's first clause.
    n_clauses = _draw_clause_counts(n_reviews, rng)
    review = np.repeat(np.arange(n_reviews), n_clauses)
    first = np.cumsum(n_clauses) - n_clauses
    number = np.arange(len(review)) - first[review]
    turn = _draw_turns(n_clauses, rng)[review]
    conceded = number < turn
    with_verdict = rng.random(len(review)) < np.where(conceded, 1 - CONCEDE, AGREE)
    neutral = rng.random(len(review)) < NEUTRAL
    side = np.where(neutral, 0, np.where(with_verdict, 1, -1) * verdict[review])

    score = np.add.reduceat(np.where(conceded, 0, side), first)
    good = np.where(score == 0, verdict, score) > 0
    flipped = rng.random(n_reviews) < FLIPPED

    n_words = rng.integers(CLAUSE_WORDS[0], CLAUSE_WORDS[1] + 1, len(side))
    offsets = np.concatenate(([0], np.cumsum(1 + np.add.reduceat(n_words, first))))
    tokens = _draw_fillers(int(offsets[-1]), rng)
    tokens[offsets[:-1]] = START
    starts = np.cumsum(n_words) - n_words + review + 1
    negator_at, word_at, word_side = _place_words(side, starts, n_words, rng)
    _write_words(tokens, starts[(number == turn) & (turn > 0)], CONTRASTS, rng)
    _write_words(tokens, negator_at, NEGATORS, rng)
    _write_words(tokens, word_at[word_side > 0], POSITIVE, rng)
    _write_words(tokens, word_at[word_side < 0], NEGATIVE, rng)
    return Half(tokens=tokens, offsets=offsets, labels=(good ^ flipped).astype(np.int8))


def _draw_clause_counts(n_reviews: int, rng: np.random.Generator) -> Ints:
    log_mean = np.log(MEAN_CLAUSES) - SPREAD_CLAUSES**2 / 2
    drawn = rng.lognormal(log_mean, SPREAD_CLAUSES, n_reviews)
    return np.clip(np.rint(drawn), *CLAUSES).astype(np.int64)


def _draw_turns(n_clauses: Ints, rng: np.random.Generator) -> Ints:
    """The clause that each review's contrast word opens, or 0 where there is none."""
    turns = rng.random(len(n_clauses)) < TURN
    n_after = 1 + rng.geometric(1 / (CLAUSES_AFTER_TURN - 1), len(n_clauses))
    return np.where(turns, n_clauses - np.minimum(n_after, n_clauses - 1), 0)


def _draw_fillers(n_tokens: int, rng: np.random.Generator) -> NDArray[np.int32]:
    ranks = np.arange(FIRST_WORD, N_WORDS)
    weights = _zipf_weights(ranks)
    weights[np.isin(ranks, (*POSITIVE, *NEGATIVE, *NEGATORS, *CONTRASTS))] = 0
    # A table of quantiles: looking words up is ten times faster than `rng.choice` with weights.
    ends = np.rint(np.cumsum(weights) / weights.sum() * TABLE_SIZE).astype(np.int64)
    table = np.repeat(ranks, np.diff(ends, prepend=0)).astype(np.int32)
    return table[rng.integers(0, TABLE_SIZE, n_tokens, dtype=np.uint32)]


def _zipf_weights(ranks: Ints) -> NDArray[np.float64]:
    return 1.0 / (ranks.astype(np.float64) + ZIPF_OFFSET)


def _place_words(
    side: Ints, starts: Ints, n_words: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Where negators stand, where each clause's sentiment word stands, and its side."""
    share = np.choose(side + 1, [NEGATED[each] for each in (-1, 0, 1)])
    negated = rng.random(len(side)) < share
    # A clause's first word is left for the contrast word, and a scope never leaves its clause.
    negator_at = starts + 1 + (rng.random(len(side)) * (n_words - SCOPE - 1)).astype(np.int64)
    word_at = negator_at + rng.integers(1, SCOPE + 1, len(side))
    return negator_at[negated], word_at, np.where(negated, -side, side)


def _write_words(
    tokens: NDArray[np.int32], places: Ints, words: Sequence[int], rng: np.random.Generator
) -> None:
    ranks = np.array(words)
    weights = _zipf_weights(ranks)
    tokens[places] = rng.choice(ranks, len(places), p=weights / weights.sum())
