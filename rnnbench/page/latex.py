"""Tables for a paper: LaTeX that needs booktabs alone."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Literal, TypeAlias

from rnnbench.output.amounts import plural
from rnnbench.page.tables import Column, Table
from rnnbench.page.texts import plain

_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # In TeX's first fonts other signs stand in these places, and babel makes a letter's dots of ".
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': r"\symbol{34}",
    "`": r"\`{}",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "·": r"$\cdot$",
    "→": r"$\rightarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "…": r"\ldots{}",
}
_TABLE = str.maketrans(_SIGNS)
# Two of these would be set as one: a dash, a quotation mark.
_LIGATURE = re.compile(r"([-',])(?=\1)")
_MOST_CHARACTERS = 90  # of a row in \\footnotesize and 14 cm, as the pages of conferences are
_TITLE_CHARACTERS = 10
_TEXT_CHARACTERS = 16

_Columns: TypeAlias = Sequence[Column[Any]]  # Any: rows of any type, here and below
_Rows: TypeAlias = list[list[str]]
"""Cells of plain text, some in several lines."""
_Groups: TypeAlias = list[tuple[str, _Rows]]
"""Rows by their heading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTable:
    """A table of the page as a paper shows it.

    Args:
        name: the stem of its file, and the end of its label.
        caption: without a full stop.
        note: how to read it, below the table.
    """

    name: str
    caption: str
    table: Table[Any]
    note: str


def render_latex(
    paper: PaperTable, *, study: str, made_by: str, warnings: Iterable[str] = ()
) -> str:
    """A whole `table` environment, with comments on top: of what, made by what, what it needs.

    Args:
        study: its name is also a part of the label.
        made_by: version and command.
        warnings: of the report; whoever takes the table alone reads them as comments.
    """
    lines = [*_environment(paper, _slug(study))]
    remarks = [
        f"{paper.caption}: study {study}",
        f"Made by {made_by}",
        r"Needs \usepackage{booktabs}; on a page of two columns, table* in place of table.",
        r"Too wide? Leave columns out, or take \resizebox{\linewidth}{!}{…} of graphicx.",
        *_beyond_ascii("".join(lines)),
        *(f"Warning: {warning}" for warning in warnings),
    ]
    if paper.table.n_left_out:
        remarks.append(f"Left out: {plural(paper.table.n_left_out, 'row')}, in the CSV file.")
    return "\n".join([*(f"% {plain(remark)}" for remark in remarks), *lines, ""])


def escape_latex(text: str) -> str:
    """Text that LaTeX shows as it is; what is neither ASCII nor a sign of ours stays UTF-8."""
    composed = unicodedata.normalize("NFC", plain(text))
    escaped = _LIGATURE.sub(r"\1{}", composed.translate(_TABLE))
    return escaped.replace(r" \%", r"\,\%")


def _environment(paper: PaperTable, study: str) -> Iterator[str]:
    columns = paper.table.columns
    groups = [
        (heading, [[plain(cell) for cell in paper.table.write(row)] for row in rows])
        for heading, rows in paper.table.shown
    ]
    is_wide = sum(_widths(columns, groups)) > _MOST_CHARACTERS
    if is_wide:
        groups = [(heading, _fold_texts(columns, rows)) for heading, rows in groups]
    yield r"\begin{table}[htbp]"
    yield r"  \centering"
    yield r"  \setlength{\belowcaptionskip}{6pt}"
    yield rf"  \caption{{{escape_latex(paper.caption)}.}}"
    yield rf"  \label{{tab:{study}-{paper.name.replace('_', '-')}}}"
    yield r"  \scriptsize" if is_wide else r"  \footnotesize"
    yield r"  \setlength{\tabcolsep}{3pt}"
    yield rf"  \begin{{tabular}}{{@{{}}{''.join(map(_side, columns))}@{{}}}}"
    yield r"    \toprule"
    yield f"    {_write_titles(columns, groups)}"
    yield r"    \midrule"
    for line in _body(columns, groups):
        yield f"    {line}"
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    if paper.note:
        yield ""
        yield r"  \medskip"
        yield r"  \begin{minipage}{\linewidth}"
        yield f"    {escape_latex(paper.note)}"
        yield r"  \end{minipage}"
    yield r"\end{table}"


def _body(columns: _Columns, groups: _Groups) -> Iterator[str]:
    for place, (heading, rows) in enumerate(groups):
        if heading and place:
            yield r"\addlinespace"
        if heading:
            yield _span(heading, len(columns))
        for row in rows:
            yield _write_row(columns, row)
            if any("\n" in cell for cell in row):
                yield r"\addlinespace[2pt]"


def _widths(columns: _Columns, groups: _Groups) -> list[int]:
    """In characters, of each column; a title need not be wider than its words."""
    by_column = zip(*(row for _, rows in groups for row in rows), strict=True)
    return [
        max(min(len(column.title), _TITLE_CHARACTERS), *(_width(cell) for cell in cells))
        for column, cells in zip(columns, by_column, strict=True)
    ]


def _width(cell: str) -> int:
    return max(map(len, cell.split("\n")))


def _fold_texts(columns: _Columns, rows: _Rows) -> _Rows:
    """The rows, long texts in several lines; numbers stay whole."""
    return [
        [
            cell if column.is_number else _fold(cell, _TEXT_CHARACTERS)
            for column, cell in zip(columns, row, strict=True)
        ]
        for row in rows
    ]


def _fold(text: str, width: int) -> str:
    whole = text.replace(" %", "\u00a0%")  # a space at which no line ends
    return "\n".join(wrap(whole, width, break_long_words=False, break_on_hyphens=False))


def _write_titles(columns: _Columns, groups: _Groups) -> str:
    titles = [
        _fold(column.title, width)
        for column, width in zip(columns, _widths(columns, groups), strict=True)
    ]
    return _join(_stack(t, column, "b") for t, column in zip(titles, columns, strict=True))


def _write_row(columns: _Columns, row: Sequence[str]) -> str:
    return _join(_stack(cell, column, "t") for cell, column in zip(row, columns, strict=True))


def _join(cells: Iterable[str]) -> str:
    return rf"{_guard(' & '.join(cells))} \\"


def _stack(text: str, column: Column[Any], place: Literal["b", "t"]) -> str:
    """The text in its lines, the last of which stands beside the other cells, or the first."""
    lines = [escape_latex(line) for line in text.split("\n")]
    if len(lines) == 1:
        return lines[0]
    inner = r" \\ ".join(map(_guard, lines))
    return rf"\begin{{tabular}}[{place}]{{@{{}}{_side(column)}@{{}}}}{inner}\end{{tabular}}"


def _side(column: Column[Any]) -> str:
    return "r" if column.is_number else "l"


def _span(heading: str, n_columns: int) -> str:
    """A row that says of what section the next ones are."""
    return rf"\multicolumn{{{n_columns}}}{{@{{}}l@{{}}}}{{\textit{{{escape_latex(heading)}}}}} \\"


def _guard(line: str) -> str:
    r"""The line so that what stands before it, a `\\` or a rule, takes no option from it."""
    return f"{{}}{line}" if line.startswith(("[", "*")) else line


def _slug(name: str) -> str:
    """A name for a label, in which TeX takes no sign for anything else."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "study"


def _beyond_ascii(text: str) -> Iterator[str]:
    found = sorted({character for character in text if not character.isascii()})
    if found:
        shown = f"{' '.join(found[:10])}{' …' if found[10:] else ''}"
        yield (
            f"Has {shown} in it: pdfLaTeX sets Western letters; for others take LuaLaTeX or"
            " XeLaTeX, and a font that has them."
        )
