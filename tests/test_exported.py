"""Each module says what it offers, offers it, and is used by nothing else."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import rnnbench

NAMES = [
    found.name
    for found in pkgutil.walk_packages(rnnbench.__path__, "rnnbench.")
    if not found.ispkg and found.name != "rnnbench.__main__"
]


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_all_is_there(name: str) -> None:
    module = load(name)
    assert module.__all__, "a module without a public name is dead"
    assert [public for public in module.__all__ if not hasattr(module, public)] == []


@pytest.mark.parametrize("name", NAMES)
def test_all_names_nothing_twice_and_nothing_private(name: str) -> None:
    public = load(name).__all__
    assert len(set(public)) == len(public)
    assert not [item for item in public if item.startswith("_")]


@pytest.mark.parametrize("name", NAMES)
def test_what_modules_take_from_each_other_is_public(name: str) -> None:
    path = load(name).__file__
    assert path is not None
    taken = [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(Path(path).read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rnnbench.")
        for alias in node.names
        if f"{node.module}.{alias.name}" not in NAMES
    ]
    modules = {module: load(module) for module, _ in taken}
    hidden = [
        f"{module}.{item}"
        for module, item in taken
        if hasattr(modules[module], "__all__") and item not in modules[module].__all__
    ]
    assert hidden == []
