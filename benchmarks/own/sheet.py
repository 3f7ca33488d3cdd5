"""A spreadsheet as people export it, made of texts that people rated.

The tweets and reviews of Hutto and Gilbert's ICWSM 2014 paper, which the sdist of vaderSentiment
holds (MIT licence), with the mean of twenty people's ratings.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
from packages import Distribution, fetch_distribution, read_member

_VADER = Distribution(name="vaderSentiment", version="3.3.2", form="sdist")
_SOURCES = ("tweets", "amazonReviewSnippets", "movieReviewSnippets")
_LEAST_RATING = 0.5  # of 4; between minus this and this, people did not agree
_SPELLINGS = {
    "positive": ("Positive", "positive", "POSITIVE", "positive "),
    "negative": ("Negative", "negative", " negative", "NEGATIVE"),
}
_UNLABELLED = 0.01  # of the rows
_MARKED_UP = 0.3


def write_sheet(path: Path, folder: Path) -> int:
    """The rows written: below a title, beside a column without a name, not all of them labelled."""
    from openpyxl import Workbook

    rng = np.random.default_rng(0)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Feedback")
    sheet.append(["Customer feedback, export of all channels"])
    sheet.append([])
    sheet.append([None, "Channel", "Comment", "Sentiment"])
    rows = read_rated(folder)
    for number, (channel, text, label) in enumerate(rows, start=1):
        spelled = rng.choice(_SPELLINGS[label], p=(0.7, 0.15, 0.1, 0.05))
        shown = None if rng.random() < _UNLABELLED else str(spelled)
        marked_up = f"<p>{text}<br/></p>" if rng.random() < _MARKED_UP else text
        sheet.append([number, channel, marked_up, shown])
    book.save(path)
    return len(rows)


def read_rated(folder: Path) -> list[tuple[str, str, str]]:
    """Channel, text and `positive` or `negative` of each text that people clearly rated so."""
    packed = read_member(fetch_distribution(_VADER, folder), "hutto_ICWSM_2014.tar.gz")
    rows = []
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for source in _SOURCES:
            file = archive.extractfile(f"hutto_ICWSM_2014/{source}_GroundTruth.txt")
            assert file is not None
            for line in file.read().decode("utf-8", errors="replace").splitlines():
                _, rating, text = line.split("\t", 2)
                if abs(float(rating)) >= _LEAST_RATING and text.strip():
                    label = "positive" if float(rating) > 0 else "negative"
                    rows.append((source, text.strip(), label))
    return rows
