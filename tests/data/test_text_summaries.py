"""What reports ask of texts, told by the cache or by what came with a study."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rnnbench.compare.baseline import find_floor
from rnnbench.data.corpus import Corpus
from rnnbench.data.dataset import chance_recall
from rnnbench.data.text_summaries import (
    count_split,
    find_summary,
    parse_summary,
    summaries_at_hand,
    summarise_texts,
)
from rnnbench.errors import DataError

if TYPE_CHECKING:
    from conftest import MakeSpec  # of several modules of that name the first is imported


def test_what_was_kept_tells_what_the_cache_told(small_corpus: Corpus, make_spec: MakeSpec) -> None:
    data = make_spec().data
    kept = parse_summary(summarise_texts([data, replace(data, split_seed=1)], {}).to_json())
    elsewhere = replace(data, fingerprint="ab" * 32)
    with summaries_at_hand({elsewhere.fingerprint: kept}):
        for split_seed in (42, 1):
            here, there = (replace(each, split_seed=split_seed) for each in (data, elsewhere))
            assert count_split(there) == count_split(here)
            assert find_floor(there) == find_floor(here)
            assert chance_recall(there) == chance_recall(here)
        labels = find_summary(elsewhere).test_labels
        assert labels.tolist() == small_corpus.test.labels.tolist()
        with pytest.raises(DataError):
            count_split(replace(elsewhere, split_seed=7))
    with pytest.raises(DataError):
        find_summary(elsewhere)
