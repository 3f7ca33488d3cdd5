"""What a command says of itself in MLflow."""

import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

MAKER_TAGS = {"command": "rnnbench.command", "commit": "mlflow.source.git.commit"}
"""What MLflow calls what the ledger notes of a command."""


def mlflow_status(interrupted: bool, n_failed: int) -> str:
    """How a command's run is closed in MLflow; called while an exception may be on its way."""
    if interrupted:
        return "KILLED"
    return "FAILED" if n_failed or sys.exc_info()[0] is not None else "FINISHED"


def made_by(command: str, root: Path) -> dict[str, str]:
    """What the ledger notes of the command with each run: its words and the commit, if any."""
    commit = _git_commit(root)
    return {"command": command} | ({"commit": commit} if commit else {})


def tag_command(name: str, notice: str | None, maker: Mapping[str, str]) -> dict[str, str]:
    """Tags of a command's run: its study or tuning, what to beware of, and `made_by`'s words."""
    tags = {"rnnbench.study": name}
    if notice:
        tags |= {"rnnbench.notice": notice, "mlflow.note.content": notice}
    return tags | {MAKER_TAGS[key]: text for key, text in maker.items()}


def drop_options(
    words: Sequence[str], with_value: Collection[str], flags: Collection[str] = ()
) -> list[str]:
    """A command's words without some options, written `--option value` or `--option=value`."""
    given, kept = list(words), list[str]()
    while given:
        word = given.pop(0)
        if word in with_value:
            given = given[1:]
        elif word not in flags and word.partition("=")[0] not in with_value:
            kept.append(word)
    return kept


def _git_commit(root: Path) -> str | None:
    """The commit that the folder is at; None outside a repository."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() if found.returncode == 0 else None
