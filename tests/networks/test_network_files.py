"""A function in a file is read without being run: what it is called, takes and needs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rnnbench.errors import StudyError
from rnnbench.networks.reading import Network, read_network, source_digest
from rnnbench.sources import MOST_SOURCE_BYTES, Source
from rnnbench.study import Study

NET = """
raise RuntimeError("nobody imports this")
from beside import Mean
WIDTH = 8

def build(tokens, units, width=WIDTH, rate=0.5, kind: str = None, sizes=(1, 2), *, deep=False):
    return [Mean(units)]

def _helper(): pass
"""


def write(folder: Path, text: str = NET, name: str = "net.py") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    return path


def read(folder: Path, text: str, name: str = "net.py") -> Network:
    return read_network(str(write(folder, text, name)))


def test_a_file_with_one_public_function_needs_no_name_of_it(tmp_path: Path) -> None:
    network = read(tmp_path, NET)
    assert (network.name, network.place) == ("net.py:build", "net.py, line 6")
    form = network.form(units=3)
    assert dict(form.arguments) == {"units": 3, "width": 8, "rate": 0.5, "deep": False}


def test_types_come_from_defaults_and_annotations(tmp_path: Path) -> None:
    kinds = read(tmp_path, NET).kinds
    expected = {"units": None, "width": int, "rate": float, "kind": str, "sizes": None}
    assert kinds == expected | {"deep": bool}
    assert dict(read(tmp_path, NET).form(units=1, rate=1).arguments)["rate"] == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "UNITS = 8\nUNITS *= 2\n{}",
        "{}UNITS = 16\n",
        "UNITS = 8\n{}UNITS = 16\n",
        "UNITS = 8\nif True: UNITS = 16\n{}",
        "UNITS = 8\nfor UNITS in (16,): pass\n{}",
        "UNITS = 8\ntry: from os import UNITS\nexcept ImportError: pass\n{}",
        "UNITS = 8\ndef _double():\n    global UNITS\n    UNITS = 16\n_double()\n{}",
        "UNITS = 8\nfrom beside import *\n{}",
    ],
)
def test_a_default_that_may_be_another_by_then_is_left_to_python(tmp_path: Path, text: str) -> None:
    write(tmp_path, "UNITS = 16\n", "beside.py")
    network = read(tmp_path, text.format("def build(units=UNITS): return units\n"))
    assert dict(network.form().arguments) == {}
    assert dict(network.form(units=3).arguments) == {"units": 3}
    network.refuse_missing(())


def test_what_it_imports_from_its_folder_comes_with_it(tmp_path: Path) -> None:
    write(tmp_path, "from inner.deep import Mean\nimport numpy\n", "beside.py")
    write(tmp_path, "Mean = list\n", "inner/deep.py")
    write(tmp_path, "raise RuntimeError\n", "numpy.py")  # never in place of the real one
    files = dict(read(tmp_path, NET).source.files)
    assert {*files} == {"net.py", "beside.py", "inner/deep.py"}


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ("WIDTH = 8", "# a comment\nWIDTH  =  8", True),
        ("def _helper(): pass", "def _helper(): return 3", True),
        ("def _helper(): pass", 'if __name__ == "__main__":\n    print(build())', True),
        ("WIDTH = 8", "WIDTH = 9", False),
        ("[Mean(units)]", "[Mean(units + 1)]", False),
    ],
    ids=["layout", "another function", "a script's part", "a constant", "the function"],
)
def test_only_what_the_function_uses_counts(
    tmp_path: Path, old: str, new: str, is_same: bool
) -> None:
    before, after = read(tmp_path, NET), read(tmp_path, NET.replace(old, new))
    assert (before.code == after.code) is is_same


@pytest.mark.parametrize(
    "line",
    [
        "_ = act()",
        "_ = [act() for _ in 'ab']",
        "keras.config.limit = 3",
        "SIZES['gru'] = 3",
        "def _unused(x=act()): pass",
        "def _unused(x: act()): pass",
        "class Unused(act()): pass",
        "class Unused:\n    x = act()",
        "class Unused:\n    def inner(self, x=act()): pass",
        "class Unused:\n    @act\n    def inner(self): pass",
        "class Unused:\n    import beside",
    ],
)
def test_what_an_import_does_counts_though_nothing_uses_its_name(tmp_path: Path, line: str) -> None:
    before = read(tmp_path, NET)
    assert (
        read(tmp_path, NET.replace("\ndef _helper", f"\n{line}\ndef _helper")).code != before.code
    )


@pytest.mark.parametrize(
    "line",
    [
        "OTHERS = [1, 2]",
        "later = lambda: act()",
        "def _unused(x=3) -> int: return act(x)",
        "class Unused(Mean):\n    factor = 3\n    def call(self): return act()",
    ],
)
def test_what_only_defines_an_unused_name_does_not_count(tmp_path: Path, line: str) -> None:
    before = read(tmp_path, NET)
    assert (
        read(tmp_path, NET.replace("\ndef _helper", f"\n{line}\ndef _helper")).code == before.code
    )


def test_a_long_chain_of_names_is_followed_in_seconds(tmp_path: Path) -> None:
    links = "".join(f"a{i} = a{i + 1}\n" for i in range(20_000))
    network = read(tmp_path, f"def build(): return a0\n{links}a20000 = 1\n")
    began = time.process_time()
    assert source_digest(network.source) == network.code
    assert time.process_time() - began < 5


def test_another_file_name_is_the_same_code_and_another_helper_is_not(tmp_path: Path) -> None:
    write(tmp_path, "Mean = list\n", "beside.py")
    before = read(tmp_path, NET)
    assert read(tmp_path, NET, "other.py").code == before.code
    write(tmp_path, "Mean = tuple\n", "beside.py")
    assert read(tmp_path, NET).code != before.code


def test_a_source_is_kept_as_it_was_and_its_digest_is_the_code(tmp_path: Path) -> None:
    network = read(tmp_path, NET)
    kept = Source.from_json(network.source.to_json())
    assert kept == network.source
    assert source_digest(kept) == network.code == network.form().code


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("net.py:nothing", r"no function 'nothing'; its functions: net.py:build$"),
        ("net.py:Kind", r"line 3 has a class; write a function that returns its layers"),
        ("net.py:made", r"line 5 assigns it; write it as a def"),
        ("two.py", r"two.py has several functions; name .*: two.py:a, two.py:b"),
        ("none.py", r"none.py has no function; write one"),
        ("missing.py:build", "there is no file .*missing.py; name one"),
        ("folder.py:build", "folder.py is a folder; name a file in it"),
        ("broken.py", r"broken.py, line 2 is not valid Python: "),
        ("binary.py", "binary.py is no Python text: "),
        ("zero.py", "zero.py is no(t valid)? Python"),
        ("taken.py", r"the parameter 'epochs' of build \(line 1\) means something else"),
        ("hangul.py", "the parameter '유닛' of build .* is not ASCII"),
    ],
)
def test_what_is_no_network_is_refused(tmp_path: Path, words: str, sentence: str) -> None:
    write(tmp_path, "def build(): pass\n\nclass Kind: pass\n\nmade = lambda: 3\n")
    write(tmp_path, "def a(): pass\ndef b(): pass\n", "two.py")
    write(tmp_path, "x = 3\n", "none.py")
    write(tmp_path, "\ndef build(:\n", "broken.py")
    write(tmp_path, "def build(): '\0'\n", "zero.py")
    write(tmp_path, "def build(epochs=3): pass\n", "taken.py")
    write(tmp_path, "def build(유닛=3): pass\n", "hangul.py")
    (tmp_path / "binary.py").write_bytes(b"x = 3\n\n\xff\xfe\x80")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(StudyError, match=sentence):
        read_network(str(tmp_path / words))


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "net.py", "wb") as file:
        file.truncate(100 * MOST_SOURCE_BYTES)
    with pytest.raises(StudyError, match=r"has 104,857,600 bytes, of at most 1,048,576"):
        read_network(str(tmp_path / "net.py"))


def test_two_files_of_one_name_and_other_code_are_refused(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a"), write(tmp_path / "b", NET.replace("units)]", "9)]"))
    alike = Study(name="s", architectures=(f"{a}:build", f"{a}"), seeds=(0,))
    assert alike.architectures == ("net.py:build", "net.py:build")
    with pytest.raises(StudyError, match=r"two networks of this study are called net\.py:build"):
        Study(name="s", architectures=(f"{a}:build", f"{b}:build"), seeds=(0,))


def test_a_parameter_that_nobody_gave_is_told_with_its_line(tmp_path: Path) -> None:
    study = Study(name="s", architectures=(str(write(tmp_path)),), seeds=(0,))
    with pytest.raises(StudyError, match=r"\(net.py, line 6\) needs 'units'.*--set units=…"):
        study.refuse_missing()
    study.with_choices(hyperparameters={"units": (3,)}).refuse_missing()


def test_a_hyperparameter_of_some_leaves_the_others_alone(tmp_path: Path) -> None:
    names = (str(write(tmp_path)), "lstm")
    study = Study(
        name="s", architectures=names, seeds=(0,), hyperparameters={"units": (3,), "rate": (0.1, 1)}
    )
    forms = [study.form("lstm", units=3, rate=rate) for rate in (0.1, 1)]
    assert forms[0] == forms[1]
    with pytest.raises(StudyError, match=r"unknown hyperparameter 'rates' \(did you mean 'rate'"):
        study.with_choices(hyperparameters={"rates": (1,)})
    with pytest.raises(StudyError, match="rate takes numbers, got 'x'"):
        study.with_choices(hyperparameters={"rate": ("x",)})
