"""The looks at a study: what each report that gave verdicts had before it, as the ledger keeps it.

A look is known by the runs that it had and their scores. So runs that were started over and came
out alike are the same look, and any others are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rnnbench.data.files import write_whole
from rnnbench.entries import MOST_BYTES, check_time, parse_file
from rnnbench.errors import DamagedError, StoreError
from rnnbench.formats import parse_json, why_failed
from rnnbench.metrics import USUAL_METRIC
from rnnbench.study import parse_declaration

MOST_LOOK_VALUES = 1_000_000
RULE = ("margin_points", "contrast", "pairing", "metric")
"""What verdicts go by, of all that a study declares; the usual metric is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at which verdicts were given.

    Args:
        looked_at: seconds since 1970.
        runs: the test accuracy of every run that was over, by fingerprint, whatever was compared;
            None without a score.
        n_seeds: finished runs of the arm that had the fewest.
        declaration: the `RULE` at the time.
    """

    looked_at: float
    runs: Mapping[str, float | None]
    n_seeds: int
    declaration: Mapping[str, Any]  # Any: JSON values

    def is_at(self, scores: Mapping[str, float | None], declaration: Mapping[str, Any]) -> bool:
        """Whether it looked at runs with these scores, by this `RULE`."""
        return dict(self.runs) == dict(scores) and dict(self.declaration) == dict(declaration)

    def seen(self, scores: Mapping[str, float | None]) -> frozenset[str]:
        """The fingerprints of its runs with a score; none if one is gone or has another score now.

        What such a look found would be found anew, on runs that somebody has chosen.
        """
        scored = {key: score for key, score in self.runs.items() if score is not None}
        is_whole = all(scores.get(key) == score for key, score in scored.items())
        return frozenset(scored) if is_whole else frozenset()

    def is_like(self, other: Look) -> bool:
        """Whether both looked at the same runs by the same `RULE`, whenever that was."""
        return self.is_at(other.runs, other.declaration)

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """The look as the ledger writes it."""
        return asdict(self)


class LookRecord:
    """The file that keeps the looks of one study, written whole or not at all.

    The lock of looks must be held while one is added.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Look]:
        """The looks, the latest last.

        Raises:
            StoreError: they cannot be read.
        """
        try:
            return parse_file(self._path, parse_looks) or []
        except DamagedError as err:
            raise StoreError(f"{err}; mend it, or move it away and begin anew") from err

    def add(self, looks: Iterable[Look]) -> None:
        """Keep looks, this study's or, of another folder, those that were spent there.

        Raises:
            StoreError: they cannot be written, or what is there not be read; that stays as it is.
        """
        known = self.read()
        new = [look for look in looks if not any(map(look.is_like, known))]
        if new:
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
    declaration: Mapping[str, Any],  # Any: JSON values
) -> tuple[Look, ...]:
    """The looks before the one at runs with these scores: who looks at the same looks once.

    Args:
        declaration: the `RULE` of now; by another one the same runs are another look.
    """
    places = (place for place, look in enumerate(looks) if look.is_at(scores, declaration))
    return tuple(looks[: next(places, None)])


def rule_of(declaration: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON values
    """The `RULE` among all that a study declares."""
    found = {name: declared_value(declaration, name) for name in RULE}
    if found["metric"] == USUAL_METRIC:
        del found["metric"]
    return found


def declared_value(declaration: Mapping[str, Any], name: str) -> Any:  # Any: JSON values
    """What a `RULE`, or all that a study declares, has of a name; None where it has nothing."""
    return declaration.get(name, USUAL_METRIC if name == "metric" else None)


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
    values["declaration"] = rule_of(checked)
    if not values["declaration"].keys() <= declaration.keys():
        raise ValueError("its declaration is not one")
    return Look(**values)


def _is_score(value: object) -> bool:
    return value is None or (type(value) in (int, float) and 0 <= value <= 1)  # type: ignore[operator]
