"""The record of a study's looks: each kept once, whole or not at all, carried between folders."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_archives import Contents, change_archive, make_ledger

from rnnbench.archives import Archive, Beside, read_archive, write_archive
from rnnbench.data import files
from rnnbench.errors import ArchiveError, StoreError
from rnnbench.ledger import Ledger
from rnnbench.looks import Look, earlier_looks, parse_looks

RULE = {"margin_points": 0.5, "contrast": "architecture", "pairing": "seed"}
FIRST = Look(
    looked_at=1_700_000_000.5,
    runs={"a": 0.1 + 0.2, "b": None},
    n_seeds=8,
    declaration=RULE,
)
SECOND = replace(FIRST, looked_at=1_700_000_009.0, runs={**FIRST.runs, "c": 0.8}, n_seeds=12)


def record(root: Path, *looks: Look) -> Path:
    ledger = Ledger(root)
    for look in looks:
        ledger.looks("textbook").add([look])
    return ledger.folder / "runs" / "textbook" / "looks.json"


def record_of_another(root: Path, look: Look) -> None:
    path = root / ".rnnbench" / "runs" / "other"
    path.mkdir()
    (path / "looks.json").write_text(json.dumps([look.to_json()]))
    (path.parent / ".DS_Store").touch()


def read(root: Path) -> list[Look]:
    return Ledger(root).looks("textbook").read()


def test_looks_come_back_in_their_order(tmp_path: Path) -> None:
    assert read(tmp_path) == []
    record(tmp_path, FIRST, SECOND)
    assert read(tmp_path) == [FIRST, SECOND]


def test_a_look_by_macro_f1_is_another_look_and_one_without_a_metric_is_by_accuracy(
    tmp_path: Path,
) -> None:
    by_f1 = replace(FIRST, declaration={**RULE, "metric": "test_macro_f1"})
    record(tmp_path, FIRST, by_f1)
    assert read(tmp_path) == [FIRST, by_f1]
    assert earlier_looks([FIRST], FIRST.runs, by_f1.declaration) == (FIRST,)
    spelt_out = parse_looks(
        json.dumps(
            [{**FIRST.to_json(), "declaration": {**RULE, "metric": "test_accuracy"}}]
        ).encode()
    )
    assert spelt_out == [FIRST]


def test_the_same_runs_looked_at_again_are_the_same_look(tmp_path: Path) -> None:
    record(tmp_path, FIRST, replace(FIRST, looked_at=1_800_000_000.0))
    assert read(tmp_path) == [FIRST]
    assert earlier_looks([FIRST, SECOND], SECOND.runs, RULE) == (FIRST,)
    assert earlier_looks([FIRST], SECOND.runs, RULE) == (FIRST,)
    assert earlier_looks([FIRST, SECOND], FIRST.runs, RULE) == ()
    assert earlier_looks([FIRST], FIRST.runs, {**RULE, "margin_points": 1.0}) == (FIRST,)


def test_a_run_that_came_out_otherwise_is_another_run() -> None:
    scores = {**FIRST.runs, "a": 0.4}
    assert earlier_looks([FIRST], scores, RULE) == (FIRST,)
    assert FIRST.seen(scores) == frozenset()
    assert FIRST.seen({"b": None}) == frozenset()
    assert FIRST.seen({**FIRST.runs, "c": 0.8}) == {"a"}
    assert FIRST.seen({**FIRST.runs, "b": 0.8}) == {"a"}  # it had failed, and is a new run now


def test_a_cut_leaves_the_looks_that_there_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(tmp_path, FIRST)

    def cut(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", cut)
        with pytest.raises(KeyboardInterrupt):
            record(tmp_path, SECOND)
    assert read(tmp_path) == [FIRST]
    assert [found.name for found in path.parent.iterdir()] == ["looks.json"]


@pytest.mark.parametrize(
    "content",
    [
        "[{",
        "{}",
        json.dumps([{**FIRST.to_json(), "runs": {"a": 2}}]),
        json.dumps([{**FIRST.to_json(), "n_seeds": -1}]),
        json.dumps([{**FIRST.to_json(), "looked_at": "today"}]),
        json.dumps([{**FIRST.to_json(), "declaration": {"margin_points": "wide"}}]),
        json.dumps([{**FIRST.to_json(), "declaration": {"margin_points": 1}}]),
        json.dumps([{"runs": {}}]),
    ],
    ids=[
        "cut short",
        "no list",
        "a score above 1",
        "a negative count",
        "time",
        "margin",
        "half a declaration",
        "half a look",
    ],
)
def test_a_damaged_record_is_told_and_stays_as_it_is(tmp_path: Path, content: str) -> None:
    path = record(tmp_path, FIRST)
    path.write_text(content)
    with pytest.raises(
        StoreError, match=r"looks\.json cannot be read .*; mend it, or move it away"
    ):
        read(tmp_path)
    with pytest.raises(StoreError, match="mend it, or move it away"):
        record(tmp_path, SECOND)
    assert path.read_text() == content
    told: list[str] = []
    elsewhere = Ledger(tmp_path, on_problem=told.append)
    record_of_another(tmp_path, FIRST)
    assert elsewhere.looks_elsewhere("mine") == [FIRST]
    (problem,) = told
    assert problem.endswith("begin anew; those looks do not count here")


def test_a_record_that_could_not_be_read_again_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, FIRST)
    monkeypatch.setattr("rnnbench.looks.MOST_BYTES", {"looks.json": 400})
    with pytest.raises(StoreError, match="too large"):
        record(tmp_path, SECOND)
    assert read(tmp_path) == [FIRST]


def test_looks_of_another_folder_come_after_those_of_here_each_once(tmp_path: Path) -> None:
    record(tmp_path, SECOND)
    for _ in range(2):
        Ledger(tmp_path).looks("textbook").add([FIRST, SECOND])
    assert read(tmp_path) == [SECOND, FIRST]


def arrived(root: Path, *looks: Look) -> Path:
    ledger = make_ledger(root / "there")
    path = root / "study.zip"
    write_archive(path, "textbook", ledger.entries("textbook"), [], Beside(looks=looks))
    return path


def unpack(path: Path) -> Archive:
    into = path.with_suffix("")
    into.mkdir()
    return read_archive(path, into)


def test_looks_travel_in_an_archive(tmp_path: Path) -> None:
    assert unpack(arrived(tmp_path, FIRST, SECOND)).looks == (FIRST, SECOND)


def test_an_archive_without_looks_can_be_read_by_earlier_versions(tmp_path: Path) -> None:
    path = arrived(tmp_path)
    assert unpack(path).looks == ()
    assert json.loads((path.parent / "study" / "study.json").read_text()) == []
    assert not (path.parent / "study" / "looks.json").exists()


def test_an_archive_with_what_are_no_looks_is_refused(tmp_path: Path) -> None:
    path = arrived(tmp_path, FIRST)

    def alter(contents: Contents, _: dict[str, Any]) -> None:
        contents["looks.json"] = b'[{"runs": 1}]'

    change_archive(path, alter)
    with pytest.raises(ArchiveError, match=r"its looks\.json holds no looks"):
        unpack(path)
