"""The network of a function object: of a file that was imported, a notebook's cell or a script."""

from __future__ import annotations
import __future__

import ast
import builtins
import dis
import importlib
import inspect
import linecache
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from rnnbench.errors import StudyError
from rnnbench.networks.live import refuse_changed
from rnnbench.networks.reading import (
    NOTEBOOK,
    Network,
    gather_around,
    network_of,
    read_network,
    read_networks,
)

_HINT = "give it to the function as an argument, make it inside the function, or use a file"


def find_networks(
    architectures: Iterable[str | Callable[..., object]],
) -> list[str | Network]:
    """What a study takes: names of architectures as they are, files and functions as networks.

    Raises:
        StudyError: see `read_network` and `read_network`.
    """
    return read_networks(
        given if isinstance(given, str) else _network_of_function(given) for given in architectures
    )


def _network_of_function(function: Callable[..., object]) -> Network:
    """The network that a function builds, as `rnnbench.run(build)` takes it.

    Of a function of the running script or notebook, its source is gathered with what it uses
    there: imports, functions, classes and plain values. Nothing of a script is run again.

    Raises:
        StudyError: it is no function with a `def` of its own, or uses what cannot be kept.
    """
    name = getattr(function, "__name__", type(function).__name__)
    if not isinstance(function, FunctionType) or name == "<lambda>":
        raise StudyError(f"{name} builds no network; give a function that was made with def")
    if function.__closure__ or "<locals>" in function.__qualname__ or "." in function.__qualname__:
        raise StudyError(
            f"{function.__qualname__} stands inside of something else; write it at the top level"
        )
    if function.__module__ == "__main__":
        return _gather_main(function)
    path = Path(inspect.getsourcefile(function) or "")
    if path.suffix != ".py":
        raise StudyError(f"the source of {name} cannot be read; write it to a file of Python")
    return read_network(f"{path}:{name}")


def _gather_main(function: FunctionType) -> Network:
    pieces = _Pieces(vars(sys.modules["__main__"]) | function.__globals__)
    pieces.add(function.__name__, function)
    script = getattr(sys.modules["__main__"], "__file__", None)
    is_script = script is not None and function.__code__.co_filename == script
    path = Path(script) if is_script and script else Path(NOTEBOOK).absolute()
    source = gather_around(path.parent, path.name, pieces.text(), function.__name__)
    network = network_of(path.name, function.__name__, source)
    live = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    parameters = (
        parameter.with_default(live[parameter.name]) if parameter.name in live else parameter
        for parameter in network.parameters
    )
    return replace(network, parameters=tuple(parameters))


class _Pieces:
    """Statements that make a function and what it uses, each found once.

    Args:
        names: what the running script or notebook has, by name.
    """

    def __init__(self, names: dict[str, Any]) -> None:  # Any: objects of every type
        self._names = names
        self._plain: dict[str, str] = {}
        self._definitions: dict[str, tuple[str, int, str]] = {}  # file, line, text
        self._seen: set[str] = set()

    def add(self, name: str, value: object) -> None:
        """Take in what a name stands for, and all that this uses.

        Raises:
            StudyError: it cannot be written down.
        """
        if name in self._seen:
            return
        self._seen.add(name)
        is_own = getattr(value, "__module__", None) == "__main__"
        if statement := _find_import(name, value):
            self._plain[name] = statement
        elif isinstance(value, ModuleType):
            self._plain[name] = f"import {value.__name__} as {name}"
        elif is_own and isinstance(value, FunctionType | type) and value.__name__ != "<lambda>":
            self._define(name, value)
        elif isinstance(value, type | FunctionType) or callable(value):
            self._plain[name] = _import_of(name, value)
        elif _is_plain(value):
            self._plain[name] = f"{name} = {value!r}"
        else:
            kind = type(value).__name__
            raise StudyError(f"the network uses {name}, a {kind}, which cannot be kept; {_HINT}")

    def text(self) -> str:
        """All of them as a file; the lines are those of the script where one file has them all."""
        head = sorted(self._plain.values(), key=lambda line: " = " in line)
        head = ["from __future__ import annotations", *head] if self._has_text_types() else head
        found, lines = list(self._definitions.values()), list(head)
        is_one_file = len({file for file, _, _ in found}) == 1
        if is_one_file:
            found.sort(key=lambda piece: piece[1])
        for _, start, text in found:
            if is_one_file:
                lines += [""] * (start - 1 - len(lines))
            lines += text.splitlines()
        return "\n".join([*lines, ""])

    def _define(self, name: str, value: FunctionType | type) -> None:
        """Take a definition in, and what its code names."""
        if value.__name__ != name:
            raise StudyError(f"{name} is another name of {value.__name__}; use that one")
        piece = _find_definition(value)
        if self._seen != {name}:  # of the network's own function, live defaults are arguments
            refuse_changed(value, piece[2], self._names)
        code = compile(piece[2], "<definition>", "exec", dont_inherit=True)
        for used in _global_names(code):
            if used in self._names and used != name and not used.startswith("__"):
                self.add(used, self._names[used])
        self._definitions[name] = piece  # behind what it uses

    def _has_text_types(self) -> bool:
        """Whether annotations are not carried out where the definitions stand."""
        found = self._names.get("annotations")
        return isinstance(found, type(__future__.annotations))


def _global_names(code: CodeType) -> Iterator[str]:
    """What a code object takes from around it, by name; builtins too."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(step.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _global_names(inner)


def _find_definition(value: FunctionType | type) -> tuple[str, int, str]:
    """The file, the first line and the text of a definition.

    Raises:
        StudyError: its source is nowhere.
    """
    for file in _files_of(value):
        lines, tree = _read_cell(file)
        kind = ast.ClassDef if isinstance(value, type) else ast.FunctionDef
        found = [
            item for item in tree.body if isinstance(item, kind) and item.name == value.__name__
        ]
        if found:
            start = min([found[-1].lineno, *(d.lineno for d in found[-1].decorator_list)])
            return file, start, "".join(lines[start - 1 : found[-1].end_lineno])
    raise StudyError(
        f"the source of {value.__name__} cannot be read here; write it to a file, and use "
        f"from FILE import {value.__name__}"
    )


def _read_cell(file: str) -> tuple[list[str], ast.Module]:
    """The lines and the tree of a script or a cell, whose commands of the notebook are left out."""
    lines = linecache.getlines(file)
    kept = ["\n" if line.lstrip().startswith(("%", "!")) else line for line in lines]
    for text in ("".join(lines), "".join(kept)):
        with suppress(SyntaxError, ValueError):
            return lines, ast.parse(text)
    return lines, ast.Module(body=[], type_ignores=[])


def _find_import(name: str, value: object) -> str:
    """The import that gave a name its object, as it was written; empty where none did."""
    for file in _cells():
        for node in ast.walk(_read_cell(file)[1]):
            for statement, found in _imported(node, name):
                if found is value:
                    return statement
    return ""


def _imported(node: ast.AST, name: str) -> Iterator[tuple[str, object]]:
    """The statements of an import that give the name something, and what that is."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return
    for alias in node.names:
        renamed = f" as {alias.asname}" if alias.asname else ""
        if isinstance(node, ast.ImportFrom) and name == (alias.asname or alias.name):
            module = sys.modules.get(node.module or "")
            found = getattr(module, alias.name, sys.modules.get(f"{node.module}.{alias.name}"))
            yield f"from {node.module} import {alias.name}{renamed}", found
        elif isinstance(node, ast.Import):
            bound = alias.name if alias.asname else alias.name.partition(".")[0]
            if name == (alias.asname or bound):
                yield f"import {alias.name}{renamed}", sys.modules.get(bound)


def _cells() -> list[str]:
    """The script, and the cells of a notebook, the last first."""
    script = getattr(sys.modules["__main__"], "__file__", None)
    cells = [file for file in reversed([*linecache.cache]) if "ipy" in file]
    return [*([script] if script else []), *cells]


def _files_of(value: FunctionType | type) -> Iterator[str]:
    """Where the definition may stand: by its own code, then the script, then cells, last first."""
    if isinstance(value, FunctionType):
        yield value.__code__.co_filename
        return
    yield from dict.fromkeys(
        item.__code__.co_filename for item in vars(value).values() if isinstance(item, FunctionType)
    )
    yield from _cells()


def _import_of(name: str, value: Any) -> str:  # Any: a function, a class, or what is called as one
    """The statement that imports an object of another module under its name here.

    Raises:
        StudyError: none does.
    """
    module, own = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if module and own and module != "__main__":
        if module == "builtins" and getattr(builtins, own, None) is value:
            return f"{name} = {own}"
        try:
            if getattr(importlib.import_module(module), own, None) is value:
                return f"from {module} import {own} as {name}"
        except ImportError:
            pass
    raise StudyError(
        f"the network uses {name}, a {type(value).__name__}, which cannot be kept; {_HINT}"
    )


def _is_plain(value: object) -> bool:
    """Whether Python's own words for it give it back, the same in every process."""
    if isinstance(value, list | tuple):
        parts = list(value)
    elif isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    else:
        kinds = (int, float, bool, str, bytes, type(None))
        return type(value) in kinds and not (isinstance(value, float) and not math.isfinite(value))
    return type(value) in (list, tuple, dict) and all(map(_is_plain, parts))
