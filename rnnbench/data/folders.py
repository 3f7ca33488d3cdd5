"""A folder of texts: a file each, in a folder for each class, below train and test or not."""

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnbench.data.columns import LABEL, PART_NAMES, SPLIT, TEXT
from rnnbench.data.encodings import decode
from rnnbench.data.files import reading
from rnnbench.data.inputs import MOST_FILE_BYTES
from rnnbench.data.rows import Rows, shorten
from rnnbench.errors import DataError
from rnnbench.formats import FormatError
from rnnbench.output.amounts import some

ENDING = ".txt"
MOST_FILES = 2_000_000
_UNLABELLED = ("unsup", "unsupervised", "unlabeled", "unlabelled")


@dataclass(frozen=True, slots=True)
class TextFile:
    """One text; `part` is empty where no folder says it."""

    path: str
    label: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The texts of a folder in the order of their paths, and what is passed over, in sentences."""

    files: tuple[TextFile, ...]
    notes: tuple[str, ...]


def list_texts(folder: Path) -> Listing:
    """The texts of a folder, and what else is in it; hidden files are passed over in silence.

    Raises:
        DataError: it cannot be looked into, holds too much, or something that only looks like a
            text.
    """
    with reading(folder):
        below = _subfolders(folder)
        parts = [item for item in below if item.name.casefold() in PART_NAMES]
        if not any(PART_NAMES[item.name.casefold()] == "train" for item in parts):
            return _list_classes([("", item) for item in below])
        others = [item.name for item in below if item not in parts]
        classes = [(part.name, item) for part in parts for item in _subfolders(Path(part.path))]
    found = _list_classes(classes)
    notes = (f"left out, because they are no parts: {_name(others)}",) if others else ()
    return Listing(found.files, (*notes, *found.notes))


def folder_sha256(folder: Path) -> str:
    """SHA-256 (hex) of all texts of a folder and where they lie."""
    digest = hashlib.sha256()
    for file in list_texts(folder).files:
        content = _read(file)
        name = os.path.relpath(file.path, folder)
        digest.update(f"{len(os.fsencode(name))} {len(content)} ".encode())
        digest.update(os.fsencode(name) + content)
    return digest.hexdigest()


def read_folder(folder: Path, encoding: str | None) -> Rows:
    """A row for each text: the columns `text` and `label`, and `split` if folders say it.

    Raises:
        UsageError: there is no such encoding.
        DataError: see `list_texts`; or a file cannot be read.
    """
    listing = list_texts(folder)
    texts, notes = decode({file.path: _read(file) for file in listing.files}, encoding)
    columns = {TEXT: texts, LABEL: [file.label for file in listing.files]}
    if any(file.part for file in listing.files):
        columns[SPLIT] = [file.part for file in listing.files]
    names = [os.path.relpath(file.path, folder) for file in listing.files]
    below = ", below train and test" if SPLIT in columns else ""
    how = f"read as texts in a file each, in a folder for each class{below}"
    return Rows(columns, names, unit="file", notes=(how, *listing.notes, *notes))


def _read(file: TextFile) -> bytes:
    path = Path(file.path)
    with reading(path):
        return path.read_bytes()


def _list_classes(classes: Sequence[tuple[str, os.DirEntry[str]]]) -> Listing:
    """The texts in folders of classes, each with the part that it belongs to."""
    files: list[TextFile] = []
    strange, empty, unlabelled = [], [], []
    n_bytes = 0
    for part, folder in classes:
        where = f"{part}/{folder.name}" if part else folder.name
        if folder.name.casefold() in _UNLABELLED:
            unlabelled.append(where)
            continue
        items = _visible(Path(folder.path))
        texts = [item for item in items if _is_text(item)]
        strange += [f"{where}/{item.name}" for item in items if not _is_text(item)]
        empty += [] if texts else [where]
        n_bytes += sum(_size(item) for item in texts)
        files += [TextFile(item.path, folder.name, part) for item in texts]
        if len(files) > MOST_FILES or n_bytes > MOST_FILE_BYTES:
            raise DataError(
                f"{folder.path}: with it there are more than {MOST_FILES:,} texts, or "
                f"{MOST_FILE_BYTES:,} bytes of them"
            )
    left_out = {
        "they hold no .txt file": empty,
        "their name says that their texts have no label": unlabelled,
        "they are no .txt files": strange,
    }
    notes = [f"left out, because {why}: {_name(names)}" for why, names in left_out.items() if names]
    return Listing(tuple(files), tuple(notes))


def _subfolders(folder: Path) -> list[os.DirEntry[str]]:
    """Folders in it, and links to some; a link that leads nowhere is none."""
    return [item for item in _visible(folder) if Path(item.path).is_dir()]


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder by name, but hidden files."""
    with os.scandir(folder) as items:
        return sorted(
            (item for item in items if not item.name.startswith(".")), key=lambda item: item.name
        )


def _is_text(item: os.DirEntry[str]) -> bool:
    return item.name.lower().endswith(ENDING)


def _size(text: os.DirEntry[str]) -> int:
    """In bytes; DataError for what is no plain file."""
    with reading(Path(text.path)):
        found = text.stat()
        if not stat.S_ISREG(found.st_mode):
            raise FormatError("it is not a regular file")
    return found.st_size


def _name(names: Sequence[str]) -> str:
    return some([*map(shorten, names)], 3)
