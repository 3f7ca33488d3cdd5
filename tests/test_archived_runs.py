"""What an archive may hold of a run: nothing that would break the folder later."""

from __future__ import annotations

import copy
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_archives import (
    CONFIG,
    DECLARED,
    RUN,
    Contents,
    change_archive,
    make_archive,
    zipped,
    zipped_model,
)

from rnnbench.archives import read_archive
from rnnbench.data.text_summaries import SplitCounts, TextSummary
from rnnbench.data.tokenizer import Tokenizer
from rnnbench.errors import ArchiveError
from rnnbench.published.notes import REVIEWS

Change = Callable[[Contents, dict[str, Any]], None]  # Any: JSON values


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_archive(tmp_path_factory.mktemp("archived") / "study.zip").read_bytes()


@pytest.fixture
def archive(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "study.zip"
    path.write_bytes(content)
    return path


def refusal(path: Path, alter: Change = lambda *_: None) -> str:
    """Why the changed archive is refused."""
    (path.parent / "into").mkdir(exist_ok=True)
    if path.is_file():
        change_archive(path, alter)
    with pytest.raises(ArchiveError) as caught:
        read_archive(path, path.parent / "into")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change_json(name: str, **values: Any) -> Change:
    """A file of the run in which some keys, `data__fingerprint` in an inner one, are others."""

    def alter(contents: Contents, _: Any) -> None:
        found = json.loads(contents[f"{RUN}/{name}"])
        for path, value in values.items():
            *outer, last = path.split("__")
            inside = found
            for key in outer:
                inside = inside[key]
            inside[last] = value
        contents[f"{RUN}/{name}"] = json.dumps(found).encode()

    return alter


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"data__dataset": 5}, "dataset must be text, got 5"),
        ({"data__dataset": "\ud800"}, "half of a surrogate pair"),
        ({"data__dataset": "a\nb"}, "not a printable text"),
        ({"data__fingerprint": ["a"]}, "fingerprint must be text"),
        ({"data__fingerprint": "../../x"}, "not a SHA-256"),
        ({"form": {"name": "\ud800", "arguments": []}}, "half of a surrogate pair"),
        ({"form": {"name": "x" * 101, "arguments": []}}, "not a printable text of at most 100"),
        ({"form": {"name": "x", "arguments": [["a b/c", 1]]}}, "of other letters"),
        ({"form": {"name": "x", "arguments": [["a", [1]]]}}, "not a text, number or boolean"),
        ({"form__units": 10**9}, "units must be a whole number from 1 to 10,000"),
        ({"form__units": 10_000}, "has 400,6[0-9,]+ parameters, of at most 100,000,000"),
        ({"form__reset_after": "yes"}, "reset_after"),
        ({"recipe__epochs": 10**9}, "epochs must be a whole number from 1 to 10,000"),
        ({"data__num_words": 10**9}, "num_words must be a whole number from 4"),
        ({"seed": 10**12}, "seed must be a whole number"),
        ({"seed": 10**30}, "more than 19 digits"),
        ({"purpose": "tuning"}, "made for a search"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode(),
)
def test_a_spec_that_would_break_a_reader_is_refused(
    values: dict[str, Any], reason: str, archive: Path
) -> None:
    assert re.search(reason, refusal(archive, change_json("spec.json", **values)))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"environment": {"a/b": "c"}}, "of other letters"),
        ({"environment": {"a": "\x00"}}, "a of its environment is not a printable text"),
        ({"environment": {"a": "x" * 1001}}, "at most 1,000 characters"),
        ({"environment": {"imported_from": ""}}, "imported_from of its environment is empty"),
        ({"environment": {f"n{n}": "" for n in range(51)}}, "51 entries, of at most 50"),
        (
            {"environment": {"a": 5}},
            "result.json cannot be read (its environment is not a table of texts)",
        ),
        ({"environment": ["a"]}, "cannot be read"),
        ({"n_parameters": 10**15}, "n_parameters is not a whole number"),
        ({"best_epoch": 2}, "best_epoch is not a whole number from 0 to 1"),
        ({"fit_seconds": 1e300}, "fit_seconds is not a time"),
        ({"val_loss": 1e300}, "val_loss is not a loss"),
        ({"test_accuracy": None}, "it finished without test_accuracy"),
        ({"reason": ["a"]}, "a reason is not a text"),
        ({"traceback": "\udfff"}, "half of a surrogate pair"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode(),
)
def test_a_result_that_would_break_a_reader_is_refused(
    values: dict[str, Any], reason: str, archive: Path
) -> None:
    assert reason in refusal(archive, change_json("result.json", **values))


@pytest.mark.parametrize(
    ("declaration", "reason"),
    [
        ({"hyperparameters": {"units": [1]}}, "unknown key of a declaration"),
        ({"dataset": 5}, "unknown key of a declaration"),
        ({"description": 5}, "must be text"),
        ({"description": "x" * 7001}, "a description takes 7,000 characters"),
        ({"margin_points": True}, "must be a number"),
        ({"vary_split": "yes"}, "must be true or false"),
        ({"tuned": {"lstm": {"units": 10**9}}}, "units must be a whole number"),
        ({"tuned": {"lstm": {"units": "8"}}}, "must be a number"),
        ({"tuned": {f"a{n}": {} for n in range(101)}}, "at most 100 architectures"),
        ([], "must be a table"),
        ({**DECLARED, "contrast": "x"}, "unknown contrast"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_declaration_that_no_study_makes_is_refused(
    declaration: Any, reason: str, archive: Path
) -> None:
    def alter(contents: Contents, _: Any) -> None:
        item = {"declared_at": 1.0, "declaration": declaration}
        contents["study.json"] = json.dumps([item]).encode()

    assert reason in refusal(archive, alter)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("study", 5, "'name' must be text"),
        ("study", "\ud800", "half of a surrogate pair"),
        ("origin", ["a"], "the machine that it comes from is not a printable text"),
        ("exported_at", "soon", "exported_at is not a time"),
        ("exported_at", 1e300, "exported_at is not a time"),
        ("files", {}, "does not belong"),
        ("version", 1e999, "Infinity, which is not a finite number"),
    ],
)
def test_a_manifest_that_would_break_a_reader_is_refused(
    key: str, value: Any, reason: str, archive: Path
) -> None:
    def text(manifest: dict[str, Any]) -> bytes:
        return json.dumps({**manifest, key: value}).encode()

    change_archive(archive, lambda *_: None, text)
    (archive.parent / "into").mkdir()
    with pytest.raises(ArchiveError, match=reason):
        read_archive(archive, archive.parent / "into")


def test_a_history_is_no_longer_than_its_recipe(archive: Path) -> None:
    def alter(contents: Contents, manifest: dict[str, Any]) -> None:
        head, row = contents[f"{RUN}/history.csv"].decode().splitlines()
        rows = [f"{n},{row.partition(',')[2]}" for n in range(1, 102)]
        contents[f"{RUN}/history.csv"] = "\n".join([head, *rows, ""]).encode()
        change_json("result.json", epochs=101)(contents, manifest)

    assert "a history of 101 epochs, where 100 were asked" in refusal(archive, alter)


@pytest.mark.parametrize("shape", [(-4,), (2, -2), (), (1, 1, 4), (10**12,)], ids=str)
def test_predictions_of_a_shape_that_cannot_be_are_refused(
    shape: tuple[int, ...], archive: Path
) -> None:
    header = io.BytesIO()
    description = {"descr": "<f2", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, description)

    def alter(contents: Contents, _: Any) -> None:
        member = header.getvalue() + bytes(8)
        contents[f"{RUN}/predictions.npz"] = zipped({"probability.npy": member})

    assert "holds float16 of shape" in refusal(archive, alter)


def test_predictions_with_a_header_of_any_length_are_refused(archive: Path) -> None:
    def alter(contents: Contents, _: Any) -> None:
        member = b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 1000
        contents[f"{RUN}/predictions.npz"] = zipped({"probability.npy": member})

    assert "an array that rnnbench does not write" in refusal(archive, alter)


@pytest.mark.parametrize(
    ("layer", "key", "value"),
    [(2, "units", 10**9), (1, "input_dim", 10**9), (3, "units", 10**8)],
)
def test_a_model_with_a_layer_of_another_size_is_refused(
    layer: int, key: str, value: int, archive: Path
) -> None:
    config = copy.deepcopy(CONFIG)
    config["config"]["layers"][layer]["config"][key] = value

    def alter(contents: Contents, _: Any) -> None:
        contents[f"{RUN}/best.keras"] = zipped_model(config)

    assert "has a layer that its spec does not have" in refusal(archive, alter)


def test_files_that_unpack_to_very_much_are_refused(archive: Path) -> None:
    def alter(contents: Contents, _: Any) -> None:
        contents[f"{RUN}/predictions.npz"] = bytes(2**22)

    assert "more than 200 times as many" in refusal(archive, alter)


def test_a_pipe_and_a_device_are_no_archives(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(ArchiveError, match="it is not a regular file"):
            read_archive(path, tmp_path)


def test_a_traceback_may_hold_many_commas(archive: Path) -> None:
    change_archive(archive, change_json("result.json", traceback="a, " * 5000))
    (archive.parent / "into").mkdir()
    assert len(read_archive(archive, archive.parent / "into").runs) == 1


TOKENIZER = Tokenizer(classes=("negative", "positive"), words=("the", "a"), max_len=100)
SUMMARY = TextSummary(
    classes=("negative", "positive"),
    test_labels=np.array([0, 1, 1], dtype=np.int8),
    is_own=True,
    splits={(0.2, 42): SplitCounts(train=(2, 3), validation=(1, 1))},
)
TEXTS = f"texts/{REVIEWS}.json"


def change_content(name: str, whole: bytes, **values: Any) -> Change:
    """A file that is added, of which some keys are others."""
    changed = json.dumps({**json.loads(whole), **values}).encode()
    return lambda contents, _: contents.update({name: changed})


def test_tokenizer_and_summary_arrive(archive: Path, tmp_path: Path) -> None:
    def add(contents: Contents, _: Any) -> None:
        contents[f"{RUN}/tokenizer.json"] = TOKENIZER.to_json()
        contents[TEXTS] = SUMMARY.to_json()

    (tmp_path / "into").mkdir()
    found = read_archive(change_archive(archive, add), tmp_path / "into")
    assert found.runs[0].tokenizer() == TOKENIZER
    summary = found.summaries[REVIEWS]
    assert summary.to_json() == SUMMARY.to_json()
    assert summary.test_labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"classes": ["a", "b", "c"]}, "of 3 classes and 100 tokens, the network of 2 and 100"),
        ({"max_len": 7}, "7 tokens"),
        ({"words": [str(n) for n in range(1_000_000)]}, "1,000,000 words, more than the network"),
        ({"words": ["a\x00"]}, "control character"),
        ({"tokens": "subwords", "subwords": "%%%"}, "base64"),
        ({"tokens": "subwords", "subwords": "bm9uZQ=="}, "model of subwords is damaged"),
        ({"classes": {"a": 1}}, "not a list"),
    ],
)
def test_a_hostile_tokenizer_is_refused(archive: Path, values: dict[str, Any], reason: str) -> None:
    name = f"{RUN}/tokenizer.json"
    assert reason in refusal(archive, change_content(name, TOKENIZER.to_json(), **values))


def test_a_deep_tokenizer_is_refused(archive: Path) -> None:
    def nest(contents: Contents, _: Any) -> None:
        contents[f"{RUN}/tokenizer.json"] = b"[" * 100_000 + b"]" * 100_000

    assert "nested too deeply" in refusal(archive, nest)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"format": "x"}, "not a summary of texts"),
        ({"classes": ["a", "b", "c"], "splits": []}, "not those of its runs"),
        ({"classes": ["a", "a"]}, "a name of its own"),
        ({"classes": ["a", "b\n"]}, "control character"),
        ({"test_labels": "!"}, "not what rnnbench writes there"),
        ({"test_labels": "AQL/"}, "not numbers of its classes"),
        ({"test_labels": ""}, "not numbers of its classes"),
        ({"is_own": 1}, "whose the texts are"),
        ({"splits": [{"validation_fraction": 0.2, "split_seed": 42}]}, "not what rnnbench"),
        (
            {
                "splits": [
                    {"validation_fraction": 1, "split_seed": 1, "train": [1], "validation": [1]}
                ]
            },
            "does not count",
        ),
        (
            {
                "splits": [
                    {
                        "validation_fraction": 1,
                        "split_seed": 1,
                        "train": [1, -1],
                        "validation": [1, 1],
                    }
                ]
            },
            "not a whole number",
        ),
        ({"sight": {"max_len": "long"}}, "not a whole number"),
        ({"findings": {"class_counts": {}}}, "not what rnnbench"),
    ],
)
def test_a_hostile_summary_of_texts_is_refused(
    archive: Path, values: dict[str, Any], reason: str
) -> None:
    assert reason in refusal(archive, change_content(TEXTS, SUMMARY.to_json(), **values))


def test_a_summary_of_other_texts_is_refused(archive: Path) -> None:
    name = f"texts/{'ab' * 32}.json"
    assert "not those of its runs" in refusal(archive, change_content(name, SUMMARY.to_json()))
    outside = change_content("texts/../evil.json", SUMMARY.to_json())
    assert "does not belong in an archive" in refusal(archive, outside)
