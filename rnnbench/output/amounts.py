"""How many of something, and how large, as people read it."""


def plural(n: int, word: str) -> str:
    """`1 run`, `10,000 runs`."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def size(n_bytes: float) -> str:
    """`67 KiB`, `12.5 MiB`, `2.0 GiB`."""
    for unit in ("B", "KiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} MiB" if n_bytes < 1024 else f"{n_bytes / 1024:.1f} GiB"
