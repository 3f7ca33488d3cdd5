"""Options that say what texts are learnt from, how they are read, and what is chosen for them."""

import os
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import typer

from rnnbench.errors import UsageError
from rnnbench.options import MOST_SECONDS, given, read_text, seconds
from rnnbench.specs import is_own


def _race(text: str) -> float:
    if text.strip() == "none":
        return 0.0
    try:
        return seconds(text)
    except ValueError as err:
        raise ValueError(f"{err}, or none") from err


def _usual_race() -> float:
    return read_text("race", _race, os.environ.get("RNNBENCH_RACE") or "3m")


def _separator(text: str) -> str:
    return "\t" if text == "\\t" else text


Dataset = Annotated[
    str | None,
    typer.Option(
        help="auto, imdb, synthetic, synthetic-full, the path of an imdb.npz, or texts of your "
        "own: a .csv, .tsv, .jsonl (each also .gz), .parquet or .xlsx file, a folder with a folder "
        "for each class, or - for standard input. auto takes IMDB where it can be had. "
        "RNNBENCH_DATA names an imdb.npz or its folder."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChoices:
    """How a file of texts is read; None is to be found out."""

    panel: ClassVar = "A file of your own"

    text_column: Annotated[
        str | None,
        typer.Option(help="Column of your file with the texts; inferred when unambiguous."),
    ] = None
    separator: Annotated[
        str | None,
        typer.Option(help="What separates the columns of your CSV file; by default it is found."),
        _separator,
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(help="Encoding of your file, such as latin-1; by default it is found."),
    ] = None
    quoting: Annotated[
        str | None,
        typer.Option(
            help="minimal: double quotes hold a field of your CSV or TSV file together; none: they "
            "are characters like any other; auto, the default: minimal, unless they do not pair."
        ),
    ] = None
    sheet: Annotated[
        str | None, typer.Option(help="Sheet of your .xlsx file. Default: the first.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChoices(TextChoices):
    """How a file of labelled texts is read; None is to be found out."""

    label_column: Annotated[
        str | None,
        typer.Option(help="Column of your file with the classes; inferred when unambiguous."),
    ] = None
    strip_html: Annotated[
        bool | None, typer.Option("--strip-html", help="Take tags and entities out of the texts.")
    ] = None
    keep_labels: Annotated[
        bool | None, typer.Option("--keep-labels", help="Merge no labels that are spelled alike.")
    ] = None
    drop_unlabelled: Annotated[
        bool | None, typer.Option("--drop-unlabelled", help="Leave out rows without a label.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFileChoices(FileChoices):
    """How files of the user's are read and split; None is to be found out, or the usual value."""

    train: Annotated[
        str | None, typer.Option(help="Your file to train on: the same as --dataset.")
    ] = None
    test: Annotated[
        str | None, typer.Option(help="Your file to test on. Default: a part of the other.")
    ] = None
    validation: Annotated[
        str | None,
        typer.Option(help="Your file to validate on, with --test. Default: a part of the first."),
    ] = None
    split_column: Annotated[
        str | None,
        typer.Option(help="Column of your file that says train, validation or test."),
    ] = None
    test_fraction: Annotated[
        float | None, typer.Option(help="Share of your rows to test on. Default: 0.2.")
    ] = None
    split_seed: Annotated[
        int | None,
        typer.Option(help="Seed of the split of your rows, stratified by class. Default: 42."),
    ] = None
    drop_duplicates: Annotated[
        bool | None,
        typer.Option(
            "--drop-duplicates", help="Leave out rows whose text an earlier part has too."
        ),
    ] = None
    tokens: Annotated[
        str | None,
        typer.Option(
            help="What your texts are cut into: words, characters, subwords, or dictionary, the "
            "words that ICU finds where no spaces are between them; auto, the default, goes by "
            "their script."
        ),
    ] = None
    drop_small_classes: Annotated[
        bool | None,
        typer.Option("--drop-small-classes", help="Leave out classes of fewer than 5 rows."),
    ] = None

    def dataset(self, named: str | None) -> str | None:
        """What `--dataset` names, or else `--train`.

        Raises:
            UsageError: both do.
        """
        if named is not None and self.train is not None:
            raise UsageError(
                f"--train {self.train} and --dataset {named} name the same; use one of them"
            )
        return self.train if named is None else named

    def reading(self) -> dict[str, Any]:  # Any: values of options
        """How the files are read, by field of `OwnChoices`."""
        return {name: value for name, value in given(self).items() if name != "train"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceChoices:
    """How settings are chosen on texts of the user's own.

    Args:
        race: seconds at most; 0 for none.
    """

    panel: ClassVar = "A file of your own"

    race: Annotated[
        float,
        typer.Option(
            help="How long those of learning rate, units and embedding size that you leave open "
            "may race on the validation part of your own texts; none keeps the notes' recipe. "
            "Default: RNNBENCH_RACE, or else 3m."
        ),
        _race,
    ] = field(default_factory=_usual_race)

    def refuse_elsewhere(self, dataset: str) -> None:
        """See that nobody asked for a race on other data than texts of the user's.

        Raises:
            UsageError: somebody did.
        """
        if self.race and self.race != _usual_race() and not is_own(dataset):
            raise UsageError(
                f"--race is for texts of your own; on '{dataset}' the settings are those of the "
                "study: leave it out, or name a file or folder of yours with --dataset"
            )

    def __post_init__(self) -> None:
        if not (isinstance(self.race, int | float) and 0 <= self.race <= MOST_SECONDS):
            raise UsageError(f"race takes seconds, or a time like 3m, or none, got {self.race!r}")
