"""Claims read from TOML files: the notes', which travel with the package, and a user's own."""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from rnnbench.claims.kinds import KINDS, BadValueError, Claim, ClaimTest, check_choice, refused_at
from rnnbench.errors import StudyError, unknown_name
from rnnbench.formats import parse_toml, read_toml_text

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


def load_claims(path: Path | None = None, *, with_notes: bool = True) -> tuple[Claim, ...]:
    """The notes' claims, then those of a user's file; there, an id of the notes' replaces theirs.

    Args:
        with_notes: whether the notes' are wanted, which are about IMDB.

    Raises:
        StudyError: a file that cannot be read, or a mistake in it, with file and line.
    """
    own = () if path is None else tuple(_read_claims(path))
    return add_notes(own) if with_notes else own


def add_notes(own: Sequence[Claim]) -> tuple[Claim, ...]:
    """The notes' claims, then those of a user; there, an id of the notes' replaces theirs."""
    bundled = Path(str(files("rnnbench.claims"))) / "claims.toml"
    claims = {claim.id: claim for claim in (*_read_claims(bundled), *own)}
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
    deepest = _depth(text, path)
    n = bisect_left(statements, deepest, key=lambda found: _depth(text[: found[1]], path))
    return statements[n][0]


def _find_statements(text: str) -> list[tuple[int, int]]:
    """The line in which each statement, comment or blank line begins, and where it ends."""
    found = []
    depth, line, first = 0, 1, 1
    for token in _TOKEN.finditer(text):
        line += token[0].count("\n")
        depth += (token[0] in ("[", "{")) - (token[0] in ("]", "}"))
        if token[0] == "\n" and depth == 0:
            found.append((first, token.end()))
            first = line
    return [*found, (first, len(text))]


def _depth(text: str, path: Sequence[str | int]) -> int:
    """How many keys of the path, from the first on, the text sets."""
    value: Any = tomllib.loads(text)  # Any: TOML values
    for depth, key in enumerate(path):
        try:
            value = value[key]
        except (LookupError, TypeError):
            return depth
    return len(path)


def _read_claims(path: Path) -> list[Claim]:
    text = read_toml_text(path)
    values = parse_toml(path, text)
    try:
        return _parse_claims(values)
    except BadValueError as err:
        raise StudyError(f"{path}:{find_line(text, err.path)}: {err}") from err


def _parse_claims(values: Mapping[str, Any]) -> list[Claim]:  # Any: TOML values
    _check_keys("key", values, {"claim": True})
    tables = values["claim"]
    if not isinstance(tables, list):
        raise BadValueError("claims are written as [[claim]] tables", "claim")
    claims: dict[str, Claim] = {}
    for n, table in enumerate(tables):
        with refused_at("claim", n):
            claim = _parse_claim(table)
            if claim.id in claims:
                raise BadValueError(f"the id '{claim.id}' is used twice", "id")
        claims[claim.id] = claim
    return list(claims.values())


def _parse_claim(table: object) -> Claim:
    if not isinstance(table, Mapping):
        raise BadValueError(f"a claim must be a table ([[claim]]), got {table!r}")
    _check_keys("key of a claim", table, _keys_of(Claim))
    with refused_at("test"):
        test = _parse_test(table["test"])
    return Claim(**{**table, "test": test})


def _parse_test(table: object) -> ClaimTest:
    if not isinstance(table, Mapping):
        raise BadValueError(f"'test' must be a table ([claim.test]), got {table!r}")
    if "kind" not in table:
        raise BadValueError("the key 'kind' is missing")
    kind = table["kind"]
    check_choice("kind", kind, KINDS)
    arguments = {key: value for key, value in table.items() if key != "kind"}
    _check_keys(f"key of a test of kind '{kind}'", arguments, _keys_of(KINDS[kind]))
    return KINDS[kind](**arguments)


def _keys_of(owner: type[Claim | ClaimTest]) -> dict[str, bool]:
    """The keys that such a table takes, and whether it needs each."""
    return {
        item.name: item.default is MISSING and item.default_factory is MISSING
        for item in fields(owner)
    }


def _check_keys(what: str, table: Mapping[str, object], known: Mapping[str, bool]) -> None:
    for key in table:
        if key not in known:
            raise BadValueError(unknown_name(what, key, known), key)
    for key, is_needed in known.items():
        if is_needed and key not in table:
            raise BadValueError(f"the key '{key}' is missing")
