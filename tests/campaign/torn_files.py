"""Every file of a project's ledger torn in turn, and what each command makes of that."""

from __future__ import annotations

import random
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["COMMANDS", "Outcome", "is_told", "ledger_files", "tear_each", "ways_to_tear"]

Command = Callable[..., "subprocess.CompletedProcess[str]"]

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("list", "runs"),
    ("list", "--csv"),
    ("show", "lstm(units=2)"),
    ("export", "small", "torn.zip"),
    ("report", "small"),
)
"""What is run on a torn ledger; `run` comes last, for it mends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command made of a torn file.

    Args:
        file: below the ledger's folder.
        way: how it was torn.
        said: standard output and standard error.
    """

    file: str
    way: str
    words: tuple[str, ...]
    code: int
    said: str

    @property
    def is_crash(self) -> bool:
        """Whether it ended in anything but a sentence and a code that says what it means."""
        allowed = (0, 2, 3)
        return (
            self.code not in allowed or "bug in rnnbench" in self.said or "Traceback" in self.said
        )

    def __str__(self) -> str:
        return f"{self.file} {self.way}: {' '.join(self.words)} → {self.code}\n{self.said}"


def ledger_files(ledger: Path) -> list[str]:
    """Every file of a ledger, below its folder; of files that runs share, one run's."""
    files = [path.relative_to(ledger) for path in sorted(ledger.rglob("*")) if path.is_file()]
    kinds: dict[str, str] = {}
    for path in files:
        if path.parts[0] != "archive":
            kinds.setdefault(f"{path.parts[0]} {len(path.parts)} {path.name}", str(path))
    return list(kinds.values())


def ways_to_tear(content: bytes, seed: int = 0) -> Iterator[tuple[str, bytes | None]]:
    """Contents that a file may have instead, by what was done; None is a link to elsewhere."""
    draw = random.Random(seed)
    yield "empty", b""
    for share in (0.3, 0.7, 0.95):
        yield f"cut at {share:.0%}", content[: int(len(content) * share)]
    flipped = bytearray(content)
    for _ in range(min(8, len(content))):
        flipped[draw.randrange(len(content))] = draw.randrange(256)
    yield "bytes flipped", bytes(flipped)
    yield "zero bytes", bytes(len(content))
    yield "random bytes", draw.randbytes(max(len(content), 64))
    for text in ("{}", "[]", "null", "3", '"text"', "[" * 100_000, '{"form": 1}', "[[1]]"):
        yield f"JSON {text[:12]}", text.encode()
    yield "a link", None


def tear_each(
    project: Path,
    scratch: Path,
    command: Callable[[Path], Command],
    *,
    repair: tuple[str, ...] = (),
    wanted: Callable[[str], bool] = lambda _: True,
) -> Iterator[Outcome]:
    """Tear each file of a copy of the project in each way; what every command said.

    Args:
        scratch: where the copy is made anew for each torn file.
        command: the folder of a project → a function that runs `rnnbench` with words there.
        repair: words of a last command, after which nothing must be torn any longer.
        wanted: which files, by their path below the ledger's folder.
    """
    for name in filter(wanted, ledger_files(project / ".rnnbench")):
        for way, content in ways_to_tear((project / ".rnnbench" / name).read_bytes()):
            copy = _copy(project, scratch)
            _put(copy / ".rnnbench" / name, content, scratch / "elsewhere")
            for words in (*COMMANDS, *([repair] if repair else [])):
                done = command(copy)(*words)
                yield Outcome(
                    file=name,
                    way=way,
                    words=words,
                    code=done.returncode,
                    said=done.stdout + done.stderr,
                )
                (copy / "torn.zip").unlink(missing_ok=True)
            shutil.rmtree(copy)


def is_told(outcome: Outcome) -> bool:
    """Whether a command named the file."""
    return outcome.file in outcome.said.replace("\n", "")


def _copy(project: Path, scratch: Path) -> Path:
    copy = scratch / uuid.uuid4().hex  # MLflow keeps a database of this process open
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("reports"))
    return copy


def _put(path: Path, content: bytes | None, elsewhere: Path) -> None:
    if content is None:
        shutil.copyfile(path, elsewhere)
        path.unlink()
        path.symlink_to(elsewhere)
    else:
        path.write_bytes(content)
