"""Damaged models and archives by command: told in a sentence, and what is taken works on."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made_archives import zipped
from project import Count, Project

pytestmark = pytest.mark.campaign


def _huge_weights(content: bytes) -> bytes:
    """Weights of which one array states a shape of 4 TB and holds nothing."""
    import h5py

    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file.create_dataset("vars/0", shape=(10**6, 10**6), dtype="f4", chunks=(1024, 1024))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    return zipped(members | {"model.weights.h5": weights.getvalue()})


def _huge_layer(content: bytes) -> bytes:
    """The same weights, and a layer of a thousand million units."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    config = re.sub(rb'"units": \d+', b'"units": 1000000000', members["config.json"])
    return zipped(members | {"config.json": config})


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda _: b"", 3),
        (lambda _: b"no model", 3),
        (lambda content: content[: len(content) // 2], 3),
        (lambda content: content.replace(b"H", b"h"), 3),
        (_huge_weights, 3),
        (_huge_layer, 0),  # layers are the spec's, whatever the file says
    ],
    ids=["empty", "text", "half", "letters", "huge weights", "huge layer"],
)
def test_a_damaged_model_is_told_in_a_sentence(
    damage: Callable[[bytes], bytes], code: int, finished: Project, tmp_path: Path, count: Count
) -> None:
    shutil.copytree(finished.folder / ".rnnbench", tmp_path / ".rnnbench")
    path = next(tmp_path.glob(".rnnbench/runs/*/*/best.keras"))
    path.write_bytes(damage(path.read_bytes()))
    done = replace(finished, folder=tmp_path).command("evaluate", path.parent.name)
    assert done.returncode == code, done.stderr
    if code:
        assert re.fullmatch(rf"error: .*{re.escape(str(path))} .*\n", done.stderr), done.stderr
    count("a damaged model told")
