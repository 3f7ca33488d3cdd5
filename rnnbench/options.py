"""Options that commands share, and how their text is read."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from rnnbench.errors import UsageError
from rnnbench.output.characters import plain
from rnnbench.tracking.addresses import mask

__all__ = [
    "Backend",
    "Dataset",
    "Device",
    "DropDuplicates",
    "DropUnlabelled",
    "Encoding",
    "Epochs",
    "Json",
    "LabelColumn",
    "NamedOrAll",
    "Names",
    "Quotes",
    "Separator",
    "SplitColumn",
    "SplitSeed",
    "TestFraction",
    "TextColumn",
    "Workers",
    "WorkersPerGpu",
    "given",
    "here",
    "numbers",
    "own_data",
    "switches",
    "this_command",
    "whole_numbers",
    "words",
]

N = TypeVar("N", int, float)

Dataset = Annotated[
    str | None,
    typer.Option(
        help="auto, imdb, synthetic, synthetic-full, the path of an imdb.npz, or a file of your "
        "own: .csv, .tsv, .jsonl or .parquet. auto takes IMDB where it can be had. "
        "RNNBENCH_DATA names an imdb.npz or its folder."
    ),
]

TextColumn = Annotated[
    str | None,
    typer.Option(help="Of your file, the column with the texts; inferred if unambiguous."),
]
LabelColumn = Annotated[
    str | None, typer.Option(help="Of your file, the column with the classes; inferred likewise.")
]
SplitColumn = Annotated[
    str | None, typer.Option(help="Of your file, the column with train, validation and test.")
]
Separator = Annotated[str | None, typer.Option(help="Between the columns of your CSV file.")]
Encoding = Annotated[
    str | None, typer.Option(help="Of your file, such as latin-1. Default: UTF-8, or else cp949.")
]
TestFraction = Annotated[
    float | None, typer.Option(help="Of your rows, the share to test on. Default: 0.2.")
]
SplitSeed = Annotated[
    int | None, typer.Option(help="Of the split of your rows, stratified by class. Default: 42.")
]
Quotes = Annotated[
    bool | None,
    typer.Option(
        "--quotes/--no-quotes",
        help="Whether double quotes hold a field of your CSV or TSV file together. Default: yes; "
        "with tabs, unless they would join lines that are rows.",
    ),
]
DropUnlabelled = Annotated[
    bool | None,
    typer.Option("--drop-unlabelled", help="Leave out your rows without a label."),
]
DropDuplicates = Annotated[
    bool | None,
    typer.Option("--drop-duplicates", help="Leave out your rows that an earlier part has too."),
]

Backend = Annotated[str, typer.Option(help="auto, jax, tensorflow or torch.")]
Device = Annotated[str, typer.Option(help="auto, cpu or gpu.")]
Epochs = Annotated[int | None, typer.Option(help="At most this many epochs a run.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]
NamedOrAll = Annotated[
    bool, typer.Option("--all", help="lstm, lstm-dropout, lstm-stacked and gru.")
]
Names = Annotated[list[str] | None, typer.Argument(help="Names, as `rnnbench list` shows them.")]
Workers = Annotated[
    int | None, typer.Option(help="Runs at once. Default: one a usable core, or one a GPU.")
]
WorkersPerGpu = Annotated[int, typer.Option(help="Runs at once on each GPU.")]


def whole_numbers(option: str, text: str | None) -> tuple[int, ...]:
    """`4,8,16` as whole numbers; empty for None."""
    return _parse(option, text, int, "whole numbers like 4,8,16")


def numbers(option: str, text: str | None) -> tuple[float, ...]:
    """`0,0.3` as numbers; empty for None."""
    return _parse(option, text, float, "numbers like 0,0.3")


def switches(option: str, text: str | None) -> tuple[bool, ...]:
    """`on,off` as truth values; empty for None."""
    found = words(text)
    for word in found:
        if word not in ("on", "off"):
            raise UsageError(f"{option} takes on, off or on,off, got '{text}'")
    return tuple(word == "on" for word in found)


def words(text: str | None) -> tuple[str, ...]:
    """`reshuffled,frozen` as words; empty for None."""
    return tuple(part.strip() for part in text.split(",")) if text else ()


def own_data(**options: Any) -> dict[str, Any]:  # Any: option values
    """What is said of a file of the user's: the options of that name that were used."""
    if options.get("separator") == "\\t":
        options["separator"] = "\t"
    return {name: value for name, value in options.items() if value is not None}


def given(**values: tuple[Any, ...]) -> dict[str, tuple[Any, ...]]:  # Any: option values
    """Only the options that were used."""
    return {key: value for key, value in values.items() if value}


def here() -> Path:
    """The project's folder: where the command was started."""
    return Path.cwd()


def this_command() -> str:
    """The words that repeat this command, as they can be shown and kept."""
    words = [word for word in sys.argv[1:] if word not in ("--debug", "--fresh", "--quiet")]
    # The command is shown and kept; the password of a database in it is not.
    shown = [mask(word) if "://" in word else word for word in words]
    return plain(shlex.join(["rnnbench", *shown]))


def _parse(option: str, text: str | None, kind: Callable[[str], N], example: str) -> tuple[N, ...]:
    if text is None:
        return ()
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError as err:
        raise UsageError(f"{option} takes {example}, got '{text}'") from err
