"""What is printed is plain, whatever it is made of, and printing it ends no command."""

from __future__ import annotations

import csv
import errno
import io
import json
import logging
import sys
import traceback
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Answer
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rnnbench.errors import DataError
from rnnbench.output.characters import (
    csv_text,
    encodable,
    first_line,
    named_line,
    plain,
    plain_lines,
    readable_name,
    sentence,
)
from rnnbench.output.streams import PlainStream, steady_output
from rnnbench.page.consoles import PlainConsole, as_json
from rnnbench.page.screen import Screen
from rnnbench.runs.listing import write_runs

HOSTILE = "\x1b]0;title\x07 \x1b[2J \x9b3J \u202e \u2066 \u200b \x00 [/b] :smile:"
SHOWN = r"\x1b]0;title\x07 \x1b[2J \x9b3J \u202e \u2066 \u200b \x00 [/b] :smile:"


def hidden(text: str) -> set[str]:
    """Characters of a text that do more than show themselves, line ends apart."""
    return {char for char in text if unicodedata.category(char)[0] == "C"} - {"\n"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HOSTILE, SHOWN),
        ("a\nerror: b\tc\rd", r"a\nerror: b\tc\rd"),
        ("\udcff.csv", r"\udcff.csv"),
        ("한국어 ± “é” 🙂", "한국어 ± “é” 🙂"),
        ("a\u00a0b\u3000c", "a b c"),
        ("می\u200cخواهم 👩\u200d💻", "می\u200cخواهم 👩\u200d💻"),
        ("pos\u200d", r"pos\u200d"),
    ],
    ids=["hostile", "lines", "bytes", "letters", "spaces", "joiners", "a look-alike"],
)
def test_what_cannot_be_printed_is_shown_as_python_writes_it(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_lines_and_colours_may_stay() -> None:
    assert plain_lines("a\n\tb \x1b[1;31mred\x1b[0m \x1b[2J") == (
        "a\n\tb \x1b[1;31mred\x1b[0m \\x1b[2J"
    )


@pytest.mark.parametrize(
    ("err", "line", "named"),
    [
        (ValueError("\n\x1b[1modd\x1b[0m\x07 \nmore"), r"odd\x07", r"ValueError: odd\x07"),
        (MemoryError(), "MemoryError", "MemoryError"),
        (OSError("\n"), "OSError", "OSError"),
    ],
    ids=["lines", "nothing", "blank"],
)
def test_an_exception_is_one_plain_line(err: Exception, line: str, named: str) -> None:
    assert (first_line(err), named_line(err)) == (line, named)


def test_a_sentence_is_one_line() -> None:
    assert sentence("one\n  two\x1b\r\n") == r"one two\x1b"
    assert str(DataError(f"no\n'{HOSTILE}'")) == f"no '{SHOWN}'"


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("ascii", r"0.8 +/- 0.1 - \uac00"), ("cp949", "0.8 ± 0.1 - 가"), (None, "0.8 ± 0.1 – 가")],
)
def test_what_an_encoding_lacks_is_spelt_out(encoding: str | None, written: str) -> None:
    assert encodable("0.8 ± 0.1 – 가", encoding) == written


def test_a_file_name_that_is_no_unicode_can_be_kept() -> None:
    assert readable_name("a\udcff 가") == "a\ufffd 가"


def test_every_way_to_a_console_is_plain() -> None:
    out = io.StringIO()
    console = PlainConsole(file=out, width=200)
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE + "\n")
    for printed in (HOSTILE, Text(HOSTILE), table, Panel(HOSTILE)):
        console.print(printed)
    assert hidden(out.getvalue()) == set()
    assert out.getvalue().count(r"\x1b]0;title") == 6
    assert out.getvalue().count("[/b] :smile:") == 6


def test_cells_stay_below_their_heading() -> None:
    out = io.TextIOWrapper(io.BytesIO(), "ascii")
    table = Table()
    table.add_row("1 ± 0\x1b\n")
    table.add_row("a")
    PlainConsole(file=out, width=40).print(table)
    out.seek(0)
    assert len({len(line) for line in out.read().splitlines()}) == 1


def test_a_terminal_keeps_its_colours_and_its_cursor() -> None:
    out = io.StringIO()
    terminal = PlainConsole(file=PlainStream(out), force_terminal=True, color_system="standard")
    screen = Screen(console=terminal, errors=terminal)
    screen.warn(HOSTILE)
    with terminal.status("at work"):
        pass
    said = out.getvalue()
    assert f"\x1b[1;33mwarning: {SHOWN}\x1b[0m\n" in said
    assert "\x1b[?25l" in said


def terminal_screen(out: io.StringIO, term: str) -> Screen:
    environ = {"TERM": term}
    console = PlainConsole(file=out, force_terminal=True, color_system=None, _environ=environ)
    return Screen(console=console, errors=console)


@pytest.mark.parametrize("n_total", [2, None])
def test_a_bar_is_drawn_over_itself_and_leaves_no_line_open(n_total: int | None) -> None:
    out = io.StringIO()
    screen = terminal_screen(out, "xterm")
    for n_bytes in (1, 2):
        screen.downloaded(n_bytes, n_total)
        assert out.getvalue().endswith(" B of 2 B\n" if n_total else " B\n")
    assert out.getvalue().count("\x1b[1A\x1b[2K") == 1
    screen.warn("it broke off")
    screen.downloaded(1, n_total)
    assert out.getvalue().count("\x1b[1A") == 1


def test_a_terminal_that_cannot_redraw_gets_lines() -> None:
    out = io.StringIO()
    screen = terminal_screen(out, "dumb")
    for n_bytes in (1, 2):
        screen.downloaded(n_bytes, 2)
    assert out.getvalue() == "downloading imdb.npz: 2 B of 2 B\n"


def test_what_libraries_write_is_plain_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    steady_output()
    print(HOSTILE)
    sys.stderr.writelines(traceback.format_exception_only(ValueError(HOSTILE)))
    handler = logging.StreamHandler()
    handler.emit(logging.LogRecord("a", logging.ERROR, "a.py", 1, HOSTILE, None, None))
    said = capsys.readouterr()
    assert said.out == f"{SHOWN}\n"
    assert hidden(said.err) == set()
    assert said.err.count(SHOWN) == 2


def test_a_standard_stream_takes_bytes_and_is_not_closed_by_a_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = io.TextIOWrapper(io.BytesIO(), "cp949")
    monkeypatch.setattr(sys, "stdout", PlainStream(out))
    with sys.stdout as stream:
        stream.buffer.write("가\x07 ".encode() + b"\n")
        stream.buffer.write("가 ".encode("cp949") + b"\xff\n")
    print("after")
    out.seek(0)
    assert out.read() == "가\\x07 \n가 \\xff\nafter\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("run", HOSTILE), 2),
        ((HOSTILE,), 2),
        (("list", f"--{HOSTILE}"), 2),
        (("data", "describe", f"{HOSTILE}.csv".replace("\0", "")), 3),
    ],
    ids=["an architecture", "a command", "an option", "a file"],
)
def test_an_argument_is_shown_in_one_plain_line(
    rnnbench: Callable[..., Answer], words: tuple[str, ...], code: int
) -> None:
    answer = rnnbench(*words)
    assert answer.code == code
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert r"\x1b]0;title\x07" in answer.err
    assert hidden(answer.err) == set()


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "utf-8"])
def test_json_is_json_in_every_encoding(encoding: str) -> None:
    found = {"pos\n": f"{HOSTILE} ± 가", "file": Path("a\udcff")}
    text = as_json(found, encoding)
    assert json.loads(text) == {"pos\n": f"{HOSTILE} ± 가", "file": "a\udcff"}
    assert plain_lines(text) == encodable(text, encoding) == text


def test_json_for_people_keeps_their_letters() -> None:
    assert "한국어" in as_json({"a": "한국어"}, "utf-8")


def test_csv_holds_no_formula() -> None:
    assert csv_text("=1+1") == "'=1+1"
    assert csv_text(f"{HOSTILE}\nsecond") == f"{SHOWN}\nsecond"
    (row,) = csv.DictReader(io.StringIO(write_runs([{"dataset": "=cmd", "val_loss": -0.5}])))
    assert (row["dataset"], row["val_loss"]) == ("'=cmd", "-0.5")


class Broken(io.StringIO):
    """A stream to which nothing can be written."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def write(self, _: str) -> int:
        raise OSError(self._number, "broken")


@pytest.mark.parametrize(
    "words", [("list", "studies"), ("list", "--json"), ("--version",)], ids=str
)
def test_output_that_cannot_be_written_is_told_when_the_work_is_done(
    rnnbench: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(errno.ENOSPC))
    told = "error: standard output could not be written (broken); everything else was done\n"
    assert rnnbench(*words) == Answer(3, "", told)


def test_a_reader_that_has_left_is_no_fault(
    rnnbench: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(errno.EPIPE))
    assert rnnbench("list", "studies") == Answer(0, "", "")


def test_a_stream_that_is_closed_takes_what_is_said(
    rnnbench: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert rnnbench("list", "studies") == Answer(0, "", "")
    monkeypatch.setattr(sys, "stderr", None)
    assert rnnbench("rum") == Answer(2, "", "")
