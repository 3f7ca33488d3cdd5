"""Tables as LaTeX: what an engine would make of them, whatever names stand in them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tex import cells_of, code_of

from rnnbench.page.latex import PaperTable, escape_latex, render_latex
from rnnbench.page.tables import Column, Table

SIGNS = r"a_b 5%&\{x}$y$#~^<z>|\"`"


@dataclass(frozen=True)
class Row:
    name: str
    mean: str = "80.3"
    verdict: str = "better"


COLUMNS: list[Column[Row]] = [
    Column("arm", lambda row: row.name, is_number=False),
    Column("mean test accuracy [95 %]", lambda row: row.mean),
    Column("verdict", lambda row: row.verdict, is_number=False),
]


def rendered(
    *groups: tuple[str, list[Row]], note: str = "", study: str = "textbook", **remarks: list[str]
) -> str:
    table = Table("Arms", "arms", COLUMNS, groups)
    paper = PaperTable(name="my_arms", caption="Arms", table=table, note=note)
    made_by = "rnnbench 0.1.0: rnnbench report textbook --latex"
    return render_latex(paper, study=study, made_by=made_by, **remarks)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b & c", r"a\_b \& c"),
        ("#1 {x} $", r"\#1 \{x\} \$"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("~^", r"\textasciitilde{}\textasciicircum{}"),
        ("95 % of 5%", r"95\,\% of 5\%"),
        ("−0.5 ± 0.2 × 3", r"$-$0.5 $\pm$ 0.2 $\times$ 3"),
        ("80.1–80.3 · –", r"80.1\textendash{}80.3 $\cdot$ \textendash{}"),
        ("A > B, p < 0.001", r"A $>$ B, p $<$ 0.001"),
        ("a--b ''c'' ,,", "a-{}-b '{}'c'{}' ,{},"),
        ('"`', r"\symbol{34}\`{}"),
        ("two\nlines\t", "two lines"),
        ("영화 é", "영화 é"),
        ("e\u0301", "é"),
        ("a\u200fb\x1b", r"a\textbackslash{}u200fb\textbackslash{}x1b"),
    ],
)
def test_latex_shows_text_as_it_is(text: str, escaped: str) -> None:
    assert escape_latex(text) == escaped


def test_a_table_is_a_whole_environment() -> None:
    assert rendered(("", [Row("lstm"), Row("gru", "9.1")]), note="Means ± SD.").splitlines() == [
        "% Arms: study textbook",
        "% Made by rnnbench 0.1.0: rnnbench report textbook --latex",
        r"% Needs \usepackage{booktabs}; on a page of two columns, table* in place of table.",
        r"% Too wide? Leave columns out, or take \resizebox{\linewidth}{!}{…} of graphicx.",
        r"\begin{table}[htbp]",
        r"  \centering",
        r"  \setlength{\belowcaptionskip}{6pt}",
        r"  \caption{Arms.}",
        r"  \label{tab:textbook-my-arms}",
        r"  \footnotesize",
        r"  \setlength{\tabcolsep}{3pt}",
        r"  \begin{tabular}{@{}lrl@{}}",
        r"    \toprule",
        r"    arm & \begin{tabular}[b]{@{}r@{}}mean test \\ accuracy \\ {}[95\,\%]\end{tabular} &"
        r" verdict \\",
        r"    \midrule",
        r"    lstm & 80.3 & better \\",
        r"    gru & 9.1 & better \\",
        r"    \bottomrule",
        r"  \end{tabular}",
        "",
        r"  \medskip",
        r"  \begin{minipage}{\linewidth}",
        r"    Means $\pm$ SD.",
        r"  \end{minipage}",
        r"\end{table}",
    ]


def test_a_section_is_a_row_across_all_columns() -> None:
    cells = cells_of(rendered(("max_len=80", [Row("lstm")]), ("max_len=9", [Row("gru")])))
    assert [row[0] for row in cells[1:]] == [
        r"\multicolumn{3}{@{}l@{}}{\textit{max\_len=80}}",
        "lstm",
        r"\multicolumn{3}{@{}l@{}}{\textit{max\_len=9}}",
        "gru",
    ]


@pytest.mark.parametrize(
    "name", [SIGNS, "영화", "a\u200fb", "[x]", "*", "\\", "x" * 200, "a\nb"], ids=ascii
)
def test_no_name_breaks_a_table(name: str) -> None:
    text = rendered((name, [Row(name, verdict=name), Row("gru")]), note=name, study=name)
    heading, section, *rows = cells_of(text)
    assert [len(row) for row in (heading, *rows)] == [3, 3, 3]
    assert len(section) == 1
    assert "\u200f" not in text


@pytest.mark.parametrize("name", ["[x]", "*"])
def test_no_row_begins_with_what_the_row_before_would_take_for_an_option(name: str) -> None:
    code = code_of(rendered(("", [Row(name), Row(name)])))
    assert [line for line in code.splitlines() if line.strip().startswith(name)] == []


def test_long_texts_of_a_wide_table_are_folded_and_its_numbers_are_whole() -> None:
    row = Row(
        "lstm-dropout − lstm-stacked", "+0.01 [−0.11, +0.14]" * 3, "better, beyond the margin"
    )
    text = rendered(("", [row]))
    _, (name, mean, verdict) = cells_of(text)
    assert r"\scriptsize" in text
    assert name == r"\begin{tabular}[t]{@{}l@{}}lstm-dropout $-$ \\ lstm-stacked\end{tabular}"
    assert verdict == r"\begin{tabular}[t]{@{}l@{}}better, beyond \\ the margin\end{tabular}"
    assert "tabular" not in mean


def test_letters_that_pdflatex_may_lack_are_named_on_top() -> None:
    assert "% Has 영 화 in it" in rendered(("", [Row("영화")]))
    assert "in it" not in rendered(("", [Row("lstm ± – ×")]))


def test_warnings_and_what_is_left_out_are_comments() -> None:
    text = rendered(("", [Row("lstm")] * 501), warnings=["Synthetic.\n\\input{x}"])
    assert r"% Warning: Synthetic. \input{x}" in text.splitlines()
    assert "% Left out: 1 row, in the CSV file." in text.splitlines()
    code_of(text)


@pytest.mark.parametrize(
    ("study", "label"),
    [("textbook-영화", "textbook"), ("영화", "study"), ("a_b.c", "a-b-c")],
)
def test_a_label_is_of_plain_letters(study: str, label: str) -> None:
    assert rf"\label{{tab:{label}-my-arms}}" in rendered(("", [Row("lstm")]), study=study)
