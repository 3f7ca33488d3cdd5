"""What was found, for another program."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from rnnbench.output.characters import encodable, plain_lines

__all__ = ["as_json", "print_json"]


def print_json(found: Any) -> None:  # Any: what `as_json` takes
    """Print it on standard output."""
    print(as_json(found, sys.stdout.encoding))


def as_json(found: Any, encoding: str | None = None) -> str:  # Any: values, dataclasses among them
    """What was found, as JSON: dataclasses as objects, paths as text, no number as null.

    Args:
        encoding: if it lacks a character, or one cannot be printed, all is written in ASCII.
    """
    known = json.loads(json.dumps(found, default=_plain), parse_constant=lambda _: None)
    text = json.dumps(known, indent=1, ensure_ascii=False)
    is_printable = text == encodable(plain_lines(text), encoding)
    return text if is_printable else json.dumps(known, indent=1)


def _plain(value: Any) -> Any:  # Any: what JSON does not know
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
