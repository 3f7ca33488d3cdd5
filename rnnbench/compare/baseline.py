"""The bag-of-words row, computed once for each way of seeing the reviews."""

import hashlib
import json
import math
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from rnnbench.compare.rows import BaselineRow
from rnnbench.data.cache import cache_folder, open_corpus
from rnnbench.data.dataset import BagOfWords, score_bag_of_words, split_of
from rnnbench.data.files import read_json, write_json
from rnnbench.errors import DataError
from rnnbench.execution.environment import processor_name
from rnnbench.specs import DataSpec
from rnnbench.training.engine import macro_f1

BAG_OF_WORDS = "bag of words"
_MAJORITY = "majority class"


def find_baselines(data: DataSpec, *, fits: bool = True) -> list[BaselineRow]:
    """What a network has to beat on these texts, as far as it is known.

    Args:
        fits: whether a bag of words that is not in the cache is computed.
    """
    found = (find_baseline(data, fits=fits), _find_majority(data))
    return [row for row in found if row is not None]


def find_baseline(data: DataSpec, *, fits: bool = True) -> BaselineRow | None:
    """The row, from the cache or computed in seconds; None where the texts are not here."""
    found = _recall(data)
    if fits and (found is None or not found.test_right):
        with suppress(DataError):
            found = _compute(data, found)
    if found is None:
        return None
    return BaselineRow(
        section="",
        arm=BAG_OF_WORDS,
        n=1,
        n_parameters=found.n_parameters,
        test_accuracy=found.test_accuracy,
        test_macro_f1=found.test_macro_f1,
        test_loss=found.test_loss,
        val_loss=found.val_loss,
        gap=found.val_loss - found.train_loss,
        fit_seconds=found.fit_seconds,
        total_seconds=found.fit_seconds,
        hardware=f"cpu ({processor_name()})",
        is_baseline=True,
        right=np.array([*found.test_right]) == "1" if found.test_right else None,
    )


def find_floor(data: DataSpec) -> float | None:
    """The validation accuracy that a run has to pass to count as one that learned.

    What naming the commonest class of the training part scores on the validation part, and 1.645
    standard errors: of runs that learned nothing one in twenty passes it. A run that judges every
    validation text right always does. None where the reviews are not here.
    """
    try:
        corpus = open_corpus(data.fingerprint)
        split = split_of(data)
    except DataError:
        return None
    labels = corpus.train.labels
    commonest = np.bincount(labels[split.train]).argmax()
    share = float(np.mean(labels[split.validation] == commonest))
    n = len(split.validation)
    return min(share + 1.645 * math.sqrt(share * (1 - share) / n), 1 - 1 / (2 * n))


def _find_majority(data: DataSpec) -> BaselineRow | None:
    """What the commonest class of the training part scores, on data of the user's own."""
    try:
        corpus = open_corpus(data.fingerprint)
        if not corpus.vocabulary:
            return None  # IMDB is balanced: a half
        split = split_of(data)
    except DataError:
        return None
    labels = corpus.test.labels
    commonest = np.bincount(corpus.train.labels[split.train]).argmax()
    predicted = np.full_like(labels, commonest)
    return BaselineRow(
        section="",
        arm=_MAJORITY,
        n=1,
        n_parameters=0,
        test_accuracy=float(np.mean(predicted == labels)),
        test_macro_f1=macro_f1(predicted, labels.astype(np.float32)),
        is_baseline=True,
        is_majority=True,
        right=predicted == labels,
    )


def _recall(data: DataSpec) -> BagOfWords | None:
    try:
        return BagOfWords(**read_json(_place(data)))
    except (DataError, TypeError):  # no cache; no file, or another version's
        return None


def _compute(data: DataSpec, known: BagOfWords | None) -> BagOfWords:
    """Anew; of what an earlier version knew only what it lacks."""
    found = score_bag_of_words(data)
    if known is not None:
        found = replace(known, test_right=found.test_right)
    with suppress(DataError):  # a cache that takes nothing makes the next report slower, no more
        write_json(_place(data), asdict(found))
    return found


def _place(data: DataSpec) -> Path:
    seen = {key: value for key, value in asdict(data).items() if key != "dataset"}
    digest = hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]
    return cache_folder() / "baselines" / f"{digest}.json"
