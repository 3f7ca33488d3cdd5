"""Small files and words that ask for a great deal, each with what `rnnbench` is asked to do."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from made_archives import RUN, Contents, change_archive, make_archive, zipped

__all__ = ["CASES"]

HISTORY = "epoch,loss,accuracy,val_loss,val_accuracy,epoch_seconds,ended_at\n"


def _archive(
    folder: Path,
    alter: Callable[[Contents, dict[str, Any]], None] = lambda *_: None,
    manifest_bytes: Callable[[dict[str, Any]], bytes] | None = None,
) -> list[str]:
    path = change_archive(make_archive(folder / "study.zip"), alter, manifest_bytes)
    return ["import", str(path)]


def _predictions(folder: Path, shape: tuple[int, ...], n_bytes: int) -> list[str]:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f2", "fortran_order": False, "shape": shape}
    )

    def alter(contents: Contents, _: Any) -> None:
        member = header.getvalue() + bytes(n_bytes)
        contents[f"{RUN}/predictions.npz"] = zipped({"probability.npy": member})

    return _archive(folder, alter)


def negative_shape(folder: Path) -> list[str]:
    return _predictions(folder, (-1000,), 200 * 2**20)


def long_npy_header(folder: Path) -> list[str]:
    def alter(contents: Contents, _: Any) -> None:
        member = b"\x93NUMPY\x02\x00" + (2**29).to_bytes(4, "little") + b" " * 2**29
        contents[f"{RUN}/predictions.npz"] = zipped({"probability.npy": member})

    return _archive(folder, alter)


def many_epochs(folder: Path) -> list[str]:
    def alter(contents: Contents, _: Any) -> None:
        row = "0.5,0.7,0.6,0.7,1.0,1700000000.0"
        rows = "".join(f"{epoch},{row}\n" for epoch in range(1, 100_001))
        contents[f"{RUN}/history.csv"] = f"{HISTORY}{rows}".encode()
        result = json.loads(contents[f"{RUN}/result.json"])
        contents[f"{RUN}/result.json"] = json.dumps(result | {"epochs": 100_000}).encode()

    return _archive(folder, alter)


def manifest_of_objects(folder: Path) -> list[str]:
    def text(manifest: dict[str, Any]) -> bytes:
        return json.dumps(manifest)[:-1].encode() + b', "x": [' + b"{}," * 33_000_000 + b"{}]}"

    return _archive(folder, manifest_bytes=text)


def deep_manifest(folder: Path) -> list[str]:
    def text(manifest: dict[str, Any]) -> bytes:
        return (
            json.dumps(manifest)[:-1].encode() + b', "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
        )

    return _archive(folder, manifest_bytes=text)


def many_members(folder: Path) -> list[str]:
    path = folder / "study.zip"
    with zipfile.ZipFile(path, "w") as file:
        for n in range(300_000):
            file.writestr(f"{n}", b"")
    return ["import", str(path)]


def declared_grid(folder: Path) -> list[str]:
    def alter(contents: Contents, _: Any) -> None:
        values = list(range(1, 1001))
        grid = {"units": values, "depth": values, "dropout": [n / 2000 for n in values]}
        item = {"declared_at": 1.0, "declaration": {"hyperparameters": grid}}
        contents["study.json"] = json.dumps([item]).encode()

    return _archive(folder, alter)


def declared_text(folder: Path) -> list[str]:
    def alter(contents: Contents, _: Any) -> None:
        item = {"declared_at": 1.0, "declaration": {"description": "long " * 3_000_000}}
        contents["study.json"] = json.dumps([item]).encode()

    return _archive(folder, alter)


def fifo(folder: Path) -> list[str]:
    os.mkfifo(folder / "study.zip")
    return ["import", str(folder / "study.zip")]


def endless_device(folder: Path) -> list[str]:
    return ["import", "/dev/zero"]


def full_device(folder: Path) -> list[str]:
    return ["import", "/dev/full"]


def import_of_a_folder(folder: Path) -> list[str]:
    return ["import", str(folder)]


def study_of_1000_cubed(folder: Path) -> list[str]:
    values = list(range(1, 1001))
    text = f"""name = "cube"
architectures = ["lstm"]
seeds = 1000
[hyperparameters]
units = {values}
embedding_size = {values}
"""
    return _plan(folder, text)


def _plan(folder: Path, text: str) -> list[str]:
    (folder / "study.toml").write_text(text)
    return ["plan", "--study", str(folder / "study.toml"), "--dataset", "synthetic"]


HEAD = 'name = "big"\narchitectures = ["lstm"]\nseeds = 2\n'


def study_with_a_seed_of_1e12(folder: Path) -> list[str]:
    return _plan(folder, HEAD.replace("seeds = 2", f"seeds = [{10**12}]"))


def study_of_1e12_seeds(folder: Path) -> list[str]:
    return _plan(folder, HEAD.replace("seeds = 2", f"seeds = {10**12}"))


def study_with_max_len(folder: Path) -> list[str]:
    return _plan(folder, HEAD + f"[data]\nmax_len = {10**9}\n")


def study_with_num_words(folder: Path) -> list[str]:
    return _plan(folder, HEAD + f"[data]\nnum_words = {10**9}\n")


def study_with_units(folder: Path) -> list[str]:
    return _plan(folder, HEAD + f"[hyperparameters]\nunits = {10**9}\n")


def study_with_depth(folder: Path) -> list[str]:
    return _plan(folder, HEAD + f"[hyperparameters]\ndepth = {10**8}\n")


def study_with_epochs(folder: Path) -> list[str]:
    return _plan(folder, HEAD + f"[recipe]\nepochs = {10**9}\n")


def study_with_batch_size(folder: Path) -> list[str]:
    return _plan(folder, HEAD + f"[recipe]\nbatch_size = {10**9}\n")


def study_nested_deep(folder: Path) -> list[str]:
    return _plan(folder, HEAD + "description = " + "[" * 5000 + "]" * 5000 + "\n")


def study_with_a_long_number(folder: Path) -> list[str]:
    return _plan(folder, HEAD + "margin_points = " + "1" * 5000 + "\n")


def study_of_many_megabytes(folder: Path) -> list[str]:
    return _plan(folder, HEAD + "".join(f"a{n}.b.c = {n}\n" for n in range(1_000_000)))


def study_fifo(folder: Path) -> list[str]:
    os.mkfifo(folder / "study.toml")
    return ["plan", "--study", str(folder / "study.toml")]


def study_device(folder: Path) -> list[str]:
    (folder / "study.toml").symlink_to("/dev/zero")
    return ["plan", "--study", str(folder / "study.toml")]


def seeds_option(folder: Path) -> list[str]:
    return ["plan", "lstm", "--dataset", "synthetic", "--seeds", "1000000000"]


def epochs_option(folder: Path) -> list[str]:
    return ["plan", "lstm", "--dataset", "synthetic", "--epochs", "1000000000"]


def workers_option(folder: Path) -> list[str]:
    return ["plan", "lstm", "--dataset", "synthetic", "--workers", "1000000000"]


def lanes_option(folder: Path) -> list[str]:
    return ["plan", "lstm", "--dataset", "synthetic", "--engine", "fleet", "--lanes", str(10**9)]


def budget_option(folder: Path) -> list[str]:
    return ["plan", "lstm", "--dataset", "synthetic", "--budget", "9" * 400 + "h"]


def trials_option(folder: Path) -> list[str]:
    return ["tune", "lstm", "--dataset", "synthetic", "--trials", "1000000000"]


def tuning_seeds_option(folder: Path) -> list[str]:
    return ["tune", "lstm", "--dataset", "synthetic", "--tuning-seeds", "1000000000"]


def space_nested_deep(folder: Path) -> list[str]:
    (folder / "space.toml").write_text("units = " + "[" * 5000 + "]" * 5000 + "\n")
    return ["tune", "lstm", "--dataset", "synthetic", "--space", str(folder / "space.toml")]


def space_with_a_long_number(folder: Path) -> list[str]:
    (folder / "space.toml").write_text("units = [8, " + "1" * 5000 + "]\n")
    return ["tune", "lstm", "--dataset", "synthetic", "--space", str(folder / "space.toml")]


def space_of_large_units(folder: Path) -> list[str]:
    (folder / "space.toml").write_text("units = { low = 8, high = 1000000000 }\n")
    return ["tune", "lstm", "--dataset", "synthetic", "--space", str(folder / "space.toml")]


def timing_repeats(folder: Path) -> list[str]:
    return ["timing", "lstm", "--repeats", "1000000000"]


def timing_units(folder: Path) -> list[str]:
    return ["timing", "lstm", "--units", "1000000000", "--repeats", "1"]


def timing_batch_size(folder: Path) -> list[str]:
    return ["timing", "lstm", "--batch-size", "1000000000", "--repeats", "1"]


def _session(folder: Path, **values: Any) -> list[str]:
    session = {
        "format": "rnnbench timing",
        "version": 1,
        "id": "a",
        "began_at": "2026-01-01",
        "command": "rnnbench timing",
        "repeats": 1,
        "seed": 0,
        "machine": {},
        "versions": {},
        "arms": [],
    }
    text = json.dumps(session | values).replace('"1e999"', "1e999")
    (folder / "session.json").write_text(text)
    return ["timing", "--import", str(folder / "session.json")]


def session_infinite(folder: Path) -> list[str]:
    return _session(folder, repeats="1e999")


def session_of_many_values(folder: Path) -> list[str]:
    return _session(folder, arms=[[]] * 12_000_000)


def parquet_dictionary(folder: Path) -> list[str]:
    import pyarrow
    import pyarrow.parquet

    texts = pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([0] * 20_000, pyarrow.int32()), pyarrow.array(["x" * 100_000])
    )
    table = pyarrow.table({"text": texts, "label": ["a", "b"] * 10_000})
    pyarrow.parquet.write_table(table, folder / "texts.parquet", compression="zstd")
    return ["data", "describe", str(folder / "texts.parquet")]


def parquet_rows(folder: Path) -> list[str]:
    import pyarrow
    import pyarrow.parquet

    n_rows = 60_000_000
    one = pyarrow.array(["x"])
    texts = pyarrow.DictionaryArray.from_arrays(pyarrow.array(np.zeros(n_rows, np.int32)), one)
    table = pyarrow.table({"text": texts, "label": texts})
    pyarrow.parquet.write_table(table, folder / "texts.parquet", compression="zstd")
    return ["data", "describe", str(folder / "texts.parquet")]


def csv_device(folder: Path) -> list[str]:
    (folder / "texts.csv").symlink_to("/dev/zero")
    return ["data", "describe", str(folder / "texts.csv")]


def csv_fifo(folder: Path) -> list[str]:
    os.mkfifo(folder / "texts.csv")
    return ["data", "describe", str(folder / "texts.csv")]


def csv_of_one_line(folder: Path) -> list[str]:
    with open(folder / "texts.csv", "wb") as file:
        file.truncate(8 * 2**30)  # a hole
    return ["data", "describe", str(folder / "texts.csv")]


def json_lines_of_one_line(folder: Path) -> list[str]:
    with open(folder / "texts.jsonl", "wb") as file:
        file.truncate(8 * 2**30)  # a hole
    return ["data", "describe", str(folder / "texts.jsonl")]


def json_lines_of_lists(folder: Path) -> list[str]:
    line = b'{"text": "a", "label": "b", "x": [' + b"[]," * 30_000_000 + b"[]]}\n"
    (folder / "texts.jsonl").write_bytes(line)
    return ["data", "describe", str(folder / "texts.jsonl")]


def _rows(folder: Path, text: str, label: str) -> list[str]:
    rows = [f'{{"text": "{text} {n}", "label": {label if n % 2 else 1}}}' for n in range(60)]
    (folder / "texts.jsonl").write_text("\n".join(rows))
    return ["data", "describe", str(folder / "texts.jsonl")]


def json_lines_with_half_a_pair(folder: Path) -> list[str]:
    return _rows(folder, "\\ud800", "0")


def json_lines_with_a_long_number(folder: Path) -> list[str]:
    return _rows(folder, "a", "1" * 5000)


def json_lines_nested_deep(folder: Path) -> list[str]:
    return _rows(folder, "a", "[" * 5000 + "]" * 5000)


def label_of_4400_digits(folder: Path) -> list[str]:
    rows = [f"text {n},{'1' * 4400 if n % 2 else 1}" for n in range(60)]
    (folder / "texts.csv").write_text("\n".join(["text,label", *rows]))
    return ["data", "describe", str(folder / "texts.csv")]


def dataset_with_a_long_name(folder: Path) -> list[str]:
    return ["plan", "lstm", "--dataset", "x" * 5000]


def csv_with_a_long_name(folder: Path) -> list[str]:
    return ["data", "describe", "x" * 5000 + ".csv"]


def study_with_a_long_name(folder: Path) -> list[str]:
    return ["plan", "--study", "x" * 5000]


def archive_with_a_long_name(folder: Path) -> list[str]:
    return ["import", "x" * 5000]


def claims_with_a_long_name(folder: Path) -> list[str]:
    return ["report", "--claims", "x" * 5000]


CASES: tuple[Callable[[Path], list[str]], ...] = (
    negative_shape,
    long_npy_header,
    many_epochs,
    manifest_of_objects,
    deep_manifest,
    many_members,
    declared_grid,
    declared_text,
    fifo,
    endless_device,
    full_device,
    import_of_a_folder,
    study_of_1000_cubed,
    study_with_a_seed_of_1e12,
    study_of_1e12_seeds,
    study_with_max_len,
    study_with_num_words,
    study_with_units,
    study_with_depth,
    study_with_epochs,
    study_with_batch_size,
    study_nested_deep,
    study_with_a_long_number,
    study_of_many_megabytes,
    study_fifo,
    study_device,
    seeds_option,
    epochs_option,
    workers_option,
    lanes_option,
    budget_option,
    trials_option,
    tuning_seeds_option,
    space_nested_deep,
    space_with_a_long_number,
    space_of_large_units,
    timing_repeats,
    timing_units,
    timing_batch_size,
    session_infinite,
    session_of_many_values,
    parquet_dictionary,
    parquet_rows,
    csv_device,
    csv_fifo,
    csv_of_one_line,
    json_lines_of_one_line,
    json_lines_of_lists,
    json_lines_with_half_a_pair,
    json_lines_with_a_long_number,
    json_lines_nested_deep,
    label_of_4400_digits,
    dataset_with_a_long_name,
    csv_with_a_long_name,
    study_with_a_long_name,
    archive_with_a_long_name,
    claims_with_a_long_name,
)
