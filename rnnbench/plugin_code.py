"""What the code of a network does, as a digest; read from its files, never imported.

It covers what the building function uses of its own module (all of that where another module
imports it) and what an import of that carries out, everything in the modules of the same package,
or for a file of the user's the same folder, that this imports, and nothing else.
Comments, docstrings and layout do not count.
"""

import ast
import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, TypeAlias


class Code(NamedTuple):
    """The code of a module, and whether it is that of a package itself."""

    content: bytes
    is_package: bool


Find: TypeAlias = Callable[[str], Code | None]
_Stamps: TypeAlias = dict[Path, tuple[int, int]]
"""Files, with the time of their last change and their size."""

# What an interpreter fills in by itself, or what says nothing of what the code does.
_SILENT = ("ctx", "kind", "type_comment", "type_ignores")
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)  # its body waits for a call
_ACTING = (
    *(ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr),
    *(ast.Import, ast.ImportFrom, ast.With, ast.AsyncWith, ast.Global),
)

_known: dict[str, tuple[_Stamps, str]] = {}


def code_digest(build: str) -> str:
    """12 hex digits that stay while the code does the same; empty where there is no such file.

    Args:
        build: `package.module:function`.
    """
    known = _known.get(build)
    if known is None or any(_stamp(path) != stamp for path, stamp in known[0].items()):
        known = _read_package(build)
        if known[0]:  # a package that is not there may come
            _known[build] = known
    return known[1]


def trace_code(find: Find, module: str, function: str, *, is_of_file: bool) -> tuple[set[str], str]:
    """The modules whose code a function's module imports, itself included; and the digest.

    Args:
        find: the code of a module that belongs to it, by its name; None for any other.
        is_of_file: whether the name of its own module means nothing, and what that does only where
            it is run as a script neither.
    """
    parts = {"": function if is_of_file else f"{module}:{function}"}
    waiting, seen, is_whole = [module], {module}, False
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        code = find(name)
        if code is None:
            continue
        found.add(name)
        shown = "" if is_of_file and name == module else name
        tree = _parse(code.content)
        if tree is None:
            parts[name] = f"{shown} {hashlib.sha256(code.content).hexdigest()}"
            continue
        body = [item for item in tree.body if not (is_of_file and _is_of_script(item))]
        is_cut = name == module and not is_whole
        body = _used(body, function, is_of_file=is_of_file) if is_cut else body
        parts[name] = f"{shown} {_outline(body)}"
        imported = {each for each in _imports(body, name, code.is_package, find) if find(each)}
        if module in imported and not is_whole:  # it may use anything there: read it once more
            is_whole = True
            waiting.append(module)
        waiting += sorted(imported - seen)
        seen |= imported
    digest = hashlib.sha256("\n".join(sorted(parts.values())).encode()).hexdigest()[:12]
    return found, digest


def _read_package(build: str) -> tuple[_Stamps, str]:
    module, _, function = build.partition(":")
    stamps: _Stamps = {}

    def find(name: str) -> Code | None:
        is_inside = name.partition(".")[0] == module.partition(".")[0]
        path = _find_file(name) if is_inside else None
        if path is None:
            return None
        stamps[path] = _stamp(path)
        return Code(_read(path), path.name == "__init__.py")

    _, digest = trace_code(find, module, function, is_of_file=False)
    return stamps, digest if stamps else ""


def _is_of_script(statement: ast.stmt) -> bool:
    """Whether it is `if __name__ == "__main__":`, which no import carries out."""
    return (
        isinstance(statement, ast.If)
        and not statement.orelse
        and ast.unparse(statement.test).replace('"', "'")
        in ("__name__ == '__main__'", "'__main__' == __name__")
    )


def _used(body: Sequence[ast.stmt], function: str, *, is_of_file: bool) -> list[ast.stmt]:
    """The function, what is named in it, and so on; and all else that an import carries out.

    A definition counts as named where its name stands in any way, also as text.

    Args:
        is_of_file: whether a definition also counts where an import of it may do more than define.
            Of a package it does not: `PLUGIN = Plugin(...)` of another one would.
    """
    by_name: dict[str, list[ast.stmt]] = {}
    waiting: list[ast.stmt] = []
    for item in body:
        defined = None if is_of_file and _may_act(item) else _defined(item)
        if defined is None:
            waiting.append(item)
        for name in defined or ():
            by_name.setdefault(name, []).append(item)
    waiting += by_name.pop(function, ())
    kept: set[ast.stmt] = set()
    while waiting:
        item = waiting.pop()
        if item not in kept:
            kept.add(item)
            for name in _names(item):
                waiting += by_name.pop(name, ())
    return [item for item in body if item in kept]


def _may_act(statement: ast.stmt) -> bool:
    """Whether carrying it out may do more than give names of the module a meaning."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        is_set = isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(
            node.ctx, ast.Load
        )
        if is_set or isinstance(node, _ACTING) or getattr(node, "decorator_list", None):
            return True
        for name, value in ast.iter_fields(node):
            if not (name == "body" and isinstance(node, _FUNCTION)):
                parts = value if isinstance(value, list) else [value]
                waiting += [part for part in parts if isinstance(part, ast.AST)]
    return False


def _defined(statement: ast.stmt) -> set[str] | None:
    """The names that a definition or an assignment gives a meaning; None for anything else."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return None if statement.decorator_list else {statement.name}  # an import decorates
    if isinstance(statement, ast.Assign):
        return {name for target in statement.targets for name in _names(target)}
    if isinstance(statement, ast.AnnAssign):
        return _names(statement.target)
    return None


def _names(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def _imports(body: Iterable[ast.stmt], module: str, is_package: bool, find: Find) -> Iterator[str]:
    """Modules that the statements may import."""
    package = module if is_package else module.rpartition(".")[0]
    for node in (inner for statement in body for inner in ast.walk(statement)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
            yield from (alias.name.partition(".")[0] for alias in node.names if not alias.asname)
        elif isinstance(node, ast.ImportFrom):
            around = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = [*around, node.module] if node.level else [node.module]
            source = ".".join(part for part in start if part)
            inside = [f"{source}.{alias.name}" for alias in node.names]
            found = [name for name in inside if find(name)]
            if len(found) < len(inside):  # a name that is no module lies in the source itself
                found.append(source)
            yield from found


def _outline(value: object) -> str:
    """The tree as text, the same in every version of Python that reads it so."""
    if isinstance(value, list):
        return f"[{','.join(_outline(item) for item in value if not _is_docstring(item))}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = ((name, item) for name, item in ast.iter_fields(value) if name not in _SILENT)
    said = (f"{name}={_outline(item)}" for name, item in fields if item not in (None, []))
    return f"{type(value).__name__}({','.join(said)})"


def _is_docstring(item: object) -> bool:
    """Whether it is a text that stands by itself, which does nothing."""
    is_alone = isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
    return is_alone and isinstance(item.value.value, str)  # type: ignore[attr-defined]


def _parse(content: bytes) -> ast.Module | None:
    """The code's tree; None where it is not Python, or not valid."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of `"\d"`, an error where filters make it one
            return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _find_file(module: str) -> Path | None:
    """The module's file, found without importing a package around it."""
    top, *inner = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    name = top
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    return Path(spec.origin)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
