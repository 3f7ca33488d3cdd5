"""What the running script or notebook has by now, against what its definitions give."""

import ast
import inspect
from collections.abc import Mapping
from contextlib import suppress
from types import FunctionType
from typing import Any

from rnnbench.errors import StudyError

_PLAIN = (int, float, bool, str, bytes, type(None), list, tuple, dict)


def refuse_changed(value: FunctionType | type, text: str, names: Mapping[str, Any]) -> None:
    """See that a class has the plain attributes of its definition, a function its plain defaults.

    Args:
        text: the definition.
        names: what else the script or notebook has.

    Raises:
        StudyError: one was changed, so that the definition is not what was tried out there.
    """
    tree = ast.parse(text).body[0]
    is_class = isinstance(value, type)
    there = dict(vars(value)) if isinstance(value, type) else _defaults(value)
    written = _attributes(tree) if isinstance(tree, ast.ClassDef) else _arguments(tree)
    given = {key: _read(expression, names, written) for key, expression in written.items()}
    for key, now in there.items():
        if type(now) in _PLAIN and key in given and given[key] not in (None, repr(now)):
            what = "attribute" if is_class else "default of"
            raise StudyError(
                f"the {what} {key} of {value.__name__} is {now!r:.100} by now, and "
                f"{given[key]:.100} in its definition, which is what is kept; write it there and "
                "carry it out again"
            )
    if is_class:
        _refuse_added(value.__name__, there, tree)


def _refuse_added(name: str, there: Mapping[str, Any], tree: ast.stmt) -> None:
    """See that the definition has all plain attributes; a decorator may add some."""
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    bound |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for key, now in there.items():
        is_added = key not in bound and not key.startswith("_") and type(now) in _PLAIN
        if is_added and not getattr(tree, "decorator_list", []):
            raise StudyError(
                f"{name} has an attribute {key} that its definition lacks, which is what "
                "is kept; write it there and carry it out again"
            )


def _read(
    expression: ast.expr, names: Mapping[str, Any], written: Mapping[str, ast.expr]
) -> str | None:
    """What Python writes for the value that kept code gives; None where that is not known."""
    if isinstance(expression, ast.Name) and expression.id not in written:
        value = names.get(expression.id)
        return repr(value) if type(value) in _PLAIN and expression.id in names else None
    with suppress(ValueError, TypeError, SyntaxError):
        return repr(ast.literal_eval(expression))
    return None


def _attributes(tree: ast.ClassDef) -> dict[str, ast.expr]:
    """What names are set to in the body of a class, where they are set once."""
    pairs = [
        (target.id, item.value)
        for item in tree.body
        if isinstance(item, ast.Assign | ast.AnnAssign) and item.value is not None
        for target in (item.targets if isinstance(item, ast.Assign) else [item.target])
        if isinstance(target, ast.Name)
    ]
    stores = [
        node.id
        for item in tree.body
        for node in ast.walk(item)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    ]
    return {name: value for name, value in pairs if stores.count(name) == 1}


def _arguments(tree: ast.stmt) -> dict[str, ast.expr]:
    """The defaults of a function as they are written, by argument."""
    assert isinstance(tree, ast.FunctionDef)
    own = tree.args
    given = [*own.posonlyargs, *own.args]
    pairs = [*zip(given[len(given) - len(own.defaults) :], own.defaults, strict=True)]
    keywords = zip(own.kwonlyargs, own.kw_defaults, strict=True)
    pairs += [(argument, default) for argument, default in keywords if default is not None]
    return {argument.arg: default for argument, default in pairs}


def _defaults(function: FunctionType) -> dict[str, Any]:
    """The defaults of a function as they are by now."""
    parameters = inspect.signature(function).parameters
    return {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
