"""Code that reads what is no part of a run is told of before it is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnbench.architectures import make_form
from rnnbench.networks.inputs import tell_inputs
from rnnbench.networks.reading import read_network

END = ", which is no part of what a run is: change it, and new runs are averaged with the old"


def told(folder: Path, text: str) -> list[str]:
    (folder / "net.py").write_text(text)
    (folder / "beside.py").write_text("from pathlib import Path\nx = Path('w').read_text()\n")
    return tell_inputs([make_form("lstm"), read_network(f"{folder / 'net.py'}:build").form()])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("def build():\n    return open('w').read()", "open in line 2 of net.py"),
        ("import os\ndef build(): return os.environ['W']", "environ in line 2 of net.py"),
        ("from os import getenv\nW = getenv('W')\ndef build(): return W", "getenv in line 2 of n"),
        ("import numpy as np\ndef build(): return np.load('w')", "load in line 2 of net.py"),
        ("from beside import x\ndef build(): return x", "read_text in line 2 of beside.py"),
    ],
)
def test_what_the_code_reads_is_told_with_its_line(tmp_path: Path, text: str, place: str) -> None:
    (sentence,) = told(tmp_path, text)
    assert sentence.startswith(f"net.py:build reads from outside when it runs ({place}")
    assert sentence.endswith(END)


@pytest.mark.parametrize(
    "other", ["def load(): return open('w')", "if __name__ == '__main__':\n    open('w')"]
)
def test_what_the_network_does_not_carry_out_is_not_told(tmp_path: Path, other: str) -> None:
    assert told(tmp_path, f"def build(): return 1\n{other}\n") == []
