"""A reader of LaTeX tables, which fails where an engine would."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["cells_of", "code_of"]

_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|[^\\{}$&]+|.", re.DOTALL)
_RULES = ("\\toprule", "\\midrule", "\\bottomrule", "\\addlinespace")


def code_of(text: str) -> str:
    """What is below the comments on top, after a look at braces, environments and signs."""
    code = re.sub(r"\A(%[^\n]*\n)*", "", text)
    assert "\\begin{document}" not in code
    ended = [*_tokens(code)]
    assert ended[-1][1:] == (0, ()), "something is not closed"
    return code


def cells_of(text: str) -> list[list[str]]:
    r"""The rows of the table, each its cells as they are in LaTeX; a `\multicolumn` is one cell."""
    rows: list[list[str]] = [[""]]
    for token, depth, inside in _tokens(_body(code_of(text))):
        is_outside = not depth and not inside
        if is_outside and token == "\\\\":
            rows.append([""])
        elif is_outside and token == "&":
            rows[-1].append("")
        else:
            rows[-1][-1] += token
    rules = re.compile(rf"(?:{'|'.join(map(re.escape, _RULES))})(?![a-z])(?:\[2pt\])?")
    cleaned = [[rules.sub("", cell).strip() for cell in row] for row in rows]
    assert cleaned.pop() == [""]
    return cleaned


def _body(code: str) -> str:
    r"""What is between the first `tabular` and its end."""
    begin, end = r"\n  \\begin\{tabular\}\{@\{\}[lr]+@\{\}\}\n", r"\n  \\end\{tabular\}\n"
    found = re.search(f"{begin}(.*){end}", code, re.DOTALL)
    assert found
    return found[1]


def _tokens(code: str) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Each token, the open braces and environments after it."""
    inside: list[str] = []
    depth, is_maths = 0, False
    for match in _TOKEN.finditer(code):
        token = match[0]
        if token == "$":
            is_maths = not is_maths
        elif token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
            assert depth >= 0, code[: match.end()]
        elif token == "\\begin":
            inside.append(_name_after(code, match.end()))
        elif token == "\\end":
            assert inside.pop() == _name_after(code, match.end())
        elif not token.startswith("\\") and token != "&":
            assert not set(token) & set('%#_~^"`' + ("" if is_maths else "<>|")), token
        yield token, depth, tuple(inside)
    assert not is_maths


def _name_after(code: str, place: int) -> str:
    found = re.match(r"\{([a-z]+)\}", code[place:])
    assert found, code[place : place + 20]
    return found[1]
