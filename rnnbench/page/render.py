"""The page as HTML and as Markdown: the same parts through two templates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rnnbench.page.drawing import write_svg
from rnnbench.page.texts import plain

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from rnnbench.page.blocks import Page
    from rnnbench.page.tables import Column

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
# Letters that are written from right to left: Hebrew, Arabic, Syriac and the like.
_FROM_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001eeff"
_HAS_FROM_RIGHT = re.compile(f"[{_FROM_RIGHT}]")
# A name with such letters: what quotes hold, else as far as no other letter and no sign of ours
# comes in between.
_NAME_FROM_RIGHT = re.compile(
    rf"(?<![\w'])'(?=\S)(?P<quoted>[^']*[{_FROM_RIGHT}][^']*)'(?!\w)"
    rf"|[{_FROM_RIGHT}]+(?:(?:(?![,;:()\[\]\"=·|→–])[\W\d_])+[{_FROM_RIGHT}]+)*"
)
_LINE_START = re.compile(r"^(\d*)([#+.)-])")


class _Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def render_html(page: Page, *, has_csv: bool) -> str:
    """One page that fetches nothing.

    Args:
        has_csv: whether the tables lie beside the page, to be linked.
    """
    from markupsafe import Markup

    environment = _environment(autoescape=True, finalize=_write_html)
    environment.filters.update(marked=mark_code, whole=write_whole, attribute=_write_attribute)
    drawings = {picture.name: Markup(write_svg(picture)) for picture in page.pictures}
    return _render(environment, "page.html.jinja", page, has_csv=has_csv, drawings=drawings)


def render_markdown(page: Page, *, has_csv: bool) -> str:
    """The same as Markdown; figures are in `figures/`."""
    environment = _environment(finalize=_finalize)
    environment.filters.update(
        line=escape_line, alt=_escape_alt, row=_write_row, rule=_write_rule, verbatim=_Markdown
    )
    return _render(environment, "page.md.jinja", page, has_csv=has_csv)


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


def mark_code(text: str) -> Markup:
    """Text for HTML, with what stands between backquotes set as code."""
    from markupsafe import Markup

    pieces = _CODE.split(_join_units(text))  # text, code, text, …
    marks = [Markup("<code>{}</code>") if n % 2 else Markup("{}") for n in range(len(pieces))]
    return Markup("").join(
        mark.format(_isolate(piece)) for mark, piece in zip(marks, pieces, strict=True)
    )


def _write_html(value: object) -> object:
    """Every value that the HTML template writes, but for what a filter has written."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return _isolate(_join_units(value))


def _isolate(text: str) -> Markup:
    """Plain running text for HTML, in which no name moves what stands beside it.

    A browser sets a number next to a name that is written from right to left among its letters,
    and two such names with only a sign between them in the order from right to left.
    """
    from markupsafe import Markup, escape

    pieces, end = [], 0
    for found in _NAME_FROM_RIGHT.finditer(text):
        start, stop = found.span("quoted" if found["quoted"] else 0)
        pieces += [escape(text[end:start]), Markup("<bdi>{}</bdi>").format(text[start:stop])]
        end = stop
    return Markup("").join([*pieces, escape(text[end:])])


def write_whole(text: str) -> Markup:
    """A name, or a text of the user's, in the direction of its first letter."""
    from markupsafe import Markup, escape

    written = escape(_join_units(text))
    return Markup("<bdi>{}</bdi>").format(written) if _HAS_FROM_RIGHT.search(text) else written


def _write_attribute(text: str) -> Markup:
    """The same where no tag can stand."""
    from markupsafe import escape

    return escape(_join_units(text))


def _join_units(text: str) -> str:
    """A plain text in which no line ends between a number and its per cent sign."""
    return plain(text).replace(" %", "\u00a0%")


def _write_row(texts: Iterable[str]) -> _Markdown:
    """A line of a table."""
    return _Markdown(f"| {' | '.join(escape_markdown(text) for text in texts)} |")


def _write_rule(columns: Iterable[Column[Any]]) -> _Markdown:
    """The line under a table's headings: which columns are set to the right."""
    return _Markdown(f"| {' | '.join('---:' if each.is_number else '---' for each in columns)} |")


def _escape_alt(text: str) -> _Markdown:
    """The same between the brackets of an image."""
    return _Markdown(escape_markdown(text).replace("[", "(").replace("]", ")"))


def _finalize(value: object) -> object:
    """Every value that the Markdown template writes; nothing is left unescaped by mistake."""
    if isinstance(value, _Markdown) or not isinstance(value, str):
        return value
    return _Markdown(escape_markdown(value))


def _render(environment: Environment, name: str, page: Page, **values: Any) -> str:
    numbers = {picture.name: number for number, picture in enumerate(page.pictures, start=1)}
    return environment.get_template(name).render(page=page, numbers=numbers, **values)


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
