"""The page as HTML and as Markdown: the same parts through two templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rnnbench.page.texts import plain

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from rnnbench.page.blocks import Head, Part

__all__ = ["escape_line", "escape_markdown", "render_html", "render_markdown"]

_SPECIAL = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "&#124;",
    "`": "&#96;",
    "\\": "&#92;",
    "*": "\\*",
    "_": "\\_",
    "~": "&#126;",
}
# What would make a link of a bracket, an image of a bang, or a reference of a line.
_LINK = re.compile(r"\](?=[(\[:])|!(?=\[)")
# Names of options and files, which study files and claims set between backquotes.
_CODE = re.compile(r"`([\w .=,-]+)`")
_LINE_START = re.compile(r"^(\d*)([#+.)-])")


class _Titled(Protocol):
    """What stands at the head of a page; plain text."""

    @property
    def study(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def made_at(self) -> str: ...


class _Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def render_html(
    document: _Titled, parts: Sequence[Part], *, drawings: Mapping[str, str], has_csv: bool
) -> str:
    """One page that fetches nothing.

    Args:
        drawings: the `<svg>` element of each figure, by its name.
        has_csv: whether the tables lie beside the page, to be linked.
    """
    from markupsafe import Markup

    environment = _environment(autoescape=True, finalize=_keep_units)
    environment.filters["marked"] = _mark_code
    template = environment.get_template("page.html.jinja")
    safe = {name: Markup(svg) for name, svg in drawings.items()}
    return template.render(document=document, parts=parts, drawings=safe, has_csv=has_csv)


def render_markdown(document: _Titled, parts: Sequence[Part], *, has_csv: bool) -> str:
    """The same as Markdown; figures are in `figures/`."""
    environment = _environment(finalize=_finalize)
    environment.filters.update(
        line=escape_line, alt=_escape_alt, row=_write_row, rule=_write_rule, verbatim=_Markdown
    )
    template = environment.get_template("page.md.jinja")
    return template.render(document=document, parts=parts, has_csv=has_csv)


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, on one line, in a table too."""
    pieces = _CODE.split(plain(text))  # text, code, text, …
    pieces[::2] = [_escape_piece(piece) for piece in pieces[::2]]
    pieces[1::2] = [f"`{piece}`" for piece in pieces[1::2]]
    return "".join(pieces)


def escape_line(text: str) -> _Markdown:
    """The same for text at the beginning of a line, where it starts no list and no heading."""
    return _Markdown(_LINE_START.sub(r"\1\\\2", escape_markdown(text)))


def _escape_piece(text: str) -> str:
    escaped = "".join(_SPECIAL.get(character, character) for character in text)
    return _LINK.sub(lambda found: f"\\{found[0]}", escaped)


def _mark_code(text: str) -> Markup:
    """Text for HTML, with what stands between backquotes set as code."""
    from markupsafe import Markup, escape

    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(_join_units(text)))))


def _keep_units(value: object) -> object:
    """A plain text in which no line ends between a number and its per cent sign."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return _join_units(value)


def _join_units(text: str) -> str:
    return plain(text).replace(" %", "\u00a0%")


def _write_row(texts: Iterable[str]) -> _Markdown:
    """A line of a table."""
    return _Markdown(f"| {' | '.join(escape_markdown(text) for text in texts)} |")


def _write_rule(heads: Iterable[Head]) -> _Markdown:
    """The line under a table's headings: which columns are set to the right."""
    return _Markdown(f"| {' | '.join('---:' if head.is_number else '---' for head in heads)} |")


def _escape_alt(text: str) -> _Markdown:
    """The same between the brackets of an image."""
    return _Markdown(escape_markdown(text).replace("[", "(").replace("]", ")"))


def _finalize(value: object) -> object:
    """Every value that the Markdown template writes; nothing is left unescaped by mistake."""
    if isinstance(value, _Markdown) or not isinstance(value, str):
        return value
    return _Markdown(escape_markdown(value))


def _environment(**options: Any) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("rnnbench.page"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
