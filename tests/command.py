"""The command line in the test's own process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from rnnbench.cli.main import main

__all__ = ["Answer", "call_command"]


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def call_command(
    words: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Answer:
    """`rnnbench` with these words, as the installed command does it."""
    monkeypatch.setattr(sys, "argv", ["rnnbench", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    code = ended.value.code or 0
    assert isinstance(code, int)
    return Answer(code, captured.out, captured.err)
