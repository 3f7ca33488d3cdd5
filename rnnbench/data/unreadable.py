"""What to do with data that the program does not read as it is."""

from pathlib import Path
from shlex import quote
from typing import NoReturn

from rnnbench.data.inputs import SUFFIXES
from rnnbench.errors import DataError, UsageError
from rnnbench.formats import why_failed

_KINDS = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
_READABLE = (
    f"what can be read is a {_KINDS} file with a column of texts and one of classes, or a folder "
    "with a folder of .txt files for each class"
)
SEVERAL_FILES = "use --train FILE and --test FILE, or a column split in one file"

_UNPACK = {
    ".gz": "gunzip -k {}",
    ".bz2": "bunzip2 -k {}",
    ".xz": "unxz -k {}",
    ".zst": "unzstd {}",
    ".zip": "unzip {}",
    ".tar": "tar xf {}",
    ".tgz": "tar xf {}",
}
_OTHERS = {
    ".txt": "is plain text; if a tab separates its columns, give it the ending .tsv, otherwise "
    "write its texts and their classes into the columns of a .csv file",
    ".json": "is one JSON value; write an object a line instead, and give it the ending .jsonl",
    ".pkl": "is a pickle, which could run code and is never read; save it as .parquet or .csv",
    ".arff": "is an ARFF file; save it as .csv",
}
_OTHERS |= dict.fromkeys((".xls", ".ods"), "is a spreadsheet; save it as .xlsx or CSV")
_OTHERS[".pickle"] = _OTHERS[".pkl"]


def refuse_unnamable(choice: str) -> None:
    """Raise a sentence for what no disk can hold, about which it cannot even be asked.

    Raises:
        DataError: the name is too long.
    """
    try:
        Path(choice).stat()
    except FileNotFoundError:
        return
    except OSError as err:
        raise DataError(f"{choice[:100]} cannot be read: {why_failed(err)}") from err


def refuse_unreadable(choice: str) -> NoReturn:
    """Say what came, and what can be read instead.

    Raises:
        DataError: there is nothing of that path.
        UsageError: there is something else.
    """
    if "://" not in choice and not Path(choice).exists():
        raise DataError(_tell_missing(choice))
    raise UsageError(_tell_unreadable(choice))


def tell_test_file(path: Path) -> tuple[str, ...]:
    """A sentence where a file `test.csv` beside `train.csv` would be passed over in silence."""
    other = path.with_name(path.name.replace("train", "test"))
    if other == path or not other.is_file():
        return ()
    return (f"{other.name} is not read; to test on it: --train {path.name} --test {other.name}",)


def _tell_missing(choice: str) -> str:
    if "," in choice:
        return f"there is no file {choice}; of several files, {SEVERAL_FILES}"
    is_usual = Path(choice).suffix.lower() in (*SUFFIXES, ".npz")
    return f"there is no file {choice}" + ("" if is_usual else f"; {_READABLE}")


def _tell_unreadable(choice: str) -> str:
    path = Path(choice)
    if choice == "/dev/stdin":
        return "standard input is named -, as in: --dataset -"
    if "://" in choice:
        return f"{choice} is an address; download the file and name that: {_READABLE}"
    if path.is_dir():
        return _tell_folder(path)
    ending = path.suffix.lower()
    if ending in _UNPACK:
        unpack = _UNPACK[ending].format(quote(choice))
        return f"{path} is packed; unpack it ({unpack}) and name what comes out"
    if ending in _OTHERS:
        return f"{path} {_OTHERS[ending]}"
    return f"{path} does not have the ending of a file of labelled texts; {_READABLE}"


def _tell_folder(path: Path) -> str:
    names = sorted(item.name for item in path.iterdir() if not item.name.startswith("."))
    files = [name for name in names if Path(name).suffix.lower() in SUFFIXES]
    if len(files) == 1:
        return f"{path} is a folder; name the file in it: {path / files[0]}"
    if files:
        return f"{path} is a folder of several files ({_list(files)}); name one, or {SEVERAL_FILES}"
    folders = [name for name in names if (path / name).is_dir()]
    if folders:
        return (
            f"{path} is a folder of folders ({_list(folders)}) without .txt files; put a text a "
            "file into a folder for each class, or write them into a .csv file"
        )
    return f"{path} is a folder without an imdb.npz; {_READABLE}"


def _list(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
