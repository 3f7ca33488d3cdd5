"""How many of something, which of them, and how large, as people read it."""

from collections.abc import Sequence

_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth"),
    *("sixth", "seventh", "eighth", "ninth", "tenth"),
)


def plural(n: int, word: str) -> str:
    """`1 run`, `10,000 runs`."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def some(names: Sequence[str], most: int) -> str:
    """`a, b, c and 4 more`: so many of them at most by name."""
    more = len(names) - most
    listed = ", ".join(names[:most])
    return f"{listed} and {more:,} more" if more > 0 else listed


def listed(names: Sequence[str], joint: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; nothing for none."""
    *first, last = names or [""]
    return f"{', '.join(first)} {joint} {last}" if first else last


def ordinal(n: int) -> str:
    """`first` to `tenth`, then `11th`, `22nd`."""
    if 1 <= n <= len(_ORDINALS):
        return _ORDINALS[n - 1]
    last = 0 if n // 10 % 10 == 1 else n % 10
    return f"{n:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"


def plain(value: object) -> str:
    """A declared value as people write it: `0.5`, `1`, `architecture`."""
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def size(n_bytes: float) -> str:
    """`67 KiB`, `12.5 MiB`, `2.0 GiB`."""
    for unit in ("B", "KiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} MiB" if n_bytes < 1024 else f"{n_bytes / 1024:.1f} GiB"
