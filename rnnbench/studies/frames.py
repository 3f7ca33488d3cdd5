"""Runs as pandas data frames: what came out, how each learned, what its model said."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnbench.architectures import display_name
from rnnbench.compare.predictions import read_predictions
from rnnbench.data.cache import open_corpus
from rnnbench.data.corpus import write_seen
from rnnbench.data.dataset import load_part
from rnnbench.data.imdb import read_imdb_words
from rnnbench.data.text_summaries import find_summary
from rnnbench.errors import DataError
from rnnbench.recorded_runs import CURVES, RecordedRun
from rnnbench.runs.listing import MEASURED, describe_runs
from rnnbench.specs import DataSpec

if TYPE_CHECKING:
    import pandas
    from numpy.typing import NDArray

_OF_AN_EPOCH = ("epoch", *CURVES, "epoch_seconds")


def frame_results(runs: Sequence[RecordedRun]) -> pandas.DataFrame:
    """A row for each run that is over, with the columns of `rnnbench.load_results`."""
    import pandas

    found = pandas.DataFrame.from_records(describe_runs(runs))
    # Where no run has a value it would be a column of objects.
    return found.astype({name: float for name in MEASURED if name in found})


def frame_curves(runs: Sequence[RecordedRun]) -> pandas.DataFrame:
    """A row for each run and epoch."""
    import pandas

    read = attrgetter(*_OF_AN_EPOCH)
    rows = [(*_name(run).values(), *read(row)) for run in runs for row in run.entry.history()]
    columns = ["architecture", "seed", "fingerprint", *_OF_AN_EPOCH]
    return pandas.DataFrame.from_records(rows, columns=columns)


def frame_predictions(runs: Sequence[RecordedRun]) -> pandas.DataFrame:
    """A row for each run that finished and test text.

    Raises:
        DataError: nothing here tells the labels of the texts.
    """
    import pandas

    texts = {data: _write_texts(data) for data in dict.fromkeys(run.spec.data for run in runs)}
    found = [
        pandas.DataFrame(
            {**_name(run), **said, "text": pandas.Series(texts[run.spec.data], dtype=object)}
        )
        for run in runs
        if (said := _read_said(run)) is not None
    ]
    return pandas.concat(found, ignore_index=True) if found else pandas.DataFrame()


def _read_said(run: RecordedRun) -> dict[str, NDArray[Any]] | None:
    """What the run's best model said of each test text, by column; None where it is not kept."""
    summary, kept = find_summary(run.spec.data), read_predictions(run)
    labels, names = summary.test_labels, np.array(summary.classes, dtype=object)
    if kept is None or not kept.is_of(labels, len(names)):
        return None
    every = np.arange(len(labels))
    return {
        "text_number": every,
        "truth": names[labels],
        "predicted": names[kept.predicted],
        "probability": kept.probability[every, kept.predicted].astype(np.float64),
    }


def _write_texts(data: DataSpec) -> list[str | None]:
    """Each test text as a network sees it; None where it, or its words, are not known here."""
    n_texts = len(find_summary(data).test_labels)
    try:
        tokens = load_part(data, "test").tokens
    except DataError:
        return [None] * n_texts
    vocabulary = open_corpus(data.fingerprint).vocabulary
    if data.dataset == "imdb":
        with suppress(DataError):
            vocabulary = read_imdb_words()
    if not vocabulary:
        return [None] * n_texts
    return [write_seen(row, vocabulary) for row in tokens]


def _name(run: RecordedRun) -> dict[str, Any]:  # Any: text or a number
    """What tells a run from others."""
    return {
        "architecture": display_name(run.spec.form),
        "seed": run.spec.seed,
        "fingerprint": run.spec.fingerprint,
    }
