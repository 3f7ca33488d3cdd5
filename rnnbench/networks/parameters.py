"""What a building function takes, read from its tree without running it; and values for it."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import get_args

from rnnbench.errors import StudyError
from rnnbench.formats import MOST_CHARACTERS
from rnnbench.specs import Argument, DataSpec, Recipe, RunSpec

FILLED = ("tokens", "num_words", "max_len", "embedding_size", "n_classes")
"""Parameters that rnnbench fills in itself."""
_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(Argument)}
_IN_WORDS: Mapping[type, str] = {
    int: "whole numbers",
    float: "numbers",
    bool: "true or false",
    str: "text",
}
_TAKEN = {
    *(item.name for kind in (DataSpec, Recipe, RunSpec) for item in fields(kind)),
    *("architecture", "name", "code", "study", "status"),
}
"""What a parameter cannot be called: options and columns of tables are."""
_MOST_DIGITS = 18
_TRUTHS = {"true": True, "on": True, "false": False, "off": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A hyperparameter of a building function.

    Args:
        kind: the type of its values; None where neither its default nor its annotation says it.
        default: None where it is no plain value that can be read.
        is_needed: whether it has no default at all.
    """

    name: str
    kind: type | None = None
    default: Argument | None = None
    is_needed: bool = False

    def check(self, value: Argument) -> Argument:
        """The value as the function takes it: 1 is 1.0 where numbers are.

        Raises:
            StudyError: it is of another type, or none that can be kept.
        """
        if not _is_plain(value) or not _can_be_kept(value):
            raise StudyError(
                f"{self.name} takes a number, true or false, or a short text, got {value!r:.100}"
            )
        if self.kind is None or type(value) is self.kind:
            return value
        if self.kind is float and type(value) is int:
            return float(value)
        if self.kind is int and type(value) is float and value.is_integer():
            return int(value)
        raise StudyError(f"{self.name} takes {_IN_WORDS[self.kind]}, got {value!r}")

    def with_default(self, value: object) -> Parameter:
        """The same with what Python has as its default by now.

        Raises:
            StudyError: it cannot be kept, in place of one that could.
        """
        if isinstance(value, str | int | float) and _is_plain(value) and _can_be_kept(value):
            kind = self.kind or type(value)
            value = float(value) if kind is float and type(value) is int else value
            return replace(self, kind=kind, default=value, is_needed=False)
        if self.default is not None or self.is_needed:
            raise StudyError(
                f"the default of {self.name} is {value!r:.100} by now, which cannot be kept; "
                "carry out the function's def again"
            )
        return self


def read_parameters(function: ast.FunctionDef, module: ast.Module) -> tuple[Parameter, ...]:
    """The hyperparameters of a function, in order; those that rnnbench fills in are left out.

    Raises:
        StudyError: one has a name that means something else.
    """
    own = function.args
    given = [*own.posonlyargs, *own.args]
    defaults: list[ast.expr | None] = [None] * (len(given) - len(own.defaults)) + [*own.defaults]
    pairs = [*zip(given, defaults, strict=True), *zip(own.kwonlyargs, own.kw_defaults, strict=True)]
    constants = _constants(module, function)
    parameters = tuple(
        _parameter(argument, default, constants)
        for argument, default in pairs
        if argument.arg not in FILLED
    )
    for parameter in parameters:
        if parameter.name in _TAKEN or not parameter.name.isascii():
            why = "means something else in rnnbench" if parameter.name.isascii() else "is not ASCII"
            raise StudyError(
                f"the parameter '{parameter.name}' of {function.name} (line {function.lineno}) "
                f"{why}; call it otherwise"
            )
    return parameters


def read_value(text: str, kind: type | None) -> Argument:
    """The value that a text means for a parameter of that kind; None reads what it looks like.

    Raises:
        ValueError: what is taken instead.
    """
    text = text.strip()
    if kind is None:
        return _guess(text)
    if kind is bool:
        if text.lower() not in _TRUTHS:
            raise ValueError("true or false")
        return _TRUTHS[text.lower()]
    try:
        value: Argument = kind(text)
    except ValueError as err:
        raise ValueError(_IN_WORDS[kind]) from err
    return value


def _is_plain(value: object) -> bool:
    return type(value) in _IN_WORDS


def _can_be_kept(value: Argument) -> bool:
    if isinstance(value, str):
        return value.isprintable() and len(value) <= MOST_CHARACTERS
    return math.isfinite(value) and (isinstance(value, float) or abs(value) < 10**_MOST_DIGITS)


def _guess(text: str) -> Argument:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return _TRUTHS.get(text.lower(), text)


def _parameter(
    argument: ast.arg, default: ast.expr | None, constants: Mapping[str, ast.expr]
) -> Parameter:
    if isinstance(default, ast.Name):
        default = constants.get(default.id, default)
    value = None if default is None else _plain(default)
    kind = _annotated(argument.annotation) or (None if value is None else type(value))
    if kind is float and type(value) is int:
        value = float(value)
    return Parameter(name=argument.arg, kind=kind, default=value, is_needed=default is None)


def _plain(tree: ast.expr) -> Argument | None:
    """The value of a literal, if an argument can have it."""
    try:
        value = ast.literal_eval(tree)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if _is_plain(value) else None


def _annotated(tree: ast.expr | None) -> type | None:
    """The type that `int`, `"int"` or `int | None` names, if an argument can have it."""
    if isinstance(tree, ast.BinOp):
        tree = tree.left
    if isinstance(tree, ast.Name):
        return _KINDS.get(tree.id)
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        return _KINDS.get(tree.value.partition("|")[0].strip())
    return None


def _constants(module: ast.Module, function: ast.FunctionDef) -> dict[str, ast.expr]:
    """What names of the module are set to above the function, where nothing sets them again."""
    found: dict[str, ast.expr] = {}
    for statement in module.body:
        if isinstance(statement, ast.Assign):
            targets: list[ast.expr] = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        if statement.value is not None and statement.lineno < function.lineno:
            found |= {item.id: statement.value for item in targets if isinstance(item, ast.Name)}
    counts = Counter(_bound_names(module))
    return {name: value for name, value in found.items() if counts[name] == 1 and not counts["*"]}


def _bound_names(node: ast.AST) -> Iterator[str]:
    """Each binding of a module's name, in blocks too; `*` where an import binds whatever it has."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        for inner in ast.walk(node):
            if isinstance(inner, ast.Global):
                yield from inner.names
        return
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        yield node.name or ""
    elif isinstance(node, ast.MatchMapping):
        yield node.rest or ""
    for child in ast.iter_child_nodes(node):
        yield from _bound_names(child)
