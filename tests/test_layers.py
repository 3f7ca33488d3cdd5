"""Imports point downward, each heavy library has one owner that imports it late, nothing is idle.

What begins with an underscore stays in its module; every other function serves others.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import rnnbench

PACKAGE = Path(rnnbench.__file__).parent
USERS = (Path(__file__).parent, PACKAGE.parent / "benchmarks", PACKAGE.parent / "docs")

# A module imports only from rows before its own, and from its own; `output` and `errors` are open
# to all.
CORE = (
    "output",
    "errors",
    "formats",
    "limits",
    "sources",
    "specs",
    "stats",
    "plugin_code",
    "networks",
    "architectures",
    "data",
    "study_names",
    "metrics",
    "study_values",
    "study",
    "study_files",
    "building",
    "models",
    "training",
    "entries",
    "recording",
    "looks",
    "ledger",
    "named_networks",
    "archived_runs",
    "archives",
    "served",
    "tracking",
    "recorded_runs",
    "completions",
    "options",
    "own_options",
    "run_options",
    "execution",
    "datasets",
    "page",
)
# A room imports from the core, and from the rooms whose records it builds on.
ROOMS: dict[str, set[str]] = {
    "timing": set(),
    "compare": set(),
    "published": {"compare"},
    "claims": {"compare", "timing"},
    "racing": set(),
    "tuning": {"compare", "racing"},
    "runs": {"compare", "racing", "reports"},
    "reports": {"claims", "compare", "published", "racing", "timing", "tuning"},
    "studies": {"compare", "published", "racing", "reports", "runs", "tuning"},
}
TOP = ("api", "cli", "__main__")
OWNERS = {
    "keras": {"building", "models", "training", "timing", "served"},
    "jax": {"training", "timing"},
    "tensorflow": {"training", "timing"},
    "torch": {"training", "timing"},
    "sklearn": {"data"},
    "scipy": {"stats", "data"},
    "sentencepiece": {"data"},
    "icu4py": {"data"},
    "mlflow": {"tracking", "served"},
    "ray": {"execution"},
    "optuna": {"tuning"},
    "pandas": {"api", "served", "studies"},
    "pyarrow": {"data"},
    "openpyxl": {"data"},
    "charset_normalizer": {"data"},
    "IPython": {"page"},
    "matplotlib": {"page", "compare", "published", "timing", "tuning"},
    "jinja2": {"page"},
    "typer": {"cli", "options", "own_options", "run_options", *ROOMS},
    "rich": {"page", *ROOMS},
}
LATE = set(OWNERS) - {"typer", "rich"}


@dataclass(frozen=True)
class Import:
    """Something that a module imports, by its full name; `late` is inside a function."""

    by: str
    name: str
    late: bool

    def __str__(self) -> str:
        return f"{self.by} imports {self.name}"


@cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


@cache
def imports() -> list[Import]:
    return [found for name, tree in modules().items() for found in imports_of(name, tree)]


def imports_of(name: str, tree: ast.Module) -> Iterator[Import]:
    late = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef) or is_type_checking(outer)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        for imported in names_of(node):
            yield Import(by=name, name=imported, late=id(node) in late)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative imports hide where they point"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def may_import(module: str, other: str) -> bool:
    """Whether the package's module `module` may import from `other`, both by their first name."""
    if module in CORE:
        return other in CORE[: CORE.index(module) + 1]
    if module in ROOMS:
        return other in {*CORE, *ROOMS[module], module}
    return other in (*CORE, *ROOMS, *TOP[: TOP.index(module) + 1])


def test_every_module_has_a_place() -> None:
    assert {name.split(".")[0] for name in modules() if name} == {*CORE, *ROOMS, *TOP}


def test_imports_point_to_the_core_and_to_the_rooms_that_are_built_on() -> None:
    foreign = [
        str(found)
        for found in imports()
        if found.by and found.name.startswith("rnnbench.")
        if not may_import(found.by.split(".")[0], found.name.split(".")[1])
    ]
    assert foreign == []


def test_no_module_imports_itself_by_way_of_others_not_for_types_either() -> None:
    graph: dict[str, set[str]] = {}
    for found in imports():
        if found.name.startswith("rnnbench."):
            other = module_of(found.name.removeprefix("rnnbench."))
            graph.setdefault(found.by, set()).add(other)
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def module_of(name: str) -> str:
    """The module of something in the package, by its full name."""
    return name if name in modules() else name.rpartition(".")[0]


def test_no_module_takes_what_is_private_to_another() -> None:
    taken = [found for found in imports() if found.name.startswith("rnnbench.")]
    assert [str(found) for found in taken if found.name.rpartition(".")[2].startswith("_")] == []


def test_every_public_function_is_used_outside_its_module() -> None:
    paths = [path for folder in USERS for path in folder.rglob("*.py")]
    users = [*modules().values(), *(ast.parse(path.read_text("utf-8")) for path in paths)]
    n_users = Counter(name for user in users for name in taken_by(user))
    idle = [
        f"{name}: {node.name}"
        for name, tree in modules().items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if not node.decorator_list  # a decorator may have taken it: a command, a callback
        if n_users[node.name] == (node.name in taken_by(tree))
    ]
    assert idle == [], "begin its name with an underscore, or delete it"


@cache
def taken_by(tree: ast.Module) -> set[str]:
    """What a module takes from others: by import, or as an attribute."""
    taken: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            taken |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            taken.add(node.attr)
    return taken


def test_a_heavy_library_is_imported_by_its_owner_only() -> None:
    foreign = [
        str(found)
        for found in imports()
        if found.by.split(".")[0]
        not in OWNERS.get(found.name.split(".")[0], {found.by.split(".")[0]})
    ]
    assert foreign == []


def test_a_heavy_library_is_imported_inside_functions_only() -> None:
    early = [str(found) for found in imports() if not found.late]
    assert [name for name in early if name.split(" imports ")[1].split(".")[0] in LATE] == []


@pytest.mark.parametrize("module", ["rnnbench.studies.run", "rnnbench.execution.local"])
def test_the_parent_imports_no_back_end(module: str) -> None:
    script = f"""
import sys, {module}
print(sorted({{"keras", "jax", "tensorflow", "torch", "mlflow", "sklearn"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_keras_comes_with_its_own_settings_and_without_what_it_need_not_have(
    tmp_path: Path,
) -> None:
    settings = '{"floatx": "float16", "epsilon": 0.1}'
    (tmp_path / "keras.json").write_text(settings)
    kept = tmp_path / "cache" / "keras" / "keras.json"  # as another version of Keras may leave it
    kept.parent.mkdir(parents=True)
    kept.write_text(settings)
    script = """
import os, sys
from rnnbench.models import import_keras
import_keras()
print([name for name in ("matplotlib", "pandas", "sklearn", "tensorflow") if sys.modules.get(name)])
import matplotlib, pandas, sklearn
print(matplotlib.__name__, pandas.__name__, sklearn.__name__)
from keras import config
print(config.floatx(), config.epsilon(), config.max_epochs(), config.max_steps_per_epoch())
print(os.environ["KERAS_HOME"], os.environ["KERAS_MAX_EPOCHS"])
"""
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "KERAS_BACKEND": "jax",
        "KERAS_HOME": str(tmp_path),
        "RNNBENCH_CACHE": str(tmp_path / "cache"),
        "KERAS_MAX_EPOCHS": "1",
        "KERAS_MAX_STEPS_PER_EPOCH": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "[]",
        "matplotlib pandas sklearn",
        "float32 1e-07 None None",
        f"{tmp_path} 1",
    ]
