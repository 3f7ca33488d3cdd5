"""The documentation says what the program does: its reference is current, its commands work."""

from __future__ import annotations

import importlib.util
import shlex
from types import ModuleType

import pytest
from documented import DOCS, documented_commands


def load_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["commands.md", "python.md"])
def test_the_reference_is_what_the_program_says_of_itself(name: str) -> None:
    made = load_maker().pages()[name]
    assert (DOCS / "reference" / name).read_text("utf-8") == made, "python docs/make_reference.py"


def test_there_are_commands_in_the_documentation() -> None:
    assert len(documented_commands()) > 20


@pytest.mark.parametrize("command", documented_commands())
def test_a_documented_command_is_one(command: str) -> None:
    """Every word of it is known to the parser; `test_documented_commands_work` runs them."""
    from typer.main import get_command

    from rnnbench.cli import app

    words = [word for word in shlex.split(command)[1:] if word not in ("--quiet", "--debug")]
    group = get_command(app)
    while hasattr(group, "commands") and words and words[0] in group.commands:
        group = group.commands[words.pop(0)]
    group.make_context("rnnbench", words, resilient_parsing=False)
