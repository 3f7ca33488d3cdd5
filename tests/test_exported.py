"""What begins with an underscore stays in its module; every other function serves others."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import rnnbench

PACKAGE = Path(rnnbench.__file__).parent
USERS = (PACKAGE, Path(__file__).parent, PACKAGE.parent / "benchmarks", PACKAGE.parent / "docs")


@cache
def modules() -> dict[Path, ast.Module]:
    paths = [path for folder in USERS for path in folder.rglob("*.py")]
    return {path: ast.parse(path.read_text("utf-8")) for path in paths}


@cache
def names_of(path: Path) -> set[str]:
    """What a module takes from others: by import, or as an attribute."""
    taken: set[str] = set()
    for node in ast.walk(modules()[path]):
        if isinstance(node, ast.ImportFrom):
            taken |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            taken.add(node.attr)
    return taken


def test_no_module_takes_what_is_private_to_another() -> None:
    taken = [
        f"{path.relative_to(PACKAGE)}: {alias.name} of {node.module}"
        for path, tree in modules().items()
        if path.is_relative_to(PACKAGE)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rnnbench")
        for alias in node.names
        if alias.name.startswith("_")
    ]
    assert taken == []


def test_every_public_function_is_used_outside_its_module() -> None:
    idle = [
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for path, tree in modules().items()
        if path.is_relative_to(PACKAGE)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if not node.decorator_list  # a decorator may have taken it: a command, a callback
        and not any(node.name in names_of(user) for user in modules() if user != path)
    ]
    assert idle == [], "begin its name with an underscore, or delete it"
