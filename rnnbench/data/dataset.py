"""What a network sees of a corpus: cut, padded, split; and what its labels are."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.cache import Split, open_corpus, split_indices
from rnnbench.data.corpus import UNKNOWN, Half, PartName
from rnnbench.data.labels import read_grades
from rnnbench.data.text_summaries import count_split, find_summary
from rnnbench.errors import DataError
from rnnbench.specs import DataSpec
from rnnbench.stats.confusions import mean_absolute_error, quadratic_kappa

MOST_TOKENS = 500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Reviews ready for a network.

    Args:
        tokens: int32 `(n_reviews, max_len)`, front-padded with 0.
        labels: float32 `(n_reviews,)`, the number of the class: 0 or 1, or more.
    """

    tokens: NDArray[np.int32]
    labels: NDArray[np.float32]


def load_part(data: DataSpec, name: PartName) -> Part:
    """One part of the prepared data; the test half is opened only when it is asked for.

    Raises:
        DataError: the corpus is not in the cache, or is damaged.
    """
    corpus = open_corpus(data.fingerprint)
    if name == "test":
        half, rows = corpus.test, np.arange(corpus.test.n_reviews)
    else:
        split = split_of(data)
        half, rows = corpus.train, split.train if name == "train" else split.validation
    tokens = cut_and_pad(half, rows, num_words=data.num_words, max_len=data.max_len)
    return Part(tokens=tokens, labels=half.labels[rows].astype(np.float32))


def load_grades(data: DataSpec) -> tuple[float, ...] | None:
    """The numbers that the classes are; None where they have no order.

    Raises:
        DataError: nothing here tells what the classes are.
    """
    return read_grades(find_summary(data).classes)


def score_grades(
    data: DataSpec, confusions: NDArray[np.int64]
) -> dict[str, Any]:  # Any: of any row
    """`test_absolute_error` and `test_quadratic_kappa`, None where undefined; empty if no grades.

    Args:
        confusions: `(n_classes, n_classes)`, as `count_confusions` gives them.

    Raises:
        DataError: nothing here tells what the classes are.
    """
    grades = load_grades(data) if data.n_classes > 2 else None
    if grades is None:
        return {}
    kappa = quadratic_kappa(confusions, grades)
    return {
        "test_absolute_error": mean_absolute_error(confusions, grades),
        "test_quadratic_kappa": kappa if math.isfinite(kappa) else None,
    }


def chance_loss(data: DataSpec, *, is_balanced: bool = False) -> float:
    """Validation loss, in nats, of the best model that says the same of every text.

    It is the entropy of the validation part's labels: ln 2 for two classes of equal size.

    Args:
        is_balanced: the loss has class weights.

    Raises:
        DataError: the corpus is not in the cache, or is damaged.
    """
    split, labels = split_of(data), open_corpus(data.fingerprint).train.labels
    counts = np.bincount(labels[split.validation], minlength=data.n_classes)
    shares = counts / counts.sum()
    if is_balanced:
        shares = shares * balanced_weights(labels[split.train], data.n_classes)
    seen = shares[shares > 0]
    return float(-(seen * np.log(seen / seen.sum())).sum())


def chance_recall(data: DataSpec) -> float:
    """The mean recall on the validation part above which a model has learned.

    Whoever never looks at the texts has one over the number of classes; to that come 1.645 standard
    errors, which are largest for who gives each class half of the texts. To find every text is
    always enough.

    Raises:
        DataError: nothing here tells how many texts of each class validate.
    """
    counts = np.array([count for count in count_split(data).validation if count])
    error = 0.5 * np.sqrt((1 / counts).sum()) / len(counts)
    return float(min(1 / len(counts) + 1.645 * error, 1 - 0.5 / (len(counts) * counts.sum())))


def balanced_weights(labels: NDArray[Any], n_classes: int) -> NDArray[np.float32]:
    """What each class counts in the loss so that all count the same; 0 for one that is not there.

    Source: sklearn.utils.class_weight.compute_class_weight("balanced").

    Args:
        labels: of the training part.

    Returns:
        float32 `(n_classes,)`, whose mean over the labels is 1.
    """
    counts = np.bincount(labels.astype(np.int64), minlength=n_classes)
    n_there = np.count_nonzero(counts)
    weights = len(labels) / (n_there * np.maximum(counts, 1)) * (counts > 0)
    return weights.astype(np.float32)


def cut_and_pad(
    half: Half, rows: NDArray[np.int64], *, num_words: int, max_len: int
) -> NDArray[np.int32]:
    """int32 `(len(rows), max_len)`: the end of each review, front-padded with 0.

    As `keras.utils.pad_sequences(maxlen=max_len)` on reviews whose rarer words
    (rank `num_words` and up) were replaced with the unknown word.

    Raises:
        DataError: that would be more than `MOST_TOKENS`.
    """
    if len(rows) * max_len > MOST_TOKENS:
        raise DataError(
            f"{len(rows):,} texts of max_len {max_len:,} are {len(rows) * max_len:,} tokens, of at "
            f"most {MOST_TOKENS:,}; take a smaller max_len"
        )
    ends = half.offsets[1:][rows]
    starts = np.maximum(half.offsets[:-1][rows], ends - max_len)
    positions = ends[:, None] - max_len + np.arange(max_len)
    inside = positions >= starts[:, None]
    tokens = np.zeros((len(rows), max_len), dtype=np.int32)
    tokens[inside] = half.tokens[positions[inside]]
    tokens[tokens >= num_words] = UNKNOWN
    return tokens


def split_of(data: DataSpec) -> Split:
    """Which texts of the training half train and which validate.

    Raises:
        DataError: the corpus is not in the cache, or too small for this split.
    """
    return split_indices(
        data.fingerprint, test_size=data.validation_fraction, random_state=data.split_seed
    )
