"""Writes docs/reference/: every command from its help, every function from its docstring.

    python docs/make_reference.py

A test compares the pages with what this makes, so they cannot fall behind the program.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import FunctionType
from typing import Any  # Any: Typer's commands, which are no documented classes

import typer

from rnnbench import api
from rnnbench.cli import app

FOLDER = Path(__file__).parent / "reference"


def main() -> None:
    """Write both pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """The pages by file name."""
    return {"commands.md": describe_commands(), "python.md": describe_functions()}


def describe_commands() -> str:
    """The command line as Markdown."""
    root = typer.main.get_command(app)
    lines = [
        "# Commands",
        "",
        "Made by `python docs/make_reference.py` from the program's own help.",
    ]
    lines += ["", str(root.epilog)]
    for names, command in walk(root, ()):
        lines += describe(names, command)
    return "\n".join(lines) + "\n"


def walk(command: Any, names: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    """Every command below a group, with the words that call it."""
    if not hasattr(command, "commands"):
        return [(names, command)]
    return [
        found for name, below in command.commands.items() for found in walk(below, (*names, name))
    ]


def describe(names: tuple[str, ...], command: Any) -> list[str]:
    """One command: what it does, what it takes."""
    lines = ["", f"## rnnbench {' '.join(names)}", "", inspect.cleandoc(command.help or "")]
    rows = [row for item in command.params if (row := describe_parameter(item))]
    if rows:
        lines += ["", "| | |", "| --- | --- |", *rows]
    return lines


def describe_parameter(item: Any) -> str:
    """A row of the table; empty for `--help`."""
    if item.param_type_name == "argument":
        many = "…" if item.nargs == -1 else ""
        name = (item.name or "").rstrip("_").upper()
        return f"| `{name}{many}` | {cell(getattr(item, 'help', ''))} |"
    if item.name == "help":
        return ""
    value = "" if item.is_flag else " …"
    usual = "" if item.default in (None, False, True, "") or item.is_flag else f" [{item.default}]"
    return (
        f"| `{', '.join([*item.opts, *item.secondary_opts])}{value}` | {cell(item.help)}{usual} |"
    )


def cell(text: object) -> str:
    """Text that does not end a table's cell."""
    return " ".join(str(text or "").split()).replace("|", "\\|")


def describe_functions() -> str:
    """The functions of `import rnnbench` as Markdown."""
    lines = ["# In Python", "", "Made by `python docs/make_reference.py` from the docstrings.", ""]
    lines += [
        "```python",
        "import rnnbench",
        "",
        'results = rnnbench.run("lstm", "gru", seeds=3, name="mine")',
        "print(results)",
        'print(results.frame.groupby("architecture").test_accuracy.describe())',
        "results.report()",
        'print(rnnbench.predict("gru", ["a great film", "a dull one"], study="mine"))',
        "```",
    ]
    for name in api.__all__:
        lines += describe_object(f"rnnbench.{name}", getattr(api, name))
    return "\n".join(lines) + "\n"


def describe_object(name: str, found: Any) -> list[str]:
    """A function with its signature; a class with what its objects have."""
    doc = ["", "```text", inspect.cleandoc(found.__doc__), "```"]
    if inspect.isclass(found):
        parts = [
            line
            for key, part in vars(found).items()
            if isinstance(part, property | FunctionType) and not key.startswith("_")
            for line in describe_object(f"{name}.{key}", part)
        ]
        return ["", f"## {name}", *doc, *parts]
    if isinstance(found, property):
        return ["", f"### {name}", *doc]
    # Annotations are texts, and shown without their quotes.
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(found)))
    level = "#" * (name.count(".") + 1)
    return ["", f"{level} {name}", "", "```python", f"{name}{signature}", "```", *doc]


if __name__ == "__main__":
    main()
