"""The code of a user's own network as text, which travels with its form and is kept with its runs.

    network.json    {"entry": "net.py", "function": "build", "files": {"net.py": "…", …}}

Nothing here runs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from rnnbench.formats import FormatError, parse_json

NETWORK_FILE = "network.json"
MOST_SOURCE_BYTES = 2**20  # of all files of a network; the largest module of Keras has 0.1 MB
MOST_SOURCE_FILES = 100
MOST_OF_A_NETWORK_NAME = 100


@dataclass(frozen=True, slots=True)
class Source:
    """A function that builds a network, with all files that it needs.

    Args:
        entry: the file that holds the function, one of `files`.
        files: by name, relative to the folder of the entry, their text.
    """

    entry: str
    function: str
    files: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        names = [name for name, _ in self.files]
        if self.entry not in names or len(names) > len(set(names)):
            raise FormatError("it does not hold the file of its function once")
        if len(names) > MOST_SOURCE_FILES or not all(map(_is_file_name, names)):
            raise FormatError("it holds files that no network has")
        if not self.function.isidentifier():
            raise FormatError("it names no function")
        if sum(len(text.encode()) for _, text in self.files) > MOST_SOURCE_BYTES:
            raise FormatError(f"it has more than {MOST_SOURCE_BYTES:,} bytes of code")

    def modules(self) -> Mapping[str, tuple[str, str]]:
        """Each file by the name that an import has for it: its name and its text."""
        return {module_name(name): (name, text) for name, text in self.files}

    def to_json(self) -> bytes:
        """The content of `network.json`."""
        values = {"entry": self.entry, "function": self.function, "files": dict(self.files)}
        return (json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> Source:
        """The source that `to_json` wrote.

        Raises:
            FormatError: it is something else.
        """
        values = parse_json(content, most_values=1000)
        try:
            entry, function, files = (values[key] for key in ("entry", "function", "files"))
            texts = (entry, function, *files.keys(), *files.values())
        except (AttributeError, KeyError, TypeError) as err:
            raise FormatError("it is not what rnnbench writes there") from err
        if not all(isinstance(text, str) for text in texts):
            raise FormatError("its code is not text")
        return cls(entry, function, tuple(sorted(files.items())))


def module_name(file: str) -> str:
    """What an import calls a file: `layers.mean` for `layers/mean.py`."""
    parts = PurePosixPath(file).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def _is_file_name(name: str) -> bool:
    parts = PurePosixPath(name).parts
    is_plain = name.isprintable() and len(name) <= 2 * MOST_OF_A_NETWORK_NAME
    return is_plain and bool(parts) and not ({"..", "/"} & {*parts}) and not re.search(r"\\", name)
