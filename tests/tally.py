"""What the trials of a campaign must never find, counted by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

__all__ = ["COLUMNS", "Tally", "tallied"]

COLUMNS = ("tried", "lost", "doubled", "executed", "hung", "over_1_gib", "tracebacks")
"""`lost` and `doubled` are runs, `hung` is over 60 s; all but the first should be 0."""

Tally = Callable[..., None]
"""`tally("kill -9", tried=1, lost=0)`."""


def tallied(counts: Iterable[Mapping[str, str | int]]) -> list[str]:
    """A table, a line a kind; empty if nothing was tried."""
    kinds: dict[str, Counter[str]] = {}
    for values in counts:
        kind = kinds.setdefault(str(values["kind"]), Counter())
        kind.update({name: int(values.get(name, 0)) for name in COLUMNS})
    if not kinds:
        return []
    total = sum(kinds.values(), Counter())
    rows = [*sorted(kinds.items()), ("all", total)]
    width = max(len(kind) for kind, _ in rows)
    lines = ["  ".join(("".ljust(width), *COLUMNS))]
    for kind, row in rows:
        cells = (str(row[name]).rjust(len(name)) for name in COLUMNS)
        lines.append("  ".join((kind.ljust(width), *cells)))
    return lines
