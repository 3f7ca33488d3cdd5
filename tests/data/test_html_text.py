"""HTML in texts: found, taken out, and told from what only looks like it."""

from __future__ import annotations

import time

import pytest

from rnnbench.data.html_text import has_html, strip_html


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a <br /><br>b &amp; c", "a   b & c"),
        ("<p>Hello <b>w</b>orld</p>", "Hello world"),
        ("caf&eacute; &#233; &#xe9;", "café é é"),
        ("a<!-- hidden -->b<script>run()</script>", "a b"),
        ("&lt;br&gt;", "<br>"),
    ],
)
def test_tags_and_entities_are_taken_out(text: str, seen: str) -> None:
    assert has_html(text)
    assert strip_html(text) == seen


@pytest.mark.parametrize(
    "text", ["x<y and y>z", "a < b > c", "I <3 you", "AT&T & R&D;", "<unknown>", "<a href='x"]
)
def test_what_only_looks_like_html_stays(text: str) -> None:
    assert not has_html(text)
    assert strip_html(text) == text


@pytest.mark.parametrize("part", ["<", "<a ", "</", "<!--", "<script>", "&#", "<b x='"])
def test_a_text_of_open_tags_takes_no_time(part: str) -> None:
    began = time.perf_counter()
    strip_html("<br>" + part * 100_000)
    assert time.perf_counter() - began < 5
