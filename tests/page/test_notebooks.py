"""What a notebook is shown, by an IPython that only keeps it."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from rnnbench.errors import UsageError
from rnnbench.page.consoles import is_in_kernel, open_console
from rnnbench.page.notebooks import Cell, html_table
from rnnbench.page.tables import Column

Shown = list[tuple[str, dict[str, str]]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What cells were drawn: `display` or `update`, and the content by its type."""
    found: Shown = []

    class DisplayHandle:
        def display(self, content: Any, *, raw: bool) -> None:
            assert raw
            found.append(("display", content))

        def update(self, content: Any, *, raw: bool) -> None:
            assert raw
            found.append(("update", content))

    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    display.DisplayHandle = DisplayHandle  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return found


def test_a_cell_is_drawn_once_and_then_in_place(shown: Shown) -> None:
    cell = Cell()
    cell.draw("<p>1</p>", "1")
    cell.draw("<p>2</p>", "2")
    assert shown == [
        ("display", {"text/html": "<p>1</p>", "text/plain": "1"}),
        ("update", {"text/html": "<p>2</p>", "text/plain": "2"}),
    ]


def test_in_a_kernel_what_is_printed_is_plain_text_whatever_its_environment_says(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert is_in_kernel()
    open_console().print("a sentence", style="bold yellow")
    assert capsys.readouterr().out == "a sentence\n"
    assert shown == []


def test_without_ipython_there_is_no_kernel() -> None:
    assert not is_in_kernel()


def test_a_table_for_a_cell_is_escaped() -> None:
    columns = [Column("<b>\nname", str, is_number=False), Column("n", lambda _: "1")]
    assert html_table("<i>", columns, ["a&b"]) == (
        "<table><caption style='text-align:left'>&lt;i&gt;</caption><thead><tr>"
        "<th style='text-align:left'>&lt;b&gt; name</th><th style='text-align:right'>n</th>"
        "</tr></thead><tbody><tr>"
        "<td style='text-align:left'>a&amp;b</td><td style='text-align:right'>1</td>"
        "</tr></tbody></table>"
    )


def test_a_notebook_shows_an_error_as_its_sentence() -> None:
    assert UsageError("no\nsuch run")._render_traceback_() == ["UsageError: no such run"]
