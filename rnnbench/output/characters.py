"""Text from outside, so that it can be printed: it moves no cursor and turns no line round."""

import codecs
import os
import re
import unicodedata

_JOINER = re.compile("(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")
"""Between letters of Persian or Hindi, or the parts of an emoji, where it belongs."""

_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")
_SPELT = {
    "±": "+/-",
    "–": "-",
    "−": "-",
    "…": "...",
    "·": ".",
    "×": "x",
    "→": "->",
    "█": "#",
    "░": ".",
}
"""Signs that this program prints, where the encoding lacks them."""


def plain(text: str) -> str:
    r"""The text on one line; what cannot be printed is shown as Python writes it: `\x1b`, `\n`."""
    return _shown(text, "")


def plain_lines(text: str) -> str:
    """The text, its lines, tabs and a terminal's colours kept, all else as in `plain`."""
    if text.isprintable():
        return text
    pieces = _STYLE.split(text)  # text, style, text, …
    return "".join(p if n % 2 else _shown(p, "\n\t") for n, p in enumerate(pieces))


def sentence(text: str) -> str:
    """The text as one plain line: spaces where lines end."""
    return plain(" ".join(line.strip() for line in text.strip().splitlines()))


def first_line(err: BaseException, longest: int = 300) -> str:
    """The first line of what an exception says, plain, without colours; its type if it says none.

    Args:
        longest: in characters.
    """
    lines = unstyled(str(err)).strip().splitlines()
    return plain(lines[0].strip())[:longest] if lines else type(err).__name__


def unstyled(text: str) -> str:
    """The text without a terminal's bold and colours."""
    return _STYLE.sub("", text)


def named_line(err: BaseException) -> str:
    """The same behind the exception's type."""
    name, line = type(err).__name__, first_line(err)
    return name if line == name else f"{name}: {line}"


def csv_text(value: object) -> object:
    """A cell's value; a text is plain, and no spreadsheet takes it for a formula."""
    if not isinstance(value, str):
        return value
    text = _shown(value, "\n\t")
    return f"'{text}" if text.lstrip(" \n").startswith(("=", "+", "-", "@", "\t")) else text


def readable_name(file_name: str) -> str:
    """The name in Unicode, which every store takes: `�` for each of its bytes that is none."""
    return os.fsencode(file_name).decode("utf-8", "replace")


def encodable(text: str, encoding: str | None) -> str:
    r"""The text, with what the encoding lacks spelt out: `+/-` for `±`, else `\uac00`."""
    encoding = encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, "rnnbench.spell_out").decode(encoding)
    return text


def _shown(text: str, kept: str) -> str:
    if text.isprintable():
        return text
    joiners = {match.start() for match in _JOINER.finditer(text)}
    return "".join(
        char if char.isprintable() or char in kept or at in joiners else _escape(char)
        for at, char in enumerate(text)
    )


def _escape(char: str) -> str:
    is_space = unicodedata.category(char) == "Zs"  # a wide space, or one that does not break
    return " " if is_space else char.encode("unicode_escape").decode("ascii")


def _spell_out(err: UnicodeError) -> tuple[str, int]:
    assert isinstance(err, UnicodeEncodeError)
    found = err.object[err.start : err.end]
    spelt = (_SPELT.get(c) or c.encode("ascii", "backslashreplace").decode() for c in found)
    return "".join(spelt), err.end


codecs.register_error("rnnbench.spell_out", _spell_out)
