"""Commands on every kind of console: encodings, full, closed and broken outputs."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from project import PATIENCE_S, Project

__all__ = [
    "ASCII",
    "CONSOLES",
    "HOSTILE",
    "Console",
    "Said",
    "run_on",
    "script_on",
    "write_reviews",
]

HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b3J\u202e\u2066\u200b한국어 ±\n\t"
"""Of a label: a terminal's title, a cleared screen, text turned round, letters, a line's end."""

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
EVERYWHERE = {"PYTHONIOENCODING": "utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Where a command writes.

    Args:
        redirect: as a shell takes it.
        has_reader: whether anybody reads from the pipe that is its standard output.
        codes: exit codes beside those of the work itself.
    """

    name: str
    encoding: str = "utf-8"
    environment: Mapping[str, str] = field(default_factory=lambda: EVERYWHERE)
    redirect: str = ""
    has_reader: bool = True
    codes: tuple[int, ...] = ()


CONSOLES = (
    Console(name="UTF-8"),
    Console(name="cp949", encoding="cp949", environment={"PYTHONIOENCODING": "cp949"}),
    Console(name="ASCII", encoding="ascii", environment=ASCII),
    Console(name="a full disk", redirect=">/dev/full", codes=(3,)),
    Console(name="a full disk for all", redirect=">/dev/full 2>&1", codes=(3,)),
    Console(name="an ASCII one that is full", environment=ASCII, redirect=">/dev/full", codes=(3,)),
    Console(name="closed", redirect=">&-"),
    Console(name="nothing open", redirect="<&- >&- 2>&-"),
    Console(name="a reader that has left", has_reader=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said on a console, and how it ended."""

    console: Console
    words: tuple[str, ...]
    code: int
    out: bytes
    err: bytes

    def faults(self, code: int = 0) -> Iterator[str]:
        """What is wrong with it, if its work ends with `code`."""
        text = (self.out + self.err).decode(self.console.encoding, "surrogateescape")
        if self.code not in (code, *self.console.codes):
            yield f"exit code {self.code}"
        if "Traceback" in text or "bug in rnnbench" in text or "Exception ignored" in text:
            yield "an unexpected error"
        if hidden := {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs")} - {"\n"}:
            yield f"characters {hidden!r}"
        if self.code == 3 and self.err.count(b"\n") > 1 + self.err.count(b"warning: "):
            yield "more than a sentence"
        if "--json" in self.words and self.out and not _is_json(text):
            yield "no JSON"

    def __str__(self) -> str:
        said = (self.out + self.err).decode(self.console.encoding, "backslashreplace")
        return f"{self.console.name}: {self.words} → {self.code}\n{said[-2000:]}"


def run_on(console: Console, project: Project, *words: str) -> Said:
    """`rnnbench` with these words, written to that console."""
    return script_on(console, project, "-m", "rnnbench", *words)


def script_on(
    console: Console, project: Project, *arguments: str, stdin: bytes | None = None
) -> Said:
    """Python with these arguments, likewise."""
    command = ["sh", "-c", f'exec "$@" {console.redirect}', "sh", sys.executable, *arguments]
    reader, writer = os.pipe()
    if not console.has_reader:
        os.close(reader)
    with subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environment | console.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if console.has_reader else writer,
        stderr=subprocess.PIPE,
    ) as process:
        out, err = process.communicate(stdin or b"", timeout=PATIENCE_S)
    os.close(writer)
    if console.has_reader:
        os.close(reader)
    return Said(
        console=console, words=arguments, code=process.returncode, out=out or b"", err=err or b""
    )


def write_reviews(path: Path, n_rows: int = 120) -> None:
    """Labelled texts of which labels, words and the name of a third column are hostile."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "note\u202e\x1b[31m"])
        for n in range(n_rows):
            word, label = ("lovely", f"good{HOSTILE}") if n % 2 else ("dull", "bad\u200b")
            writer.writerow([f"a {word} film of {n % 7} \x1b[2J", label, n])


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
