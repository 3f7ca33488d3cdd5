"""Kept code is carried out as its files were, apart from every other network's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rnnbench.errors import StudyError
from rnnbench.networks import execution
from rnnbench.networks.execution import find_function
from rnnbench.networks.names import NetworkNames
from rnnbench.networks.reading import read_network
from rnnbench.specs import PluginForm


def form(folder: Path, text: str, **beside: str) -> PluginForm:
    folder.mkdir(exist_ok=True)
    (folder / "net.py").write_text(text)
    for name, content in beside.items():
        (folder / f"{name}.py").write_text(content)
    return read_network(f"{folder / 'net.py'}:build").form()


def test_two_networks_have_each_its_own_file_of_a_name(tmp_path: Path) -> None:
    text = "from helpers import x\ndef build():\n    import helpers\n    return x, helpers.x"
    one = form(tmp_path / "a", text, helpers="x = 1")
    two = form(tmp_path / "b", text, helpers="x = 2")
    assert [find_function(each)() for each in (one, two)] == [(1, 1), (2, 2)]
    assert "helpers" not in sys.modules


def test_a_dataclass_may_have_postponed_annotations(tmp_path: Path) -> None:
    beside = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "from typing import get_type_hints\n\n@dataclass\nclass Size:\n    units: int = 8\n"
    )
    text = f"{beside}\nimport beside\ndef build(): return [get_type_hints(kind) for kind in "
    kept = form(tmp_path, f"{text}(Size, beside.Size)]", beside=beside)
    assert find_function(kept)() == [{"units": int}] * 2
    assert {"net", "beside"}.isdisjoint(sys.modules)


def test_each_build_begins_with_modules_of_its_own(tmp_path: Path) -> None:
    kept = form(
        tmp_path, "import beside\ndef build(): return next(beside.x)", beside="x = iter('ab')"
    )
    assert [find_function(kept)(), find_function(kept)()] == ["a", "a"]


def test_an_edit_after_reading_changes_nothing(tmp_path: Path) -> None:
    kept = form(tmp_path, "def build(): return 1")
    (tmp_path / "net.py").write_text("def build(): return 2")
    assert find_function(kept)() == 1


def test_a_package_in_the_folder_is_imported(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "__init__.py").write_text("from .one import x\n")
    (tmp_path / "inner" / "one.py").write_text("from . import two\nx = two.y\n")
    (tmp_path / "inner" / "two.py").write_text("y = 5\n")
    text = (
        "import inner.two\nfrom inner import one\ndef build(): return inner.two.y, one.x, inner.x"
    )
    assert find_function(form(tmp_path, text))() == (5, 5, 5)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import no_such_module", "net.py, line 1: ModuleNotFoundError: No module named 'no_suc"),
        (
            "x = 1\nimport sys; sys.exit('bye')",
            r"net.py, line 2 ends the program \(System",
        ),
        ("x = 1\n\nx / 0", "net.py, line 3: ZeroDivisionError: division by zero"),
        ("import beside", "beside.py, line 2: ZeroDivisionError: "),
        ("while True: pass", r"net.py, line 1: TimeoutError: not done after 0.2 seconds"),
        ("input()", "net.py, line 1: "),
        ("raise ImportError('no tensorflow')", r"line 1: tensorflow .*import from keras"),
    ],
    ids=["module", "exit", "raises", "raises beside", "endless", "asks", "tensorflow"],
)
def test_a_file_that_cannot_be_imported_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str
) -> None:
    monkeypatch.setattr(execution, "BUILD_SECONDS", 0.2)
    network = form(tmp_path, f"{text}\ndef build(): return []", beside="\n1 / 0\n")
    with pytest.raises(StudyError, match=f"net.py:build cannot be imported: .*{sentence}"):
        find_function(network)


def test_code_that_is_not_here_or_was_changed_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"the code of net\.py:build is not here"):
        find_function(PluginForm(name="net.py:build", code="0" * 12))
    other = form(tmp_path, "def build(): return 1")
    changed = PluginForm(name="net.py:build", code="0" * 12, source=other.source)
    with pytest.raises(StudyError, match="is not what its run was made with"):
        find_function(changed)


def test_one_name_has_one_code_and_one_code_one_name() -> None:
    names = NetworkNames([PluginForm(name="net.py:build", code="a" * 12)])
    assert names.name("net.py:build", "b" * 12) == "net.py:build v2"
    assert names.name("net.py:build v2", "c" * 12) == "net.py:build v3"
    assert names.name("other.py:build", "a" * 12) == "net.py:build"
    assert names.name("other.py:build", "d" * 12) == "other.py:build"
