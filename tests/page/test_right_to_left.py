"""Names from right to left move nothing that stands beside them on a page."""

from __future__ import annotations

import re

import pytest

from rnnbench.page.blocks import Facts, Page, Paragraph, Part, Warnings
from rnnbench.page.render import render_html, render_markdown
from rnnbench.page.tables import Column, Table

GOOD, BAD = "חיובי", "سلبي"


def page_of(*sentences: str, cells: tuple[str, ...] = ()) -> Page:
    table: Table[str] = Table(
        "Scores", "scores", [Column("name", str, is_number=False)] * 2, [("", cells)]
    )
    blocks = (*map(Paragraph, sentences), *([table] if cells else []))
    return Page(
        study=f"textbook-{GOOD}",
        description="",
        made_at="today",
        parts=(Part(anchor="a", heading="A", blocks=blocks),),
    )


def body_of(page: Page) -> str:
    return render_html(page, has_csv=False).split("<main>")[1]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (f"{GOOD} 44.6 %, {BAD} 3", f"<bdi>{GOOD}</bdi> 44.6\u00a0%, <bdi>{BAD}</bdi> 3"),
        (f"{GOOD}, {BAD}", f"<bdi>{GOOD}</bdi>, <bdi>{BAD}</bdi>"),
        (f"'{GOOD}' for '{BAD}'", f"&#39;<bdi>{GOOD}</bdi>&#39; for &#39;<bdi>{BAD}</bdi>&#39;"),
        (f"'{GOOD} 10' (3)", f"&#39;<bdi>{GOOD} 10</bdi>&#39; (3)"),
        (f"{GOOD} 10 {BAD} 3", f"<bdi>{GOOD} 10 {BAD}</bdi> 3"),
        (f"a study's '{GOOD}'", f"a study&#39;s &#39;<bdi>{GOOD}</bdi>&#39;"),
        (f"use `run {GOOD}.csv` now", f"use <code>run <bdi>{GOOD}</bdi>.csv</code> now"),
        (f"<{GOOD}>", f"&lt;<bdi>{GOOD}</bdi>&gt;"),
        ("'film' 3 and 영화 4", "&#39;film&#39; 3 and 영화 4"),
    ],
)
def test_name_in_a_sentence_is_isolated(text: str, written: str) -> None:
    assert f"<p>{written}</p>" in body_of(page_of(text))


def test_cell_takes_the_direction_of_its_text() -> None:
    html = body_of(page_of(cells=(f"{GOOD} Matrix 10 {GOOD}", "plain", "<b>")))
    assert f"<bdi>{GOOD} Matrix 10 {GOOD}</bdi></th>" in html
    assert ">plain</td>" in html
    assert ">&lt;b&gt;</td>" in html


def test_facts_and_warnings_are_isolated_too() -> None:
    blocks = (Warnings((f"{GOOD} 3",)), Facts(((GOOD, f"{BAD} 4 %"),)))
    part = Part(anchor="a", heading=f"{GOOD} 1", blocks=blocks)
    html = body_of(Page(study="s", description="", made_at="today", parts=(part,)))
    assert html.count("<bdi>") == 4


def test_attributes_and_markdown_hold_no_tags() -> None:
    page = page_of(f"{GOOD} 3", cells=(GOOD,))
    html = render_html(page, has_csv=True)
    assert f"<title>textbook-{GOOD}:" in html
    assert not re.search(r'="[^"]*<bdi>', html)
    assert "<bdi>" not in render_markdown(page, has_csv=True)


def test_long_text_takes_no_long_time() -> None:
    for text in (GOOD * 40_000, f"{GOOD} 1 " * 20_000, f"'{GOOD}" * 20_000, "' " * 100_000):
        render_html(page_of(text, cells=(text,)), has_csv=False)
