"""Damaged files by the hundred: each is read or refused in a sentence, none ends in a traceback."""

from __future__ import annotations

import io
import random
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made_archives import zipped
from project import STUDY, Count, Project, write_project

from rnnbench.data.imdb import read_imdb
from rnnbench.errors import RnnbenchError
from rnnbench.study import load_study

pytestmark = pytest.mark.campaign


@pytest.fixture(scope="module")
def project(finished: Project, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """An empty folder, with files to be damaged beside it."""
    folder = tmp_path_factory.mktemp("hostile")
    project = write_project(folder / "project", shared)
    assert finished.here("export", STUDY, str(folder / "study.zip")).returncode == 0
    rows = [f"text {n} of {n % 7} words,{'good' if n % 2 else 'bad'}" for n in range(80)]
    (folder / "reviews.csv").write_text("\n".join(["text,label", *rows]), "utf-8")
    shutil.copyfile(project.folder / "study.toml", folder / "study.toml")
    shutil.copyfile(shared / "imdb.npz", folder / "imdb.npz")
    return project


def damage(content: bytes, draw: random.Random) -> bytes:
    """Bytes changed, a piece cut out, doubled or moved, or the end cut off."""
    damaged = bytearray(content)
    start, length = draw.randrange(len(content)), draw.choice((1, 2, 8, 64, 512))
    piece = damaged[start : start + length]
    match draw.randrange(5):
        case 0:
            for at in range(start, min(start + length, len(damaged))):
                damaged[at] = draw.randrange(256)
        case 1:
            del damaged[start : start + length]
        case 2:
            damaged[start:start] = piece * draw.choice((1, 100))
        case 3:
            damaged[start : start + length] = bytes(piece[::-1])
        case _:
            del damaged[start:]
    return bytes(damaged)


@pytest.mark.parametrize(
    ("name", "words", "n_times"),
    [("study.zip", ("import",), 300), ("reviews.csv", ("data", "describe"), 60)],
    ids=["study.zip", "reviews.csv"],
)
def test_a_damaged_file_is_taken_or_refused_in_a_sentence(
    name: str, words: tuple[str, ...], n_times: int, project: Project, tmp_path: Path, count: Count
) -> None:
    content = (project.folder.parent / name).read_bytes()
    path = tmp_path / name
    for seed in range(n_times):
        path.write_bytes(damage(content, random.Random(seed)))
        done = project.here(*words, str(path))
        said = f"seed {seed}: {done.stdout}{done.stderr}"
        assert done.returncode in (0, 2, 3), said
        assert "Traceback" not in said
        assert "defect" not in said
        count(f"a damaged {name} {'refused' if done.returncode else 'read'}")


@pytest.mark.parametrize(
    ("name", "read", "n_times"),
    [("study.toml", load_study, 1000), ("imdb.npz", read_imdb, 300)],
    ids=["study.toml", "imdb.npz"],
)
def test_a_damaged_file_is_read_or_refused(
    name: str,
    read: Callable[[Path], object],
    n_times: int,
    project: Project,
    tmp_path: Path,
    count: Count,
) -> None:
    content = (project.folder.parent / name).read_bytes()
    path = tmp_path / name
    for seed in range(n_times):
        path.write_bytes(damage(content, random.Random(seed)))
        refusal = ""
        try:
            read(path)
        except RnnbenchError as err:
            refusal = str(err)
        assert not refusal or str(path) in refusal, f"seed {seed}: {refusal}"
        count(f"a damaged {name} {'refused' if refusal else 'read'}")


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
