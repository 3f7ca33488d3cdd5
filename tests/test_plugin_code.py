"""A plug-in's digest: it changes with what its code does, and with nothing else."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnbench import plugin_code
from rnnbench.plugin_code import code_digest

BUILD = "my_layers:build"
CODE = '''
"""A module."""

import keras

UNITS = 8

def build():
    # the notes' cell
    return [cell(UNITS)]

def cell(units):
    """One cell."""
    return keras.layers.LSTM(units)

def another():
    return [keras.layers.GRU(3)]

PLUGIN = Plugin(name="mine", build="my_layers:build")
'''

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file that can be imported; the digest of `BUILD` then."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(code: str, name: str = "my_layers.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
        os.utime(path, ns=(0, len(plugin_code._known)))  # a clock is too coarse for a test
        importlib.invalidate_caches()
        plugin_code._known.clear()
        return code_digest(BUILD)

    return write


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# the notes' cell", "# another comment"),
        ('"""One cell."""', '"""Something\n    else."""'),
        ("[cell(UNITS)]", "[ cell( UNITS ) ,\n ]"),
        ("GRU(3)", "GRU(4)"),
        ("PLUGIN =", "OTHER = Plugin(name='other', build='my_layers:another')\nPLUGIN ="),
    ],
    ids=["comment", "docstring", "layout", "an unused function", "another plug-in"],
)
def test_what_changes_nothing_leaves_the_digest(write: Write, old: str, new: str) -> None:
    assert old in CODE
    assert write(CODE) == write(CODE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LSTM(units)", "LSTM(units, dropout=0.1)"),
        ("UNITS = 8", "UNITS = 9"),
        ("import keras", "import keras\nkeras.config.set_floatx('float16')"),
        ("import keras", "from my_keras import keras"),
        ("def another", "@register(2)\ndef another"),
    ],
    ids=[
        "a function it calls",
        "a constant",
        "what an import carries out",
        "an import",
        "a decorated definition",
    ],
)
def test_what_may_change_the_network_changes_the_digest(write: Write, old: str, new: str) -> None:
    assert write(CODE) != write(CODE.replace(old, new))


def test_a_digest_hangs_on_the_code_alone(write: Write) -> None:
    assert write(CODE) == "4cd7d2fa7178"


@pytest.mark.parametrize(
    "line",
    [
        "from .cells import make",
        "from . import cells",
        "from my_package import cells",
        "import my_package.cells as cells",
        "from my_package.cells import *",
    ],
)
def test_modules_of_the_same_package_count(
    write: Write, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "BUILD", "my_package.layers:build")
    write("raise RuntimeError('nobody may import me')", "my_package/__init__.py")
    write("SIZE = 1", "my_package/cells.py")
    first = write(f"{line}\ndef build():\n    return []", "my_package/layers.py")
    assert first not in ("", write("SIZE = 2", "my_package/cells.py"))
    changed = write("SIZE = 1", "my_package/cells.py")
    assert changed == first
    assert write("", "my_package/unrelated.py") == first


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("from my_package import SIZE", "SIZE"),
        ("from . import SIZE", "SIZE"),
        ("import my_package.cells", "my_package.SIZE"),
    ],
)
def test_all_of_the_building_module_counts_where_another_module_imports_it(
    write: Write, monkeypatch: pytest.MonkeyPatch, line: str, size: str
) -> None:
    monkeypatch.setitem(globals(), "BUILD", "my_package:build")
    write(f"{line}\ndef make(): return {size}", "my_package/cells.py")
    code = "SIZE = 1\ndef build():\n    from my_package.cells import make\n    return [make()]"
    first = write(code, "my_package/__init__.py")
    assert write(code.replace("= 1", "= 2"), "my_package/__init__.py") != first


def test_a_digest_does_not_hang_on_the_filters_of_warnings(write: Write) -> None:
    code = CODE + 'PATTERN = "\\d"\n'
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        strict = write(code)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert write(code) == strict == write(code + "# a comment")
    assert caught == []


def test_an_edit_is_seen_in_the_same_process(write: Write, tmp_path: Path) -> None:
    before = write(CODE)
    (tmp_path / "my_layers.py").write_text(CODE.replace("LSTM(units)", "GRU(units)"))
    assert code_digest(BUILD) != before


def test_code_that_is_not_valid_or_not_there_has_a_digest_or_none(write: Write) -> None:
    assert write("def build(:") not in ("", write("def build(x:"))
    assert code_digest("no_such_module:build") == ""
    assert code_digest("my_layers.inner:build") == ""
    assert code_digest("sys:exit") == ""
