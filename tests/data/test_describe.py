"""What is found in texts of the user's: kept as numbers, and read by the corpus's fingerprint."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnbench.data.cache import cache_folder, store_corpus
from rnnbench.data.describe import (
    Findings,
    keep_findings,
    read_findings,
    tell_findings,
    tell_sizes,
)
from rnnbench.data.own import make_corpus
from rnnbench.data.tables import OwnChoices, Table


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNBENCH_CACHE", str(tmp_path))


def find(texts: list[str], n_classes: int = 2) -> tuple[str, Findings]:
    table = Table(texts=texts, labels=[f"class {n % n_classes}" for n in range(len(texts))])
    corpus, found = make_corpus("r", table, OwnChoices())
    return store_corpus(corpus), found


def test_findings_come_back_by_fingerprint() -> None:
    fingerprint, found = find([f"a film {n} " * (n % 40 + 1) for n in range(100)])
    assert read_findings(fingerprint) is None
    keep_findings(fingerprint, found)
    assert read_findings(fingerprint) == found
    (cache_folder() / "corpora" / fingerprint / "findings.json").write_text('{"repeats": 1}')
    assert read_findings(fingerprint) is None
    assert read_findings("../elsewhere") is None


def test_shares_are_those_of_the_training_part() -> None:
    texts = [f"common common word{n}" if n % 2 else "common " * 39 for n in range(200)]
    _, found = find(texts)
    assert found.part_sizes == {"train": 128, "validation": 32, "test": 40}
    assert (found.max_len, found.num_words, found.n_words) == (40, 5, 65)
    assert found.cut_texts == {25: 0.5, 40: 0.0}
    assert found.lost_words == pytest.approx({5: 64 / (64 * 39 + 64 * 3)})


def test_html_is_told_with_its_share() -> None:
    _, found = find([f"film <br /> {n}" if n % 4 == 0 else f"film {n}" for n in range(200)])
    assert found.html_share == 0.25
    assert "25 % of the texts have tags or entities of HTML; --strip-html takes them out" in (
        tell_findings(found)
    )


def test_many_classes_are_told_by_the_largest_and_the_smallest() -> None:
    assert "class 0 50.0 %, class 1 50.0 %" in tell_sizes(find(["a film"] * 60)[1])[1]
    _, found = find([f"film {n}" for n in range(301)], n_classes=15)
    assert tell_sizes(found)[1] == ("classes: 15, from 'class 1' (20 texts) to 'class 0' (21)")
