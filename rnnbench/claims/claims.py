"""Claims read from TOML files: the notes', which travel with the package, and a user's own.

What a claim is stands in `claim_kinds`, how it is judged in `claim_tests`; both are offered here.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from rnnbench.claims.checks import BadValueError
from rnnbench.claims.judge import CLAIMS_NOTE, judge_claims
from rnnbench.claims.kinds import KINDS, Claim, ClaimTest
from rnnbench.errors import StudyError, unknown_name
from rnnbench.formats import parse_toml, read_toml_text

__all__ = ["CLAIMS_NOTE", "Claim", "find_line", "judge_claims", "load_claims"]

_CLAIM_KEYS = ("id", "claim", "made_in", "test")

# What a line's end can stand in (strings, comments, brackets), and the line's end itself.
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[{\]}\n]",
    re.DOTALL,
)


def load_claims(path: Path | None = None) -> tuple[Claim, ...]:
    """The notes' claims, then those of a user's file; there, an id of the notes' replaces theirs.

    Raises:
        StudyError: a file that cannot be read, or a mistake in it, with file and line.
    """
    bundled = Path(str(files("rnnbench.claims"))) / "claims.toml"
    claims = {claim.id: claim for claim in _read_claims(bundled)}
    if path is not None:
        claims |= {claim.id: claim for claim in _read_claims(path)}
    return tuple(claims.values())


def find_line(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1 up, that sets the value at `path`, or else the innermost table around it.

    tomllib keeps no places. But a valid file cut off after any of its statements is a valid
    file, so the statement that sets a value is the one with which it first appears.

    Args:
        text: a valid TOML file.
        path: keys and, from 0 up, places in lists: `("claim", 2, "test", "metric")`.
    """
    statements = _find_statements(text)
    for depth in range(len(path), 0, -1):
        appears = _appearance(text, path[:depth])
        n = bisect_left(statements, True, key=lambda found: appears(found[1]))
        if n < len(statements):
            return statements[n][0]
    return 1


def _find_statements(text: str) -> list[tuple[int, int]]:
    """Of each statement, comment or blank line: the line it begins in, and where it ends."""
    found = []
    depth, line, first = 0, 1, 1
    for token in _TOKEN.finditer(text):
        line += token[0].count("\n")
        depth += (token[0] in ("[", "{")) - (token[0] in ("]", "}"))
        if token[0] == "\n" and depth == 0:
            found.append((first, token.end()))
            first = line
    return [*found, (first, len(text))]


def _appearance(text: str, path: Sequence[str | int]) -> Callable[[int], bool]:
    """A function that says whether the text up to some place sets the value at `path`."""

    def appears(end: int) -> bool:
        value: Any = tomllib.loads(text[:end])  # Any: TOML values
        for key in path:
            if isinstance(value, list):
                if not (isinstance(key, int) and key < len(value)):
                    return False
            elif not (isinstance(value, dict) and key in value):
                return False
            value = value[key]
        return True

    return appears


def _read_claims(path: Path) -> list[Claim]:
    text = read_toml_text(path)
    values = parse_toml(path, text)
    try:
        return _parse_claims(values)
    except BadValueError as err:
        raise StudyError(f"{path}:{find_line(text, err.path)}: {err}") from err


def _parse_claims(values: Mapping[str, Any]) -> list[Claim]:  # Any: TOML values
    _check_keys("key", values, required=("claim",), known=("claim",))
    tables = values["claim"]
    if not isinstance(tables, list):
        raise BadValueError(("claim",), "claims are written as [[claim]] tables")
    claims: dict[str, Claim] = {}
    for n, table in enumerate(tables):
        try:
            claim = _parse_claim(table)
            if claim.id in claims:
                raise BadValueError(("id",), f"the id '{claim.id}' is in use above")
        except BadValueError as err:
            raise BadValueError(("claim", n, *err.path), str(err)) from err
        claims[claim.id] = claim
    return list(claims.values())


def _parse_claim(table: object) -> Claim:
    if not isinstance(table, Mapping):
        raise BadValueError((), f"a claim must be a table ([[claim]]), got {table!r}")
    _check_keys("key of a claim", table, required=_CLAIM_KEYS, known=_CLAIM_KEYS)
    try:
        test = _parse_test(table["test"])
    except BadValueError as err:
        raise BadValueError(("test", *err.path), str(err)) from err
    return Claim(id=table["id"], claim=table["claim"], made_in=table["made_in"], test=test)


def _parse_test(table: object) -> ClaimTest:
    if not isinstance(table, Mapping):
        raise BadValueError((), f"'test' must be a table ([claim.test]), got {table!r}")
    _check_keys("key of a test", table, required=("kind",))
    kind = table["kind"]
    if not isinstance(kind, str):
        raise BadValueError(("kind",), f"'kind' must be text, got {kind!r}")
    if kind not in KINDS:
        raise BadValueError(("kind",), unknown_name("kind", kind, KINDS))
    arguments = {key: value for key, value in table.items() if key != "kind"}
    known = fields(KINDS[kind])
    _check_keys(
        f"key of a test of kind '{kind}'",
        arguments,
        required=[item.name for item in known if _is_required(item)],
        known=[item.name for item in known],
    )
    return KINDS[kind](**arguments)


def _is_required(item: Any) -> bool:  # Any: dataclasses.Field of any type
    return item.default is MISSING and item.default_factory is MISSING


def _check_keys(
    kind: str,
    table: Mapping[str, object],
    *,
    required: Sequence[str],
    known: Collection[str] | None = None,
) -> None:
    for key in table:
        if known is not None and key not in known:
            raise BadValueError((key,), unknown_name(kind, key, known))
    for key in required:
        if key not in table:
            raise BadValueError((), f"the key '{key}' is missing")
