"""The looks at a study: what each report that gave verdicts had before it, as the ledger keeps it.

A look is known by the runs that it had and their scores. So runs that were started over and came
out alike are the same look, and any others are not.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rnnbench.data.files import write_whole
from rnnbench.entries import MOST_BYTES, check_time, parse_file
from rnnbench.errors import DamagedError, StoreError
from rnnbench.formats import parse_json, why_failed
from rnnbench.study import parse_declaration

MOST_LOOK_VALUES = 1_000_000
RULE = ("margin_points", "contrast", "pairing")
"""What verdicts go by, of all that a study declares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at which verdicts were given.

    Args:
        looked_at: seconds since 1970.
        runs: the test accuracy of every finished run that it compared, by fingerprint.
        n_seeds: finished runs of the arm that had the fewest.
        declaration: the `RULE` at the time.
    """

    looked_at: float
    runs: Mapping[str, float | None]
    n_seeds: int
    declaration: Mapping[str, Any]  # Any: JSON values

    def seen(self, scores: Mapping[str, float | None]) -> frozenset[str]:
        """The fingerprints of its runs; none if one of them is gone or has another score now.

        What such a look found would be found anew, on runs that somebody has chosen.
        """
        is_whole = all(key in scores and scores[key] == score for key, score in self.runs.items())
        return frozenset(self.runs) if is_whole else frozenset()

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """The look as the ledger writes it."""
        return asdict(self)


class LookRecord:
    """The file that keeps the looks of one study, written whole or not at all.

    Args:
        tell: called with what is wrong with it, and the consequence.
    """

    def __init__(self, path: Path, tell: Callable[[DamagedError, str], None]) -> None:
        self._path, self._tell = path, tell

    def read(self) -> list[Look] | None:
        """The looks, the latest last; None where they cannot be read, which is told."""
        try:
            return parse_file(self._path, parse_looks) or []
        except DamagedError as err:
            self._tell(err, "how often the study gave verdicts is not known, and none is given")
            return None

    def add(self, look: Look) -> None:
        """Keep a look, unless the last one had the same runs; the lock of looks must be held.

        Raises:
            StoreError: it cannot be written, or what is there cannot be read, and stays.
        """
        known = self.read()
        if known is None:
            raise StoreError(f"{self._path} cannot be read; mend it, or move it away")
        if len(earlier_looks(known, look.runs, look.declaration)) == len(known):
            self._write([*known, look])

    def merge(self, looks: Sequence[Look]) -> None:
        """Add the looks of another folder: all were spent. Where those here are damaged, nothing.

        They come after those of here. The lock of looks must be held.

        Raises:
            StoreError: they cannot be written.
        """
        known = self.read()
        if known is not None and (new := [look for look in looks if look not in known]):
            self._write([*known, *new])

    def _write(self, looks: Sequence[Look]) -> None:
        content = json.dumps([look.to_json() for look in looks], indent=1).encode() + b"\n"
        if len(content) > MOST_BYTES[self._path.name]:
            raise StoreError(f"{self._path} would become too large to be read")
        try:
            write_whole(self._path, content)
        except OSError as err:
            raise StoreError(f"cannot write to {self._path}: {why_failed(err)}") from err


def earlier_looks(
    looks: Sequence[Look],
    scores: Mapping[str, float | None],
    declaration: Mapping[str, Any] | None = None,  # Any: JSON values
) -> tuple[Look, ...]:
    """The looks before the one at runs with these scores: who looks at the same looks once.

    Args:
        declaration: the `RULE` of now; by another one the same runs are another look.
    """
    is_again = bool(looks) and dict(looks[-1].runs) == dict(scores)
    if is_again and declaration is not None:
        is_again = dict(looks[-1].declaration) == dict(declaration)
    return tuple(looks[:-1] if is_again else looks)


def parse_looks(content: bytes) -> list[Look]:
    """The looks in a file, the latest last.

    Raises:
        StudyError, KeyError, TypeError, ValueError: it is no such file.
    """
    values = parse_json(content, most_values=MOST_LOOK_VALUES)
    if not isinstance(values, list):
        raise ValueError("it is not a list")
    return [_parse_look(item) for item in values]


def _parse_look(item: Mapping[str, Any]) -> Look:  # Any: JSON values
    values = {field.name: item[field.name] for field in fields(Look)}
    runs, looked_at, declaration = values["runs"], values["looked_at"], values["declaration"]
    if not isinstance(runs, dict) or not all(map(_is_score, runs.values())):
        raise ValueError("its runs are not a table of scores")
    if type(values["n_seeds"]) is not int or values["n_seeds"] < 0:
        raise ValueError("n_seeds must be a non-negative integer")
    check_time("looked_at", looked_at)
    checked = parse_declaration(declaration)
    values["declaration"] = {name: checked[name] for name in RULE if name in declaration}
    if len(values["declaration"]) < len(RULE):
        raise ValueError("its declaration is not one")
    return Look(**values)


def _is_score(value: object) -> bool:
    return value is None or (type(value) in (int, float) and 0 <= value <= 1)  # type: ignore[operator]
