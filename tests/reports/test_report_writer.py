"""The report's files: what they hold, in which order, and that nothing in them can act."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path

import pytest
from made_reports import EMPTY, HOSTILE, changed, make_report, make_responses
from tex import cells_of

from rnnbench.errors import StoreError
from rnnbench.page.render import escape_line, escape_markdown
from rnnbench.reports.compose import Report
from rnnbench.reports.writer import FORMATS, write_report

TABLES = (
    "architectures",
    "seeds",
    "responses",
    "pairs",
    "uncertainty_arms",
    "uncertainty_pairs",
    "curves",
    "published_curves",
    "published",
    "claims",
    "facts",
)
PARTS = [
    "answer",
    "architectures",
    "pairs",
    "uncertainty",
    "curves",
    "published",
    "claims",
    "how",
]
VOID = {"meta", "link", "br", "hr", "img"}


class Page(HTMLParser):
    """The elements and words of a page; an element that is not closed is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words += data

    def values(self, attribute: str) -> list[str]:
        return [found for _, attrs in self.elements if (found := attrs.get(attribute)) is not None]


@pytest.fixture(scope="module")
def report() -> Report:
    made = make_report(sections=("short", "long"), n_seeds=3, n_epochs=6, hostile=HOSTILE)
    return changed(made, responses=make_responses())


@pytest.fixture(scope="module")
def written(report: Report, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of a report, in their order, in a folder that was made for it."""
    return write_report(report, tmp_path_factory.mktemp("report") / "new" / "out", FORMATS)


@pytest.fixture(scope="module")
def folder(written: list[Path]) -> Path:
    return written[0].parent


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "index.html").read_text("utf-8"))


def test_the_page_comes_first_and_every_file_is_there(written: list[Path], folder: Path) -> None:
    names = [path.relative_to(folder).as_posix() for path in written]
    assert names[:2] == ["index.html", "index.md"]
    assert {name for name in names if name.startswith("tables/")} == {
        f"tables/{name}.csv" for name in TABLES
    }
    assert len([name for name in names if name.startswith("figures/")]) == 8
    assert sorted(path for path in folder.parent.rglob("*") if path.is_file()) == sorted(written)


@pytest.mark.parametrize(
    ("formats", "names"),
    [(["html"], {"index.html"}), (["csv"], {f"tables/{name}.csv" for name in TABLES})],
    ids=["html", "csv"],
)
def test_only_what_is_asked_for_is_written(
    formats: list[str], names: set[str], report: Report, tmp_path: Path
) -> None:
    small = changed(report, curves=report.comparison.curves[:2])
    paths = write_report(small, tmp_path, formats)  # type: ignore[arg-type]  # of parameters
    assert {path.relative_to(tmp_path).as_posix() for path in paths} == names


def test_the_parts_are_in_order_and_the_contents_lead_to_them(page: Page) -> None:
    assert [attrs["id"] for tag, attrs in page.elements if tag == "section"] == PARTS
    inside = [link[1:] for link in page.values("href") if link.startswith("#")]
    assert inside[:8] == PARTS
    assert set(inside) <= set(page.values("id"))
    assert len(set(page.values("id"))) == len(page.values("id"))


def test_the_page_can_do_nothing_and_fetches_nothing(page: Page) -> None:
    assert {tag for tag, _ in page.elements} & {
        "script",
        "iframe",
        "img",
        "object",
        "form",
    } == set()
    assert [key for _, attrs in page.elements for key in attrs if key.startswith("on")] == []
    addresses = page.values("href") + page.values("src") + page.values("xlink:href")
    assert [a for a in addresses if not a.startswith(("#", "tables/", "data:"))] == []
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page.values("content")


def test_what_looks_like_a_script_is_shown_as_text(page: Page) -> None:
    for words in (
        f"textbook{HOSTILE}",
        f"lstm{HOSTILE}",
        f"gru{HOSTILE}",
        f"fingerprint 70e42a433819 {HOSTILE}",
        f"800 = 4 × 200. {HOSTILE}",
        f"see 'not finished'. {HOSTILE}",
    ):
        assert words in page.words


def test_the_page_tells_the_verdicts_in_words(page: Page) -> None:
    for words in ("better, about the margin", "equivalent", "undetermined", "supported"):
        assert words in page.words
    assert "contradicted" in page.words
    assert "not measured" in page.words


def test_every_figure_is_read_aloud_and_has_a_caption(page: Page) -> None:
    drawn = [attrs for tag, attrs in page.elements if tag == "svg"]
    assert len(drawn) == 8
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in drawn)
    assert re.findall(r"Figure (\d)\.", page.words) == list("12345678")


def test_forty_runs_of_sixty_epochs_fit_in_the_page(tmp_path: Path) -> None:
    (path,) = write_report(make_report(n_epochs=60), tmp_path, ["html"])
    assert path.stat().st_size < 1_000_000


def test_other_contrasts_are_named(report: Report) -> None:
    declared = replace(EMPTY.comparison.declared, contrast="order")
    assert changed(EMPTY, declared=declared).page().parts[1].heading == "Arms: order"


def test_empty_parts_say_why(tmp_path: Path) -> None:
    (path,) = write_report(EMPTY, tmp_path, ["html"])
    words = Page(path.read_text("utf-8")).words
    for sentence in (
        "There is no answer yet: no run has finished.",
        "No run has finished.",
        "No pair to compare: no run has finished.",
        "Not measured: there are no finished runs to resample.",
        "Not measured: no run has a finished epoch.",
        "The notes published nothing that these runs can be compared with.",
        "Not recorded.",
    ):
        assert sentence in words


def test_one_architecture_makes_no_pair() -> None:
    alone = changed(make_report(arms=("lstm",), n_seeds=2, n_epochs=2), pairs=())
    (paragraph,) = alone.page().parts[2].blocks
    assert "No pair to compare: one architecture." in str(paragraph)


def test_the_text_says_what_the_conclusions_hold_for(report: Report) -> None:
    declared = report.comparison.declared
    fixed, varied = (
        str(changed(report, declared=each).page().parts[2].blocks[0])
        for each in (declared, replace(declared, vary_split=True))
    )
    assert "this one split of the reviews and this test set" in fixed
    assert "The split varies from seed to seed" in varied


def test_a_table_says_what_only_its_csv_file_holds(tmp_path: Path) -> None:
    many = make_report(arms=("lstm",), n_seeds=600, n_epochs=1)
    (path,) = write_report(many, tmp_path, ["html"])
    assert "100 more rows are in the CSV file." in path.read_text("utf-8")


def read_table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_is_a_line_of_csv(folder: Path, report: Report) -> None:
    n_lines = {name: len(read_table(folder, name)) for name in TABLES}
    compared, published = report.comparison, report.published
    assert n_lines == {
        "architectures": len(compared.arms),
        "seeds": len(compared.seeds),
        "responses": len(compared.responses),
        "pairs": len(compared.pairs),
        "uncertainty_arms": len(compared.uncertainty.arms),
        "uncertainty_pairs": len(compared.uncertainty.pairs),
        "curves": sum(len(curve.history) for curve in compared.curves),
        "published_curves": sum(len(curve.history) for curve in published.curves),
        "published": len(published.rows),
        "claims": len(report.claims),
        "facts": len(report.facts),
    }


def test_an_interval_is_two_columns_and_what_is_missing_is_empty(
    folder: Path, report: Report
) -> None:
    row, arm = read_table(folder, "architectures")[0], report.comparison.arms[0]
    assert arm.test_accuracy_t is not None
    assert float(row["test_accuracy"]) == arm.test_accuracy
    assert float(row["test_accuracy_t_low"]) == arm.test_accuracy_t.low
    assert float(row["test_accuracy_t_high"]) == arm.test_accuracy_t.high
    baseline = next(
        row for row in read_table(folder, "architectures") if row["is_baseline"] == "True"
    )
    assert [baseline[key] for key in ("gap", "test_accuracy_t_low", "test_accuracy_t_high")] == [
        "",
        "",
        "",
    ]


def test_a_curve_is_a_line_for_each_epoch(folder: Path, report: Report) -> None:
    curve = report.comparison.curves[0]
    lines = read_table(folder, "curves")[: len(curve.history)]
    assert [int(line["epoch"]) for line in lines] == list(range(1, len(curve.history) + 1))
    assert float(lines[-1]["val_loss"]) == curve.history[-1, 2]


def test_no_text_is_a_formula_to_a_spreadsheet(tmp_path: Path) -> None:
    facts = (("data", "=1+1"),)
    write_report(replace(EMPTY, facts=facts), tmp_path, ["csv"])
    assert read_table(tmp_path, "facts")[0]["value"] == "'=1+1"


def test_links_and_pictures_of_the_markdown_are_there(folder: Path) -> None:
    text = (folder / "index.md").read_text("utf-8")
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len([target for target in targets if target.startswith("figures/")]) == 8
    for target in targets:
        if target.startswith("#"):
            assert f'<a id="{target[1:]}"></a>' in text
        else:
            assert (folder / target).is_file(), target


def test_the_markdown_holds_no_element_but_its_anchors(folder: Path) -> None:
    text = (folder / "index.md").read_text("utf-8")
    assert re.sub(r'<a id="[a-z]+"></a>', "", text).count("<") == 0
    assert "lstm&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_the_markdown_as_a_page_of_the_site_shows_scripts_as_text(folder: Path) -> None:
    markdown = pytest.importorskip("markdown")
    text = (folder / "index.md").read_text("utf-8")
    page = Page(markdown.markdown(text, extensions=["tables"]))
    tags = [tag for tag, _ in page.elements]
    assert "script" not in tags
    assert (tags.count("table"), tags.count("img"), tags.count("h2")) == (9, 8, 8)
    assert f"lstm{HOSTILE}" in page.words


def test_the_tables_of_the_markdown_are_whole(folder: Path) -> None:
    text = (folder / "index.md").read_text("utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert len(tables) == 9  # scores, seeds, costs, responses, pairs, two SEs, published, facts
    for table in tables:
        lines = table.splitlines()
        assert len({line.count("|") for line in lines}) == 1, lines[0]
        assert re.fullmatch(r"(\| (---|---:) )+\|", lines[1])


def test_the_markdown_is_not_split_by_three_empty_lines(folder: Path) -> None:
    assert "\n\n\n\n" not in (folder / "index.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a | b", "a &#124; b"),
        ("<b> & `<c>`", "&lt;b&gt; &amp; &#96;&lt;c&gt;&#96;"),
        ("of `reset_after` *", "of `reset_after` \\*"),
        ("*a* _b_", "\\*a\\* \\_b\\_"),
        ("two\nlines", "two lines"),
        ("[0.1, 0.2]", "[0.1, 0.2]"),
        ("[x](javascript:alert(1))", "[x\\](javascript:alert(1))"),
        ("![x][y]", "\\![x\\][y]"),
    ],
)
def test_markdown_shows_text_as_it_is(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("# x", "\\# x"), ("- x", "\\- x"), ("12. x", "12\\. x"), ("80.4 %", "80\\.4 %")],
)
def test_a_line_begins_no_list_and_no_heading(text: str, escaped: str) -> None:
    assert escape_line(text) == escaped


def test_a_report_replaces_the_one_before(tmp_path: Path) -> None:
    small = make_report(arms=("lstm",), n_seeds=1, n_epochs=1)
    write_report(small, tmp_path, ["html"])
    write_report(replace(small, study="another"), tmp_path, ["html"])
    assert "another" in (tmp_path / "index.html").read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_folder_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here first")
    with pytest.raises(StoreError, match=r"cannot write the report to .*file/out \(.+\); choose"):
        write_report(EMPTY, tmp_path / "file" / "out", ["html"])


def test_what_was_there_stays_where_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("before")
    (tmp_path / "tables").write_text("a file where a folder must be")
    with pytest.raises(StoreError):
        write_report(EMPTY, tmp_path, ["html", "csv"])
    assert (tmp_path / "index.html").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "tables"]


PAPER = ("accuracy", "costs", "pairs", "uncertainty_arms", "uncertainty_pairs")
IN_NAMES = "_%&\\{}$#~^ 영화 \u200f"


def write_latex(report: Report, folder: Path) -> dict[str, str]:
    """The tables for a paper, by the stem of their file."""
    paths = write_report(report, folder, ["csv"], latex=True)
    found = [path for path in paths if path.suffix == ".tex"]
    assert {path.parent for path in found} <= {folder / "latex"}
    return {path.stem: path.read_text("utf-8") for path in found}


def test_a_paper_has_five_tables_with_the_rows_and_columns_of_the_page(tmp_path: Path) -> None:
    made = make_report(n_seeds=6, n_epochs=1)
    found = write_latex(made, tmp_path)
    assert tuple(found) == PAPER
    blocks = [block for part in made.page().parts for block in part.blocks]
    shown = {
        (len(block.columns), 1 + len(block.shown[0][1]))
        for block in blocks
        if block.kind == "table"
    }
    for text in found.values():
        cells = cells_of(text)
        assert (len(cells[0]), len(cells)) in shown
        assert {len(row) for row in cells} == {len(cells[0])}


def test_a_table_for_a_paper_says_what_made_it_and_what_the_report_warns_of(tmp_path: Path) -> None:
    first, second, *others = write_latex(make_report(n_epochs=1), tmp_path)["pairs"].splitlines()
    assert first == "% Pairs by test accuracy: study textbook"
    assert second == f"% Made by rnnbench {version('rnnbench')}: rnnbench report textbook --latex"
    assert "% Warning: Seconds an epoch were measured beside other work." in others


@pytest.mark.parametrize("hostile", [HOSTILE, IN_NAMES], ids=["script", "signs"])
def test_tables_for_a_paper_are_whole_whatever_the_arms_are_called(
    hostile: str, tmp_path: Path
) -> None:
    made = make_report(sections=(hostile, "[long]"), n_seeds=6, n_epochs=1, hostile=hostile)
    for text in write_latex(made, tmp_path).values():
        lengths = [len(row) for row in cells_of(text)]
        assert sorted({*lengths}) == [1, lengths[0]]
        assert lengths.count(1) == 2  # sections
        assert "\u200f" not in text


def test_without_a_finished_run_there_is_no_table_for_a_paper(tmp_path: Path) -> None:
    failed = replace(make_report(arms=("lstm",), n_epochs=1).comparison.arms[0], n=0)
    assert write_latex(changed(EMPTY, arms=(failed,)), tmp_path) == {}
    assert not (tmp_path / "latex").exists()


def test_one_arm_has_no_table_of_pairs(tmp_path: Path) -> None:
    made = make_report(arms=("lstm",), n_epochs=1)
    assert tuple(write_latex(made, tmp_path)) == ("accuracy", "costs", "uncertainty_arms")


def test_a_folder_for_latex_that_cannot_be_written_is_told_as_any(tmp_path: Path) -> None:
    (tmp_path / "latex").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot write the report to .+ with --out"):
        write_report(make_report(n_epochs=1), tmp_path, ["csv"], latex=True)
