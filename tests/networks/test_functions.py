"""A function of a notebook's cell or a script is kept with what it uses there."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rnnbench.errors import StudyError
from rnnbench.networks.execution import find_function
from rnnbench.networks.interactive import find_networks
from rnnbench.networks.reading import Network

CELLS = (
    "import json as j\nfrom pathlib import Path\nSIZES = [1, 2]\nOTHERS = object()\n",
    "class Base:\n    factor = 3\n",
    "class Kind(Base):\n    def size(self): return self.factor * len(SIZES)\n",
    "def inner(n, by=1): return Kind().size() + n * by\n",
    "%time\ndef build(units=4):\n    return inner(units), j.dumps(1), Path('x').name\n",
    "def uses_object(): return OTHERS\nNAMES = {'a', 'b'}\ndef uses_set(): return NAMES\n",
    "def outer():\n    def nested(): return 1\n    return nested\n",
)

Main = dict[str, Any]


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Iterator[Main]:
    """What a notebook has after its cells were run."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    for number, text in enumerate(CELLS):
        name = f"/tmp/ipykernel_1/{number}.py"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        code = compile(text.replace("%time", ""), name, "exec", dont_inherit=True)
        exec(code, vars(module))
    yield vars(module)
    for number in range(len(CELLS)):
        del linecache.cache[f"/tmp/ipykernel_1/{number}.py"]


def network(function: Callable[..., Any]) -> Network:
    (found,) = find_networks([function])
    assert isinstance(found, Network)
    return found


def test_a_cell_is_kept_with_what_it_uses_of_others(main: Main) -> None:
    found = network(main["build"])
    assert found.name == "notebook:build"
    assert dict(found.form().arguments) == {"units": 4}
    main["SIZES"] = None
    assert find_function(found.form())(units=4) == (10, "1", "x")
    (text,) = dict(found.source.files).values()
    assert "import json as j" in text
    assert "OTHERS" not in text


def test_an_edited_constant_is_other_code(main: Main) -> None:
    before = network(main["build"]).code
    main["SIZES"] = [1, 2, 3]
    assert network(main["build"]).code != before


def test_what_was_changed_since_its_definition_is_refused(main: Main) -> None:
    main["Base"].factor = 4
    with pytest.raises(StudyError, match="the attribute factor of Base is 4 by now, and 3 in its"):
        network(main["build"])
    main["Base"].factor, main["Base"].other = 3, 1
    with pytest.raises(StudyError, match="Base has an attribute other that its definition lacks"):
        network(main["build"])
    del main["Base"].other
    main["inner"].__defaults__ = (5,)
    with pytest.raises(StudyError, match="the default of by of inner is 5 by now, and 1 in its"):
        network(main["build"])


def test_a_default_is_the_one_that_python_has(main: Main) -> None:
    main["build"].__defaults__ = (9,)
    assert dict(network(main["build"]).form().arguments) == {"units": 9}
    main["build"].__defaults__ = (None,)
    with pytest.raises(StudyError, match="the default of units is None by now, which cannot be"):
        network(main["build"])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("uses_object", "uses OTHERS, a object, which cannot be kept; give it to the function as"),
        ("uses_set", "uses NAMES, a set, which cannot be kept"),
        ("Kind", "Kind builds no network; give a function that was made with def"),
        ("nested", "nested stands inside of something else; write it at the top level"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_name(main: Main, name: str, sentence: str) -> None:
    given = main["outer"]() if name == "nested" else main[name]
    with pytest.raises(StudyError, match=sentence):
        network(given)


def test_a_function_without_source_is_refused(main: Main) -> None:
    exec("def typed(): return []", main)
    with pytest.raises(StudyError, match="the source of typed cannot be read here; write it to a"):
        network(main["typed"])


def test_a_function_of_a_file_is_that_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "importable_net.py").write_text("def build(units=2): return []\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    from importable_net import build

    assert network(build).name == "importable_net.py:build"
    sys.modules.pop("importable_net")
